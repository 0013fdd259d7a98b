//! `gated`: edf that gives up what cannot make it, demotes what makes others miss, and lets layers onto the DRAM only as
//! far as more urgent requests can bear.
//!
//! 1. Hopeless requests are dropped, as under `edf_drop`.
//! 2. Demotion after Moore and Hodgson (Management Science 1968): in the order of deadlines, best-case work and DRAM
//!    bytes add up; where they exceed `alpha` of what M accelerators, or the DRAM, can do until a deadline, the request
//!    with most of it is demoted. The demoted come after all others.
//! 3. In that order every sub-job gets the accelerator with the earliest finish of its request (`segment.rs`).
//! 4. The gate: the mean demands of the next `ahead` layers of what would start before the next decision add up over the
//!    accelerators. Where they exceed the bandwidth k-fold, layers are stretched about as much. A request bears a stretch
//!    of (d - t) / (its critical path left). A sub-job that would take k above `margin` times the least that a request
//!    before it bears is held, successors of running layers included; k <= 1 hurts nobody.

use super::edf_drop::is_hopeless;
use super::placing::{Order, Placing};
use super::segment::{Choice, earliest_request_finish};
use super::{Parameter, SchedulerEntry, parse};
use crate::sim::{Decision, NetworkModel, Scheduler, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "gated",
    doc: "drops the hopeless, demotes what makes others miss, edf with the earliest finish of the request, and holds \
          what would overload the DRAM",
    source: "ours (design/BASELINES.md)",
    parameters: &[
        Parameter { name: "alpha", default: "0.4", doc: "share of the capacity that counts as feasible" },
        Parameter {
            name: "margin",
            default: "1.0",
            doc: "of the stretch that more urgent requests can bear",
        },
        Parameter { name: "ahead", default: "4", doc: "layers over which a demand is averaged" },
    ],
    build: |parameters, _| {
        let parameters: Parameters = parse(parameters)?;
        parameters.check()?;
        Ok(Box::new(Gated { parameters, ..Gated::default() }))
    },
};

#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    alpha: f64,
    margin: f64,
    ahead: u32,
}

impl Default for Parameters {
    /// Tuned once on seeds 101 to 103 of light and mixed, relmas-6: loads 0.6, 0.9, 1.2, factors 2, 4, 7, and 16, 32,
    /// 64 GB/s. Half or twice of each costs at most two points.
    fn default() -> Self {
        Self { alpha: 0.4, margin: 1.0, ahead: 4 }
    }
}

impl Parameters {
    fn check(&self) -> Result<(), String> {
        for (name, value) in [("alpha", self.alpha), ("margin", self.margin)] {
            if value.is_nan() || value < 0.0 {
                return Err(format!("`{name}` is {value}; it has to be at least 0"));
            }
        }
        if self.ahead == 0 { Err("`ahead` is 0; it has to be at least 1".into()) } else { Ok(()) }
    }
}

#[derive(Default)]
struct Gated {
    parameters: Parameters,
    placing: Placing,
    /// By (demoted, deadline).
    order: Order<(bool, Time)>,
    demotion: Demotion,
    /// Demand of each accelerator in bytes/ps: the largest among what runs and what is placed there.
    demands: Vec<f64>,
    /// Where each open sub-job shall run, by the index in the view, with its rank.
    places: Vec<Option<(usize, usize)>>,
}

impl Scheduler for Gated {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        for job in view.jobs().iter().filter(|job| is_hopeless(view, job)) {
            out.drop_request(job.request);
        }
        out.operations.comparisons += view.jobs().len() as u64;
        self.demotion.find(view, self.parameters.alpha, out);
        self.place(view, out);
        self.act(view, out);
    }
}

