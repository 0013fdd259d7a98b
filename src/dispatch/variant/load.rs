//! What a site knows of its load: the rate at which requests are queued, and the throughput of a variant.

use std::collections::BTreeMap;

use crate::dispatch::Queue;
use crate::serve::{FleetView, Record};
use crate::sim::RequestId;
use crate::units::Time;

/// The rates of arrival in the queues, from moving averages of the gaps between arrivals.
pub(super) struct Rates {
    weight: f64,
    /// The tenants of the requests that are not queued yet.
    tenants: BTreeMap<RequestId, usize>,
    /// What was queued since the last look: the site, the tenant and the time.
    fresh: Vec<(usize, usize, Time)>,
    /// By site and model the last arrival, and the mean gap in picoseconds if there were two.
    gaps: BTreeMap<(usize, usize), (Time, Option<f64>)>,
}

impl Rates {
    /// `weight` is that of a new gap in the moving average.
    pub(super) fn new(weight: f64) -> Self {
        Self { weight, tenants: BTreeMap::new(), fresh: Vec::new(), gaps: BTreeMap::new() }
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
        for (site, tenant, time) in self.fresh.drain(..) {
            let place = (site, view.model().clients[tenant].model);
            let Some((last, mean)) = self.gaps.get_mut(&place) else {
                self.gaps.insert(place, (time, None));
                continue;
            };
            let gap = (time - *last).as_ps();
            *mean = Some(mean.map_or(gap, |mean| mean + self.weight * (gap - mean)));
            *last = time;
        }
        let gap = self.gaps.get(&(queue.site, queue.model)).and_then(|(_, mean)| *mean);
        gap.map_or(0.0, |gap| 1.0 / gap)
    }
}

/// The requests per picosecond that a site can answer with a variant, in the batches that are best for that, if it runs
/// as many orders at once as it has slots and accelerators.
pub(super) fn throughput(view: &FleetView, queue: &Queue, variant: usize) -> f64 {
    let site = &view.model().sites[queue.site];
    let at_once = (site.slots as usize).min(site.world.platform.accelerators.len());
    let of_batch = |&batch: &u32| {
        let service = view.model().service(queue.site, queue.model, variant, batch as usize);
        f64::from(batch) / service.as_ps()
    };
    at_once as f64 * queue.served.batches.iter().map(of_batch).fold(0.0, f64::max)
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
