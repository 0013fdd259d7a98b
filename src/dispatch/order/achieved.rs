//! The quality that the tenants of a site got there, as far as the site can know it.
//!
//! A site knows what it has served and when, and what was lost in its queue or in service. The answer is taken to reach
//! its node after the way back without other traffic. What happened at other sites or on a link is not known.

use std::collections::BTreeMap;

use crate::serve::{FleetView, QueuedView, Record};
use crate::sim::{Operations, Request, RequestId};
use crate::units::Time;

/// The variant that served a request, and when it was done.
type Served = (usize, Time);

/// Mean qualities by site and tenant.
#[derive(Default)]
pub(super) struct Achieved {
    /// The requests that have not left their site: what they ask for, their site once they are there, and the variant
    /// that runs.
    open: BTreeMap<RequestId, (Request, Option<usize>, usize)>,
    /// The variant of the order whose members are being named.
    launched: usize,
    /// What has left a site since the last look: the variant and the time if it was served.
    fresh: Vec<(usize, Request, Option<Served>)>,
    /// By site and tenant the sum of qualities and their number.
    sums: BTreeMap<(usize, usize), (f64, u32)>,
}

impl Achieved {
    pub(super) fn observe(&mut self, record: &Record) {
        match *record {
            Record::Arrived { request, asked, .. } => {
                self.open.insert(request, (asked, None, 0));
            }
            Record::Queued { request, site, .. } => {
                self.open.entry(request).and_modify(|open| open.1 = Some(site));
            }
            Record::Launched { variant, .. } => self.launched = variant,
            Record::Member { request, .. } => {
                self.open.entry(request).and_modify(|open| open.2 = self.launched);
            }
            Record::Served { time, request, site } => {
                let open = self.open.remove(&request);
                self.fresh.extend(open.map(|(asked, _, variant)| (site, asked, Some((variant, time)))));
            }
            Record::Lost { request, .. } => {
                let open = self.open.remove(&request);
                self.fresh.extend(open.and_then(|(asked, site, _)| Some((site?, asked, None))));
            }
            _ => {}
        }
    }

    /// The mean quality of a tenant's requests at a site; 0 before the first has ended.
    pub(super) fn mean(&mut self, view: &FleetView, site: usize, tenant: usize) -> f64 {
        for (site, asked, served) in std::mem::take(&mut self.fresh) {
            let tenant = asked.tenant as usize;
            let of = (tenant, asked.arrival, asked.deadline);
            let quality = served.map(|(variant, time)| Self::quality(view, site, of, variant, time));
            let (sum, count) = self.sums.entry((site, tenant)).or_default();
            *sum += quality.unwrap_or(0.0);
            *count += 1;
        }
        let (sum, count) = self.sums.get(&(site, tenant)).copied().unwrap_or_default();
        if count == 0 { 0.0 } else { sum / f64::from(count) }
    }

    /// The quality of an answer that leaves a site at some time, to a request of a tenant with an arrival and a deadline.
    pub(super) fn quality(
        view: &FleetView,
        site: usize,
        (tenant, arrival, deadline): (usize, Time, Time),
        variant: usize,
        leaves: Time,
    ) -> f64 {
        let client = &view.model().clients[tenant];
        let answered = leaves.saturating_add(view.way_back(tenant, site).unwrap_or(Time::MAX));
        let accuracy = view.model().models[client.model].variants[variant].accuracy;
        client.terms.quality([arrival, deadline], answered, accuracy)
    }
}

/// Whether a request is answered in time if it is launched now, alone, on the fastest variant that is accurate enough.
pub(super) fn feasible(view: &FleetView, site: usize, of: &QueuedView, spent: &mut Operations) -> bool {
    let client = &view.model().clients[of.tenant];
    let variants = &view.model().models[client.model].variants;
    spent.comparisons += variants.len() as u64 + 1;
    let enough = (0..variants.len()).filter(|&v| variants[v].accuracy >= client.terms.min_accuracy);
    let fastest = enough.map(|v| view.model().service(site, client.model, v, 1)).min();
    fastest.is_some_and(|service| view.now().saturating_add(service) <= of.due)
}
