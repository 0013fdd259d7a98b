//! The algorithm of `gated`, with its judgements left to a [`Judge`], so that a learned policy can start from the rule.
//!
//! 1. Hopeless requests are dropped.
//! 2. Demotion after Moore and Hodgson (Management Science 1968): in the order of deadlines, best-case work and DRAM
//!    bytes add up; where they exceed a share alpha of what M accelerators, or the DRAM, can do until a deadline, the
//!    request with most of it is demoted. The demoted come after all others.
//! 3. In this order every sub-job gets an accelerator.
//! 4. The gate: the mean demands of the next `ahead` layers of what would start before the next decision add up over the
//!    accelerators. Where they exceed the bandwidth k-fold, layers are slowed about as much. A request bears a slowdown
//!    of (d - t) / (its critical path left). A sub-job that would take k above a margin times the least that a request
//!    before it bears is held, successors of running layers included; k <= 1 hurts nobody.

use super::load::Load;
use super::placing::{Order, Placing};
use super::segment::Choice;
use crate::sim::{Decision, NetworkModel, SubJobView, View};
use crate::units::Time;

/// The judgements of the algorithm. A job is given by its index in the view.
pub(crate) trait Judge {
    /// Whether a request is given up.
    fn is_hopeless(&self, view: &View, job: usize) -> bool;
    /// Whether requests that make others miss come after all others.
    fn demotes(&self) -> bool {
        true
    }
    /// The share of the capacity up to the job's deadline that counts as feasible.
    fn alpha(&self, job: usize) -> f64;
    /// The margin: how far its layers may push the slowdown above what other requests bear, as a factor.
    fn margin(&self, job: usize) -> f64;
    /// The patience: the slowdown that the request tolerates from others, as a multiple of what it bears.
    fn patience(&self, job: usize) -> f64;
    /// The time that orders sub-jobs, earlier ones first.
    fn due(&self, view: &View, sub: &SubJobView) -> Time {
        view.job_of(sub).deadline
    }
    /// The accelerator for a sub-job, and how many (layer, accelerator) pairs were visited to find it.
    fn choose(&self, view: &View, placing: &Placing, load: &Load, sub: &SubJobView) -> (Choice, u64);
}

/// The buffers of the algorithm, kept between decisions.
#[derive(Default)]
pub(crate) struct Gate {
    placing: Placing,
    /// The sub-jobs by (demoted, deadline).
    order: Order<(bool, Time)>,
    demotion: Demotion,
    load: Load,
    /// For each open sub-job of the view, the accelerator on which it is placed, with its rank.
    places: Vec<Option<(usize, usize)>>,
    /// For each job of the view, whether it is hopeless.
    hopeless: Vec<bool>,
}

impl Gate {
    /// Makes a decision; demands are averaged over `ahead` layers.
    pub(crate) fn decide(&mut self, view: &View, judge: &impl Judge, ahead: u32, out: &mut Decision) {
        self.hopeless.clear();
        self.hopeless.extend((0..view.jobs().len()).map(|job| judge.is_hopeless(view, job)));
        for (job, _) in view.jobs().iter().zip(&self.hopeless).filter(|(_, hopeless)| **hopeless) {
            out.drop_request(job.request);
        }
        out.operations.comparisons += view.jobs().len() as u64;
        self.demotion.find(view, judge, &self.hopeless, out);
        self.place(view, judge, ahead, out);
        self.act(view, out);
    }

    fn place(&mut self, view: &View, judge: &impl Judge, ahead: u32, out: &mut Decision) {
        let subs = view.sub_jobs();
        self.placing.reset(view);
        self.load.reset(view);
        self.places.clear();
        self.places.resize(subs.len(), None);
        let Self { placing, order, demotion, load, places, hopeless } = self;
        let key = |sub: &SubJobView| (demotion.demoted[sub.job], judge.due(view, sub));
        let order = order.sort(subs, out, key);
        for (rank, &(_, i)) in order.iter().enumerate().filter(|(_, (_, i))| !hopeless[subs[*i].job]) {
            let (sub, job) = (&subs[i], view.job_of(&subs[i]));
            let (Choice { accelerator, busy_until, .. }, visited) = judge.choose(view, placing, load, sub);
            out.operations.comparisons += visited;
            // A sub-job that would start after the next decision is decided on again then.
            if view.next_decision().is_none_or(|tick| placing.start(view, sub, accelerator) < tick) {
                out.operations.comparisons += u64::from(ahead) + view.accelerators().len() as u64;
                let network = view.network_of(job);
                let demand = demand_ahead(network, sub.id.layer, accelerator, ahead);
                let most = (judge.margin(sub.job) * load.bearable(accelerator)).max(1.0);
                if load.slowdown_with(accelerator, demand) > most {
                    continue;
                }
                let left = job.deadline.saturating_sub(view.now());
                let bears = judge.patience(sub.job) * left.as_ps() / job.shortest_left.as_ps();
                load.place(accelerator, demand, bears);
            }
            placing.occupy(accelerator, busy_until);
            places[i] = Some((accelerator, rank));
        }
    }

