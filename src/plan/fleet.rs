//! The fleets of a sweep: the sites with the costs of every variant at every batch, the ways between them and the
//! tenants, and lambda*.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::{Table, Value};

use super::catalogue::Catalogue;
use super::drift::Entries;
use super::fleet_ways::Resources;
use super::pace::OwnPace;
use super::rules::{decision_cost, rules_on};
use super::served::{model_of, served, terms, wide};
use super::workload::Workload;
use crate::experiment::{Asked, DataRoot, Dram, Error, Kind, Policies, SchedulerChoice};
use crate::files::{Source, did_you_mean};
use crate::fleet::{FleetSpec, LinkSharing, SiteSpec};
use crate::hw::SystemSpec;
use crate::limits::{Way, largest_rate, largest_value};
use crate::serve::{
    Client, FleetModel, ServedModel, Site as ServedSite, SiteMemory, Wire, WireSharing, joint_world,
};
use crate::sim::{Late, LateRules, Rules, Scheduler, World};
use crate::units::Time;
use crate::workload::{Scenario, Tenant};

/// Below this distance from 1 a resource counts as fully used, as for systems (`limits::saturation`).
const FULL: f64 = 1e-6;

/// The scheduler of sites that name none. Our choice, because deadlines are what a fleet is judged by.
const DEFAULT_SCHEDULER: &str = "edf";

/// A fleet under one setting, with the clients of one scenario.
#[derive(Debug)]
pub struct Fleet {
    /// The file.
    pub spec: Arc<FleetSpec>,
    /// What is run.
    pub model: Arc<FleetModel>,
    /// The platform of all sites together.
    pub joint: Arc<World>,
    /// The scheduler of each site, and the name of its system.
    pub schedulers: Vec<(SchedulerChoice, String)>,
    /// The policies of those that are learned.
    pub policies: Arc<Policies>,
    /// For each tenant a request alone in the fleet. Deadlines are multiples of its latency.
    pub alone: Vec<Alone>,
    /// The most requests per second with the most accurate variants, one by one: what loads are relative to.
    pub lambda_best: f64,
    /// What is fully used then; of several ways to reach that rate, others may spare some of it.
    pub bound_by: Vec<String>,
    /// The most requests per second with any variant and batch.
    pub lambda_max: f64,
    ways: Vec<Way>,
    shares: Vec<f64>,
}

/// A request alone in a fleet, on the most accurate variant, at the site where it is answered soonest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alone {
    /// The site, by number.
    pub site: usize,
    /// The time on the links there and back.
    pub network: Time,
    /// The time in service.
    pub service: Time,
}

impl Alone {
    /// The time from the arrival to the answer.
    pub fn latency(&self) -> Time {
        self.network + self.service
    }
}

impl Fleet {
    /// The largest mean quality at a rate, whatever is dispatched how; delays do not count. NaN at an infinite rate.
    pub fn quality_bound(&self, requests_per_s: f64) -> f64 {
        if !requests_per_s.is_finite() {
            return f64::NAN;
        }
        let rates: Vec<f64> = self.shares.iter().map(|share| share * requests_per_s).collect();
        // A solution is exact up to rounding, and no quality is above 1.
        largest_value(&self.ways, &rates).map_or(f64::NAN, |quality| quality.min(1.0))
    }

    /// The energy in picojoules of a bit on each of the model's wires.
    pub fn pj_per_bit(&self) -> Vec<f64> {
        let of_links = self.spec.links.iter().map(|link| link.pj_per_bit);
        let of_access =
            self.model.clients.iter().filter_map(|_| self.spec.access.map(|access| access.pj_per_bit));
        of_links.chain(of_access).flat_map(|each_way| [each_way; 2]).collect()
    }

    /// The schedulers of the sites for a run.
    pub fn schedulers(&self, seed: u64) -> Result<Vec<Box<dyn Scheduler>>, String> {
        let build = |(choice, system): &(SchedulerChoice, String)| {
            choice.build(self.policies.of(choice, system), seed)
        };
        self.schedulers.iter().map(build).collect()
    }
}

/// Finds the rates of a workload that fixes them, on the platform of all sites, where a request of each tenant takes so
/// many seconds if it never waits.
pub(super) type Pace<'a> = dyn Fn(&World, &[f64]) -> Result<Option<OwnPace>, Error> + 'a;

