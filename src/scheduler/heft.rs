//! `heft`: heterogeneous earliest finish time: largest upward rank first. The upward rank of a layer is its mean c1
//! over the accelerators that can run it, plus the largest upward rank among its successors. Upward ranks are static,
//! so the order does not change from decision to decision.

use std::cmp::Reverse;

use super::placing::ListRule;
use super::{SchedulerEntry, no_parameters};
use crate::sim::{Decision, NetworkModel, Scheduler, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "heft",
    doc: "largest upward rank (mean c1 of the layer and of the longest path after it) first; earliest finish",
    source: "HEFT (Topcuoglu, Hariri and Wu, IEEE TPDS 2002)",
    parameters: &[],
    draws: false,
    build: |parameters, _| {
        no_parameters(parameters)?;
        Ok(Box::new(Heft::default()))
    },
};

#[derive(Default)]
struct Heft {
    /// Upward rank of each layer of each network, computed at the first decision and when costs are corrected.
    ranks: Vec<Vec<Time>>,
    /// The number of corrections that the ranks know of.
    corrections: u32,
    rule: ListRule<Reverse<Time>>,
}

impl Scheduler for Heft {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        if self.ranks.is_empty() || self.corrections != view.corrections() {
            self.corrections = view.corrections();
            self.ranks = view.world().networks.iter().map(upward_ranks).collect();
        }
        let rank = |network: u32, layer: u32| self.ranks[network as usize][layer as usize];
        self.rule.place_by(view, out, |sub| Reverse(rank(view.job_of(sub).network, sub.id.layer)));
    }
}

fn upward_ranks(network: &NetworkModel) -> Vec<Time> {
    let mut ranks = vec![Time::ZERO; network.layers.len()];
    for layer in (0..ranks.len()).rev() {
        let after = network.successors[layer].iter().map(|&next| ranks[next as usize]).max();
        ranks[layer] = mean_alone(network, layer as u32) + after.unwrap_or_default();
    }
    ranks
}

/// Mean c1 over the accelerators that can run the layer.
pub(super) fn mean_alone(network: &NetworkModel, layer: u32) -> Time {
    let able = network.alone(layer).iter().filter(|&&alone| alone < Time::MAX);
    let (sum, count) = able.fold((0, 0), |(sum, count), alone| (sum + alone.0, count + 1));
    Time(sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{layer, platform, world};

    #[test]
    fn the_upward_rank_is_the_longest_path_of_means() {
        // A diamond 0 -> {1, 2} -> 3 with means of 20, 10, 30 and 5 ns; layer 3 runs on accelerator 1 only.
        let mut last = layer(&[1, 2], &[(1.0, 0.0), (5.0, 0.0)]);
        last.costs[0] = None;
        let layers = [
            layer(&[], &[(10.0, 0.0), (30.0, 0.0)]),
            layer(&[0], &[(5.0, 0.0), (15.0, 0.0)]),
            layer(&[0], &[(40.0, 0.0), (20.0, 0.0)]),
            last,
        ];
        let world = world(platform(2, 10.0), &[&layers]);
        // 5; 30 + 5; 10 + 5; 20 + 35.
        assert_eq!(upward_ranks(&world.networks[0]), [55_000, 15_000, 35_000, 5_000].map(Time));
    }
}
