//! `dbp`: distance-based priority for (m,k)-firm streams: the stream that is closest to failure first.
//!
//! A tenant is a stream. Its distance is the number of misses in a row after which fewer than m of its last k requests
//! are met: k - l + 1, where l is the place, counted back from the last request, of the m-th met one; 0 if the stream
//! has failed already. Requests that have not arrived yet count as met. Equal distances are ordered by deadline.

use super::placing::ListRule;
use super::{SchedulerEntry, parse};
use crate::files::Parameter;
use crate::sim::{Decision, JobId, Record, Scheduler, View};
use crate::units::Time;
use crate::workload::Firm;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "dbp",
    doc: "the tenant closest to breaking its (m,k)-firm terms first, then the smallest deadline; earliest finish",
    source: "DBP (Hamdaoui and Ramanathan, IEEE Trans. Computers 1995)",
    parameters: &[
        Parameter {
            name: "m",
            default: "9",
            doc: "for tenants without terms of their own: how many requests have to be met",
        },
        Parameter {
            name: "k",
            default: "10",
            doc: "for tenants without terms of their own: out of how many consecutive requests",
        },
    ],
    draws: false,
    build: |parameters, _| {
        let Parameters { m, k } = parse(parameters)?;
        if !(1..=k).contains(&m) || k > LONGEST {
            return Err(format!(
                "`m` is {m} and `k` is {k}; m has to be at least 1 and at most k, and k at most {LONGEST}"
            ));
        }
        let (streams, tenants, rule) = (Vec::new(), Vec::new(), ListRule::default());
        Ok(Box::new(Dbp { default: Firm { m, k }, streams, tenants, rule }))
    },
};

/// The longest window. Our choice, because one longer than any run would make no difference.
const LONGEST: usize = 1_000_000;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    m: usize,
    k: usize,
}

impl Default for Parameters {
    /// Our choice, because nine in ten is a usual target of SLA rates.
    fn default() -> Self {
        Self { m: 9, k: 10 }
    }
}

struct Dbp {
    default: Firm,
    /// The stream of each tenant.
    streams: Vec<Stream>,
    /// The tenants of the jobs of the last view, by ascending id.
    tenants: Vec<(JobId, u32)>,
    /// The order by (distance, deadline).
    rule: ListRule<(usize, Time)>,
}

/// The last requests of a tenant.
struct Stream {
    firm: Firm,
    /// Whether the last k requests were met, as a ring buffer.
    met: Vec<bool>,
    next: usize,
    distance: usize,
}

impl Scheduler for Dbp {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        self.tenants.clear();
        self.tenants.extend(view.jobs().iter().map(|job| (job.id, job.tenant)));
        for job in view.jobs() {
            for tenant in self.streams.len() as u32..=job.tenant {
                self.streams.push(Stream::new(view.firm(tenant).unwrap_or(self.default)));
            }
        }
        let streams = &self.streams;
        self.rule.place_by(view, out, |sub| {
            let job = view.job_of(sub);
            (streams[job.tenant as usize].distance, job.deadline)
        });
    }

    fn observe(&mut self, record: &Record) {
        let (Record::Done { request, .. } | Record::Drop { request, .. }) = *record else { return };
        let (job, met) = (JobId(request.0), record.met() == Some(true));
        // A job that has come and gone between two decisions is in no view.
        if let Ok(place) = self.tenants.binary_search_by_key(&job, |&(job, _)| job) {
            self.streams[self.tenants[place].1 as usize].ends(met);
        }
    }
}

impl Stream {
    fn new(firm: Firm) -> Self {
        let mut stream = Self { firm, met: vec![true; firm.k], next: 0, distance: 0 };
        stream.distance = stream.distance();
        stream
    }

    fn ends(&mut self, met: bool) {
        self.met[self.next] = met;
        self.next = (self.next + 1) % self.firm.k;
        self.distance = self.distance();
    }

    fn distance(&self) -> usize {
        let k = self.firm.k;
        let back = (1..=k).filter(|&place| self.met[(self.next + k - place) % k]);
        { back }.nth(self.firm.m - 1).map_or(0, |place| k - place + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_the_misses_to_failure() {
        // (2, 4)-firm. All met: 4 - 2 + 1 = 3 misses in a row leave one met of the last four. After a miss 2, after
        // two 1, after three 0: it has failed. Then met: 1 of the last four, still failed; met again: the second place,
        // 3 again.
        let mut stream = Stream::new(Firm { m: 2, k: 4 });
        assert_eq!(stream.distance, 3);
        let distances = [false, false, false, true, true].map(|met| {
            stream.ends(met);
            stream.distance
        });
        assert_eq!(distances, [2, 1, 0, 0, 3]);
    }
}
