//! Arrival processes: when the requests of one tenant come. One file per kind, and the registry of them.
//!
//! To add a kind, write a file with a struct that implements [`Law`] and a `pub(super) const ENTRY`, and add its line
//! to [`ARRIVALS`]. `mascot list arrivals`, errors and tests iterate the registry.
//!
//! Most kinds take a mean rate from the experiment's load or from `rate_per_s`, and are stretched in time to that rate,
//! so that the variation of their gaps is the same at every load. The others fix absolute arrival times, which no load
//! scales. Most kinds are open: an arrival time depends on the process, its tenant's random numbers and networks, never
//! on the outcome of earlier requests. The exceptions are `closed_loop` and `cascade`, whose requests follow others
//! ([`super::followers`]). Rates are in requests per second, gaps in seconds, and times in picoseconds.

mod at_once;
mod azure;
mod batch;
mod bernoulli;
mod cascade;
mod closed_loop;
mod diurnal;
mod gamma;
mod gaps;
mod mmpp2;
mod moca_stream;
mod periodic;
mod pieces;
mod planaria_integer;
mod poisson;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod trace;
mod twitter_like;
mod two_level;

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
    /// The law in one sentence.
    pub doc: &'static str,
    /// Where the law comes from.
    pub source: &'static str,
    /// Where the mean rate comes from.
    pub rate: Rate,
    /// The keys in scenario files, beside `kind` and, if the load can set the rate, `rate_per_s`.
    pub parameters: &'static [Parameter],
    /// Reads the keys; the error says which one is wrong.
    pub read: fn(&toml::Table) -> Result<Box<dyn Law>, String>,
}

/// The JSON Schema of a table that describes an arrival process.
pub fn schema(_: &mut SchemaGenerator) -> Schema {
    let table = |kind: &ArrivalKind| {
        let rate: &[_] = match kind.rate {
            Rate::Given => &[("rate_per_s", "requests per second; default: from the load of the experiment")],
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
    /// From the parameters of the kind: the arrival rate is absolute.
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
    twitter_like::ENTRY,
    two_level::ENTRY,
    planaria_integer::ENTRY,
    periodic::ENTRY,
    bernoulli::ENTRY,
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

    /// Number of requests in all; `None` if they never end.
    fn total(&self) -> Option<usize> {
        None
    }

    /// The frame rate, if requests come in frames: [`Point::next_frame`].
    fn frames_per_s(&self) -> Option<f64> {
        None
    }

    /// Whether arrival times depend on [`Setting::isolated`].
    fn needs_latencies(&self) -> bool {
        false
    }

    /// The file that the arrival times come from, if they do.
    fn file(&self) -> Option<&Path> {
        None
    }

    /// Notes for the user about parts of that file that are not read.
    fn left_out(&self) -> &[String] {
        &[]
    }

    /// The closed loop, if requests follow those of the same tenant.
    fn closed_loop(&self) -> Option<&ClosedLoop> {
        None
    }

    /// The cascade, if requests follow those of another tenant.
    fn cascade(&self) -> Option<&Cascade> {
        None
    }
}

/// The tenant that a law is for.
pub struct Binding<'a> {
    /// The folder of the scenario's file.
    pub folder: &'a Path,
    /// The tenant's name.
    pub tenant: &'a str,
    /// The indices of its networks by their labels.
    pub networks: &'a [(String, u32)],
}

/// The setting in which a law is run.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The mean rate, above zero; ignored by a kind with [`Rate::Own`].
    pub rate_per_s: f64,
    /// The isolated latency of every network of the scenario on the system at hand.
    pub isolated: &'a [Time],
}

/// A run of a law.
pub trait Process: Send {
    /// The next request, never earlier than the one before; `None` after the last one.
    fn next(&mut self, draws: &mut Draws) -> Option<Point>;
}

/// One request of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// When the request arrives.
    pub time: Time,
    /// The network, as an index into [`super::Scenario::networks`], if the process decides it.
    pub network: Option<u32>,
    /// When the next frame is due, if requests come in frames.
    pub next_frame: Option<Time>,
    /// The priority, if the process decides it.
    pub priority: Option<u32>,
    /// The time from arrival to deadline at QoS level M, if the process decides it.
    pub within: Option<Time>,
}

impl Point {
    /// A request of which the process knows only the time.
    pub(super) fn at(time: Time) -> Self {
        Self { time, network: None, next_frame: None, priority: None, within: None }
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
            format!("no arrival process `{name}`{hint}; known: {}", known())
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

    /// The kind of the process.
    pub fn kind(&self) -> &'static ArrivalKind {
        self.kind
    }

    /// The rate that the scenario gives, if it does.
    pub fn rate_per_s(&self) -> Option<f64> {
        self.rate_per_s.or(self.law.frames_per_s())
    }

    /// Whether the scenario fixes absolute arrival rates; otherwise the experiment's load sets them.
    pub fn has_own_pace(&self) -> bool {
        self.kind.rate == Rate::Own || self.rate_per_s.is_some()
    }

    /// Number of requests in all; `None` if they never end.
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

    /// Notes for the user about parts of that file that are not read.
    pub fn left_out(&self) -> &[String] {
        self.law.left_out()
    }

    /// The law, if requests follow those of the same tenant.
    pub fn closed_loop(&self) -> Option<&ClosedLoop> {
        self.law.closed_loop()
    }

    /// The law, if requests follow those of another tenant.
    pub fn cascade(&self) -> Option<&Cascade> {
        self.law.cascade()
    }

    /// Looks up what depends on the scenario; must be called first.
    pub(super) fn bind(&mut self, binding: &Binding) -> Result<(), InputError> {
        Arc::get_mut(&mut self.law).expect("arrivals are bound before they are shared").bind(binding)
    }

    /// A fresh run of the process, at the mean rate of the setting if the kind takes one.
    pub fn start(&self, setting: &Setting) -> Box<dyn Process> {
        self.law.start(setting)
    }
}
