//! `terastal`: virtual budgets: the deadline of a request is divided into virtual deadlines of its layers, which
//! decide whether a layer may wait for its fastest accelerator.
//!
//! Offline, the time D from arrival to deadline is divided over the layers along their longest path. With `budget =
//! "gap"` each layer gets its smallest c1, and what is left of D goes to the layers in proportion to mean c1 -
//! smallest c1 over the accelerators that can run them: layers that are much slower elsewhere get the time to run
//! elsewhere, or to wait. If D is shorter than the isolated latency, all get less than their smallest c1 in
//! proportion. With `"mean"` and `"best"`, D is divided in proportion to the mean or smallest c1.
//!
//! Online, layers of requests that can still meet their deadline, with all layers left at their smallest c1, go
//! first, by the deadline of the request. With `order = "virtual"`, layers that can still meet their virtual deadline
//! on their fastest accelerator go first, by virtual deadline. Each goes to the accelerator with its smallest c1
//! among those on which it ends by its virtual deadline after what is placed there already, and to the earliest
//! finish if there is none.
//!
//! Of Terastal (arXiv 2606.06818) we could read the abstract only. It says that the framework combines offline
//! heterogeneity-aware virtual budget assignment with online scheduling of layers that chooses the accelerator under
//! timing constraints. **How budgets are divided, in which order layers go and where is our reading, not checked
//! against the paper.** The defaults are what met most deadlines in a few cells of `experiments/headline.toml` (seeds
//! 1 and 2). Its layer variants, other implementations of a layer that lose accuracy but less time on an accelerator
//! that does not suit it, do not exist here: a layer has one cost per accelerator, and nothing is known of accuracy.

use super::edf_drop::is_hopeless;
use super::heft::mean_alone;
use super::placing::{ListRule, Placing};
use super::{SchedulerEntry, parse};
use crate::files::Parameter;
use crate::sim::{Decision, JobView, NetworkModel, Scheduler, SubJobView, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "terastal",
    doc: "requests that can still meet their deadline first, smallest deadline first; fastest accelerator that meets the layer's virtual deadline, else the earliest finish",
    source: "Terastal (Wu, Song and Bozorgzadeh, RTCSA 2026), our reading of its abstract; without layer variants",
    parameters: &[
        Parameter {
            name: "budget",
            default: "\"gap\"",
            doc: "how the deadline is divided: `gap` (smallest c1, the rest by mean - smallest c1), `mean` or `best` (by mean or smallest c1)",
        },
        Parameter {
            name: "order",
            default: "\"deadline\"",
            doc: "order of layers: `deadline` of the request, or `virtual` deadline of the layer",
        },
    ],
    draws: false,
    build: |parameters, _| {
        let parameters = parse(parameters)?;
        Ok(Box::new(Terastal { parameters, budgets: Vec::new(), corrections: 0, rule: ListRule::default() }))
    },
};

#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Budget {
    #[default]
    Gap,
    Mean,
    Best,
}

#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    #[default]
    Deadline,
    Virtual,
}

#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    budget: Budget,
    order: By,
}

struct Terastal {
    parameters: Parameters,
    /// The budgets of each network, computed at the first decision and when costs are corrected.
    budgets: Vec<Budgets>,
    /// The number of corrections that the budgets know of.
    corrections: u32,
    /// The order by (whether the deadline is out of reach, deadline).
    rule: ListRule<(bool, Time)>,
}

impl Scheduler for Terastal {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let Parameters { budget, order } = self.parameters;
        if self.budgets.is_empty() || self.corrections != view.corrections() {
            self.corrections = view.corrections();
            self.budgets =
                view.world().networks.iter().map(|network| Budgets::new(network, budget)).collect();
        }
        let budgets = &self.budgets;
        let due = |sub: &SubJobView| {
            let job = view.job_of(sub);
            budgets[job.network as usize].virtual_deadline(job, sub.id.layer)
        };
        let key = |sub: &SubJobView| {
            let job = view.job_of(sub);
            if let By::Deadline = order {
                return (is_hopeless(view, job), job.deadline);
            }
            let takes = view.network_of(job).best_alone[sub.id.layer as usize];
            (sub.release.max(view.now()) + takes > due(sub), due(sub))
        };
        // Whether it ends in time, and whether it is faster.
        let each = 2 * view.accelerators().len() as u64;
        self.rule.place_choosing(view, out, key, |placing, sub| choose(placing, view, sub, due(sub)), each);
        // Whether each can still meet its deadline.
        out.operations.comparisons += view.sub_jobs().len() as u64;
    }
}

/// The accelerator for a sub-job, and how long it takes there.
fn choose(placing: &Placing, view: &View, sub: &SubJobView, due: Time) -> (usize, Time) {
    let alone = view.alone_on_each(sub);
    let finish = |m: usize| placing.start(view, sub, m).saturating_add(alone[m]);
    let in_time = (0..alone.len()).filter(|&m| finish(m) <= due);
    let fastest = in_time.min_by_key(|&m| (alone[m], finish(m)));
    let accelerator = fastest.unwrap_or_else(|| placing.earliest_finish(view, sub).0);
    (accelerator, alone[accelerator])
}

/// How a network divides the time D from arrival to deadline.
#[derive(Clone, Debug, PartialEq)]
struct Budgets {
    /// What the layers get before the rest is shared, along the critical path, in picoseconds.
    least_ps: f64,
    /// For each layer: what all layers up to it get of that, and the share of the rest that they get.
    until: Vec<(f64, f64)>,
}

