//! The tensors of one network in tch: leaves of the gradient computation, in the order of their names.

use tch::{Device, Tensor, no_grad};

use crate::policy::{Tensors, WeightsError};

/// Named tensors that can be learned.
#[derive(Debug)]
pub struct Parameters {
    names: Vec<String>,
    shapes: Vec<Vec<usize>>,
    leaves: Vec<Tensor>,
}

impl Parameters {
    /// Copies all tensors.
    pub fn new(tensors: &Tensors) -> Self {
        let leaf = |tensor: &crate::policy::Tensor| {
            let shape: Vec<i64> = tensor.shape().iter().map(|&length| length as i64).collect();
            Tensor::from_slice(tensor.values()).reshape(shape).set_requires_grad(true)
        };
        Self {
            names: tensors.0.keys().cloned().collect(),
            shapes: tensors.0.values().map(|tensor| tensor.shape().to_vec()).collect(),
            leaves: tensors.0.values().map(leaf).collect(),
        }
    }

    /// The same on a device.
    pub(super) fn on(mut self, device: Device) -> Self {
        for leaf in &mut self.leaves {
            *leaf = leaf.detach().to_device(device).set_requires_grad(true);
        }
        self
    }

    /// The device that they are on.
    pub(super) fn device(&self) -> Device {
        self.leaves.first().map_or(Device::Cpu, Tensor::device)
    }

    /// Copies the tensors of these shapes whose names begin with `prefix`, which is removed from the names.
    ///
    /// # Errors
    /// A tensor is missing, or has another shape.
    pub fn extract(
        from: &Tensors,
        prefix: &str,
        shapes: &[(&str, Vec<usize>)],
    ) -> Result<Self, WeightsError> {
        let mut tensors = Tensors::default();
        for (name, shape) in shapes {
            let values = from.values(&format!("{prefix}{name}"), shape)?.to_vec();
            tensors.insert(*name, shape, values);
        }
        Ok(Self::new(&tensors))
    }

    /// Copies the tensors into `to`, with `prefix` before each name.
    pub fn store(&self, prefix: &str, to: &mut Tensors) {
        for ((name, shape), leaf) in self.names.iter().zip(&self.shapes).zip(&self.leaves) {
            let mut values = vec![0f32; leaf.numel()];
            leaf.to_device(Device::Cpu).copy_data(&mut values, leaf.numel());
            to.insert(format!("{prefix}{name}"), shape, values);
        }
    }

    /// A copy as [`Tensors`].
    pub fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::default();
        self.store("", &mut tensors);
        tensors
    }

    /// The tensor of that name; panics if there is none.
    pub fn get(&self, name: &str) -> &Tensor {
        let place = self.names.iter().position(|known| known == name);
        &self.leaves[place.unwrap_or_else(|| panic!("no parameter `{name}`"))]
    }

    pub(super) fn leaves(&self) -> &[Tensor] {
        &self.leaves
    }

    pub(super) fn leaves_mut(&mut self) -> &mut [Tensor] {
        &mut self.leaves
    }

    /// Moves these parameters a share of the way to other parameters of the same network.
    pub(super) fn follow(&mut self, other: &Self, share: f64) {
        no_grad(|| {
            for (own, other) in self.leaves.iter_mut().zip(&other.leaves) {
                let moved = &*own + (other - &*own) * share;
                own.copy_(&moved);
            }
        });
    }
}
