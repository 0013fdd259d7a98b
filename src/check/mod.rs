//! An independent account of a run, and random runs to check the engine with it.
//!
//! [`Audit`] follows a run from outside and checks every record, view and decision; [`cases`] draws random systems,
//! networks, requests and rules; [`fuzz`](fn@fuzz) runs them under random schedulers, with all metrics compared with
//! what the audit counted. [`Serving`] follows the requests of a fleet; [`fuzz_fleets`] runs random
//! fleets under a random dispatcher with it. `properties` states laws that relate two runs; `testing` has worlds for unit tests.

pub mod audit;
pub mod cases;
mod fuzz;
mod fuzz_fleets;
#[cfg(test)]
mod properties;
mod serving;
#[cfg(test)]
pub(crate) mod testing;

pub use audit::Audit;
pub use cases::{Case, FleetCase, FleetChaos, Size};
pub use fuzz::{Failure, Passed, Report, describe, fuzz};
pub use fuzz_fleets::{FleetReport, FleetsPassed, fuzz_fleets};
pub use serving::{Counts, Serving};
#[cfg(test)]
pub(crate) use testing::{
    Script, any_case, any_case_with_everything, ends_ns, layer, network_to_accelerator, plain_rules,
    platform, record_chaos, records, request, trace, world,
};
