//! SLA satisfaction rate: counted requests done by their deadline / counted requests. Dropped and unfinished requests
//! count as missed; a request that is done at its deadline is met.

use super::{Column, Context, Metric, MetricEntry, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: MetricEntry = MetricEntry {
    name: "sla",
    doc: "SLA satisfaction rate, as MoCA (HPCA 2023) counts it: met / arrived, dropped and unfinished being missed",
    columns: &[
        Column::undirected("requests", "Counted requests that arrived"),
        Column::higher("met", "Counted requests done by their deadline"),
        Column::higher("sla_rate", "met / requests").share(),
    ],
    new: |context| Box::new(Sla { context, requests: 0, met: 0 }),
};

struct Sla<'a> {
    context: Context<'a>,
    requests: u64,
    met: u64,
}

impl Recorder for Sla<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.requests += u64::from(self.context.arrived(record, origin).is_some());
        self.met +=
            u64::from(self.context.finished(record, origin).is_some_and(|finished| finished.is_met()));
    }
}

impl Metric for Sla<'_> {
    fn values(&self) -> Vec<Value> {
        let rate = Value::per(self.met as f64, self.requests as f64);
        vec![Value::Count(self.requests), Value::Count(self.met), rate]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::Example;
    use crate::sim::{JobId, RequestId};
    use crate::units::Time;

    #[test]
    fn late_and_dropped_requests_are_missed_and_the_deadline_itself_is_met() {
        // Counted: r1 is 5 ns late, r2 ends at its deadline, r3 is dropped, r4 is early.
        Example::new().assert(&[("requests", 4.0), ("met", 2.0), ("sla_rate", 0.5)]);
    }

    #[test]
    fn what_is_unfinished_when_the_run_ends_is_missed() {
        let example = Example::new();
        let mut sla = (ENTRY.new)(example.context());
        let origin = |place: u32| Origin { place, counted: (1..5).contains(&place) };
        let (arrival, deadline) = (Time(0), Time::MAX);
        for place in 0..6 {
            let (request, job, origin) = (RequestId(place), JobId(place), origin(place));
            sla.record(&Record::Arrival { time: arrival, request, job, deadline, after: None }, origin);
        }
        let (time, request, job, origin) = (Time(9_000), RequestId(2), JobId(2), origin(2));
        sla.record(&Record::Done { time, request, job, arrival, deadline }, origin);
        sla.record(&Record::End { time: Time(10_000) }, Origin::NONE);
        assert_eq!(sla.values(), [Value::Count(4), Value::Count(1), Value::Real(0.25)]);
    }

    #[test]
    fn a_picosecond_after_the_deadline_is_missed() {
        let mut example = Example::new();
        example.trace.requests[2].deadline = Time(34_999);
        assert_eq!(example.value("met"), 1.0);
    }
}
