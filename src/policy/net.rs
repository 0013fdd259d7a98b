//! A net of one hidden layer with a linear skip: y = W2 s(W1 x + b1) + S x + b2, for [`LANES`] items at a time.
//!
//! s is softsign, x / (1 + |x|), which is as good as tanh here and takes an eighth of its time. Items lie side by side,
//! so that compilers turn every operation into vector instructions, in an order that is the same on all machines. A
//! pass allocates no memory.

use std::ops::Range;

use ndarray::ArrayView2;
use pulp::{Arch, Simd, WithSimd};
use rand::RngExt;

use crate::rng;

/// The number of items of a pass: two vectors of baseline x86-64, or one of AVX.
pub(super) const LANES: usize = 8;

/// A value for each item.
pub(super) type Lanes = [f32; LANES];

/// The weights and biases of a net of `INPUTS`, `HIDDEN` units and `OUTPUTS`. The sizes are types, so that a pass is
/// straight-line code.
#[derive(Clone, Debug)]
pub(super) struct Net<const INPUTS: usize, const HIDDEN: usize, const OUTPUTS: usize> {
    hidden: Units<INPUTS, HIDDEN>,
    outputs: Units<HIDDEN, OUTPUTS>,
    /// The matrix S, a row per output.
    skips: [[f32; INPUTS]; OUTPUTS],
}

/// The units of one layer: their biases, and a row of weights for each.
#[derive(Clone, Copy, Debug)]
struct Units<const INPUTS: usize, const OUTPUTS: usize> {
    bias: [f32; OUTPUTS],
    weights: [[f32; INPUTS]; OUTPUTS],
}

impl<const INPUTS: usize, const HIDDEN: usize, const OUTPUTS: usize> Net<INPUTS, HIDDEN, OUTPUTS> {
    /// The number of weights that lead to the hidden layer; they come first.
    pub(super) const HIDDEN_WEIGHTS: usize = HIDDEN * (INPUTS + 1);

    /// The number of weights and biases.
    pub(super) const WEIGHTS: usize = Self::HIDDEN_WEIGHTS + OUTPUTS * (HIDDEN + INPUTS + 1);

    /// Multiply-accumulates of a pass, per item.
    pub(super) const MACS: u64 = (HIDDEN * INPUTS + OUTPUTS * (HIDDEN + INPUTS)) as u64;

    /// A net from weights in the order W1 (a row per input), b1, W2 (a row per hidden unit), S (a row per input), b2.
    /// Panics if their number is wrong.
    pub(super) fn new(weights: &[f32]) -> Self {
        assert_eq!(weights.len(), Self::WEIGHTS, "weights of a net");
        let (first, rest) = weights.split_at(Self::HIDDEN_WEIGHTS);
        let (second, rest) = rest.split_at(OUTPUTS * HIDDEN);
        let (skips, last) = rest.split_at(OUTPUTS * INPUTS);
        let (first, bias) = first.split_at(HIDDEN * INPUTS);
        Self { hidden: units(first, bias), outputs: units(second, last), skips: columns(skips) }
    }

    /// Weights with which all outputs are zero: a hidden layer drawn from the stream of a name.
    pub(super) fn silent(seed: u64, name: &str) -> Vec<f32> {
        let mut rng = rng::stream(seed, "policy", name);
        let scale = (3.0 / INPUTS as f32).sqrt();
        let mut weights: Vec<f32> =
            (0..Self::HIDDEN_WEIGHTS).map(|_| rng.random_range(-scale..scale)).collect();
        weights.resize(Self::WEIGHTS, 0.0);
        weights
    }

