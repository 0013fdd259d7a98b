//! Average normalised turnaround time: the mean of latency / isolated latency over finished measured requests; 1 on an
//! idle system, larger is worse. Read it with the number of finished requests: dropping the slow ones lowers it.

use std::sync::Arc;

use super::context::finished;
use super::{Column, Given, Metric, Value};
use crate::sim::{Origin, Record, Recorder, World};

pub(super) const ENTRY: Metric<Antt> = Metric {
    name: "antt",
    doc: "Average normalised turnaround time (Eyerman and Eeckhout, IEEE Micro 28(3), 2008)",
    columns: COLUMNS,
    of_groups: COLUMNS,
    hears_layers: false,
    new: |context| Antt { world: Arc::clone(&context.world), ntt_sum: 0.0, finished: 0 },
};

const COLUMNS: &[Column<Antt>] = &[Column::lower(
    "antt",
    "Mean latency / isolated latency over finished measured requests",
    |antt: &Antt| Value::per(antt.ntt_sum, antt.finished as f64),
)
.given(Given::Finished)];

pub(super) struct Antt {
    world: Arc<World>,
    ntt_sum: f64,
    finished: u64,
}

impl Recorder for Antt {
    fn record(&mut self, record: &Record, origin: Origin) {
        if let Some(finished) = finished(record, origin) {
            self.ntt_sum += finished.ntt(&self.world);
            self.finished += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn the_mean_over_finished_measured_requests() {
        // r1 20/10, r2 30/30, r4 30/30.
        Example::new().assert(&[("antt", 4.0 / 3.0)]);
    }
}
