//! The constants of a run, resolved to dense ids: the platform and, per network, the cost of every (layer, accelerator)
//! pair.

use std::sync::Arc;

use ndarray::{Array2, ArrayView1};

use super::drift::Unable;
use super::forwarding::Forwarding;
use super::memory::{Memories, Way};
use super::phases::{Phases, alone, phases};
use super::power::{DramPower, Gating};
use super::preemption::Interruption;
use super::residency::Residency;
use super::switch::Switch;
use crate::cost::{LayerCost, OnChip};
use crate::hw::Sharing;
use crate::units::{Picojoules, Time};

/// The accelerators and the DRAM behind them.
#[derive(Clone, Debug)]
pub struct Platform {
    /// The sub-accelerators m.
    pub accelerators: Vec<AcceleratorModel>,
    /// dram_efficiency x B in bytes per picosecond (10^12 bytes/s), of all memories together; may be infinite.
    pub bandwidth_bytes_per_ps: f64,
    /// The memories that deliver it, if there are several.
    pub memories: Arc<Memories>,
    /// How co-running layers share the bandwidth.
    pub sharing: Sharing,
    /// What the DRAM draws whatever it transfers; of a fleet, all its DRAMs.
    pub dram_power: DramPower,
}

impl Platform {
    /// Accelerators that share one DRAM, which draws no power by itself.
    pub fn new(accelerators: Vec<AcceleratorModel>, bandwidth_bytes_per_ps: f64, sharing: Sharing) -> Self {
        let (memories, dram_power) = (Arc::default(), DramPower::default());
        Self { accelerators, bandwidth_bytes_per_ps, memories, sharing, dram_power }
    }

    /// The memory domain of an accelerator: layers on accelerators with the same number compete for bandwidth. Where data
    /// may lie in any memory, that is all of them.
    #[inline]
    pub fn memory_of(&self, accelerator: usize) -> usize {
        match self.has_one_domain() {
            true => 0,
            false => self.memories.of[accelerator],
        }
    }

    /// The number of memory domains, of which some may have no accelerator.
    #[inline]
    pub fn domains(&self) -> usize {
        if self.has_one_domain() { 1 } else { self.memories.shares.len() }
    }

    #[inline]
    fn has_one_domain(&self) -> bool {
        self.memories.is_one() || self.memories.crosses()
    }

    /// The bandwidth that the DRAM of an accelerator's memory domain delivers, in bytes per picosecond; may be infinite.
    #[inline]
    pub fn bandwidth(&self, accelerator: usize) -> f64 {
        match self.has_one_domain() {
            true => self.bandwidth_bytes_per_ps,
            false => self.bandwidth_bytes_per_ps * self.memories.shares[self.memories.of[accelerator]],
        }
    }

    /// The bandwidth that the DRAMs of all domains deliver together, in bytes per picosecond; may be infinite.
    #[inline]
    pub fn total_bandwidth(&self) -> f64 {
        self.bandwidth_bytes_per_ps
    }
}

/// A sub-accelerator in the simulation.
#[derive(Clone, Debug)]
pub struct AcceleratorModel {
    /// Unique name.
    pub name: String,
    /// Accelerators with the same number are of the same model: equal costs for every layer.
    pub model: usize,
    /// Leakage of all buffers of the accelerator.
    pub leakage_pj_per_ps: f64,
    /// Power of the clock tree and of whatever else runs as long as the accelerator is on.
    pub clock_pj_per_ps: f64,
    /// When it is switched off; `None` is never.
    pub gating: Option<Gating>,
    /// What it costs to change the network.
    pub switch: Switch,
    /// The names of its on-chip levels, in the order of [`OnChip::levels_pj`].
    pub levels: Vec<String>,
}

impl AcceleratorModel {
    /// An accelerator that leaks and draws nothing else beside its layers, and whose on-chip levels have no names.
    pub fn new(name: String, model: usize, leakage_pj_per_ps: f64) -> Self {
        Self {
            name,
            model,
            leakage_pj_per_ps,
            clock_pj_per_ps: 0.0,
            gating: None,
            switch: Switch::FREE,
            levels: Vec::new(),
        }
    }

    /// What it draws as long as it is on, beside its layers.
    pub fn standby_pj_per_ps(&self) -> f64 {
        self.leakage_pj_per_ps + self.clock_pj_per_ps
    }
}

