//! Roll-outs: a rule is tried in a fork of the engine with the requests in flight and no others, where decisions are
//! free.

use crate::sim::{Decision, Engine, Origin, Record, Recorder, Step, Trigger, View};
use crate::units::Time;

/// The charge for an event of a roll-out, in comparisons of a nanosecond (`Host::default`). Our choice, because a
/// roll-out of 100 layers takes 17 us beyond its clone (bench `rollout`), with three records per layer.
const COMPARISONS_PER_RECORD: u64 = 60;

/// How far a roll-out goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// Up to the last deadline that has not passed. Late requests are left out, because they come after all others.
    Deadlines,
    /// Up to the end of all requests.
    End,
}

/// A fork and the buffers of its decisions, kept between roll-outs.
#[derive(Default)]
pub(super) struct RollOut {
    fork: Option<Engine>,
    decision: Decision,
}

impl RollOut {
    /// Runs the fork under a rule, which first decides on this view; afterwards `trigger` replaces that of the run. The
    /// roll-out ends once its rank can no longer exceed `to_pass`. Charges the roll-out and the operations of its
    /// decisions to `out`.
    pub(super) fn run(
        &mut self,
        view: &View,
        until: Until,
        trigger: Option<Trigger>,
        to_pass: Option<Outcome>,
        out: &mut Decision,
        mut rule: impl FnMut(&View, &mut Decision),
    ) -> Outcome {
        let Self { fork, decision } = self;
        let fork = fork.get_or_insert_with(|| view.fork());
        view.fork_into(fork);
        if let Some(trigger) = trigger {
            fork.set_trigger(trigger);
        }
        decision.clear();
        let mut horizon = Time::MAX;
        if until == Until::Deadlines {
            horizon = Time::ZERO;
            for job in view.jobs() {
                horizon = horizon.max(job.deadline);
                if job.deadline < view.now() {
                    decision.drop_request(job.request);
                }
            }
        }
        // Late requests are left out: whatever the rule does with them comes too late.
        rule(view, decision);
        let mut outcome = Outcome::default();
        loop {
            out.operations.comparisons += decision.operations.comparisons;
            out.operations.macs += decision.operations.macs;
            fork.apply(decision, &mut outcome).expect("rules that are rolled out are legal");
            let step = fork.run_to_decision(&mut outcome);
            if step != Step::Decide || fork.now() > horizon {
                outcome.stalled = step == Step::Stalled;
                break;
            }
            if let Some(to_pass) = to_pass {
                let view = fork.view();
                out.operations.comparisons += view.jobs().len() as u64;
                if outcome.at_best(&view).rank() <= to_pass.rank() {
                    break;
                }
            }
            decision.clear();
            rule(&fork.view(), decision);
        }
        out.operations.comparisons += COMPARISONS_PER_RECORD * outcome.records;
        outcome
    }
}

/// The outcome of a roll-out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    /// Number of requests that met their deadlines.
    pub(super) met: u32,
    /// Sum of the times at which they were done, in ps.
    met_at_ps: f64,
    /// When the last layer ended, in ps.
    pub(super) makespan_ps: f64,
    /// Records of the fork.
    records: u64,
    /// Whether requests would wait forever.
    pub(super) stalled: bool,
}

impl Outcome {
    /// The rank, of which larger is better: more deadlines met, then an earlier mean finish.
    pub(super) fn rank(&self) -> (u32, f64) {
        (self.met, -self.met_at_ps)
    }

    /// The best outcome that is still possible: every request in flight takes no longer than its critical path from now
    /// on.
    fn at_best(mut self, view: &View) -> Self {
        let ends = view.jobs().iter().map(|job| (view.now().saturating_add(job.shortest_left), job.deadline));
        for (end, _) in ends.filter(|(end, deadline)| end <= deadline) {
            self.met += 1;
            self.met_at_ps += end.as_ps();
        }
        self
    }
}

impl Recorder for Outcome {
    fn record(&mut self, record: &Record, _: Origin) {
        self.records += 1;
        match *record {
            Record::Done { time, asked, .. } if asked.is_met_at(time) => {
                self.met += 1;
                self.met_at_ps += time.as_ps();
            }
            Record::Finish { time, .. } => self.makespan_ps = time.as_ps(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Case, Script, Size};
    use crate::scheduler::find;
    use crate::sim::{Scheduler, run};

    /// Every decision of some runs is tried with rules in turn, to the end and against the best so far.
    #[test]
    fn what_ends_early_would_not_have_passed() {
        let rules = ["gated", "edf", "sjf", "edf_drop", "eft"];
        let (mut ended_early, mut tried) = (0, 0);
        for seed in 0..40 {
            let mut case = Case::new(seed, Size { accelerators: 4, networks: 3, layers: 8, requests: 20 });
            case.rules.decision_cost = crate::sim::DecisionCost::Ideal;
            let build = |name: &&str| (find(name).unwrap().build)(&toml::Table::new(), 1).unwrap();
            let mut rules: Vec<Box<dyn Scheduler>> = rules.iter().map(build).collect();
            let mut roll_out = RollOut::default();
            let mut scheduler = Script(|view: &View, out: &mut Decision| {
                let mut best: Option<Outcome> = None;
                for rule in &mut rules {
                    let mut outcome = |to_pass| {
                        let decide = |view: &View, out: &mut Decision| rule.decide(view, out);
                        let mut charged = Decision::default();
                        roll_out.run(view, Until::Deadlines, None, to_pass, &mut charged, decide)
                    };
                    let (whole, against) = (outcome(None), outcome(best));
                    tried += 1;
                    if whole.records == against.records {
                        assert_eq!(whole.rank(), against.rank(), "seed {seed}");
                    } else {
                        ended_early += 1;
                        assert!(best.is_some_and(|best| whole.rank() <= best.rank()), "seed {seed}");
                        assert!(best.is_some_and(|best| against.rank() <= best.rank()), "seed {seed}");
                    }
                    if best.is_none_or(|best| whole.rank() > best.rank()) {
                        best = Some(whole);
                    }
                }
                rules[1].decide(view, out);
            });
            let engine = case.engine();
            run(engine, &mut scheduler, &mut ()).expect("edf assigns everything");
        }
        assert!(tried > 1_000 && ended_early > tried / 10, "{ended_early} of {tried}");
    }
}
