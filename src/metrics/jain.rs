//! Jain's fairness index over the progress of tenants: (sum)^2 / (n x sum of squares), from 1/n (one gets everything)
//! to 1 (all progress alike), whatever their priorities. The index is over users: a single tenant is always treated
//! fairly, whatever happens to its networks; for networks see `fairness`.

use super::progress::{Part, Progress};
use super::{Column, Metric, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: Metric<Jain> = Metric {
    name: "jain",
    doc: "Jain's fairness index (Jain, Chiu and Hawe, DEC TR-301, 1984) over the progress of tenants",
    columns: &[Column::higher(
        "jain",
        "(sum of progress)^2 / (tenants x sum of its squares); empty if no tenant progresses",
        Jain::index,
    )
    .share()],
    of_groups: &[],
    hears_layers: false,
    new: |context| Jain(Progress::of_tenants(&context.world)),
};

pub(super) struct Jain(Progress);

impl Jain {
    fn index(&self) -> Value {
        let progress: Vec<f64> = self.0.parts.iter().filter_map(Part::progress).collect();
        let sum: f64 = progress.iter().sum();
        let squares: f64 = progress.iter().map(|progress| progress * progress).sum();
        Value::per(sum * sum, progress.len() as f64 * squares)
    }
}

impl Recorder for Jain {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.0.record(record, origin);
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::testing::Example;

    #[test]
    fn unequal_progress_lowers_it() {
        // Progress 1/4 and 1: 1.25^2 / (2 x (1/16 + 1)).
        Example::new().assert(&[("jain", 1.5625 / 2.125)]);
    }

    #[test]
    fn one_tenant_alone_is_treated_fairly() {
        let mut example = Example::new();
        example.trace.requests.iter_mut().for_each(|request| request.tenant = 0);
        example.assert(&[("jain", 1.0)]);
    }
}
