//! SLA satisfaction rate: measured requests done by their deadline / measured requests. Dropped and unfinished requests
//! count as missed; a request that is done at its deadline is met.

use super::context::{arrived, is_met};
use super::{Column, Metric, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: Metric<Sla> = Metric {
    name: "sla",
    doc: "SLA satisfaction rate, as MoCA (HPCA 2023) counts it: met / arrived; dropped and unfinished requests are missed",
    columns: &[REQUESTS, MET, RATE],
    of_groups: &[REQUESTS, MET, MISSED, RATE],
    hears_layers: false,
    new: |_| Sla::default(),
};

const REQUESTS: Column<Sla> =
    Column::undirected("requests", "Measured requests that arrived", |sla| Value::Count(sla.requests));
const MET: Column<Sla> =
    Column::higher("met", "Measured requests done by their deadline", |sla| Value::Count(sla.met));
const MISSED: Column<Sla> =
    Column::lower("missed", "Measured requests that are late, dropped or unfinished", |sla| {
        Value::Count(sla.requests - sla.met)
    });
const RATE: Column<Sla> = Column::higher("sla_rate", "met / requests", Sla::rate).share();

#[derive(Default)]
pub(super) struct Sla {
    requests: u64,
    met: u64,
}

impl Sla {
    pub(super) fn rate(&self) -> Value {
        Value::per(self.met as f64, self.requests as f64)
    }
}

impl Recorder for Sla {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.requests += u64::from(arrived(record, origin).is_some());
        self.met += u64::from(is_met(record, origin));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::request;
    use crate::metrics::testing::Example;
    use crate::sim::{JobId, RequestId};
    use crate::units::Time;

    #[test]
    fn late_and_dropped_requests_are_missed_and_the_deadline_itself_is_met() {
        // Measured: r1 is 5 ns late, r2 ends at its deadline, r3 is dropped, r4 is early.
        Example::new().assert(&[("requests", 4.0), ("met", 2.0), ("sla_rate", 0.5)]);
    }

    #[test]
    fn what_is_unfinished_when_the_run_ends_is_missed() {
        let mut sla = Sla::default();
        let asked = request(0, 0.0);
        let of = |place: u32| {
            (RequestId(place), JobId(place), Origin { place, measured: (1..5).contains(&place) })
        };
        for (request, job, origin) in (0..6).map(of) {
            sla.record(&Record::Arrival { request, job, asked, after: None }, origin);
        }
        let (request, job, origin) = of(2);
        sla.record(&Record::Done { time: Time(9_000), request, job, asked }, origin);
        sla.record(&Record::End { time: Time(10_000) }, Origin::NONE);
        let values: Vec<Value> = Column::row(ENTRY.of_groups, &sla).collect();
        assert_eq!(values, [Value::Count(4), Value::Count(1), Value::Count(3), Value::Real(0.25)]);
    }

    #[test]
    fn a_picosecond_after_the_deadline_is_missed() {
        let mut example = Example::new();
        example.trace.requests[2].deadline = Time(34_999);
        assert_eq!(example.value("met"), 1.0);
    }
}
