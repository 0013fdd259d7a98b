//! `mascot schema`: prints the JSON Schema that editors need to complete the keys of TOML files.

use clap::{Args, ValueEnum};

use crate::experiment::{Error, Experiment};
use crate::fleet::FleetSpec;
use crate::hw::{AccelSpec, SystemSpec};
use crate::workload::{Model, Network, Scenario};

#[derive(Args)]
pub(super) struct Options {
    /// The kind of file
    kind: Kind,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Experiment,
    System,
    Accelerator,
    Network,
    Model,
    Scenario,
    Fleet,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let schema = match options.kind {
        Kind::Experiment => Experiment::schema(),
        Kind::System => SystemSpec::schema(),
        Kind::Accelerator => AccelSpec::schema(),
        Kind::Network => Network::schema(),
        Kind::Model => Model::schema(),
        Kind::Scenario => Scenario::schema(),
        Kind::Fleet => FleetSpec::schema(),
    };
    super::print_json(schema.as_value())
}
