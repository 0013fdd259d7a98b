//! Arrival processes: when the requests of one tenant come. One file per kind, and the registry of them.
//!
//! To add one: a file with a struct that implements [`Law`] and a `pub(super) const ENTRY`, and its line in
//! [`ARRIVALS`]. `mascot list arrivals`, errors and tests iterate the registry.
//!
//! Most kinds are given a mean rate, by the experiment's load or by `rate_per_s`, and are stretched in time to have it,
//! so that their gaps vary alike at every load. The others have times of their own, which no load scales. Most are open:
//! a time depends on the process, its tenant's random numbers and networks, never on what became of earlier requests.
//! Not so `closed_loop` and `cascade`, whose requests follow others ([`super::followers`]).
//! Rates are requests per second, gaps are seconds, times are picoseconds.

mod at_once;
mod azure;
mod batch;
mod cascade;
mod closed_loop;
mod diurnal;
mod gamma;
mod gaps;
mod mmpp2;
mod moca_stream;
mod periodic;
mod planaria_integer;
mod poisson;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod trace;

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use schemars::{Schema, SchemaGenerator};
use serde::Deserialize;

pub use self::cascade::Cascade;
pub use self::closed_loop::ClosedLoop;
use super::draw::Draws;
use crate::files::{InputError, Parameter, PerSecond, any_of, did_you_mean, entry_table, parse_parameters};
use crate::units::Time;

/// One kind of arrival process.
#[derive(Debug)]
pub struct ArrivalKind {
    /// The `kind` in scenario files.
    pub name: &'static str,
    /// Its law in one sentence.
    pub doc: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// Where its mean rate comes from.
    pub rate: Rate,
    /// Its keys in scenario files, beside `kind` and, where the rate is given, `rate_per_s`.
    pub parameters: &'static [Parameter],
    /// Reads the keys; the error says which one is wrong.
    pub read: fn(&toml::Table) -> Result<Box<dyn Law>, String>,
}

/// The JSON Schema of a table that describes one.
pub fn schema(_: &mut SchemaGenerator) -> Schema {
    let table = |kind: &ArrivalKind| {
        let rate: &[_] = match kind.rate {
            Rate::Given => {
                &[("rate_per_s", "requests per second; from the load of an experiment if left out")]
            }
            Rate::Own => &[],
        };
        entry_table("kind", kind.name, kind.doc, kind.parameters, rate)
    };
    any_of(ARRIVALS.iter().map(table))
}

/// Where the mean rate of a kind comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// From the experiment's load, or from `rate_per_s`.
    Given,
    /// From its own parameters.
    Own,
}

/// All kinds.
pub const ARRIVALS: &[ArrivalKind] = &[
    poisson::ENTRY,
    gamma::ENTRY,
    mmpp2::ENTRY,
    azure::CODE,
    azure::CONV,
    diurnal::ENTRY,
    planaria_integer::ENTRY,
    periodic::ENTRY,
    batch::ENTRY,
    closed_loop::ENTRY,
    cascade::ENTRY,
    moca_stream::ENTRY,
    trace::ENTRY,
];

/// The law of one tenant's arrivals, with its parameters.
pub trait Law: Debug + Send + Sync {
    /// Looks up what depends on the scenario, once, when it is read.
    fn bind(&mut self, _: &Binding) -> Result<(), InputError> {
        Ok(())
    }

    /// A fresh run of the process.
    fn start(&self, setting: &Setting) -> Box<dyn Process>;

    /// How many requests come in all; `None` where they never end.
    fn total(&self) -> Option<usize> {
        None
    }

    /// The rate of its frames, if requests come in frames: [`Point::next_frame`].
    fn frames_per_s(&self) -> Option<f64> {
        None
    }

    /// Whether its times depend on [`Setting::isolated`].
    fn needs_latencies(&self) -> bool {
        false
    }

    /// The file that its times come from.
    fn file(&self) -> Option<&Path> {
        None
    }

    /// How requests follow those of the same tenant.
    fn closed_loop(&self) -> Option<&ClosedLoop> {
        None
    }

    /// How requests follow those of another tenant.
    fn cascade(&self) -> Option<&Cascade> {
        None
    }
}

/// The tenant that a law is for.
pub struct Binding<'a> {
    /// Where the scenario's file is.
    pub folder: &'a Path,
    /// The tenant's name.
    pub tenant: &'a str,
    /// The indices of its networks by their labels.
    pub networks: &'a [(String, u32)],
}