impl Gated {
    fn place(&mut self, view: &View, out: &mut Decision) {
        let subs = view.sub_jobs();
        self.placing.reset(view);
        self.demands.clear();
        self.demands.extend(view.accelerators().iter().map(|lane| lane.demand_bytes_per_ps));
        self.places.clear();
        self.places.resize(subs.len(), None);
        let Self { parameters, placing, order, demotion, demands, places } = self;
        let order = order.sort(subs, out, |sub| (demotion.demoted[sub.job], view.job_of(sub).deadline));
        let mut bearable = f64::INFINITY;
        for (rank, &(_, i)) in order.iter().enumerate() {
            let (sub, job) = (&subs[i], view.job_of(&subs[i]));
            if is_hopeless(view, job) {
                continue;
            }
            let (Choice { accelerator, busy_until, .. }, visited) =
                earliest_request_finish(placing, view, sub);
            out.operations.comparisons += visited;
            // What starts after the next decision is decided again.
            if view.next_decision().is_none_or(|tick| placing.start(view, sub, accelerator) < tick) {
                out.operations.comparisons += u64::from(parameters.ahead) + demands.len() as u64;
                let network = view.network_of(job);
                let demand = demand_ahead(network, sub.id.layer, accelerator, parameters.ahead);
                let before = demands[accelerator];
                demands[accelerator] = before.max(demand);
                let stretch = demands.iter().sum::<f64>() / view.world().platform.bandwidth_bytes_per_ps;
                if stretch > (parameters.margin * bearable).max(1.0) {
                    demands[accelerator] = before;
                    continue;
                }
                let left = job.deadline - view.now();
                bearable = bearable.min(left.as_ps() / job.shortest_left.as_ps());
            }
            placing.occupy(accelerator, busy_until);
            places[i] = Some((accelerator, rank));
        }
    }

    /// A job with a sub-job that has no place is held, which takes all its assignments away, before the others are
    /// assigned.
    fn act(&self, view: &View, out: &mut Decision) {
        let mut rest = (view.sub_jobs(), &self.places[..]);
        while let Some(first) = rest.0.first() {
            let job = first.job;
            let open = rest.0.partition_point(|sub| sub.job == job);
            let (subs, places) = (&rest.0[..open], &rest.1[..open]);
            rest = (&rest.0[open..], &rest.1[open..]);
            let shown = &view.jobs()[job];
            if is_hopeless(view, shown) {
                continue;
            }
            if places.contains(&None) {
                out.hold(shown.id);
            }
            for (sub, place) in subs.iter().zip(places) {
                if let Some((accelerator, rank)) = *place {
                    out.assign(sub.id, accelerator, -(rank as f64));
                }
            }
        }
    }
}

/// Mean demand of a layer and its first successors on an accelerator, in bytes/ps, over as many as it can run.
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

/// Which jobs make others miss.
#[derive(Default)]
struct Demotion {
    /// By the index in the view.
    demoted: Vec<bool>,
    /// Jobs by deadline.
    ranked: Vec<(Time, usize)>,
}

impl Demotion {
    fn find(&mut self, view: &View, alpha: f64, out: &mut Decision) {
        let (jobs, platform) = (view.jobs(), &view.world().platform);
        let accelerators = platform.accelerators.len() as f64;
        self.ranked.clear();
        let live = jobs.iter().enumerate().filter(|(_, job)| !is_hopeless(view, job));
        self.ranked.extend(live.map(|(i, job)| (job.deadline, i)));
        self.ranked.sort_unstable();
        self.demoted.clear();
        self.demoted.resize(jobs.len(), false);
        let (mut work_ps, mut bytes) = (0.0, 0.0);
        for last in 0..self.ranked.len() {
            let (deadline, i) = self.ranked[last];
            work_ps += jobs[i].remaining_best.as_ps();
            bytes += jobs[i].unstarted_bytes as f64;
            let left_ps = alpha * (deadline - view.now()).as_ps();
            loop {
                let too_much_work = work_ps > accelerators * left_ps;
                if !too_much_work && bytes <= platform.bandwidth_bytes_per_ps * left_ps {
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
