//! Hand-computed cases, and a slow twin through duality: at any prices of the resources that sum to 1, what one
//! request costs at the cheapest choices is a lower bound on the seconds of the busiest resource, and the best prices
//! reach it.

use proptest::prelude::*;

use super::*;

const MS: u64 = 1_000_000_000;

fn layer(per_request: f64, costs: &[Option<(u64, u64)>]) -> LayerLoad {
    let cost = |cost: &Option<(u64, u64)>| {
        cost.map(|(ps, bytes)| AloneCost { c1: Time(ps), dram_bytes: Bytes(bytes), way: 0 })
    };
    LayerLoad { per_request, costs: costs.iter().map(cost).collect() }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs()
}

#[test]
fn one_accelerator_is_the_inverse_of_its_time() {
    let layers = [layer(1.0, &[Some((2 * MS, 0))]), layer(3.0, &[Some((MS, 0))])];
    let one = saturation(&layers, &[1], &Supply::one(f64::INFINITY)).unwrap();
    assert!(close(one.requests_per_s, 200.0), "{one:?}");
    assert_eq!((&one.dram_utilization[..], &one.binding[..]), (&[0.0][..], &[Resource::Model(0)][..]));
    let two = saturation(&layers, &[2], &Supply::one(f64::INFINITY)).unwrap();
    assert!(close(two.requests_per_s, 400.0), "{two:?}");
}

#[test]
fn two_accelerators_share_by_comparative_advantage() {
    // A takes 1 or 4 ms and B 2 or 3 ms. B moves to the second until both are busy alike: 1 + 2 (1 - f) = 3 f.
    let layers = [
        layer(1.0, &[Some((MS, 0)), Some((4 * MS, 0))]),
        layer(1.0, &[Some((2 * MS, 0)), Some((3 * MS, 0))]),
    ];
    let found = saturation(&layers, &[1, 1], &Supply::one(f64::INFINITY)).unwrap();
    assert!(close(found.requests_per_s, 1.0 / 1.8e-3), "{found:?}");
    assert_eq!(found.binding, [Resource::Model(0), Resource::Model(1)]);
}

#[test]
fn dram_binds_however_many_accelerators_there_are() {
    // 10 MB at 8 GB/s take 1.25 ms, which is c1, too.
    let layers = [layer(1.0, &[Some((5 * MS / 4, 10_000_000))])];
    let found = saturation(&layers, &[2], &Supply::one(8e9)).unwrap();
    assert!(close(found.requests_per_s, 800.0) && close(found.model_utilization[0], 0.5), "{found:?}");
    assert_eq!(found.binding, [Resource::Dram(0)]);
}

