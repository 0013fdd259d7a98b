//! Decisions per second of the training environment without a network: mixed on relmas-6 at load 0.9, one core, each
//! episode 500 requests. An answer costs nothing here: every sub-job gets its smallest c1 and its slack as priority.

mod common;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mascot::experiment::sweep::{rules, trace};
use mascot::rl::env::{Env, Reward, Setup};
use mascot::rl::observation::{Observation, features};

const REQUESTS: usize = 500;
const EPISODES: u64 = 4;

fn answer(observation: &Observation, out: &mut Vec<f32>) {
    let accelerators = observation.accelerators();
    out.clear();
    for row in observation.rows().chunks_exact(features(accelerators)) {
        out.push(-row[3 * accelerators]);
        out.extend(row[..accelerators].iter().map(|c1| -c1));
    }
}

/// Plays all episodes to their end; says how many decisions that took.
fn play(env: &mut Env, answers: &mut [Vec<f32>]) -> u64 {
    let mut decisions = 0;
    loop {
        let open = env.episodes().iter().filter(|episode| !episode.is_over()).count();
        if open == 0 {
            return decisions;
        }
        decisions += open as u64;
        for (episode, out) in env.episodes().iter().zip(&mut *answers) {
            answer(episode.observation(), out);
        }
        black_box(env.step(answers));
    }
}

fn env(c: &mut Criterion) {
    let case = common::mixed_at_90_percent();
    let traces: Vec<_> = (0..EPISODES).map(|seed| Arc::new(trace(&case, REQUESTS, seed))).collect();
    let world = Arc::clone(&case.site.world);
    let source = move |seed: u64| {
        let trace = Arc::clone(&traces[seed as usize]);
        Setup { world: Arc::clone(&world), trace, rules: rules(&case) }
    };
    let mut env = Env::new(Box::new(source), Reward::default(), u64::MAX);
    let seeds: Vec<u64> = (0..EPISODES).collect();
    let mut answers = vec![Vec::new(); seeds.len()];
    env.reset(&seeds);
    let decisions = play(&mut env, &mut answers);
    let mut group = c.benchmark_group("env");
    group.throughput(Throughput::Elements(decisions));
    let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    group.bench_function("decisions", |b| {
        one_core.install(|| {
            b.iter(|| {
                env.reset(&seeds);
                play(&mut env, &mut answers)
            });
        });
    });
    group.finish();
}

criterion_group!(benches, env);
criterion_main!(benches);
