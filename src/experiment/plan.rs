//! Everything that cells share, made once: systems, networks with their costs, worlds, lambda*.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::config::{Experiment, Setting};
use super::data::DataRoot;
use super::{Error, Progress};
use crate::cost::{self, Cache, CostTable, LayerCost};
use crate::hw::system::Accelerator;
use crate::hw::{Sharing, SystemSpec};
use crate::sim::capacity::{AloneCost, Capacity, CapacityError, LayerLoad, capacity};
use crate::sim::{AcceleratorModel, LayerModel, NetworkModel, PairCost, Platform, World};
use crate::units::{Bytes, Time};
use crate::workload::{Network, Qos, Scenario, Tenant};

/// An experiment with everything looked up: ready to run.
#[derive(Debug)]
pub struct Plan {
    /// What was asked for.
    pub experiment: Experiment,
    /// The product of all keys but scheduler and seed, in the order of the file.
    pub cases: Vec<Case>,
}

/// One point of the sweep but for scheduler and seed.
#[derive(Clone, Debug)]
pub struct Case {
    /// The system's name.
    pub system: String,
    /// System and scenario as the experiment names them: a name or a path.
    pub words: [String; 2],
    /// The tenants.
    pub scenario: Arc<Scenario>,
    /// The QoS level.
    pub qos: Qos,
    /// Relative to lambda*.
    pub load: f64,
    /// All other keys.
    pub setting: Setting,
    /// The system as this setting has it.
    pub site: Arc<Site>,
}

/// A scenario's networks on a system under one setting of its DRAM.
#[derive(Debug)]
pub struct Site {
    /// Platform and networks.
    pub world: Arc<World>,
    /// lambda* of the mix.
    pub capacity: Capacity,
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
    max_sub_job_us: f64,
    phases: bool,
}

impl Dram {
    fn new(system: &SystemSpec, setting: &Setting) -> Self {
        Self {
            bandwidth_gbps: setting.dram_bandwidth_gbps.unwrap_or(system.dram_bandwidth_gbps),
            efficiency: setting.dram_efficiency.unwrap_or(system.dram_efficiency),
            sharing: setting.sharing.unwrap_or(system.sharing),
            max_sub_job_us: setting.max_sub_job_us,
            phases: setting.phases,
        }
    }

    fn bytes_per_s(&self) -> f64 {
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
        check_targets(&experiment, &scenarios)?;
        let requests = experiment.requests;
        let mut cases = Vec::new();
        for name in &experiment.systems {
            let system = data.system(name)?;
            let catalogue = Catalogue::new(&system, &scenarios, data, cache, progress)?;
            for (scenario, word) in scenarios.iter().zip(&experiment.scenarios) {
                let mut sites: Vec<Arc<Site>> = Vec::new();
                for &qos in &experiment.qos {
                    for &load in &experiment.loads {
                        for &setting in &experiment.settings {
                            let site = catalogue.site(&system, scenario, &setting, &mut sites)?;
                            check_span(requests, load * site.capacity.requests_per_s, scenario, &system)?;
                            let words = [name.clone(), word.clone()];
                            let (system, scenario) = (system.name.clone(), Arc::clone(scenario));
                            cases.push(Case { system, words, scenario, qos, load, setting, site });
                        }
                    }
                }
            }
        }
        Ok(Self { experiment, cases })
    }
}

/// An absolute SLA needs a target from every tenant.
fn check_targets(experiment: &Experiment, scenarios: &[Arc<Scenario>]) -> Result<(), Error> {
    for setting in &experiment.settings {
        for scenario in scenarios {
            let lacks = |tenant: &&Tenant| tenant.sla.sla(setting.sla, 1.0).is_none();
            if let Some(tenant) = scenario.tenants.iter().find(lacks) {
                return Err(Error::Usage(format!(
                    "{}: `sla = \"absolute\"` needs `target_us` for tenant `{}` of scenario `{}`",
                    experiment.path.display(),
                    tenant.name,
                    scenario.name
                )));
            }
        }
    }
    Ok(())
}

/// The longest simulated time and the longest layer, in seconds: a tenth and less of what the 64-bit clock holds.
const MAX_SPAN_S: f64 = 1e6;
const MAX_LAYER_S: f64 = 1e3;

/// A run must end before the clock does.
fn check_span(
    requests: usize,
    rate_per_s: f64,
    scenario: &Scenario,
    system: &SystemSpec,
) -> Result<(), Error> {
    let span_s = requests as f64 / rate_per_s;
    if span_s <= MAX_SPAN_S {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{requests} requests of scenario `{}` on `{}` at {rate_per_s:.3e} requests/s take {span_s:.1e} s of simulated \
         time: expected at most {MAX_SPAN_S:.0e} s",
        scenario.name, system.name
    )))
}

/// The networks of all scenarios with their costs on one system.
struct Catalogue {
    networks: Vec<Network>,
    tables: Vec<CostTable>,
}

