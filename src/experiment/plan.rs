//! Everything that cells share, made once: systems, networks with their costs, worlds, lambda*.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::catalogue::Catalogue;
use super::clock;
use super::config::{Experiment, Setting};
use super::data::DataRoot;
use super::pace::{OwnPace, check_loops, check_number, check_span};
use super::points::{Names, Point, Space};
use super::policies::Policies;
use super::reference::References;
use super::requests::{Workload, isolated};
use super::schedulers::SchedulerChoice;
use super::window::{Wanted, Window};
use super::{Error, Progress, copies};
use crate::cost::Cache;
use crate::hw::{Sharing, SystemSpec};
use crate::sim::World;
use crate::sim::capacity::{Capacity, mix_capacity};
use crate::units::Time;
use crate::workload::trace::Recording;
use crate::workload::{Extent, Qos, Replay, Scenario, SlaRule, Tenant};

pub use super::points::Run;

/// An experiment with everything looked up: ready to run.
#[derive(Debug)]
pub struct Plan {
    /// What was asked for.
    pub experiment: Experiment,
    /// All schedulers: the experiment's, then those that only its includes name.
    pub schedulers: Vec<SchedulerChoice>,
    /// The product of all keys but scheduler and seed, in the order of the file; then the cases that only includes have.
    pub cases: Vec<Case>,
    /// By case and seed, where they were asked for ([`Self::find_bounds`]) and there are any: how many counted requests any
    /// schedule meets at most.
    pub bounds: Vec<BTreeMap<u64, usize>>,
    /// The learned ones among the schedulers.
    pub policies: Policies,
}

/// One point of the sweep but for scheduler and seed.
#[derive(Clone, Debug)]
pub struct Case {
    /// The system's name.
    pub system: String,
    /// System and scenario as the experiment names them: a name or a path.
    pub words: [String; 2],
    /// The tenants and their requests.
    pub workload: Workload,
    /// The QoS level.
    pub qos: Qos,
    /// Relative to lambda*; `None` where the scenario's requests come at their own pace.
    pub load: Option<f64>,
    /// All other keys.
    pub setting: Setting,
    /// The system as this setting has it.
    pub site: Arc<Site>,
    /// By network: the isolated latency that deadlines are multiples of, on the system or on its reference.
    pub reference: Arc<Vec<Time>>,
    /// What the experiment says about [`Self::window`].
    pub wanted: Wanted,
    /// Its requests, and which of them are counted.
    pub window: Window,
    /// The schedulers and seeds that it is run with, in this order.
    pub runs: Arc<Vec<Run>>,
    /// Whether all of these seeds, of which there are several, bring the same requests.
    pub has_same_requests: bool,
}

/// A scenario's networks on a system under one setting of its DRAM.
#[derive(Debug)]
pub struct Site {
    /// Platform and networks.
    pub world: Arc<World>,
    /// lambda* of the mix.
    pub capacity: Capacity,
    /// What requests that come at their own pace (`pace.rs`) offer, relative to lambda*; infinite where they come at once.
    pub own_load: Option<f64>,
    /// Their rate, that of a closed loop on a system of its own.
    pub(super) own_per_s: Option<f64>,
    /// The system as resolved.
    pub dram: Dram,
}

/// What of a setting changes the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dram {
    /// Peak bandwidth in GB/s.
    pub bandwidth_gbps: f64,
    /// Delivered share of it.
    pub efficiency: f64,
    /// How it is shared.
    pub sharing: Sharing,
    /// Whether outputs stay on chip for the layer that runs next.
    pub forwarding: bool,
    pub(super) max_sub_job_us: f64,
    pub(super) phases: bool,
}

impl Dram {
    pub(super) fn new(system: &SystemSpec, setting: &Setting) -> Self {
        Self {
            bandwidth_gbps: setting.dram_bandwidth_gbps.unwrap_or(system.dram_bandwidth_gbps),
            efficiency: setting.dram_efficiency.unwrap_or(system.dram_efficiency),
            sharing: setting.sharing.unwrap_or(system.sharing),
            forwarding: setting.forwarding.unwrap_or(system.forwarding),
            max_sub_job_us: setting.max_sub_job_us,
            phases: setting.phases,
        }
    }

    pub(super) fn bytes_per_s(&self) -> f64 {
        self.efficiency * self.bandwidth_gbps * 1e9
    }
}

