//! Random fleets: sites, models, links, clients and requests from a seed, for `mascot fuzz --fleet` and for tests.
//!
//! Half of the fleets have opaque sites, whose networks are one layer of a few picoseconds, so that many things happen at
//! one instant; the sites of the others are the systems of [`Case`]s, with layers that share bandwidth, the rules of an
//! experiment, and changing conditions.

use std::fmt;
use std::sync::Arc;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;

use super::{Case, Chaos, Size};
use crate::cost::LayerCost;
use crate::hw::Sharing;
use crate::rng;
use crate::serve::{
    Client, FleetModel, Hop, ServedModel, ServedVariant, ServiceTerms, Site, SiteMemory, Wire, WireChange,
    WireSharing,
};
use crate::sim::{
    AcceleratorModel, Change, DecisionCost, DramPower, Drift, Follower, Gating, Host, Late, LateRules,
    LayerModel, Losing, NetworkModel, Platform, Request, Rules, Scheduler, Span, Trace, Trigger, Unassigned,
    Variation, World,
};
use crate::units::{Bytes, Picojoules, Time};
use crate::workload::{After, Qos, Utility};

/// Everything that a run of a fleet depends on, except those who decide.
#[derive(Clone, Debug)]
pub struct FleetCase {
    /// The seed from which it was drawn.
    pub seed: u64,
    /// The fleet.
    pub model: FleetModel,
    /// The requests.
    pub trace: Trace,
    /// The times of the case are up to a few hundred of these.
    pub unit: Time,
}

impl FleetCase {
    /// The case of a seed: 1 to 4 sites, up to 6 links, 1 to 3 models of 1 to 3 variants, up to 3 clients and 50 requests.
    pub fn new(seed: u64) -> Self {
        let rng = &mut rng::stream(seed, "fleet", "case");
        let mut networks = 0..;
        let models: Vec<ServedModel> =
            (0..rng.random_range(1..4)).map(|number| model(number, &mut networks, rng)).collect();
        let networks = networks.start as usize;
        let is_opaque = rng.random();
        let power = &mut rng::stream(seed, "fleet", "power");
        let sites = 0..rng.random_range(1..5);
        let sites: Vec<Site> = sites
            .map(|number| {
                let (world, rules) = match is_opaque {
                    true => opaque(networks, rng, power),
                    false => layered(seed, number, networks, rng),
                };
                Site {
                    name: format!("site{number}"),
                    world: Arc::new(world),
                    rules,
                    slots: rng.random_range(1..4),
                    deployed: models.iter().map(|_| rng.random_range(0..5) > 0).collect(),
                    cost_per_s: None,
                    memory: None,
                }
            })
            .collect();
        let unit = if is_opaque { Time(1) } else { unit(&sites) };
        let (mut sites, mut models) = (sites, models);
        add_memories(&mut sites, &mut models, unit, &mut rng::stream(seed, "fleet", "memories"));
        let draw = Scaled { unit };
        let wires: Vec<Wire> = (0..rng.random_range(0..7)).map(|_| draw.wire(rng)).collect();
        let mut model = FleetModel {
            clients: (0..rng.random_range(1..4))
                .map(|_| draw.client(&models, sites.len(), &wires, rng))
                .collect(),
            nodes: 3,
            report: draw.times([0, 0, 1, 7, 50][rng.random_range(0..5)]),
            dispatch_cost: if rng.random() { DecisionCost::Ideal } else { draw.host(rng) },
            late: LateRules::all(if rng.random() { Late::Abort } else { Late::Finish }),
            changes: if rng.random() { Vec::new() } else { draw.changes(wires.len(), rng) },
            sites,
            models,
            wires,
        };
        serve_everybody(&mut model);
        let trace = draw.trace(&model, rng);
        Self { seed, model, trace, unit }
    }

    /// A scheduler of random legal actions for each site.
    pub fn schedulers(&self) -> Vec<Box<dyn Scheduler>> {
        let sites = 0..self.model.sites.len() as u64;
        sites.map(|site| Box::new(self.scheduler(site)) as Box<dyn Scheduler>).collect()
    }

