//! `dysta`: bi-level scheduling: a static score when a request arrives, corrected whenever a layer has ended; the
//! smallest score first.
//!
//! With the remaining best-case work R, the isolated latency I, the deadline d, the time t, |Q| requests in flight, and
//! W the time since a layer of the request last ended (or since its arrival; 0 while one runs):
//! - static score: R + beta x max(d - t - R, 0), at arrival;
//! - dynamic score: R + eta x (max(d - t - R, 0) + unit x W / I / |Q|), for all requests once a layer has ended.
//!
//! So the shortest request goes first, more so the less slack it has. Waiting is a penalty, not a credit: the request
//! that ran last tends to go on, which saves switches. Priorities do not count.
//!
//! The dynamic score is that of the paper's public code (SamsungLabs/Sparse-Multi-DNN-Scheduling at b9f1913),
//! `Dysta_Scheduler` in its dysta_scheduler/scheduler.py with `beta=0.01`. That the static score stands until the
//! next layer ends is in its hw_design/scheduler.sv, which receives an initial score with every request. `score =
//! "hardware"` is its hw_design/calc_score.sv: the slack is d - t, and the penalty is not divided by |Q|. The formula
//! of the static score and the two weights are from memory of the paper (its algorithms 1 and 2) and have not been
//! checked against it: the code has one weight and computes no static score. What differs here:
//! - The paper's sparsity monitor multiplies R by the ratio of the measured to the average density of the layers so
//!   far. Tensors are dense here, and the ratio is 1 (`dysta_naive` in the code).
//! - The code adds W / I / |Q|, a number, to seconds: 1 counts as a second. That is about 3 to 40 isolated latencies
//!   if the request rates of its across_slo.sh scripts (3 and 4 CNNs, 30 and 40 attention networks a second) load its
//!   one accelerator fully. `unit` is a multiple of the mean isolated latency of the mix instead, so that the order
//!   does not depend on the time scale; 10 is our choice, because it is about the middle of that range.
//! - It schedules one accelerator. Here the order decides, and each sub-job goes to the earliest finish.

use super::placing::{Descending, ListRule};
use super::{SchedulerEntry, parse};
use crate::files::Parameter;
use crate::sim::{Decision, JobId, JobView, Record, Scheduler, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "dysta",
    doc: "smallest remaining work plus weighted slack first, a static score at arrival; waiting is penalized once a layer has ended; earliest finish",
    source: "Dysta (Fan et al., MICRO 2023), dynamic score as in its code, static score from memory; without its sparsity monitor",
    parameters: &[
        Parameter { name: "beta", default: "0.01", doc: "weight of the slack in the static score" },
        Parameter {
            name: "eta",
            default: "0.01",
            doc: "weight of the slack and the penalty in the dynamic score",
        },
        Parameter {
            name: "unit",
            default: "10.0",
            doc: "what a penalty of 1 counts as, in mean isolated latencies of the mix; a second in the code",
        },
        Parameter {
            name: "score",
            default: "\"simulator\"",
            doc: "dynamic score: `simulator`, or `hardware` as in the code's hardware design",
        },
    ],
    draws: false,
    build: |parameters, _| {
        let parameters: Parameters = parse(parameters)?;
        let Parameters { beta, eta, unit, .. } = parameters;
        for (name, value) in [("beta", beta), ("eta", eta), ("unit", unit)] {
            if !(0.0..=LARGEST).contains(&value) {
                return Err(format!("`{name}` is {value}; it has to be a number from 0 to {LARGEST:e}"));
            }
        }
        Ok(Box::new(Dysta {
            parameters,
            unit_ps: None,
            accounts: Vec::new(),
            ended: false,
            rule: ListRule::default(),
        }))
    },
};

/// The largest parameter. Our choice, because scores stay far from infinity.
const LARGEST: f64 = 1e9;

#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Score {
    #[default]
    Simulator,
    Hardware,
}

