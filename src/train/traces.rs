//! The training traces of a step, which learners draw alike.

use std::sync::Arc;

use rand::{Rng, RngExt};
use rayon::prelude::*;

use super::env::Setup;
use crate::experiment::Experiment;
use crate::files::Price;
use crate::plan::{Case, Plan, requests, rules};
use crate::rng;

/// The run of a case with a seed, at a price of energy.
pub(super) fn setup(case: &Case, seed: u64, price: Price) -> Setup {
    Setup {
        world: Arc::clone(&case.site.world),
        trace: Arc::new(requests(case, &case.window, seed)),
        rules: rules(case, seed),
        price: price.0,
    }
}

/// Draws the traces of a step: cases spread over the list, so that a step sees most of them, each with a seed of its
/// own, and one of the prices.
pub(super) fn draw_traces(plan: &Plan, prices: &[Price], seed: u64, step: u64, count: usize) -> Vec<Setup> {
    let Experiment { first_seed, seeds, .. } = plan.experiment;
    let mut rng = rng::stream(seed, "traces", &step.to_string());
    let cases = &plan.cases;
    let drawn: Vec<(&Case, u64, Price)> = (0..count)
        .map(|i| {
            // One case from each stretch of the list, which is in the order of the keys.
            let place = (i as f64 + rng.random::<f64>()) / count as f64 * cases.len() as f64;
            let seed = first_seed + rng.random_range(0..seeds);
            (&cases[(place as usize).min(cases.len() - 1)], seed, draw_price(prices, &mut rng))
        })
        .collect();
    drawn.into_par_iter().map(|(case, seed, price)| setup(case, seed, price)).collect()
}

/// One of the prices; where there is no choice, nothing is drawn.
pub(super) fn draw_price(prices: &[Price], random: &mut impl Rng) -> Price {
    if let [only] = prices { *only } else { prices[random.random_range(0..prices.len())] }
}

/// The number of accelerators of the first system of a plan; a policy that serves several does not depend on it.
pub(super) fn accelerators(plan: &Plan) -> usize {
    plan.cases[0].site.world.platform.accelerators.len()
}
