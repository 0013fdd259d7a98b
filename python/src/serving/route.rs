//! `Serving-Route`: a request has arrived at its node: to which site does it go?
//!
//! Action s sends it to site s; the last action rejects it, and so does a site that does not serve its tenant.

use mascot::serve::{Action, Dispatch, FleetModel, FleetView, Moment};
use mascot::sim::RequestId;

use super::book::WINDOWS;
use super::{Row, Run, scaled};
use crate::envs::Shape;

/// Numbers of a site in an observation.
const OF_SITE: usize = 8;

pub(super) fn shape(model: &FleetModel) -> Shape {
    let (sites, tenants) = (model.sites.len(), model.clients.len());
    Shape {
        observation: 1 + WINDOWS.len() + tenants + sites * OF_SITE,
        mask: sites + 1,
        action: 1,
        choices: sites as i64 + 1,
        rewards: 1,
    }
}

/// The request that is asked about.
fn asked(moment: Option<Moment>) -> RequestId {
    match moment {
        Some(Moment::Arrived(request)) => request,
        _ => unreachable!("the agent is asked about arrivals"),
    }
}

/// Sends a request of a tenant to a site that serves it; else rejects it.
pub(super) fn send(view: &FleetView, request: RequestId, tenant: usize, choice: i64) -> Dispatch {
    let (site, model) = (choice as usize, view.model());
    let is_served = site < model.sites.len() && model.serves(site, &model.clients[tenant]);
    let action = if is_served { Action::Send { request, site } } else { Action::Reject { request } };
    Dispatch { actions: vec![action], ..Dispatch::default() }
}

pub(super) fn dispatch(run: &Run, moment: Moment, action: i64) -> Dispatch {
    let (view, request) = (run.view(), asked(Some(moment)));
    let tenant = view.request(request).expect("it waits at its node").tenant;
    send(&view, request, tenant, action)
}

/// Of the request: slack, arrivals of all tenants in the windows, and its tenant. Of each site: whether it serves it, the
/// way there and back, requests queued and in service, backlog and age of what is known, and the means of delay and quality
/// of what was sent there.
pub(super) fn observe(run: &Run, row: &mut Row, mask: &mut [i8]) {
    let (view, now) = (run.view(), run.view().now());
    let request = view.request(asked(run.moment)).expect("it waits at its node");
    row.push(run.until(request.deadline, now));
    row.extend(run.book.arrived(now, |_| true).map(|number| scaled(number as f64)));
    row.one_hot(request.tenant, run.model.clients.len());
    mask.fill(1);
    let sites = run.model.sites.len();
    for (site, mask) in mask[..sites].iter_mut().enumerate() {
        let serves = run.model.serves(site, &run.model.clients[request.tenant]);
        *mask = i8::from(serves);
        let ways = [view.way_there(request.tenant, site), view.way_back(request.tenant, site)];
        let known = view.site(site);
        row.push(f32::from(u8::from(serves)));
        row.push(run.units(ways.into_iter().flatten().fold(mascot::units::Time::ZERO, |sum, way| sum + way)));
        row.extend([known.queued, known.in_service].map(|number| scaled(f64::from(number))));
        row.extend([known.backlog, known.age].map(|time| run.units(time)));
        row.extend(run.book.sites[site].map(scaled));
    }
}
