//! The cost of a layer on an accelerator: latency c, DRAM traffic and energy. All of it is pure functions of the two
//! specifications.
//!
//! - `lowering`: what an accelerator makes of a layer before it is mapped.
//! - `mapping`: which loop runs where, and whether the accelerator allows it.
//! - `access` and [`evaluate`](mod@evaluate): access counts, cycles and energy of a given mapping, equal to Timeloop's.
//! - [`mapper`]: the best mapping under the constraints.
//! - [`layer_cost`](mod@layer_cost): the cost of one layer of any kind; `table`: the costs of all layers of a
//!   simulation; `cache`: costs on disk; `user_table`: a user's own numbers instead; `cases`: results of other tools,
//!   and `reference`: our numbers beside them.
//! - [`mod@breakdown`]: what limits a layer and where its energy goes; [`timeloop`]: mappings in Timeloop's formats.
//! - `silicon`: the same quantities as measured on chips.
//!
//! Left out: contention for DRAM (which the engine models; c is limited only by the accelerator's own port), networks
//! on chip, sparsity, compression, and data that stays on chip between layers.

mod access;
pub mod breakdown;
mod cache;
mod cases;
pub mod evaluate;
pub mod layer_cost;
mod lowering;
pub mod mapper;
mod mapping;
mod passes;
mod reference;
mod silicon;
mod table;
#[cfg(test)]
mod testing;
pub mod timeloop;
mod timing;
mod user_table;

use std::ops::{Add, Mul};

use crate::hw::{AccelSpec, MAX_LEVELS};
use crate::units::{Bytes, Picojoules, Time};

pub use access::{Accesses, touched_elements};
pub use breakdown::{Bound, Breakdown, breakdown};
pub use cache::{Cache, CacheFile, Entries};
pub use cases::{Case, Expected, ExpectedAccesses};
pub use evaluate::{Evaluation, Evaluator, evaluate};
pub use layer_cost::{compulsory_bytes, layer_cost};
pub use mapper::{Goal, advice};
pub use mapping::{LevelLoops, Loop, Mapping};
pub use passes::{Tail, as_run};
pub use reference::{Comparison, Figures, compare, median, ratio};
pub use silicon::{
    Configuration, Layer, Measurements, Modelled, Published, Rate, Sheet, SheetBound, SheetFigures,
    SheetLayer, SheetSpeed, SheetTime, Speed, Throughput, Zeros, compressed_bytes, model,
};
pub use table::{CostTable, tables};
pub use timeloop::{Export, loop_nest, loop_summary};
pub use user_table::UserTable;

/// The cost of one layer that runs alone on one accelerator model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerCost {
    /// Uncontended latency c, in which only the accelerator's own port limits DRAM traffic.
    pub latency: Time,
    /// Bytes read from and written to DRAM; the demand is b = dram_bytes / latency.
    pub dram_bytes: Bytes,
    /// Of these, reads of static weights.
    pub weight_bytes: Bytes,
    /// Of these, reads of what other layers or the request provide.
    pub input_bytes: Bytes,
    /// Dynamic energy of the layer. Leakage is charged per time, not per layer.
    pub energy: Picojoules,
    /// MACs / (latency x peak MAC rate), 0 for layers without MACs.
    pub utilization: f64,
    /// Number of tiles in the outermost (DRAM) loops, which is the number of equal parts into which the layer can be
    /// split.
    pub tiles: u64,
    /// The part of the energy that is spent on chip; `None` of a user's own costs, which do not say.
    pub on_chip: Option<OnChip>,
}

/// What a layer spends on chip. The rest of its energy is DRAM's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OnChip {
    /// MACs, and the operations of the vector lanes, in pJ.
    pub compute_pj: f64,
    /// Each storage level inside DRAM in pJ, outermost first; zeros behind the last.
    pub levels_pj: [f64; MAX_LEVELS - 1],
}

impl OnChip {
    /// From the energy of each level in pJ, outermost first, and of the computation last.
    fn of(accel: &AccelSpec, energy_pj: &[f64]) -> Self {
        let mut on_chip = Self { compute_pj: energy_pj[accel.levels.len()], ..Self::default() };
        let levels = accel.storages().skip(1).map(|(level, _)| energy_pj[level]);
        on_chip.levels_pj.iter_mut().zip(levels).for_each(|(place, pj)| *place = pj);
        on_chip
    }

    /// All of it in pJ.
    pub fn total_pj(&self) -> f64 {
        self.compute_pj + self.levels_pj.iter().sum::<f64>()
    }
}

impl Add for OnChip {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let levels_pj = std::array::from_fn(|level| self.levels_pj[level] + other.levels_pj[level]);
        Self { compute_pj: self.compute_pj + other.compute_pj, levels_pj }
    }
}

impl Mul<f64> for OnChip {
    type Output = Self;

    fn mul(self, factor: f64) -> Self {
        Self { compute_pj: self.compute_pj * factor, levels_pj: self.levels_pj.map(|pj| pj * factor) }
    }
}
