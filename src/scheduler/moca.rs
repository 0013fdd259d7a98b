//! `moca`: memory-centric, adaptive: a score of priority and urgency orders the sub-jobs, memory-heavy ones are paired
//! with others, and the score is the weight of their share of the bandwidth (`sharing = "score"`).
//!
//! score = (1 + p) / 4 + R_best / slack, slack the time left to the deadline and at least a microsecond. A sub-job is
//! memory-heavy where it demands more than half of the bandwidth on the accelerator with its earliest finish (the
//! paper's threshold); after such a sub-job, the best one that is not memory-heavy comes next, if there is one. The
//! threshold of 150 % and the floor of 25 % are the sharing rule's own (`sim::bandwidth`).
//!
//! `weights = "code"`: on the convolution path of MoCA's artefact the priorities cancel out, which leaves shares in
//! proportion to the demand.

use super::placing::{Descending, Order, Placing, is_late, missed, slack_ps};
use super::{SchedulerEntry, parse};
use crate::files::Parameter;
use crate::sim::{Decision, Scheduler, SubJobView, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "moca",
    doc: "largest score of priority and urgency first, memory-heavy sub-jobs paired with others; the score is the bandwidth weight",
    source: "MoCA (Kim et al., HPCA 2023), score as in its artefact",
    parameters: &[Parameter {
        name: "weights",
        default: "\"score\"",
        doc: "bandwidth weights: `score`, or `code` as on the artefact's convolution path, in proportion to the demand",
    }],
    draws: false,
    build: |parameters, _| {
        let Parameters { weights } = parse(parameters)?;
        Ok(Box::new(Moca { weights, ..Moca::default() }))
    },
};

#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Weights {
    #[default]
    Score,
    Code,
}

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    weights: Weights,
}

/// Share of the bandwidth above which a demand is memory-heavy (MoCA, section IV).
const HEAVY: f64 = 0.5;

#[derive(Default)]
struct Moca {
    weights: Weights,
    placing: Placing,
    /// The order by (deadline if it has passed, score).
    order: Order<(Option<Time>, Descending)>,
    /// The sub-jobs that have not been placed: (index in the view, score).
    left: Vec<(usize, f64)>,
}

impl Scheduler for Moca {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let subs = view.sub_jobs();
        self.placing.reset(view);
        let order = self.order.sort(subs, out, |sub| (missed(view, sub), Descending(score(view, sub))));
        self.left.clear();
        // In reverse order, so that taking the next one is a pop.
        self.left.extend(order.iter().rev().map(|&((_, Descending(score)), i)| (i, score)));
        let mut after_heavy = false;
        for rank in 0..subs.len() {
            // Timely sub-jobs are at the back.
            let late = self.left.last().is_some_and(|&(i, _)| is_late(view, &subs[i]));
            if late && self.placing.is_full(view) {
                for &(i, _) in &self.left {
                    self.placing.postpone(view, out, &subs[i], rank);
                }
                break;
            }
            let heavy = |&(i, _): &(usize, f64)| is_heavy(view, &subs[i], &self.placing);
            let light = self.left.iter().rposition(|left| !heavy(left)).filter(|_| after_heavy);
            let next = light.unwrap_or(self.left.len() - 1);
            out.operations.comparisons += if after_heavy { (self.left.len() - next) as u64 } else { 1 };
            let (i, score) = self.left.remove(next);
            let (accelerator, _) = self.placing.earliest_finish(view, &subs[i]);
            let demand = demand(view, &subs[i], accelerator);
            after_heavy = demand > HEAVY * view.bandwidth(accelerator);
            let weight = match self.weights {
                Weights::Score => score,
                Weights::Code => demand.max(f64::MIN_POSITIVE),
            };
            self.placing.put_weighted(view, out, &subs[i], accelerator, rank, weight);
        }
        out.operations.comparisons += (subs.len() * view.accelerators().len()) as u64;
    }
}

fn score(view: &View, sub: &SubJobView) -> f64 {
    let job = view.job_of(sub);
    (1.0 + f64::from(job.priority)) / 4.0 + job.remaining_best.as_ps() / slack_ps(view, job)
}

fn is_heavy(view: &View, sub: &SubJobView, placing: &Placing) -> bool {
    let (accelerator, _) = placing.earliest_finish(view, sub);
    demand(view, sub, accelerator) > HEAVY * view.bandwidth(accelerator)
}

/// Bandwidth demand b of the sub-job on the accelerator in bytes/ps.
fn demand(view: &View, sub: &SubJobView, accelerator: usize) -> f64 {
    let cost = view.network_of(view.job_of(sub)).cost(sub.id.layer, accelerator);
    cost.map_or(0.0, |cost| cost.demand_bytes_per_ps)
}