#[test]
fn several_memories_and_links_bind_one_by_one() {
    // Memories of 1 and 3 GB/s, each with enough accelerators of a model, and a link of 0.5 GB/s. 4 MB near by add up to
    // both memories.
    let bytes_per_s = vec![1e9, 3e9, 0.5e9];
    let cost = |ps, way| Some(AloneCost { c1: Time(ps), dram_bytes: Bytes(4_000_000), way });
    let of = |costs: [Option<AloneCost>; 2], ways: [[f64; 3]; 2]| {
        let layers = [LayerLoad { per_request: 1.0, costs: costs.to_vec() }];
        let ways = ways.map(|way| way.to_vec()).to_vec();
        saturation(&layers, &[8, 8], &Supply { bytes_per_s: bytes_per_s.clone(), ways }).unwrap()
    };
    let local = of([cost(4 * MS, 0), cost(4 * MS / 3, 1)], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    assert!(close(local.requests_per_s, 1_000.0), "{local:?}");
    assert_eq!(local.binding, [Resource::Dram(0), Resource::Dram(1)]);
    // All data in the second, where only the first model can run it: the link.
    let home = of([cost(8 * MS, 0), None], [[0.0, 1.0, 1.0], [0.0, 1.0, 0.0]]);
    assert!(close(home.requests_per_s, 125.0) && close(home.dram_utilization[1], 1.0 / 6.0), "{home:?}");
    assert_eq!((home.model_utilization[0], &home.binding[..]), (0.125, &[Resource::Dram(2)][..]));
}

#[test]
fn scarce_dram_favours_the_model_with_less_traffic() {
    // The first model is twice as fast, with four times the bytes: f on it takes 4 f + (1 - f) ms of DRAM and 2 (1 - f)
    // ms of the second model, alike at f = 0.2.
    let layers = [layer(1.0, &[Some((4 * MS, 4_000_000)), Some((8 * MS, 1_000_000))])];
    let found = saturation(&layers, &[4, 4], &Supply::one(1e9)).unwrap();
    assert!(close(found.requests_per_s, 1.0 / 1.6e-3), "{found:?}");
    assert_eq!(found.binding, [Resource::Model(1), Resource::Dram(0)]);
}

#[test]
fn a_layer_that_only_one_model_runs_stays_there() {
    // The other layer (2 ms) fills up: 2 f = 1 + 2 (1 - f).
    let layers = [layer(1.0, &[None, Some((MS, 0))]), layer(1.0, &[Some((2 * MS, 0)), Some((2 * MS, 0))])];
    let found = saturation(&layers, &[1, 1], &Supply::one(f64::INFINITY)).unwrap();
    assert!(close(found.requests_per_s, 1.0 / 1.5e-3), "{found:?}");
}

#[test]
fn a_layer_that_nothing_runs_and_a_mix_without_work_are_errors() {
    let layers = [layer(1.0, &[Some((MS, 0))]), layer(1.0, &[None])];
    assert_eq!(saturation(&layers, &[1], &Supply::one(1e9)), Err(SaturationError::Unrunnable { layer: 1 }));
    assert_eq!(saturation(&[], &[1], &Supply::one(1e9)), Err(SaturationError::NoWork));
    assert_eq!(saturation(&[layer(0.0, &[None])], &[1], &Supply::one(1e9)), Err(SaturationError::NoWork));
    assert_eq!(
        saturation(&[layer(1.0, &[Some((0, 0))])], &[1], &Supply::one(1e9)),
        Err(SaturationError::NoWork)
    );
}

#[test]
fn layers_twelve_decades_apart_do_not_disturb_each_other() {
    let tiny = layer(1e-6, &[Some((1_000, 1)), Some((2_000, 1))]);
    let huge = layer(1.0, &[Some((1_000 * MS, 0)), Some((1_000 * MS, 0))]);
    let found = saturation(&[tiny, huge], &[1, 1], &Supply::one(1e9)).unwrap();
    assert!(close(found.requests_per_s, 2.0), "{found:?}");
}

/// A mix on a system, with even picoseconds so that half of them are whole.
#[derive(Clone, Debug)]
struct Case {
    layers: Vec<LayerLoad>,
    instances: Vec<u32>,
    dram_bytes_per_s: f64,
}

fn case(models: std::ops::RangeInclusive<usize>, layers: usize) -> impl Strategy<Value = Case> {
    let bandwidth = prop_oneof![Just(f64::INFINITY), 1e9..1e11];
    (models, bandwidth).prop_flat_map(move |(models, dram_bytes_per_s)| {
        let cost = (1..5 * MS, 0..20_000_000u64).prop_map(move |(ps, bytes)| {
            let memory = Time::from_ps_ceil(bytes as f64 / dram_bytes_per_s * 1e12);
            Some((2 * ps.max(memory.0), bytes))
        });
        let costs =
            (cost.clone(), prop::collection::vec(prop_oneof![3 => cost, 1 => Just(None)], models - 1));
        let layer = (0.01..3.0, costs).prop_map(|(per_request, (first, mut rest))| {
            rest.push(first);
            layer(per_request, &rest)
        });
        (prop::collection::vec(layer, 1..=layers), prop::collection::vec(1..4u32, models))
            .prop_map(move |(layers, instances)| Case { layers, instances, dram_bytes_per_s })
    })
}

impl Case {
    fn saturation(&self) -> Saturation {
        saturation(&self.layers, &self.instances, &Supply::one(self.dram_bytes_per_s)).unwrap()
    }

    fn classes(&self) -> Vec<Class> {
        classes(&self.layers, &self.instances, &Supply::one(self.dram_bytes_per_s)).unwrap()
    }

    /// The seconds of the busiest resource when every layer is split as `weights` say.
    fn peak_s(&self, mut weights: impl Iterator<Item = f64>) -> f64 {
        let classes = self.classes();
        let split: Vec<_> =
            classes.iter().map(|class| exact(weights.by_ref().take(class.choices.len()).collect())).collect();
        peak(&seconds_per_request(&classes, &split, self.instances.len() + 1))
    }
}

/// What one request costs at the given prices (models, then DRAM) when every class takes its cheapest choice.
fn cost_at(classes: &[Class], prices: &[f64]) -> f64 {
    let dram = prices[prices.len() - 1];
    let cheapest = classes.iter().map(|class| {
        let costs = class.choices.iter().map(|c| c.busy_s * prices[c.model] + c.dram_s[0].1 * dram);
        costs.fold(f64::INFINITY, f64::min)
    });
    cheapest.sum()
}

/// The maximum of a concave function over [0, 1] by ternary search.
fn maximum(f: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let third = (high - low) / 3.0;
        if f(low + third) < f(high - third) { low += third } else { high -= third }
    }
    f((low + high) / 2.0)
}

