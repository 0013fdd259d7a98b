//! Fleets of one-layer networks, composed dispatchers, and what their records say.

use std::sync::Arc;

use mascot::check::FleetCase;
use mascot::cost::LayerCost;
use mascot::dispatch::{BATCHES, Composed, ORDERS, ROUTES, RuleEntry, VARIANTS, WHOLE_RULES, find};
use mascot::hw::Sharing;
use mascot::serve::{
    self, Client, Dispatcher, FleetModel, Record, ServeError, ServedModel, ServedVariant, ServiceTerms, Site,
    SiteMemory, Wire, WireChange, WireSharing,
};
use mascot::sim::{
    AcceleratorModel, Decision, DecisionCost, Drift, Late, LateRules, LayerModel, NetworkModel, Origin,
    Platform, Request, Rules, Scheduler, Trace, Trigger, Unassigned, Variation, View, World,
};
use mascot::units::{Bytes, Picojoules, Time};
use mascot::workload::{AccuracyRange, AccuracyTerm, Combine, DelayTerm, Qos, Utility};

/// A site behind links of its own in each direction.
#[derive(Clone, Debug)]
pub(crate) struct SitePlan {
    pub(crate) accelerators: usize,
    pub(crate) slots: u32,
    /// Factor of all services.
    pub(crate) slowness: u64,
    pub(crate) cost_per_s: Option<f64>,
    /// Memory for weights; those of a variant have as many bytes as its service alone has picoseconds.
    pub(crate) memory: Option<SiteMemory>,
    /// The links there and the links back, one after the other.
    pub(crate) links: [Vec<Wire>; 2],
}

/// A link that costs nothing.
pub(crate) const NO_LINK: Wire =
    Wire { bytes_per_ps: f64::INFINITY, delay: Time::ZERO, sharing: WireSharing::None };

/// A link that only delays.
pub(crate) fn delay(ps: u64) -> Wire {
    Wire { delay: Time(ps), ..NO_LINK }
}

impl SitePlan {
    /// One accelerator, one slot.
    pub(crate) fn behind(link: Wire) -> Self {
        Self {
            accelerators: 1,
            slots: 1,
            slowness: 1,
            cost_per_s: None,
            memory: None,
            links: [vec![link], vec![link]],
        }
    }
}

/// A variant: its name, its accuracy, and its service by batch size in picoseconds.
#[derive(Clone, Debug)]
pub(crate) struct VariantPlan(pub(crate) String, pub(crate) f64, pub(crate) Vec<u64>);

#[derive(Clone, Debug)]
pub(crate) struct ModelPlan {
    pub(crate) batches: Vec<u32>,
    pub(crate) variants: Vec<VariantPlan>,
}

impl ModelPlan {
    pub(crate) fn new(batches: &[u32], variants: &[(&str, f64, &[u64])]) -> Self {
        let variant = |&(name, accuracy, service): &(&str, f64, &[u64])| {
            VariantPlan(name.into(), accuracy, service.to_vec())
        };
        Self { batches: batches.to_vec(), variants: variants.iter().map(variant).collect() }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ClientPlan {
    pub(crate) model: usize,
    pub(crate) node: usize,
    /// Bytes of requests and answers.
    pub(crate) bytes: [f64; 2],
    pub(crate) min_accuracy: f64,
    pub(crate) utility: Utility,
    pub(crate) target: f64,
    /// The only sites that it can reach; all if empty.
    pub(crate) sites: Vec<usize>,
}

/// One node, all sites, no bytes.
pub(crate) const CLIENT: ClientPlan = ClientPlan {
    model: 0,
    node: 0,
    bytes: [0.0; 2],
    min_accuracy: 0.0,
    utility: Utility {
        accuracy: AccuracyTerm::Absolute,
        delay: DelayTerm::Deadline,
        combine: Combine::Product,
    },
    target: 1.0,
    sites: Vec::new(),
};

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) sites: Vec<SitePlan>,
    pub(crate) models: Vec<ModelPlan>,
    pub(crate) clients: Vec<ClientPlan>,
    pub(crate) report: Time,
    pub(crate) late: Late,
    pub(crate) cost: DecisionCost,
    /// Changes of links.
    pub(crate) changes: Vec<WireChange>,
    /// Changes at each site; none where the list ends.
    pub(crate) drifts: Vec<Drift>,
}

impl Plan {
    /// One client of one model.
    pub(crate) fn new(sites: Vec<SitePlan>, model: ModelPlan) -> Self {
        Self {
            sites,
            models: vec![model],
            clients: vec![CLIENT],
            report: Time::ZERO,
            late: Late::Finish,
            cost: DecisionCost::Ideal,
            changes: Vec::new(),
            drifts: Vec::new(),
        }
    }

