//! Functions along axes by their formulas: softmax and normalisations, with or without a trained scale and shift.

use super::activations::{Curve, close};
use super::probe::{ELEMENTS, Response, far, near};

/// Tells whether a group of nodes is a function along axes, and gives its name in ONNX.
type Test = fn(&Response) -> Option<&'static str>;

/// From the most special normalisation to the most general one.
pub(super) const NORMS: [Test; 3] = [
    |group| {
        let is_norm = group.parameters.len() <= 2 && lines(group, standardised).is_some();
        is_norm.then(|| standard(group))
    },
    |group| {
        let euclidean = |x: &[f64], count| per(x, |x| x, sum(x, |x| x * x, count).sqrt());
        let manhattan = |x: &[f64], count| per(x, |x| x, sum(x, f64::abs, count));
        (is(group, far, euclidean) || is(group, far, manhattan)).then_some("LpNormalization")
    },
    |group| {
        let lines = lines(group, |x| per(x, |x| x, sum(x, |x| x * x, 1.0).sqrt()))?;
        let is_norm = group.parameters.len() <= 1 && lines.iter().all(|(_, shift)| *shift == 0.0);
        is_norm.then_some("RMSNormalization")
    },
];

/// Softmax or its logarithm.
pub(super) fn softmax(group: &Response) -> Option<&'static str> {
    let softmax = |x: &[f64], count| per(x, f64::exp, sum(x, f64::exp, count));
    let logarithm = |x: &[f64], count| softmax(x, count).iter().map(|y| y.ln()).collect();
    match is(group, near, softmax) {
        true => Some("Softmax"),
        false => is(group, near, logarithm).then_some("LogSoftmax"),
    }
}

/// Which of the normalisations to mean 0 and variance 1: a layer norm has parameters for each element that it reduces.
fn standard(group: &Response) -> &'static str {
    match group.parameters.iter().all(|parameter| parameter.elements == group.reduced) {
        true => "LayerNormalization",
        false if group.is_regrouped => "GroupNormalization",
        false => "InstanceNormalization",
    }
}

/// Whether a group is this function of a sample and the number of elements that it stands for. It is compared on half
/// of the samples: far ones overflow in an exponential, near ones show the epsilon of a division.
fn is(group: &Response, half: fn(&[f64]) -> &[f64], function: impl Fn(&[f64], f64) -> Vec<f64>) -> bool {
    let mut samples = half(&group.input).chunks(ELEMENTS).zip(half(&group.output).chunks(ELEMENTS));
    let equal = |(&f, &y): (&f64, &f64)| close(f, y, group.tolerance);
    let is_function = samples.all(|(x, y)| function(x, group.reduced).iter().zip(y).all(equal));
    is_function && group.parameters.is_empty() && !group.axes.is_empty()
}

/// The lines, one for each element, that a group is of this function: the trained scale and shift.
fn lines(group: &Response, function: fn(&[f64]) -> Vec<f64>) -> Option<Vec<(f64, f64)>> {
    let function: Vec<f64> = far(&group.input).chunks(ELEMENTS).flat_map(function).collect();
    let lines = curves(&function, far(&group.output), group.tolerance).map(|curve| curve.line());
    if group.axes.is_empty() { None } else { lines.collect() }
}

/// What becomes of each element of the samples.
pub(super) fn curves(input: &[f64], output: &[f64], tolerance: f64) -> impl Iterator<Item = Curve> {
    (0..ELEMENTS).map(move |i| {
        let points = input.iter().copied().zip(output.iter().copied());
        Curve::new(points.skip(i).step_by(ELEMENTS), tolerance)
    })
}

/// The sum of a function over as many elements as a sample stands for.
fn sum(sample: &[f64], function: fn(f64) -> f64, count: f64) -> f64 {
    count * mean(sample, function)
}

fn mean(sample: &[f64], function: fn(f64) -> f64) -> f64 {
    sample.iter().map(|&x| function(x)).sum::<f64>() / sample.len() as f64
}

fn per(sample: &[f64], function: fn(f64) -> f64, divisor: f64) -> Vec<f64> {
    sample.iter().map(|&x| function(x) / divisor).collect()
}

/// A sample with mean 0 and variance 1.
pub(super) fn standardised(sample: &[f64]) -> Vec<f64> {
    let middle = mean(sample, |x| x);
    let centred: Vec<f64> = sample.iter().map(|x| x - middle).collect();
    per(&centred, |x| x, mean(&centred, |x| x * x).sqrt())
}
