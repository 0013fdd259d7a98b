//! Sharing of the DRAM bandwidth: one water-filling routine for every sharing rule that is a choice of weights, and the
//! soft knee, which is not.
//!
//! Grants g_i <= demand_i rise in the ratio of the weights until demand or bandwidth is exhausted. Weight 1 is
//! max-min fairness; weight = demand slows every layer by the same factor (proportional sharing); weight = bytes per
//! tile is a DRAM that serves unbounded queues first come, first served, because a core then holds a share of the
//! queue as large as what it asks for at once; under `score` the scheduler gives the weights, and a DRAM that is not
//! badly overcommitted is left alone. `knee.rs` is max-min for layers whose demand comes in bursts. `paths.rs` shares several
//! memories and links.

mod knee;
mod paths;
#[cfg(test)]
mod tests;

use self::knee::soft_fill;
pub use self::paths::{Paths, fill_paths};
use super::PairCost;
use crate::hw::{MAX_ACCELERATORS, Sharing};

/// The most concurrent layers: as many as a system may have accelerators.
pub const MAX_SHARERS: usize = MAX_ACCELERATORS;

/// Up to so many layers, sharing clears buffers of this size only: those for the most layers cost more time than the
/// sharing itself. Our choice, because most systems are far smaller.
const FEW: usize = 64;

/// Calls a function with buffers for as many layers as there are.
macro_rules! sized {
    ($layers:expr, $function:ident($($argument:expr),*)) => {
        match $layers <= FEW {
            true => $function::<FEW>($($argument),*),
            false => $function::<MAX_SHARERS>($($argument),*),
        }
    };
}
use sized;

/// Under `score`, demands of up to this many times the bandwidth are left to max-min sharing (MoCA, Kim et al., HPCA
/// 2023, as in its artefact).
const SCORE_THRESHOLD: f64 = 1.5;

/// Under `score` every layer keeps at least this share of its demand, if the bandwidth suffices (MoCA's artefact).
const SCORE_FLOOR: f64 = 0.25;

/// The weight of a layer under a sharing rule; `score` is the weight that the scheduler gave it.
pub fn weight(sharing: Sharing, cost: &PairCost, score: f64) -> f64 {
    match sharing {
        Sharing::MaxMin | Sharing::Knee => 1.0,
        Sharing::Proportional => cost.demand_bytes_per_ps,
        Sharing::Fifo => cost.tile_bytes,
        Sharing::Score => score,
    }
}

/// Fills `grants` for demands and a capacity in the same unit, with weights as [`weight`] gives them: positive where
/// the demand is. No allocation.
pub fn share(sharing: Sharing, demands: &[f64], weights: &[f64], capacity: f64, grants: &mut [f64]) {
    match sharing {
        Sharing::MaxMin | Sharing::Proportional | Sharing::Fifo => {
            water_fill(demands, weights, capacity, grants);
        }
        Sharing::Score => sized!(demands.len(), score_fill(demands, weights, capacity, grants)),
        Sharing::Knee => sized!(demands.len(), soft_fill(demands, capacity, grants)),
    }
}

/// Weighted max-min: a level rises until demand or capacity is exhausted; each sharer gets weight x level, at most its
/// demand. Every round satisfies more sharers with what the others leave, so there are at most n, mostly two. Equal
/// sharers get equal grants to the bit.
pub fn water_fill(demands: &[f64], weights: &[f64], capacity: f64, grants: &mut [f64]) {
    let n = demands.len();
    let (weights, grants) = (&weights[..n], &mut grants[..n]);
    let mut demanded = 0.0;
    for i in 0..n {
        grants[i] = demands[i];
        demanded += demands[i];
    }
    if demanded <= capacity {
        return;
    }
    let (mut level, mut unmet) = (0.0, usize::MAX);
    loop {
        let (mut left, mut weight_left, mut still_unmet) = (capacity, 0.0, 0);
        for i in 0..n {
            let met = demands[i] <= level * weights[i];
            left -= if met { demands[i] } else { 0.0 };
            weight_left += if met { 0.0 } else { weights[i] };
            still_unmet += usize::from(!met);
        }
        if still_unmet == 0 || still_unmet >= unmet {
            break;
        }
        unmet = still_unmet;
        level = left / weight_left;
    }
    for i in 0..n {
        grants[i] = demands[i].min(level * weights[i]);
    }
}

/// MoCA's rule: above the threshold every layer keeps a floor, and the rest is shared by score.
fn score_fill<const MOST: usize>(demands: &[f64], scores: &[f64], capacity: f64, grants: &mut [f64]) {
    let demanded: f64 = demands.iter().sum();
    if demanded <= SCORE_THRESHOLD * capacity {
        return water_fill(demands, &[1.0; MOST][..demands.len()], capacity, grants);
    }
    let floor = SCORE_FLOOR.min(capacity / demanded);
    let mut above = [0.0; MOST];
    let above = &mut above[..demands.len()];
    above.iter_mut().zip(demands).for_each(|(above, demand)| *above = demand * (1.0 - floor));
    water_fill(above, scores, (capacity - floor * demanded).max(0.0), grants);
    grants.iter_mut().zip(demands).for_each(|(grant, demand)| *grant += floor * demand);
}
