//! Makes everything that cells share: systems, networks with their costs, worlds, lambda*.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::case::{Case, Site};
use super::catalogue::{Catalogue, Form};
use super::copies;
use super::drift::Entries;
use super::fleet::FleetData;
use super::fleet_cases::{FleetBuilder, catalogues};
use super::frame::Frame;
use super::points::{Names, Point, Space};
use super::reference::References;
use super::workload::{Workload, isolated};
use crate::cost::Cache;
use crate::experiment::{
    CellDrift, DataRoot, Dram, Error, Experiment, Kind, Policies, Progress, SchedulerChoice, Setting, Window,
    distinct,
};
use crate::hw::{Placement, Residency, Sharing, SystemSpec};
use crate::sim::{Drift, Estimates};
use crate::workload::{RateChanges, RecordedArrivals, Recording, Scenario, SlaRule, Tenant};

/// An experiment whose names are resolved and whose cases are ready to run.
#[derive(Debug)]
pub struct Plan {
    /// The experiment.
    pub experiment: Experiment,
    /// All schedulers: the experiment's, then those that only its includes name.
    pub schedulers: Vec<SchedulerChoice>,
    /// The product of all keys except scheduler and seed, in the order of the file; then the cases that only includes
    /// have.
    pub cases: Vec<Case>,
    /// The bounds by case and seed, filled by [`Self::find_bounds`]: the largest number of measured requests that any
    /// schedule meets.
    pub bounds: Vec<BTreeMap<u64, usize>>,
    /// The policies of the learned schedulers.
    pub policies: Policies,
}

impl Plan {
    /// Reads the files that the experiment names, maps layers whose costs the cache does not hold, and computes
    /// lambda*.
    pub fn prepare(
        experiment: Experiment,
        data: &DataRoot,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<Self, Error> {
        let names = Names::of(&experiment);
        let scenarios = names.scenarios.iter().map(|name| data.scenario(name).map(Arc::new));
        let scenarios = scenarios.collect::<Result<Vec<_>, _>>()?;
        let scenario_files = names.scenarios.iter().map(|name| data.path(Kind::Scenario, name));
        let scenario_files = scenario_files.collect::<Result<Vec<_>, _>>()?;
        let fleets = match experiment.on_fleets {
            true => {
                names.systems.iter().map(|name| FleetData::read(name, data)).collect::<Result<Vec<_>, _>>()?
            }
            false => Vec::new(),
        };
        let systems = match experiment.on_fleets {
            true => fleets.iter().map(FleetData::home).collect(),
            false => names.systems.iter().map(|name| data.system(name)).collect::<Result<Vec<_>, _>>()?,
        };
        let workloads = workloads(&experiment, &scenarios, progress)?;
        let products = std::iter::once(&experiment).chain(experiment.include.iter().map(|i| &i.experiment));
        products
            .into_iter()
            .try_for_each(|product| check_product(product, &names, &systems[0], &workloads))?;
        let space = Space { names: &names, systems: &systems, scenarios: &scenarios };
        let points = space.points(&experiment)?;
        let references = References::of(&points, &scenarios, data, cache, progress)?;
        let mut cases = Vec::new();
        let mut policies = Policies::default();
        for (place, system) in systems.iter().enumerate() {
            let own: Vec<&Point> = points.iter().filter(|point| point.system == place).collect();
            let frame = Frame { experiment: &experiment, names: &names, system };
            if let Some(fleet) = fleets.get(place) {
                for system in &fleet.systems {
                    check_system(&experiment, system, &own)?;
                }
                let catalogues = catalogues(fleet, &own, &scenarios, data, cache, progress)?;
                let builder = FleetBuilder { frame, fleet, catalogues, scenario_files: &scenario_files };
                builder.add(&own, &workloads, &mut cases)?;
                continue;
            }
            check_system(&experiment, system, &own)?;
            let runs: BTreeSet<usize> =
                own.iter().flat_map(|p| p.runs.iter()).map(|run| run.scheduler).collect();
            let at = |choice: &SchedulerChoice, message| experiment.error_at_scheduler(choice, data, message);
            policies.read(runs.iter().map(|&i| &names.schedulers[i]), system, data, &at)?;
            let used: BTreeSet<usize> = own.iter().map(|point| point.scenario).collect();
            let used: Vec<Arc<Scenario>> = used.iter().map(|&i| Arc::clone(&scenarios[i])).collect();
            let forms = own.iter().map(|point| Form::of(&point.setting)).collect();
            let catalogue = Catalogue::new(system, &forms, &used, data, cache, progress)?;
            let builder = Builder { frame, references: &references, catalogue };
            builder.add(&own, &workloads, &mut cases)?;
        }
        copies::leave_out(&mut cases, &names.schedulers).iter().for_each(|told| progress.warn(told));
        let plan = Self { experiment, schedulers: names.schedulers, cases, bounds: Vec::new(), policies };
        let overloads = plan.overloads(|case| case.load.is_none());
        overloads.iter().chain(&plan.long_periods()).for_each(|warning| progress.warn(warning));
        Ok(plan)
    }
}

/// The workloads: the scenarios with the experiment's trace, if it has one.
fn workloads(
    experiment: &Experiment,
    scenarios: &[Arc<Scenario>],
    progress: &dyn Progress,
) -> Result<Vec<Workload>, Error> {
    let reach = Window::reach(experiment.wanted);
    let trace = experiment.trace.as_ref().map(|keys| Recording::read_first(keys, &reach)).transpose()?;
    let tenants = scenarios.iter().flat_map(|scenario| &scenario.tenants).filter(|_| trace.is_none());
    let of_tenants = tenants.flat_map(|tenant| tenant.arrivals.left_out());
    let left_out = distinct(trace.iter().flat_map(|trace| &trace.left_out).chain(of_tenants));
    left_out.iter().for_each(|told| progress.warn(&format!("left out of the trace: {told}")));
    trace.iter().filter_map(|trace| trace.labels.unread()).for_each(|unread| progress.warn(&unread));
    let workload = |scenario: &Arc<Scenario>| {
        let recorded = trace.as_ref().map(|trace| RecordedArrivals::new(trace, scenario)).transpose()?;
        Ok(Workload { scenario: Arc::clone(scenario), recorded, changes: RateChanges::default() })
    };
    scenarios.iter().map(workload).collect()
}

/// Makes the cases of a system.
struct Builder<'a> {
    frame: Frame<'a>,
    references: &'a References,
    catalogue: Catalogue,
}

