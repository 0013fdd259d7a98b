//! Phases inside a layer: its demand as a step function instead of a mean. Off by default.
//!
//! A layer of n DRAM tiles with double buffering first loads a tile while nothing computes (fill), then loads each
//! tile while the one before computes (steady), then computes the last while nothing is loaded (drain):
//!
//! | phase | bytes | time without contention |
//! |---|---|---|
//! | fill | V / n | V / (n P), bound by the accelerator's own DRAM port P |
//! | steady | V (1 - 1 / n) | (1 - 1 / n) of the time left, or what the port takes if that is more |
//! | drain | 0 | the rest |
//!
//! Together they take c and move V, so costs are those without phases. c1 grows where the fill, at the port's speed,
//! exceeds the bandwidth. A layer that is bound by its port all along has one phase. Left out: writes, which are
//! counted with the loads of their tile, and tiles that differ.

use super::PairCost;
use crate::units::Time;

/// A stretch of a layer with one demand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Phase {
    /// Time without contention in picoseconds; a phase without any does not take place.
    pub work_ps: f64,
    /// DRAM bytes per picosecond.
    pub demand_bytes_per_ps: f64,
}

/// Fill, steady, drain; the first always takes place.
pub type Phases = [Phase; 3];

/// The phases of a layer behind a port of a given speed, which may be infinite, on a shared DRAM.
pub(super) fn phases(cost: &PairCost, port_bytes_per_ps: f64, bandwidth_bytes_per_ps: f64) -> Phases {
    let (c, bytes) = (cost.latency_ps, cost.dram_bytes());
    let port = port_bytes_per_ps.min(bandwidth_bytes_per_ps);
    let even = Phase { work_ps: c, demand_bytes_per_ps: cost.demand_bytes_per_ps };
    // Behind an infinite port, what a layer demands may exceed the DRAM: it is bound by that all along.
    if bytes == 0.0 || port.is_infinite() || bytes / port >= c * (1.0 - 1e-9) {
        return [even, Phase::default(), Phase::default()];
    }
    let first = cost.tile_bytes / bytes;
    let fill_ps = bytes * first / port;
    let later_bytes = bytes * (1.0 - first);
    let steady_ps = (later_bytes / port).max((c - fill_ps) * (1.0 - first));
    let steady = match steady_ps {
        0.0 => Phase::default(),
        work_ps => Phase { work_ps, demand_bytes_per_ps: later_bytes / work_ps },
    };
    let fill = Phase { work_ps: fill_ps, demand_bytes_per_ps: port };
    [fill, steady, Phase { work_ps: (c - fill_ps - steady_ps).max(0.0), demand_bytes_per_ps: 0.0 }]
}

/// The time alone, by the engine's own arithmetic.
pub(super) fn alone(phases: &Phases, bandwidth_bytes_per_ps: f64) -> Time {
    let takes_place = phases.iter().filter(|phase| phase.work_ps > 0.0);
    let time = |phase: &Phase| {
        let rate = (bandwidth_bytes_per_ps / phase.demand_bytes_per_ps).min(1.0);
        Time::from_ps_ceil(phase.work_ps / rate).max(Time(1))
    };
    takes_place.map(time).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Picojoules;

    fn cost(latency_ps: f64, bytes: f64, tiles: f64) -> PairCost {
        PairCost {
            latency_ps,
            demand_bytes_per_ps: bytes / latency_ps,
            tile_bytes: bytes / tiles,
            alone: Time(1),
            energy: Picojoules(0.0),
        }
    }

    #[test]
    fn four_tiles_by_hand() {
        // 40 bytes in 10 ns behind 10 bytes/ns: 10 bytes in 1 ns; 30 bytes in 3/4 of 9 ns; the last tile computes.
        let phases = phases(&cost(10_000.0, 40.0, 4.0), 0.010, 0.020);
        let expected = [(1_000.0, 0.010), (6_750.0, 30.0 / 6_750.0), (2_250.0, 0.0)];
        for (phase, (work_ps, demand)) in phases.iter().zip(expected) {
            assert!((phase.work_ps - work_ps).abs() < 1e-9, "{phase:?}");
            assert!((phase.demand_bytes_per_ps - demand).abs() < 1e-12, "{phase:?}");
        }
        assert_eq!(alone(&phases, 0.020), Time(10_000));
        // On a DRAM of 5 bytes/ns the fill takes 2 ns.
        assert_eq!(alone(&phases, 0.005), Time(11_000));
    }

    #[test]
    fn whatever_the_tiles_the_phases_take_c_and_move_v() {
        for (tiles, port) in
            [(1.0, 1.0), (2.0, 0.005), (7.0, 0.0041), (7.0, 0.004), (1e6, 1.0), (3.0, f64::INFINITY)]
        {
            let cost = cost(10_000.0, 40.0, tiles);
            let phases = phases(&cost, port, 0.006);
            let (work, bytes) = phases.iter().fold((0.0, 0.0), |(work, bytes), phase| {
                assert!(phase.demand_bytes_per_ps <= port * (1.0 + 1e-9), "{phases:?} behind {port}");
                (work + phase.work_ps, bytes + phase.work_ps * phase.demand_bytes_per_ps)
            });
            assert!((work - 10_000.0).abs() < 1e-6 && (bytes - 40.0).abs() < 1e-9, "{phases:?}");
            assert!(phases[0].work_ps > 0.0);
        }
    }
}
