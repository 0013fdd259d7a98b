//! Avoids runs that only repeat others. If every seed brings the same requests (a recording that fixes everything,
//! frames without jitter, batches of one network), a scheduler without random draws is run once, under the first of its
//! seeds. Whether seeds bring the same requests is found by generating them, which covers all kinds of arrivals and
//! draws.
//!
//! Left out: runs in which seeds draw only what the scheduler ignores; their rows are recognised as copies afterwards
//! (`runs.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::case::{Case, Run};
use super::requests::has_same_requests;
use super::rules::spread;
use crate::experiment::SchedulerChoice;

/// Removes all runs but one from cases in which seeds change nothing, and returns a note per scenario.
pub(super) fn leave_out(cases: &mut [Case], schedulers: &[SchedulerChoice]) -> Vec<String> {
    let draws: Vec<bool> = schedulers.iter().map(|choice| choice.entry.draws).collect();
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let same = have_same_requests(cases);
    // Seeds draw execution times, too, where these vary.
    let repeats = |(case, same): &(&mut Case, bool)| *same && spread(&case.setting).is_none();
    for (case, _) in cases.iter_mut().zip(same).filter(repeats) {
        case.has_same_requests = true;
        let mut seen = BTreeSet::new();
        let mut is_kept = |&Run { scheduler, .. }: &Run| draws[scheduler] || seen.insert(scheduler);
        let kept: Vec<Run> = case.runs.iter().copied().filter(&mut is_kept).collect();
        if kept.len() < case.runs.len() {
            let labels = seen.iter().map(|&scheduler| schedulers[scheduler].label.clone());
            told.entry(case.workload.scenario.name.clone()).or_default().extend(labels);
            case.runs = Arc::new(kept);
        }
    }
    let sentence = |(scenario, labels): (String, BTreeSet<String>)| {
        let labels = labels.into_iter().collect::<Vec<_>>().join(", ");
        format!(
            "no seed changes the requests of scenario `{scenario}`: one run each, with intervals by batch means over time, of \
             {labels}"
        )
    };
    told.into_iter().map(sentence).collect()
}

/// For each case, whether it has several seeds that bring the same requests.
fn have_same_requests(cases: &[Case]) -> Vec<bool> {
    // Determined once for all cases with the same scenario, load, length and seeds: no other key of a case affects
    // whether requests differ.
    let is_alike = |one: &Case, other: &Case| {
        Arc::ptr_eq(&one.workload.scenario, &other.workload.scenario)
            && one.workload.changes == other.workload.changes
            && (one.load, one.window.extent()) == (other.load, other.window.extent())
            && one.runs == other.runs
    };
    let mut known: Vec<(&Case, bool)> = Vec::new();
    let answer = |case| {
        if let Some((_, same)) = known.iter().find(|(other, _)| is_alike(other, case)) {
            return *same;
        }
        let seeds: Vec<u64> = case.seeds().into_iter().collect();
        let same = seeds.len() > 1 && seeds[1..].iter().all(|&seed| has_same_requests(case, seeds[0], seed));
        known.push((case, same));
        same
    };
    cases.iter().map(answer).collect()
}
