//! Experiment files. An experiment describes a sweep: the Cartesian product of its list-valued keys.
//!
//! [`Experiment::read`] turns TOML into typed lists. The swept keys are defined in one table (`keys`), from which the
//! file's fields, the product, the columns and the JSON Schema follow. [`registry`] holds the schedulers and the
//! learned policies that a file may name; [`DataRoot`] finds the data files. [`Error`] covers everything that can end a
//! command.
//!
//! Reading uses data files only where it must; [`crate::plan`] looks up the rest.

mod config;
mod data;
mod device;
mod dispatchers;
mod dram;
mod drift;
mod error;
mod exclude;
mod hyper;
mod include;
mod keys;
mod list;
mod misfit;
mod named;
mod objective;
mod or_own;
mod overrides;
mod placed;
mod places;
mod policies;
mod progress;
mod read;
pub mod registry;
mod rloo;
mod schedulers;
mod shipped;
mod sla_reference;
mod training;
mod window;

pub use config::{Experiment, Include};
pub use data::{DataRoot, Kind, check_name};
pub use device::Device;
pub(crate) use dispatchers::error_at as error_at_dispatcher;
pub use dram::Dram;
pub use drift::{CellDrift, DriftEntry, NO_DRIFT};
pub use error::{Error, INVARIANT, reason, remember_panics};
pub use exclude::Exclude;
pub use hyper::{Hyper, Reward};
pub use keys::{
    Asked, BOUND, CaseKeys, CostKind, KEYS, KeyColumns, LOAD, SCENARIO, SCHEDULER, SEED, SYSTEM, Setting,
    SweptKey, TriggerKind, swept_keys, unsaid,
};
pub(crate) use list::distinct;
pub use misfit::what_changed;
pub use named::{Named, Registered};
pub use objective::Objective;
pub use or_own::OrOwn;
pub use placed::Placed;
pub use policies::Policies;
pub use progress::{Progress, Silent};
pub use registry::{Build, Entry, Maker, Registry};
pub use rloo::Rloo;
pub use schedulers::SchedulerChoice;
pub use shipped::Shipped;
pub use sla_reference::{OWN, SlaReference};
pub use training::{Evolution, LEARNERS, LearnerEntry, Training};
pub use window::{Duration, Wanted, Window};
