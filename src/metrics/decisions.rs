//! Decisions and their costs: the number of decisions in the window, the ready sub-jobs that they saw, the latency
//! charged to them, and the actions that events overtook before they took effect.

use super::context::Window;
use super::{Column, Metric, Value};
use crate::sim::{Origin, Record, Recorder};
use crate::units::Time;

pub(super) const ENTRY: Metric<Decisions> = Metric {
    name: "decisions",
    doc: "Decisions in the window, the ready sub-jobs that they saw, and the latency charged to them",
    columns: &[
        Column::undirected("decisions", "Decisions taken", |all: &Decisions| Value::Count(all.decisions)),
        Column::undirected("ready_queue_mean", "Mean number of ready sub-jobs that a decision saw", |all| {
            all.mean(all.ready as f64)
        }),
        Column::lower("policy_latency_us", "Mean latency charged to a decision", |all| {
            all.mean(all.latency.as_us())
        }),
        Column::lower(
            "policy_macs",
            "Mean number of multiply-accumulates of a decision; 0 for a rule",
            |all| all.mean(all.macs as f64),
        ),
        Column::lower(
            "skipped_actions",
            "Actions overtaken by events during the decision's latency",
            |all: &Decisions| Value::Count(all.skipped),
        ),
    ],
    of_groups: &[],
    hears_layers: false,
    new: |_| {
        let window = Window::new();
        Decisions { window, decisions: 0, ready: 0, latency: Time::ZERO, macs: 0, skipped: 0 }
    },
};

pub(super) struct Decisions {
    window: Window,
    decisions: u64,
    ready: u64,
    latency: Time,
    macs: u64,
    skipped: u64,
}

impl Decisions {
    fn mean(&self, sum: f64) -> Value {
        Value::per(sum, self.decisions as f64)
    }
}

impl Recorder for Decisions {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Arrival { .. } => self.window.follow(record, origin),
            Record::Decision { time, latency, operations, ready, .. } if self.window.has_begun_by(time) => {
                self.decisions += 1;
                self.ready += u64::from(ready);
                self.latency += latency;
                self.macs += operations.macs;
            }
            Record::Applied { time, skipped } if self.window.has_begun_by(time) => {
                self.skipped += u64::from(skipped);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::{layer, platform, request, trace, world};
    use crate::metrics::testing::Example;
    use crate::sim::{DecisionCost, Host, LateRules, Rules};
    use crate::units::Time;
    use crate::workload::Late;

    #[test]
    fn decisions_before_the_window_are_left_out() {
        // At 5, 15, 35, 45 and 60 on 2, 1, 2, 1 and 1 ready sub-jobs; the one at 0 comes before the window.
        let expected = [
            ("decisions", 5.0),
            ("ready_queue_mean", 7.0 / 5.0),
            ("policy_latency_us", 0.0),
            ("policy_macs", 7.0 / 5.0),
        ];
        Example::new().assert(&expected);
    }

    #[test]
    fn charged_latency_and_overtaken_actions() {
        // A decision takes 3 ns + 1 ns per open sub-job. At 0 on r0, in effect at 4: r0 runs to 14. r1 arrives at 1 and
        // is decided on at 4, in effect at 8, but its deadline at 6 drops it first. Latencies: 4 and 4 ns.
        let host = Host { base: Time(3_000), macs_per_s: 1e9, ..Host::default() };
        let mut late = request(0, 1.0);
        late.deadline = Time(6_000);
        let example = Example {
            world: world(platform(1, 10.0), &[&[layer(&[], &[(10.0, 0.0)])]]),
            trace: trace(&[request(0, 0.0), late]),
            rules: Rules {
                decision_cost: DecisionCost::Host(host),
                late: LateRules::all(Late::Abort),
                ..Example::new().rules
            },
            drops: true,
        };
        let expected = [("decisions", 2.0), ("policy_latency_us", 0.004), ("skipped_actions", 1.0)];
        example.assert(&expected);
    }
}