impl Builder<'_> {
    /// Settings with the same DRAM share a site.
    fn add(&self, points: &[&Point], workloads: &[Workload], cases: &mut Vec<Case>) -> Result<(), Error> {
        let mut sites: BTreeMap<usize, Vec<Arc<Site>>> = BTreeMap::new();
        let mut drifts: Vec<(Arc<Site>, Arc<CellDrift>, Drift)> = Vec::new();
        for point in points {
            let workload = &workloads[point.scenario];
            let window = self.frame.window(point, workload)?;
            let dram = Dram::of(&point.setting);
            let sites = sites.entry(point.scenario).or_default();
            let known = sites.iter().find(|site| site.dram == dram).cloned();
            let site = match known {
                Some(site) => site,
                None => {
                    let site = Site::new(self.frame.system, &self.catalogue, workload, dram, &window)?;
                    sites.push(Arc::new(site));
                    Arc::clone(&sites[sites.len() - 1])
                }
            };
            let same = |(of, drift, _): &&(Arc<Site>, Arc<CellDrift>, Drift)| {
                Arc::ptr_eq(of, &site) && *drift == point.drift
            };
            let drift = match drifts.iter().find(same) {
                Some((.., drift)) => drift.clone(),
                None => {
                    let entries = Entries { drift: &point.drift, source: &self.frame.experiment.source };
                    let drift = entries.of_engine(None, self.frame.system, &site.world, &site.dram)?;
                    drifts.push((Arc::clone(&site), Arc::clone(&point.drift), drift.clone()));
                    drift
                }
            };
            let own = || Arc::new(isolated(&site.world));
            let reference = self.references.latencies(point).unwrap_or_else(own);
            cases.push(self.frame.case(point, workload, window, (site, None), drift, reference)?);
        }
        Ok(())
    }
}

