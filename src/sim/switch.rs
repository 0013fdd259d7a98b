//! What it costs an accelerator to change the network: the drain of its pipeline and its new configuration take time, and
//! the first weights are loaded while nothing computes. Off by default.
//!
//! A layer that starts on an accelerator whose last layer was one of another network takes so much longer, and moves so many
//! bytes more. A network that comes back after another has run there pays again: what a pre-emption at a layer boundary
//! costs. The first layer of a run pays nothing on each accelerator, so that a system that runs one network never pays.
//!
//! Costs in views, isolated latencies, deadlines and lambda* are without it; a scheduler that cares asks for
//! [`View::last_network`](super::View::last_network). Roll-outs pay.

use super::{PairCost, Way};
use crate::units::Picojoules;

/// The cost of a change of network on an accelerator.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Switch {
    /// Time in picoseconds.
    pub latency_ps: f64,
    /// Bytes loaded from DRAM.
    pub dram_bytes: f64,
    /// Energy of loading them.
    pub energy: Picojoules,
}

impl Switch {
    /// Nothing.
    pub const FREE: Self = Self { latency_ps: 0.0, dram_bytes: 0.0, energy: Picojoules(0.0) };

    /// The cost of a layer before which an accelerator changes the network, whose data come this way.
    pub fn before(&self, cost: PairCost, way: &Way) -> PairCost {
        let latency_ps = cost.latency_ps + self.latency_ps;
        let demand_bytes_per_ps = (cost.dram_bytes() + self.dram_bytes) / latency_ps;
        // What it loads, it asks for at once.
        let tile_bytes = cost.tile_bytes.max(self.dram_bytes);
        let on_links = Picojoules(self.dram_bytes * way.link_pj_per_byte);
        let energy = cost.energy + self.energy + on_links;
        PairCost { latency_ps, demand_bytes_per_ps, tile_bytes, energy, ..cost }
            .alone_behind(way.bandwidth_bytes_per_ps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{layer, plain_rules, platform, records, request, world};
    use crate::sim::{Decision, Record, View, World};
    use crate::units::Time;

    /// One accelerator behind 10 bytes/ns, and two networks of two layers: of c 10 ns and 4 bytes/ns, and of 10 and 1. A
    /// change takes 5 ns and loads 60 bytes at 2 pJ each.
    fn two() -> World {
        let mut platform = platform(1, 10.0);
        platform.accelerators[0].switch =
            Switch { latency_ps: 5_000.0, dram_bytes: 60.0, energy: Picojoules(120.0) };
        let layers = |b: f64| [layer(&[], &[(10.0, b)]), layer(&[0], &[(10.0, b)])];
        world(platform, &[&layers(4.0), &layers(1.0)])
    }

    /// Job, layer, start, end, DRAM bytes and energy in pJ of each layer, all on accelerator 0 by priority.
    fn runs(
        world: &World,
        arrivals: &[(u32, f64)],
        priority: fn(u32) -> f64,
    ) -> Vec<(u32, u32, f64, f64, f64)> {
        let requests: Vec<_> = arrivals.iter().map(|&(network, at)| request(network, at)).collect();
        let decide = |view: &View, out: &mut Decision| {
            view.sub_jobs().iter().for_each(|sub| out.assign(sub.id, 0, priority(view.job_of(sub).network)));
        };
        let of = |record: &Record| match *record {
            Record::Finish { time, start, sub_job, dram_bytes, .. } => {
                let (start, end) = (start.as_ps() / 1e3, time.as_ps() / 1e3);
                Some((sub_job.job.0, sub_job.layer, start, end, dram_bytes.round()))
            }
            _ => None,
        };
        records(world, &requests, plain_rules(), decide).iter().filter_map(of).collect()
    }

    #[test]
    fn a_network_pays_when_it_follows_another_and_when_it_comes_back() {
        // Network 1 cuts in after the first layer of network 0: 15 ns and 70 bytes, of which its own are 10; then 10 ns. The
        // second layer of network 0 pays as well: its 40 and 60 bytes in 15 ns.
        let found = runs(&two(), &[(0, 0.0), (1, 2.0)], f64::from);
        let expected = [
            (0, 0, 0.0, 10.0, 40.0),
            (1, 0, 10.0, 25.0, 70.0),
            (1, 1, 25.0, 35.0, 10.0),
            (0, 1, 35.0, 50.0, 100.0),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn one_network_never_pays_whatever_its_requests() {
        let found = runs(&two(), &[(0, 0.0), (0, 1.0)], f64::from);
        assert!(found.iter().all(|run| run.3 - run.2 == 10.0 && run.4 == 40.0), "{found:?}");
    }

    #[test]
    fn what_a_change_loads_contends_for_the_dram() {
        let mut world = two();
        world.platform.accelerators[0].switch.dram_bytes = 260.0;
        // 260 and 10 bytes in 15 ns would be 18 bytes/ns; the DRAM takes 27 ns.
        let found = runs(&world, &[(0, 0.0), (1, 2.0)], f64::from);
        assert_eq!(found[1], (1, 0, 10.0, 37.0, 270.0));
    }

    #[test]
    fn the_cost_of_a_change_is_added() {
        let world = two();
        let cost = world.networks[0].costs[[0, 0]].expect("it runs there");
        let with = world.platform.accelerators[0].switch.before(cost, &Way::to_one(0.010));
        assert_eq!((with.latency_ps, with.energy.0 - cost.energy.0), (15_000.0, 120.0));
        assert!((with.dram_bytes() - 100.0).abs() < 1e-9);
        assert_eq!((cost.alone, with.alone), (Time(10_000), Time(15_000)));
    }
}
