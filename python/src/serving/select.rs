//! `Serving-Select`: at the beginning of every window, which dispatcher of the experiment decides until its end?

use mascot::serve::FleetModel;

use super::book::WINDOWS;
use super::{Row, Run, scaled};
use crate::envs::Shape;

pub(super) fn shape(model: &FleetModel, rules: usize) -> Shape {
    Shape {
        observation: model.clients.len() * WINDOWS.len() + model.sites.len() * 3 + 3 * rules,
        mask: rules,
        action: 1,
        choices: rules as i64,
        rewards: 1,
    }
}

/// Of each tenant: its arrivals in the windows. Of each site: requests queued and in service, backlog. Of each rule: whether
/// it decides now, and of its last window the number of requests that ended and their mean quality.
pub(super) fn observe(run: &Run, row: &mut Row, mask: &mut [i8]) {
    let (view, now) = (run.view(), run.view().now());
    for tenant in 0..run.model.clients.len() {
        row.extend(run.book.arrived(now, |other| other == tenant).map(|number| scaled(number as f64)));
    }
    for site in 0..run.model.sites.len() {
        let known = view.site(site);
        row.extend([known.queued, known.in_service].map(|number| scaled(f64::from(number))));
        row.push(run.units(known.backlog));
    }
    row.one_hot(run.leader, run.rules.len());
    for rule in 0..run.rules.len() {
        let [ended, worth] = run.book.windows.get(&rule).copied().unwrap_or_default();
        row.extend([scaled(ended), (worth / ended.max(1.0)) as f32]);
    }
    mask.fill(1);
}
