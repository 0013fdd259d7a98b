//! Trains a policy on the cells of an experiment: training traces are drawn from its cases and seeds, and its
//! schedulers are the baselines.
//!
//! ```toml
//! # An experiment, and
//! [training]
//! policy = "relmas"
//! algorithm = "ddpg"        # one that can train it (learner.rs)
//! validation_seeds = 2      # of every case, from `validation_first_seed` on
//! [training.ddpg]           # the parameters of the algorithm
//! iterations = 300
//! ```
//! The fitness of a run is the share of misses that it avoids: the difference of its SLA rate to that of the reference
//! on the same trace, divided by the miss rate of the reference plus `headroom`. With plain SLA rates, overloaded cells
//! would count most, and a policy could lose in lightly loaded cells what it gains there. The reference is the
//! scheduler of the experiment that is best on the validation seeds.
//!
//! Every generation, or iteration, is logged to log.csv; the weights with the best mean fitness on the validation seeds
//! are kept.
//!
//! [`Trainer`] steps a learner and validates the policy. Two learners exist: evolution strategies, and deep
//! deterministic policy gradient, which needs libtorch and the feature `train`: `torch` is the only place that names
//! tch. [`Env`] is the engine as an environment, many runs at a time. A [`Checkpoint`] holds everything that the next
//! step depends on, and an [`Origin`] what the training came from. The keys of a training belong to
//! [`crate::experiment`], and running a trained net to [`crate::policy`].

#[cfg(test)]
mod cart_pole;
mod checkpoint;
#[cfg(feature = "train")]
mod collect;
#[cfg(feature = "train")]
mod credit;
mod ddpg;
mod env;
mod evolution;
mod evolve;
mod learner;
mod origin;
#[cfg(feature = "train")]
pub mod torch;
mod traces;
mod trainer;
mod validation;

pub use checkpoint::Checkpoint;
pub use env::{Env, Episode, Outcome, Setup, Source};
pub use evolve::State;
pub use learner::LogRow;
pub use origin::Origin;
pub(crate) use origin::settings;
pub use trainer::{LOG, Trainer};
pub use validation::Baseline;
