//! Training with tch (libtorch), behind the feature `train`. This is the only module that names tch. It hands on
//! [`Tensors`](crate::policy::Tensors), which the forward passes of policies read.
//!
//! - [`Parameters`]: the tensors of one network on the side of tch, and `adam`, which moves them.
//! - [`lstm`]: actor and critic of `relmas`.
//! - `buffer`: the replay buffer.
//! - `means`: the nets of policies for whole batches of decisions.
//! - [`ddpg`] and `rloo`: the learners; `weighed`: the samples of a policy gradient.
//!
//! Everything random comes from the project's own streams, and tch computes on one thread, so that a seed fixes the weights
//! on a machine.

mod adam;
mod buffer;
pub mod ddpg;
pub mod lstm;
mod means;
mod parameters;
pub(super) mod rloo;
mod weighed;

pub use parameters::Parameters;

use crate::experiment;

/// The device that an experiment names.
pub(super) fn device(of: experiment::Device) -> tch::Device {
    match of {
        experiment::Device::Cpu => tch::Device::Cpu,
        experiment::Device::Cuda => tch::Device::Cuda(0),
    }
}

/// Why nothing can be computed on a device, if that is so.
pub(super) fn lacks(of: experiment::Device) -> Option<&'static str> {
    match of {
        experiment::Device::Cuda if !tch::Cuda::is_available() => {
            Some("the libtorch of this program is one for the CPU alone, or finds no NVIDIA GPU and driver")
        }
        _ => None,
    }
}

/// Makes tch compute on one thread: several would add up in another order.
pub fn one_thread() {
    tch::set_num_threads(1);
}
