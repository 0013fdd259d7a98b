//! System throughput: the sum of the progress of co-running programs, each of which is a tenant's requests for one
//! network. It equals the number of programs if all run as if alone.

use super::progress::{Part, Progress};
use super::{Column, Metric, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: Metric<Stp> = Metric {
    name: "stp",
    doc: "System throughput (Eyerman and Eeckhout, IEEE Micro 28(3), 2008) over co-running networks, dropped requests at 0",
    columns: &[Column::higher(
        "stp",
        "Sum over tenants and their networks of progress: mean isolated latency / latency of measured requests",
        |stp: &Stp| Value::Real(stp.0.parts.iter().filter_map(Part::progress).sum()),
    )],
    of_groups: &[],
    hears_layers: false,
    new: |context| Stp(Progress::of_programs(&context.world)),
};

pub(super) struct Stp(Progress);

impl Recorder for Stp {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.0.record(record, origin);
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn the_sum_of_progress_with_dropped_requests_at_zero() {
        // Tenant 0: (r1 10/20 + r3 0) / 2 = 1/4. Tenant 1: (r2 30/30 + r4 30/30) / 2 = 1.
        Example::new().assert(&[("stp", 1.25)]);
    }

    #[test]
    fn every_network_of_a_tenant_and_every_tenant_of_a_network_counts() {
        let mut example = Example::new();
        // One tenant runs both networks: still 1/4 + 1.
        example.trace.requests.iter_mut().for_each(|request| request.tenant = 0);
        example.assert(&[("stp", 1.25)]);
        // r1 and r3 are of two tenants that run the same network: 1/2 + 0, and 1 of the other.
        example.trace.requests[3].tenant = 1;
        example.assert(&[("stp", 1.5)]);
    }

    #[test]
    fn a_tenant_without_measured_requests_adds_nothing() {
        let mut example = Example::new();
        example.trace.requests[5].tenant = 9;
        example.assert(&[("stp", 1.25)]);
    }
}
