//! Estimates that learn (`estimates = "ewma"`): how long the layers of a network take on a model of accelerators, relative to
//! the cost tables, as an exponentially weighted moving average r of what they have taken.
//!
//! It begins at 1. When a layer ends, r becomes r + (x - r) / 8, x being the cycles that it took over those of the tables.
//! Cycles in which it waited for the DRAM count for neither: accelerators count their stalls. So contention is not taken for
//! slowness, nor a clock that has become slower (`sim::drift`). The gain of 1/8 is that of the smoothed round-trip time of
//! TCP (RFC 6298; Jacobson, SIGCOMM 1988).
//!
//! Everything that schedulers see from then on is made of r c in place of c, as of an accelerator at 1 / r of its speed:
//! the costs in [`View::world`](crate::sim::View::world), R, F_m and roll-outs. The estimate of a running layer is that of its
//! start. Deadlines, isolated latencies that others have promised, lambda* and energies stay.

use std::sync::Arc;

use super::Engine;
use super::jobs::Jobs;
use crate::sim::{Origin, Record, Recorder, World};

/// What a new observation counts in the average.
const GAIN: f64 = 0.125;

/// The corrected estimates of a run.
#[derive(Debug)]
pub(super) struct Corrections {
    /// The world as schedulers see it, as of the last view.
    world: Arc<World>,
    /// r of each network on each accelerator.
    ratios: Vec<Vec<f64>>,
    /// Whether the world lacks the present ratios of each network.
    stale: Vec<bool>,
    /// The number of views that showed other costs than the view before.
    times: u32,
}

clone_by_field!(Corrections { world, ratios, stale, times });

impl Corrections {
    pub(super) fn new(world: &Arc<World>) -> Self {
        let in_phases = world.networks.iter().any(|network| network.phases(0, 0).is_some());
        assert!(!in_phases, "phases keep the demands of the tables");
        let (networks, accelerators) = (world.networks.len(), world.platform.accelerators.len());
        Self {
            world: Arc::clone(world),
            ratios: vec![vec![1.0; accelerators]; networks],
            stale: vec![false; networks],
            times: 0,
        }
    }

    pub(super) fn world(&self) -> &Arc<World> {
        &self.world
    }

    pub(super) fn ratio(&self, network: u32, accelerator: usize) -> f64 {
        self.ratios[network as usize][accelerator]
    }

    /// A layer has taken so many times its cycles in the tables; returns the ratio if it has changed.
    fn learn(&mut self, network: u32, accelerator: usize, taken: f64, tables: &World) -> Option<f64> {
        let before = self.ratio(network, accelerator);
        let ratio = before + GAIN * (taken - before);
        let accelerators = &tables.platform.accelerators;
        let alike = |m: &usize| accelerators[*m].model == accelerators[accelerator].model;
        for m in (0..accelerators.len()).filter(alike) {
            self.ratios[network as usize][m] = ratio;
        }
        self.stale[network as usize] |= ratio != before;
        (ratio != before).then_some(ratio)
    }

    /// Begins again with other tables, and keeps the ratios.
    pub(super) fn take(&mut self, tables: &Arc<World>) {
        self.world = Arc::clone(tables);
        self.stale.fill(true);
    }

    /// Brings the world up to date, and what jobs in flight sum up of it.
    fn tell(&mut self, tables: &World, jobs: &mut Jobs) {
        self.times += 1;
        let world = Arc::make_mut(&mut self.world);
        for (number, _) in self.stale.iter().enumerate().filter(|(_, stale)| **stale) {
            world.networks[number].expect(&tables.networks[number], &self.ratios[number]);
        }
        for place in 0..jobs.in_flight().len() {
            let id = jobs.in_flight()[place];
            let network = jobs.get(id).expect("jobs in flight have a slot").request.network as usize;
            if self.stale[network] {
                jobs.of(id).estimate(&world.networks[network]);
            }
        }
        self.stale.fill(false);
    }
}

impl Engine {
    /// The world as schedulers see it.
    pub(super) fn known(&self) -> &Arc<World> {
        self.corrections.as_ref().map_or(&self.world, |corrections| corrections.world())
    }

    /// The number of times that views have shown corrected costs.
    pub(in crate::sim) fn corrections(&self) -> u32 {
        self.corrections.as_ref().map_or(0, |corrections| corrections.times)
    }

    /// A layer of a network has ended, at this pace.
    pub(super) fn learn(&mut self, network: u32, accelerator: usize, pace: f64, out: &mut dyn Recorder) {
        let Some(corrections) = &mut self.corrections else { return };
        if let Some(ratio) = corrections.learn(network, accelerator, 1.0 / pace, &self.world) {
            out.record(&Record::Corrected { time: self.now, network, accelerator, ratio }, Origin::NONE);
        }
    }

    /// Lets the next view show the present estimates.
    pub(super) fn tell_corrections(&mut self) {
        if let Some(corrections) = &mut self.corrections
            && corrections.stale.contains(&true)
        {
            corrections.tell(&self.world, &mut self.jobs);
        }
    }
}