impl Plan {
    /// Reads what the experiment names, maps what the cache does not hold, and computes lambda*.
    pub fn prepare(
        experiment: Experiment,
        data: &DataRoot,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<Self, Error> {
        let names = Names::of(&experiment);
        let scenarios = names.scenarios.iter().map(|name| data.scenario(name).map(Arc::new));
        let scenarios = scenarios.collect::<Result<Vec<_>, _>>()?;
        let systems = names.systems.iter().map(|name| data.system(name)).collect::<Result<Vec<_>, _>>()?;
        let workloads = workloads(&experiment, &scenarios, progress)?;
        let products = std::iter::once(&experiment).chain(experiment.include.iter().map(|i| &i.experiment));
        products.into_iter().try_for_each(|product| check_product(product, &names, &workloads))?;
        let space = Space { names: &names, systems: &systems, scenarios: &scenarios };
        let points = space.points(&experiment)?;
        let references = References::of(&points, &scenarios, data, cache, progress)?;
        let mut cases = Vec::new();
        let mut policies = Policies::default();
        for (place, system) in systems.iter().enumerate() {
            let own: Vec<&Point> = points.iter().filter(|point| point.system == place).collect();
            let runs: BTreeSet<usize> =
                own.iter().flat_map(|p| p.runs.iter()).map(|run| run.scheduler).collect();
            check_forwarding(&experiment, system, &own)?;
            policies.read(runs.iter().map(|&i| &names.schedulers[i]), system, data)?;
            let used: BTreeSet<usize> = own.iter().map(|point| point.scenario).collect();
            let used: Vec<Arc<Scenario>> = used.iter().map(|&i| Arc::clone(&scenarios[i])).collect();
            let catalogue = Catalogue::new(system, &used, data, cache, progress)?;
            let builder = Builder {
                experiment: &experiment,
                names: &names,
                references: &references,
                system,
                catalogue,
            };
            builder.add(&own, &workloads, &mut cases)?;
        }
        copies::leave_out(&mut cases, &names.schedulers).iter().for_each(|told| progress.warn(told));
        let plan = Self { experiment, schedulers: names.schedulers, cases, bounds: Vec::new(), policies };
        let overloads = plan.overloads(|case| case.load.is_none());
        overloads.iter().chain(&plan.long_periods()).for_each(|warning| progress.warn(warning));
        Ok(plan)
    }
}

/// The scenarios with the experiment's trace, if it has one.
fn workloads(
    experiment: &Experiment,
    scenarios: &[Arc<Scenario>],
    progress: &dyn Progress,
) -> Result<Vec<Workload>, Error> {
    let reach = Window::reach(experiment.wanted);
    let trace = experiment.trace.as_ref().map(|keys| Recording::read_first(keys, &reach)).transpose()?;
    for left_out in trace.iter().flat_map(|trace| &trace.left_out) {
        progress.warn(&format!("left out of the trace: {left_out}"));
    }
    trace.iter().filter_map(|trace| trace.labels.unread()).for_each(|unread| progress.warn(&unread));
    let workload = |scenario: &Arc<Scenario>| {
        let replay = trace.as_ref().map(|trace| Replay::new(trace, scenario)).transpose()?;
        Ok(Workload { scenario: Arc::clone(scenario), replay })
    };
    scenarios.iter().map(workload).collect()
}

/// Makes the cases of a system.
struct Builder<'a> {
    experiment: &'a Experiment,
    names: &'a Names,
    references: &'a References,
    system: &'a SystemSpec,
    catalogue: Catalogue,
}

impl Builder<'_> {
    /// Settings with the same DRAM share a site.
    fn add(&self, points: &[&Point], workloads: &[Workload], cases: &mut Vec<Case>) -> Result<(), Error> {
        let mut sites: BTreeMap<usize, Vec<Arc<Site>>> = BTreeMap::new();
        for point in points {
            let workload = &workloads[point.scenario];
            let window = Window::of(self.experiment.wanted, point.setting.late, workload.total())
                .and_then(|window| window.check_size().map(|()| window))
                .map_err(|e| Error::Usage(format!("scenario `{}` {e}", workload.scenario.name)))?;
            let dram = Dram::new(self.system, &point.setting);
            let sites = sites.entry(point.scenario).or_default();
            let known = sites.iter().find(|site| site.dram == dram).cloned();
            let site = match known {
                Some(site) => site,
                None => {
                    let site = Site::new(self.system, &self.catalogue, workload, dram, &window)?;
                    sites.push(Arc::new(site));
                    Arc::clone(&sites[sites.len() - 1])
                }
            };
            clock::check(&site.world, &window, workload, &point.setting, self.system)?;
            if let Some(load) = point.load {
                let requests_per_s = load * site.capacity.requests_per_s;
                if let Extent::Requests(requests) = window.extent() {
                    check_span(requests as f64 / requests_per_s, workload, self.system)?;
                }
                check_number(requests_per_s, 0.0, &window, workload, self.system)?;
            }
            let &&Point { system, scenario, qos, load, .. } = point;
            let own = || Arc::new(isolated(&site.world));
            let reference = self.references.latencies(point).unwrap_or_else(own);
            cases.push(Case {
                system: self.system.name.clone(),
                words: [self.names.systems[system].clone(), self.names.scenarios[scenario].clone()],
                workload: workload.clone(),
                qos,
                load,
                setting: point.setting.clone(),
                site,
                reference,
                wanted: self.experiment.wanted,
                window,
                runs: Arc::clone(&point.runs),
                has_same_requests: false,
            });
        }
        Ok(())
    }
}

