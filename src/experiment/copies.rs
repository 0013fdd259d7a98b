//! Sweeps do not make one run under several names: where every seed brings the same requests (a recording that says
//! everything, frames without jitter, batches of one network), a scheduler that draws nothing is run once, under the first
//! of its seeds. Whether seeds bring the same is tried, not derived: all kinds of arrivals and draws are covered.
//!
//! What is left out: runs in which seeds draw what the scheduler does not look at; their rows are recognised as copies
//! afterwards (`runs.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::plan::{Case, Run};
use super::registry;
use super::requests::{Workload, has_same_requests};
use super::schedulers::SchedulerChoice;
use crate::workload::Extent;

/// Takes all runs but one out of cases where seeds change nothing, and says so in a sentence per scenario.
pub(super) fn leave_out(cases: &mut [Case], schedulers: &[SchedulerChoice]) -> Vec<String> {
    let draws: Vec<bool> = schedulers.iter().map(registry::draws).collect();
    let mut known = Known::default();
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for case in cases {
        let seeds: Vec<u64> = case.seeds().into_iter().collect();
        case.has_same_requests = seeds.len() > 1 && known.is_same(case, &seeds);
        if !case.has_same_requests {
            continue;
        }
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

/// What was found out about cases with the same requests: their other keys do not count.
#[derive(Default)]
struct Known(Vec<(Workload, Option<f64>, Extent, Vec<u64>, bool)>);

impl Known {
    fn is_same(&mut self, case: &Case, seeds: &[u64]) -> bool {
        let extent = case.window.extent();
        let is_it = |(workload, load, to, of, _): &&(Workload, Option<f64>, Extent, Vec<u64>, bool)| {
            Arc::ptr_eq(&workload.scenario, &case.workload.scenario)
                && (*load, *to, &of[..]) == (case.load, extent, seeds)
        };
        if let Some((.., same)) = self.0.iter().find(is_it) {
            return *same;
        }
        let same = seeds[1..].iter().all(|&seed| has_same_requests(case, seeds[0], seed));
        self.0.push((case.workload.clone(), case.load, extent, seeds.to_vec(), same));
        same
    }
}
