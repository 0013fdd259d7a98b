//! Utilisation of the shared DRAM: bytes granted within the window / what the platform could deliver in it. The
//! platform's bandwidth is dram_efficiency x peak, so that 1 is the most that layers can get; the utilisation of an
//! infinite bandwidth is 0.

use super::context::Window;
use super::{Column, Context, Metric, Value};
use crate::sim::{Origin, Record, Recorder};
use crate::units::Time;

pub(super) const ENTRY: Metric<DramUtilization> = Metric {
    name: "dram_utilization",
    doc: "Bytes granted within the window / (dram_efficiency x DRAM bandwidth x window)",
    columns: &[Column::undirected(
        "dram_utilization",
        "Share of the deliverable DRAM bandwidth that is used",
        DramUtilization::share,
    )
    .share()],
    of_groups: &[],
    hears_layers: false,
    new: DramUtilization::new,
};

pub(super) struct DramUtilization {
    bandwidth_bytes_per_ps: f64,
    window: Window,
    bytes: f64,
    since: Time,
    granted_bytes_per_ps: f64,
}

impl DramUtilization {
    fn new(context: &Context) -> Self {
        Self {
            bandwidth_bytes_per_ps: context.world.platform.bandwidth_bytes_per_ps,
            window: Window::new(),
            bytes: 0.0,
            since: Time::ZERO,
            granted_bytes_per_ps: 0.0,
        }
    }

    fn share(&self) -> Value {
        Value::per(self.bytes / self.bandwidth_bytes_per_ps, self.window.length().as_ps())
    }

    fn advance(&mut self, time: Time) {
        self.bytes += self.granted_bytes_per_ps * self.window.share_of(self.since, time).as_ps();
        self.since = time;
    }
}

impl Recorder for DramUtilization {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Arrival { .. } => self.window.follow(record, origin),
            Record::Bandwidth { time, granted_bytes_per_ps } => {
                self.advance(time);
                self.granted_bytes_per_ps = granted_bytes_per_ps;
            }
            Record::End { time } => {
                self.advance(time);
                self.window.follow(record, origin);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn granted_bytes_are_cut_to_the_window_at_both_ends() {
        // 10 bytes/ns over 5-25, 35-50 and 60-65: 400 of the 600 bytes that 10 bytes/ns deliver in 60 ns.
        Example::new().assert(&[("dram_utilization", 400.0 / 600.0)]);
    }

    #[test]
    fn infinite_bandwidth_is_never_used_up() {
        let mut example = Example::new();
        example.world.platform.bandwidth_bytes_per_ps = f64::INFINITY;
        assert_eq!(example.value("dram_utilization"), 0.0);
    }
}
