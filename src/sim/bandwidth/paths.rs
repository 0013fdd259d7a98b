//! Sharing of several memories and links.
//!
//! Where every layer takes the memory of its accelerator alone, each memory is shared by itself, by any rule. Where layers
//! take several resources, weighted max-min fairness holds over all of them (progressive filling; Bertsekas and Gallager,
//! Data Networks, 1992, section 6.5.2): one level rises, each flow gets weight x level, until its demand is met or a
//! resource that it takes is exhausted; then it stays, and the others go on. A flow that takes a part of its bytes from a
//! resource counts there with that part. With one resource this is water-filling.

use std::sync::Arc;

use super::{FEW, MAX_SHARERS, share, sized};
use crate::hw::Sharing;
use crate::sim::{Memories, Platform, Way};

/// What the layers that run take of each memory and link.
#[derive(Debug)]
pub struct Paths {
    memories: Arc<Memories>,
    /// Bandwidth of each resource in bytes per picosecond: the memories, then the links.
    capacities: Vec<f64>,
    /// The part of the bytes on an accelerator that each resource carries, row by row.
    uses: Vec<f64>,
}

clone_by_field!(Paths { memories, capacities, uses });

impl Paths {
    /// The resources of a platform on which nothing runs; `None` if it has one memory.
    pub fn new(platform: &Platform) -> Option<Self> {
        let memories = Arc::clone(&platform.memories);
        let capacities = memories.capacities(platform.bandwidth_bytes_per_ps);
        let uses = vec![0.0; platform.accelerators.len() * capacities.len()];
        (!memories.is_one()).then_some(Self { memories, capacities, uses })
    }

    /// Changes what the memories deliver together, in bytes per picosecond. Each keeps its part; links stay.
    pub fn set_bandwidth(&mut self, bandwidth_bytes_per_ps: f64) {
        self.capacities = self.memories.capacities(bandwidth_bytes_per_ps);
    }

    /// The layer on an accelerator gets its data this way from now on.
    pub fn set_way(&mut self, accelerator: usize, way: &Way) {
        let resources = self.capacities.len();
        self.uses[accelerator * resources..][..resources].copy_from_slice(&way.uses);
    }

    /// Bandwidth of each resource in bytes per picosecond: the memories, then the links.
    pub fn capacities(&self) -> &[f64] {
        &self.capacities
    }

    /// The part of the bytes on an accelerator that each resource carries.
    pub fn uses(&self, accelerator: usize) -> &[f64] {
        let resources = self.capacities.len();
        &self.uses[accelerator * resources..][..resources]
    }

    /// Fills the grants by accelerator, like [`share`]. The rules [`Sharing::Score`] and [`Sharing::Knee`] are for
    /// platforms whose layers take one memory each.
    pub fn share(&self, sharing: Sharing, demands: &[f64], weights: &[f64], grants: &mut [f64]) {
        match self.memories.crosses() {
            true => fill_paths(demands, weights, &self.uses, &self.capacities, grants),
            false => sized!(demands.len(), share_each(self, sharing, demands, weights, grants)),
        }
    }
}

/// Shares each memory among the layers on its own accelerators.
fn share_each<const MOST: usize>(
    paths: &Paths,
    sharing: Sharing,
    demands: &[f64],
    weights: &[f64],
    grants: &mut [f64],
) {
    let Paths { memories, capacities, .. } = paths;
    let (mut own, mut granted) = ([0.0; MOST], [0.0; MOST]);
    let (own, granted) = (&mut own[..demands.len()], &mut granted[..demands.len()]);
    for (memory, &capacity) in capacities.iter().take(memories.shares.len()).enumerate() {
        let is_own = |accelerator: usize| memories.of[accelerator] == memory;
        (0..own.len()).for_each(|m| own[m] = if is_own(m) { demands[m] } else { 0.0 });
        share(sharing, own, weights, capacity, granted);
        (0..own.len()).filter(|&m| is_own(m)).for_each(|m| grants[m] = granted[m]);
    }
}

/// Weighted max-min over several resources. `uses` is the part of each flow that each resource carries, row by row;
/// demands, capacities and grants are in the same unit, and weights are positive where the demand is. No allocation.
///
/// Every round closes a flow, so there are at most n, each of n x resources steps.
pub fn fill_paths(demands: &[f64], weights: &[f64], uses: &[f64], capacities: &[f64], grants: &mut [f64]) {
    sized!(demands.len(), fill_some(demands, weights, uses, capacities, grants));
}

