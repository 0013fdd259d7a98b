//! Average normalised turnaround time: the mean of latency / isolated latency over finished counted requests; 1 on an
//! idle system, larger is worse. Read it with the number of finished requests: dropping the slow ones lowers it.

use super::{Column, Context, Given, Metric, MetricEntry, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: MetricEntry = MetricEntry {
    name: "antt",
    doc: "Average normalised turnaround time (Eyerman and Eeckhout, IEEE Micro 28(3), 2008)",
    columns: &[Column::lower("antt", "Mean latency / isolated latency over finished counted requests")
        .given(Given::Finished)],
    new: |context| Box::new(Antt { context, ntt_sum: 0.0, finished: 0 }),
};

struct Antt<'a> {
    context: Context<'a>,
    ntt_sum: f64,
    finished: u64,
}

impl Recorder for Antt<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        if let Some(finished) = self.context.finished(record, origin) {
            self.ntt_sum += finished.ntt(&self.context);
            self.finished += 1;
        }
    }
}

impl Metric for Antt<'_> {
    fn values(&self) -> Vec<Value> {
        vec![Value::per(self.ntt_sum, self.finished as f64)]
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn the_mean_over_finished_counted_requests() {
        // r1 20/10, r2 30/30, r4 30/30.
        Example::new().assert(&[("antt", 4.0 / 3.0)]);
    }
}
