//! Sites whose memory does not hold the weights of all variants. Random ones are among those of the fuzz.

use mascot::serve::{Record, SiteMemory};

use crate::common::{Log, ModelPlan, NO_LINK, Plan, SitePlan, composed, requests};

/// A site with a memory of so many bytes, into which a byte a picosecond is loaded; weights have as many bytes as their
/// variant takes picoseconds alone.
fn site(bytes: f64, slots: u32) -> SitePlan {
    let memory = Some(SiteMemory { bytes, load_bytes_per_ps: 1.0 });
    SitePlan { accelerators: slots as usize, slots, memory, ..SitePlan::behind(NO_LINK) }
}

fn family() -> ModelPlan {
    ModelPlan::new(&[1, 2, 4], &[("small", 0.6, &[10, 15, 20]), ("large", 1.0, &[40, 60, 90])])
}

/// When weights come and go, by variant.
fn weights(log: &Log) -> Vec<(u64, usize, bool)> {
    let pick = |record: &Record| match *record {
        Record::Weights { time, variant, there, .. } => Some((time.0, variant, there)),
        _ => None,
    };
    log.0.iter().filter_map(|(record, _)| pick(record)).collect()
}

fn play(plan: &Plan, variant: &str, asked: &[(u64, u64)]) -> Log {
    let asked = asked.iter().map(|&(arrival, deadline)| (0, arrival, deadline));
    plan.run(requests(asked), &mut composed("closest", variant, "greedy", 1))
}

#[test]
fn a_launch_waits_for_weights_and_takes_what_is_queued_then() {
    let plan = Plan::new(vec![site(50.0, 1)], family());
    // The second request comes while the weights are loaded; the launch was one of a single request.
    let log = play(&plan, "best", &[(0, 1_000), (30, 1_000), (200, 1_000)]);
    assert_eq!(weights(&log), [(40, 1, true)]);
    assert_eq!(log.orders(), [(40, 1, 1), (80, 1, 1), (200, 1, 1)], "loaded once, then there");
}

#[test]
fn what_was_launched_longest_ago_makes_room_once_nothing_runs_on_it() {
    // No variant is in time for the second; the small one takes the least, once the order of the large one has ended.
    let asked = [(0, 1_000), (60, 75), (300, 1_000)];
    let log = play(&Plan::new(vec![site(45.0, 2)], family()), "fits", &asked);
    assert_eq!(
        weights(&log),
        [(40, 1, true), (80, 1, false), (90, 0, true), (300, 0, false), (340, 1, true)]
    );
    assert_eq!(log.orders(), [(40, 1, 1), (90, 0, 1), (340, 1, 1)]);
}

#[test]
fn with_room_for_all_nothing_leaves() {
    let asked = [(0, 1_000), (60, 75), (300, 1_000)];
    let log = play(&Plan::new(vec![site(50.0, 2)], family()), "fits", &asked);
    assert_eq!(weights(&log), [(40, 1, true), (70, 0, true)]);
    assert_eq!(log.orders(), [(40, 1, 1), (70, 0, 1), (300, 1, 1)]);
}

#[test]
fn fits_counts_the_time_to_load() {
    let plan = Plan::new(vec![site(50.0, 1)], family());
    assert_eq!(
        play(&plan, "fits", &[(0, 70)]).orders(),
        [(10, 0, 1)],
        "40 to load and 40 to run are too much"
    );
    assert_eq!(play(&plan, "fits", &[(0, 80)]).orders(), [(40, 1, 1)]);
}
