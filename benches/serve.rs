//! What the level of requests costs: a fleet of ten sites beside its ten engines apart, the same requests at the same sites;
//! and a fleet without layers to speak of, per request.

mod common;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mascot::cost::LayerCost;
use mascot::dispatch::{BATCHES, Composed, ROUTES, VARIANTS, find};
use mascot::plan::{rules, trace};
use mascot::scheduler::find as scheduler;
use mascot::serve::{self, Client, FleetModel, ServedModel, ServedVariant, Site};
use mascot::sim::{
    AcceleratorModel, DecisionCost, Drift, Engine, Late, LateRules, LayerModel, NetworkModel, Platform,
    Request, Rules, Scheduler, Trace, Trigger, Unassigned, Variation, World, run,
};
use mascot::units::{Bytes, Picojoules, Time};
use mascot::workload::Qos;
use toml::Table;

const SITES: usize = 10;
const REQUESTS: usize = 100;

fn composed(route: &str) -> Composed {
    let none = &Table::new();
    let route = find("route", ROUTES, route).expect("registered");
    let variant = find("variant", VARIANTS, "best").expect("registered");
    let batch = find("batch", BATCHES, "single").expect("registered");
    let built = "no parameter is mandatory";
    Composed {
        route: (route.build)(none, 1).expect(built),
        variant: (variant.build)(none, 1).expect(built),
        batch: (batch.build)(none, 1).expect(built),
        order: None,
    }
}

fn edf() -> Box<dyn Scheduler> {
    (scheduler("edf").expect("registered").build)(&Table::new(), 1).expect("no parameter is mandatory")
}

/// Sites with a world each, at the nodes of tenants of their own; each tenant asks for each network.
fn fleet(world: &Arc<World>, rules: &Rules, sites: usize) -> FleetModel {
    let networks = world.networks.len();
    let model = |network: usize| ServedModel {
        name: network.to_string(),
        batches: vec![1],
        variants: vec![ServedVariant {
            name: network.to_string(),
            accuracy: 1.0,
            weight_bytes: 0.0,
            networks: vec![network as u32],
        }],
    };
    let here: Arc<[u32]> = Arc::new([]);
    let client = |(site, model): (usize, usize)| Client {
        model,
        node: site,
        input_bytes: 0.0,
        output_bytes: 0.0,
        terms: Default::default(),
        ways: (0..sites)
            .map(|other| (other == site).then(|| [Arc::clone(&here), Arc::clone(&here)]))
            .collect(),
    };
    let site = |number: usize| Site {
        name: number.to_string(),
        world: Arc::clone(world),
        rules: Rules { late: LateRules::all(Late::Finish), ..rules.clone() },
        slots: u32::MAX,
        deployed: vec![true; networks],
        cost_per_s: None,
        memory: None,
    };
    FleetModel {
        sites: (0..sites).map(site).collect(),
        models: (0..networks).map(model).collect(),
        wires: Vec::new(),
        clients: (0..sites)
            .flat_map(|site| (0..networks).map(move |model| (site, model)))
            .map(client)
            .collect(),
        nodes: sites,
        report: Time::ZERO,
        dispatch_cost: DecisionCost::Ideal,
        late: rules.late.clone(),
        changes: Vec::new(),
    }
}

fn ten_sites(c: &mut Criterion) {
    let case = common::mixed_at_90_percent();
    let (world, rules) = (&case.site.world, rules(&case, 1));
    let apart: Vec<Arc<Trace>> =
        (0..SITES).map(|site| Arc::new(trace(&case, REQUESTS, 1 + site as u64))).collect();
    let mut all: Vec<Request> = Vec::new();
    for (site, trace) in apart.iter().enumerate() {
        all.extend(trace.requests.iter().map(|request| Request {
            tenant: site as u32 * world.networks.len() as u32 + request.network,
            ..*request
        }));
    }
    all.sort_by_key(|request| request.arrival);
    let together = Arc::new(Trace { measured: 0..all.len(), requests: all, ..Trace::default() });
    let model =
        Arc::new(fleet(world, &Rules { late: LateRules::all(rules.late.rule), ..rules.clone() }, SITES));
    let mut group = c.benchmark_group("serve/ten_sites");
    group.throughput(Throughput::Elements(together.requests.len() as u64));
    group.bench_function("apart", |b| {
        b.iter(|| {
            for trace in &apart {
                let trace = Trace { measured: 0..trace.requests.len(), ..Trace::clone(trace) };
                let engine = Engine::new(Arc::clone(world), Arc::new(trace), rules.clone());
                run(engine, black_box(edf().as_mut()), &mut ()).expect("registered schedulers are legal");
            }
        });
    });
    group.bench_function("together", |b| {
        b.iter(|| {
            let schedulers = (0..SITES).map(|_| edf()).collect();
            let dispatcher = &mut composed("closest");
            serve::run(Arc::clone(&model), Arc::clone(&together), schedulers, black_box(dispatcher), &mut ())
                .expect("registered rules are legal");
        });
    });
    group.finish();
}

/// One accelerator and one layer of a microsecond a site, so that hardly anything but the fleet is left.
fn per_request(c: &mut Criterion) {
    let accelerators = vec![AcceleratorModel::new("m".into(), 0, 0.0)];
    let platform = Platform::new(accelerators, f64::INFINITY, mascot::hw::Sharing::MaxMin);
    let cost = LayerCost {
        latency: Time::from_us(1.0),
        dram_bytes: Bytes(0),
        weight_bytes: Bytes(0),
        input_bytes: Bytes(0),
        energy: Picojoules(1.0),
        utilization: 1.0,
        tiles: 1,
        on_chip: None,
    };
    let layer = LayerModel { name: "l".into(), after: Vec::new(), costs: vec![Some(cost)] };
    let networks = vec![NetworkModel::new("n", &[layer], &platform, None)];
    let world = Arc::new(World { platform, networks });
    let rules = Rules {
        trigger: Trigger::OnChange,
        decision_cost: DecisionCost::Ideal,
        late: LateRules::all(Late::Finish),
        unassigned: Unassigned::Hold,
        firm: Vec::new(),
        drift: Drift::NONE,
        variation: Variation::NONE,
    };
    let request = |number: usize| Request {
        tenant: 0,
        network: 0,
        priority: 1,
        qos: Qos::M,
        arrival: Time(number as u64 * 1_300_000),
        deadline: Time::MAX,
    };
    let requests: Vec<Request> = (0..10_000).map(request).collect();
    let trace = Arc::new(Trace { measured: 0..requests.len(), requests, ..Trace::default() });
    let model = Arc::new(fleet(&world, &rules, 1));
    let mut group = c.benchmark_group("serve/one_layer");
    group.throughput(Throughput::Elements(trace.requests.len() as u64));
    group.bench_function("engine", |b| {
        b.iter(|| {
            let engine = Engine::new(Arc::clone(&world), Arc::clone(&trace), rules.clone());
            run(engine, black_box(edf().as_mut()), &mut ()).expect("registered schedulers are legal");
        });
    });
    group.bench_function("fleet", |b| {
        b.iter(|| {
            let dispatcher = &mut composed("closest");
            serve::run(Arc::clone(&model), Arc::clone(&trace), vec![edf()], black_box(dispatcher), &mut ())
                .expect("registered rules are legal");
        });
    });
    group.finish();
}

criterion_group!(benches, ten_sites, per_request);
criterion_main!(benches);
