//! Hand-computed grants, and slow twins: exact rational arithmetic for every choice of weights, bisection on the
//! definition for the knee.

use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};
use proptest::prelude::*;

use super::*;
use crate::units::{Picojoules, Time};

/// `given` are the bytes per tile, or the scheduler's weights.
fn grants(sharing: Sharing, demands: &[f64], given: &[f64], capacity: f64) -> Vec<f64> {
    let weigh = |(&demand_bytes_per_ps, &given): (&f64, &f64)| {
        let (alone, energy) = (Time(1), Picojoules(0.0));
        let cost = PairCost { latency_ps: 1.0, demand_bytes_per_ps, tile_bytes: given, alone, energy };
        weight(sharing, &cost, given)
    };
    let weights: Vec<f64> = demands.iter().zip(given).map(weigh).collect();
    let mut grants = vec![f64::NAN; demands.len()];
    share(sharing, demands, &weights, capacity, &mut grants);
    grants
}

#[test]
fn max_min_serves_the_light_first_and_proportional_slows_all_alike() {
    assert_eq!(grants(Sharing::MaxMin, &[10.0, 2.0, 0.0, 10.0], &[1.0; 4], 12.0), [5.0, 2.0, 0.0, 5.0]);
    let rate = 10.0 / 15.0;
    assert_eq!(grants(Sharing::Proportional, &[10.0, 5.0], &[1.0; 2], 10.0), [10.0 * rate, 5.0 * rate]);
    assert_eq!(grants(Sharing::MaxMin, &[3.0, 4.0], &[1.0; 2], f64::INFINITY), [3.0, 4.0]);
}

#[test]
fn fifo_shares_by_what_a_layer_asks_for_at_once() {
    assert_eq!(grants(Sharing::Fifo, &[10.0, 10.0], &[300.0, 100.0], 12.0), [9.0, 3.0]);
    // A light layer with large tiles is served first.
    assert_eq!(grants(Sharing::Fifo, &[10.0, 2.0, 0.0], &[100.0, 300.0, 0.0], 10.0), [8.0, 2.0, 0.0]);
}

#[test]
fn score_leaves_a_little_contention_alone_and_else_keeps_floors() {
    // Up to 150 % of the bandwidth: max-min, whatever the scores.
    assert_eq!(grants(Sharing::Score, &[10.0, 2.0], &[1.0, 9.0], 8.0), [6.0, 2.0]);
    // 20 of 10: everybody keeps a quarter, 2.5 each, and the other 5 go 4 : 1.
    assert_eq!(grants(Sharing::Score, &[10.0, 10.0], &[4.0, 1.0], 10.0), [6.5, 3.5]);
    // 80 of 10: not even a quarter each, so all that there is goes by demand.
    assert_eq!(grants(Sharing::Score, &[60.0, 20.0], &[1.0, 9.0], 10.0), [7.5, 2.5]);
}

#[test]
fn the_knee_spares_the_lonely_shares_equally_among_the_greedy_and_is_soft_between() {
    assert_eq!(grants(Sharing::Knee, &[0.0, 7.0], &[0.0; 2], 10.0), [0.0, 7.0]);
    assert_eq!(grants(Sharing::Knee, &[0.0, 70.0], &[0.0; 2], 10.0), [0.0, 10.0]);
    assert_eq!(grants(Sharing::Knee, &[3.0, 90.0], &[0.0; 2], f64::INFINITY), [3.0, 90.0]);
    for grant in grants(Sharing::Knee, &[10.0, 20.0, 30.0, 40.0], &[0.0; 4], 10.0) {
        assert!((grant - 2.5).abs() < 1e-13, "{grant}");
    }
    // K = 1, b = 1/2 each, just at saturation: 2 u level = 1 - (1 - u)^2 gives level = 1 - u / 2 and, with
    // u^-3 = 1 + 7 level^3, u = 0.69914. Each gets u (1 - u / 2) = 0.45474, 9 % less than max-min's 1/2.
    for grant in grants(Sharing::Knee, &[0.5, 0.5], &[0.0; 2], 1.0) {
        let u = 1.0 - (1.0 - 2.0 * grant).sqrt();
        assert!((u.powi(-3) - 1.0 - 7.0 * (1.0 - u / 2.0).powi(3)).abs() < 1e-12, "{grant}");
        assert!((grant - 0.45474).abs() < 1e-5, "{grant}");
    }
}

