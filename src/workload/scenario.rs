//! A scenario: which tenants share the system, read from TOML.
//!
//! ```toml
//! name = "pair"
//! source = "written by hand"
//! priorities = [{ level = 1 }, { level = 3 }, { level = 9 }]  # drawn per request; tenants may have their own
//!
//! [[tenant]]
//! name = "camera"
//! network = "yolov2"
//! weight = 3                        # share of all requests, relative to the other tenants
//! arrivals = { kind = "poisson" }   # the default
//! priority = 9
//! target_us = 16_700                # for experiments with absolute deadlines
//!
//! [[tenant]]
//! name = "assistant"
//! networks = [{ name = "kws_res26", weight = 9 }, { name = "bert_base_s128", weight = 1 }]
//! deadline_factor = 7               # in place of the experiment's
//! ```
//! Weights left out are 1. How many requests come per second is not said here: the experiment's load decides, relative
//! to what the system can carry.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::process::Arrivals;
use super::sla::SlaTerms;
use super::tenant::{Tenant, Weighted};
use crate::files::{InputError, Positive, Source, Weight};
use crate::units::Time;

/// A validated scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The name by which experiments refer to it.
    pub name: String,
    /// Where its numbers come from and what was changed.
    pub source: String,
    /// The names of the distinct networks, in order of first mention.
    pub networks: Vec<String>,
    /// In file order; at least one.
    pub tenants: Vec<Tenant>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScenario {
    name: String,
    source: String,
    priorities: Option<Spanned<Vec<RawLevel>>>,
    tenant: Vec<RawTenant>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTenant {
    name: Spanned<String>,
    network: Option<Spanned<String>>,
    networks: Option<Spanned<Vec<RawNetwork>>>,
    #[serde(default = "one")]
    weight: Weight,
    #[serde(default)]
    arrivals: Arrivals,
    priority: Option<u32>,
    priorities: Option<Spanned<Vec<RawLevel>>>,
    deadline_factor: Option<Positive>,
    target_us: Option<Positive>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNetwork {
    name: Spanned<String>,
    #[serde(default = "one")]
    weight: Weight,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLevel {
    level: Spanned<u32>,
    #[serde(default = "one")]
    weight: Weight,
}

fn one() -> Weight {
    Weight(1.0)
}

/// Chosen here: where a scenario says nothing, all requests are equal, at PREMA's lowest level.
const DEFAULT_PRIORITY: u32 = 1;

impl Scenario {
    /// Reads and validates a scenario file; every network must exist in `networks_dir` as `<network>.toml`.
    pub fn read(path: &Path, networks_dir: &Path) -> Result<Self, InputError> {
        let source = Source::read(path)?;
        let raw: RawScenario = source.parse()?;
        if raw.tenant.is_empty() {
            return Err(source.error_at_top("`tenant` is empty: a scenario has at least one"));
        }
        let mut reader = Reader { source: &source, networks_dir, networks: Vec::new() };
        let default_priorities = match &raw.priorities {
            Some(levels) => reader.priorities(levels)?,
            None => vec![Weighted { value: DEFAULT_PRIORITY, weight: 1.0 }],
        };
        let mut tenants: Vec<Tenant> = Vec::with_capacity(raw.tenant.len());
        for raw in &raw.tenant {
            let tenant = reader.tenant(raw, &default_priorities)?;
            if tenants.iter().any(|earlier| earlier.name == tenant.name) {
                let message = format!("two tenants are named `{}`", tenant.name);
                return Err(source.error(&raw.name.span(), message));
            }
            tenants.push(tenant);
        }
        let networks = reader.networks;
        Ok(Self { name: raw.name, source: raw.source, networks, tenants })
    }

    /// The fraction of all requests that each tenant sends.
    pub fn tenant_shares(&self) -> Vec<f64> {
        shares(self.tenants.iter().map(|tenant| tenant.weight))
    }

    /// The fraction of all requests that each network serves.
    pub fn network_shares(&self) -> Vec<f64> {
        let mut total = vec![0.0; self.networks.len()];
        for (tenant, share) in self.tenants.iter().zip(self.tenant_shares()) {
            let within = shares(tenant.networks.iter().map(|network| network.weight));
            for (network, within) in tenant.networks.iter().zip(within) {
                total[network.value as usize] += share * within;
            }
        }
        total
    }

    /// The rate of each tenant when all of them together send `requests_per_s`.
    pub fn rates_per_s(&self, requests_per_s: f64) -> Vec<f64> {
        self.tenant_shares().iter().map(|share| share * requests_per_s).collect()
    }
}

fn shares(weights: impl Iterator<Item = f64> + Clone) -> Vec<f64> {
    let total: f64 = weights.clone().sum();
    weights.map(|weight| weight / total).collect()
}

/// Turns raw entries into validated ones and collects the distinct networks on the way.
struct Reader<'a> {
    source: &'a Source,
    networks_dir: &'a Path,
    networks: Vec<String>,
}

impl Reader<'_> {
    fn tenant(&mut self, raw: &RawTenant, default_priorities: &[Weighted]) -> Result<Tenant, InputError> {
        let networks = match (&raw.network, &raw.networks) {
            (Some(network), None) => vec![Weighted { value: self.network(network)?, weight: 1.0 }],
            (None, Some(mix)) => self.mix(mix)?,
            _ => {
                let message = "a tenant has either `network` or `networks`";
                return Err(self.source.error(&raw.name.span(), message));
            }
        };
        let priorities = match (raw.priority, &raw.priorities) {
            (Some(_), Some(levels)) => {
                let message = "a tenant has either `priority` or `priorities`";
                return Err(self.source.error(&levels.span(), message));
            }
            (Some(level), None) => vec![Weighted { value: level, weight: 1.0 }],
            (None, Some(levels)) => self.priorities(levels)?,
            (None, None) => default_priorities.to_vec(),
        };
        let sla = SlaTerms {
            deadline_factor: raw.deadline_factor.map(|factor| factor.0),
            target: raw.target_us.map(|us| Time::from_us(us.0)),
        };
        Ok(Tenant {
            name: raw.name.get_ref().clone(),
            networks,
            weight: raw.weight.0,
            arrivals: raw.arrivals.clone(),
            priorities,
            sla,
        })
    }

    fn mix(&mut self, raw: &Spanned<Vec<RawNetwork>>) -> Result<Vec<Weighted>, InputError> {
        let mut mix: Vec<Weighted> = Vec::with_capacity(raw.get_ref().len());
        for entry in raw.get_ref() {
            let choice = Weighted { value: self.network(&entry.name)?, weight: entry.weight.0 };
            self.push_new(&mut mix, choice, &entry.name)?;
        }
        self.not_empty(mix, raw)
    }

    fn priorities(&self, raw: &Spanned<Vec<RawLevel>>) -> Result<Vec<Weighted>, InputError> {
        let mut levels = Vec::with_capacity(raw.get_ref().len());
        for entry in raw.get_ref() {
            let choice = Weighted { value: *entry.level.get_ref(), weight: entry.weight.0 };
            self.push_new(&mut levels, choice, &entry.level)?;
        }
        self.not_empty(levels, raw)
    }

    fn push_new<T: std::fmt::Display>(
        &self,
        choices: &mut Vec<Weighted>,
        choice: Weighted,
        written: &Spanned<T>,
    ) -> Result<(), InputError> {
        if choices.iter().any(|earlier| earlier.value == choice.value) {
            let message = format!("`{}` is listed twice", written.get_ref());
            return Err(self.source.error(&written.span(), message));
        }
        choices.push(choice);
        Ok(())
    }

    fn not_empty<T>(&self, choices: Vec<Weighted>, raw: &Spanned<T>) -> Result<Vec<Weighted>, InputError> {
        if choices.is_empty() {
            return Err(self.source.error(&raw.span(), "the list is empty: expected at least one entry"));
        }
        Ok(choices)
    }

    /// The index of a network, new or not.
    fn network(&mut self, name: &Spanned<String>) -> Result<u32, InputError> {
        if let Some(known) = self.networks.iter().position(|known| known == name.get_ref()) {
            return Ok(known as u32);
        }
        let file = self.networks_dir.join(format!("{}.toml", name.get_ref()));
        if !file.is_file() {
            let message = format!("no network `{}`: expected {}", name.get_ref(), file.display());
            return Err(self.source.error(&name.span(), message));
        }
        self.networks.push(name.get_ref().clone());
        Ok(self.networks.len() as u32 - 1)
    }
}
