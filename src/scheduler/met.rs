//! `met`: minimum execution time: every sub-job on the accelerator with its smallest c1, whatever the load.

use super::placing::ListRule;
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, NetworkModel, Scheduler, SubJobView, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "met",
    doc: "smallest arrival first; fastest accelerator, load ignored",
    source: "DS3 (Arda et al., IEEE TC 2020)",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Met::default()))
    },
};

#[derive(Default)]
struct Met {
    /// The accelerator of each layer of each network, computed at the first decision and when costs change.
    fastest: Vec<Vec<usize>>,
    /// The numbers of lost accelerators and of corrections that it knows of.
    costs: (u32, u32),
    rule: ListRule<Time>,
}

impl Scheduler for Met {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let costs = (view.losses(), view.corrections());
        if self.fastest.is_empty() || self.costs != costs {
            self.costs = costs;
            self.fastest = view.world().networks.iter().map(fastest).collect();
        }
        let arrival = |sub: &SubJobView| view.job_of(sub).arrival;
        let fastest = &self.fastest;
        self.rule.place_on(view, out, arrival, |sub| {
            fastest[view.job_of(sub).network as usize][sub.id.layer as usize]
        });
    }
}

fn fastest(network: &NetworkModel) -> Vec<usize> {
    (0..network.layers.len() as u32).map(|layer| network.fastest(layer)).collect()
}