    /// The weights of a smaller net as weights of this one, which then says the same: `inputs` are its inputs. What is new is that
    /// of `weights`, which are silent; new inputs count nothing.
    pub(super) fn grown<const FEWER: usize, const UNITS: usize, const SAID: usize>(
        mut before: &[f32],
        inputs: [usize; FEWER],
        mut weights: Vec<f32>,
    ) -> Vec<f32> {
        let mut row = |to: usize, length: usize| {
            let (row, rest) = before.split_at(length);
            weights[to..][..length].copy_from_slice(row);
            before = rest;
        };
        inputs.iter().for_each(|input| row(input * HIDDEN, UNITS));
        row(INPUTS * HIDDEN, UNITS);
        let second = Self::HIDDEN_WEIGHTS;
        (0..UNITS).for_each(|unit| row(second + unit * OUTPUTS, SAID));
        let skip = second + HIDDEN * OUTPUTS;
        inputs.iter().for_each(|input| row(skip + input * OUTPUTS, SAID));
        row(skip + INPUTS * OUTPUTS, SAID);
        for input in (0..INPUTS).filter(|input| !inputs.contains(input)) {
            weights[input * HIDDEN..][..UNITS].fill(0.0);
        }
        weights
    }

    /// Changes weights so that some inputs have no effect.
    pub(super) fn forget_inputs(weights: &mut [f32], inputs: impl IntoIterator<Item = usize>) {
        let skips = Self::HIDDEN_WEIGHTS + OUTPUTS * HIDDEN;
        for input in inputs {
            weights[input * HIDDEN..][..HIDDEN].fill(0.0);
            weights[skips + input * OUTPUTS..][..OUTPUTS].fill(0.0);
        }
    }

    /// Changes weights so that some outputs are zero.
    pub(super) fn forget_outputs(weights: &mut [f32], outputs: Range<usize>) {
        let rows = weights[Self::HIDDEN_WEIGHTS..].chunks_exact_mut(OUTPUTS);
        rows.for_each(|row| row[outputs.clone()].fill(0.0));
    }

    /// Changes weights so that the hidden layer has no effect.
    pub(super) fn forget_hidden(weights: &mut [f32]) {
        weights[Self::HIDDEN_WEIGHTS..][..OUTPUTS * HIDDEN].fill(0.0);
    }

    /// Computes the outputs from the inputs, a row each.
    pub(super) fn forward(&self, inputs: &[Lanes; INPUTS]) -> [Lanes; OUTPUTS] {
        Arch::new().dispatch(Pass { net: self, inputs })
    }
}

/// A pass, compiled for several sets of vector instructions; a machine uses the widest set that it has.
struct Pass<'a, const INPUTS: usize, const HIDDEN: usize, const OUTPUTS: usize> {
    net: &'a Net<INPUTS, HIDDEN, OUTPUTS>,
    inputs: &'a [Lanes; INPUTS],
}

impl<const INPUTS: usize, const HIDDEN: usize, const OUTPUTS: usize> WithSimd
    for Pass<'_, INPUTS, HIDDEN, OUTPUTS>
{
    type Output = [Lanes; OUTPUTS];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> [Lanes; OUTPUTS] {
        let x = self.inputs;
        let Net { hidden, outputs, skips } = self.net;
        let mut values = hidden.bias.map(|bias| [bias; LANES]);
        add(&mut values, x, &hidden.weights);
        let values = values.map(|lanes| each(lanes, |h| h / (1.0 + h.abs())));
        let mut y = outputs.bias.map(|bias| [bias; LANES]);
        add(&mut y, &values, &outputs.weights);
        add(&mut y, x, skips);
        y
    }
}

/// The units of a layer, from a matrix with a row per input.
fn units<const INPUTS: usize, const OUTPUTS: usize>(matrix: &[f32], bias: &[f32]) -> Units<INPUTS, OUTPUTS> {
    Units { bias: std::array::from_fn(|unit| bias[unit]), weights: columns(matrix) }
}

/// The columns of a matrix.
fn columns<const ROWS: usize, const COLUMNS: usize>(matrix: &[f32]) -> [[f32; ROWS]; COLUMNS] {
    let matrix = ArrayView2::from_shape((ROWS, COLUMNS), matrix).expect("the weights were counted");
    std::array::from_fn(|column| std::array::from_fn(|row| matrix[[row, column]]))
}

/// The number of sums that grow side by side, in registers: no addition waits for the one before.
const BLOCK: usize = 4;

