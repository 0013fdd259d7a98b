//! The decisions of rules that decide everything, computed by hand. Variants are those of the rules for variants: services
//! of 20, 10 and 5 alone; a microsecond is a million of the picoseconds that times are in.

use super::common::{CLIENT, ModelPlan, NO_LINK, Plan, SitePlan, delay, requests, whole};

fn family() -> ModelPlan {
    let variants: [(&str, f64, &[u64]); 3] =
        [("large", 0.9, &[20, 24, 32]), ("middle", 0.8, &[10, 12, 16]), ("small", 0.7, &[5, 6, 8])];
    ModelPlan::new(&[1, 2, 4], &variants)
}

fn one_site(model: ModelPlan) -> Plan {
    Plan::new(vec![SitePlan::behind(NO_LINK)], model)
}

/// The orders of one site: when, which variant, how many.
fn orders(model: ModelPlan, rule: &str, asked: &[(u64, u64)]) -> Vec<(u64, usize, u32)> {
    let trace = requests(asked.iter().map(|&(arrival, due)| (0, arrival, due)));
    one_site(model).run(trace, whole(rule).as_mut()).orders()
}

#[test]
fn clockwork_rejects_on_arrival() {
    // By 20 the large one is done. The second starts after a backlog of 20: the middle one makes 32. The third starts after
    // 40, too late for any. Two of the middle one are done by 20, so that they run together.
    let trace = requests([(0, 0, 20), (0, 0, 32), (0, 0, 33)]);
    let log = one_site(family()).run(trace, whole("clockwork").as_mut());
    assert_eq!((log.orders(), log.lost()), (vec![(0, 1, 2)], vec![(0, 2)]));
    // The closest site has a backlog; the most accurate variant is in time at the other one.
    let plan = Plan::new(vec![SitePlan::behind(NO_LINK), SitePlan::behind(delay(3))], family());
    let log = plan.run(requests([(0, 0, 30), (0, 0, 30), (0, 1, 17)]), whole("clockwork").as_mut());
    assert_eq!(log.sites(0), [0, 1, 1]);
}

#[test]
fn infaas_takes_the_cheapest_with_room() {
    // 95 % of 4 / 32 a picosecond are above a ninth and below an eighth.
    let second = |gap: u64| orders(family(), "infaas", &[(0, 999), (gap, 999)])[1];
    assert_eq!([second(9), second(8)], [(20, 0, 1), (20, 1, 1)]);
    let asked = [(0, 999), (8, 999)];
    assert_eq!(orders(family(), "infaas cost = \"service\"", &asked), [(0, 2, 1), (8, 2, 1)]);
}

#[test]
fn jellyfish_plans_variants_and_sites() {
    // A tenth a picosecond with 50 until the deadline. Twice 24 fit: pairs of the large one load the site by 1.26, and
    // 0.9 / 1.26 is less than the 0.8 of the middle one, of which four fit.
    let asked: Vec<_> = (0..40).map(|i| (i * 10, i * 10 + 50)).collect();
    let (before, after): (Vec<_>, Vec<_>) =
        orders(family(), "jellyfish period_us = 0.0001", &asked).into_iter().partition(|of| of.0 < 100);
    assert!(before.iter().all(|&(_, variant, count)| (variant, count) == (0, 1)), "{before:?}");
    assert!(after.len() > 5 && after.iter().all(|&(_, variant, _)| variant == 1), "{after:?}");
    // Two tenants load the closest site by 2: one of them moves.
    let model = ModelPlan::new(&[1], &[("only", 0.5, &[10])]);
    let mut plan = Plan::new(vec![SitePlan::behind(NO_LINK), SitePlan::behind(delay(5))], model);
    plan.clients = vec![CLIENT; 2];
    let trace = requests((0..40).map(|i| (i % 2, i as u64 * 5, i as u64 * 5 + 50)));
    let log = plan.run(trace, whole("jellyfish period_us = 0.0001").as_mut());
    // Its arrivals until 100 are known where a report from the other site could be, at 105.
    assert_eq!(log.sites(0), [vec![0; 11], vec![1; 9]].concat());
    assert_eq!(log.sites(1), [0; 20]);
}

#[test]
fn accuracy_lp_follows_the_shares_of_its_program() {
    // 0.2 a picosecond, 0.21 with headroom. Fours of the large one take 8 each, of the middle one 4: shares of 0.2 and 0.85
    // use the site fully and are worth more than any with the small one.
    let asked: Vec<_> = (0..8000).map(|i| (i * 5, i * 5 + 50)).collect();
    let planned = orders(family(), "accuracy_lp period_us = 0.01", &asked);
    let mut counts = [0.0; 3];
    planned.iter().filter(|of| of.0 >= 10_000).for_each(|&(_, variant, count)| {
        counts[variant] += f64::from(count);
    });
    let share = counts[0] / counts.iter().sum::<f64>();
    assert!((share - 0.2 / 1.05).abs() < 0.01 && counts[2] == 0.0, "{counts:?}");
    // Two sites of 0.1 a picosecond each: one is full, the other gets the rest of 1.05 / 6.5.
    let model = ModelPlan::new(&[1], &[("only", 0.5, &[10])]);
    let plan = Plan::new(vec![SitePlan::behind(NO_LINK); 2], model);
    let arrivals = (0..8000).map(|i: u64| i * 13 / 2);
    let trace = requests(arrivals.map(|arrival| (0, arrival, arrival + 500)));
    let sites = plan.run(trace, whole("accuracy_lp period_us = 0.01").as_mut()).sites(0);
    let late = &sites[2000..];
    let first = late.iter().filter(|&&site| site == 0).count() as f64 / late.len() as f64;
    assert!((first.max(1.0 - first) - 0.1 * 6.5 / 1.05).abs() < 0.01, "{first}");
}

#[test]
fn nexus_runs_a_batch_per_duty_cycle() {
    // One at once, while no rate is known. Then four gather in 40 and are served in 16, within 60: the first turn is at
    // once, the next ones 40 apart.
    let model = ModelPlan::new(&[1, 2, 4], &[("only", 0.5, &[10, 12, 16])]);
    let asked: Vec<_> = (0..10).map(|i| (i * 10, i * 10 + 60)).collect();
    let expected = [(0, 0, 1), (10, 0, 1), (50, 0, 4), (90, 0, 4)];
    assert_eq!(orders(model, "nexus period_us = 0.0001; weight = 1.0", &asked), expected);
}
