//! Forks of a site, for dispatchers that try a decision before they take it.

use std::cmp::Reverse;
use std::sync::Arc;

use super::fleet::{Crew, Event, Fleet, ServeError};
use super::memory::Memory;
use super::requests::{InFlight, Stage};
use super::static_model::{Client, FleetModel, Site};
use super::view::{FleetView, Place};
use super::{Action, Dispatch};
use crate::sim::{DecisionCost, Drift, Origin, Rules};
use crate::units::Time;

impl FleetModel {
    /// The fleet of one of its sites, on which decisions of the dispatcher are free: what a fork runs on. The links are
    /// as they are, so that answers travel back. Nothing changes in it: a fork goes on by the tables.
    pub fn only(&self, site: usize) -> Self {
        let client = |client: &Client| Client { ways: vec![client.ways[site].clone()], ..client.clone() };
        let rules = Rules { drift: Drift::NONE, ..self.sites[site].rules.clone() };
        Self {
            sites: vec![Site { rules, ..self.sites[site].clone() }],
            changes: Vec::new(),
            clients: self.clients.iter().map(client).collect(),
            report: Time::ZERO,
            dispatch_cost: DecisionCost::Ideal,
            ..self.clone()
        }
    }
}

/// A site that nobody sends anything any more: the requests that are queued or in service there, and no others. Its
/// number is 0, and nothing else uses the links.
pub struct Fork {
    fleet: Fleet,
}

impl FleetView<'_> {
    /// A fork of the site where the dispatcher decides; `None` at a node. `only` is [`FleetModel::only`] of the site.
    pub fn fork(&self, only: &Arc<FleetModel>) -> Option<Fork> {
        let Place::Site(site) = self.place else { return None };
        Some(Fork { fleet: self.fleet.only(site, Arc::clone(only)) })
    }
}

impl Fork {
    /// The number of its requests.
    pub fn requests(&self) -> usize {
        self.fleet.requests.len()
    }

    /// Takes these actions now, and goes on to the end of the instant.
    pub fn begin(&mut self, actions: &[Action], crew: &mut Crew) -> Result<(), ServeError> {
        self.fleet.apply(&Dispatch { actions: actions.to_vec(), ..Dispatch::default() }, crew)?;
        self.fleet.finish_instant(crew)
    }

    /// Goes on by one instant; returns whether requests are left.
    pub fn step(&mut self, crew: &mut Crew) -> Result<bool, ServeError> {
        self.fleet.step(crew)
    }
}

impl Fleet {
    /// One of its sites in the present instant, without a future.
    fn only(&self, site: usize, model: Arc<FleetModel>) -> Self {
        let requests = self.requests.filter_map(|request| {
            let here = request.site == site && matches!(request.stage, Stage::Queued | Stage::InService(_));
            let origin = Origin { measured: true, ..request.origin };
            here.then_some(InFlight { site: 0, origin, ..*request })
        });
        let mut fork = Self::empty(model, Arc::default());
        fork.now = self.now;
        fork.measured_open = requests.len();
        let known = self.deadlines.iter().filter(|Reverse((_, id))| requests.get(*id).is_some());
        fork.deadlines = known.copied().collect();
        fork.requests = requests;
        fork.sites = vec![self.sites[site].fork()];
        (fork.nexts, fork.begun) = (vec![self.nexts[site]], vec![self.begun[site]]);
        if !self.model.sites[site].rules.drift.is_empty() {
            fork.forget_drift(self.begun[site]);
        }
        if let Some(at) = fork.sites[0].memory.as_ref().and_then(Memory::loaded_at) {
            fork.announce(at, Event::Loaded { site: 0 });
        }
        fork.hosts.ask(fork.model.nodes);
        fork
    }

    /// Goes on by the tables from the present instant on, up to which the site works under its present conditions.
    fn forget_drift(&mut self, has_begun: bool) {
        if !has_begun && self.sites[0].engine.now() < self.now {
            self.sites[0].begin(0, self.now, &mut ());
            self.begun[0] = true;
        }
        self.sites[0].engine.forget_drift();
    }
}