impl Catalogue {
    fn new(
        system: &SystemSpec,
        scenarios: &[Arc<Scenario>],
        data: &DataRoot,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<Self, Error> {
        let mut names: Vec<&String> = scenarios.iter().flat_map(|scenario| &scenario.networks).collect();
        names.sort_unstable();
        names.dedup();
        let networks = names.iter().map(|name| data.network(name)).collect::<Result<Vec<_>, _>>()?;
        let tables = tables(system, &networks, cache, progress)?;
        Ok(Self { networks, tables })
    }

    /// The site of a setting; settings with the same DRAM share one.
    fn site(
        &self,
        system: &SystemSpec,
        scenario: &Scenario,
        setting: &Setting,
        sites: &mut Vec<Arc<Site>>,
    ) -> Result<Arc<Site>, Error> {
        let dram = Dram::new(system, setting);
        if let Some(site) = sites.iter().find(|site| site.dram == dram) {
            return Ok(Arc::clone(site));
        }
        let platform = platform(system, &dram);
        let models = scenario.networks.iter().map(|name| self.model(name, system, &platform, &dram));
        let networks = models.collect::<Result<Vec<_>, _>>()?;
        let world = World { platform, networks };
        let capacity = mix_capacity(&world, scenario, dram.bytes_per_s())
            .map_err(|e| Error::Usage(format!("scenario `{}` on `{}`: {e}", scenario.name, system.name)))?;
        let site = Arc::new(Site { world: Arc::new(world), capacity, dram });
        sites.push(Arc::clone(&site));
        Ok(site)
    }

    fn model(
        &self,
        name: &str,
        system: &SystemSpec,
        platform: &Platform,
        dram: &Dram,
    ) -> Result<NetworkModel, Error> {
        let mut known = self.networks.iter().zip(&self.tables);
        let (network, table) = known
            .find(|(network, _)| network.name == name)
            .expect("the catalogue holds every scenario's networks");
        let mut layers = Vec::with_capacity(network.layers.len());
        for (l, layer) in network.layers.iter().enumerate() {
            let costs: Vec<_> = system.accelerators.iter().map(|a| table.costs[[l, a.model]]).collect();
            let seconds = |cost: &LayerCost| {
                cost.latency.as_s().max(cost.dram_bytes.0 as f64 / platform.bandwidth_bytes_per_ps / 1e12)
            };
            let longest = costs.iter().flatten().map(seconds).fold(0.0, f64::max);
            if longest > MAX_LAYER_S {
                return Err(Error::Usage(format!(
                    "layer `{}` of network `{name}` takes {longest:.1e} s on `{}`: expected at most {MAX_LAYER_S:.0e} s",
                    layer.name, system.name
                )));
            }
            layers.push(LayerModel { name: layer.name.clone(), after: layer.after.clone(), costs });
        }
        let limit = dram.max_sub_job_us.is_finite().then(|| Time::from_us(dram.max_sub_job_us));
        let model = NetworkModel::new(name, &layers, platform, limit);
        if !dram.phases {
            return Ok(model);
        }
        let port = |a: &Accelerator| system.models[a.model].port_bytes_per_s() / 1e12;
        let ports: Vec<f64> = system.accelerators.iter().map(port).collect();
        Ok(model.in_phases(&ports, platform))
    }
}

/// The cost tables of networks on a system, with progress and warnings passed on.
pub fn tables(
    system: &SystemSpec,
    networks: &[Network],
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<CostTable>, Error> {
    let jobs: Vec<(&Network, u64)> = networks.iter().map(|network| (network, 1)).collect();
    let begun = AtomicBool::new(false);
    let tables = cost::tables(system, &jobs, cache, &|done, total| {
        if !begun.swap(true, Ordering::Relaxed) {
            progress.begin(&format!("mapping layers on {}", system.name), total);
        }
        progress.advance(done);
    })?;
    cache.take_warnings().iter().for_each(|warning| progress.warn(warning));
    Ok(tables)
}

fn platform(system: &SystemSpec, dram: &Dram) -> Platform {
    let accelerator = |a: &Accelerator| {
        let model = &system.models[a.model];
        let leakage_pj_per_ps = model.leak_pj_per_cycle() * model.clock_hz / 1e12;
        AcceleratorModel { name: a.name.clone(), model: a.model, leakage_pj_per_ps }
    };
    Platform {
        accelerators: system.accelerators.iter().map(accelerator).collect(),
        bandwidth_bytes_per_ps: dram.bytes_per_s() / 1e12,
        sharing: dram.sharing,
    }
}

/// lambda* of a scenario's mix of networks.
fn mix_capacity(
    world: &World,
    scenario: &Scenario,
    dram_bytes_per_s: f64,
) -> Result<Capacity, CapacityError> {
    let accelerators = &world.platform.accelerators;
    let models = accelerators.iter().map(|a| a.model + 1).max().unwrap_or(0);
    let instance =
        |model| accelerators.iter().position(|a| a.model == model).expect("models are those in use");
    let first: Vec<usize> = (0..models).map(instance).collect();
    let count = |model| accelerators.iter().filter(|a| a.model == model).count() as u32;
    let instances: Vec<u32> = (0..models).map(count).collect();
    let mut loads = Vec::new();
    for (network, share) in world.networks.iter().zip(scenario.network_shares()) {
        loads.extend((0..network.layers.len() as u32).map(|layer| LayerLoad {
            per_request: share,
            costs: first.iter().map(|&m| network.cost(layer, m)).map(alone_cost).collect(),
        }));
    }
    capacity(&loads, &instances, dram_bytes_per_s)
}

fn alone_cost(cost: Option<&PairCost>) -> Option<AloneCost> {
    cost.map(|cost| AloneCost { c1: cost.alone, dram_bytes: Bytes(cost.dram_bytes().round() as u64) })
}