fn fill_some<const MOST: usize>(
    demands: &[f64],
    weights: &[f64],
    uses: &[f64],
    capacities: &[f64],
    grants: &mut [f64],
) {
    let (n, resources) = (demands.len(), capacities.len());
    let row = |flow: usize| &uses[flow * resources..][..resources];
    let mut open = [false; MOST];
    for flow in 0..n {
        (grants[flow], open[flow]) = (0.0, demands[flow] > 0.0);
    }
    while open.contains(&true) {
        let flows = || (0..n).filter(|&flow| open[flow]);
        // The level at which a resource is exhausted, if all open flows go on to rise.
        let exhausted_at = |resource: usize| {
            let pull: f64 = flows().map(|flow| row(flow)[resource] * weights[flow]).sum();
            let taken: f64 = (0..n).map(|flow| row(flow)[resource] * grants[flow]).sum();
            if pull > 0.0 { (capacities[resource] - taken).max(0.0) / pull } else { f64::INFINITY }
        };
        let met_at = |flow: usize| demands[flow] / weights[flow];
        let level = flows().map(met_at).chain((0..resources).map(exhausted_at)).fold(f64::INFINITY, f64::min);
        let mut closing = [false; MOST];
        for resource in (0..resources).filter(|&resource| exhausted_at(resource) <= level) {
            flows().filter(|&flow| row(flow)[resource] > 0.0).for_each(|flow| closing[flow] = true);
        }
        let met: [bool; MOST] = std::array::from_fn(|flow| flow < n && met_at(flow) <= level);
        for flow in 0..n {
            if open[flow] && (met[flow] || closing[flow]) {
                grants[flow] = if met[flow] { demands[flow] } else { level * weights[flow] };
                open[flow] = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check::platform;
    use crate::sim::water_fill;

    fn filled(demands: &[f64], weights: &[f64], uses: &[&[f64]], capacities: &[f64]) -> Vec<f64> {
        let mut grants = vec![f64::NAN; demands.len()];
        fill_paths(demands, weights, &uses.concat(), capacities, &mut grants);
        grants
    }

    #[test]
    fn three_flows_on_two_resources_by_hand() {
        // The textbook's line: one flow over both resources, of 10 and 6, and one on each. The level rises to 3, where the
        // second is exhausted; the flow on the first goes on to 7.
        let both: [&[f64]; 3] = [&[1.0, 1.0], &[1.0, 0.0], &[0.0, 1.0]];
        assert_eq!(filled(&[20.0; 3], &[1.0; 3], &both, &[10.0, 6.0]), [3.0, 7.0, 3.0]);
        // One that demands 2 leaves the others more.
        assert_eq!(filled(&[2.0, 20.0, 20.0], &[1.0; 3], &both, &[10.0, 6.0]), [2.0, 8.0, 4.0]);
        // By weight, 2 : 1 on the second.
        assert_eq!(filled(&[20.0; 3], &[2.0, 1.0, 1.0], &both, &[10.0, 6.0]), [4.0, 6.0, 2.0]);
        // What an infinite resource carries, it does not limit.
        assert_eq!(filled(&[20.0; 3], &[1.0; 3], &both, &[f64::INFINITY, 6.0]), [3.0, 20.0, 3.0]);
        assert_eq!(filled(&[0.0, 4.0, 0.0], &[1.0; 3], &both, &[10.0, 6.0]), [0.0, 4.0, 0.0]);
    }

    #[test]
    fn a_flow_counts_where_it_takes_a_part_with_that_part() {
        // Both take half of their bytes from each memory of 10, and one also crosses a link of 2 with half of them. It is
        // held at 4 there; the other goes on to 16, where both memories are exhausted.
        let halves: [&[f64]; 2] = [&[0.5, 0.5, 0.5], &[0.5, 0.5, 0.0]];
        assert_eq!(filled(&[20.0; 2], &[1.0; 2], &halves, &[10.0, 10.0, 2.0]), [4.0, 16.0]);
    }

    #[test]
    fn memories_that_are_not_crossed_are_shared_by_themselves() {
        let mut platform = platform(3, 16.0);
        let (shares, of) = (vec![0.75, 0.25], vec![0, 1, 1]);
        platform.memories = Arc::new(Memories { shares, of, ..Memories::default() });
        let mut paths = Paths::new(&platform).expect("two memories");
        let mut grants = vec![f64::NAN; 3];
        // 12 and 4 bytes/ns. The knee's halves are what the equal greedy get.
        for sharing in [Sharing::MaxMin, Sharing::Proportional, Sharing::Knee, Sharing::Score] {
            paths.share(sharing, &[0.009, 0.008, 0.008], &[0.008; 3], &mut grants);
            let close = grants.iter().zip([0.009, 0.002, 0.002]).all(|(a, b)| (a - b).abs() < 1e-12);
            assert!(close, "{sharing:?}: {grants:?}");
        }
        paths.set_bandwidth(0.008);
        paths.share(Sharing::MaxMin, &[0.009, 0.008, 0.008], &[1.0; 3], &mut grants);
        assert_eq!(grants, [0.006, 0.001, 0.001]);
    }

    /// A flow: its demand, its weight, and the part that each resource carries.
    type Flow = (f64, f64, Vec<f64>);

    /// Flows on up to four resources, and the capacities of these.
    fn any_flows() -> impl Strategy<Value = (Vec<Flow>, Vec<f64>)> {
        (1..5usize).prop_flat_map(|resources| {
            let part = prop_oneof![Just(0.0), Just(1.0), 0.05..1.0f64];
            let demand = prop_oneof![Just(0.0), 0.01..100.0f64];
            let flow = (demand, 0.1..10.0f64, prop::collection::vec(part, resources));
            (prop::collection::vec(flow, 1..9), prop::collection::vec(0.1..100.0f64, resources))
        })
    }

    proptest! {
        /// What defines weighted max-min fairness: nobody gets more than he demands, no resource carries more than it can,
        /// and whoever gets less takes an exhausted one on which nobody has more for his weight.
        #[test]
        fn whoever_gets_less_than_he_demands_has_a_bottleneck((flows, capacities) in any_flows()) {
            let demands: Vec<f64> = flows.iter().map(|flow| flow.0).collect();
            let weights: Vec<f64> = flows.iter().map(|flow| flow.1).collect();
            let uses: Vec<&[f64]> = flows.iter().map(|flow| &flow.2[..]).collect();
            let grants = filled(&demands, &weights, &uses, &capacities);
            let carries = |r: usize| uses.iter().zip(&grants).map(|(uses, grant)| uses[r] * grant).sum::<f64>();
            for (r, capacity) in capacities.iter().enumerate() {
                prop_assert!(carries(r) <= capacity * (1.0 + 1e-9), "{} of {capacity}", carries(r));
            }
            for i in 0..flows.len() {
                prop_assert!(grants[i] >= 0.0 && grants[i] <= demands[i]);
                let level = |j: usize| grants[j] / weights[j];
                let is_bottleneck = |r: usize| {
                    let others = (0..flows.len()).filter(|&j| uses[j][r] > 0.0 && demands[j] > 0.0);
                    uses[i][r] > 0.0
                        && carries(r) >= capacities[r] * (1.0 - 1e-9)
                        && others.map(level).all(|other| other <= level(i) * (1.0 + 1e-9))
                };
                let is_met = grants[i] == demands[i];
                prop_assert!(is_met || (0..capacities.len()).any(is_bottleneck), "{i} of {grants:?}");
            }
        }

        #[test]
        fn one_resource_is_filled_like_water((flows, capacities) in any_flows()) {
            let demands: Vec<f64> = flows.iter().map(|flow| flow.0).collect();
            let weights: Vec<f64> = flows.iter().map(|flow| flow.1).collect();
            let mut expected = vec![f64::NAN; demands.len()];
            water_fill(&demands, &weights, capacities[0], &mut expected);
            let grants = filled(&demands, &weights, &vec![&[1.0][..]; demands.len()], &capacities[..1]);
            for (grant, expected) in grants.iter().zip(expected) {
                prop_assert!((grant - expected).abs() <= 1e-12 * expected, "{grant}, not {expected}");
            }
        }
    }
}
