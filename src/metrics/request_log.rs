//! The request log: one row per request that arrived, the source of requests.csv and of sums per tenant. Times are
//! absolute.

use super::shares::{Account, Shares};
use crate::sim::{DropReason, JobId, Origin, Record, Recorder, Request, RequestId};
use crate::units::{Picojoules, Time};

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestRow {
    /// The request's id.
    pub request: RequestId,
    /// The job that served it.
    pub job: JobId,
    /// The request whose end brought this one, if it follows another.
    pub after: Option<RequestId>,
    /// What the request asked for, with its actual arrival and deadline.
    pub asked: Request,
    /// Whether the request belongs to the measurement window.
    pub measured: bool,
    /// When its first layer started, if one did.
    pub start: Option<Time>,
    /// When its last layer ended, if it did.
    pub finish: Option<Time>,
    /// Why it was dropped, if it was.
    pub dropped: Option<DropReason>,
    /// When it was done or dropped, or the end of the run if it was open then.
    pub end: Option<Time>,
    /// Where its time went until then.
    pub shares: Shares,
    /// Energy of the request's layers that have ended.
    pub energy: Picojoules,
}

impl RequestRow {
    /// Whether the request was finished by its deadline.
    pub fn is_met(&self) -> bool {
        self.finish.is_some_and(|finish| self.asked.is_met_at(finish))
    }
}

/// The fold, which keeps a row per request.
#[derive(Default)]
pub struct RequestLog {
    rows: Vec<RequestRow>,
    /// The account of each row.
    accounts: Vec<Account>,
    /// The layer that runs on each accelerator, if any.
    running: Vec<Option<Running>>,
}

/// A layer that runs for a request.
#[derive(Clone, Copy)]
struct Running {
    request: RequestId,
    start: Time,
    alone: Time,
}

impl RequestLog {
    /// All requests that have arrived, measured or not, in order of arrival.
    pub fn rows(&self) -> &[RequestRow] {
        &self.rows
    }

    fn arrive(&mut self, row: RequestRow) {
        assert_eq!(self.rows.len(), row.request.0 as usize, "requests are numbered in the order of arrival");
        self.accounts.push(Account::new(row.asked.arrival));
        self.rows.push(row);
    }

    fn start(&mut self, accelerator: usize, running: Running) {
        if self.running.len() <= accelerator {
            self.running.resize(accelerator + 1, None);
        }
        let place = running.request.0 as usize;
        self.rows[place].start.get_or_insert(running.start);
        // On a fleet, a batch may start after its first request has ended.
        if self.accounts[place].is_open() {
            self.accounts[place].start(running.start);
            self.running[accelerator] = Some(running);
        }
    }

    /// Takes a layer from its accelerator, where it has ended or its request has.
    fn stop(&mut self, accelerator: usize, now: Time) {
        if let Some(Running { request, start, alone }) = self.running[accelerator].take() {
            self.accounts[request.0 as usize].finish(now, now - start, alone);
        }
    }

    /// Ends a request: layers that run on no longer count.
    fn close(&mut self, RequestId(id): RequestId, now: Time) {
        for accelerator in 0..self.running.len() {
            if self.running[accelerator].is_some_and(|running| running.request.0 == id) {
                self.stop(accelerator, now);
            }
        }
        let row = &mut self.rows[id as usize];
        (row.end, row.shares) = (Some(now), self.accounts[id as usize].close(now));
    }

    fn close_all(&mut self, now: Time) {
        let open = (0..self.rows.len() as u32).filter(|&id| self.accounts[id as usize].is_open());
        open.collect::<Vec<_>>().into_iter().for_each(|id| self.close(RequestId(id), now));
    }

    /// The row of the request that a record is about.
    fn row(&mut self, record: &Record) -> &mut RequestRow {
        let request = record.request().expect("it is about a request or its layers");
        &mut self.rows[request.0 as usize]
    }
}

