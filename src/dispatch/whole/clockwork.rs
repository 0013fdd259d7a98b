//! `clockwork`: nothing is started that cannot be in time. A request that no site answers in time with any variant, by
//! what is known of ways and backlogs, is rejected when it arrives; else it goes where the most accurate variant that
//! makes it makes it, to the site with the earliest answer. There, orders have exact windows: the most accurate variant,
//! and the largest order, with which all are in time, and what has missed its latest start is rejected.
//!
//! At a site this is the batch rule `clockwork` with the variant rule `fits`. Clockwork itself knows what each worker
//! will do until when, because it has planned it; a dispatcher here knows backlogs as old as their reports. It has no
//! variants; trying them from the most accurate one down is ours. Its loading of weights is left out.

use toml::Table;

use super::composed;
use crate::dispatch::{Composed, RuleEntry};
use crate::serve::{Action, Dispatch, Dispatcher, FleetModel, FleetView, Moment, Record, RequestView};
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Dispatcher> = RuleEntry {
    name: "clockwork",
    doc: "rejects on arrival what cannot be in time anywhere; else the most accurate variant that makes it, at the site of the earliest answer, in the largest order in which all are in time",
    source: "Clockwork (Gujarati et al., OSDI 2020), from memory; variants and several sites are ours",
    parameters: &[crate::dispatch::MAX],
    draws: false,
    build: |parameters: &Table, _| {
        Ok(Box::new(Clockwork { at_site: composed("closest", "fits", "clockwork", parameters)? }))
    },
};

struct Clockwork {
    at_site: Composed,
}

impl Dispatcher for Clockwork {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        let Moment::Arrived(id) = moment else { return self.at_site.decide(view, moment, out) };
        let Some(request) = view.request(id) else { return };
        out.actions.push(match site(view, &request, &mut out.operations) {
            Some(site) => Action::Send { request: id, site },
            None => Action::Reject { request: id },
        });
    }

    fn check(&self, model: &FleetModel) -> Result<(), String> {
        self.at_site.check(model)
    }

    fn observe(&mut self, record: &Record) {
        self.at_site.observe(record);
    }
}

/// The site with the earliest answer by the most accurate variant that is in time at some site.
fn site(view: &FleetView, request: &RequestView, spent: &mut Operations) -> Option<usize> {
    let model = view.model();
    let client = &model.clients[request.tenant];
    let served = &model.models[request.model];
    let start = |site: usize| {
        let there = view.now().saturating_add(view.way_there(request.tenant, site)?);
        Some(there.saturating_add(Time(view.site(site).backlog.0 / model.sites[site].at_once() as u64)))
    };
    let sites: Vec<(usize, Time)> = (0..model.sites.len())
        .filter(|&site| model.serves(site, client))
        .filter_map(|site| Some((site, start(site)?)))
        .collect();
    for variant in served.from_best(client.min_accuracy) {
        spent.comparisons += 2 * sites.len() as u64;
        let answer = |&(site, start): &(usize, Time)| {
            let service = model.service(site, request.model, variant, 1);
            let back = view.way_back(request.tenant, site).unwrap_or(Time::MAX);
            (start.saturating_add(service).saturating_add(back), site)
        };
        let (earliest, site) = sites.iter().map(answer).min()?;
        if earliest <= request.deadline {
            return Some(site);
        }
    }
    None
}
