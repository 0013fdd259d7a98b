//! Everything that cells share, made once: systems, networks with their costs, worlds, lambda*.

use std::sync::Arc;

use super::catalogue::Catalogue;
use super::config::{Experiment, Setting};
use super::data::DataRoot;
use super::list::distinct;
use super::pace::{OwnPace, check_number, check_span};
use super::registry::Policies;
use super::requests::Workload;
use super::window::{Wanted, Window};
use super::{Error, Progress};
use crate::cost::Cache;
use crate::hw::{Sharing, SystemSpec};
use crate::sim::World;
use crate::sim::capacity::{Capacity, mix_capacity};
use crate::workload::trace::Recording;
use crate::workload::{Extent, Qos, Replay, Scenario, SlaRule, Tenant};

/// An experiment with everything looked up: ready to run.
#[derive(Debug)]
pub struct Plan {
    /// What was asked for.
    pub experiment: Experiment,
    /// The product of all keys but scheduler and seed, in the order of the file.
    pub cases: Vec<Case>,
    /// By case and seed, where they were asked for ([`Self::find_bounds`]) and there are any: how many counted requests any
    /// schedule meets at most.
    pub bounds: Vec<Vec<Option<usize>>>,
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
    /// What the experiment says about [`Self::window`].
    pub wanted: Wanted,
    /// Its requests, and which of them are counted.
    pub window: Window,
}

/// A scenario's networks on a system under one setting of its DRAM.
#[derive(Debug)]
pub struct Site {
    /// Platform and networks.
    pub world: Arc<World>,
    /// lambda* of the mix.
    pub capacity: Capacity,
    /// What the requests of the first seed offer, relative to lambda*, where they come at their own pace (`pace.rs`); not
    /// a number where they come at once.
    pub offered: Option<f64>,
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
    fn new(system: &SystemSpec, setting: &Setting) -> Self {
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
        let read = |name: &String| data.scenario(name).map(Arc::new);
        let scenarios = experiment.scenarios.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let workloads = workloads(&experiment, &scenarios, progress)?;
        for workload in &workloads {
            check_pace(&experiment, workload)?;
            experiment.settings.iter().try_for_each(|setting| check_terms(&experiment, setting, workload))?;
        }
        let mut cases = Vec::new();
        let mut policies = Policies::default();
        for name in &experiment.systems {
            let system = data.system(name)?;
            policies.read(&experiment.schedulers, &system, data)?;
            check_forwarding(&experiment, &system)?;
            let catalogue = Catalogue::new(&system, &scenarios, data, cache, progress)?;
            for (workload, word) in workloads.iter().zip(&experiment.scenarios) {
                let words = [name.clone(), word.clone()];
                cases.extend(cases_of(&experiment, &system, &catalogue, workload, &words)?);
            }
        }
        let plan = Self { experiment, cases, bounds: Vec::new(), policies };
        plan.overloads(|case| case.load.is_none()).iter().for_each(|overload| progress.warn(overload));
        Ok(plan)
    }

    /// What is above lambda* among some of the cases, in a sentence each.
    pub fn overloads(&self, among: impl Fn(&Case) -> bool) -> Vec<String> {
        let over = self.cases.iter().filter(|case| case.offered_load() > 1.0 && among(case));
        distinct(over.map(|case| {
            format!(
                "scenario `{}` offers `{}` with {} GB/s a load of {:.3}: more than any schedule can carry",
                case.workload.scenario.name,
                case.system,
                case.site.dram.bandwidth_gbps,
                case.offered_load()
            )
        }))
    }
}

/// The scenarios with the experiment's trace, if it has one.
fn workloads(
    experiment: &Experiment,
    scenarios: &[Arc<Scenario>],
    progress: &dyn Progress,
) -> Result<Vec<Workload>, Error> {
    let trace = experiment.trace.as_ref().map(Recording::read).transpose()?;
    for left_out in trace.iter().flat_map(|trace| &trace.left_out) {
        progress.warn(&format!("left out of the trace: {left_out}"));
    }
    let workload = |scenario: &Arc<Scenario>| {
        let replay = trace.as_ref().map(|trace| Replay::new(trace, scenario)).transpose()?;
        Ok(Workload { scenario: Arc::clone(scenario), replay })
    };
    scenarios.iter().map(workload).collect()
}

