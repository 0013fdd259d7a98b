//! The requests of a run: arrivals of the scenario with deadlines on the system of the case.

use std::sync::Arc;

use super::plan::{Case, Site};
use super::window::{Wanted, Window};
use crate::sim::{Request, Trace, World};
use crate::units::Time;
use crate::workload::burstiness::rate_per_s;
use crate::workload::{Arrival, ArrivalStream, Qos, Replay, Scenario};

/// What a run is given, and what its metrics want to know about it beside.
#[derive(Clone, Debug)]
pub struct Requests {
    /// The requests.
    pub trace: Trace,
    /// The QoS level of each.
    pub qos: Vec<Qos>,
}

/// What is asked of a system: the tenants of a scenario, and a recording in place of their own arrivals.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The tenants.
    pub scenario: Arc<Scenario>,
    /// The experiment's `trace`.
    pub replay: Option<Replay>,
}

impl Workload {
    /// Whether the workload alone says when requests come; else the load of an experiment has to.
    pub(super) fn has_own_pace(&self) -> bool {
        self.replay.is_some() || self.scenario.has_own_pace()
    }

    /// How many requests come in all; `None` where they never end.
    pub(super) fn total(&self) -> Option<usize> {
        self.replay.as_ref().map_or_else(|| self.scenario.total(), |replay| Some(replay.total()))
    }

    /// Arrivals on a system, where tenants that share a load share `requests_per_s`.
    pub(super) fn arrivals(
        &self,
        world: &World,
        requests_per_s: f64,
        seed: u64,
    ) -> Box<dyn Iterator<Item = Arrival>> {
        let scenario = &self.scenario;
        if let Some(replay) = &self.replay {
            return Box::new(replay.arrivals(scenario, seed));
        }
        let isolated: Vec<Time> = world.networks.iter().map(|network| network.isolated).collect();
        Box::new(ArrivalStream::new(scenario, &scenario.rates_per_s(requests_per_s), &isolated, seed))
    }
}

/// The requests of a run that counts `counted` of them; fewer where arrivals end before.
pub fn trace(case: &Case, counted: usize, seed: u64) -> Trace {
    requests(case, &window(case, counted), seed).trace
}

/// The window of a run that counts another number of requests than its experiment does.
pub(super) fn window(case: &Case, counted: usize) -> Window {
    let wanted = Wanted { requests: Some(counted), ..case.wanted };
    Window::of(wanted, case.setting.late, None).expect("endless arrivals are never too few")
}

pub(super) fn requests(case: &Case, window: &Window, seed: u64) -> Requests {
    let requests_per_s = case.load.unwrap_or_default() * case.site.capacity.requests_per_s;
    let arrivals = case.workload.arrivals(&case.site.world, requests_per_s, seed);
    let mut requests = Vec::with_capacity(window.requests());
    let mut levels = Vec::with_capacity(window.requests());
    for arrival in arrivals.take(window.requests()) {
        requests.push(request(case, &arrival));
        levels.push(qos(case, &arrival));
    }
    let counted = window.range();
    let counted = counted.start.min(requests.len())..counted.end.min(requests.len());
    Requests { trace: Trace { requests, counted }, qos: levels }
}

fn qos(case: &Case, arrival: &Arrival) -> Qos {
    arrival.qos.unwrap_or(case.qos)
}

/// A request with its deadline on the system of the case.
pub(super) fn request(case: &Case, arrival: &Arrival) -> Request {
    let &Arrival { time, tenant, network, priority, .. } = arrival;
    let terms = case.workload.scenario.tenants[tenant as usize].terms(network);
    let sla =
        terms.sla(case.setting.sla, case.setting.deadline_factor).expect("targets are checked in the plan");
    let isolated = case.site.world.networks[network as usize].isolated;
    let deadline = sla.deadline(arrival, qos(case, arrival), isolated);
    Request { tenant, network, priority, arrival: time, deadline }
}

/// The rate of the requests relative to lambda*; not a number where all come at once.
pub(super) fn offered_load(trace: &Trace, site: &Site) -> f64 {
    let times: Vec<Time> = trace.requests.iter().map(|request| request.arrival).collect();
    rate_per_s(&times).map_or(f64::NAN, |rate_per_s| rate_per_s / site.capacity.requests_per_s)
}
