//! `batch`: all requests arrive at time 0, and none later: the makespan problem.

use serde::Deserialize;

use super::at_once::AtOnce;
use super::{ArrivalKind, Law, Process, Rate, Setting};
use crate::files::{Parameter, parse_parameters};

pub(super) const ENTRY: ArrivalKind = ArrivalKind {
    name: "batch",
    doc: "all requests at time 0",
    source: "MAGMA (Kao and Krishna, HPCA 2022) schedules batches of jobs",
    rate: Rate::Own,
    parameters: &[Parameter { name: "requests", default: "", doc: "number of requests" }],
    read: |table| Ok(Box::new(parse_parameters::<Batch>(table)?)),
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    requests: u32,
}

impl Law for Batch {
    fn start(&self, _: &Setting) -> Box<dyn Process> {
        Box::new(AtOnce(self.requests))
    }

    fn total(&self) -> Option<usize> {
        Some(self.requests as usize)
    }
}

#[cfg(test)]
mod tests {
    use crate::units::Time;
    use crate::workload::arrivals::testing::Sample;

    #[test]
    fn everything_is_there_at_the_start_and_nothing_follows() {
        let sample = Sample::of("kind = 'batch'\nrequests = 7", 1.0, 100, 1);
        assert_eq!(sample.times(), [Time::ZERO; 7]);
    }
}
