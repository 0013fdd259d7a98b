//! `clockwork`: nothing is started that cannot be in time. A request that no site answers in time with any variant, by
//! what is known of ways and backlogs, is rejected when it arrives; else it goes to the site with the earliest answer by
//! the most accurate variant that makes it somewhere. There, orders have exact windows: the most accurate variant, and the
//! largest order, with which all are in time, and what has missed its latest start is rejected.
//!
//! At a site this is the batch rule `clockwork` with the variant rule `fits`. Clockwork itself knows what each worker
//! will do until when, because it has planned it; a dispatcher here knows backlogs as old as their reports. It has no
//! variants; trying them from the most accurate one down is ours. Its loading of weights is left out.

use super::composed;
use crate::dispatch::parts::{Parts, decide};
use crate::dispatch::{Batching, Composed, MAX, Queue, RuleEntry};
use crate::serve::{Dispatch, Dispatcher, FleetView, Moment, Record, RequestView};
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Dispatcher> = RuleEntry {
    name: "clockwork",
    doc: "rejects on arrival what no site answers in time; else the most accurate variant that makes it, at the site of its earliest answer, in the largest order in which all are in time",
    source: "Clockwork (Gujarati et al., OSDI 2020), from memory; variants and several sites are ours",
    parameters: &[MAX],
    draws: false,
    build: |parameters, _| {
        Ok(Box::new(Clockwork { at_site: composed("closest", "fits", "clockwork", parameters)? }))
    },
};

struct Clockwork {
    at_site: Composed,
}

impl Dispatcher for Clockwork {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        decide(self, view, moment, out);
    }

    fn observe(&mut self, record: &Record) {
        self.at_site.observe(record);
    }
}

impl Parts for Clockwork {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> Option<usize> {
        let model = view.model();
        let starts: Vec<Time> = sites.iter().map(|&site| start(view, request, site)).collect();
        let least = model.clients[request.tenant].terms.min_accuracy;
        for variant in model.models[request.model].from_best(least) {
            spent.comparisons += sites.len() as u64;
            let answer = |(&site, start): (&usize, &Time)| {
                let service = model.service(site, request.model, variant, 1);
                let back = view.way_back(request.tenant, site).unwrap_or(Time::MAX);
                (start.saturating_add(service).saturating_add(back), site)
            };
            let earliest = sites.iter().zip(&starts).map(answer).min();
            if let Some((_, site)) = earliest.filter(|(time, _)| *time <= request.deadline) {
                return Some(site);
            }
        }
        None
    }

    fn batching(&mut self, view: &FleetView, queue: &Queue, spent: &mut Operations) -> Batching {
        self.at_site.batching(view, queue, spent)
    }

    fn variant(&mut self, view: &FleetView, queue: &Queue, count: usize, spent: &mut Operations) -> usize {
        Parts::variant(&mut self.at_site, view, queue, count, spent)
    }
}

/// When a request can start at a site: after its way there and the backlog, shared by the servers.
fn start(view: &FleetView, request: &RequestView, site: usize) -> Time {
    let there = view.way_there(request.tenant, site).unwrap_or(Time::MAX);
    let waiting = view.site(site).backlog.0 / view.model().sites[site].at_once() as u64;
    view.now().saturating_add(there).saturating_add(Time(waiting))
}