    pub(crate) fn model(&self) -> FleetModel {
        let nodes = self.clients.iter().map(|client| client.node + 1).max().unwrap_or(1);
        let accuracies = |model: usize| {
            let all = self.models[model].variants.iter().map(|variant| variant.1);
            AccuracyRange { min: all.clone().fold(1.0, f64::min), max: all.fold(0.0, f64::max) }
        };
        let client = |client: &ClientPlan| {
            let way = |site: usize| {
                let lengths = self.sites[..site].iter().flat_map(|site| &site.links).map(Vec::len);
                let [there, back] = self.sites[site].links.each_ref().map(|links| links.len() as u32);
                let first = lengths.sum::<usize>() as u32;
                let known = client.sites.is_empty() || client.sites.contains(&site);
                known.then(|| {
                    [(first..first + there).collect(), (first + there..first + there + back).collect()]
                })
            };
            Client {
                model: client.model,
                node: client.node,
                input_bytes: client.bytes[0],
                output_bytes: client.bytes[1],
                terms: ServiceTerms {
                    utility: client.utility,
                    min_accuracy: client.min_accuracy,
                    accuracies: accuracies(client.model),
                    target_hit_rate: Some(client.target),
                },
                ways: (0..self.sites.len()).map(way).collect(),
            }
        };
        let mut networks = 0..;
        let mut variant = |VariantPlan(name, accuracy, services): &VariantPlan| ServedVariant {
            name: name.clone(),
            accuracy: *accuracy,
            weight_bytes: services[0] as f64,
            networks: networks.by_ref().take(services.len()).collect(),
        };
        let mut models = Vec::new();
        for (number, plan) in self.models.iter().enumerate() {
            models.push(ServedModel {
                name: format!("model{number}"),
                batches: plan.batches.clone(),
                variants: plan.variants.iter().map(&mut variant).collect(),
            });
        }
        let mut sites = Vec::<Site>::new();
        for (number, plan) in self.sites.iter().enumerate() {
            let alike = |of: &SitePlan| (of.accelerators, of.slowness) == (plan.accelerators, plan.slowness);
            let twin = self.sites[..number].iter().position(alike);
            let world = twin.map_or_else(|| Arc::new(self.world(plan)), |twin| sites[twin].world.clone());
            sites.push(self.site(number, plan, world));
        }
        FleetModel {
            sites,
            models,
            wires: self.sites.iter().flat_map(|site| site.links.iter().flatten().copied()).collect(),
            clients: self.clients.iter().map(client).collect(),
            nodes,
            report: self.report,
            dispatch_cost: self.cost,
            late: LateRules::all(self.late),
            changes: self.changes.clone(),
        }
    }

    fn world(&self, site: &SitePlan) -> World {
        let accelerator = |i| AcceleratorModel::new(format!("m{i}"), 0, 0.0);
        let accelerators = (0..site.accelerators).map(accelerator).collect();
        let platform = Platform::new(accelerators, f64::INFINITY, Sharing::MaxMin);
        let services = self.models.iter().flat_map(|model| &model.variants).flat_map(|variant| &variant.2);
        let networks = services.map(|&service| one_layer(service * site.slowness, &platform)).collect();
        World { platform, networks }
    }

    fn site(&self, number: usize, site: &SitePlan, world: Arc<World>) -> Site {
        Site {
            name: format!("site{number}"),
            world,
            rules: Rules {
                trigger: Trigger::OnChange,
                decision_cost: DecisionCost::Ideal,
                late: LateRules::all(Late::Finish),
                unassigned: Unassigned::Hold,
                firm: Vec::new(),
                drift: self.drifts.get(number).cloned().unwrap_or_default(),
                variation: Variation::NONE,
            },
            slots: site.slots,
            deployed: vec![true; self.models.len()],
            cost_per_s: site.cost_per_s,
            memory: site.memory,
        }
    }

    /// The records of a run.
    pub(crate) fn run(&self, trace: Trace, dispatcher: &mut dyn Dispatcher) -> Log {
        let mut log = Log::default();
        self.play(trace, dispatcher, &mut log.0).expect("a run that ends");
        log
    }

    pub(crate) fn play(
        &self,
        trace: Trace,
        dispatcher: &mut dyn Dispatcher,
        out: &mut dyn serve::Recorder,
    ) -> Result<(), ServeError> {
        let schedulers = self.sites.iter().map(|_| Box::new(FirstIdle) as Box<dyn Scheduler>).collect();
        serve::run(Arc::new(self.model()), Arc::new(trace), schedulers, dispatcher, out)
    }
}

/// Plays requests on a random fleet whose sites serve first come, first served.
pub(crate) fn play_case(
    case: &FleetCase,
    trace: &Trace,
    dispatcher: &mut dyn Dispatcher,
    out: &mut dyn serve::Recorder,
) -> Result<(), ServeError> {
    let schedulers = case.model.sites.iter().map(|_| Box::new(FirstIdle) as Box<dyn Scheduler>).collect();
    serve::run(Arc::new(case.model.clone()), Arc::new(trace.clone()), schedulers, dispatcher, out)
}

