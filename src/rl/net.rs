//! A net of one hidden layer with a linear skip: y = W2 s(W1 x + b1) + S x + b2, for [`LANES`] items at a time.
//!
//! s is softsign, x / (1 + |x|): as good as tanh here, and an eighth of its time. Items lie side by side, so that every
//! operation is one that compilers turn into vector instructions, in an order that no machine changes. Nothing is allocated
//! in a pass.

use ndarray::{ArrayView1, ArrayView2};
use pulp::{Arch, Simd, WithSimd};

/// Items of a pass: two vectors of x86-64's baseline, one of AVX.
pub(super) const LANES: usize = 8;

/// A value of each item.
pub(super) type Lanes = [f32; LANES];

/// The sizes of a net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) inputs: usize,
    pub(super) hidden: usize,
    pub(super) outputs: usize,
}

impl Shape {
    /// Weights and biases.
    pub(super) const fn weights(self) -> usize {
        let Self { inputs, hidden, outputs } = self;
        hidden * (inputs + 1) + outputs * (hidden + inputs + 1)
    }

    /// Multiply-accumulates of a pass, per item.
    pub(super) const fn macs(self) -> u64 {
        let Self { inputs, hidden, outputs } = self;
        (hidden * inputs + outputs * (hidden + inputs)) as u64
    }

    /// How many of the weights lead to the hidden layer; they come first.
    pub(super) const fn hidden_weights(self) -> usize {
        self.hidden * (self.inputs + 1)
    }
}

/// An output of one layer: its bias, and a weight per input.
#[derive(Clone, Debug)]
struct Unit {
    bias: f32,
    weights: Vec<f32>,
}

/// The passes of one net.
#[derive(Clone, Debug)]
pub(super) struct Net {
    hidden: Vec<Unit>,
    /// Over the hidden units, then the inputs.
    outputs: Vec<Unit>,
    /// s(W1 x + b1) of a pass.
    values: Vec<Lanes>,
}

impl Net {
    /// From weights in the order W1 (a row per input), b1, W2 (a row per hidden unit), S (a row per input), b2. Panics if
    /// their number is wrong.
    pub(super) fn new(shape: Shape, weights: &[f32]) -> Self {
        assert_eq!(weights.len(), shape.weights(), "a net of {shape:?}");
        let Shape { inputs, hidden, outputs } = shape;
        let (first, rest) = weights.split_at(hidden * inputs);
        let (bias, rest) = rest.split_at(hidden);
        let (second, last) = rest.split_at(outputs * (hidden + inputs));
        Self { hidden: units(first, bias), outputs: units(second, last), values: vec![[0.0; LANES]; hidden] }
    }

    /// From `x`, a row per input, to `y`, a row per output.
    pub(super) fn forward(&mut self, x: &[Lanes], y: &mut [Lanes]) {
        Arch::new().dispatch(Pass { net: self, x, y });
    }
}

/// A pass in the making, compiled for several sets of vector instructions, of which the machine takes the widest that it
/// has.
struct Pass<'a> {
    net: &'a mut Net,
    x: &'a [Lanes],
    y: &'a mut [Lanes],
}

impl WithSimd for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { net: Net { hidden, outputs, values }, x, y } = self;
        for (value, unit) in values.iter_mut().zip(&*hidden) {
            *value = add([unit.bias; LANES], x, &unit.weights).map(|h| h / (1.0 + h.abs()));
        }
        for (y, unit) in y.iter_mut().zip(&*outputs) {
            let (of_hidden, skip) = unit.weights.split_at(values.len());
            *y = add(add([unit.bias; LANES], values, of_hidden), x, skip);
        }
    }
}

/// The units of a layer from a matrix with a row per input.
fn units(matrix: &[f32], bias: &[f32]) -> Vec<Unit> {
    let shape = (matrix.len() / bias.len(), bias.len());
    let matrix = ArrayView2::from_shape(shape, matrix).expect("the weights were counted");
    let unit = |(column, &bias): (ArrayView1<f32>, &f32)| Unit { bias, weights: column.to_vec() };
    matrix.columns().into_iter().zip(bias).map(unit).collect()
}

/// Adds the products of rows and weights. Inlined, to be compiled with the vector instructions of its caller.
#[inline(always)]
fn add(mut sums: Lanes, x: &[Lanes], weights: &[f32]) -> Lanes {
    for (x, weight) in x.iter().zip(weights) {
        sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += x * weight);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_by_hand() {
        // x = (2, -1). Hidden: 1 x 2 + 3 x -1 + 0.5 = -0.5, which softsign takes to -1/3; 0 x 2 + 1 x -1 + 0 = -1, to -1/2.
        // y = 3 x -1/3 + 4 x -1/2 + 10 x 2 + 20 x -1 + 0.25 = -2.75.
        // x = (0, 0): hidden 0.5, to 1/3, and 0; y = 3 x 1/3 + 0.25 = 1.25.
        let shape = Shape { inputs: 2, hidden: 2, outputs: 1 };
        let weights = [1.0, 0.0, 3.0, 1.0, 0.5, 0.0, 3.0, 4.0, 10.0, 20.0, 0.25];
        assert_eq!(weights.len(), shape.weights());
        let (mut x, mut y) = ([[0.0; LANES]; 2], [[f32::NAN; LANES]]);
        (x[0][3], x[1][3]) = (2.0, -1.0);
        Net::new(shape, &weights).forward(&x, &mut y);
        for (lane, &y) in y[0].iter().enumerate() {
            let expected = if lane == 3 { -2.75 } else { 1.25 };
            assert!((y - expected).abs() < 1e-6, "{lane}: {y}");
        }
    }
}
