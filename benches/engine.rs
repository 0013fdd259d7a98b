//! Completed layers per second of whole runs, contention and energy on, without metrics: mixed on hetero-6 at load
//! 0.9, one core, one line per scheduler. And the engine alone, without a scheduler: against the requests in flight,
//! against the accelerators, and as a roll-out.

mod common;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Bencher, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mascot::cost::LayerCost;
use mascot::hw::Sharing;
use mascot::plan::{rules, trace};
use mascot::scheduler::SCHEDULERS;
use mascot::sim::{
    AcceleratorModel, Decision, DecisionCost, Drift, Engine, LateRules, LayerModel, NetworkModel, Origin,
    Platform, Record, Recorder, Request, Rules, Step, Trace, Trigger, Unassigned, Variation, World, run,
};
use mascot::units::{Bytes, Picojoules, Time};
use mascot::workload::{Late, Qos};

const REQUESTS: usize = 500;

struct CountLayers(u64);

impl Recorder for CountLayers {
    fn record(&mut self, record: &Record, _: Origin) {
        self.0 += u64::from(matches!(record, Record::Finish { .. }));
    }
}

fn engine(c: &mut Criterion) {
    let case = common::mixed_at_90_percent();
    let trace = Arc::new(trace(&case, REQUESTS, 1));
    let start = Engine::new(Arc::clone(&case.site.world), trace, rules(&case, 1));
    let mut group = c.benchmark_group("engine");
    for entry in SCHEDULERS {
        let once = || {
            let mut scheduler = (entry.build)(&toml::Table::new(), 1).expect("no parameter is mandatory");
            let mut layers = CountLayers(0);
            run(start.clone(), scheduler.as_mut(), &mut layers).expect("registered schedulers are legal");
            layers.0
        };
        group.throughput(Throughput::Elements(once()));
        group.bench_function(entry.name, |b| b.iter(|| black_box(once())));
    }
    group.finish();
}

/// Layers of a chain, half of them memory-bound when several run.
const LAYERS: usize = 8;
/// Networks of each length, no two with equal times, so that few layers end at one instant.
const NETWORKS: usize = 7;

fn chains(accelerators: usize, layers: usize) -> Arc<World> {
    let accelerator = |i| AcceleratorModel::new(format!("m{i}"), 0, 0.0);
    let bandwidth_bytes_per_ps = 0.001 * accelerators as f64;
    let models = (0..accelerators).map(accelerator).collect();
    let platform = Platform::new(models, bandwidth_bytes_per_ps, Sharing::MaxMin);
    let layer = |network: usize, i: usize| {
        let cost = LayerCost {
            latency: Time::from_us(1.0 + 0.1 * network as f64 + 0.013 * i as f64),
            dram_bytes: Bytes(if i.is_multiple_of(2) { 4_000 } else { 100 }),
            weight_bytes: Bytes(0),
            input_bytes: Bytes(0),
            energy: Picojoules(1.0),
            utilization: 1.0,
            tiles: 1,
            on_chip: None,
        };
        let after = if i == 0 { vec![] } else { vec![i - 1] };
        LayerModel { name: format!("l{i}"), after, costs: vec![Some(cost); accelerators] }
    };
    let chain = |network: usize| {
        let layers: Vec<LayerModel> = (0..layers).map(|i| layer(network, i)).collect();
        NetworkModel::new("chain", &layers, &platform, None)
    };
    let networks = (0..NETWORKS).map(chain).collect();
    Arc::new(World { platform, networks })
}

/// An engine with so many requests at time zero, at its first decision.
fn opened(accelerators: usize, requests: usize, layers: usize) -> Engine {
    let request = |i: usize| {
        let network = (i % NETWORKS) as u32;
        Request { tenant: 0, network, priority: 1, qos: Qos::M, arrival: Time::ZERO, deadline: Time::MAX }
    };
    let trace =
        Trace { requests: (0..requests).map(request).collect(), measured: 0..requests, ..Trace::default() };
    let rules = Rules {
        trigger: Trigger::OnChange,
        decision_cost: DecisionCost::Ideal,
        late: LateRules::all(Late::Finish),
        unassigned: Unassigned::Sticky,
        firm: Vec::new(),
        drift: Drift::NONE,
        variation: Variation::NONE,
    };
    let mut engine = Engine::new(chains(accelerators, layers), Arc::new(trace), rules);
    assert_eq!(engine.run_to_decision(&mut ()), Step::Decide);
    engine
}

/// The same with all assigned in turn; nothing is decided from then on.
fn assigned(accelerators: usize, requests: usize, layers: usize) -> Engine {
    let mut engine = opened(accelerators, requests, layers);
    let mut decision = Decision::default();
    for (i, sub) in engine.view().sub_jobs().iter().enumerate() {
        decision.assign(sub.id, i % accelerators, 0.0);
    }
    engine.apply(&decision, &mut ()).expect("every accelerator runs every layer");
    engine.set_trigger(Trigger::Never);
    engine
}

/// The engine without a scheduler: layers per second against the requests in flight and the accelerators.
fn scaling(c: &mut Criterion) {
    let mut group = c.benchmark_group("scaling");
    let cases = [10, 100, 1_000, 10_000, 100_000].map(|requests| ("in_flight", requests, 6, requests));
    let wide = [2, 8, 32, 64, 128, 256, 512, 1_024]
        .map(|accelerators| ("accelerators", accelerators, accelerators, 4 * accelerators.max(64)));
    for (name, size, accelerators, requests) in cases.into_iter().chain(wide) {
        let start = assigned(accelerators, requests, LAYERS);
        group.throughput(Throughput::Elements((requests * LAYERS) as u64));
        group.bench_function(BenchmarkId::new(name, size), |b| run_out(b, &start));
    }
    group.finish();
}

/// A roll-out: 100 one-layer jobs on four accelerators; once only cloned, once cloned and run.
fn rollout(c: &mut Criterion) {
    let mut group = c.benchmark_group("rollout");
    let start = assigned(4, 100, 1);
    group.throughput(Throughput::Elements(100));
    let mut fork = start.clone();
    group.bench_function("clone_from", |b| b.iter(|| fork.clone_from(black_box(&start))));
    group.bench_function("clone_from_and_run", |b| run_out(b, &start));
    group.finish();
}

/// The schedules that `magma` tries in a second, for the batch of its paper: 100 jobs of one layer on four accelerators.
fn magma(c: &mut Criterion) {
    const SAMPLES: u64 = 1_000;
    let parameters = format!("samples = {SAMPLES}\npopulation = 100\nobjective = 'makespan'");
    let parameters = parameters.parse().expect("valid TOML");
    let magma = mascot::scheduler::find("magma").expect("registered");
    let engine = opened(4, 100, 1);
    let mut group = c.benchmark_group("magma");
    group.throughput(Throughput::Elements(SAMPLES));
    group.bench_function("batch_of_100", |b| {
        b.iter(|| {
            let mut decision = Decision::default();
            let mut scheduler = (magma.build)(&parameters, 1).expect("valid parameters");
            scheduler.decide(&engine.view(), &mut decision);
            black_box(decision)
        });
    });
    group.finish();
}

fn run_out(b: &mut Bencher, start: &Engine) {
    let mut engine = start.clone();
    b.iter(|| {
        engine.clone_from(black_box(start));
        assert_eq!(engine.run_to_decision(&mut ()), Step::Finished);
    });
}

criterion_group!(benches, engine, scaling, rollout, magma);
criterion_main!(benches);