/// A network of one layer that takes so long on every accelerator and moves no bytes.
fn one_layer(service_ps: u64, platform: &Platform) -> NetworkModel {
    let cost = LayerCost {
        latency: Time(service_ps),
        dram_bytes: Bytes(0),
        weight_bytes: Bytes(0),
        input_bytes: Bytes(0),
        energy: Picojoules(0.0),
        utilization: 0.0,
        tiles: 1,
        on_chip: None,
    };
    let costs = vec![Some(cost); platform.accelerators.len()];
    let layer = LayerModel { name: String::new(), after: Vec::new(), costs };
    NetworkModel::new("", &[layer], platform, None)
}

/// First come, first served by the first idle accelerator.
pub(crate) struct FirstIdle;

impl Scheduler for FirstIdle {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let idle = view.accelerators().iter().enumerate().filter(|(_, it)| it.running.is_none());
        let mut idle: Vec<usize> = idle.map(|(accelerator, _)| accelerator).collect();
        for sub_job in view.sub_jobs() {
            let able = idle.iter().position(|&accelerator| view.alone(sub_job, accelerator).is_some());
            if let Some(place) = able {
                out.assign(sub_job.id, idle.remove(place), 0.0);
            }
        }
    }
}

/// Requests by tenant, arrival and deadline in picoseconds, sorted by arrival.
pub(crate) fn requests(asked: impl IntoIterator<Item = (usize, u64, u64)>) -> Trace {
    let request = |(tenant, arrival, deadline)| Request {
        tenant: tenant as u32,
        network: 0,
        priority: 1,
        qos: Qos::M,
        arrival: Time(arrival),
        deadline: Time(deadline),
    };
    let requests: Vec<Request> = asked.into_iter().map(request).collect();
    Trace { measured: 0..requests.len(), requests, ..Trace::default() }
}

/// A rule by its name, with parameters as in TOML.
fn rule<T: ?Sized>(rules: &'static [RuleEntry<T>], name: &str, seed: u64) -> Box<T> {
    let (name, parameters) = name.split_once(' ').unwrap_or((name, ""));
    let table = parameters.replace(';', "\n").parse().expect("parameters in TOML");
    let entry = find("", rules, name).expect("a known rule");
    (entry.build)(&table, seed).expect("right parameters")
}

/// A dispatcher from the names of its rules, each followed by its parameters: `size at_least = 2; max = 4`.
pub(crate) fn composed(route: &str, variant: &str, batch: &str, seed: u64) -> Composed {
    Composed {
        route: rule(ROUTES, route, seed),
        variant: rule(VARIANTS, variant, seed),
        batch: rule(BATCHES, batch, seed),
        order: None,
    }
}

/// The same with an order.
pub(crate) fn ordered(route: &str, variant: &str, batch: &str, order: &str) -> Composed {
    Composed { order: Some(rule(ORDERS, order, 1)), ..composed(route, variant, batch, 1) }
}

/// A whole rule by its name and parameters.
pub(crate) fn whole(name: &str) -> Box<dyn Dispatcher> {
    rule(WHOLE_RULES, name, 1)
}

/// The records of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Log(pub(crate) Vec<(Record, Origin)>);

impl Log {
    fn pick<T>(&self, pick: impl Fn(&Record) -> Option<T>) -> Vec<T> {
        self.0.iter().filter_map(|(record, _)| pick(record)).collect()
    }

    /// Orders: when, on which variant, how many requests.
    pub(crate) fn orders(&self) -> Vec<(u64, usize, u32)> {
        self.pick(|record| match *record {
            Record::Launched { time, variant, requests, .. } => Some((time.0, variant, requests)),
            _ => None,
        })
    }

    /// The requests in the order in which they were launched.
    pub(crate) fn members(&self) -> Vec<u32> {
        self.pick(|record| match *record {
            Record::Member { request, .. } => Some(request.0),
            _ => None,
        })
    }

    /// The sites of the requests of a tenant in the order in which they were sent.
    pub(crate) fn sites(&self, tenant: u32) -> Vec<usize> {
        let tenants: Vec<u32> = self.pick(|record| match record {
            Record::Arrived { asked, .. } => Some(asked.tenant),
            _ => None,
        });
        self.pick(|record| match *record {
            Record::Sent { request, site, .. } if tenants[request.0 as usize] == tenant => Some(site),
            _ => None,
        })
    }

    /// The requests that were lost, and when.
    pub(crate) fn lost(&self) -> Vec<(u64, u32)> {
        self.pick(|record| match *record {
            Record::Lost { time, request, .. } => Some((time.0, request.0)),
            _ => None,
        })
    }
}
