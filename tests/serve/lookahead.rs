//! The search among launches against the rules that it goes on with.

use mascot::dispatch::{Lookahead, ROUTES, find};
use mascot::serve::{Dispatcher, Record};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::common::{Log, ModelPlan, NO_LINK, Plan, SitePlan, composed, requests};

const MAX: usize = 4;

fn lookahead() -> Lookahead {
    let closest = find("route", ROUTES, "closest").expect("a known rule");
    Lookahead::new((closest.build)(&toml::Table::new(), 1).expect("no parameters"), MAX)
}

fn base() -> impl Dispatcher {
    composed("closest", "fits", &format!("greedy max = {MAX}"), 1)
}

/// The sum of the accuracies of answers in time.
fn quality(log: &Log) -> f64 {
    let worth = |record: &Record| match *record {
        Record::Answered { time, asked, accuracy, .. } if asked.is_met_at(time) => accuracy,
        _ => 0.0,
    };
    log.0.iter().map(|(record, _)| worth(record)).sum()
}

/// Requests that are all there at the beginning, so that a fork knows everything: one site, sometimes with two slots.
fn instance(rng: &mut ChaCha8Rng) -> (Plan, Vec<(usize, u64, u64)>) {
    let mut services = |least: u64| {
        let alpha = least + rng.random_range(0..40);
        let beta = rng.random_range(0..30);
        [1, 2, 4].map(|batch| alpha + beta * batch)
    };
    let (small, large) = (services(10), services(40));
    let model = ModelPlan::new(&[1, 2, 4], &[("small", 0.6, &small), ("large", 1.0, &large)]);
    let parallel = rng.random_range(1..=2);
    let site = SitePlan { accelerators: parallel, slots: parallel as u32, ..SitePlan::behind(NO_LINK) };
    let asked = (0..rng.random_range(1..=9)).map(|_| (0, 0, rng.random_range(20..500)));
    (Plan::new(vec![site], model), asked.collect())
}

#[test]
fn where_nobody_else_comes_it_is_never_worse_than_the_rules_that_it_goes_on_with() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut better, mut sums) = (0, [0.0; 2]);
    for case in 0..300 {
        let (plan, asked) = instance(&mut rng);
        let found = quality(&plan.run(requests(asked.clone()), &mut lookahead()));
        let without = quality(&plan.run(requests(asked), &mut base()));
        assert!(found >= without - 1e-9, "case {case}: {found} against {without}");
        better += usize::from(found > without + 1e-9);
        (sums[0], sums[1]) = (sums[0] + found, sums[1] + without);
    }
    assert!(better > 50, "better in {better} of 300 cases, {sums:?}");
}

#[test]
fn it_leaves_a_batch_for_two_small_ones_where_only_these_are_in_time() {
    // Two at once take 60 on the large variant, one by one 40 and 80; the small one takes 10, 15 for two.
    let model = ModelPlan::new(&[1, 2], &[("small", 0.6, &[10, 15]), ("large", 1.0, &[40, 60])]);
    let plan = Plan::new(vec![SitePlan::behind(NO_LINK)], model);
    let orders = |deadlines: [u64; 2]| {
        let asked = deadlines.map(|deadline| (0, 0, deadline));
        plan.run(requests(asked), &mut lookahead()).orders()
    };
    assert_eq!(orders([60, 60]), [(0, 1, 2)], "both fit in a batch of the large variant");
    assert_eq!(
        orders([50, 50]),
        [(0, 0, 1), (10, 1, 1)],
        "small for one, large for the other: 1.6 against 1.2"
    );
    assert_eq!(orders([20, 20]), [(0, 0, 2)], "small for both: 1.2");
}