    /// That of one site.
    pub fn scheduler(&self, site: u64) -> Chaos {
        Chaos::new(self.seed.wrapping_mul(8).wrapping_add(site))
    }
}

/// Gives weights to all variants, and a third of the sites a memory that does not hold all of them at once. Loading takes
/// up to a hundred units.
fn add_memories(sites: &mut [Site], models: &mut [ServedModel], unit: Time, rng: &mut ChaCha8Rng) {
    let mut most: f64 = 0.0;
    for variant in models.iter_mut().flat_map(|model| &mut model.variants) {
        variant.weight_bytes = rng.random_range(1..=100).into();
        most = most.max(variant.weight_bytes);
    }
    for site in sites {
        let bytes = most * rng.random_range(1.0..3.0);
        let load_bytes_per_ps = rng.random_range(1.0..20.0) / unit.as_ps();
        site.memory = (rng.random_range(0..3) == 0).then_some(SiteMemory { bytes, load_bytes_per_ps });
    }
}

fn model(number: usize, networks: &mut std::ops::RangeFrom<u32>, rng: &mut ChaCha8Rng) -> ServedModel {
    let lists: [&[u32]; 4] = [&[1], &[1, 2], &[1, 4], &[1, 2, 3, 4]];
    let batches = lists[rng.random_range(0..4)].to_vec();
    let count = rng.random_range(1..4);
    let variant = |name: i32| ServedVariant {
        name: name.to_string(),
        accuracy: rng.random(),
        weight_bytes: 0.0,
        networks: networks.by_ref().take(batches.len()).collect(),
    };
    let variants = (0..count).map(variant).collect();
    ServedModel { name: format!("model{number}"), batches, variants }
}

/// A site that shares no bandwidth and whose networks have one layer each.
fn opaque(networks: usize, rng: &mut ChaCha8Rng, power: &mut ChaCha8Rng) -> (World, Rules) {
    let accelerator = |i| AcceleratorModel::new(format!("m{i}"), 0, 0.0);
    let accelerators = (0..rng.random_range(1..4)).map(accelerator).collect();
    let mut platform = Platform::new(accelerators, f64::INFINITY, Sharing::MaxMin);
    add_power(&mut platform, power);
    let mut network = || {
        let cost = LayerCost {
            latency: Time(rng.random_range(1..80)),
            dram_bytes: Bytes(0),
            weight_bytes: Bytes(0),
            input_bytes: Bytes(0),
            energy: Picojoules(1.0),
            utilization: 0.5,
            tiles: 1,
            on_chip: None,
        };
        let costs = vec![Some(cost); platform.accelerators.len()];
        NetworkModel::new(
            "",
            &[LayerModel { name: String::new(), after: Vec::new(), costs }],
            &platform,
            None,
        )
    };
    let networks = (0..networks).map(|_| network()).collect();
    let world = World { platform, networks };
    let rules = Rules {
        trigger: Trigger::OnChange,
        decision_cost: DecisionCost::Ideal,
        late: LateRules::all(Late::Finish),
        unassigned: Unassigned::Hold,
        firm: Vec::new(),
        drift: if rng.random() { Drift::NONE } else { changing(&world, rng) },
        variation: Variation::NONE,
    };
    (world, rules)
}

/// Leakage, clock power, gating and power of the DRAM, at half of the sites, from a stream of its own.
fn add_power(platform: &mut Platform, rng: &mut ChaCha8Rng) {
    if rng.random() {
        return;
    }
    for accelerator in &mut platform.accelerators {
        accelerator.leakage_pj_per_ps = rng.random::<f64>();
        accelerator.clock_pj_per_ps = rng.random::<f64>();
        let (after, wake) = (Time(rng.random_range(0..40)), Picojoules(rng.random_range(0.0..50.0)));
        let gating = Gating { after, residual: rng.random(), wake };
        accelerator.gating = rng.random::<bool>().then_some(gating);
    }
    platform.dram_power =
        DramPower { background_pj_per_ps: rng.random::<f64>(), refresh_pj_per_ps: rng.random::<f64>() };
}

