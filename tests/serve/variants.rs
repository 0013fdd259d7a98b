//! The decisions of each rule for variants, computed by hand: variant 0 is the large one, 1 the middle one, 2 the small
//! one, with services of 20, 10 and 5 alone.

use super::common::{CLIENT, ClientPlan, ModelPlan, NO_LINK, Plan, SitePlan, composed, requests};

fn family() -> ModelPlan {
    let variants: [(&str, f64, &[u64]); 3] =
        [("large", 0.9, &[20, 24, 32]), ("middle", 0.8, &[10, 12, 16]), ("small", 0.7, &[5, 6, 8])];
    ModelPlan::new(&[1, 2, 4], &variants)
}

/// The launches of one site without links: when, which variant, how many.
fn orders(model: ModelPlan, rules: [&str; 2], asked: &[(u64, u64)]) -> Vec<(u64, usize, u32)> {
    let plan = Plan::new(vec![SitePlan::behind(NO_LINK)], model);
    let trace = requests(asked.iter().map(|&(arrival, due)| (0, arrival, due)));
    plan.run(trace, &mut composed("closest", rules[0], rules[1], 1)).orders()
}

#[test]
fn best_smallest_and_fixed_never_change() {
    let one = |variant| orders(family(), [variant, "single"], &[(0, 99)])[0].1;
    assert_eq!([one("best"), one("smallest")], [0, 2]);
    assert_eq!([one("fixed variant = \"middle\""), one("fixed variant = \"huge\"")], [1, 0]);
}

#[test]
fn a_variant_has_to_be_accurate_enough() {
    let client = ClientPlan { min_accuracy: 0.75, ..CLIENT };
    let plan = Plan { clients: vec![client], ..Plan::new(vec![SitePlan::behind(NO_LINK)], family()) };
    let one = |variant| plan.run(requests([(0, 0, 99)]), &mut composed("closest", variant, "single", 1));
    assert_eq!(one("smallest").orders(), [(0, 1, 1)]);
    assert_eq!(one("fixed variant = \"small\"").orders(), [(0, 0, 1)]);
}

#[test]
fn fits_is_as_accurate_as_the_deadline_allows() {
    // 20 until 20; 10 until 30, where 20 would be too long until 32; nothing is done by 33, so the smallest.
    let expected = [(0, 0, 1), (20, 1, 1), (30, 2, 1)];
    assert_eq!(orders(family(), ["fits", "single"], &[(0, 20), (0, 32), (0, 33)]), expected);
    // A batch of two is due when the first of both is: 12 fits 20, 24 does not.
    assert_eq!(orders(family(), ["fits", "greedy"], &[(0, 99), (0, 20)]), [(0, 1, 2)]);
}

#[test]
fn switch_follows_the_length_of_the_queue() {
    let asked = [(0, 99); 4];
    let expected = [(0, 2, 1), (5, 1, 1), (15, 1, 1), (25, 0, 1)];
    assert_eq!(orders(family(), ["switch thresholds = [2, 4]", "single"], &asked), expected);
    // With a hysteresis of 1, three are still many and one is not yet few.
    let rule = "switch thresholds = [2, 4]; hysteresis = 1";
    let expected = [(0, 2, 1), (5, 2, 1), (10, 1, 1), (20, 1, 1)];
    assert_eq!(orders(family(), [rule, "single"], &asked), expected);
}

#[test]
fn rate_carries_the_rate_of_arrivals() {
    // Batches of four carry 0.125, 0.25 and 0.5 a picosecond. The last gaps at the launches: none, 5, 26, 3.
    let asked = [(0, 999), (10, 999), (15, 999), (41, 999), (44, 999)];
    let expected = [(0, 0, 1), (20, 1, 2), (41, 0, 1), (61, 2, 1)];
    assert_eq!(orders(family(), ["rate weight = 1.0", "greedy"], &asked), expected);
    // The mean of gaps 10 and 5 at weight 0.5 is 7.5, of 26 more 16.75, of 3 more 9.875, which is too much for the large.
    let expected = [(0, 0, 1), (20, 1, 2), (41, 0, 1), (61, 0, 1)];
    assert_eq!(orders(family(), ["rate weight = 0.5", "greedy"], &asked), expected);
    // A rate of 0.1 fits into 0.125, with headroom it does not.
    let asked = [(0, 999), (10, 999)];
    assert_eq!(orders(family(), ["rate", "greedy"], &asked)[1], (20, 0, 1));
    assert_eq!(orders(family(), ["rate headroom = 1.3", "greedy"], &asked)[1], (20, 1, 1));
    // More than any variant carries.
    let asked = [(0, 999), (1, 999)];
    assert_eq!(orders(family(), ["rate", "greedy"], &asked)[1], (20, 2, 1));
}

#[test]
fn infaas_is_cheap_while_that_carries_the_rate() {
    // 4 / 22 a picosecond, and 0.1 at any batch: 95 % of that is too little for a gap of 10.
    let variants: [(&str, f64, &[u64]); 2] = [("a", 0.9, &[20, 21, 22]), ("b", 0.8, &[10, 20, 40])];
    let model = ModelPlan::new(&[1, 2, 4], &variants);
    let asked = [(0, 999), (20, 999), (30, 999)];
    let expected = [(0, 1, 1), (20, 1, 1), (30, 0, 1)];
    assert_eq!(orders(model, ["infaas weight = 1.0", "greedy"], &asked), expected);
}

#[test]
fn model_switching_weighs_accuracy_against_lateness() {
    // At 20 two have come since the first decision, 0.1 a picosecond. The large one carries that only in fours, which take
    // more than 30; of the middle one at most 1 - 0.4 e^-1.05 are in time, of the small one nearly all: effective accuracies
    // of 0.69 and 0.70. At 25 the period of 10 is not over.
    let asked = [(0, 30), (10, 40), (15, 45)];
    let rule = "model_switching period_us = 0.00001";
    assert_eq!(orders(family(), [rule, "single"], &asked), [(0, 0, 1), (20, 2, 1), (25, 2, 1)]);
    // In the first period all decisions are new: at 25 the rate is 0.08, which four of the middle one carry at 0.72.
    let expected = [(0, 0, 1), (20, 2, 1), (25, 1, 1)];
    assert_eq!(orders(family(), ["model_switching", "single"], &asked), expected);
    // The large one takes more than there is.
    assert_eq!(orders(family(), ["model_switching", "single"], &[(0, 19)]), [(0, 1, 1)]);
}
