//! Training, with tch (libtorch) behind the feature `train`: the only place that names it. What it hands on are
//! [`Tensors`](crate::policy::Tensors), which the forward passes outside read.
//!
//! - [`Parameters`]: the tensors of one network on the side of tch, and `adam`, which moves them.
//! - [`lstm`]: actor and critic of `relmas`.
//! - `buffer`: what was seen, done and paid; `expert`: whom it imitates first.
//! - [`ddpg`]: the learning rule.
//!
//! Everything random comes from the project's own streams, and tch computes on one thread, so that a seed fixes the weights
//! on a machine.

mod adam;
mod buffer;
pub mod ddpg;
mod expert;
pub mod lstm;
mod parameters;

pub use parameters::Parameters;

/// From now on, tch computes on one thread: more add up in another order.
pub fn one_thread() {
    tch::set_num_threads(1);
}
