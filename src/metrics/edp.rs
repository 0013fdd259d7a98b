//! Energy-delay product of a request: energy per measured request (layers, static and policy) x mean latency of
//! finished requests. It is a product of means, because leakage belongs to no single request. Dropping slow requests
//! lowers it.

use super::context::finished;
use super::energy::Energy;
use super::{Column, Given, Metric, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: Metric<Edp> = Metric {
    name: "edp",
    doc: "Energy per request x mean latency (the product is Horowitz's, IEEE Symposium on Low Power Electronics, 1994)",
    columns: &[Column::lower(
        "edp_uj_us",
        "energy_per_request_uj x mean latency of finished measured requests in microseconds",
        |edp: &Edp| Value::per(edp.energy.per_request_uj().as_f64() * edp.latency_us, edp.finished as f64),
    )
    .given(Given::Finished)],
    of_groups: &[],
    hears_layers: true,
    new: |context| Edp { energy: Energy::new(context), latency_us: 0.0, finished: 0 },
};

pub(super) struct Edp {
    energy: Energy,
    latency_us: f64,
    finished: u64,
}

impl Recorder for Edp {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.energy.record(record, origin);
        if let Some(finished) = finished(record, origin) {
            self.latency_us += finished.latency().as_us();
            self.finished += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn the_product_of_two_columns() {
        // 40.25 pJ per request; latencies 20, 30, 30 ns.
        Example::new().assert(&[("edp_uj_us", 40.25e-6 * 0.08 / 3.0)]);
    }
}
