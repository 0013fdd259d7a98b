//! Random systems, networks, requests and rules for property tests, and a scheduler that does anything it may.

use std::ops::RangeInclusive;
use std::sync::Arc;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::platform;
use crate::cost::LayerCost;
use crate::hw::Sharing;
use crate::sim::{
    Decision, DecisionCost, Engine, Host, Late, LayerModel, NetworkModel, Platform, Record, Recorder,
    Request, Rules, Scheduler, Trace, Trigger, Unassigned, View, World, run,
};
use crate::units::{Bytes, Picojoules, Time};

/// Everything a run depends on; what a law changes about a run is a field here.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) platform: Platform,
    pub(crate) networks: Vec<Vec<LayerModel>>,
    pub(crate) max_sub_job: Option<Time>,
    pub(crate) trace: Trace,
    pub(crate) rules: Rules,
    /// Of the scheduler.
    pub(crate) seed: u64,
}

impl Case {
    pub(crate) fn world(&self) -> World {
        let resolve =
            |layers: &Vec<LayerModel>| NetworkModel::new("network", layers, &self.platform, self.max_sub_job);
        World { platform: self.platform.clone(), networks: self.networks.iter().map(resolve).collect() }
    }

    pub(crate) fn engine(&self) -> Engine {
        Engine::new(Arc::new(self.world()), Arc::new(self.trace.clone()), self.rules.clone())
    }

    pub(crate) fn scheduler(&self) -> Random {
        Random { rng: ChaCha8Rng::seed_from_u64(self.seed) }
    }

    pub(crate) fn run(&self, out: &mut dyn Recorder) {
        run(self.engine(), &mut self.scheduler(), out).expect("legal, and never idle with everything held");
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        self.run(&mut records);
        records
    }
}

/// Drops, holds, assigns or leaves each job at random; when nothing runs it assigns whatever it can, so that no run
/// waits for ever.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    rng: ChaCha8Rng,
}

impl Scheduler for Random {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let idle = view.accelerators().iter().all(|accelerator| accelerator.running.is_none());
        for (index, job) in view.jobs().iter().enumerate() {
            match self.rng.random_range(0..20) {
                _ if idle => self.assign_all_of(index, view, out),
                0 => out.drop_request(job.request),
                1..4 => out.hold(job.id),
                4..8 => {}
                _ => self.assign_all_of(index, view, out),
            }
        }
    }
}

impl Random {
    fn assign_all_of(&mut self, job: usize, view: &View, out: &mut Decision) {
        for sub in view.sub_jobs().iter().filter(|sub| sub.job == job) {
            let able: Vec<usize> =
                (0..view.accelerators().len()).filter(|&m| view.alone(sub, m).is_some()).collect();
            let accelerator = able[self.rng.random_range(0..able.len())];
            // Few levels, so that ties are common.
            let priority = f64::from(self.rng.random_range(0..3));
            out.assign_weighted(sub.id, accelerator, priority, self.rng.random_range(0.1..10.0));
            out.operations.comparisons += 1;
        }
    }
}

/// Layers of 1 ps to 20 ns whose demands lie on both sides of the bandwidth, on some of the accelerators.
pub(crate) fn any_case(accelerators: RangeInclusive<usize>) -> impl Strategy<Value = Case> {
    (accelerators, 1..4usize).prop_flat_map(|(accelerators, networks)| {
        (
            any_platform(accelerators),
            prop::collection::vec(any_network(accelerators), networks),
            option::weighted(0.3, (1_000..20_000u64).prop_map(Time)),
            any_trace(networks as u32),
            any_rules(),
            any::<u64>(),
        )
            .prop_map(|(platform, networks, max_sub_job, trace, rules, seed)| Case {
                platform,
                networks,
                max_sub_job,
                trace,
                rules,
                seed,
            })
    })
}

fn any_platform(accelerators: usize) -> impl Strategy<Value = Platform> {
    let bandwidth = prop_oneof![7 => 1.0..40.0f64, 1 => Just(f64::INFINITY)];
    (bandwidth, any_sharing())
        .prop_map(move |(bandwidth, sharing)| Platform { sharing, ..platform(accelerators, bandwidth) })
}

pub(crate) fn any_sharing() -> impl Strategy<Value = Sharing> {
    use Sharing::{Fifo, Knee, MaxMin, Proportional, Score};
    prop_oneof![Just(MaxMin), Just(Proportional), Just(Fifo), Just(Score), Just(Knee)]
}

fn any_network(accelerators: usize) -> impl Strategy<Value = Vec<LayerModel>> {
    let costs = prop::collection::vec(option::weighted(0.7, any_cost()), accelerators);
    let layer = (any::<u8>(), costs, 0..accelerators, any_cost());
    prop::collection::vec(layer, 1..6).prop_map(|layers| {
        let mut network = Vec::with_capacity(layers.len());
        for (after, mut costs, able, cost) in layers {
            costs[able].get_or_insert(cost);
            let after = (0..network.len()).filter(|predecessor| after >> predecessor & 1 == 1).collect();
            network.push(LayerModel { name: "layer".into(), after, costs });
        }
        network
    })
}

fn any_cost() -> impl Strategy<Value = LayerCost> {
    let dram_bytes = prop_oneof![1 => Just(0), 3 => 1..400u64];
    (1..20_000u64, dram_bytes, 1..8u64, 0.0..9.0f64).prop_map(|(latency_ps, dram_bytes, tiles, energy)| {
        LayerCost {
            latency: Time(latency_ps),
            dram_bytes: Bytes(dram_bytes),
            energy: Picojoules(energy),
            utilization: 0.5,
            tiles,
        }
    })
}

fn any_trace(networks: u32) -> impl Strategy<Value = Trace> {
    let gap = prop_oneof![1 => Just(0), 3 => 1..20_000u64];
    let request = (0..networks, 0..4u32, gap, 0..100_000u64);
    let requests = prop::collection::vec(request, 1..13);
    (requests, any::<Index>(), any::<Index>()).prop_map(|(requests, first, counted)| {
        let mut arrival = Time::ZERO;
        let resolve = |(network, priority, gap, slack)| {
            arrival += Time(gap);
            Request { tenant: network, network, priority, arrival, deadline: arrival + Time(slack) }
        };
        let requests: Vec<Request> = requests.into_iter().map(resolve).collect();
        let first = first.index(requests.len());
        let counted = first..first + 1 + counted.index(requests.len() - first);
        Trace { requests, counted }
    })
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let trigger = prop_oneof![
        (1..10_000u64).prop_map(|period| Trigger::Periodic(Time(period))),
        Just(Trigger::OnIdle),
        Just(Trigger::OnChange),
    ];
    let host =
        (0..5_000u64).prop_map(|base| DecisionCost::Host(Host { base: Time(base), ..Host::default() }));
    let decision_cost = prop_oneof![Just(DecisionCost::Ideal), host];
    let late = prop_oneof![Just(Late::Finish), Just(Late::Abort)];
    let unassigned = prop_oneof![Just(Unassigned::Hold), Just(Unassigned::Sticky)];
    (trigger, decision_cost, late, unassigned).prop_map(|(trigger, decision_cost, late, unassigned)| Rules {
        trigger,
        decision_cost,
        late,
        unassigned,
    })
}
