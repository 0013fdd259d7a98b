//! Whether a tenant reaches its target SLA rate (`target_hit_rate`). Groups other than tenants have no target, and
//! empty cells.

use super::sla::Sla;
use super::{Column, Metric, Value};
use crate::sim::{Origin, Record, Recorder};

pub(super) const ENTRY: Metric<Target> = Metric {
    name: "target",
    doc: "Target SLA rate of a tenant, and whether it is reached",
    columns: &[],
    of_groups: &[
        Column::undirected("target_hit_rate", "Target SLA rate of the tenant", |target: &Target| {
            target.hit_rate.map_or(Value::NONE, Value::Real)
        })
        .share(),
        Column::higher(
            "target_reached",
            "1 if the tenant's SLA rate is at least its target, else 0",
            |target: &Target| {
                target
                    .hit_rate
                    .map_or(Value::NONE, |wanted| Value::flag(target.sla.rate().as_f64() >= wanted))
            },
        )
        .share(),
    ],
    hears_layers: false,
    new: |context| Target { hit_rate: context.terms.target_hit_rate, sla: Sla::default() },
};

pub(super) struct Target {
    hit_rate: Option<f64>,
    sla: Sla,
}

impl Recorder for Target {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.sla.record(record, origin);
    }
}