#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    beta: f64,
    eta: f64,
    unit: f64,
    score: Score,
}

impl Default for Parameters {
    /// Both weights as in the code; the unit is about the middle of what it is there.
    fn default() -> Self {
        Self { beta: 0.01, eta: 0.01, unit: 10.0, score: Score::Simulator }
    }
}

struct Dysta {
    parameters: Parameters,
    /// What a penalty of 1 counts as in picoseconds, computed at the first decision.
    unit_ps: Option<f64>,
    /// Accounts of the jobs in flight, by ascending id.
    accounts: Vec<Account>,
    /// Whether a layer has ended since the last decision.
    ended: bool,
    /// The order by the score.
    rule: ListRule<Descending>,
}

#[derive(Clone, Copy, Debug)]
struct Account {
    job: JobId,
    /// When a layer of the job last ended, or its arrival.
    last_run: Time,
    score_ps: f64,
}

impl Scheduler for Dysta {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.update(view);
        // One comparison each for finding an account, clamping its slack, and its score.
        out.operations.comparisons += 3 * self.accounts.len() as u64;
        let accounts = &self.accounts;
        self.rule.place_by(view, out, |sub| Descending(-accounts[sub.job].score_ps));
    }

    fn observe(&mut self, record: &Record) {
        let Record::Finish { time, sub_job, .. } = *record else { return };
        self.ended = true;
        if let Ok(place) = self.accounts.binary_search_by_key(&sub_job.job, |account| account.job) {
            self.accounts[place].last_run = time;
        }
    }
}

impl Dysta {
    /// Brings the accounts up to the time of the view: one per job in flight, in the order of the view.
    fn update(&mut self, view: &View) {
        let unit_ps = *self.unit_ps.get_or_insert_with(|| self.parameters.unit * mean_isolated_ps(view));
        self.accounts.retain(|account| view.jobs().binary_search_by_key(&account.job, |job| job.id).is_ok());
        for (i, job) in view.jobs().iter().enumerate() {
            if self.accounts.get(i).is_none_or(|account| account.job != job.id) {
                let score_ps = self.parameters.static_score_ps(view, job);
                self.accounts.insert(i, Account { job: job.id, last_run: job.arrival, score_ps });
            }
            if self.ended {
                let waited = if job.running { Time::ZERO } else { view.now() - self.accounts[i].last_run };
                let relative = waited.as_ps() / view.network_of(job).isolated.as_ps();
                self.accounts[i].score_ps = self.parameters.dynamic_score_ps(view, job, unit_ps * relative);
            }
        }
        self.ended = false;
    }
}

impl Parameters {
    fn static_score_ps(&self, view: &View, job: &JobView) -> f64 {
        let remaining_ps = job.remaining_best.as_ps();
        remaining_ps + self.beta * (left_ps(view, job) - remaining_ps).max(0.0)
    }

    /// The dynamic score of a job with a penalty that is not normalized by the number of requests.
    fn dynamic_score_ps(&self, view: &View, job: &JobView, penalty_ps: f64) -> f64 {
        let remaining_ps = job.remaining_best.as_ps();
        let (slack_ps, penalty_ps) = match self.score {
            Score::Simulator => (left_ps(view, job) - remaining_ps, penalty_ps / view.jobs().len() as f64),
            Score::Hardware => (left_ps(view, job), penalty_ps),
        };
        remaining_ps + self.eta * (slack_ps.max(0.0) + penalty_ps)
    }
}

/// Time to the deadline, in picoseconds; negative once it has passed.
fn left_ps(view: &View, job: &JobView) -> f64 {
    job.deadline.as_ps() - view.now().as_ps()
}

fn mean_isolated_ps(view: &View) -> f64 {
    let networks = &view.world().networks;
    networks.iter().map(|network| network.isolated.as_ps()).sum::<f64>() / networks.len() as f64
}
