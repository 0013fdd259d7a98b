//! The rules of a run: when decisions are taken, what they cost, and what happens to late requests and unassigned
//! layers.

use super::{Drift, Operations, Variation};
use crate::units::{Picojoules, Time};
use crate::workload::{Firm, Late};

/// When the scheduler is asked for a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// At every multiple of T_s at which some sub-job may be assigned.
    Periodic(Time),
    /// Once per instant at which the idle set or the ready set grew while both are non-empty.
    OnIdle,
    /// At every arrival and completion after which some sub-job may be assigned.
    OnChange,
    /// Never: for roll-outs of existing assignments.
    Never,
}

/// What happens to a layer that becomes ready without an assignment.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Unassigned {
    /// The layer waits for the scheduler.
    Hold,
    /// The layer takes the accelerator and the priority of the predecessor that ended last, if that accelerator can run
    /// it.
    Sticky,
}

/// How decisions are charged, by the same rule for every scheduler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DecisionCost {
    /// Decisions are free.
    Ideal,
    /// Decisions are charged as on a host: latency = base + operations / rate, energy = operations x energy per
    /// operation.
    Host(Host),
}

/// The processor that runs the scheduler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Host {
    /// Latency of every decision.
    pub base: Time,
    /// Multiply-accumulates per second.
    pub macs_per_s: f64,
    /// Comparisons per second.
    pub comparisons_per_s: f64,
    /// Energy of any operation in pJ.
    pub pj_per_operation: f64,
}

impl Default for Host {
    /// One core of an embedded processor: our choice, because the papers name no host.
    fn default() -> Self {
        Self { base: Time::from_us(2.0), macs_per_s: 8e9, comparisons_per_s: 1e9, pj_per_operation: 5.0 }
    }
}

impl DecisionCost {
    /// Latency and energy of a decision.
    pub fn charge(&self, operations: Operations) -> (Time, Picojoules) {
        match self {
            Self::Ideal => (Time::ZERO, Picojoules(0.0)),
            Self::Host(host) => {
                let (comparisons, macs) = (operations.comparisons as f64, operations.macs as f64);
                let computing_s = macs / host.macs_per_s + comparisons / host.comparisons_per_s;
                (
                    host.base + Time::from_s(computing_s),
                    Picojoules((comparisons + macs) * host.pj_per_operation),
                )
            }
        }
    }
}

/// What happens to late requests: one rule, and exceptions for tenants with a rule of their own.
#[derive(Debug, PartialEq, Eq)]
pub struct LateRules {
    /// The rule of tenants without an own one.
    pub rule: Late,
    /// The own rule of each tenant, if it has one.
    pub own: Vec<Option<Late>>,
}

clone_by_field!(LateRules { rule, own });

impl LateRules {
    /// One rule for all tenants.
    pub const fn all(rule: Late) -> Self {
        Self { rule, own: Vec::new() }
    }

    /// The rule of a tenant.
    #[inline]
    pub fn of(&self, tenant: u32) -> Late {
        self.own.get(tenant as usize).copied().flatten().unwrap_or(self.rule)
    }
}

/// All rules of a run.
#[derive(Debug, PartialEq)]
pub struct Rules {
    /// When the scheduler is asked for a decision.
    pub trigger: Trigger,
    /// What a decision costs.
    pub decision_cost: DecisionCost,
    /// What happens to late requests.
    pub late: LateRules,
    /// What happens to unassigned layers.
    pub unassigned: Unassigned,
    /// The (m,k)-firm terms of each tenant. The engine does not use them; schedulers may.
    pub firm: Vec<Option<Firm>>,
    /// How conditions change during the run, which no view shows beforehand.
    pub drift: Drift,
    /// How execution times differ from the cost tables, which no view shows.
    pub variation: Variation,
}

clone_by_field!(Rules { trigger, decision_cost, late, unassigned, firm, drift, variation });
