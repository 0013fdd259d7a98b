//! The requests of a fleet in groups: all of them, then by tenant, model, site, and variant.

use std::collections::BTreeMap;

use super::{AnswerRow, Aside, Value};
use crate::units::{Picojoules, Time};

/// What a row of serving.csv covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServedBy {
    /// All measured requests.
    All,
    /// Those of a tenant, by number.
    Tenant(usize),
    /// Those that ask for a model, by number.
    Model(usize),
    /// Those that a site answered, by number.
    Site(usize),
    /// Those that a variant answered, by its place in the order of the names of all variants.
    Variant(usize),
}

impl ServedBy {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Tenant(_) => "tenant",
            Self::Model(_) => "model",
            Self::Site(_) => "site",
            Self::Variant(_) => "variant",
        }
    }
}

/// Sums over a group of requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) answered: u64,
    pub(super) met: f64,
    pub(super) served: f64,
    pub(super) quality: f64,
    pub(super) quality_answered: f64,
    pub(super) accuracy: f64,
    pub(super) accuracy_met: f64,
    /// The number of answers by the size of the batch that they came from.
    pub(super) batches: BTreeMap<u32, u64>,
    parts: [f64; 4],
}

impl Tally {
    pub(super) fn add(&mut self, row: &AnswerRow) {
        self.requests += 1;
        self.quality += row.quality;
        self.served += f64::from(u8::from(row.served));
        let Some(answer) = row.answer else { return };
        let met = f64::from(u8::from(row.asked.is_met_at(answer.time)));
        self.answered += 1;
        self.met += met;
        self.quality_answered += row.quality;
        self.accuracy += answer.accuracy;
        self.accuracy_met += met * answer.accuracy;
        *self.batches.entry(answer.batch).or_default() += 1;
        let parts = [row.dispatch, row.network, row.queue, row.service];
        self.parts.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part.as_us());
    }

    pub(super) fn mean(&self, sum: f64) -> f64 {
        sum / self.requests as f64
    }
}

/// What only a whole run has.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Whole {
    pub(super) decisions: u64,
    pub(super) deciding: Time,
    pub(super) energy: Picojoules,
    pub(super) orders: u64,
    /// The mean quality of each tenant.
    pub(super) qualities: Vec<f64>,
    /// For each tenant with a target, whether it is reached.
    pub(super) reached: Vec<bool>,
    /// What the caller knows of the run: see [`super::Aside`].
    pub(super) aside: Aside,
}

/// A row of serving.csv.
#[derive(Clone, Debug, PartialEq)]
pub struct ServingGroup {
    /// What it covers.
    pub by: ServedBy,
    /// The name of what it covers, if it is a model, a site or a variant.
    pub name: String,
    pub(super) tally: Tally,
    /// The number of measured requests of the run.
    pub(super) total: f64,
    pub(super) whole: Option<Whole>,
    /// `adapt_s`, of all requests where conditions changed.
    pub adapt_s: Option<f64>,
}

impl ServingGroup {
    pub(super) fn per_request(&self, sum: f64) -> Value {
        Value::per(sum, self.tally.requests as f64)
    }

    pub(super) fn per_answer(&self, sum: f64) -> Value {
        Value::per(sum, self.tally.answered as f64)
    }

    pub(super) fn part(&self, place: usize) -> Value {
        self.per_answer(self.tally.parts[place])
    }

    pub(super) fn whole(&self, value: fn(&Whole) -> Value) -> Value {
        self.whole.as_ref().map_or(Value::NONE, value)
    }

    /// The mean quality of the group.
    pub fn quality(&self) -> f64 {
        self.tally.mean(self.tally.quality)
    }
}
