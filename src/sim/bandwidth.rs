//! Sharing the DRAM bandwidth: one water-filling routine for every sharing rule that is a choice of weights, and the
//! soft knee, which is not.
//!
//! Grants g_i <= demand_i rise in the ratio of the weights until demand or bandwidth is exhausted. Weight 1 is
//! max-min fairness; weight = demand slows every layer by the same factor (proportional sharing); weight = bytes per
//! tile is a DRAM that serves unbounded queues first come, first served, because a core then holds a share of the
//! queue as large as what it asks for at once. `knee.rs` is max-min for layers whose demand comes in bursts.

mod knee;
#[cfg(test)]
mod tests;

use self::knee::soft_fill;
use crate::hw::Sharing;

/// More concurrent layers than a system may have accelerators.
const MAX_SHARERS: usize = 64;

/// Fills `grants` for demands and a capacity in the same unit. `tile_bytes` is positive where the demand is.
pub fn share(sharing: Sharing, demands: &[f64], tile_bytes: &[f64], capacity: f64, grants: &mut [f64]) {
    match sharing {
        Sharing::MaxMin => water_fill(demands, |_| 1.0, capacity, grants),
        Sharing::Proportional => water_fill(demands, |i| demands[i], capacity, grants),
        Sharing::Fifo => water_fill(demands, |i| tile_bytes[i], capacity, grants),
        Sharing::Knee => soft_fill(demands, capacity, grants),
    }
}

/// Weighted max-min: sharers are visited in the order in which the rising level satisfies them; each takes its demand
/// until one cannot, and the rest shares what is left by weight. O(n log n), no allocation. Weights are positive where demand is.
pub fn water_fill(demands: &[f64], weight: impl Fn(usize) -> f64, capacity: f64, grants: &mut [f64]) {
    grants.copy_from_slice(demands);
    if demands.iter().sum::<f64>() <= capacity {
        return;
    }
    let mut order = [(0.0, 0); MAX_SHARERS];
    let mut sharers = 0;
    let mut weight_left = 0.0;
    for (i, &demand) in demands.iter().enumerate().filter(|&(_, &demand)| demand > 0.0) {
        order[sharers] = (demand / weight(i), i);
        weight_left += weight(i);
        sharers += 1;
    }
    let order = &mut order[..sharers];
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut left = capacity;
    for (place, &(level, i)) in order.iter().enumerate() {
        if level * weight_left > left {
            // From here on everybody is limited by the same level, so that equal sharers get equal grants to the bit.
            let level = left / weight_left;
            order[place..].iter().for_each(|&(_, i)| grants[i] = (level * weight(i)).min(demands[i]));
            break;
        }
        left -= demands[i];
        weight_left -= weight(i);
    }
}
