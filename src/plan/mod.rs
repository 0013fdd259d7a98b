//! Prepares everything that the cells of an experiment need and share, before they run.
//!
//! [`Plan::prepare`] reads the systems, scenarios, recordings and policies that an
//! [`Experiment`](crate::experiment::Experiment) names, maps the layers whose costs the cache does not hold, and
//! computes lambda* of every [`Site`]. The result is a list of [`Case`]s: a system, a scenario and a setting, with the
//! schedulers and seeds that it is run with. [`requests`] makes the requests of a case under a seed, and
//! [`rules`] the rules by which the engine treats them.
//!
//! Cells are run by [`crate::sweep`]; here, simulation is used only to find the rate of closed loops.

mod case;
mod catalogue;
mod clock;
mod copies;
mod drift;
mod fleet;
mod fleet_cases;
mod fleet_ways;
mod frame;
mod pace;
mod points;
mod prepare;
mod reference;
pub mod requests;
mod rules;
mod served;
mod warnings;
mod workload;

pub use case::{Case, Run, Site, rules};
pub use fleet::{Alone, Fleet};
pub use prepare::Plan;
pub use requests::trace;
pub(crate) use requests::{Came, offered_load, request, requests, window};
pub use workload::Workload;
