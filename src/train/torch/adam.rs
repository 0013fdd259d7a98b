//! Adam (Kingma and Ba, ICLR 2015) with a bound on the length of the gradient. We do not use libtorch's Adam, because
//! it does not give out its state, which a checkpoint has to hold.

use tch::{Device, Kind, Tensor, no_grad};

use super::Parameters;
use crate::policy::{Tensors, WeightsError};

/// The decay rates of the two means, as in the paper.
const DECAY: [f64; 2] = [0.9, 0.999];
/// The guard against a division by zero, as in the paper.
const EPSILON: f64 = 1e-8;

#[derive(Debug)]
pub(super) struct Adam {
    pub(super) rate: f64,
    longest: f64,
    steps: i32,
    /// The running means of the gradient and of its square.
    means: [Parameters; 2],
}

impl Adam {
    /// An optimiser at its start, for these parameters.
    pub(super) fn new(parameters: &Parameters, rate: f64, longest: f64) -> Self {
        let mut zero = parameters.tensors();
        for tensor in zero.0.values_mut() {
            *tensor = crate::policy::Tensor::new(tensor.shape(), vec![0.0; tensor.values().len()]);
        }
        Self { rate, longest, steps: 0, means: [(); 2].map(|()| Parameters::new(&zero)) }
    }

    /// The same on a device, that of the parameters.
    pub(super) fn on(self, device: Device) -> Self {
        Self { means: self.means.map(|mean| mean.on(device)), ..self }
    }

    /// Moves the parameters against the gradient of the loss, and returns the length of the gradient.
    pub(super) fn step(&mut self, parameters: &mut Parameters, loss: &Tensor) -> f64 {
        let gradients = Tensor::run_backward(&[loss], parameters.leaves(), false, false);
        self.step_along(parameters, &gradients)
    }

    /// Moves the parameters against a gradient, a tensor per parameter, and returns its length.
    pub(super) fn step_along(&mut self, parameters: &mut Parameters, gradients: &[Tensor]) -> f64 {
        no_grad(|| {
            let squares: f64 = gradients.iter().map(|g| g.square().sum(Kind::Float).double_value(&[])).sum();
            let length = squares.sqrt();
            let scale = (self.longest / length.max(EPSILON)).min(1.0);
            self.steps += 1;
            let [unbias_first, unbias_second] = DECAY.map(|decay| 1.0 - decay.powi(self.steps));
            let [first, second] = &mut self.means;
            let means = first.leaves_mut().iter_mut().zip(second.leaves_mut());
            for ((parameter, gradient), (first, second)) in
                parameters.leaves_mut().iter_mut().zip(gradients).zip(means)
            {
                let gradient = gradient * scale;
                first.copy_(&(&*first * DECAY[0] + &gradient * (1.0 - DECAY[0])));
                second.copy_(&(&*second * DECAY[1] + gradient.square() * (1.0 - DECAY[1])));
                let length = (&*second / unbias_second).sqrt() + EPSILON;
                let moved = &*parameter - &*first / unbias_first / length * self.rate;
                parameter.copy_(&moved);
            }
            length
        })
    }

    /// Copies its state into `to`, with `prefix` before each name.
    pub(super) fn store(&self, prefix: &str, to: &mut Tensors) {
        to.insert(format!("{prefix}steps"), &[], vec![self.steps as f32]);
        for (mean, name) in self.means.iter().zip(["first.", "second."]) {
            mean.store(&format!("{prefix}{name}"), to);
        }
    }

    /// Restores a stored state.
    pub(super) fn load(
        &mut self,
        from: &Tensors,
        prefix: &str,
        shapes: &[(&str, Vec<usize>)],
    ) -> Result<(), WeightsError> {
        self.steps = from.values(&format!("{prefix}steps"), &[])?[0] as i32;
        for (mean, name) in self.means.iter_mut().zip(["first.", "second."]) {
            *mean = Parameters::extract(from, &format!("{prefix}{name}"), shapes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_steps_by_hand() {
        let mut tensors = Tensors::default();
        tensors.insert("w", &[2], vec![1.0, -1.0]);
        let mut parameters = Parameters::new(&tensors);
        let mut adam = Adam::new(&parameters, 0.1, f64::INFINITY);
        // However long the gradient, here (6, -2), the first step is the rate against its sign.
        let loss = |parameters: &Parameters| {
            (parameters.get("w").square() * Tensor::from_slice(&[3f32, 1.0])).sum(Kind::Float)
        };
        let first = loss(&parameters);
        adam.step(&mut parameters, &first);
        let at = |parameters: &Parameters| parameters.tensors().values("w", &[2]).expect("there").to_vec();
        assert!(at(&parameters).iter().zip([0.9, -0.9]).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6));
        // Then means of 0.9 x 0.6 + 0.1 x 5.4 over 0.19, and likewise of squares over 0.001999.
        let second = loss(&parameters);
        adam.step(&mut parameters, &second);
        let (first, second) = ((0.9 * 0.6 + 0.1 * 5.4) / 0.19, (0.999 * 0.036 + 0.001 * 29.16) / 0.001_999);
        let expected = 0.9 - 0.1 * first / f64::sqrt(second);
        assert!((f64::from(at(&parameters)[0]) - expected).abs() < 1e-6);
    }

    #[test]
    fn long_gradients_are_cut() {
        let mut tensors = Tensors::default();
        tensors.insert("w", &[1], vec![0.0]);
        let mut parameters = Parameters::new(&tensors);
        let mut adam = Adam::new(&parameters, 0.1, 2.0);
        let loss = parameters.get("w") * 1000.0;
        adam.step(&mut parameters, &loss.sum(Kind::Float));
        let mut stored = Tensors::default();
        adam.store("", &mut stored);
        assert!((stored.values("first.w", &[1]).expect("stored")[0] - 0.2).abs() < 1e-6);
    }
}
