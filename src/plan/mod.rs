//! What an experiment needs before its cells can run, made once and shared by all of them.
//!
//! [`Plan::prepare`] reads the systems, scenarios, recordings and policies that an [`Experiment`](crate::experiment::Experiment)
//! names, maps the layers whose costs the cache does not hold, and computes lambda* of every [`Site`]. The result is a list of
//! [`Case`]s: a system, a scenario and a setting, with the schedulers and seeds that it is run with. [`requests`] makes the
//! requests of a case under a seed, and [`rules`](fn@rules) says how the engine treats them.
//!
//! It leaves out every simulation but that of a tenant's own pace: running cells is the business of [`crate::sweep`].

mod case;
mod catalogue;
mod clock;
mod copies;
mod pace;
mod points;
mod prepare;
mod reference;
pub mod requests;
mod rules;
mod warnings;
mod workload;

pub use case::{Case, Run, Site};
pub use prepare::Plan;
pub use requests::trace;
pub(crate) use requests::{Came, offered_load, request, requests, window};
pub use rules::rules;
pub use workload::Workload;
