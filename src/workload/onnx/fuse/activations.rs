//! Activations by their formulas: finds the one that matches the points computed by a group of nodes.

use statrs::function::erf::erf;

use super::probe::FAR;
use crate::workload::onnx::arithmetic::{sigmoid, softplus};

/// A function of one number, by some of its points.
pub(super) struct Curve {
    points: Vec<(f64, f64)>,
    tolerance: f64,
}

impl Curve {
    pub(super) fn new(points: impl Iterator<Item = (f64, f64)>, tolerance: f64) -> Self {
        let mut points: Vec<_> = points.collect();
        points.sort_by(|left, right| left.0.total_cmp(&right.0));
        Self { points, tolerance }
    }

    /// Whether a function has all points that are not far; what is far overflows in some ways of writing a function.
    fn is(&self, function: impl Fn(f64) -> f64) -> bool {
        let near = |(x, _): &&(f64, f64)| x.abs() < FAR / 100.0;
        self.points.iter().filter(near).all(|&(x, y)| close(function(x), y, self.tolerance))
    }

    /// The value at one of the points.
    fn at(&self, x: f64) -> f64 {
        self.points.iter().find(|point| point.0 == x).map_or(f64::NAN, |point| point.1)
    }

    /// The slope to the point next to zero on the left.
    fn slope(&self) -> f64 {
        self.points.iter().rfind(|point| point.0 < 0.0).map_or(f64::NAN, |(x, y)| y / x)
    }

    fn first(&self) -> f64 {
        self.points.first().map_or(f64::NAN, |point| point.1)
    }

    fn last(&self) -> f64 {
        self.points.last().map_or(f64::NAN, |point| point.1)
    }

    /// Slope and shift of a straight line that is not level.
    pub(super) fn line(&self) -> Option<(f64, f64)> {
        let (&(x0, y0), &(x1, y1)) = (self.points.first()?, self.points.last()?);
        let slope = (y1 - y0) / (x1 - x0);
        let shift = y0 - slope * x0;
        let is_line = self.points.iter().all(|&(x, y)| close(slope * x + shift, y, self.tolerance));
        let rounded = |number: f64, to: f64| if close(to, number, self.tolerance) { to } else { number };
        (is_line && rounded(slope, 0.0) != 0.0).then(|| (rounded(slope, 1.0), rounded(shift, 0.0)))
    }

    /// x, or a multiple of it below zero.
    pub(super) fn is_leaky(&self) -> bool {
        let slope = self.slope();
        self.is(|x| if x < 0.0 { slope * x } else { x })
    }
}

/// Whether two numbers are equal up to rounding.
pub(super) fn close(left: f64, right: f64, tolerance: f64) -> bool {
    (left - right).abs() <= tolerance * left.abs().max(1.0)
}

/// The activation that a curve is, under its name in ONNX. Its own numbers (a slope, a limit) are read off the curve.
pub(super) fn activation(curve: &Curve) -> Option<&'static str> {
    let changes = !curve.is(|x| x);
    ACTIVATIONS.iter().find(|(_, is)| changes && is(curve)).map(|(name, _)| *name)
}

type Test = fn(&Curve) -> bool;

const ACTIVATIONS: [(&str, Test); 18] = [
    ("Relu", |c| c.is(|x| x.max(0.0))),
    ("Swish", |c| {
        // y(1) = 1 / (1 + e^-alpha)
        let alpha = -(c.at(1.0).recip() - 1.0).ln();
        alpha > 0.01 && c.is(|x| x * sigmoid(alpha * x))
    }),
    ("HardSwish", |c| c.is(|x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0))),
    ("Gelu", |c| c.is(|x| x / 2.0 * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2)))),
    ("Gelu", |c| {
        let inner = |x: f64| (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
        c.is(|x| x / 2.0 * (1.0 + inner(x).tanh()))
    }),
    ("Mish", |c| c.is(|x| x * softplus(x).tanh())),
    ("Pow", |c| (2..=4).any(|power| c.is(|x| x.powi(power)))),
    ("Sigmoid", |c| c.is(sigmoid)),
    ("HardSigmoid", |c| {
        let (low, high) = (c.at(-0.25), c.at(0.25));
        let (alpha, beta) = ((high - low) / 0.5, f64::midpoint(low, high));
        let is_clipped = c.first() == 0.0 && c.last() == 1.0;
        is_clipped && c.is(|x| (alpha * x + beta).clamp(0.0, 1.0))
    }),
    ("Tanh", |c| c.is(f64::tanh)),
    ("Softplus", |c| c.is(softplus)),
    ("Softsign", |c| c.is(|x| x / (1.0 + x.abs()))),
    ("LeakyRelu", |c| c.slope() > 0.0 && c.is_leaky()),
    ("Elu", |c| {
        let alpha = -c.first();
        c.is(|x| if x < 0.0 { alpha * x.exp_m1() } else { x })
    }),
    ("Celu", |c| {
        let alpha = -c.first();
        c.is(|x| if x < 0.0 { alpha * (x / alpha).exp_m1() } else { x })
    }),
    ("Selu", |c| c.is(|x| 1.050_700_987 * if x < 0.0 { 1.673_263_242 * x.exp_m1() } else { x })),
    ("Clip", |c| {
        let (least, most) = (c.first(), c.last());
        most - least > 0.01 && c.is(|x| x.max(least).min(most))
    }),
    ("ThresholdedRelu", |c| {
        let alpha =
            c.points.iter().filter(|(_, y)| *y == 0.0).fold(f64::NEG_INFINITY, |all, (x, _)| all.max(*x));
        c.is(|x| if x > alpha { x } else { 0.0 })
    }),
];
