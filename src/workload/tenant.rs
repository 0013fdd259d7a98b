//! A tenant: a stream of requests with its networks, its share of the load, priorities and SLA.
//!
//! The literature has two kinds of priorities, both of which are drawn per request: PREMA's {1, 3, 9} (Choi and Rhu,
//! HPCA 2020), and in MoCA's artefact 0 to 11 with the weights 0:15 1:18 2:10 4:15 6:15 8:15 9:10 11:10. A fixed
//! priority is a draw among a single value. Shipped scenarios draw the priorities of their source, or else PREMA's
//! three with equal weights, because its token rule is defined on exactly these levels. QoS levels are drawn in the
//! same way.

use super::arrivals::Arrivals;
use super::sla::{Firm, Late, SlaTerms};
use super::utility::Utility;
use crate::units::Time;

/// One of the values that a draw may give.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighted {
    /// The value.
    pub value: u32,
    /// The frequency relative to the others of the same draw.
    pub weight: f64,
}

/// A validated tenant of a scenario.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// The name, unique in the scenario; it is the key of the tenant's random streams.
    pub name: String,
    /// The networks that requests ask for: at least one index into [`super::Scenario::networks`], drawn per request. Of
    /// a tenant with a [model](Self::model) the most accurate variant at batch 1, which is what a plain run executes and
    /// what a deadline is a multiple of.
    pub networks: Vec<Weighted>,
    /// The targets of those of [`Self::networks`] that have one of their own.
    pub targets: Vec<(u32, Time)>,
    /// The share of the load, relative to the other tenants.
    pub weight: f64,
    /// The arrival process.
    pub arrivals: Arrivals,
    /// Priorities, drawn per request; at least one. A higher one is more important.
    pub priorities: Vec<Weighted>,
    /// QoS levels as indices into [`super::Qos::ALL`], drawn per request; empty if the experiment's level holds.
    pub qos: Vec<Weighted>,
    /// The deadline terms, except for [`Self::targets`].
    pub sla: SlaTerms,
    /// What happens to late requests, if the tenant overrides the experiment's rule.
    pub late: Option<Late>,
    /// Whether the weights of its networks are never evicted once they are on chip (`sim::residency`).
    pub pin_weights: bool,
    /// The target SLA rate.
    pub target_hit_rate: Option<f64>,
    /// The (m,k)-firm terms.
    pub firm: Option<Firm>,
    /// The model that requests ask for, any variant of which may answer: an index into [`super::Scenario::models`].
    pub model: Option<u32>,
    /// The node of the fleet at which the requests arrive, by name.
    pub node: Option<String>,
    /// Bytes that a request brings, which travel to the site that serves it.
    pub input_bytes: f64,
    /// Bytes of the answer, which travel back.
    pub output_bytes: f64,
    /// What an answer is worth.
    pub utility: Utility,
    /// The least accuracy at which an answer counts as served; only of a tenant with a model.
    pub min_accuracy: Option<f64>,
}

impl Tenant {
    /// The networks that requests ask for, and the fraction of each.
    pub fn mix(&self) -> impl Iterator<Item = (u32, f64)> {
        let total: f64 = self.networks.iter().map(|choice| choice.weight).sum();
        self.networks.iter().map(move |choice| (choice.value, choice.weight / total))
    }

    /// The deadline terms of requests for a network; `network` is an index into [`super::Scenario::networks`].
    pub fn terms(&self, network: u32) -> SlaTerms {
        let own = self.targets.iter().find(|(of, _)| *of == network).map(|&(_, target)| target);
        SlaTerms { target: own.or(self.sla.target), ..self.sla }
    }
}