proptest! {
    #[test]
    fn the_best_prices_prove_that_nothing_better_exists(case in case(2..=2, 6)) {
        let classes = case.classes();
        let bound_s = maximum(|dram| {
            maximum(|first| cost_at(&classes, &[first * (1.0 - dram), (1.0 - first) * (1.0 - dram), dram]))
        });
        let found = case.saturation();
        prop_assert!((found.requests_per_s * bound_s - 1.0).abs() < 1e-6, "{found:?}, bound {}", 1.0 / bound_s);
    }

    #[test]
    fn no_random_split_and_no_random_prices_contradict_it(
        case in case(1..=5, 8),
        weights in prop::collection::vec(prop::collection::vec(1e-3..1.0f64, 40), 50),
    ) {
        let found = case.saturation();
        let classes = case.classes();
        for weights in weights {
            prop_assert!(found.requests_per_s * case.peak_s(weights.iter().copied()) >= 1.0 - 1e-9);
            let prices = exact(weights[..=case.instances.len()].to_vec());
            prop_assert!(found.requests_per_s * cost_at(&classes, &prices) <= 1.0 + 1e-9);
        }
    }

    #[test]
    fn its_split_is_feasible_and_something_binds(case in case(1..=5, 8)) {
        let split = best_split(&case.classes(), case.instances.len() + 1, 1e-3).unwrap();
        for fractions in &split {
            prop_assert!(fractions.iter().all(|&f| (0.0..=1.0).contains(&f)));
            prop_assert!((fractions.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        let found = case.saturation();
        let used = found.model_utilization.iter().chain(&found.dram_utilization);
        prop_assert!(used.clone().all(|&used| (0.0..=1.0).contains(&used)));
        prop_assert!(!found.binding.is_empty());
    }

    #[test]
    fn doubling_dram_and_every_accelerator_doubles_it(case in case(1..=5, 8)) {
        let mut faster = case.clone();
        faster.dram_bytes_per_s *= 2.0;
        for cost in faster.layers.iter_mut().flat_map(|layer| &mut layer.costs).flatten() {
            cost.c1.0 /= 2;
        }
        let mut more = case.clone();
        more.dram_bytes_per_s *= 2.0;
        more.instances.iter_mut().for_each(|count| *count *= 2);
        let before = case.saturation().requests_per_s;
        prop_assert!(close(faster.saturation().requests_per_s, 2.0 * before));
        prop_assert!(close(more.saturation().requests_per_s, 2.0 * before));
    }

    #[test]
    fn neither_order_nor_splitting_of_layers_matters(case in case(1..=4, 8)) {
        let mut halves = case.clone();
        halves.layers.extend(case.layers.clone());
        halves.layers.iter_mut().for_each(|layer| layer.per_request /= 2.0);
        halves.layers.reverse();
        prop_assert_eq!(halves.saturation(), case.saturation());
    }
}
