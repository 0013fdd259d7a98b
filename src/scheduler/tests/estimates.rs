//! Estimates that learn: rules decide by them as by the truth.

use super::*;
use crate::check::records;
use crate::sim::{Estimates, Rules, Variation};

/// Rules under which layers take so many times as long as the tables say, by network and accelerator, and estimates learn.
fn learning(factors: &[&[f64]]) -> Rules {
    let paces = factors.iter().map(|factors| factors.iter().map(|factor| 1.0 / factor).collect()).collect();
    Rules { variation: Variation::constant(paces).estimated_by(Estimates::Ewma), ..plain_rules() }
}

/// (job, accelerator) of each start.
fn starts(records: &[Record]) -> Vec<(u32, usize)> {
    let of = |record: &Record| match *record {
        Record::Start { sub_job, accelerator, .. } => Some((sub_job.job.0, accelerator)),
        _ => None,
    };
    records.iter().filter_map(of).collect()
}

#[test]
fn a_rule_turns_to_what_is_faster_once_it_knows() {
    // By the tables m0 takes 10 ns and m1 12; m0 takes 20. It is tried until 10 r exceeds 12: 10, 11.25, 12.34.
    let tables = world(platform(2, 10.0), &[&[layer(&[], &[(10.0, 0.0), (12.0, 0.0)])]]);
    let requests: Vec<Request> = (0..6).map(|place| request(0, 100.0 * f64::from(place))).collect();
    let mut rule = build("edf");
    let made = records(&tables, &requests, learning(&[&[2.0, 1.0]]), |view, out| rule.decide(view, out));
    assert_eq!(starts(&made), [(0, 0), (1, 0), (2, 1), (3, 1), (4, 1), (5, 1)]);
}

/// Jobs go to all accelerators in turn until one, and then to those of a rule.
fn decide_after(first: u32, rule: &mut dyn Scheduler, view: &View, out: &mut Decision) {
    if view.jobs().iter().all(|job| job.id.0 >= first) {
        return rule.decide(view, out);
    }
    let accelerators = view.accelerators().len() as u32;
    for sub in view.sub_jobs().iter().filter(|sub| sub.assigned.is_none() && sub.id.job.0 < first) {
        out.assign(sub.id, (sub.id.job.0 / 3 % accelerators) as usize, 0.0);
    }
}

#[test]
fn rules_decide_by_a_learnt_bias_as_by_the_true_tables() {
    let factors = [[2.0, 1.0, 0.5], [0.8, 1.5, 1.0], [3.0, 0.7, 1.2]];
    let costs = [[10.0, 14.0, 31.0], [23.0, 17.0, 19.0], [8.0, 29.0, 15.0]];
    let bytes = [[33.0, 30.0, 36.0], [70.0, 77.0, 66.0], [20.0, 55.0, 45.0]];
    let worlds = [false, true].map(|truth| {
        let networks: Vec<[LayerModel; 2]> = (0..3)
            .map(|n| {
                let c = |m: usize| if truth { costs[n][m] * factors[n][m] } else { costs[n][m] };
                let cost: Vec<(f64, f64)> = (0..3).map(|m| (c(m), bytes[n][m] / c(m))).collect();
                [layer(&[], &cost), layer(&[0], &cost)]
            })
            .collect();
        let networks: Vec<&[LayerModel]> = networks.iter().map(|network| &network[..]).collect();
        world(platform(3, 10.0), &networks)
    });
    // 150 jobs of two layers teach each pair; after them a rush of 300, whose deadlines are equal in both worlds.
    const FIRST: u32 = 3 * 3 * 150;
    let gap = |place: u32| if place < FIRST { 100.0 } else { 17.0 };
    let mut at = 0.0;
    let requests: Vec<Request> = (0..FIRST + 300)
        .map(|place| {
            at += gap(place);
            let mut request = request(place % 3, at);
            request.deadline = request.arrival + Time(40_000 + u64::from(place * 7_919 % 90_000));
            request
        })
        .collect();
    for name in ["edf", "heft", "met", "prema", "terastal", "lookahead"] {
        let rules = [learning(&factors.each_ref().map(|factors| &factors[..])), plain_rules()];
        let runs = [0, 1].map(|which| {
            let mut rule = build(name);
            let decide = |view: &View, out: &mut Decision| decide_after(FIRST, rule.as_mut(), view, out);
            starts(&records(&worlds[which], &requests, rules[which].clone(), decide))
        });
        let late = |starts: &[(u32, usize)]| -> Vec<(u32, usize)> {
            starts.iter().copied().filter(|start| start.0 >= FIRST).collect()
        };
        assert_eq!(late(&runs[0]).len(), 600, "{name}");
        assert_eq!(late(&runs[0]), late(&runs[1]), "{name}");
        // By the tables it decides otherwise.
        let mut rule = build(name);
        let decide = |view: &View, out: &mut Decision| decide_after(FIRST, rule.as_mut(), view, out);
        let variation = rules[0].variation.clone().estimated_by(Estimates::Model);
        let unlearnt = records(&worlds[0], &requests, Rules { variation, ..plain_rules() }, decide);
        assert_ne!(late(&starts(&unlearnt)), late(&runs[0]), "{name}");
    }
}
