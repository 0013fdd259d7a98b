//! The decisions of each batch rule, computed by hand. A service takes 10 for one request, 12 for two, 16 for three or
//! four; times are in picoseconds, and a microsecond is a million of them.

use super::common::{Log, ModelPlan, NO_LINK, Plan, SitePlan, composed, requests};

/// Plays requests that arrive at some time and are due at another.
fn play(batch: &str, asked: &[(u64, u64)]) -> Log {
    let model = ModelPlan::new(&[1, 2, 4], &[("only", 0.5, &[10, 12, 16])]);
    let plan = Plan::new(vec![SitePlan::behind(NO_LINK)], model);
    let trace = requests(asked.iter().map(|&(arrival, due)| (0, arrival, due)));
    plan.run(trace, &mut composed("closest", "best", batch, 1))
}

/// The launches and their numbers of requests.
fn orders(batch: &str, asked: &[(u64, u64)]) -> Vec<(u64, u32)> {
    play(batch, asked).orders().iter().map(|&(time, _, count)| (time, count)).collect()
}

#[test]
fn single_launches_one_by_one() {
    assert_eq!(orders("single", &[(0, 99); 3]), [(0, 1), (10, 1), (20, 1)]);
}

#[test]
fn greedy_takes_what_waits() {
    let asked: Vec<_> = (0..6).map(|i| (i, 99)).collect();
    assert_eq!(orders("greedy", &asked), [(0, 1), (10, 4), (26, 1)]);
    assert_eq!(orders("greedy max = 2", &asked), [(0, 1), (10, 2), (22, 2), (34, 1)]);
}

#[test]
fn size_waits_for_company_until_a_deadline_presses() {
    let asked = [(0, 1000), (1, 1001), (2, 1002), (3, 1003)];
    // Three are there at 2; the last one leaves when the service of three just fits.
    assert_eq!(orders("size at_least = 3", &asked), [(2, 3), (987, 1)]);
    assert_eq!(orders("size at_least = 2; max = 2", &asked), [(1, 2), (13, 2)]);
}

#[test]
fn timeout_launches_full_batches_and_old_ones() {
    let asked = [(0, 99), (1, 99), (20, 99), (30, 99), (30, 99), (30, 99), (30, 99)];
    assert_eq!(orders("timeout us = 0.000005", &asked), [(5, 2), (25, 1), (35, 4)]);
    assert_eq!(orders("timeout us = 0", &asked), [(0, 1), (10, 1), (20, 1), (30, 4)]);
}

#[test]
fn aimd_grows_by_one_and_shrinks_by_a_tenth() {
    assert_eq!(orders("aimd", &[(0, 40); 6]), [(0, 1), (10, 2), (22, 3)]);
    assert_eq!(orders("aimd max = 2", &[(0, 40); 6]), [(0, 1), (10, 2), (22, 2), (34, 1)]);
    // The second order is late: 2 x 0.9 leaves one.
    assert_eq!(orders("aimd", &[(0, 20); 5]), [(0, 1), (10, 2), (22, 1), (32, 1)]);
}

#[test]
fn lazy_waits_as_long_as_one_more_would_fit() {
    // One would fit with a second until 18, two and three with one more until 14.
    assert_eq!(orders("lazy", &[(0, 30), (3, 33), (6, 36)]), [(14, 3)]);
    assert_eq!(orders("lazy margin_us = 0.000002", &[(0, 30), (3, 33), (6, 36)]), [(12, 3)]);
    // Only one is done by 11; then all are late, and run together.
    assert_eq!(orders("lazy", &[(0, 11); 3]), [(0, 1), (10, 2)]);
    // A full batch does not wait.
    assert_eq!(orders("lazy max = 2", &[(0, 99); 2]), [(0, 2)]);
}

#[test]
fn nexus_fits_the_service_twice_and_drops_early() {
    assert_eq!(orders("nexus", &[(0, 32); 4]), [(0, 4)]);
    assert_eq!(orders("nexus", &[(0, 24); 4]), [(0, 2), (12, 2)]);
    let log = play("nexus", &[(0, 23); 4]);
    assert_eq!(log.orders(), [(0, 0, 1), (10, 0, 1)]);
    assert_eq!(log.lost(), [(20, 2), (20, 3)]);
    // At 16 the first one could be done alone by 26, but not in the batch of two that its time at the site stands for.
    let log = play("nexus", &[(0, 99), (0, 99), (0, 99), (0, 99), (1, 26), (1, 40), (1, 40)]);
    assert_eq!((log.orders(), log.lost()), (vec![(0, 0, 4), (16, 0, 2)], vec![(16, 4)]));
}

#[test]
fn clockwork_runs_only_what_is_in_time() {
    assert_eq!(orders("clockwork", &[(0, 26); 5]), [(0, 4), (16, 1)]);
    let log = play("clockwork", &[(0, 25); 5]);
    assert_eq!((log.orders(), log.lost()), (vec![(0, 0, 4)], vec![(16, 4)]));
    // Two are done by 15, three are not.
    assert_eq!(orders("clockwork", &[(0, 40), (0, 15), (0, 40), (0, 40)]), [(0, 2), (12, 2)]);
}

#[test]
fn accscale_fires_when_full_or_when_the_first_deadline_presses() {
    assert_eq!(orders("accscale", &[(0, 30), (3, 33)]), [(18, 2)]);
    let log = play("accscale", &[(0, 99), (0, 99), (0, 99), (0, 99), (1, 25)]);
    assert_eq!((log.orders(), log.lost()), (vec![(0, 0, 4)], vec![(16, 4)]));
    // Three run in a batch of four, from 30 - 16 on.
    assert_eq!(orders("accscale", &[(0, 30), (0, 30), (0, 30)]), [(14, 3)]);
}

#[test]
fn smdp_without_power_is_greedy_where_company_gains_nothing() {
    let asked: Vec<_> = (0..6).map(|i| (i, 99)).collect();
    assert_eq!(orders("smdp", &asked), [(0, 1), (10, 4), (26, 1)]);
    assert_eq!(orders("smdp max = 2", &asked), [(0, 1), (10, 2), (22, 2), (34, 1)]);
}
