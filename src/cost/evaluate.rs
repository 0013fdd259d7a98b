//! Cycles and energy of a given mapping, from its access counts.
//!
//! - steps T = product of all temporal loops, or of the steps that the dimensions really take
//!   ([`Residuals`]); every used MAC does one multiply-accumulate per step.
//! - cycles = max(T, for each level ceil(words per used instance / bandwidth)), where a read bandwidth carries the
//!   reads, a write bandwidth fills and updates, and a shared bandwidth all three, summed over the level's tensors.
//! - energy of a (level, tensor) = charged x sum over reads, fills, updates of ceil(count / n / w) x pJ per access, with
//!   n used instances and w = entry_bits / word_bits / cluster_size words per access, each element of the tensor so many
//!   words as its precision says (`lowering`; bandwidths carry words, too). Charged instances are n, or with
//!   clusters min(n, instances / cluster_size): used registers count as spread over all clusters, and each cluster pays
//!   for a whole entry.
//! - leakage = pJ per cycle x cycles x used instances of each storage level. MACs cost energy once per real MAC.
//!
//! These are Timeloop's rules. Left out: bank conflicts, networks on chip (their energy and their cycles) and the
//! address generators. Cycles here assume that DRAM time hides behind compute; `layer_cost` adds what does not.

use super::access::{Accesses, Counts, Edge, Flat, Instances, edges};
use super::lowering::Lowered;
use super::mapping::Mapping;
use super::passes::{Pass, Tail};
use crate::dims::Tensor;
use crate::hw::{AccelSpec, Residuals, Storage};
use crate::units::{Bytes, Cycles, Macs};
use crate::workload::LoopNest;

/// The cost of a mapping, with every number that leads to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Cycles, DRAM limited by the accelerator's own port only.
    pub cycles: Cycles,
    /// Steps of the used MACs: the product of all temporal loops.
    pub steps: u64,
    /// Cycles that the busiest bandwidth of each level needs, outermost first.
    pub bandwidth_cycles: Vec<u64>,
    /// Multiply-accumulates of the real layer, as the accelerator lowers it.
    pub macs: Macs,
    /// MACs / (cycles x MAC units).
    pub utilization: f64,
    /// Bytes moved to and from DRAM.
    pub dram_bytes: Bytes,
    /// Energy of the accesses by level, outermost first, the MACs last; leakage excluded.
    pub dynamic_pj: Vec<f64>,
    /// Leakage of the used instances by level, outermost first.
    pub leakage_pj: Vec<f64>,
    /// Elements moved by level and [`Tensor`]; words at DRAM.
    pub accesses: Vec<[Accesses; 3]>,
    /// Used instances by level.
    pub instances: Vec<u64>,
}

impl Evaluation {
    /// Dynamic energy and leakage together.
    pub fn energy_pj(&self) -> f64 {
        self.dynamic_pj.iter().chain(&self.leakage_pj).sum()
    }
}

/// Evaluates a mapping; it must have the right shape ([`Mapping::check_shape`]) but need not be legal.
pub fn evaluate(accel: &AccelSpec, nest: &LoopNest, mapping: &Mapping) -> Result<Evaluation, String> {
    let lowered = Lowered::new(accel, nest)?;
    mapping.check_covers(accel, &lowered.nest)?;
    Ok(Evaluator::of(accel, lowered, Tail::NONE).detail(&Flat::of(mapping)))
}

/// The cost of a mapping in the few numbers that the search compares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Steps of the used MACs.
    pub steps: u64,
    /// Cycles that the busiest on-chip bandwidth needs, or the vector lanes at the output.
    pub on_chip_cycles: u64,
    /// Cycles that the DRAM port needs.
    pub port_cycles: u64,
    /// Words read from and written to DRAM.
    pub dram_words: u64,
    /// Energy of the accesses and the MACs.
    pub dynamic_pj: f64,
    /// Leakage of the used instances of all levels.
    pub leak_pj_per_cycle: f64,
}

