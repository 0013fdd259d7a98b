//! Utilisation of the accelerators: how much of the window they have a layer in execution, stretched by contention or
//! not. Layers of requests that are not counted count here, and so does what still runs when the run ends. How many of
//! its MACs a busy accelerator keeps busy is another question.

use super::context::Window;
use super::{Column, Context, Metric, MetricEntry, Value};
use crate::sim::{Record, Recorder};
use crate::units::Time;

pub(super) const ENTRY: MetricEntry = MetricEntry {
    name: "accel_utilization",
    doc: "Busy time of the accelerators within the window / (accelerators x window)",
    columns: &[Column {
        name: "accel_utilization",
        doc: "Mean share of the window in which an accelerator is busy",
    }],
    new: |context| Box::new(AccelUtilization::new(context)),
};

struct AccelUtilization {
    window: Window,
    busy: Time,
    busy_since: Vec<Option<Time>>,
}

impl AccelUtilization {
    fn new(context: Context) -> Self {
        let accelerators = context.world.platform.accelerators.len();
        Self { window: context.window(), busy: Time::ZERO, busy_since: vec![None; accelerators] }
    }
}

impl Recorder for AccelUtilization {
    fn record(&mut self, record: &Record) {
        self.window.close(record);
        match *record {
            Record::Start { time, accelerator, .. } => self.busy_since[accelerator] = Some(time),
            Record::Finish { time, start, accelerator, .. } => {
                self.busy_since[accelerator] = None;
                self.busy += self.window.share_of(start, time);
            }
            Record::End { time } => {
                let running = self.busy_since.iter().flatten();
                self.busy += running.map(|&start| self.window.share_of(start, time)).sum();
            }
            _ => {}
        }
    }
}

impl Metric for AccelUtilization {
    fn values(&self) -> Vec<Value> {
        let capacity_ps = self.busy_since.len() as f64 * self.window.length().as_ps();
        vec![Value::per(self.busy.as_ps(), capacity_ps)]
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn busy_time_is_cut_to_the_window_at_both_ends() {
        // m0: r0 5-15, r1 15-25, r3 35-50, r5 60-65, in all 40. m1: r2 5-35, r4 35-65. 100 of 2 x 60.
        Example::new().assert(&[("accel_utilization", 100.0 / 120.0)]);
    }
}