impl Budgets {
    fn new(network: &NetworkModel, budget: Budget) -> Self {
        let best = |layer: usize| network.best_alone[layer].as_ps();
        let mean = |layer: usize| mean_alone(network, layer as u32).as_ps();
        let weight = |layer: usize| match budget {
            Budget::Gap => mean(layer) - best(layer),
            Budget::Mean => mean(layer),
            Budget::Best => best(layer),
        };
        let layers = 0..network.layers.len();
        let shares = shares(network, &layers.clone().map(weight).collect::<Vec<_>>());
        let Budget::Gap = budget else {
            // Every layer takes some time.
            let until = shares.into_iter().map(|share| (0.0, share.unwrap_or(1.0))).collect();
            return Self { least_ps: 0.0, until };
        };
        let least_ps = network.isolated.as_ps();
        let until = layers.zip(shares).map(|(layer, share)| {
            let until_ps = least_ps - (network.path_left[layer].as_ps() - best(layer));
            // Where all accelerators are equal, the rest is divided like the least.
            (until_ps, share.unwrap_or(until_ps / least_ps))
        });
        Self { least_ps, until: until.collect() }
    }

    /// When a layer of the job has to end.
    fn virtual_deadline(&self, job: &JobView, layer: u32) -> Time {
        let whole_ps = job.deadline.saturating_sub(job.arrival).as_ps();
        job.arrival + Time::from_ps_ceil(self.until_ps(whole_ps, layer as usize))
    }

    /// What all layers up to a layer get of the time from arrival to deadline.
    fn until_ps(&self, whole_ps: f64, layer: usize) -> f64 {
        let (least_ps, share) = self.until[layer];
        let rest_ps = whole_ps - self.least_ps;
        if rest_ps < 0.0 { least_ps * whole_ps / self.least_ps } else { least_ps + share * rest_ps }
    }
}

/// For each layer, the share of the weights up to and with it on the longest path through it; `None` where all weights
/// on that path are 0.
fn shares(network: &NetworkModel, weights: &[f64]) -> Vec<Option<f64>> {
    let (mut until, mut after) = (weights.to_vec(), vec![0.0; weights.len()]);
    for layer in 0..weights.len() {
        let before = network.predecessors[layer].iter().map(|&before| until[before as usize]);
        until[layer] += before.fold(0.0, f64::max);
    }
    for layer in (0..weights.len()).rev() {
        let next =
            network.successors[layer].iter().map(|&next| weights[next as usize] + after[next as usize]);
        after[layer] = next.fold(0.0, f64::max);
    }
    let share = |(until, after): (f64, f64)| (until + after > 0.0).then(|| until / (until + after));
    until.into_iter().zip(after).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{layer, platform, world};
    use crate::sim::LayerModel;

    /// Virtual deadlines in ns after the arrival, for a deadline of so many ns.
    fn due_ns(layers: &[LayerModel], accelerators: usize, budget: Budget, deadline_ns: f64) -> Vec<f64> {
        let world = world(platform(accelerators, 10.0), &[layers]);
        let budgets = Budgets::new(&world.networks[0], budget);
        (0..layers.len()).map(|layer| budgets.until_ps(deadline_ns * 1e3, layer) / 1e3).collect()
    }

    #[test]
    fn budgets_divide_the_deadline() {
        // Smallest c1 of 10 and 20 ns, means of 20 and 20: the first layer alone is slower elsewhere.
        let chain = [layer(&[], &[(10.0, 0.0), (30.0, 0.0)]), layer(&[0], &[(20.0, 0.0), (20.0, 0.0)])];
        assert_eq!(due_ns(&chain, 2, Budget::Gap, 90.0), [70.0, 90.0]);
        assert_eq!(due_ns(&chain, 2, Budget::Mean, 90.0), [45.0, 90.0]);
        assert_eq!(due_ns(&chain, 2, Budget::Best, 90.0), [30.0, 90.0]);
        // Half of the isolated latency.
        assert_eq!(due_ns(&chain, 2, Budget::Gap, 15.0), [5.0, 15.0]);
        // Equal accelerators.
        let alike = [layer(&[], &[(10.0, 0.0)]), layer(&[0], &[(20.0, 0.0)])];
        assert_eq!(due_ns(&alike, 1, Budget::Gap, 90.0), [30.0, 90.0]);
    }

    #[test]
    fn budgets_follow_the_longest_path() {
        // A diamond 0 -> {1, 2} -> 3: smallest c1 of 10, 10, 40 and 10 ns, isolated 60; mean - smallest of 10, 10, 20
        // and 0 (layer 3 runs on accelerator 1 only). Gaps up to and after: 10 + 20, 20 + 0, 30 + 0, 30 + 0.
        let mut last = layer(&[1, 2], &[(1.0, 0.0), (10.0, 0.0)]);
        last.costs[0] = None;
        let diamond = [
            layer(&[], &[(10.0, 0.0), (30.0, 0.0)]),
            layer(&[0], &[(30.0, 0.0), (10.0, 0.0)]),
            layer(&[0], &[(40.0, 0.0), (80.0, 0.0)]),
            last,
        ];
        // 10 + 30 / 3, 50 + 30, 50 + 30, 60 + 30.
        assert_eq!(due_ns(&diamond, 2, Budget::Gap, 90.0), [20.0, 80.0, 80.0, 90.0]);
    }
}
