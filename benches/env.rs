//! Decisions per second of the training environment without a network: mixed on hetero-6 at load 0.9, one core, each
//! episode 500 requests. The actions cost next to nothing: least slack first, each to where c1 and what runs take least. The
//! name says how many open sub-jobs a decision had in the mean.

mod common;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mascot::experiment::Reward;
use mascot::plan::{rules, trace};
use mascot::policy::{Observation, features};
use mascot::train::{Env, Setup};

const REQUESTS: usize = 500;
const EPISODES: u64 = 4;

fn action(observation: &Observation, out: &mut Vec<f32>) {
    let accelerators = observation.accelerators();
    out.clear();
    for row in observation.rows().chunks_exact(features(accelerators)) {
        out.push(-row[3 * accelerators]);
        let busy = &row[2 * accelerators..];
        out.extend(row[..accelerators].iter().zip(busy).map(|(c1, busy)| -c1 - busy));
    }
}

/// Plays all episodes to their end; says how many decisions that took, and how many open sub-jobs they had.
fn play(env: &mut Env, actions: &mut [Vec<f32>]) -> (u64, usize) {
    let (mut decisions, mut sub_jobs) = (0, 0);
    loop {
        let open = env.episodes().iter().filter(|episode| !episode.is_over());
        let lengths = open.map(|episode| episode.observation().len());
        let (taken, seen) = lengths.fold((0, 0), |(taken, seen), length| (taken + 1, seen + length));
        if taken == 0 {
            return (decisions, sub_jobs);
        }
        decisions += taken;
        sub_jobs += seen;
        for (episode, out) in env.episodes().iter().zip(&mut *actions) {
            action(episode.observation(), out);
        }
        black_box(env.step(actions));
    }
}

fn env(c: &mut Criterion) {
    let case = common::mixed_at_90_percent();
    let traces: Vec<_> = (0..EPISODES).map(|seed| Arc::new(trace(&case, REQUESTS, seed))).collect();
    let world = Arc::clone(&case.site.world);
    let source = move |seed: u64| {
        let trace = Arc::clone(&traces[seed as usize]);
        Setup { world: Arc::clone(&world), trace, rules: rules(&case, 1), price: 0.0 }
    };
    let mut env = Env::new(Box::new(source), Reward::default(), u64::MAX);
    let seeds: Vec<u64> = (0..EPISODES).collect();
    let mut actions = vec![Vec::new(); seeds.len()];
    env.reset(&seeds);
    let (decisions, sub_jobs) = play(&mut env, &mut actions);
    let queue = format!("queue of {:.1}", sub_jobs as f64 / decisions as f64);
    let mut group = c.benchmark_group("env");
    group.throughput(Throughput::Elements(decisions));
    let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    group.bench_function(BenchmarkId::new("decisions", queue), |b| {
        one_core.install(|| {
            b.iter(|| {
                env.reset(&seeds);
                play(&mut env, &mut actions)
            });
        });
    });
    group.finish();
}

criterion_group!(benches, env);
criterion_main!(benches);
