//! What one decision costs on this machine: every scheduler on a view of 4, 16, 64 and 256 ready sub-jobs of the mixed
//! scenario on relmas-6.

mod common;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use mascot::experiment::sweep::{rules, trace};
use mascot::scheduler::SCHEDULERS;
use mascot::sim::{Decision, Engine, Step, Trace};
use mascot::units::Time;

const QUEUES: [usize; 4] = [4, 16, 64, 256];

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
            let mut scheduler = (entry.build)(&toml::Table::new(), 1).expect("no parameter is mandatory");
            let mut decision = Decision::default();
            group.bench_function(BenchmarkId::new(entry.name, queue), |b| {
                b.iter(|| {
                    decision.clear();
                    scheduler.decide(black_box(&engine.view()), &mut decision);
                    black_box(decision.actions.len())
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, decision_overhead);
criterion_main!(benches);