/// The cost of one layer on one accelerator of this platform.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairCost {
    /// Uncontended latency c in picoseconds. It is a fraction if a layer was split into equal parts.
    pub latency_ps: f64,
    /// Bandwidth demand b = DRAM bytes / c, in bytes per picosecond; may exceed the shared bandwidth.
    pub demand_bytes_per_ps: f64,
    /// DRAM bytes per tile, which the layer requests at once: the weight under `fifo` sharing.
    pub tile_bytes: f64,
    /// c1 = max(c, DRAM bytes / (dram_efficiency x B)): latency alone on this platform.
    pub alone: Time,
    /// Energy e of the layer.
    pub energy: Picojoules,
}

impl PairCost {
    /// DRAM bytes of the layer.
    pub fn dram_bytes(&self) -> f64 {
        self.latency_ps * self.demand_bytes_per_ps
    }

    fn new(cost: &LayerCost, parts: u64, way: &Way) -> Self {
        let share = 1.0 / parts as f64;
        let latency_ps = cost.latency.as_ps() * share;
        let demand_bytes_per_ps = cost.dram_bytes.0 as f64 / cost.latency.as_ps();
        let tile_bytes = cost.dram_bytes.0 as f64 / cost.tiles.max(1) as f64;
        let on_links = Picojoules(cost.dram_bytes.0 as f64 * way.link_pj_per_byte);
        let energy = (cost.energy + on_links) * share;
        Self { latency_ps, demand_bytes_per_ps, tile_bytes, alone: Time::ZERO, energy }
            .alone_behind(way.bandwidth_bytes_per_ps)
    }

    /// The cost without some of the bytes, which must be reads, and the energy that DRAM and links take for them.
    pub(super) fn without(self, bytes: f64, dram_pj: f64, way: &Way) -> Self {
        let left = 1.0 - bytes / self.dram_bytes();
        let demand_bytes_per_ps = self.demand_bytes_per_ps * left;
        let energy = Picojoules(self.energy.0 - dram_pj - bytes * way.link_pj_per_byte);
        Self { demand_bytes_per_ps, tile_bytes: self.tile_bytes * left, energy, ..self }
            .alone_behind(way.bandwidth_bytes_per_ps)
    }

    /// The cost of a layer that is expected to take `ratio` times as long, as one of an accelerator at 1 / `ratio` of its
    /// speed: its bytes and its energy stay.
    pub(crate) fn expected(self, ratio: f64, way: &Way) -> Self {
        let (latency_ps, demand_bytes_per_ps) = (self.latency_ps * ratio, self.demand_bytes_per_ps / ratio);
        Self { latency_ps, demand_bytes_per_ps, ..self }.alone_behind(way.bandwidth_bytes_per_ps)
    }

    /// Sets c1 for a DRAM of the given bandwidth.
    pub(super) fn alone_behind(mut self, bandwidth_bytes_per_ps: f64) -> Self {
        let rate = (bandwidth_bytes_per_ps / self.demand_bytes_per_ps).min(1.0);
        // The engine's own arithmetic for a layer alone, so that NTT is exactly 1 on an idle system.
        self.alone = Time::from_ps_ceil(self.latency_ps / rate);
        self
    }
}

/// One layer as input of the simulator.
#[derive(Clone, Debug)]
pub struct LayerModel {
    /// Unique within the network.
    pub name: String,
    /// Indices of the predecessors, all smaller than the layer's own.
    pub after: Vec<usize>,
    /// Cost on each accelerator; `None` where the layer cannot run.
    pub costs: Vec<Option<LayerCost>>,
}