/// Adds the products of rows and weights to the sums, each in the order of the rows. Inlined, like the functions below, to
/// be compiled with the vector instructions of its caller.
#[inline(always)]
fn add<const INPUTS: usize, const OUTPUTS: usize>(
    sums: &mut [Lanes; OUTPUTS],
    x: &[Lanes; INPUTS],
    weights: &[[f32; INPUTS]; OUTPUTS],
) {
    let (blocks, rest) = sums.as_chunks_mut::<BLOCK>();
    let (rows, last_rows) = weights.as_chunks::<BLOCK>();
    for (sums, rows) in blocks.iter_mut().zip(rows) {
        add_block(sums, x, rows);
    }
    for (sum, row) in rest.iter_mut().zip(last_rows) {
        add_block(std::array::from_mut(sum), x, std::array::from_ref(row));
    }
}

#[inline(always)]
fn add_block<const INPUTS: usize, const OUTPUTS: usize>(
    sums: &mut [Lanes; OUTPUTS],
    x: &[Lanes; INPUTS],
    weights: &[[f32; INPUTS]; OUTPUTS],
) {
    let mut grown = *sums;
    for i in 0..INPUTS {
        for unit in 0..OUTPUTS {
            for lane in 0..LANES {
                grown[unit][lane] += x[i][lane] * weights[unit][i];
            }
        }
    }
    *sums = grown;
}

/// Applies a function to every lane.
#[inline(always)]
fn each(mut lanes: Lanes, f: impl Fn(f32) -> f32) -> Lanes {
    lanes.iter_mut().for_each(|value| *value = f(*value));
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_has_no_say() {
        let weights = [1.0, 0.0, 3.0, 1.0, 0.5, 0.0, 3.0, 4.0, 10.0, 20.0, 0.25];
        let said = |weights: &[f32]| {
            let [y] = Net::<2, 2, 1>::new(weights).forward(&[[2.0; LANES], [-1.0; LANES]]);
            y[0]
        };
        // As below, without x2: hidden 2.5, to 5/7, and 0; y = 3 x 5/7 + 10 x 2 + 0.25.
        let mut forgotten = weights;
        Net::<2, 2, 1>::forget_inputs(&mut forgotten, [1]);
        assert!((said(&forgotten) - (15.0 / 7.0 + 20.25)).abs() < 1e-5, "{}", said(&forgotten));
        // Without the hidden layer: 10 x 2 + 20 x -1 + 0.25.
        let mut forgotten = weights;
        Net::<2, 2, 1>::forget_hidden(&mut forgotten);
        assert_eq!(said(&forgotten), 0.25);
        let mut forgotten = weights;
        Net::<2, 2, 1>::forget_outputs(&mut forgotten, 0..1);
        assert_eq!(said(&forgotten), 0.0);
        // Two outputs, W2 = [1 2], S = [3 4], b2 = [5 6]: the second is unchanged, 2 x 1/2 + 4 x 1 + 6.
        let mut forgotten = [1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        Net::<1, 1, 2>::forget_outputs(&mut forgotten, 0..1);
        let [first, second] = Net::<1, 1, 2>::new(&forgotten).forward(&[[1.0; LANES]]);
        assert_eq!((first[0], second[0]), (0.0, 11.0));
    }

    #[test]
    fn a_pass_by_hand() {
        // x = (2, -1). Hidden: 1 x 2 + 3 x -1 + 0.5 = -0.5, which softsign takes to -1/3; 0 x 2 + 1 x -1 + 0 = -1, to -1/2.
        // y = 3 x -1/3 + 4 x -1/2 + 10 x 2 + 20 x -1 + 0.25 = -2.75.
        // x = (0, 0): hidden 0.5, to 1/3, and 0; y = 3 x 1/3 + 0.25 = 1.25.
        let weights = [1.0, 0.0, 3.0, 1.0, 0.5, 0.0, 3.0, 4.0, 10.0, 20.0, 0.25];
        let mut x = [[0.0; LANES]; 2];
        (x[0][3], x[1][3]) = (2.0, -1.0);
        let [y] = Net::<2, 2, 1>::new(&weights).forward(&x);
        for (lane, &y) in y.iter().enumerate() {
            let expected = if lane == 3 { -2.75 } else { 1.25 };
            assert!((y - expected).abs() < 1e-6, "{lane}: {y}");
        }
    }
}
