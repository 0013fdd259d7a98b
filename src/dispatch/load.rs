//! What a site knows of its load: the rate at which requests are queued, and the throughput of a variant.

use std::collections::BTreeMap;

use super::Queue;
use crate::serve::{FleetView, Record};
use crate::sim::RequestId;
use crate::units::Time;

/// The share of a variant's throughput that may be used (INFaaS, as in its code).
pub(super) const USABLE: f64 = 0.95;

/// The rates of arrival in the queues, from moving averages of the gaps between arrivals.
pub(super) struct Rates {
    weight: f64,
    /// The tenants of the requests that are not queued yet.
    tenants: BTreeMap<RequestId, usize>,
    /// What was queued since the last look: the site, the tenant and the time.
    fresh: Vec<(usize, usize, Time)>,
    /// By site and model.
    seen: BTreeMap<(usize, usize), Seen>,
}

impl Rates {
    /// `weight` is that of a new gap in the moving average.
    pub(super) fn new(weight: f64) -> Self {
        Self { weight, tenants: BTreeMap::new(), fresh: Vec::new(), seen: BTreeMap::new() }
    }

    pub(super) fn observe(&mut self, record: &Record) {
        match *record {
            Record::Arrived { request, asked, .. } => {
                self.tenants.insert(request, asked.tenant as usize);
            }
            Record::Queued { time, request, site } => {
                let tenant = self.tenants.remove(&request);
                self.fresh.extend(tenant.map(|tenant| (site, tenant, time)));
            }
            Record::Lost { request, .. } => {
                self.tenants.remove(&request);
            }
            _ => {}
        }
    }

    /// The arrivals per picosecond in a queue; 0 before the second one.
    pub(super) fn of(&mut self, view: &FleetView, queue: &Queue) -> f64 {
        self.count(view);
        let seen = self.seen.get(&(queue.site, queue.model));
        seen.and_then(|seen| seen.gap).map_or(0.0, |gap| 1.0 / gap)
    }

    /// The number of arrivals in a queue so far.
    pub(super) fn arrived(&mut self, view: &FleetView, queue: &Queue) -> u64 {
        self.count(view);
        self.seen.get(&(queue.site, queue.model)).map_or(0, |seen| seen.number)
    }

    fn count(&mut self, view: &FleetView) {
        for (site, tenant, time) in self.fresh.drain(..) {
            let place = (site, view.model().clients[tenant].model);
            let Some(seen) = self.seen.get_mut(&place) else {
                self.seen.insert(place, Seen { number: 1, last: time, gap: None });
                continue;
            };
            let gap = (time - seen.last).as_ps();
            seen.gap = Some(seen.gap.map_or(gap, |mean| mean + self.weight * (gap - mean)));
            (seen.number, seen.last) = (seen.number + 1, time);
        }
    }
}

/// The arrivals in a queue.
struct Seen {
    number: u64,
    last: Time,
    /// The mean gap in picoseconds if there were two.
    gap: Option<f64>,
}

/// The requests per picosecond that a site can answer with a variant, in the batches that are best for that, if it runs
/// as many orders at once as it has slots and accelerators.
pub(super) fn throughput(view: &FleetView, queue: &Queue, variant: usize) -> f64 {
    let site = &view.model().sites[queue.site];
    let of_batch = |&batch: &u32| {
        let service = view.model().service(queue.site, queue.model, variant, batch as usize);
        f64::from(batch) / service.as_ps()
    };
    site.at_once() as f64 * queue.served.batches.iter().map(of_batch).fold(0.0, f64::max)
}

/// The variant with the highest throughput; of equals the most accurate.
pub(super) fn fastest(view: &FleetView, queue: &Queue, allowed: &[usize]) -> usize {
    let mut best = (allowed[0], throughput(view, queue, allowed[0]));
    for &variant in &allowed[1..] {
        let throughput = throughput(view, queue, variant);
        if throughput > best.1 {
            best = (variant, throughput);
        }
    }
    best.0
}
