//! What the cost model costs on one core: one mapping evaluated, one layer searched, one network searched. A line
//! on standard output gives the median and the slowest search over every distinct layer of the shipped networks.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mascot::cost::{Evaluator, Goal, evaluate, mapper};
use mascot::dims::{Dim, DimSet};
use mascot::experiment::{DataRoot, Kind};
use mascot::hw::{AccelSpec, Level, Objective};
use mascot::workload::LoopNest;

const GOAL: Goal = Goal { objective: Objective::Edp, bandwidth_gbps: 32.0 };

fn data() -> DataRoot {
    DataRoot::find(None).expect("the data is in the source tree")
}

fn accelerator(name: &str) -> AccelSpec {
    data().accelerator(name).expect("the shipped accelerators are valid")
}

/// The distinct loop nests of some networks, each with the first layer that has it.
fn nests(networks: &[String]) -> BTreeMap<LoopNest, String> {
    let mut found = BTreeMap::new();
    for name in networks {
        let network = data().network(name).expect("the shipped networks are valid");
        for layer in &network.layers {
            if let Some(nest) = layer.op.nest() {
                found.entry(*nest).or_insert_with(|| format!("{name}/{}", layer.name));
            }
        }
    }
    found
}

/// The 3 x 3 convolution of ResNet-50's third stage.
fn middle_layer() -> LoopNest {
    LoopNest { bounds: [1, 1, 256, 256, 14, 14, 3, 3], stride: [1; 2], dilation: [1; 2], padding: [0; 2] }
}

/// 96 output channels of 384 input channels, on 14 x 14 pixels.
fn pointwise() -> LoopNest {
    LoopNest { bounds: [1, 1, 96, 384, 14, 14, 1, 1], stride: [1; 2], dilation: [1; 2], padding: [0; 2] }
}

/// The same accelerator with every loop in time allowed at every level.
fn open(accel: &AccelSpec) -> AccelSpec {
    let mut open = accel.clone();
    for level in &mut open.levels {
        if let Level::Storage(storage) = level {
            storage.temporal = DimSet::of(&Dim::ALL);
        }
    }
    open
}

fn one_mapping(c: &mut Criterion) {
    let (accel, nest) = (accelerator("simba_chip"), middle_layer());
    let found = mapper::search(&accel, &nest, GOAL).expect("a 3 x 3 convolution has a mapping");
    let mut group = c.benchmark_group("cost/mapping");
    group.throughput(Throughput::Elements(1));
    group.bench_function("evaluate", |b| {
        b.iter(|| black_box(evaluate(&accel, &nest, black_box(&found.mapping)).map(|e| e.cycles)));
    });
    let evaluator = Evaluator::new(&accel, &nest).expect("a checked layer");
    group.bench_function("cost", |b| b.iter(|| black_box(evaluator.cost(black_box(&found.mapping)))));
    group.finish();
}

fn searched(c: &mut Criterion) {
    let simba = accelerator("simba_chip");
    let resnet50: Vec<LoopNest> = nests(&["resnet50".into()]).into_keys().collect();
    let mut group = c.benchmark_group("cost/search");
    group.sample_size(10);
    group.throughput(Throughput::Elements(1));
    group.bench_function("layer", |b| b.iter(|| search(&simba, &middle_layer())));
    group.bench_function("open", |b| {
        let (open, nest) = (open(&simba), pointwise());
        b.iter(|| search(&open, &nest));
    });
    group.throughput(Throughput::Elements(resnet50.len() as u64));
    group.bench_function("resnet50", |b| b.iter(|| resnet50.iter().for_each(|nest| search(&simba, nest))));
    group.finish();
}

fn every_layer(_: &mut Criterion) {
    let all = nests(&data().names(Kind::Network));
    for name in ["eyeriss_chip", "simba_chip"] {
        report(&accelerator(name), &all);
    }
}

fn search(accel: &AccelSpec, nest: &LoopNest) {
    black_box(mapper::search(accel, black_box(nest), GOAL));
}

/// Passes over all layers; the shortest time of each layer counts, because whatever else the machine does only adds.
const PASSES: usize = 3;

/// Prints what the layers took.
#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a bench measures and reports")]
fn report(accel: &AccelSpec, layers: &BTreeMap<LoopNest, String>) {
    let mut times: Vec<(Duration, &str)> =
        layers.values().map(|name| (Duration::MAX, name.as_str())).collect();
    for _ in 0..PASSES {
        for (nest, (time, _)) in layers.keys().zip(&mut times) {
            let start = Instant::now();
            search(accel, nest);
            *time = start.elapsed().min(*time);
        }
    }
    times.sort_unstable();
    let (median, (slowest, name)) = (times[times.len() / 2].0, times[times.len() - 1]);
    println!("{}: {} layers, median {median:.2?}, slowest {slowest:.2?} ({name})", accel.name, times.len());
}

criterion_group!(benches, one_mapping, searched, every_layer);
criterion_main!(benches);