/// A fleet and the systems of its sites.
pub(super) struct FleetData {
    file: PathBuf,
    spec: Arc<FleetSpec>,
    pub(super) systems: Vec<SystemSpec>,
    schedulers: Vec<SchedulerChoice>,
    policies: Arc<Policies>,
}

impl FleetData {
    /// Reads a fleet and the systems of its sites.
    pub(super) fn read(name: &str, data: &DataRoot) -> Result<Self, Error> {
        let spec = Arc::new(data.fleet(name)?);
        let file = data.path(Kind::Fleet, name)?;
        let wrong = |place: usize, key: &str, message: String| match Source::read(&file) {
            Ok(source) => {
                let message = format!("site `{}`: {message}", spec.sites[place].name);
                source.error_in("site", place, &[key], message)
            }
            Err(error) => error,
        };
        let mut systems = Vec::new();
        let (mut schedulers, mut policies) = (Vec::new(), Policies::default());
        for (place, site) in spec.sites.iter().enumerate() {
            data.path(Kind::System, &site.system).map_err(|e| wrong(place, "system", e.to_string()))?;
            systems.push(data.system(&site.system)?);
            let default = Table::from_iter([("name".to_string(), Value::from(DEFAULT_SCHEDULER))]);
            let table = site.scheduler.clone().unwrap_or(default);
            let choice = SchedulerChoice::of_table(table, data.registry())
                .map_err(|message| wrong(place, "scheduler", message))?;
            policies
                .read([&choice], &systems[place], data, &|_, message| Error::Usage(message))
                .map_err(|error| wrong(place, "scheduler", error.to_string()))?;
            let policy = policies.of(&choice, &systems[place].name);
            choice.build(policy, 0).map_err(|message| wrong(place, "scheduler", message))?;
            schedulers.push(choice);
        }
        Ok(Self { file, spec, systems, schedulers, policies: Arc::new(policies) })
    }

    /// The system of the first site under the name of the fleet: where a setting names no value, the first site's own is
    /// shown.
    pub(super) fn home(&self) -> SystemSpec {
        SystemSpec { name: self.spec.name.clone(), ..self.systems[0].clone() }
    }

    /// The fleet under a setting, for a workload.
    pub(super) fn fleet(
        &self,
        catalogues: &[Catalogue],
        workload: &Workload,
        scenario_file: &Path,
        (asked, drift): (&Asked, Entries),
        pace: &Pace,
    ) -> Result<(Fleet, Option<OwnPace>), Error> {
        let scenario = &workload.scenario;
        let wrong = |message: String| {
            Error::Usage(format!("scenario `{}` on fleet `{}`: {message}", scenario.name, self.spec.name))
        };
        let model = Arc::new(self.model(catalogues, scenario, scenario_file, (asked, drift))?);
        let joint = Arc::new(joint_world(&model));
        let alone: Vec<Alone> = (0..model.clients.len()).map(|tenant| alone(&model, tenant)).collect();
        let served_s: Vec<f64> = alone.iter().map(|alone| alone.latency().as_s()).collect();
        let own = pace(&joint, &served_s)?;
        let shares = match &own {
            Some(own) => own.by_tenant.clone(),
            None => scenario.tenant_shares(),
        };
        let drams: Vec<Dram> = self.systems.iter().map(|system| Dram::of(&asked.on(system))).collect();
        let resources = Resources::of(&model);
        let all = resources.ways(&model, &drams).map_err(wrong)?;
        let best: Vec<Way> = all.iter().filter(|of| of.is_best).map(|of| of.way.clone()).collect();
        let ways: Vec<Way> = all.into_iter().map(|of| of.way).collect();
        let rate = |ways: &[Way]| largest_rate(ways, &shares).map_err(|e| wrong(e.to_string()));
        let lambda = rate(&best)?;
        let names = self.resources(scenario, &model);
        let full = lambda.used.iter().enumerate().filter(|&(_, &used)| used > 1.0 - FULL);
        let of_systems = self.systems.iter().map(|system| system.name.clone());
        let fleet = Fleet {
            spec: Arc::clone(&self.spec),
            schedulers: self.schedulers.iter().cloned().zip(of_systems).collect(),
            policies: Arc::clone(&self.policies),
            alone,
            lambda_best: lambda.per_s,
            bound_by: full.map(|(resource, _)| names[resource].clone()).collect(),
            lambda_max: rate(&ways)?.per_s,
            joint,
            ways,
            shares,
            model,
        };
        Ok((fleet, own))
    }