impl Recorder for RequestLog {
    fn record(&mut self, record: &Record, Origin { measured, .. }: Origin) {
        match *record {
            Record::Arrival { request, job, asked, after } => self.arrive(RequestRow {
                request,
                job,
                after,
                asked,
                measured,
                start: None,
                finish: None,
                dropped: None,
                end: None,
                shares: Shares::default(),
                energy: Picojoules(0.0),
            }),
            Record::Start { time, sub_job, accelerator, alone, .. } => {
                let request = RequestId(sub_job.job.0);
                self.start(accelerator, Running { request, start: time, alone });
            }
            Record::Finish { time, accelerator, energy, .. } => {
                self.stop(accelerator, time);
                self.row(record).energy += energy;
            }
            Record::Done { time, request, .. } => {
                self.row(record).finish = Some(time);
                self.close(request, time);
            }
            Record::Drop { time, request, reason, .. } => {
                self.row(record).dropped = Some(reason);
                self.close(request, time);
            }
            Record::End { time } => self.close_all(time),
            _ => {}
        }
    }
}

/// Layer energy of measured requests by tenant; the sum over tenants is the column `energy_layers_uj`.
pub fn layer_energy_by_tenant(rows: &[RequestRow]) -> Vec<Picojoules> {
    let tenants = rows.iter().map(|row| row.asked.tenant as usize + 1).max().unwrap_or(0);
    let mut by_tenant = vec![Picojoules(0.0); tenants];
    for row in rows.iter().filter(|row| row.measured) {
        by_tenant[row.asked.tenant as usize] += row.energy;
    }
    by_tenant
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::Example;

    #[test]
    fn a_row_tells_what_became_of_a_request() {
        let example = Example::new();
        let mut log = RequestLog::default();
        example.record(&mut log);
        let told: Vec<_> = log
            .rows()
            .iter()
            .map(|row| {
                (row.start.map(|t| t.0 / 1000), row.finish.map(|t| t.0 / 1000), row.is_met(), row.energy.0)
            })
            .collect();
        assert_eq!(
            told,
            [
                (Some(0), Some(15), true, 1.0),
                (Some(15), Some(25), false, 1.0),
                (Some(5), Some(35), true, 2.0),
                (Some(35), None, false, 1.0),
                (Some(35), Some(65), true, 2.0),
                (Some(60), None, false, 0.0),
            ]
        );
        let dropped = |row: &RequestRow| row.dropped == Some(DropReason::Scheduler);
        assert!(log.rows().iter().all(|row| dropped(row) == (row.request.0 == 3)));
        // r3 is dropped at 45; r5 is open at the end.
        let ends: Vec<_> = log.rows().iter().map(|row| row.end.map(|end| end.0 / 1000)).collect();
        assert_eq!(ends, [15, 25, 35, 45, 65, 65].map(Some));
        assert!(log.rows().iter().all(|row| row.measured == (1..5).contains(&row.request.0)));
    }

    #[test]
    fn the_time_of_requests_divides_into_its_shares() {
        let example = Example::new();
        let mut log = RequestLog::default();
        example.record(&mut log);
        let ns = |row: &RequestRow| {
            [row.shares.waiting, row.shares.running, row.shares.slowed].map(|time| time.0 / 1000)
        };
        let shares: Vec<_> = log.rows().iter().map(ns).collect();
        // r0 runs for 15 with a c1 of 10; r1 waits for it; r3 is dropped after 10 of its 15, r5 is open at the end.
        assert_eq!(shares, [[0, 10, 5], [10, 10, 0], [0, 30, 0], [0, 10, 0], [0, 30, 0], [0, 5, 0]]);
    }

    #[test]
    fn the_energy_of_tenants_adds_up_to_the_column() {
        let example = Example::new();
        let mut log = RequestLog::default();
        example.record(&mut log);
        // Tenant 0: r1 and r3 (r0 and r5 are not measured). Tenant 1: two layers each of r2 and r4.
        let by_tenant = layer_energy_by_tenant(log.rows());
        assert_eq!(by_tenant, [Picojoules(2.0), Picojoules(4.0)]);
        let total: Picojoules = by_tenant.into_iter().sum();
        example.assert(&[("energy_layers_uj", total.0 / 1e6)]);
    }
}
