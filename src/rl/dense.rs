//! What the forward passes of networks are made of: a matrix times a vector plus a bias, and the activations. `f32`, one
//! thread, no allocation, no mathematical library, so that a policy decides the same on every machine.
//!
//! It leaves out batches and gradients: training has its own.

use super::weights::{Tensors, WeightsError};

/// y = W x + b for a few x at hand. Outputs are computed in blocks of `WIDTH`, so that a block stays in registers while
/// the inputs pass by, and every operation on it is one that compilers turn into vector instructions.
#[derive(Clone, Debug)]
pub(super) struct Affine<const WIDTH: usize> {
    /// Block by block: the bias, then the weights of each input.
    rows: Vec<[f32; WIDTH]>,
    inputs: usize,
    outputs: usize,
}

impl<const WIDTH: usize> Affine<WIDTH> {
    /// From several weights of shape \[outputs, inputs\], whose inputs come one after the other, and one bias.
    pub(super) fn new(
        tensors: &Tensors,
        weights: &[(&str, usize)],
        bias: &str,
        outputs: usize,
    ) -> Result<Self, WeightsError> {
        let bias = tensors.values(bias, &[outputs])?;
        let inputs = weights.iter().map(|(_, inputs)| inputs).sum();
        let mut rows = vec![[0.0; WIDTH]; outputs.div_ceil(WIDTH) * (inputs + 1)];
        let place = |output: usize, input: usize| (output / WIDTH * (inputs + 1) + input, output % WIDTH);
        let mut put = |(row, column): (usize, usize), value: f32| rows[row][column] = value;
        bias.iter().enumerate().for_each(|(output, &value)| put(place(output, 0), value));
        let mut before = 1;
        for &(name, inputs) in weights {
            for (i, &value) in tensors.values(name, &[outputs, inputs])?.iter().enumerate() {
                put(place(i / inputs, before + i % inputs), value);
            }
            before += inputs;
        }
        Ok(Self { rows, inputs, outputs })
    }

    /// How long the output of [`Self::apply`] is: what exceeds the outputs is of no use.
    pub(super) fn padded_outputs(&self) -> usize {
        self.outputs.next_multiple_of(WIDTH)
    }

    /// Multiply-accumulates of one application.
    pub(super) fn macs(&self) -> u64 {
        (self.inputs * self.outputs) as u64
    }

    /// Inlined like the activations, to be compiled with the vector instructions of its caller.
    #[inline(always)]
    pub(super) fn apply(&self, x: &[f32], y: &mut [f32]) {
        debug_assert_eq!((x.len(), y.len()), (self.inputs, self.padded_outputs()));
        for (block, y) in self.rows.chunks_exact(self.inputs + 1).zip(y.chunks_exact_mut(WIDTH)) {
            let mut sums = block[0];
            for (&x, weights) in x.iter().zip(&block[1..]) {
                sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += x * weight);
            }
            y.copy_from_slice(&sums);
        }
    }
}

/// What [`sigmoid`] or [`tanh`] is charged: the operations of the polynomial and the division. Counted below.
pub(super) const ACTIVATION_MACS: u64 = 12;

/// 1 / (1 + e^-x), with an absolute error below 2e-7.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp2(x * -std::f32::consts::LOG2_E))
}

/// The hyperbolic tangent, with an absolute error below 4e-7.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}

/// e^x, with a relative error below 1e-5 between -80 and 80.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    exp2(x * std::f32::consts::LOG2_E)
}

/// The natural logarithm, with an absolute error below 2e-7 times its size and 1e-7: the exponent's bits, and for the
/// mantissa m between 1 / sqrt 2 and sqrt 2 the series of 2 artanh((m - 1) / (m + 1)). What is 0 counts as the smallest
/// number there is. Not for what is negative or not a number.
#[inline(always)]
pub(super) fn ln(x: f32) -> f32 {
    /// Bits of 1 / sqrt 2.
    const LOW: u32 = 0x3f35_04f3;
    let bits = x.to_bits().wrapping_sub(LOW);
    let exponent = (bits as i32 >> 23) as f32;
    let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(LOW));
    let t = (m - 1.0) / (m + 1.0);
    let square = t * t;
    let series = 1.0 + square * (1.0 / 3.0 + square * (1.0 / 5.0 + square * (1.0 / 7.0 + square / 9.0)));
    exponent * std::f32::consts::LN_2 + 2.0 * t * series
}

/// 2^x: the nearest whole power by way of the exponent's bits, times the series of e^f for the rest.
#[inline(always)]
fn exp2(x: f32) -> f32 {
    /// Adding it leaves the nearest whole number in the last bits.
    const ROUND: f32 = 1.5 * (1 << 23) as f32;
    let x = x.clamp(-126.0, 126.0);
    let rounded = x + ROUND;
    let f = (x - (rounded - ROUND)) * std::f32::consts::LN_2;
    let tail = 1.0 / 24.0 + f * (1.0 / 120.0 + f * (1.0 / 720.0));
    let series = 1.0 + f * (1.0 + f * (1.0 / 2.0 + f * (1.0 / 6.0 + f * tail)));
    series * f32::from_bits((rounded.to_bits() << 23).wrapping_add(1f32.to_bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_are_as_exact_as_they_say() {
        for i in -400_000..=400_000 {
            let x = i as f32 * 1e-4;
            let exact = f64::from(x);
            assert!((f64::from(tanh(x)) - exact.tanh()).abs() < 4e-7, "tanh({x})");
            assert!((f64::from(sigmoid(x)) - 1.0 / (1.0 + (-exact).exp())).abs() < 2e-7, "sigmoid({x})");
        }
        for i in -40_000..=40_000 {
            let x = i as f32 * 2e-3;
            let exact = f64::from(x);
            assert!((f64::from(exp(x)) / exact.exp() - 1.0).abs() < 1e-5, "exp({x})");
            let power = exp(x);
            let exact = f64::from(power).ln();
            assert!((f64::from(ln(power)) - exact).abs() < 2e-7 * exact.abs() + 1e-7, "ln({power})");
        }
        assert_eq!((exp(0.0), ln(1.0)), (1.0, 0.0));
        assert!(ln(0.0) < -80.0 && ln(f32::INFINITY) > 80.0);
        assert_eq!([f32::MIN, -200.0, 0.0, 200.0, f32::MAX].map(tanh), [-1.0, -1.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn blocks_give_what_rows_give() {
        let mut tensors = Tensors::default();
        // y = [[1, 2, 3], [4, 5, 6], [7, 8, 9]] x + [10, 20, 30], the first two columns from one tensor.
        tensors.insert("left", &[3, 2], vec![1.0, 2.0, 4.0, 5.0, 7.0, 8.0]);
        tensors.insert("right", &[3, 1], vec![3.0, 6.0, 9.0]);
        tensors.insert("bias", &[3], vec![10.0, 20.0, 30.0]);
        let affine = Affine::<2>::new(&tensors, &[("left", 2), ("right", 1)], "bias", 3).expect("shapes fit");
        let mut y = [f32::NAN; 4];
        affine.apply(&[1.0, -1.0, 2.0], &mut y);
        assert_eq!((&y[..3], affine.macs()), (&[15.0, 31.0, 47.0][..], 9));
        let wrong = Affine::<2>::new(&tensors, &[("left", 3)], "bias", 3).unwrap_err().to_string();
        assert_eq!(wrong, "tensor `left` has the shape [3, 2]; expected [3, 3]");
    }
}