/// A network on this platform. Layers are in topological order.
#[derive(Clone, Debug)]
pub struct NetworkModel {
    /// The network's name.
    pub name: String,
    /// Layer names.
    pub layers: Vec<String>,
    /// Cost of layer l on accelerator m at `[[l, m]]`; `None` where it cannot run.
    pub costs: Array2<Option<PairCost>>,
    /// c1 of layer l on accelerator m, row by row, which schedulers compare most often. [`Time::MAX`] where it cannot
    /// run.
    alone: Vec<Time>,
    /// Phases of layer l on accelerator m, row by row; empty where layers have none.
    phases: Vec<Phases>,
    /// Predecessors of each layer.
    pub predecessors: Vec<Vec<u32>>,
    /// Successors of each layer.
    pub successors: Vec<Vec<u32>>,
    /// Layers without predecessors, ascending.
    pub sources: Vec<u32>,
    /// Smallest c1 of each layer.
    pub best_alone: Vec<Time>,
    /// DRAM bytes of each layer on the accelerator of its smallest c1, rounded.
    pub best_bytes: Vec<u64>,
    /// Critical path from the start of each layer to the end, with every layer at its smallest c1.
    pub path_left: Vec<Time>,
    /// Sum of the smallest c1 over all layers.
    pub total_best: Time,
    /// Sum of `best_bytes` over all layers.
    pub total_bytes: u64,
    /// Critical path with every layer at its smallest c1: the isolated latency.
    pub isolated: Time,
    /// The data for forwarding, if outputs may stay on chip.
    pub forwarding: Option<Forwarding>,
    /// The data for residency, if tensors may stay on chip across layers and requests.
    pub residency: Option<Residency>,
    /// What accelerator m spends on chip for each layer, at `[m]`; `None` where that is not known.
    pub on_chip: Vec<Vec<Option<OnChip>>>,
    /// How its data reach accelerator m, at `[m]`.
    pub ways: Vec<Way>,
    /// The place of each sub-job in its layer: 0 for the first part, and for a whole layer.
    pub places: Vec<u32>,
    /// What it takes to interrupt a layer between its parts, if that costs anything.
    pub interruption: Option<Interruption>,
}

impl NetworkModel {
    /// Resolves a network, the first of a platform.
    pub fn new(name: &str, layers: &[LayerModel], platform: &Platform, max_sub_job: Option<Time>) -> Self {
        Self::numbered(0, name, layers, platform, max_sub_job)
    }

    /// Resolves the network with a number, which says where its data live. With `max_sub_job`, a layer whose c1 exceeds it
    /// on some accelerator becomes a chain of equal parts, as many as needed there but no more than it has DRAM tiles on
    /// every accelerator.
    pub fn numbered(
        number: usize,
        name: &str,
        layers: &[LayerModel],
        platform: &Platform,
        max_sub_job: Option<Time>,
    ) -> Self {
        let way = |m| platform.memories.way(number, m, platform.bandwidth_bytes_per_ps);
        let ways: Vec<Way> = (0..platform.accelerators.len()).map(way).collect();
        let mut names = Vec::new();
        let mut costs = Vec::new();
        let mut predecessors: Vec<Vec<u32>> = Vec::new();
        let (mut last_part, mut places) = (Vec::with_capacity(layers.len()), Vec::new());
        let mut on_chip = vec![Vec::new(); platform.accelerators.len()];
        for layer in layers {
            let parts = max_sub_job.map_or(1, |limit| parts(&layer.costs, &ways, limit));
            for part in 1..=parts {
                predecessors.push(match part {
                    1 => layer.after.iter().map(|&p| last_part[p]).collect(),
                    _ => vec![predecessors.len() as u32 - 1],
                });
                places.push(part as u32 - 1);
                names.push(match parts {
                    1 => layer.name.clone(),
                    _ => format!("{}[{part}/{parts}]", layer.name),
                });
                let on_each = layer.costs.iter().zip(&ways);
                costs.extend(on_each.map(|(cost, way)| Some(PairCost::new(cost.as_ref()?, parts, way))));
                for (on_chip, cost) in on_chip.iter_mut().zip(&layer.costs) {
                    let part = cost.and_then(|cost| cost.on_chip).map(|all| all * (1.0 / parts as f64));
                    on_chip.push(part);
                }
            }
            last_part.push(predecessors.len() as u32 - 1);
        }
        let shape = (names.len(), platform.accelerators.len());
        let costs = Array2::from_shape_vec(shape, costs).expect("one cost per layer and accelerator");
        Self { on_chip, ways, places, ..Self::resolve(name, names, costs, predecessors) }
    }

    /// The same network with a demand that changes from phase to phase, behind the accelerators' DRAM ports.
    pub fn in_phases(self, ports_bytes_per_ps: &[f64]) -> Self {
        let Self { name, layers, mut costs, predecessors, on_chip, ways, places, .. } = self;
        let mut all = Vec::with_capacity(costs.len());
        for ((_, accelerator), cost) in costs.indexed_iter_mut() {
            let bandwidth = ways[accelerator].bandwidth_bytes_per_ps;
            let of = |cost: &PairCost| phases(cost, ports_bytes_per_ps[accelerator], bandwidth);
            let phases = cost.as_ref().map(of).unwrap_or_default();
            if let Some(cost) = cost {
                cost.alone = alone(&phases, bandwidth);
            }
            all.push(phases);
        }
        Self { phases: all, on_chip, ways, places, ..Self::resolve(&name, layers, costs, predecessors) }
    }

