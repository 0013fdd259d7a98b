//! Does every scheduler and policy keep its promises, and does none exceed what is possible.

mod bound;
#[path = "../common/mod.rs"]
mod common;
mod contract;
mod misfits;
mod only;
mod optimum;
mod policy;
mod presets;
mod training;
mod trainings;