    /// Writes the actions. A job with a sub-job that has no place is held first, which takes all its assignments away;
    /// then the others are assigned.
    fn act(&self, view: &View, out: &mut Decision) {
        let mut rest = (view.sub_jobs(), &self.places[..]);
        while let Some(first) = rest.0.first() {
            let job = first.job;
            let open = rest.0.partition_point(|sub| sub.job == job);
            let (subs, places) = (&rest.0[..open], &rest.1[..open]);
            rest = (&rest.0[open..], &rest.1[open..]);
            if self.hopeless[job] {
                continue;
            }
            if places.contains(&None) {
                out.hold(view.jobs()[job].id);
            }
            for (sub, place) in subs.iter().zip(places) {
                if let Some((accelerator, rank)) = *place {
                    out.assign(sub.id, accelerator, -(rank as f64));
                }
            }
        }
    }
}

/// Mean demand of a layer and its first successors on an accelerator, in bytes/ps, over those that it can run.
fn demand_ahead(network: &NetworkModel, mut layer: u32, accelerator: usize, ahead: u32) -> f64 {
    let (mut bytes, mut latency_ps) = (0.0, 0.0);
    for _ in 0..ahead {
        let Some(cost) = network.cost(layer, accelerator) else { break };
        bytes += cost.dram_bytes();
        latency_ps += cost.latency_ps;
        let Some(&next) = network.successors[layer as usize].first() else { break };
        layer = next;
    }
    if latency_ps > 0.0 { bytes / latency_ps } else { 0.0 }
}

/// The demotion of jobs that make others miss.
#[derive(Default)]
struct Demotion {
    /// For each job of the view, whether it is demoted.
    demoted: Vec<bool>,
    /// Jobs by deadline.
    ranked: Vec<(Time, usize)>,
}

impl Demotion {
    fn find(&mut self, view: &View, judge: &impl Judge, hopeless: &[bool], out: &mut Decision) {
        let jobs = view.jobs();
        let accelerators = view.accelerators().len() as f64;
        self.ranked.clear();
        let live = (0..jobs.len()).filter(|&i| !hopeless[i]);
        self.ranked.extend(live.map(|i| (jobs[i].deadline, i)));
        self.ranked.sort_unstable();
        self.demoted.clear();
        self.demoted.resize(jobs.len(), false);
        if !judge.demotes() {
            return;
        }
        let (mut work_ps, mut bytes) = (0.0, 0.0);
        for last in 0..self.ranked.len() {
            let (deadline, i) = self.ranked[last];
            work_ps += jobs[i].remaining_best.as_ps();
            bytes += jobs[i].unstarted_bytes as f64;
            let left_ps = judge.alpha(i) * deadline.saturating_sub(view.now()).as_ps();
            loop {
                let too_much_work = work_ps > accelerators * left_ps;
                if !too_much_work && bytes <= view.total_bandwidth() * left_ps {
                    break;
                }
                let kept = self.ranked[..=last].iter().map(|&(_, i)| i).filter(|&i| !self.demoted[i]);
                let most = if too_much_work {
                    kept.max_by_key(|&i| jobs[i].remaining_best)
                } else {
                    kept.max_by_key(|&i| jobs[i].unstarted_bytes)
                };
                let Some(evicted) = most else { break };
                self.demoted[evicted] = true;
                work_ps -= jobs[evicted].remaining_best.as_ps();
                bytes -= jobs[evicted].unstarted_bytes as f64;
                out.operations.comparisons += last as u64 + 1;
            }
        }
        let n = self.ranked.len();
        out.operations.comparisons += (n * n.next_power_of_two().ilog2() as usize + 2 * n) as u64;
    }
}