    /// The network on the platform without some accelerators: they can run none of its layers.
    pub(super) fn without(&self, accelerators: &[usize]) -> Result<Self, Unable> {
        let Self { name, layers, mut costs, predecessors, .. } = self.clone();
        for &accelerator in accelerators {
            costs.column_mut(accelerator).fill(None);
        }
        let left = costs.rows().into_iter().position(|row| row.iter().all(Option::is_none));
        if let Some(layer) = left {
            return Err(Unable { network: name, layer: layers[layer].clone() });
        }
        Ok(Self {
            phases: self.phases.clone(),
            forwarding: self.forwarding.clone(),
            residency: self.residency.clone(),
            on_chip: self.on_chip.clone(),
            ways: self.ways.clone(),
            places: self.places.clone(),
            interruption: self.interruption.clone(),
            ..Self::resolve(&name, layers, costs, predecessors)
        })
    }

    fn resolve(
        name: &str,
        layers: Vec<String>,
        costs: Array2<Option<PairCost>>,
        predecessors: Vec<Vec<u32>>,
    ) -> Self {
        let mut successors = vec![Vec::new(); layers.len()];
        for (layer, before) in predecessors.iter().enumerate() {
            before.iter().for_each(|&p| successors[p as usize].push(layer as u32));
        }
        let mut network = Self {
            name: name.to_string(),
            isolated: Time::ZERO,
            total_best: Time::ZERO,
            total_bytes: 0,
            alone: Vec::new(),
            sources: (0..layers.len() as u32).filter(|&l| predecessors[l as usize].is_empty()).collect(),
            phases: Vec::new(),
            forwarding: None,
            residency: None,
            on_chip: Vec::new(),
            ways: Vec::new(),
            places: Vec::new(),
            interruption: None,
            layers,
            costs,
            predecessors,
            successors,
            best_alone: Vec::new(),
            best_bytes: Vec::new(),
            path_left: Vec::new(),
        };
        network.sum_up();
        network
    }

    /// Computes what follows from the costs; buffers are reused.
    fn sum_up(&mut self) {
        let Self { costs, alone, best_alone, best_bytes, path_left, .. } = self;
        let in_row = |row: ArrayView1<Option<PairCost>>| {
            *row.iter().flatten().min_by_key(|c| c.alone).expect("some accelerator runs every layer")
        };
        best_alone.clear();
        best_bytes.clear();
        for best in costs.rows().into_iter().map(in_row) {
            best_alone.push(best.alone);
            best_bytes.push(best.dram_bytes().round() as u64);
        }
        alone.clear();
        alone.extend(costs.iter().map(|cost| cost.as_ref().map_or(Time::MAX, |cost| cost.alone)));
        path_left.clone_from(best_alone);
        for (layer, next) in self.successors.iter().enumerate().rev() {
            let after = next.iter().map(|&s: &u32| path_left[s as usize]).max().unwrap_or_default();
            path_left[layer] += after;
        }
        self.isolated = path_left.iter().copied().max().unwrap_or_default();
        self.total_best = best_alone.iter().copied().sum();
        self.total_bytes = best_bytes.iter().sum();
    }

    /// Takes the costs that are expected where accelerator m takes `ratios[m]` times as long as another model of the
    /// network says, without phases.
    pub(super) fn expect(&mut self, tables: &Self, ratios: &[f64]) {
        for (((_, m), expected), cost) in self.costs.indexed_iter_mut().zip(&tables.costs) {
            *expected = cost.map(|cost| cost.expected(ratios[m], &tables.ways[m]));
        }
        self.sum_up();
    }

    /// The cost of a layer on an accelerator, `None` where it cannot run.
    #[inline]
    pub fn cost(&self, layer: u32, accelerator: usize) -> Option<&PairCost> {
        self.costs[[layer as usize, accelerator]].as_ref()
    }

