//! From steps and traffic to cycles: the overheads that an accelerator adds to Timeloop's ideal.
//!
//! cycles = max(chip + (1 - dram_overlap) x port, port) + fill_drain + dispatch, where chip = max(steps /
//! array_efficiency, on-chip bandwidths) and port is the time of the accelerator's own DRAM port. At the neutral
//! defaults this is Timeloop's max(steps, every bandwidth); at overlap 0 DRAM time is added to the time on chip, as
//! measured on the Eyeriss silicon. Sharing DRAM with others is the simulator's business.

use crate::hw::AccelSpec;
use crate::units::{Cycles, Time};

/// Cycles of one layer; every argument in cycles.
pub(super) fn layer_cycles(accel: &AccelSpec, steps: f64, on_chip: f64, port: f64) -> f64 {
    let chip = (steps / accel.array_efficiency).max(on_chip);
    let hidden = (chip + (1.0 - accel.dram_overlap) * port).max(port);
    hidden + (accel.fill_drain_cycles + accel.dispatch_cycles) as f64
}

/// Cycles of the accelerator's own DRAM port.
pub(super) fn port_cycles(accel: &AccelSpec, reads: u64, writes: u64) -> f64 {
    let dram = accel.dram();
    let needed = |words: u64, bandwidth: Option<f64>| bandwidth.map_or(0.0, |b| (words as f64 / b).ceil());
    needed(reads, dram.read_bandwidth_words_per_cycle)
        .max(needed(writes, dram.write_bandwidth_words_per_cycle))
        .max(needed(reads + writes, dram.shared_bandwidth_words_per_cycle))
}

/// Cycles as time, rounded up to the next picosecond.
pub(super) fn time(accel: &AccelSpec, cycles: Cycles) -> Time {
    Time::from_ps_ceil(cycles.0 as f64 * 1e12 / accel.clock_hz)
}
