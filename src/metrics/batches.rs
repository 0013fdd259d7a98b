//! Requests met in equal parts of a run, from which the confidence interval of a single run is computed (batch means;
//! Law, Simulation Modeling and Analysis, 5th ed., 2015, section 9.5.3).
//!
//! The measured requests, in order of arrival, are cut into [`BATCHES`] parts of the same length or one more; fewer where
//! a part would have less than [`LEAST`] requests, and none where there would be a single one. The fold keeps one byte per
//! measured request. What is left out: parts of equal time, which a burst would fill unequally.

use super::{Column, Value};
use crate::sim::{Origin, Record, Recorder, RequestId};

/// Number of parts of a run. According to Schmeiser (Operations Research 30(3), 1982) 10 to 30 are enough, and more are
/// only more correlated.
const BATCHES: usize = 20;

/// The smallest number of requests in a part. Our choice, because the rate of fewer is nearly all or nothing.
const LEAST: usize = 10;

/// The columns that it adds to `summary.csv`.
pub const BATCH_COLUMNS: &[Column<Batches>] = &[Column::undirected(
    "met_by_batch",
    "Requests met in each of 20 equal parts of the measured requests, in order of arrival, separated by blanks, for \
     confidence intervals by batch means; empty below 20 requests",
    |batches: &Batches| {
        let met: Vec<String> = batches.met().iter().map(usize::to_string).collect();
        Value::Text(met.join(" "))
    },
)];

/// The fold behind `met_by_batch`.
#[derive(Clone, Debug, Default)]
pub struct Batches {
    /// The id of the first measured request; those after it are measured up to some id.
    first: Option<RequestId>,
    met: Vec<bool>,
}

impl Batches {
    /// Requests met in each part; empty if there are too few requests.
    pub fn met(&self) -> Vec<usize> {
        let requests = self.met.len();
        let parts = BATCHES.min(requests / LEAST);
        if parts < 2 {
            return Vec::new();
        }
        let border = |part: usize| part * requests / parts;
        let met = |part| self.met[border(part)..border(part + 1)].iter().filter(|met| **met).count();
        (0..parts).map(met).collect()
    }
}

impl Recorder for Batches {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Arrival { request, .. } if origin.measured => {
                self.first.get_or_insert(request);
                self.met.push(false);
            }
            Record::Done { request, .. } if origin.measured => {
                let first = self.first.expect("a request is done after it has arrived");
                self.met[(request.0 - first.0) as usize] = record.met() == Some(true);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::request;
    use crate::sim::{JobId, Request};
    use crate::units::Time;

    /// The number of met requests in each part, from the outcomes in order of arrival.
    fn batches(met: impl Iterator<Item = bool>) -> Vec<usize> {
        let mut batches = Batches::default();
        let met: Vec<bool> = met.collect();
        let asked = Request { deadline: Time(10), ..request(0, 0.0) };
        let of = |place: u32| (RequestId(place + 7), JobId(place + 7), Origin { place, measured: true });
        for place in 0..met.len() as u32 {
            let (request, job, origin) = of(place);
            batches.record(&Record::Arrival { request, job, asked, after: None }, origin);
        }
        for (place, met) in (0..).zip(met) {
            let ((request, job, origin), time) = (of(place), if met { asked.deadline } else { Time(11) });
            batches.record(&Record::Done { time, request, job, asked }, origin);
        }
        batches.met()
    }

    #[test]
    fn parts_follow_one_another_and_differ_by_one_request_at_most() {
        // 400 requests, 20 per part; the first 30 are met.
        let expected = [vec![20, 10], vec![0; 18]].concat();
        assert_eq!(batches((0..400).map(|place| place < 30)), expected);
        let all = batches((0..1_003).map(|_| true));
        assert!(all.len() == 20 && all.iter().all(|met| [50, 51].contains(met)), "{all:?}");
        assert_eq!(all.iter().sum::<usize>(), 1_003);
    }

    #[test]
    fn a_part_has_ten_requests_at_least() {
        assert_eq!(batches((0..59).map(|_| true)), [11, 12, 12, 12, 12]);
        assert!(batches((0..19).map(|_| true)).is_empty());
    }
}
