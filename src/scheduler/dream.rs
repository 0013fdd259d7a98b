//! `dream`: the largest MapScore of a (sub-job, accelerator) pair first.
//!
//! MapScore = urgency x latency preference + alpha x starvation + beta x energy preference, with R_best in place of the
//! mean remaining work R over accelerators:
//! - urgency: min(1, R_best / (d - t));
//! - latency preference: the sum of c1 over the accelerators / c1 on this one;
//! - starvation: (time since the request last ran, or arrived) / mean c1 of the layer;
//! - energy preference: the sum of the energies over the accelerators / the energy on this one.
//!
//! The accelerators choose in turns, the one that is free first before the others, until nothing is left. The weights
//! alpha and beta are constants here; the paper adapts them online between 0 and 2. The rule is written from memory of
//! the paper and from Dysta's code, and has not been checked against the paper.

use super::placing::{Placing, is_late};
use super::{SchedulerEntry, parse};
use crate::files::Parameter;
use crate::sim::{Decision, JobId, Record, Scheduler, SubJobView, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "dream",
    doc: "largest MapScore of urgency, latency preference, starvation and energy preference first",
    source: "DREAM (Kim et al., ASPLOS 2024), from memory; SDRM3 in Dysta",
    parameters: &[
        Parameter { name: "alpha", default: "1.0", doc: "weight of starvation" },
        Parameter { name: "beta", default: "1.0", doc: "weight of the energy preference" },
    ],
    draws: false,
    build: |parameters, _| {
        let parameters: Parameters = parse(parameters)?;
        for (name, value) in [("alpha", parameters.alpha), ("beta", parameters.beta)] {
            if !(0.0..=f64::MAX).contains(&value) {
                return Err(format!("`{name}` is {value}; it has to be a number of at least 0"));
            }
        }
        let (placing, last_run) = (Placing::default(), Vec::new());
        Ok(Box::new(Dream { parameters, placing, timely: Vec::new(), late: Vec::new(), last_run }))
    },
};

#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    alpha: f64,
    beta: f64,
}

impl Default for Parameters {
    /// The middle of the paper's range.
    fn default() -> Self {
        Self { alpha: 1.0, beta: 1.0 }
    }
}

struct Dream {
    parameters: Parameters,
    placing: Placing,
    /// Sub-jobs without an accelerator, of requests that can still meet their deadline.
    timely: Vec<Candidate>,
    /// Sub-jobs without an accelerator, of late requests.
    late: Vec<Candidate>,
    /// When a layer of the job last ended, by ascending job.
    last_run: Vec<(JobId, Time)>,
}

/// A sub-job without an accelerator, with the terms that do not depend on the accelerator.
#[derive(Clone, Copy)]
struct Candidate {
    sub: usize,
    urgency: f64,
    /// Sum of c1, in ps, over the accelerators that can run it.
    latencies_ps: f64,
    /// Sum of the energies, in pJ, over the same accelerators.
    energies_pj: f64,
    starvation: f64,
}

impl Scheduler for Dream {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.last_run.retain(|&(job, _)| view.jobs().binary_search_by_key(&job, |job| job.id).is_ok());
        let accelerators = view.accelerators().len();
        let subs = view.sub_jobs();
        self.timely.clear();
        self.late.clear();
        for (i, sub) in subs.iter().enumerate() {
            let candidate = self.candidate(view, i, sub);
            if is_late(view, sub) { &mut self.late } else { &mut self.timely }.push(candidate);
        }
        out.operations.comparisons += (subs.len() * accelerators) as u64;
        self.placing.reset(view);
        for rank in 0..subs.len() {
            if self.timely.is_empty() && self.placing.is_full(view) {
                for left in &self.late {
                    self.placing.postpone(view, out, &subs[left.sub], rank);
                }
                break;
            }
            let left = if self.timely.is_empty() { &self.late } else { &self.timely };
            out.operations.comparisons += (left.len() + accelerators) as u64;
            let (place, accelerator) = self.next(view, left);
            let left = if self.timely.is_empty() { &mut self.late } else { &mut self.timely };
            let sub = &subs[left.remove(place).sub];
            self.placing.put(view, out, sub, accelerator, rank);
        }
    }

    fn observe(&mut self, record: &Record) {
        if let Record::Finish { time, sub_job, .. } = *record {
            match self.last_run.binary_search_by_key(&sub_job.job, |&(job, _)| job) {
                Ok(place) => self.last_run[place].1 = time,
                Err(place) => self.last_run.insert(place, (sub_job.job, time)),
            }
        }
    }
}

impl Dream {
    fn candidate(&self, view: &View, i: usize, sub: &SubJobView) -> Candidate {
        let job = view.job_of(sub);
        let able = view.network_of(job).costs.row(sub.id.layer as usize);
        let (mut latencies_ps, mut energies_pj, mut count) = (0.0, 0.0, 0.0);
        for cost in able.iter().flatten() {
            latencies_ps += cost.alone.as_ps();
            energies_pj += cost.energy.0;
            count += 1.0;
        }
        let last = self.last_run.binary_search_by_key(&job.id, |&(job, _)| job);
        let idle_since = last.map_or(job.arrival, |place| self.last_run[place].1);
        let waiting_ps = if job.running { 0.0 } else { (view.now() - idle_since).as_ps() };
        let left_ps = job.deadline.as_ps() - view.now().as_ps();
        let urgency = if is_late(view, sub) { 0.0 } else { (job.remaining_best.as_ps() / left_ps).min(1.0) };
        let starvation = waiting_ps * count / latencies_ps;
        Candidate { sub: i, urgency, latencies_ps, energies_pj, starvation }
    }

    /// The accelerator that is free first among those that can run some candidate, and the candidate that it takes.
    fn next(&self, view: &View, left: &[Candidate]) -> (usize, usize) {
        let score = |left: &Candidate, m: usize| {
            let sub = &view.sub_jobs()[left.sub];
            let cost = view.network_of(view.job_of(sub)).cost(sub.id.layer, m)?;
            let latency_preference = left.latencies_ps / cost.alone.as_ps();
            let energy_preference = left.energies_pj / cost.energy.0.max(f64::MIN_POSITIVE);
            let Parameters { alpha, beta } = self.parameters;
            Some(left.urgency * latency_preference + alpha * left.starvation + beta * energy_preference)
        };
        let best = |m: usize| {
            let scored = left.iter().enumerate().filter_map(|(i, left)| Some((score(left, m)?, i)));
            scored.max_by(|(a, i), (b, j)| a.total_cmp(b).then(j.cmp(i))).map(|(_, i)| i)
        };
        let accelerators = 0..view.accelerators().len();
        let mut tried = None;
        loop {
            let open =
                accelerators.clone().map(|m| (self.placing.free_at(m), m)).filter(|&of| Some(of) > tried);
            let (free_at, m) = open.min().expect("some accelerator runs every layer");
            if let Some(i) = best(m) {
                return (i, m);
            }
            tried = Some((free_at, m));
        }
    }
}