impl Summary {
    /// Cycles, DRAM limited by the accelerator's own port only.
    pub fn cycles(&self) -> u64 {
        self.steps.max(self.on_chip_cycles).max(self.port_cycles)
    }
}

/// Evaluates many mappings of one layer on one accelerator: what does not depend on the mapping is worked out once.
#[derive(Debug)]
pub struct Evaluator<'a> {
    pub(super) accel: &'a AccelSpec,
    lowered: Lowered,
    pub(super) edges: Vec<Edge>,
    storages: Vec<StorageRates<'a>>,
    tail: Tail,
    tail_cycles: u64,
    /// Energy of the MACs and of what runs at their output.
    compute_pj: f64,
}

#[derive(Debug)]
struct StorageRates<'a> {
    level: usize,
    spec: &'a Storage,
    /// Words per element, by [`Tensor`]. DRAM's accesses are words already.
    words: [f64; 3],
    /// Elements that one charged access moves, by [`Tensor`].
    elements_per_access: [f64; 3],
    /// The most instances that are charged.
    max_charged: u64,
}

impl<'a> Evaluator<'a> {
    /// An evaluator of mappings of `nest` on `accel`; an error says which count is too large.
    pub fn new(accel: &'a AccelSpec, nest: &LoopNest) -> Result<Self, String> {
        Ok(Self::of(accel, Lowered::new(accel, nest)?, Tail::NONE))
    }

    /// The same for a pass with a nest.
    pub(super) fn of_pass(accel: &'a AccelSpec, pass: &Pass) -> Result<Self, String> {
        Ok(Self::of(accel, pass.lowered(accel)?, pass.tail))
    }

    /// The same for a nest that is lowered already.
    pub(super) fn of(accel: &'a AccelSpec, lowered: Lowered, tail: Tail) -> Self {
        let storages = accel.storages().map(|(level, spec)| {
            let words = Tensor::ALL.map(|tensor| match level {
                0 => 1.0,
                _ => lowered.words_per_element(spec, tensor),
            });
            StorageRates {
                level,
                spec,
                words,
                elements_per_access: words.map(|words| spec.words_per_access() / words),
                max_charged: match spec.cluster_size {
                    1 => u64::MAX,
                    size => (accel.instances_below(level) / size).max(1),
                },
            }
        });
        Self {
            accel,
            lowered,
            edges: edges(accel),
            storages: storages.collect(),
            tail: lowered.tail(accel.dram(), tail),
            tail_cycles: tail.cycles(accel),
            compute_pj: lowered.mac_pj(accel) + tail.ops_pj(accel),
        }
    }

    /// The cost of a mapping, without the details of [`evaluate`]; an error says why its shape is wrong.
    pub fn cost(&self, mapping: &Mapping) -> Result<Summary, String> {
        mapping.check_covers(self.accel, &self.lowered.nest)?;
        Ok(self.summary(&Flat::of(mapping)))
    }

    fn count(&self, flat: &Flat) -> (u64, Counts, Instances) {
        let levels = self.accel.levels.len();
        let mut counts = Counts::default();
        let instances = flat.instances(levels);
        let lengths = match self.accel.residuals {
            Residuals::Padded => None,
            Residuals::Exact => flat.lengths(&self.lowered.nest),
        };
        let steps = flat.count(&self.lowered, &self.edges, &instances, levels, lengths.as_ref(), &mut counts);
        // Every output is written at least once without post-processing.
        let dram = &mut counts[0];
        dram[Tensor::Inputs as usize].reads += self.tail.reads;
        let outputs = &mut dram[Tensor::Outputs as usize];
        outputs.updates = outputs.updates - self.tail.inside + self.tail.writes;
        (steps, counts, instances)
    }

    /// The cost of a flat mapping; this is the hot path of the search.
    pub(super) fn summary(&self, flat: &Flat) -> Summary {
        let (steps, counts, instances) = self.count(flat);
        self.summarize(steps, &counts, &instances)
    }