/// The cases of a workload on a system. Settings with the same DRAM share a site.
fn cases_of(
    experiment: &Experiment,
    system: &SystemSpec,
    catalogue: &Catalogue,
    workload: &Workload,
    words: &[String; 2],
) -> Result<Vec<Case>, Error> {
    let loads =
        experiment.loads.as_ref().map_or(vec![None], |loads| loads.iter().copied().map(Some).collect());
    let mut cases = Vec::new();
    let mut sites: Vec<Arc<Site>> = Vec::new();
    for &qos in &experiment.qos {
        for &load in &loads {
            for &setting in &experiment.settings {
                let window = Window::of(experiment.wanted, setting.late, workload.total())
                    .map_err(|e| Error::Usage(format!("scenario `{}` {e}", workload.scenario.name)))?;
                let dram = Dram::new(system, &setting);
                let known = sites.iter().find(|site| site.dram == dram).cloned();
                let site = match known {
                    Some(site) => site,
                    None => {
                        let seed = experiment.first_seed;
                        let site = Arc::new(Site::new(system, catalogue, workload, dram, &window, seed)?);
                        sites.push(Arc::clone(&site));
                        site
                    }
                };
                if let Some(load) = load {
                    let requests_per_s = load * site.capacity.requests_per_s;
                    if let Extent::Requests(requests) = window.extent() {
                        check_span(requests as f64 / requests_per_s, workload, system)?;
                    }
                    check_number(requests_per_s, 0.0, &window, workload, system)?;
                }
                cases.push(Case {
                    system: system.name.clone(),
                    words: words.clone(),
                    workload: workload.clone(),
                    qos,
                    load,
                    setting,
                    site,
                    wanted: experiment.wanted,
                    window,
                });
            }
        }
    }
    Ok(cases)
}

impl Site {
    /// lambda* is that of the tenants' shares, or, where requests come at their own pace, of theirs.
    fn new(
        system: &SystemSpec,
        catalogue: &Catalogue,
        workload: &Workload,
        dram: Dram,
        window: &Window,
        seed: u64,
    ) -> Result<Self, Error> {
        let scenario = &workload.scenario;
        let world = catalogue.world(system, scenario, &dram)?;
        let own = match workload.has_own_pace() {
            true => Some(OwnPace::of(workload, &world, window, seed, system)?),
            false => None,
        };
        let shares = own.as_ref().map_or_else(|| scenario.network_shares(), |own| own.shares.clone());
        let capacity = mix_capacity(&world, &shares, dram.bytes_per_s())
            .map_err(|e| Error::Usage(format!("scenario `{}` on `{}`: {e}", scenario.name, system.name)))?;
        if let Some(own) = &own {
            check_number(own.most_per_s(), own.sample, window, workload, system)?;
        }
        let offered = own.as_ref().map(|own| own.load(capacity.requests_per_s));
        let own_per_s = own.map(|own| own.most_per_s());
        Ok(Self { world: Arc::new(world), capacity, offered, own_per_s, dram })
    }
}

impl Case {
    /// What is asked of the system, relative to lambda*.
    pub fn offered_load(&self) -> f64 {
        self.load.or(self.site.offered).unwrap_or(f64::NAN)
    }
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
fn check_forwarding(experiment: &Experiment, system: &SystemSpec) -> Result<(), Error> {
    let forwards = |setting: &&Setting| setting.forwarding.unwrap_or(system.forwarding);
    let differs = |setting: &Setting| setting.phases || setting.max_sub_job_us.is_finite();
    if !experiment.settings.iter().filter(forwards).any(differs) {
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