/// Checks that the scenarios support the keys of the experiment, which does not depend on the system.
fn check_product(
    product: &Experiment,
    names: &Names,
    any: &SystemSpec,
    workloads: &[Workload],
) -> Result<(), Error> {
    for (word, workload) in names.scenarios.iter().zip(workloads) {
        if product.scenarios.contains(word) {
            check_pace(product, workload)?;
            product.asked.iter().try_for_each(|asked| check_terms(product, asked.on(any).sla, workload))?;
        }
    }
    Ok(())
}

/// Checks that a load is given exactly if the scenario leaves its arrival rates open.
fn check_pace(experiment: &Experiment, workload: &Workload) -> Result<(), Error> {
    let name = &workload.scenario.name;
    let problem = match (workload.has_own_pace(), &experiment.loads) {
        (true, Some(_)) if workload.recorded.is_some() => {
            "`loads` cannot scale a `trace`: leave `loads` out, and set `speedup` in `trace`".to_string()
        }
        (true, Some(_)) => {
            let tenant = &workload.scenario.tenants[0];
            format!(
                "`loads` cannot scale the requests of scenario `{name}`, which fixes absolute arrival rates (tenant \
                 `{}`: {}); leave `loads` out, and set the rates in the scenario",
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

/// Checks the settings of points on a system, or on the system of a site.
fn check_system(experiment: &Experiment, system: &SystemSpec, points: &[&Point]) -> Result<(), Error> {
    let settings: Vec<Setting> = points.iter().map(|point| point.asked.on(system)).collect();
    check_whole_layers(experiment, system, &settings)?;
    check_switch(experiment, system, &settings)?;
    check_learning(experiment, system, &settings)?;
    check_preemption(experiment, system, &settings)?;
    check_memories(experiment, system, &settings)?;
    check_given_costs(experiment, system, &settings)
}

/// Checks that forwarding and residency are combined neither with phases or split layers, because they keep whole
/// tensors of layers with one demand, nor with each other, because residency contains forwarding.
fn check_whole_layers(
    experiment: &Experiment,
    system: &SystemSpec,
    settings: &[Setting],
) -> Result<(), Error> {
    let resides = |setting: &Setting| setting.residency != Residency::None;
    let split = |setting: &Setting| setting.phases || setting.max_sub_job_us.is_finite();
    let key = if settings.iter().any(|setting| setting.forwarding && split(setting)) {
        "forwarding = true"
    } else if settings.iter().any(|setting| resides(setting) && split(setting)) {
        "residency"
    } else if settings.iter().any(|setting| resides(setting) && setting.forwarding) {
        return Err(Error::Usage(format!(
            "{}: `residency = \"outputs\"` contains `forwarding = true`: give one of them (`{}`)",
            experiment.path.display(),
            system.name
        )));
    } else {
        return Ok(());
    };
    Err(Error::Usage(format!(
        "{}: `{key}` needs whole layers: it cannot be combined with `phases = true` or `max_sub_job_us` (`{}`)",
        experiment.path.display(),
        system.name
    )))
}

/// Checks that a change of network costs something only where layers have one demand, of which that is a part.
fn check_switch(experiment: &Experiment, system: &SystemSpec, settings: &[Setting]) -> Result<(), Error> {
    let switches = |setting: &&Setting| setting.switch_us > 0.0 || setting.switch_kib > 0.0;
    match settings.iter().filter(switches).any(|setting| setting.phases) {
        true => Err(Error::Usage(format!(
            "{}: `switch_us` and `switch_kib` cannot be combined with `phases = true` (`{}`)",
            experiment.path.display(),
            system.name
        ))),
        false => Ok(()),
    }
}

/// Checks that interrupting a layer costs something only where layers have parts, which have one demand.
fn check_preemption(experiment: &Experiment, system: &SystemSpec, settings: &[Setting]) -> Result<(), Error> {
    let costs = |setting: &&Setting| setting.preemption.costs();
    let problem = if settings.iter().filter(costs).any(|setting| setting.phases) {
        "`preemption` cannot be combined with `phases = true`"
    } else if settings.iter().filter(costs).any(|setting| setting.max_sub_job_us.is_finite()) {
        return Ok(());
    } else if settings.iter().any(|setting| setting.preemption.costs()) {
        "`preemption` says what it costs to interrupt a layer between its parts, and layers have none without \
         `max_sub_job_us`: give it, or leave `preemption` out"
    } else {
        return Ok(());
    };
    Err(Error::Usage(format!("{}: {problem} (`{}`)", experiment.path.display(), system.name)))
}

/// Checks that estimates are corrected only where layers have one demand, because phases keep theirs.
fn check_learning(experiment: &Experiment, system: &SystemSpec, settings: &[Setting]) -> Result<(), Error> {
    match settings.iter().any(|setting| setting.phases && setting.estimates == Estimates::Ewma) {
        true => Err(Error::Usage(format!(
            "{}: `estimates = \"ewma\"` cannot be combined with `phases = true` (`{}`)",
            experiment.path.display(),
            system.name
        ))),
        false => Ok(()),
    }
}

/// Checks that the keys of memories are asked for where there are such memories and links, and that layers which take
/// several of them share by a rule that knows several.
fn check_memories(experiment: &Experiment, system: &SystemSpec, settings: &[Setting]) -> Result<(), Error> {
    let problem = |setting: &Setting| {
        let placement = setting.data_placement.0;
        if let Some(Err(problem)) = placement.map(|placement| system.check_placement(placement)) {
            return Some(problem);
        }
        if setting.link_gbps.0.is_some() && system.links.is_empty() {
            return Some("`link_gbps` needs links between memories (`[[link]]`): leave it out".into());
        }
        let placement = placement.unwrap_or(system.data_placement);
        let one_by_one = matches!(setting.sharing, Sharing::Score | Sharing::Knee);
        let sharing =
            setting.named().find(|(key, _)| *key == "sharing").map_or(String::new(), |(_, word)| word);
        (placement != Placement::Local && one_by_one).then(|| {
            format!("`sharing = \"{sharing}\"` needs `data_placement = \"local\"`: it does not share several resources")
        })
    };
    match settings.iter().find_map(problem) {
        None => Ok(()),
        Some(problem) => {
            Err(Error::Usage(format!("{}: {problem} (`{}`)", experiment.path.display(), system.name)))
        }
    }
}

/// Checks that neither a precision nor another objective than the system's is asked for where costs are given: they would
/// change none of them.
fn check_given_costs(
    experiment: &Experiment,
    system: &SystemSpec,
    settings: &[Setting],
) -> Result<(), Error> {
    let Some(cost) = &system.cost else { return Ok(()) };
    let precision = settings.iter().find_map(|setting| setting.precision.set());
    let precision = precision.map(|precision| format!("precision = \"{precision}\""));
    let has_other = settings.iter().any(|setting| setting.objective != system.objective);
    let Some(key) = precision.or(has_other.then(|| "objective".into())) else { return Ok(()) };
    Err(Error::Usage(format!(
        "{}: `{key}` has no effect on `{}`, whose costs come from {}: leave it out",
        experiment.path.display(),
        system.name,
        cost.display()
    )))
}

/// Checks that every tenant has what the deadline rule of the experiment needs.
fn check_terms(experiment: &Experiment, rule: SlaRule, workload: &Workload) -> Result<(), Error> {
    let problem = |place: usize, tenant: &Tenant| {
        let has_none = |network| tenant.terms(network).sla(rule, 1.0).is_none();
        if tenant.mix().any(|(network, _)| has_none(network)) {
            return Some("`sla = \"absolute\"` needs `target_us`");
        }
        let framed = workload.scenario.has_frames(place) && workload.recorded.is_none();
        if tenant.sla.rule.unwrap_or(rule) == SlaRule::Period && !framed {
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