    fn summarize(&self, steps: u64, counts: &Counts, instances: &Instances) -> Summary {
        let mut on_chip_cycles = self.tail_cycles;
        let (mut dynamic_pj, mut leak_pj_per_cycle) = (self.compute_pj, 0.0);
        for storage in &self.storages {
            let accesses = &counts[storage.level];
            let used = instances[storage.level];
            dynamic_pj += storage.energy_pj(accesses, used);
            leak_pj_per_cycle += storage.spec.leak_pj_per_cycle * used as f64;
            if storage.level > 0 {
                on_chip_cycles = on_chip_cycles.max(storage.cycles(accesses, used));
            }
        }
        let dram = &counts[0];
        Summary {
            steps: self.lowered.working_steps(steps),
            on_chip_cycles,
            port_cycles: self.storages[0].cycles(dram, 1),
            dram_words: dram.iter().map(|words| words.reads + words.updates).sum(),
            dynamic_pj,
            leak_pj_per_cycle,
        }
    }

    pub(super) fn detail(&self, flat: &Flat) -> Evaluation {
        let (steps, counts, instances) = self.count(flat);
        let summary = self.summarize(steps, &counts, &instances);
        let cycles = summary.cycles();
        let levels = self.accel.levels.len();
        let mut dynamic_pj = vec![0.0; levels + 1];
        let mut leakage_pj = vec![0.0; levels + 1];
        let mut bandwidth_cycles = vec![0; levels];
        for storage in &self.storages {
            let used = instances[storage.level];
            dynamic_pj[storage.level] = storage.energy_pj(&counts[storage.level], used);
            bandwidth_cycles[storage.level] = storage.cycles(&counts[storage.level], used);
            leakage_pj[storage.level] = storage.spec.leak_pj_per_cycle * (cycles * used) as f64;
        }
        dynamic_pj[levels] = self.compute_pj;
        let macs = Macs(self.lowered.multiplications());
        Evaluation {
            cycles: Cycles(cycles),
            steps: summary.steps,
            bandwidth_cycles,
            macs,
            utilization: macs.0 as f64 / (cycles as f64 * self.accel.macs_per_cycle() as f64),
            dram_bytes: self.accel.dram().bytes(summary.dram_words),
            dynamic_pj,
            leakage_pj,
            accesses: counts[..levels].to_vec(),
            instances: instances[..levels].to_vec(),
        }
    }
}

impl StorageRates<'_> {
    fn energy_pj(&self, accesses: &[Accesses; 3], used: u64) -> f64 {
        // Most counts are 0, and a division takes longer than to look.
        let charge = |elements: u64, per_access: f64, pj: f64| match elements {
            0 => 0.0,
            _ => (elements as f64 / used as f64 / per_access).ceil() * pj,
        };
        let kept = accesses.iter().zip(self.elements_per_access).zip(self.spec.keeps);
        let kept = kept.filter(|&(_, keeps)| keeps);
        let per_instance = kept.map(|((&Accesses { reads, fills, updates }, each), _)| {
            charge(reads, each, self.spec.read_pj_per_access)
                + charge(fills, each, self.spec.write_pj_per_access)
                + charge(updates, each, self.spec.update_pj_per_access)
        });
        per_instance.sum::<f64>() * used.min(self.max_charged) as f64
    }

    /// Cycles that the busiest of the level's bandwidths needs.
    fn cycles(&self, accesses: &[Accesses; 3], used: u64) -> u64 {
        let words = |elements: fn(&Accesses) -> u64| -> f64 {
            accesses.iter().zip(self.words).map(|(each, words)| elements(each) as f64 * words).sum()
        };
        let (reads, writes) = (words(|each| each.reads), words(|each| each.fills + each.updates));
        let needed = |words: f64, bandwidth: Option<f64>| {
            bandwidth.map_or(0, |bandwidth| (words / used as f64 / bandwidth).ceil() as u64)
        };
        needed(reads, self.spec.read_bandwidth_words_per_cycle)
            .max(needed(writes, self.spec.write_bandwidth_words_per_cycle))
            .max(needed(reads + writes, self.spec.shared_bandwidth_words_per_cycle))
    }
}
