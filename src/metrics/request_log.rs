//! The request log: one row per request that arrived, the source of requests.csv and of sums per tenant. Times are
//! absolute.

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
}

impl RequestLog {
    /// All requests that have arrived, measured or not, in order of arrival.
    pub fn rows(&self) -> &[RequestRow] {
        &self.rows
    }

    fn arrive(&mut self, row: RequestRow) {
        assert_eq!(self.rows.len(), row.request.0 as usize, "requests are numbered in the order of arrival");
        self.rows.push(row);
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
                energy: Picojoules(0.0),
            }),
            Record::Start { time, .. } => {
                self.row(record).start.get_or_insert(time);
            }
            Record::Finish { energy, .. } => self.row(record).energy += energy,
            Record::Done { time, .. } => self.row(record).finish = Some(time),
            Record::Drop { reason, .. } => self.row(record).dropped = Some(reason),
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
        assert!(log.rows().iter().all(|row| row.measured == (1..5).contains(&row.request.0)));
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
