//! A tenant: a stream of requests with its networks, its share of the load, priorities and SLA.
//!
//! The literature has two kinds of priorities, and both are draws per request: PREMA's {1, 3, 9} (Choi and Rhu, HPCA
//! 2020), and in MoCA's artefact 0 to 11 with the weights 0:15 1:18 2:10 4:15 6:15 8:15 9:10 11:10. A fixed priority
//! is a draw among one. Shipped scenarios draw those of their source, else PREMA's three with equal weights, because its
//! token rule is defined on exactly these levels. QoS levels are drawn alike.

use super::arrivals::Arrivals;
use super::sla::{Firm, Late, SlaTerms};
use crate::units::Time;

/// One of the values that a draw may give.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighted {
    /// The value.
    pub value: u32,
    /// Its frequency relative to the others of the same draw.
    pub weight: f64,
}

/// A validated tenant of a scenario.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Unique in the scenario; the key of its random streams.
    pub name: String,
    /// What its requests ask for: indices into [`super::Scenario::networks`], drawn per request; at least one.
    pub networks: Vec<Weighted>,
    /// The targets of those of [`Self::networks`] that have one of their own.
    pub targets: Vec<(u32, Time)>,
    /// Its share of the load, relative to the other tenants.
    pub weight: f64,
    /// When its requests come.
    pub arrivals: Arrivals,
    /// Drawn per request; at least one. Higher is more important.
    pub priorities: Vec<Weighted>,
    /// Indices into [`super::Qos::ALL`], drawn per request; empty where the experiment's level holds.
    pub qos: Vec<Weighted>,
    /// When they are due, but for [`Self::targets`].
    pub sla: SlaTerms,
    /// What happens to its late requests, if the tenant has a say.
    pub late: Option<Late>,
    /// The SLA rate that it wants.
    pub target_hit_rate: Option<f64>,
    /// How many of any requests in a row it needs.
    pub firm: Option<Firm>,
}

impl Tenant {
    /// What its requests ask for, and which fraction of them.
    pub fn mix(&self) -> impl Iterator<Item = (u32, f64)> {
        let total: f64 = self.networks.iter().map(|choice| choice.weight).sum();
        self.networks.iter().map(move |choice| (choice.value, choice.weight / total))
    }

    /// When requests for a network are due; `network` is an index into [`super::Scenario::networks`].
    pub fn terms(&self, network: u32) -> SlaTerms {
        let own = self.targets.iter().find(|(of, _)| *of == network).map(|&(_, target)| target);
        SlaTerms { target: own.or(self.sla.target), ..self.sla }
    }
}
