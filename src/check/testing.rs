//! Tiny systems for tests: times in nanoseconds, bandwidth in bytes per nanosecond.

use std::ops::RangeInclusive;
use std::sync::Arc;

use proptest::prelude::*;

use super::cases::{Case, Size};
use crate::cost::LayerCost;
use crate::hw::Sharing;
use crate::sim::{
    AcceleratorModel, Decision, DecisionCost, Drift, Engine, LateRules, LayerModel, NetworkModel, Platform,
    Record, Recorder, Request, Rules, Scheduler, Trace, Trigger, Unassigned, Variation, View, World, run,
};
use crate::units::{Bytes, Picojoules, Time};
use crate::workload::{Late, Qos};

/// `accelerators` accelerators that share `bandwidth` bytes per nanosecond max-min.
pub(crate) fn platform(accelerators: usize, bandwidth: f64) -> Platform {
    let accelerator = |i: usize| AcceleratorModel::new(format!("m{i}"), i, 1e-3);
    Platform::new((0..accelerators).map(accelerator).collect(), bandwidth / 1e3, Sharing::MaxMin)
}

/// A layer with (c, b) on each accelerator, 1 pJ, and as many tiles as you like.
pub(crate) fn layer(after: &[usize], costs: &[(f64, f64)]) -> LayerModel {
    let cost = |&(latency_ns, demand): &(f64, f64)| {
        Some(LayerCost {
            latency: Time((latency_ns * 1e3).round() as u64),
            dram_bytes: Bytes((latency_ns * demand).round() as u64),
            weight_bytes: Bytes(0),
            input_bytes: Bytes(0),
            energy: Picojoules(1.0),
            utilization: 0.5,
            tiles: u64::MAX,
            on_chip: None,
        })
    };
    LayerModel { name: "layer".into(), after: after.to_vec(), costs: costs.iter().map(cost).collect() }
}

/// A world of the given networks.
pub(crate) fn world(platform: Platform, networks: &[&[LayerModel]]) -> World {
    let network = |(number, layers): (usize, &&[LayerModel])| {
        NetworkModel::numbered(number, "network", layers, &platform, None)
    };
    let networks = networks.iter().enumerate().map(network).collect();
    World { platform, networks }
}

/// A request for a network at a time in nanoseconds, with a deadline far away.
pub(crate) fn request(network: u32, arrival_ns: f64) -> Request {
    let arrival = Time((arrival_ns * 1e3).round() as u64);
    Request {
        tenant: network,
        network,
        priority: 1,
        qos: Qos::M,
        arrival,
        deadline: arrival + Time::from_s(1.0),
    }
}

/// A trace whose requests are all measured.
pub(crate) fn trace(requests: &[Request]) -> Trace {
    Trace { requests: requests.to_vec(), measured: 0..requests.len(), ..Trace::default() }
}

/// Rules with free decisions at every change; late requests finish, and layers start only when assigned.
pub(crate) fn plain_rules() -> Rules {
    Rules {
        trigger: Trigger::OnChange,
        decision_cost: DecisionCost::Ideal,
        late: LateRules::all(Late::Finish),
        unassigned: Unassigned::Hold,
        firm: Vec::new(),
        drift: Drift::NONE,
        variation: Variation::NONE,
    }
}

/// A scheduler from a closure.
pub(crate) struct Script<F>(pub(crate) F);

impl<F: FnMut(&View, &mut Decision) + Send> Scheduler for Script<F> {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        (self.0)(view, out);
    }
}

/// Every open sub-job goes to the accelerator with the number of its network, first come, first served.
pub(crate) fn network_to_accelerator(view: &View, out: &mut Decision) {
    for sub in view.sub_jobs() {
        out.assign(sub.id, view.job_of(sub).network as usize, 0.0);
    }
}

/// All records of a run.
pub(crate) fn records(
    world: &World,
    requests: &[Request],
    rules: Rules,
    decide: impl FnMut(&View, &mut Decision) + Send,
) -> Vec<Record> {
    let engine = Engine::new(Arc::new(world.clone()), Arc::new(trace(requests)), rules);
    let mut records = Vec::new();
    run(engine, &mut Script(decide), &mut records).expect("the script is legal and leaves nothing waiting");
    records
}

/// When each request ended, in nanoseconds, by request id; NaN where it was dropped.
pub(crate) fn ends_ns(records: &[Record]) -> Vec<f64> {
    let mut ends = Vec::new();
    let mut set = |request: crate::sim::RequestId, end: f64| {
        let place = request.0 as usize;
        ends.resize(ends.len().max(place + 1), f64::NAN);
        ends[place] = end;
    };
    for record in records {
        match *record {
            Record::Arrival { request, .. } => set(request, f64::NAN),
            Record::Done { time, request, .. } => set(request, time.as_ps() / 1e3),
            _ => {}
        }
    }
    ends
}

/// Small random cases, which shrink to smaller ones.
pub(crate) fn any_case(accelerators: RangeInclusive<usize>) -> impl Strategy<Value = Case> {
    (any::<u64>().no_shrink(), accelerators, 1..4usize, 1..7usize, 1..14usize).prop_map(
        |(seed, accelerators, networks, layers, requests)| {
            Case::new(seed, Size { accelerators, networks, layers, requests })
        },
    )
}

/// Small random cases with phases, followers, late rules per tenant and ends at a time.
pub(crate) fn any_case_with_everything() -> impl Strategy<Value = Case> {
    (any::<u64>().no_shrink(), 1..=4usize, 1..4usize, 1..7usize, 1..24usize).prop_map(
        |(seed, accelerators, networks, layers, requests)| {
            Case::with_everything(seed, Size { accelerators, networks, layers, requests })
        },
    )
}

/// The records of a case under the scheduler of random legal actions.
pub(crate) fn chaos_records(case: &Case) -> Vec<Record> {
    let mut records = Vec::new();
    record_chaos(case, &mut records);
    records
}

pub(crate) fn record_chaos(case: &Case, out: &mut dyn Recorder) {
    run(case.engine(), &mut case.chaos(), out).expect("legal, and never idle with everything held");
}