/// What a law is run with.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The mean rate, above zero; of no meaning to a kind with [`Rate::Own`].
    pub rate_per_s: f64,
    /// The isolated latency of every network of the scenario on the system at hand.
    pub isolated: &'a [Time],
}

/// A run of a law.
pub trait Process: Send {
    /// The next request, never earlier than the one before; `None` where none comes any more.
    fn next(&mut self, draws: &mut Draws) -> Option<Point>;
}

/// What a process says about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// When it arrives.
    pub time: Time,
    /// What it asks for, as an index into [`super::Scenario::networks`], where the process decides that.
    pub network: Option<u32>,
    /// When the next frame is due, where requests come in frames.
    pub next_frame: Option<Time>,
}

impl Point {
    /// A request of which the process knows the time only.
    fn at(time: Time) -> Self {
        Self { time, network: None, next_frame: None }
    }
}

/// The arrival process of one tenant, as its scenario describes it.
#[derive(Clone, Debug)]
pub struct Arrivals {
    kind: &'static ArrivalKind,
    rate_per_s: Option<f64>,
    law: Arc<dyn Law>,
}

impl Default for Arrivals {
    /// Poisson at the rate that the load gives.
    fn default() -> Self {
        let mut table = toml::Table::new();
        table.insert("kind".into(), poisson::ENTRY.name.into());
        Self::read(&table).expect("a Poisson process has no keys that must be given")
    }
}

#[derive(Deserialize)]
struct RateKey {
    rate_per_s: Option<PerSecond>,
}

impl Arrivals {
    /// Reads `{ kind = "...", ... }`; the error says what is wrong and what is allowed.
    pub fn read(table: &toml::Table) -> Result<Self, String> {
        let mut parameters = table.clone();
        let known = || ARRIVALS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ");
        let Some(toml::Value::String(name)) = parameters.remove("kind") else {
            return Err(format!("`arrivals` needs a `kind`: {}", known()));
        };
        let kind = ARRIVALS.iter().find(|kind| kind.name == name);
        let kind = kind.ok_or_else(|| {
            let hint = did_you_mean(&name, ARRIVALS.iter().map(|kind| kind.name));
            format!("no arrivals `{name}`{hint}; known: {}", known())
        })?;
        let wrong = |message| format!("arrivals `{name}`: {message}");
        let rate_per_s = match kind.rate {
            Rate::Given => {
                let key: RateKey = parse_parameters(&parameters).map_err(wrong)?;
                parameters.remove("rate_per_s");
                key.rate_per_s.map(|rate| rate.0)
            }
            Rate::Own => None,
        };
        let law = (kind.read)(&parameters).map_err(wrong)?.into();
        Ok(Self { kind, rate_per_s, law })
    }

    /// Which kind it is.
    pub fn kind(&self) -> &'static ArrivalKind {
        self.kind
    }

    /// The rate that the scenario gives, if it does.
    pub fn rate_per_s(&self) -> Option<f64> {
        self.rate_per_s.or(self.law.frames_per_s())
    }

    /// Whether the scenario alone says when requests come; else the load of an experiment has to.
    pub fn has_own_pace(&self) -> bool {
        self.kind.rate == Rate::Own || self.rate_per_s.is_some()
    }

    /// How many requests come in all; `None` where they never end.
    pub fn total(&self) -> Option<usize> {
        self.law.total()
    }

    /// Whether requests come in frames, which can be deadlines.
    pub fn has_frames(&self) -> bool {
        self.law.frames_per_s().is_some()
    }

    /// Whether times depend on the isolated latencies of the networks, that is, on the system.
    pub fn needs_latencies(&self) -> bool {
        self.law.needs_latencies()
    }

    /// The file that times come from, if they do.
    pub fn file(&self) -> Option<&Path> {
        self.law.file()
    }

    /// The law, if requests follow those of the same tenant.
    pub fn closed_loop(&self) -> Option<&ClosedLoop> {
        self.law.closed_loop()
    }

    /// The law, if requests follow those of another tenant.
    pub fn cascade(&self) -> Option<&Cascade> {
        self.law.cascade()
    }

    /// Looks up what depends on the scenario; before anything else.
    pub(super) fn bind(&mut self, binding: &Binding) -> Result<(), InputError> {
        Arc::get_mut(&mut self.law).expect("arrivals are bound before they are shared").bind(binding)
    }

    /// A fresh run at a mean rate, if the kind is given one.
    pub fn start(&self, setting: &Setting) -> Box<dyn Process> {
        self.law.start(setting)
    }
}