    /// The names of the resources, in the order of [`Resources`].
    fn resources(&self, scenario: &Scenario, model: &FleetModel) -> Vec<String> {
        let mut names = Vec::new();
        for (site, system) in model.sites.iter().zip(&self.systems) {
            let used = system.models.iter().map(|spec| format!("{} at {}", spec.name, site.name));
            names.extend(used.chain([format!("DRAM at {}", site.name)]));
        }
        let node = |node: u32| &self.spec.nodes[node as usize].name;
        for link in &self.spec.links {
            let [a, b] = link.between.map(node);
            names.extend([format!("link {a} - {b}"), format!("link {b} - {a}")]);
        }
        let access = scenario.tenants.iter().filter(|_| self.spec.access.is_some());
        let of =
            |tenant: &Tenant| ["to", "from"].map(|way| format!("access {way} the node of {}", tenant.name));
        names.extend(access.flat_map(of));
        names
    }

    fn model(
        &self,
        catalogues: &[Catalogue],
        scenario: &Scenario,
        scenario_file: &Path,
        (asked, drift): (&Asked, Entries),
    ) -> Result<FleetModel, Error> {
        let wrong = |of: OfTenant| self.wrong_tenant(scenario, scenario_file, of);
        check_networks(scenario).map_err(wrong)?;
        drift.check_sites(&self.spec)?;
        let wide = wide(scenario);
        let models = served(scenario, &wide, &catalogues[0]);
        let mut sites = Vec::new();
        for ((spec, system), catalogue) in self.spec.sites.iter().zip(&self.systems).zip(catalogues) {
            let setting = asked.on(system);
            let dram = Dram::of(&setting);
            let world = catalogue.world(system, &wide, &dram)?;
            let drift = drift.of_engine(Some(&spec.name), system, &world, &dram)?;
            let known =
                |model: &ServedModel| spec.models.as_ref().is_none_or(|names| names.contains(&model.name));
            let late = LateRules::all(Late::Finish);
            sites.push(ServedSite {
                name: spec.name.clone(),
                rules: Rules { late, drift, ..rules_on(&setting, scenario) },
                slots: spec.slots.unwrap_or(world.platform.accelerators.len() as u32),
                deployed: models.iter().map(known).collect(),
                memory: spec.memory.map(|memory| SiteMemory {
                    bytes: memory.bytes,
                    load_bytes_per_ps: memory.load_bytes_per_s / 1e12,
                }),
                cost_per_s: spec.cost_per_s,
                world: Arc::new(world),
            });
        }
        let setting = asked.on(&self.systems[0]);
        let mut wires = Vec::new();
        for link in &self.spec.links {
            let sharing = match link.sharing {
                LinkSharing::Ps => WireSharing::Ps,
                LinkSharing::Fifo => WireSharing::Fifo,
                LinkSharing::None => WireSharing::None,
            };
            let wire = Wire { bytes_per_ps: link.bytes_per_s / 1e12, delay: link.delay, sharing };
            wires.extend([wire, wire]);
        }
        let clients = self.clients(scenario, &models, &mut wires).map_err(wrong)?;
        let fleet = FleetModel {
            sites,
            models,
            wires,
            clients,
            nodes: self.spec.nodes.len(),
            report: self.spec.report,
            dispatch_cost: decision_cost(&setting),
            changes: drift.of_links(&self.spec)?,
            late: LateRules {
                rule: setting.late,
                own: scenario.tenants.iter().map(|tenant| tenant.late).collect(),
            },
        };
        self.check_memories(&fleet)?;
        for (tenant, client) in fleet.clients.iter().enumerate() {
            if !(0..fleet.sites.len()).any(|site| fleet.serves(site, client)) {
                let model = &fleet.models[client.model].name;
                let message =
                    format!("no site that it reaches has `{model}`: add it to the `models` of a [[site]]");
                return Err(wrong(OfTenant { tenant, keys: &["model", "network"], message }));
            }
        }
        Ok(fleet)
    }

    /// Checks that every variant that is deployed fits into the memory of its site.
    fn check_memories(&self, fleet: &FleetModel) -> Result<(), Error> {
        for (place, site) in fleet.sites.iter().enumerate() {
            let Some(memory) = site.memory else { continue };
            let deployed = fleet.models.iter().zip(&site.deployed).filter(|(_, deployed)| **deployed);
            let mut variants = deployed.flat_map(|(model, _)| &model.variants);
            if let Some(variant) = variants.find(|variant| variant.weight_bytes > memory.bytes) {
                let (weights, room) = (variant.weight_bytes / 1e6, memory.bytes / 1e6);
                let message = format!(
                    "site `{}`: the weights of `{}` are {weights:.1} MB, and `memory_mb` is {room}: expected room for each \
                     variant, or `models` without it",
                    site.name, variant.name
                );
                let source = Source::read(&self.file)?;
                return Err(source.error_in("site", place, &["memory_mb"], message).into());
            }
        }
        Ok(())
    }