/// Up to two changes of a site; an accelerator may be lost if another is left.
fn changing(world: &World, rng: &mut ChaCha8Rng) -> Drift {
    let mut times: Vec<u64> = (0..rng.random_range(0..3)).map(|_| rng.random_range(0..400)).collect();
    times.sort_unstable();
    times.dedup();
    let change = |(number, at): (usize, u64)| Change {
        at: Time(at),
        speed: Some([0.3, 1.0, 2.5][rng.random_range(0..3)]),
        bandwidth_bytes_per_ps: None,
        loss: world
            .without(&[0])
            .ok()
            .filter(|_| number == 0 && rng.random())
            .map(|without| Losing { accelerators: vec![0], world: Arc::new(without) }),
    };
    Drift::new(times.into_iter().enumerate().map(change).collect())
}

/// The system of a case, with networks of up to four layers.
fn layered(seed: u64, site: usize, networks: usize, rng: &mut ChaCha8Rng) -> (World, Rules) {
    let size = Size { accelerators: rng.random_range(1..5), networks, layers: 4, requests: 1 };
    let case = Case::with_everything(seed.wrapping_mul(8).wrapping_add(site as u64), size);
    let world = case.world();
    (world, Rules { late: LateRules::all(Late::Finish), ..case.rules })
}

/// A fifteenth of the mean latency of an order alone.
fn unit(sites: &[Site]) -> Time {
    let all: Vec<u64> = sites.iter().flat_map(|of| &of.world.networks).map(|of| of.isolated.0).collect();
    Time((all.iter().sum::<u64>() / all.len() as u64 / 15).max(1))
}

/// Whoever has nobody to serve it is served by the first site.
fn serve_everybody(model: &mut FleetModel) {
    for client in 0..model.clients.len() {
        let served = (0..model.sites.len()).any(|site| model.serves(site, &model.clients[client]));
        if !served {
            let client = &mut model.clients[client];
            client.ways[0].get_or_insert_with(|| [Arc::new([]), Arc::new([])]);
            model.sites[0].deployed[client.model] = true;
        }
    }
}

/// Draws what is measured in the unit of a case.
struct Scaled {
    unit: Time,
}

impl Scaled {
    fn times(&self, count: u64) -> Time {
        Time(count * self.unit.0)
    }

    fn rate(&self, bytes_per_unit: f64) -> f64 {
        bytes_per_unit / self.unit.as_ps()
    }

    fn wire(&self, rng: &mut ChaCha8Rng) -> Wire {
        Wire {
            bytes_per_ps: self.rate([0.3, 1.0, 2.0, f64::INFINITY][rng.random_range(0..4)]),
            delay: self.times(rng.random_range(0..20)),
            sharing: [WireSharing::Ps, WireSharing::Fifo, WireSharing::None][rng.random_range(0..3)],
        }
    }

    fn changes(&self, wires: usize, rng: &mut ChaCha8Rng) -> Vec<WireChange> {
        let mut changes = Vec::new();
        for wire in 0..wires as Hop {
            for _ in 0..rng.random_range(0..3) {
                let rate = self.rate([0.2, 0.9, 3.0][rng.random_range(0..3)]);
                changes.push(WireChange {
                    at: self.times(rng.random_range(0..400)),
                    wire,
                    bytes_per_ps: rng.random::<bool>().then_some(rate),
                    delay: rng.random::<bool>().then(|| self.times(rng.random_range(0..20))),
                });
            }
        }
        changes.sort_by_key(|change| change.at);
        changes
    }