    /// The cost of a layer that starts on an accelerator right after another one of its job, or after none, and the bytes
    /// that it finds on chip; `None` where it cannot run.
    #[inline]
    pub fn cost_after(&self, layer: u32, accelerator: usize, last: Option<u32>) -> Option<(PairCost, f64)> {
        let cost = *self.cost(layer, accelerator)?;
        let producer = last.filter(|last| self.predecessors[layer as usize].contains(last));
        let (Some(forwarding), Some(producer)) = (&self.forwarding, producer) else {
            return Some((cost, 0.0));
        };
        let bytes = forwarding.bytes(&cost, accelerator, producer);
        Some((forwarding.without(cost, accelerator, bytes, &self.ways[accelerator]), bytes))
    }

    /// The phases of a layer on an accelerator, `None` where layers have one demand.
    #[inline]
    pub fn phases(&self, layer: u32, accelerator: usize) -> Option<&Phases> {
        self.phases.get(layer as usize * self.costs.ncols() + accelerator)
    }

    /// The phases of a layer on an accelerator, and the one that follows another; `None` if none does.
    #[inline]
    pub fn next_phase(&self, layer: u32, accelerator: usize, phase: usize) -> Option<(&Phases, usize)> {
        let phases = self.phases(layer, accelerator)?;
        let next = (phase + 1..phases.len()).find(|&next| phases[next].work_ps > 0.0)?;
        Some((phases, next))
    }

    /// The accelerator with the smallest c1 of a layer, ties to the lower number.
    pub fn fastest(&self, layer: u32) -> usize {
        let alone = self.alone(layer);
        (0..alone.len()).min_by_key(|&m| alone[m]).expect("a system has accelerators")
    }

    /// c1 of a layer on each accelerator, [`Time::MAX`] where it cannot run.
    #[inline]
    pub fn alone(&self, layer: u32) -> &[Time] {
        let accelerators = self.costs.ncols();
        &self.alone[layer as usize * accelerators..][..accelerators]
    }
}

fn parts(costs: &[Option<LayerCost>], ways: &[Way], limit: Time) -> u64 {
    let alone = |(cost, way): (&Option<LayerCost>, _)| Some(PairCost::new(cost.as_ref()?, 1, way).alone);
    let slowest = costs.iter().zip(ways).filter_map(alone).max().unwrap_or_default();
    let tiles = costs.iter().flatten().map(|c| c.tiles).min().unwrap_or(1);
    slowest.0.div_ceil(limit.0.max(1)).clamp(1, tiles.max(1))
}

/// Everything that a run looks up and never changes.
#[derive(Clone, Debug)]
pub struct World {
    /// The hardware.
    pub platform: Platform,
    /// The networks, by the index that requests carry.
    pub networks: Vec<NetworkModel>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{layer, platform};

    #[test]
    fn isolated_latency_is_the_critical_path_at_best_c1() {
        let platform = platform(2, 10.0);
        // A diamond: 0 -> {1, 2} -> 3 with best c1 of 10, 20, 5, 1.
        let layers = [
            layer(&[], &[(10.0, 0.0), (30.0, 0.0)]),
            layer(&[0], &[(20.0, 0.0), (25.0, 0.0)]),
            layer(&[0], &[(9.0, 0.0), (5.0, 0.0)]),
            layer(&[1, 2], &[(1.0, 0.0), (1.0, 0.0)]),
        ];
        let network = NetworkModel::new("diamond", &layers, &platform, None);
        assert_eq!(network.isolated, Time(31_000));
        assert_eq!(network.total_best, Time(36_000));
    }

    #[test]
    fn alone_is_slowed_when_demand_exceeds_the_bandwidth() {
        let network = NetworkModel::new("g6", &[layer(&[], &[(10.0, 20.0)])], &platform(1, 10.0), None);
        assert_eq!(network.isolated, Time(20_000));
    }

    #[test]
    fn long_layers_split_at_tile_borders() {
        let mut long = layer(&[], &[(10.0, 1.0)]);
        let split = |long: &LayerModel| {
            NetworkModel::new("long", std::slice::from_ref(long), &platform(1, 10.0), Some(Time(3_000)))
        };
        let network = split(&long);
        assert_eq!(network.layers.len(), 4);
        assert_eq!(network.predecessors, [vec![], vec![0], vec![1], vec![2]]);
        assert_eq!(network.total_best, Time(10_000));
        long.costs[0].as_mut().expect("it runs on accelerator 0").tiles = 2;
        assert_eq!(split(&long).layers.len(), 2);
    }
}