    /// An error about a tenant on this fleet, at a key of the tenant.
    fn wrong_tenant(&self, scenario: &Scenario, file: &Path, of: OfTenant) -> Error {
        let tenant = &scenario.tenants[of.tenant].name;
        let message = format!(
            "tenant `{tenant}` on fleet `{}` ({}): {}",
            self.spec.name,
            self.file.display(),
            of.message
        );
        match Source::read(file) {
            Ok(source) => source.error_in("tenant", of.tenant, of.keys, message).into(),
            Err(error) => error.into(),
        }
    }

    /// The clients; adds the wires of their access.
    fn clients(
        &self,
        scenario: &Scenario,
        models: &[ServedModel],
        wires: &mut Vec<Wire>,
    ) -> Result<Vec<Client>, OfTenant> {
        let routes = self.spec.routes();
        let mut clients = Vec::new();
        for (place, tenant) in scenario.tenants.iter().enumerate() {
            let node = match &tenant.node {
                Some(name) => self.spec.node(name).ok_or_else(|| {
                    let nodes: Vec<&str> = self.spec.nodes.iter().map(|node| &node.name[..]).collect();
                    let hint = did_you_mean(name, &nodes);
                    let message = format!("no node `{name}`{hint}: expected one of {}", nodes.join(", "));
                    OfTenant { tenant: place, keys: &["node"], message }
                })?,
                None => 0,
            };
            let access: Option<[u32; 2]> = self.spec.access.map(|access| {
                let bytes_per_ps = access.bytes_per_s / 1e12;
                let wire = Wire { bytes_per_ps, delay: access.delay, sharing: WireSharing::Ps };
                wires.extend([wire, wire]);
                [wires.len() as u32 - 2, wires.len() as u32 - 1]
            });
            let way = |site: &SiteSpec| {
                let (mut there, mut back) = (Vec::new(), Vec::new());
                let mut at = node;
                there.extend(access.map(|[up, _]| up));
                for &link in routes.path(node, site.node)? {
                    let forward = self.spec.links[link as usize].between[0] == at;
                    there.push(2 * link + u32::from(!forward));
                    back.push(2 * link + u32::from(forward));
                    at = self.spec.links[link as usize].other_end(at);
                }
                back.reverse();
                back.extend(access.map(|[_, down]| down));
                Some([Arc::from(there), Arc::from(back)])
            };
            let model = model_of(scenario, place, models);
            clients.push(Client {
                model,
                node: node as usize,
                input_bytes: tenant.input_bytes,
                output_bytes: tenant.output_bytes,
                terms: terms(tenant, &models[model]),
                ways: self.spec.sites.iter().map(way).collect(),
            });
        }
        Ok(clients)
    }
}

/// What is wrong with a tenant, and the keys of its entry that may say it.
struct OfTenant {
    tenant: usize,
    keys: &'static [&'static str],
    message: String,
}

/// Checks that every tenant asks for one thing.
fn check_networks(scenario: &Scenario) -> Result<(), OfTenant> {
    let has_several = |tenant: &Tenant| tenant.networks.len() > 1;
    scenario.tenants.iter().position(has_several).map_or(Ok(()), |tenant| {
        let message = "it asks for several networks: expected a `model`, or one `network`".into();
        Err(OfTenant { tenant, keys: &["networks"], message })
    })
}

/// A request of a tenant alone in the fleet.
fn alone(model: &FleetModel, tenant: usize) -> Alone {
    let client = &model.clients[tenant];
    let best = model.models[client.model].best();
    let sites = (0..model.sites.len()).filter(|&site| model.serves(site, client));
    let at = |site: usize| {
        let [there, back] = client.ways[site].as_ref().expect("it is served there");
        let network = model.travel(there, client.input_bytes) + model.travel(back, client.output_bytes);
        Alone { site, network, service: model.service(site, client.model, best, 1) }
    };
    sites.map(at).min_by_key(Alone::latency).expect("some site serves it")
}
