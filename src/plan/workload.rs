//! The workload of a system: the tenants of a scenario, and a recording if it replaces their own arrivals.

use std::sync::Arc;

use crate::sim::World;
use crate::units::Time;
use crate::workload::{Arrival, ArrivalStream, Extent, Offer, RateChanges, RecordedArrivals, Scenario};

/// The workload of a system.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The tenants.
    pub scenario: Arc<Scenario>,
    /// The experiment's `trace`.
    pub recorded: Option<RecordedArrivals>,
    /// How arrival rates change during a run.
    pub changes: RateChanges,
}

impl Workload {
    /// Whether the workload alone fixes the arrival rates; else the experiment has to give a load.
    pub(crate) fn has_own_pace(&self) -> bool {
        self.recorded.is_some() || self.scenario.has_own_pace()
    }

    /// Whether some requests arrive when others end; never in a recording, which has all times.
    pub(crate) fn has_followers(&self) -> bool {
        self.recorded.is_none() && self.scenario.has_followers()
    }

    /// Whether some tenant sends as fast as it is served.
    pub fn has_loops(&self) -> bool {
        self.recorded.is_none() && self.scenario.has_loops()
    }

    /// The total number of requests that follow no others; `None` if arrivals never end.
    pub(super) fn total(&self) -> Option<usize> {
        self.recorded.as_ref().map_or_else(|| self.scenario.total(), |recorded| Some(recorded.total()))
    }

    /// All requests of a run on a system; tenants that share a load share `requests_per_s`.
    pub(crate) fn offer(&self, world: &World, requests_per_s: f64, seed: u64, extent: Extent) -> Offer {
        let scenario = &self.scenario;
        let Some(recorded) = &self.recorded else {
            let rates_per_s = scenario.rates_per_s(requests_per_s);
            return Offer::new(scenario, &rates_per_s, &self.changes, &isolated(world), seed, extent);
        };
        let arrivals = recorded.arrivals(scenario, seed);
        let own = match extent {
            Extent::Requests(requests) => arrivals.take(requests).collect(),
            Extent::Until(end) | Extent::Sample(end) => {
                arrivals.take_while(|arrival| arrival.time < end).collect()
            }
        };
        Offer { own, followers: Vec::new() }
    }

    /// The requests that follow no others; tenants that share a load share `requests_per_s`.
    pub(crate) fn arrivals(
        &self,
        world: &World,
        requests_per_s: f64,
        seed: u64,
    ) -> Box<dyn Iterator<Item = Arrival>> {
        let scenario = &self.scenario;
        if let Some(recorded) = &self.recorded {
            return Box::new(recorded.arrivals(scenario, seed));
        }
        let rates_per_s = scenario.rates_per_s(requests_per_s);
        Box::new(ArrivalStream::new(scenario, &rates_per_s, &self.changes, &isolated(world), seed))
    }
}

/// The isolated latency of every network.
pub(super) fn isolated(world: &World) -> Vec<Time> {
    world.networks.iter().map(|network| network.isolated).collect()
}
