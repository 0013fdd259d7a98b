//! Violations of a tenant's (m,k)-firm terms ([`Firm`]): the number of (overlapping) windows of k consecutive measured
//! requests, in order of arrival, of which fewer than m are met. Groups other than tenants have no terms, and an empty
//! cell.

use super::{Column, Metric, Value};
use crate::sim::{Origin, Record, Recorder, RequestId};
use crate::workload::Firm;

pub(super) const ENTRY: Metric<Violations> = Metric {
    name: "firm",
    doc: "Violations of (m,k)-firm terms (Hamdaoui and Ramanathan, IEEE Transactions on Computers 44(12), 1995)",
    columns: &[],
    of_groups: &[Column::lower(
        "mk_violations",
        "(m,k)-firm: windows of k consecutive requests of the tenant with fewer than m met",
        |violations: &Violations| violations.firm.map_or(Value::NONE, |firm| violations.count(firm)),
    )],
    hears_layers: false,
    new: |context| Violations { firm: context.terms.firm, met: Vec::new() },
};

pub(super) struct Violations {
    firm: Option<Firm>,
    /// The requests in order of arrival, and whether they are met; empty without terms.
    met: Vec<(RequestId, bool)>,
}

impl Violations {
    fn count(&self, Firm { m, k }: Firm) -> Value {
        let runs = self.met.windows(k).map(|run| run.iter().filter(|(_, met)| *met).count());
        Value::Count(runs.filter(|&met| met < m).count() as u64)
    }
}

impl Recorder for Violations {
    fn record(&mut self, record: &Record, origin: Origin) {
        if self.firm.is_none() || !origin.measured {
            return;
        }
        match *record {
            Record::Arrival { request, .. } => self.met.push((request, false)),
            Record::Done { request, .. } => {
                let place = self.met.binary_search_by_key(&request, |&(request, _)| request);
                self.met[place.expect("a request is done after it has arrived")].1 =
                    record.met() == Some(true);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violations_are_counted_in_every_run_of_k() {
        let met = [true, false, false, true, true, false];
        let met = (0..).map(RequestId).zip(met).collect();
        let violations = Violations { firm: None, met };
        // Runs of 3: TFF FFT FTT TTF have 1, 1, 2, 2 met.
        assert_eq!(violations.count(Firm { m: 2, k: 3 }), Value::Count(2));
        assert_eq!(violations.count(Firm { m: 1, k: 3 }), Value::Count(0));
        assert_eq!(violations.count(Firm { m: 1, k: 7 }), Value::Count(0));
    }
}
