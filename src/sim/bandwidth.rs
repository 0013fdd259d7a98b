//! Sharing the DRAM bandwidth: one water-filling routine for every sharing rule.
//!
//! Grants g_i <= demand_i rise in the ratio of the weights until demand or bandwidth is exhausted. Weight 1 is
//! max-min fairness; weight = demand slows every layer by the same factor (proportional sharing).

use crate::hw::Sharing;

/// More concurrent layers than a system may have accelerators.
const MAX_SHARERS: usize = 64;

/// Fills `grants` for demands and a capacity in the same unit.
pub fn share(sharing: Sharing, demands: &[f64], capacity: f64, grants: &mut [f64]) {
    match sharing {
        Sharing::MaxMin => water_fill(demands, |_| 1.0, capacity, grants),
        Sharing::Proportional => water_fill(demands, |i| demands[i], capacity, grants),
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grants(sharing: Sharing, demands: &[f64], capacity: f64) -> Vec<f64> {
        let mut grants = vec![0.0; demands.len()];
        share(sharing, demands, capacity, &mut grants);
        grants
    }

    #[test]
    fn max_min_serves_the_light_first_and_proportional_slows_all_alike() {
        assert_eq!(grants(Sharing::MaxMin, &[10.0, 2.0, 0.0, 10.0], 12.0), [5.0, 2.0, 0.0, 5.0]);
        let rate = 10.0 / 15.0;
        assert_eq!(grants(Sharing::Proportional, &[10.0, 5.0], 10.0), [10.0 * rate, 5.0 * rate]);
        assert_eq!(grants(Sharing::MaxMin, &[3.0, 4.0], f64::INFINITY), [3.0, 4.0]);
    }

    /// The slow twin: raise a common level by bisection until the capacity is used.
    fn by_bisection(demands: &[f64], weights: &[f64], capacity: f64) -> Vec<f64> {
        let at = |level: f64| -> Vec<f64> {
            demands.iter().zip(weights).map(|(&d, &w)| if d > 0.0 { d.min(w * level) } else { 0.0 }).collect()
        };
        let (mut low, mut high) = (0.0, 1e9);
        for _ in 0..200 {
            let middle = (low + high) / 2.0;
            if at(middle).iter().sum::<f64>() > capacity { high = middle } else { low = middle }
        }
        at(low)
    }

    proptest! {
        #[test]
        fn equals_the_slow_twin(
            demands in prop::collection::vec(prop_oneof![Just(0.0), 0.01..100.0f64], 1..12),
            weights in prop::collection::vec(0.1..10.0f64, 12),
            capacity in 0.1..300.0f64,
        ) {
            let mut fast = vec![0.0; demands.len()];
            water_fill(&demands, |i| weights[i], capacity, &mut fast);
            let total: f64 = fast.iter().sum();
            prop_assert!(total <= capacity * (1.0 + 1e-9));
            prop_assert!((total - capacity.min(demands.iter().sum())).abs() <= 1e-9 * capacity);
            for (f, s) in fast.iter().zip(by_bisection(&demands, &weights, capacity)) {
                prop_assert!((f - s).abs() <= 1e-7 * s.max(1.0), "{fast:?}");
            }
        }
    }
}
