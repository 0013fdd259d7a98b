//! The building blocks of forward passes: matrices times vectors, biases, and the activations. They use `f32`, one
//! thread, no allocation and no mathematical library, so that a policy takes the same decisions on every machine.
//!
//! Left out: gradients, which training computes itself.

use super::weights::{Tensors, WeightsError};

/// The matrix W of y += W x. Outputs are stored in blocks of `WIDTH`, the last one padded with zeros, so that a block
/// stays in registers while the inputs stream by, and compilers turn every operation on it into vector instructions.
#[derive(Clone, Debug)]
pub(super) struct Matrix<const WIDTH: usize> {
    /// For each block of outputs, the weights of each input.
    weights: Vec<Block<WIDTH>>,
    inputs: usize,
    outputs: usize,
}

/// A block that is aligned to cache lines, so that no vector lies across two of them.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Block<const WIDTH: usize>([f32; WIDTH]);

impl<const WIDTH: usize> Matrix<WIDTH> {
    /// A matrix from weights of shape \[outputs, inputs\].
    pub(super) fn new(
        tensors: &Tensors,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, WeightsError> {
        let mut weights = vec![Block([0.0; WIDTH]); outputs.div_ceil(WIDTH) * inputs];
        for (i, &value) in tensors.values(name, &[outputs, inputs])?.iter().enumerate() {
            let (output, input) = (i / inputs, i % inputs);
            weights[output / WIDTH * inputs + input].0[output % WIDTH] = value;
        }
        Ok(Self { weights, inputs, outputs })
    }

    /// The number of blocks of a y.
    pub(super) fn blocks(&self) -> usize {
        self.outputs.div_ceil(WIDTH)
    }

    /// Multiply-accumulates for one x.
    pub(super) fn macs(&self) -> u64 {
        (self.inputs * self.outputs) as u64
    }

    /// Computes y += W x, with the blocks in order or backwards. A caller that alternates the direction from x to x
    /// finds the most recently used weights in the nearest cache, if not all weights fit there. Inlined like the
    /// activations, to be compiled with the vector instructions of its caller.
    #[inline(always)]
    pub(super) fn add(&self, x: &[f32], y: &mut [[f32; WIDTH]], backwards: bool) {
        for block in 0..y.len() {
            let block = if backwards { y.len() - 1 - block } else { block };
            self.add_block(block, x, &mut y[block]);
        }
    }

    #[inline(always)]
    fn add_block(&self, block: usize, x: &[f32], y: &mut [f32; WIDTH]) {
        let weights = &self.weights[block * self.inputs..][..self.inputs];
        let mut sums = *y;
        for (&x, Block(weights)) in x.iter().zip(weights) {
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += x * weight);
        }
        *y = sums;
    }
}

/// The affine map y = W x + b, for many x at once.
#[derive(Clone, Debug)]
pub(super) struct Affine<const WIDTH: usize> {
    matrix: Matrix<WIDTH>,
    bias: Vec<[f32; WIDTH]>,
}

impl<const WIDTH: usize> Affine<WIDTH> {
    /// An affine map from weights of shape \[outputs, inputs\] and a bias.
    pub(super) fn new(
        tensors: &Tensors,
        weights: &str,
        bias: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, WeightsError> {
        let matrix = Matrix::new(tensors, weights, outputs, inputs)?;
        let mut padded = vec![[0.0; WIDTH]; matrix.blocks()];
        padded.as_flattened_mut()[..outputs].copy_from_slice(tensors.values(bias, &[outputs])?);
        Ok(Self { matrix, bias: padded })
    }

    /// The number of blocks of a y.
    pub(super) fn blocks(&self) -> usize {
        self.bias.len()
    }

    /// Multiply-accumulates for one x.
    pub(super) fn macs(&self) -> u64 {
        self.matrix.macs()
    }

    /// Computes the y, in blocks, of all x, one after the other. All x use a block of weights before the next block is
    /// loaded.
    #[inline(always)]
    pub(crate) fn apply(&self, x: &[f32], y: &mut Vec<[f32; WIDTH]>) {
        let inputs = self.matrix.inputs;
        y.clear();
        (0..x.len() / inputs).for_each(|_| y.extend_from_slice(&self.bias));
        for block in 0..self.blocks() {
            for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(self.blocks())) {
                self.matrix.add_block(block, x, &mut y[block]);
            }
        }
    }
}

/// The operations that a [`sigmoid`] or [`tanh`] is charged for: the polynomial and the division, counted below.
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
/// mantissa m between 1 / sqrt 2 and sqrt 2 the series of 2 artanh((m - 1) / (m + 1)). Zero counts as the smallest
/// positive number. Not defined for negative numbers and NaN.
#[inline(always)]
pub(super) fn ln(x: f32) -> f32 {
    /// The bits of 1 / sqrt 2.
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
    /// A number whose addition leaves the nearest whole number in the last bits.
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
        // [[1, 2, 3], [4, 5, 6], [7, 8, 9]] x + [10, 20, 30], of (1, -1, 2) and (0, 1, 0).
        tensors.insert("weights", &[3, 3], (1..=9u8).map(f32::from).collect());
        tensors.insert("bias", &[3], vec![10.0, 20.0, 30.0]);
        let affine = Affine::<2>::new(&tensors, "weights", "bias", 3, 3).expect("shapes fit");
        let mut y = Vec::new();
        affine.apply(&[1.0, -1.0, 2.0, 0.0, 1.0, 0.0], &mut y);
        assert_eq!(y, [[15.0, 31.0], [47.0, 0.0], [12.0, 25.0], [38.0, 0.0]]);
        let matrix = Matrix::<2>::new(&tensors, "weights", 3, 3).expect("shapes fit");
        for backwards in [false, true] {
            let mut y = [[1.0; 2]; 2];
            matrix.add(&[1.0, -1.0, 2.0], &mut y, backwards);
            assert_eq!(y, [[6.0, 12.0], [18.0, 1.0]]);
        }
        assert_eq!((affine.macs(), matrix.macs()), (9, 9));
        let wrong = Matrix::<2>::new(&tensors, "weights", 3, 4).unwrap_err().to_string();
        assert_eq!(wrong, "tensor `weights` has the shape [3, 3]; expected [3, 4]");
    }
}
