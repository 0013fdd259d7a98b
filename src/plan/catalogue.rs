//! The networks of all scenarios with their costs on one system, and the worlds made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ndarray::Array2;

use crate::cost::{self, Cache, CostTable, LayerCost};
use crate::experiment::{DataRoot, Dram, Error, Progress, Setting, distinct};
use crate::hw::{self, AccelSpec, Accelerator, Fusion, LinkSpec, MemorySpec, Objective, SystemSpec};
use crate::precision::Precision;
use crate::sim::{
    AcceleratorModel, Buffer, DramPower, Forwarding, Gating, LayerModel, Link, Memories, Memory,
    NetworkModel, Platform, Preemption, Residency, Switch, Tensors, Way, World,
};
use crate::units::{Picojoules, Time};
use crate::workload::{Network, Scenario, Variant, Work};

/// The longest latency of a layer that is accepted, in seconds: far less than the 64-bit clock holds.
const MAX_LAYER_S: f64 = 1e3;

/// The longest latency of a network, layer by layer, that is accepted: no more than the requests of a run may span
/// (`pace.rs`).
const MAX_NETWORK_S: f64 = 1e6;

/// The form in which a system runs networks. The objective comes first, so that forms under one objective are neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Form {
    objective: Objective,
    fusion: Fusion,
    precision: Precision,
}

impl Form {
    pub(super) fn of(setting: &Setting) -> Self {
        Self { objective: setting.objective, fusion: setting.fusion, precision: setting.precision }
    }
}

/// The networks of all scenarios with their costs on one system.
pub(super) struct Catalogue {
    variants: Vec<Variant>,
    /// For each form that is asked for, the networks of all variants.
    costed: BTreeMap<Form, Vec<Costed>>,
}

/// A network as the system runs it.
struct Costed {
    network: Network,
    table: CostTable,
}

