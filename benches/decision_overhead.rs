//! What one decision costs on this machine: every scheduler on a view of 1, 4, 16, 64 and 256 ready sub-jobs of the mixed
//! scenario on relmas-6, and the learned ones with weights of no use, which take the same time. `lookahead` and `magma`
//! search when a request has arrived: they are measured then. With the feature `train`, the actor of `relmas` alone, in our
//! forward pass and in libtorch on one thread.

mod common;

use std::hint::black_box;
use std::sync::Arc;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use mascot::experiment::sweep::{rules, trace};
use mascot::rl::mascot::{Mascot, untrained};
use mascot::rl::relmas::{Actor, HIDDEN, Relmas, initial};
use mascot::rng::stream;
use mascot::scheduler::SCHEDULERS;
use mascot::sim::{Decision, Engine, Scheduler, Step, Trace};
use mascot::units::Time;

const QUEUES: [usize; 5] = [1, 4, 16, 64, 256];

fn decision_overhead(c: &mut Criterion) {
    let case = common::mixed_at_90_percent();
    let mut group = c.benchmark_group("decision_overhead");
    for queue in QUEUES {
        // Every network of the mix has one first layer: as many requests at time 0 are as many ready sub-jobs.
        let mut requests = trace(&case, queue, 1).requests[..queue].to_vec();
        requests.iter_mut().for_each(|request| request.arrival = Time::ZERO);
        let trace = Trace { counted: 0..queue, requests, ..Trace::default() };
        let mut engine = Engine::new(Arc::clone(&case.site.world), Arc::new(trace), rules(&case));
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
        decides(&mut group, "mascot", &engine, &mut Mascot::new(&untrained(1)));
        let accelerators = engine.view().accelerators().len();
        let weights = initial(accelerators, HIDDEN, &mut stream(1, "bench", "relmas"));
        let actor = Actor::new(&weights, accelerators).expect("all tensors");
        decides(&mut group, "relmas", &engine, &mut Relmas::new(actor));
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
fn forward_pass(c: &mut Criterion) {
    use rand::RngExt;

    use mascot::rl::train::{Parameters, lstm, one_thread};

    let (accelerators, mut random) = (6, stream(1, "bench", "forward_pass"));
    let weights = initial(accelerators, HIDDEN, &mut random);
    let mut ours = Actor::new(&weights, accelerators).expect("all tensors");
    let theirs = Parameters::new(&weights);
    one_thread();
    let mut group = c.benchmark_group("forward_pass");
    for queue in [1, 4, 16, 64] {
        let count = queue * mascot::rl::observation::features(accelerators);
        let rows: Vec<f32> = (0..count).map(|_| random.random_range(-3.0..3.0)).collect();
        let mut out = Vec::new();
        group.bench_function(BenchmarkId::new("ours", queue), |b| {
            b.iter(|| ours.answer(black_box(&rows), &mut out));
        });
        group.bench_function(BenchmarkId::new("libtorch", queue), |b| {
            b.iter(|| lstm::answer(&theirs, accelerators, black_box(&rows)));
        });
    }
    group.finish();
}

#[cfg(feature = "train")]
criterion_group!(benches, decision_overhead, forward_pass);
#[cfg(not(feature = "train"))]
criterion_group!(benches, decision_overhead);
criterion_main!(benches);