/// Water-filling by its definition: whoever needs no more than his weighted share of what is left gets it; once
/// nobody does, the rest is shared by weight.
fn exact(demands: &[f64], weights: &[f64], capacity: f64) -> Vec<BigRational> {
    let exactly = |v: f64| BigRational::from_float(v).expect("inputs are finite");
    let demands: Vec<BigRational> = demands.iter().map(|&d| exactly(d)).collect();
    let weights: Vec<BigRational> = weights.iter().map(|&w| exactly(w)).collect();
    let mut grants = vec![BigRational::zero(); demands.len()];
    let mut left = exactly(capacity);
    let mut open: Vec<usize> = (0..demands.len()).filter(|&i| !demands[i].is_zero()).collect();
    while !open.is_empty() {
        let level = &left / open.iter().map(|&i| &weights[i]).sum::<BigRational>();
        let (met, unmet): (Vec<_>, Vec<_>) = open.iter().partition(|&&i| demands[i] <= &level * &weights[i]);
        if met.is_empty() {
            unmet.iter().for_each(|&i: &usize| grants[i] = &level * &weights[i]);
            break;
        }
        for i in met {
            left -= &demands[i];
            grants[i] = demands[i].clone();
        }
        open = unmet;
    }
    grants
}

/// The knee by its definition, with times instead of demands: c = 1, V = b; bisection of the level.
fn knee_by_bisection(demands: &[f64], capacity: f64) -> Vec<f64> {
    let at = |level: f64| -> Vec<f64> {
        let time = |b: f64| {
            let alone = (b / capacity).max(1.0);
            let compute = (alone.powi(3) - (b / capacity).powi(3)).max(0.0);
            (compute + (b / level).powi(3)).cbrt()
        };
        demands.iter().map(|&b| if b > 0.0 { b / time(b) } else { 0.0 }).collect()
    };
    let (mut low, mut high) = (0.0, capacity);
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        let grants = at(middle);
        let idle: f64 = grants.iter().map(|g| 1.0 - g / middle).product();
        if grants.iter().sum::<f64>() > capacity * (1.0 - idle) { high = middle } else { low = middle }
    }
    at(high)
}

fn any_demands() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![1 => Just(0.0), 4 => 0.01..100.0f64], 1..12)
}

proptest! {
    #[test]
    fn every_choice_of_weights_equals_exact_arithmetic(
        demands in any_demands(),
        weights in prop::collection::vec(0.1..10.0f64, 12),
        capacity in 0.1..300.0f64,
    ) {
        let weights = &weights[..demands.len()];
        let mut weighted = vec![f64::NAN; demands.len()];
        water_fill(&demands, weights, capacity, &mut weighted);
        let of = |sharing| grants(sharing, &demands, weights, capacity);
        let ones = vec![1.0; demands.len()];
        let cases = [
            ("weights", weighted, weights),
            ("max_min", of(Sharing::MaxMin), &ones),
            ("proportional", of(Sharing::Proportional), &demands),
            ("fifo", of(Sharing::Fifo), weights),
        ];
        let scored = of(Sharing::Score);
        let (total, granted): (f64, f64) = (demands.iter().sum(), scored.iter().sum());
        prop_assert!((granted - total.min(capacity)).abs() <= 1e-9 * granted);
        for (grant, demand) in scored.iter().zip(&demands) {
            let floor = demand * (capacity / total).min(0.25);
            prop_assert!(*grant <= demand * (1.0 + 1e-12) && (total <= 1.5 * capacity || *grant >= floor * (1.0 - 1e-12)));
        }
        for (name, fast, weights) in cases {
            for (fast, slow) in fast.iter().zip(exact(&demands, weights, capacity)) {
                let slow = slow.to_f64().expect("a grant is a number");
                prop_assert!((fast - slow).abs() <= 1e-9 * slow, "{name}: {fast} instead of {slow}");
            }
        }
    }

    #[test]
    fn the_knee_equals_its_definition_and_grants_no_more_than_there_is(
        demands in any_demands(),
        capacity in 0.1..300.0f64,
    ) {
        let fast = grants(Sharing::Knee, &demands, &demands, capacity);
        let total: f64 = fast.iter().sum();
        prop_assert!(total <= capacity.min(demands.iter().sum()) * (1.0 + 1e-12));
        if demands.iter().any(|&demand| demand >= capacity) {
            prop_assert!(total >= capacity * (1.0 - 1e-12), "{total}");
        }
        for (fast, slow) in fast.iter().zip(knee_by_bisection(&demands, capacity)) {
            prop_assert!((fast - slow).abs() <= 1e-9 * slow, "{fast} instead of {slow}");
        }
    }
}
