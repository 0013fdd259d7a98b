//! What may be expected of the layers that run, where execution times vary (`sim::variation`): lanes beside the real ones,
//! on which each layer starts and ends when it really does, but works as is expected (`corrections`). A layer whose estimate is
//! over has left them, and is expected to end at any moment.

use std::sync::Arc;

use super::Engine;
use super::lanes::{Lanes, Running};
use crate::sim::Variation;
use crate::units::Time;

/// What a view may show of the layers that run.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    lanes: &'a Lanes,
    estimates: Option<&'a Lanes>,
    now: Time,
}

impl<'a> Seen<'a> {
    pub(super) fn new(lanes: &'a Lanes, estimates: Option<&'a Lanes>, now: Time) -> Self {
        Self { lanes, estimates, now }
    }

    /// The running layer of each accelerator.
    pub(super) fn running(&self) -> &'a [Option<Running>] {
        self.lanes.running()
    }

    /// The layer of a busy accelerator.
    pub(super) fn layer_on(&self, accelerator: usize) -> u32 {
        self.lanes.running_on(accelerator).sub_job.layer
    }

    /// When the layer of a busy accelerator is expected to end at its present rate, with later phases taken without
    /// contention.
    #[inline]
    pub(super) fn end_of(&self, accelerator: usize) -> Time {
        match self.estimates {
            Some(estimates) => estimates.end_of(accelerator).max(self.now),
            None => self.lanes.end_of(accelerator),
        }
    }

    /// How long the layer of a busy accelerator is expected to take if nothing else ran from now on.
    #[inline]
    pub(super) fn left_alone(&self, accelerator: usize) -> Time {
        let running = &self.estimates.unwrap_or(self.lanes).running()[accelerator];
        running.as_ref().map_or(Time::ZERO, |running| running.left_alone(self.now))
    }
}

impl Running {
    /// The demand that views show.
    pub(super) fn expected_demand(&self) -> f64 {
        self.cost.demand_bytes_per_ps / self.ratio
    }
}

impl Engine {
    /// Lets the estimated layers work until now: they enter their phases, and leave when their estimate is over.
    #[cold]
    pub(super) fn expect(&mut self) {
        let Some(estimates) = &mut self.estimates else { return };
        let sharing = self.world.platform.sharing;
        while estimates.next_end() <= self.now {
            let at = estimates.next_end();
            let mut from = 0;
            while let Some(accelerator) = estimates.next_ending(from, at) {
                from = accelerator + 1;
                let &Running { sub_job, phase, .. } = estimates.running_on(accelerator);
                let network = self.jobs.of(sub_job.job).request.network;
                match self.world.networks[network as usize].next_phase(sub_job.layer, accelerator, phase) {
                    Some((phases, next)) => estimates.enter(accelerator, phases, next, sharing, at),
                    None => _ = estimates.finish(accelerator),
                }
            }
            // What ends now is shared anew with what starts now.
            if at == self.now {
                break;
            }
            estimates.share_bandwidth(sharing, at);
        }
    }

    /// The layer on an accelerator has ended, if its estimate is not over.
    #[cold]
    pub(super) fn end_estimate(&mut self, accelerator: usize) {
        if let Some(estimates) = &mut self.estimates {
            estimates.end(accelerator);
        }
    }

    /// Shares the bandwidth anew among the estimated layers.
    #[cold]
    pub(super) fn share_estimates(&mut self) {
        if let Some(estimates) = &mut self.estimates {
            estimates.share_bandwidth(self.world.platform.sharing, self.now);
        }
    }

    /// A layer starts, and is estimated.
    #[cold]
    pub(super) fn estimate(&mut self, accelerator: usize, running: Running) {
        let Some(estimates) = &mut self.estimates else { return };
        let sharing = self.world.platform.sharing;
        let network = &self.world.networks[self.jobs.of(running.sub_job.job).request.network as usize];
        let way = &network.ways[accelerator];
        estimates.start(accelerator, running.expected(way), way, sharing);
        if let Some(phases) = network.phases(running.sub_job.layer, accelerator) {
            estimates.enter(accelerator, phases, 0, sharing, self.now);
        }
    }

    /// Goes on as is expected.
    pub(super) fn forget_variation(&mut self) {
        let Some(estimates) = self.estimates.take() else { return };
        if let Some(corrections) = self.corrections.take() {
            self.world = Arc::clone(corrections.world());
        }
        self.rules.variation = Variation::NONE;
        self.lanes.assume(&estimates);
        self.jobs.forget_paces();
        self.changes.running_set = true;
        self.settled = false;
    }
}
