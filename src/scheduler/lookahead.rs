//! `lookahead`: a portfolio of rules, each tried in a roll-out; the first step of the best is taken.
//!
//! At each decision the engine is forked as far as it is known: the requests in flight and no other, decisions free.
//! Each rule runs its fork to the end; the rule that meets most deadlines wins, then the one whose requests are met the
//! earliest in the mean, then the one named first. Rules have to be the same whenever they are asked: they see nothing of
//! the run but the view.
//!
//! The roll-outs are charged: the operations of their decisions, and [`COMPARISONS_PER_RECORD`] for every record of the
//! forks.

use super::{Parameter, SCHEDULERS, SchedulerEntry, parse};
use crate::sim::{Decision, Engine, Record, Recorder, Scheduler, Trigger, View, resume};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "lookahead",
    doc: "tries every rule of a portfolio in a roll-out of what is in flight, and takes the first step of the best",
    source: "ours (design/BASELINES.md)",
    parameters: &[
        Parameter {
            name: "rules",
            default: "[\"gated\", \"edf_drop\", \"sjf\", \"edf\", \"llf\", \"etf\", \"eft\", \"fcfs\"]",
            doc: "the portfolio: schedulers that keep no state",
        },
        Parameter {
            name: "coarsen",
            default: "4",
            doc: "periodic decisions are so many times rarer in roll-outs, after the first",
        },
    ],
    build: |parameters, seed| {
        let Parameters { rules, coarsen } = parse(parameters)?;
        let rules = rules.iter().map(|name| rule(name, seed)).collect::<Result<Vec<_>, _>>()?;
        if rules.is_empty() {
            return Err("`rules` is empty; the portfolio needs at least one scheduler".into());
        }
        if coarsen == 0 {
            return Err("`coarsen` is 0; it has to be at least 1".into());
        }
        Ok(Box::new(Lookahead { rules, coarsen, fork: None, decision: Decision::default() }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    rules: Vec<String>,
    coarsen: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        let rules = ["gated", "edf_drop", "sjf", "edf", "llf", "etf", "eft", "fcfs"];
        Self { rules: rules.map(str::to_string).to_vec(), coarsen: 4 }
    }
}

/// Schedulers that see nothing of the run but the view.
const STATELESS: [&str; 14] = [
    "fcfs", "sjf", "edf", "llf", "edf_drop", "rr", "met", "eft", "etf", "max_min", "heft", "planaria",
    "herald", "gated",
];

fn rule(name: &str, seed: u64) -> Result<Box<dyn Scheduler>, String> {
    if !STATELESS.contains(&name) {
        return Err(format!("`rules` names `{name}`; it may name {}", STATELESS.join(", ")));
    }
    let entry = SCHEDULERS.iter().find(|entry| entry.name == name).expect("they are all registered");
    (entry.build)(&toml::Table::new(), seed)
}

/// What an event of a roll-out costs in comparisons of a nanosecond (`Host::default`). Chosen here, because a roll-out
/// of 100 layers takes 17 us beyond its clone (bench `rollout`), with three records a layer.
pub(super) const COMPARISONS_PER_RECORD: u64 = 60;

struct Lookahead {
    rules: Vec<Box<dyn Scheduler>>,
    coarsen: u32,
    fork: Option<Engine>,
    decision: Decision,
}

impl Scheduler for Lookahead {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let mut best: Option<(usize, Outcome)> = None;
        let fork = self.fork.get_or_insert_with(|| view.fork());
        for (i, rule) in self.rules.iter_mut().enumerate() {
            view.fork_into(fork);
            if let Trigger::Periodic(period) = fork.trigger() {
                fork.set_trigger(Trigger::Periodic(Time(period.0 * u64::from(self.coarsen))));
            }
            let mut outcome = Outcome::default();
            let mut counted = Counted { rule: rule.as_mut(), comparisons: 0, macs: 0 };
            let ended = resume(fork, &mut self.decision, &mut counted, &mut outcome);
            out.operations.comparisons += counted.comparisons + COMPARISONS_PER_RECORD * outcome.records;
            out.operations.macs += counted.macs;
            // A rule that leaves requests waiting for ever has met what it has met.
            debug_assert!(ended.is_ok(), "the rules of the portfolio are legal and leave nothing waiting");
            if best.as_ref().is_none_or(|(_, best)| outcome.rank() > best.rank()) {
                best = Some((i, outcome));
            }
        }
        let (best, _) = best.expect("the portfolio has a rule");
        let spent = out.operations;
        self.rules[best].decide(view, out);
        out.operations = spent;
    }
}

/// A rule whose operations are counted.
struct Counted<'a> {
    rule: &'a mut dyn Scheduler,
    comparisons: u64,
    macs: u64,
}

impl Scheduler for Counted<'_> {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.rule.decide(view, out);
        self.comparisons += out.operations.comparisons;
        self.macs += out.operations.macs;
    }

    fn observe(&mut self, record: &Record) {
        self.rule.observe(record);
    }
}

/// What a roll-out came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    /// Requests that met their deadlines.
    pub(super) met: u32,
    /// Sum of the times at which they were done, in ps.
    pub(super) met_at_ps: f64,
    /// When the last layer ended, in ps.
    pub(super) makespan_ps: f64,
    /// Records of the fork.
    pub(super) records: u64,
    /// Whether requests wait for ever.
    pub(super) stalled: bool,
}

impl Outcome {
    /// Larger is better: more deadlines met, then an earlier mean.
    pub(super) fn rank(&self) -> (u32, f64) {
        (self.met, -self.met_at_ps)
    }
}

impl Recorder for Outcome {
    fn record(&mut self, record: &Record) {
        self.records += 1;
        match *record {
            Record::Done { time, deadline, .. } if time <= deadline => {
                self.met += 1;
                self.met_at_ps += time.as_ps();
            }
            Record::Finish { time, .. } => self.makespan_ps = time.as_ps(),
            _ => {}
        }
    }
}