    fn client(&self, models: &[ServedModel], sites: usize, wires: &[Wire], rng: &mut ChaCha8Rng) -> Client {
        let model = rng.random_range(0..models.len());
        let hops: Vec<Hop> = (0..wires.len() as Hop).collect();
        // Up to two links each way, which others use as well.
        let mut way = || -> Arc<[Hop]> {
            let count = rng.random_range(0..3);
            hops.sample(rng, count).copied().collect()
        };
        let ways: Vec<_> = (0..sites).map(|_| [way(), way()]).collect();
        Client {
            model,
            node: rng.random_range(0..3),
            input_bytes: f64::from(rng.random_range(0..40_u32)),
            output_bytes: f64::from(rng.random_range(0..20_u32)),
            terms: ServiceTerms {
                utility: Utility::default(),
                min_accuracy: rng.random(),
                accuracies: models[model].accuracies(),
                target_hit_rate: Some(rng.random()),
            },
            ways: ways.into_iter().map(|way| (rng.random_range(0..3) > 0).then_some(way)).collect(),
        }
    }

    fn host(&self, rng: &mut ChaCha8Rng) -> DecisionCost {
        DecisionCost::Host(Host {
            base: self.times(rng.random_range(0..9)),
            comparisons_per_s: 5e11 / self.unit.as_ps(),
            macs_per_s: 1e12 / self.unit.as_ps(),
            pj_per_operation: 1.0,
        })
    }

    fn trace(&self, model: &FleetModel, rng: &mut ChaCha8Rng) -> Trace {
        let (mut arrival, gap, count) = (Time::ZERO, rng.random_range(1..30), rng.random_range(1..50));
        let mut request = |_| {
            arrival += self.times(rng.random_range(0..=gap));
            let tenant = rng.random_range(0..model.clients.len());
            let of = &model.models[model.clients[tenant].model];
            Request {
                tenant: tenant as u32,
                network: of.variants[of.best()].networks[0],
                priority: 1,
                qos: Qos::M,
                arrival,
                deadline: arrival + self.times(rng.random_range(0..200)),
            }
        };
        let requests: Vec<Request> = (0..count).map(&mut request).collect();
        let mut trace = Trace { measured: 0..requests.len(), requests, ..Trace::default() };
        if rng.random_range(0..8) == 0 {
            trace.span = Span { end: self.times(rng.random_range(1..600)), ..trace.span };
        }
        if rng.random_range(0..3) == 0 { self.with_followers(trace, rng) } else { trace }
    }

    /// The same requests, of which the later ones follow others: stages of a cascade, or a closed loop of the first tenant.
    fn with_followers(&self, mut trace: Trace, rng: &mut ChaCha8Rng) -> Trace {
        let own = rng.random_range(1..=trace.requests.len());
        for (place, request) in trace.requests.iter_mut().enumerate().skip(own) {
            let after = match request.tenant {
                0 => After::Ended(0),
                _ => After::Done(rng.random_range(0..place as u32)),
            };
            let within = request.deadline - request.arrival;
            let delay = self.times(rng.random_range(0..30));
            trace.followers.push(Follower { after, request: place as u32, delay, within });
            (request.arrival, request.deadline) = (Time::MAX, Time::MAX);
        }
        trace.followers.sort_by_key(|follower| follower.after);
        trace
    }
}

/// The case in one line, for reports.
impl fmt::Display for FleetCase {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let FleetModel { sites, models, wires, clients, .. } = &self.model;
        let accelerators: Vec<_> =
            sites.iter().map(|site| site.world.platform.accelerators.len().to_string()).collect();
        let variants: Vec<_> = models.iter().map(|model| model.variants.len().to_string()).collect();
        write!(
            f,
            "sites of {} accelerators, models of {} variants, {} links, {} clients, {} requests",
            accelerators.join(" + "),
            variants.join(" + "),
            wires.len(),
            clients.len(),
            self.trace.requests.len(),
        )?;
        let cost = match self.model.dispatch_cost {
            DecisionCost::Ideal => "Ideal",
            DecisionCost::Host(_) => "Host",
        };
        write!(f, ", {cost}, {:?}", self.model.late.rule)?;
        if self.model.report > Time::ZERO {
            write!(f, ", reports every {} ps", self.model.report.0)?;
        }
        if !self.trace.followers.is_empty() {
            write!(f, ", {} follow others", self.trace.followers.len())?;
        }
        if self.trace.has_end() {
            write!(f, ", for {} ps", self.trace.span.end.0)?;
        }
        Ok(())
    }
}