impl Catalogue {
    pub(super) fn new(
        system: &SystemSpec,
        forms: &BTreeSet<Form>,
        scenarios: &[Arc<Scenario>],
        data: &DataRoot,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<Self, Error> {
        let mut variants: Vec<Variant> =
            scenarios.iter().flat_map(|scenario| scenario.networks.iter().cloned()).collect();
        variants.sort_unstable();
        variants.dedup();
        let read = |variant: &Variant| data.network(&variant.network);
        let networks = variants.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let as_run = |&Form { fusion, precision, .. }: &Form| {
            networks.iter().map(move |network| cost::as_run(network, precision, fusion, &system.models))
        };
        let networks: Vec<Network> = forms.iter().flat_map(as_run).collect();
        let batches = variants.iter().map(|variant| variant.batch).cycle();
        let jobs: Vec<(&Network, u64)> = networks.iter().zip(batches).collect();
        let objectives: Vec<Objective> =
            forms.iter().flat_map(|form| variants.iter().map(|_| form.objective)).collect();
        let mut tables = Vec::with_capacity(jobs.len());
        for same in objectives.chunk_by(PartialEq::eq) {
            let system = SystemSpec { objective: same[0], ..system.clone() };
            let jobs = &jobs[tables.len()..tables.len() + same.len()];
            tables.extend(self::tables(&system, jobs, cache, progress)?);
        }
        let mut all = networks.into_iter().zip(tables).map(|(network, table)| Costed { network, table });
        let costed = forms.iter().map(|&form| (form, all.by_ref().take(variants.len()).collect()));
        Ok(Self { costed: costed.collect(), variants })
    }

    /// The networks of a scenario on the system under one setting of its DRAM.
    pub(crate) fn world(
        &self,
        system: &SystemSpec,
        scenario: &Scenario,
        dram: &Dram,
    ) -> Result<World, Error> {
        let platform = platform(system, dram);
        let models = scenario.networks.iter().map(|variant| {
            let place = number(variant, scenario);
            self.model(variant, place, system, &platform, dram)
        });
        let mut networks = models.collect::<Result<Vec<_>, _>>()?;
        if dram.residency != hw::Residency::None {
            let memories: Arc<[Memory]> =
                system.accelerators.iter().map(|a| memory(&system.models[a.model])).collect();
            for ((model, variant), place) in networks.iter_mut().zip(&scenario.networks).zip(0..) {
                let costed = self.costed(variant, dram);
                model.residency = Some(Residency {
                    tensors: tensors(costed, variant, model, system, dram.residency),
                    outputs: outputs(&costed.network, variant),
                    pinned: scenario.pins_weights(place),
                    memories: Arc::clone(&memories),
                });
            }
        }
        Ok(World { platform, networks })
    }

    /// The number of parameters of a network.
    pub(super) fn parameters(&self, network: &str) -> f64 {
        let place = self.variants.iter().position(|variant| variant.network == network);
        let place = place.expect("the catalogue holds every scenario's networks");
        self.costed.values().next().map_or(0.0, |costed| costed[place].network.parameters() as f64)
    }

    fn costed(&self, variant: &Variant, dram: &Dram) -> &Costed {
        let place =
            self.variants.binary_search(variant).expect("the catalogue holds every scenario's networks");
        let form = Form { objective: dram.objective, fusion: dram.fusion, precision: dram.precision };
        &self.costed[&form][place]
    }

    fn model(
        &self,
        variant: &Variant,
        number: usize,
        system: &SystemSpec,
        platform: &Platform,
        dram: &Dram,
    ) -> Result<NetworkModel, Error> {
        let (Costed { network, table }, label) = (self.costed(variant, dram), variant.label());
        let way = |m| platform.memories.way(number, m, platform.bandwidth_bytes_per_ps);
        let ways: Vec<Way> = (0..system.accelerators.len()).map(way).collect();
        let (mut layers, mut total_s) = (Vec::with_capacity(network.layers.len()), 0.0);
        for (l, layer) in network.layers.iter().enumerate() {
            let costs: Vec<_> = system.accelerators.iter().map(|a| table.costs[[l, a.model]]).collect();
            let seconds = |(m, cost): (usize, &Option<LayerCost>)| {
                let (cost, way) = (cost.as_ref()?, &ways[m]);
                let moving_s = cost.dram_bytes.0 as f64 / way.bandwidth_bytes_per_ps / 1e12;
                Some(cost.latency.as_s().max(moving_s))
            };
            let longest = costs.iter().enumerate().filter_map(seconds).fold(0.0, f64::max);
            if longest > MAX_LAYER_S {
                return Err(Error::Usage(format!(
                    "layer `{}` of network `{label}` takes {longest:.1e} s on `{}`: expected at most {MAX_LAYER_S:.0e} s",
                    layer.name, system.name
                )));
            }
            total_s += longest;
            layers.push(LayerModel { name: layer.name.clone(), after: layer.after.clone(), costs });
        }
        if total_s > MAX_NETWORK_S {
            return Err(Error::Usage(format!(
                "network `{label}` takes {total_s:.1e} s on `{}`, layer by layer: expected at most {MAX_NETWORK_S:.0e} s",
                system.name
            )));
        }
        let splits = dram.max_sub_job_us.is_finite() && dram.preemption != Preemption::Drain;
        let limit = splits.then(|| Time::from_us(dram.max_sub_job_us));
        let mut model = NetworkModel::numbered(number, &label, &layers, platform, limit);
        if splits && dram.preemption.costs() {
            let energies = system.accelerators.iter().map(|a| dram_pj_per_byte(&system.models[a.model]));
            model = model.interrupted(dram.preemption, &layers, energies.collect());
        }
        if dram.forwarding {
            model.forwarding = Some(Forwarding {
                outputs: output_words(network, variant, system),
                buffers: system.accelerators.iter().map(|a| buffer(&system.models[a.model])).collect(),
            });
        }
        if !dram.phases {
            return Ok(model);
        }
        let port = |a: &Accelerator| system.models[a.model].port_bytes_per_s() / 1e12;
        let ports: Vec<f64> = system.accelerators.iter().map(port).collect();
        Ok(model.in_phases(&ports))
    }
}

/// Elements of the output of each layer.
fn outputs(network: &Network, variant: &Variant) -> Vec<u64> {
    network.layers.iter().map(|layer| layer.work(variant.batch).output_elements()).collect()
}

/// Words of the output of each layer in the DRAM of each accelerator, as wide as the narrowest of those that read it
/// would read it.
fn output_words(network: &Network, variant: &Variant, system: &SystemSpec) -> Array2<u64> {
    let works: Vec<Work> = network.layers.iter().map(|layer| layer.work(variant.batch)).collect();
    let mut widths: Vec<Vec<Option<u8>>> = works.iter().map(|work| vec![work.precision.outputs]).collect();
    for (layer, work) in network.layers.iter().zip(&works) {
        layer.after.iter().for_each(|&before| widths[before].push(work.precision.inputs));
    }
    Array2::from_shape_fn((works.len(), system.accelerators.len()), |(l, m)| {
        let dram = system.models[system.accelerators[m].model].dram();
        let words = widths[l].iter().map(|&bits| dram.words(works[l].output_elements(), bits));
        words.min().expect("the output itself has a width")
    })
}

/// The memory of an accelerator for tensors that stay on chip.
fn memory(model: &AccelSpec) -> Memory {
    Memory { bytes: model.resident_bytes(), dram_pj_per_byte: dram_pj_per_byte(model) }
}

/// Energy of reading a byte from DRAM.
fn dram_pj_per_byte(model: &AccelSpec) -> f64 {
    let dram = model.dram();
    dram.read_pj_per_access / dram.words_per_access() * 8.0 / dram.word_bits as f64
}

/// The tensors of each layer on each accelerator that may stay there.
fn tensors(
    Costed { network, table }: &Costed,
    variant: &Variant,
    model: &NetworkModel,
    system: &SystemSpec,
    keeps: hw::Residency,
) -> Array2<Tensors> {
    Array2::from_shape_fn((network.layers.len(), system.accelerators.len()), |(l, m)| {
        let accelerator = system.accelerators[m].model;
        let Some(cost) = &table.costs[[l, accelerator]] else { return Tensors::default() };
        let (work, dram) = (network.layers[l].work(variant.batch), system.models[accelerator].dram());
        let bytes = |elements, bits| dram.bytes(dram.words(elements, bits)).0;
        let mut tensors = Tensors::default();
        if keeps.keeps_weights() {
            tensors.weights = bytes(work.op.weight_elements(), work.precision.weights);
            tensors.weight_reads = cost.weight_bytes.0;
        }
        if keeps.keeps_outputs() {
            tensors.input_reads = cost.input_bytes.0;
            if !model.successors[l].is_empty() {
                tensors.output = bytes(work.output_elements(), work.precision.outputs);
            }
        }
        tensors
    })
}

/// The buffer of an accelerator for forwarding. An accelerator without a global buffer forwards nothing.
fn buffer(model: &AccelSpec) -> Buffer {
    let dram = model.dram();
    Buffer {
        words: model.global_buffer().map_or(0, |buffer| buffer.capacity_words.unwrap_or(u64::MAX)),
        word_bytes: dram.word_bits as f64 / 8.0,
        dram_pj: dram.read_pj_per_access / dram.words_per_access(),
    }
}

/// The cost tables of networks at batch sizes on a system, with progress and warnings passed on.
fn tables(
    system: &SystemSpec,
    jobs: &[(&Network, u64)],
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<CostTable>, Error> {
    let begun = AtomicBool::new(false);
    let tables = cost::tables(system, jobs, cache, &|done, total| {
        if !begun.swap(true, Ordering::Relaxed) {
            progress.begin(&format!("mapping layers on {}", system.name), total);
        }
        progress.advance(done);
    })?;
    cache.take_warnings().iter().for_each(|warning| progress.warn(warning));
    Ok(tables)
}

/// What it costs an accelerator to change the network.
fn switch(model: &AccelSpec, dram: &Dram) -> Switch {
    let dram_bytes = dram.switch_kib * 1024.0;
    let energy = Picojoules(dram_bytes * dram_pj_per_byte(model));
    Switch { latency_ps: dram.switch_us * 1e6, dram_bytes, energy }
}

fn platform(system: &SystemSpec, dram: &Dram) -> Platform {
    let accelerator = |(a, number): (&Accelerator, usize)| {
        let model = &system.models[a.model];
        let leakage_pj_per_ps = model.leak_pj_per_cycle() * model.clock_hz / 1e12;
        let levels = model.storages().skip(1).map(|(_, level)| level.name.clone()).collect();
        let switch = switch(model, dram);
        AcceleratorModel {
            name: a.name.clone(),
            model: number,
            leakage_pj_per_ps,
            clock_pj_per_ps: watts(model.clock_mw),
            gating: model.gating.map(gating),
            switch,
            levels,
        }
    };
    let dram_power = DramPower {
        background_pj_per_ps: watts(system.dram_background_mw),
        refresh_pj_per_ps: watts(system.dram_refresh_mw),
    };
    let accelerators = system.accelerators.iter().zip(numbers(system)).map(accelerator).collect();
    let platform = Platform::new(accelerators, dram.bytes_per_s() / 1e12, dram.sharing);
    Platform { memories: Arc::new(memories(system, dram)), dram_power, ..platform }
}

/// The number of each accelerator's model. Accelerators of a model in different memories count as of two, because layers
/// take longer behind a slower memory.
fn numbers(system: &SystemSpec) -> Vec<usize> {
    let kinds: Vec<(usize, usize)> = system.accelerators.iter().map(|a| (a.model, a.memory)).collect();
    let distinct = distinct(kinds.iter());
    let number = |kind| distinct.iter().position(|other| *other == kind).expect("it is among them");
    kinds.iter().map(number).collect()
}

/// The memories of a system, if it has several.
fn memories(system: &SystemSpec, dram: &Dram) -> Memories {
    if system.memories.len() < 2 {
        return Memories::default();
    }
    let link = |link: &LinkSpec| Link {
        between: link.between,
        bytes_per_ps: dram.link_gbps.0.map_or(link.bandwidth_gbps, |gbps| gbps.0) / 1e3,
        pj_per_byte: 8.0 * link.pj_per_bit,
    };
    let share = |memory: &MemorySpec| memory.bandwidth_gbps / system.dram_bandwidth_gbps;
    Memories {
        names: system.memories.iter().map(|memory| memory.name.clone()).collect(),
        shares: system.memories.iter().map(share).collect(),
        of: system.accelerators.iter().map(|accelerator| accelerator.memory).collect(),
        links: system.links.iter().map(link).collect(),
        placement: dram.data_placement.0.unwrap_or(system.data_placement),
    }
}

/// The number of a network among those of a scenario, whatever their batch sizes.
fn number(variant: &Variant, scenario: &Scenario) -> usize {
    let networks = distinct(scenario.networks.iter().map(|variant| &variant.network));
    networks.iter().position(|network| **network == variant.network).expect("it is the scenario's")
}

/// 1 W is 1 pJ/ps.
fn watts(mw: f64) -> f64 {
    mw / 1e3
}

fn gating(key: hw::Gating) -> Gating {
    Gating { after: Time::from_us(key.after_us), residual: key.residual, wake: Picojoules(key.wake_uj * 1e6) }
}
