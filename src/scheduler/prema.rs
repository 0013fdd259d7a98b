//! `prema`: token-based preemptive scheduling at layer boundaries.
//!
//! A request starts with its priority as tokens and earns priority x (waiting time / isolated time) while it waits.
//! The threshold is the largest priority level of {1, 3, 9} that is at most the largest token count, 0 when none is;
//! requests at or above it are candidates, shortest remaining work first. The others follow in the same order, so that
//! no accelerator idles while something waits. A request waits between two decisions if no layer of it runs at the
//! second.

use super::placing::ListRule;
use super::{SchedulerEntry, parse};
use crate::files::Parameter;
use crate::sim::{Decision, JobId, JobView, Scheduler, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "prema",
    doc: "tokens grow with priority and relative waiting time; requests above the threshold first, the shortest of them before others; earliest finish",
    source: "PREMA (Choi and Rhu, HPCA 2020), token rule as in its public re-implementations",
    parameters: &[Parameter {
        name: "reset_on_run",
        default: "false",
        doc: "a request whose layer runs falls back to its priority",
    }],
    draws: false,
    build: |parameters, _| {
        let Parameters { reset_on_run } = parse(parameters)?;
        Ok(Box::new(Prema { reset_on_run, tokens: Vec::new(), rule: ListRule::default() }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Parameters {
    reset_on_run: bool,
}

/// The priority levels of the paper, which are also the thresholds.
const LEVELS: [f64; 3] = [9.0, 3.0, 1.0];

struct Prema {
    reset_on_run: bool,
    /// Accounts of the jobs in flight, by ascending id.
    tokens: Vec<Account>,
    /// The order by (below the threshold, remaining work R).
    rule: ListRule<(bool, Time)>,
}

#[derive(Clone, Copy)]
struct Account {
    job: JobId,
    tokens: f64,
    updated: Time,
}

impl Scheduler for Prema {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.update(view);
        let most = self.tokens.iter().map(|account| account.tokens).fold(0.0, f64::max);
        let threshold = LEVELS.into_iter().find(|&level| level <= most).unwrap_or(0.0);
        // One comparison each for finding an account, updating it, and the threshold.
        out.operations.comparisons += 3 * self.tokens.len() as u64;
        let tokens = &self.tokens;
        self.rule
            .place_by(view, out, |sub| (tokens[sub.job].tokens < threshold, view.job_of(sub).remaining_best));
    }
}

impl Prema {
    /// Brings the accounts up to the time of the view: one per job in flight, in the order of the view.
    fn update(&mut self, view: &View) {
        self.tokens.retain(|account| view.jobs().binary_search_by_key(&account.job, |job| job.id).is_ok());
        for (i, job) in view.jobs().iter().enumerate() {
            if self.tokens.get(i).is_none_or(|account| account.job != job.id) {
                let account = Account { job: job.id, tokens: f64::from(job.priority), updated: job.arrival };
                self.tokens.insert(i, account);
            }
            self.tokens[i].advance(view, job, self.reset_on_run);
        }
    }
}

impl Account {
    fn advance(&mut self, view: &View, job: &JobView, reset_on_run: bool) {
        if !job.running {
            self.earn(view.now(), f64::from(job.priority), view.network_of(job).isolated);
        } else if reset_on_run {
            self.tokens = f64::from(job.priority);
        }
        self.updated = view.now();
    }

    /// Adds the tokens for the time since the last update.
    fn earn(&mut self, now: Time, priority: f64, isolated: Time) {
        let waited = now - self.updated;
        self.updated = now;
        self.tokens += priority * waited.as_ps() / isolated.as_ps();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A known trap: an account that adds the whole waiting time at every decision grows with its square.
    #[test]
    fn tokens_grow_with_time_and_not_with_the_number_of_decisions() {
        let tokens_after = |decisions_ns: &[u64]| {
            let mut account = Account { job: JobId(0), tokens: 3.0, updated: Time::ZERO };
            decisions_ns.iter().for_each(|now_ns| account.earn(Time(now_ns * 1_000), 3.0, Time(10_000)));
            account.tokens
        };
        // Priority 3, isolated 10 ns: 3 + 3 x 60 / 10.
        assert_eq!(tokens_after(&[60]), 21.0);
        assert!((tokens_after(&[10, 20, 30, 40, 50, 60]) - 21.0).abs() < 1e-12);
    }
}
