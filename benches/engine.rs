//! Completed layers per second of whole runs, contention and energy on, without metrics: mixed on relmas-6 at load
//! 0.9, one core, one line per scheduler.

mod common;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mascot::experiment::sweep::{rules, trace};
use mascot::scheduler::SCHEDULERS;
use mascot::sim::{Engine, Record, Recorder, run};

const REQUESTS: usize = 500;

struct CountLayers(u64);

impl Recorder for CountLayers {
    fn record(&mut self, record: &Record) {
        self.0 += u64::from(matches!(record, Record::Finish { .. }));
    }
}

fn engine(c: &mut Criterion) {
    let case = common::mixed_at_90_percent();
    let trace = Arc::new(trace(&case, REQUESTS, 1));
    let start = Engine::new(Arc::clone(&case.site.world), trace, rules(&case));
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

criterion_group!(benches, engine);
criterion_main!(benches);