impl Site {
    /// lambda* is that of the tenants' shares, or, where requests come at their own pace, of theirs.
    fn new(
        system: &SystemSpec,
        catalogue: &Catalogue,
        workload: &Workload,
        dram: Dram,
        window: &Window,
    ) -> Result<Self, Error> {
        let scenario = &workload.scenario;
        let world = catalogue.world(system, scenario, &dram)?;
        let own = match workload.has_own_pace() {
            true => Some(OwnPace::of(workload, &world, window, system)?),
            false => None,
        };
        let shares = own.as_ref().map_or_else(|| scenario.network_shares(), |own| own.shares.clone());
        let capacity = mix_capacity(&world, &shares, dram.bytes_per_s())
            .map_err(|e| Error::Usage(format!("scenario `{}` on `{}`: {e}", scenario.name, system.name)))?;
        if let Some(own) = &own {
            check_number(own.most_per_s(), own.sample, window, workload, system)?;
            check_loops(own, window, workload, system)?;
        }
        let own_load = own.as_ref().map(|own| own.load(capacity.requests_per_s));
        let own_per_s = own.map(|own| own.most_per_s());
        Ok(Self { world: Arc::new(world), capacity, own_load, own_per_s, dram })
    }
}

impl Case {
    /// The seeds of its runs, each once.
    pub fn seeds(&self) -> BTreeSet<u64> {
        self.runs.iter().map(|run| run.seed).collect()
    }

    /// What tenants that share a load send.
    pub(super) fn requests_per_s(&self) -> f64 {
        self.load.unwrap_or_default() * self.site.capacity.requests_per_s
    }

    /// What is asked of the system, relative to lambda*, in every seed: the key `load`.
    pub fn nominal_load(&self) -> f64 {
        self.load.or(self.site.own_load).expect("without a load, requests come at their own pace")
    }

    /// Whether that is more than any schedule carries; what comes at once is worked off.
    pub fn is_overload(&self) -> bool {
        let load = self.nominal_load();
        load > 1.0 && load.is_finite()
    }
}

/// What an experiment asks of its scenarios has to be possible.
fn check_product(product: &Experiment, names: &Names, workloads: &[Workload]) -> Result<(), Error> {
    for (word, workload) in names.scenarios.iter().zip(workloads) {
        if product.scenarios.contains(word) {
            check_pace(product, workload)?;
            product.settings.iter().try_for_each(|setting| check_terms(product, setting, workload))?;
        }
    }
    Ok(())
}

/// A load scales rates that are not given otherwise, and nothing else does.
fn check_pace(experiment: &Experiment, workload: &Workload) -> Result<(), Error> {
    let name = &workload.scenario.name;
    let problem = match (workload.has_own_pace(), &experiment.loads) {
        (true, Some(_)) if workload.replay.is_some() => {
            "`loads` cannot scale a `trace`: leave `loads` out, and set `speedup` in `trace`".to_string()
        }
        (true, Some(_)) => {
            let tenant = &workload.scenario.tenants[0];
            format!(
                "`loads` cannot scale the requests of scenario `{name}`, which come at their own pace (tenant `{}`: {}); \
                 leave `loads` out, and set the pace in the scenario",
                tenant.name,
                tenant.arrivals.kind().name
            )
        }
        (false, None) => format!(
            "`loads` is missing: the tenants of scenario `{name}` share a load; give it, e.g. loads = [0.6, 0.9], or give \
             every tenant's `arrivals` a `rate_per_s`"
        ),
        _ => return Ok(()),
    };
    Err(Error::Usage(format!("{}: {problem}", experiment.path.display())))
}

/// What is forwarded is a whole output, of a layer with one demand.
fn check_forwarding(experiment: &Experiment, system: &SystemSpec, points: &[&Point]) -> Result<(), Error> {
    let settings = points.iter().map(|point| &point.setting);
    let forwards = |setting: &&Setting| setting.forwarding.unwrap_or(system.forwarding);
    let differs = |setting: &Setting| setting.phases || setting.max_sub_job_us.is_finite();
    if !settings.filter(forwards).any(differs) {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{}: `forwarding = true` is of whole layers: it goes with neither `phases = true` nor `max_sub_job_us` (`{}`)",
        experiment.path.display(),
        system.name
    )))
}

/// Whether every tenant's terms can be kept under the experiment's rules.
fn check_terms(experiment: &Experiment, setting: &Setting, workload: &Workload) -> Result<(), Error> {
    let problem = |place: usize, tenant: &Tenant| {
        let has_none = |network| tenant.terms(network).sla(setting.sla, 1.0).is_none();
        if tenant.mix().any(|(network, _)| has_none(network)) {
            return Some("`sla = \"absolute\"` needs `target_us`");
        }
        let framed = workload.scenario.has_frames(place) && workload.replay.is_none();
        if tenant.sla.rule.unwrap_or(setting.sla) == SlaRule::Period && !framed {
            return Some("`sla = \"period\"` needs periodic arrivals");
        }
        None
    };
    let scenario = &workload.scenario;
    let tenants = scenario.tenants.iter().enumerate();
    match tenants.filter_map(|(place, tenant)| Some((tenant, problem(place, tenant)?))).next() {
        None => Ok(()),
        Some((tenant, problem)) => Err(Error::Usage(format!(
            "{}: tenant `{}` of scenario `{}`: {problem}",
            experiment.path.display(),
            tenant.name,
            scenario.name
        ))),
    }
}
