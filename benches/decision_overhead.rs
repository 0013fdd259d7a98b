//! What one decision costs on this machine: every scheduler on a view of 1, 4, 16, 64 and 256 ready sub-jobs of the mixed
//! scenario on hetero-6, and the learned ones with weights of no use, which take the same time. `lookahead` and `magma`
//! search when a request has arrived: they are measured then. `relmas_net` is the net of `relmas` alone; with the feature
//! `train`, `relmas_tch` is the same net in libtorch on one thread, and its action.

mod common;

use std::hint::black_box;
use std::sync::Arc;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use mascot::plan::{rules, trace};
#[cfg(feature = "train")]
use mascot::policy::Tensors;
use mascot::policy::{Actor, HIDDEN, LearnedGate, Observation, Relmas, initial, untrained};
use mascot::rng::stream;
use mascot::scheduler::SCHEDULERS;
use mascot::sim::{Decision, Engine, Scheduler, Step, Trace};
#[cfg(feature = "train")]
use mascot::train::torch::{Parameters, lstm, one_thread};
use mascot::units::Time;

const QUEUES: [usize; 5] = [1, 4, 16, 64, 256];

fn decision_overhead(c: &mut Criterion) {
    let case = common::mixed_at_90_percent();
    let mut group = c.benchmark_group("decision_overhead");
    for queue in QUEUES {
        // Every network of the mix has one first layer: as many requests at time 0 are as many ready sub-jobs.
        let mut requests = trace(&case, queue, 1).requests[..queue].to_vec();
        requests.iter_mut().for_each(|request| request.arrival = Time::ZERO);
        let trace = Trace { measured: 0..queue, requests, ..Trace::default() };
        let mut engine = Engine::new(Arc::clone(&case.site.world), Arc::new(trace), rules(&case, 1));
        assert_eq!(engine.run_to_decision(&mut ()), Step::Decide);
        assert_eq!(engine.view().sub_jobs().len(), queue);
        for entry in SCHEDULERS {
            let build = || (entry.build)(&toml::Table::new(), 1).expect("no parameter is mandatory");
            if ["lookahead", "magma"].contains(&entry.name) {
                searches(&mut group, entry.name, &engine, build);
            } else {
                decides(&mut group, entry.name, &engine, build().as_mut());
            }
        }
        decides(&mut group, "learned_gate", &engine, &mut LearnedGate::new(&untrained(1)));
        let accelerators = engine.view().accelerators().len();
        let weights = initial(accelerators, HIDDEN, &mut stream(1, "bench", "relmas"));
        let actor = Actor::new(&weights, accelerators).expect("all tensors");
        decides(&mut group, "relmas", &engine, &mut Relmas::new(actor.clone()));
        let mut observation = Observation::new(engine.view().world());
        observation.observe(&engine.view());
        let (mut actor, mut out) = (actor, Vec::new());
        group.bench_function(BenchmarkId::new("relmas_net", queue), |b| {
            b.iter(|| actor.act(black_box(observation.rows()), &mut out));
        });
        #[cfg(feature = "train")]
        answers_in_tch(&mut group, &weights, &observation);
    }
    group.finish();
}

fn decides(group: &mut BenchmarkGroup<WallTime>, name: &str, engine: &Engine, scheduler: &mut dyn Scheduler) {
    let mut decision = Decision::default();
    let id = BenchmarkId::new(name, engine.view().sub_jobs().len());
    group.bench_function(id, |b| {
        b.iter(|| {
            decision.clear();
            scheduler.decide(black_box(&engine.view()), &mut decision);
            black_box(decision.actions.len())
        });
    });
}

fn searches(
    group: &mut BenchmarkGroup<WallTime>,
    name: &str,
    engine: &Engine,
    build: impl Fn() -> Box<dyn Scheduler>,
) {
    let id = BenchmarkId::new(name, engine.view().sub_jobs().len());
    let mut decision = Decision::default();
    group.sample_size(10);
    group.bench_function(id, |b| {
        let decide = |mut scheduler: Box<dyn Scheduler>| {
            decision.clear();
            scheduler.decide(black_box(&engine.view()), &mut decision);
            scheduler
        };
        b.iter_batched(&build, decide, BatchSize::SmallInput);
    });
    group.sample_size(100);
}

#[cfg(feature = "train")]
fn answers_in_tch(group: &mut BenchmarkGroup<WallTime>, weights: &Tensors, observation: &Observation) {
    let actor = Parameters::new(weights);
    one_thread();
    group.bench_function(BenchmarkId::new("relmas_tch", observation.len()), |b| {
        b.iter(|| lstm::action(&actor, observation.accelerators(), black_box(observation.rows())));
    });
}

criterion_group!(benches, decision_overhead);
criterion_main!(benches);
