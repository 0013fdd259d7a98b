//! `Serving-Free`: a site has a free slot and requests in a queue: wait, or launch so many of a queue on a variant.
//!
//! Action 0 waits; then, for each model and each of its variants, an action for each batch size launches so many of those
//! that were delivered first. With fewer in the queue it launches all of them; with none, it waits.

use mascot::serve::{Action, Dispatch, FleetModel, FleetView, Moment};
use mascot::units::Time;

use super::book::{SERVICES, WINDOWS};
use super::{Options, Row, Run, scaled};
use crate::envs::Shape;

/// Who is asked.
pub(super) enum Question {
    /// The agent.
    Agent,
    /// The rule: it is not about a queue.
    Rule,
    /// Nobody: this is what happens.
    Answered(Dispatch),
}

/// What is asked of a site: its number, for a moment that is about one.
fn site_of(moment: Moment) -> Option<usize> {
    match moment {
        Moment::Free(site) | Moment::Wake(site) => Some(site),
        Moment::Arrived(_) => None,
    }
}

pub(super) fn question(view: &FleetView, moment: Moment, options: Options) -> Question {
    let Some(site) = site_of(moment) else { return Question::Rule };
    let mut dispatch = Dispatch::default();
    let has_gone = |arrival: Time| view.now().saturating_sub(arrival) >= options.patience;
    for model in 0..view.model().models.len() {
        let gone = view.queue(model).filter(|request| has_gone(request.arrival));
        dispatch.actions.extend(gone.map(|request| Action::Reject { request: request.id }));
    }
    if !dispatch.actions.is_empty() {
        dispatch.actions.push(Action::Wake { site, at: view.now() });
        return Question::Answered(dispatch);
    }
    let is_queued = (0..view.model().models.len()).any(|model| view.queue_len(model) > 0);
    match is_queued && view.free_slots() > 0 {
        true => Question::Agent,
        false => Question::Answered(dispatch),
    }
}

/// What the actions behind 0 launch: model, variant, number of requests.
fn launches(model: &FleetModel) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
    model.models.iter().enumerate().flat_map(|(place, served)| {
        let variants = 0..served.variants.len();
        variants.flat_map(move |variant| {
            served.batches.iter().map(move |&batch| (place, variant, batch as usize))
        })
    })
}

pub(super) fn shape(model: &FleetModel, options: Options) -> Shape {
    let choices = 1 + launches(model).count();
    let queue = 1 + 3 * options.oldest + WINDOWS.len();
    let site = 3 + SERVICES + model.sites.len();
    Shape {
        observation: model.models.len() * queue + site,
        mask: choices,
        action: 1,
        choices: choices as i64,
        rewards: 1,
    }
}

pub(super) fn dispatch(run: &Run, moment: Moment, action: i64, options: Options) -> Dispatch {
    let (view, site) = (run.view(), site_of(moment).expect("the agent is asked about sites"));
    let wait = || {
        let at = Time((view.now().0 / options.wait.0).saturating_add(1).saturating_mul(options.wait.0));
        Action::Wake { site, at }
    };
    let launch = |(model, variant, count): (usize, usize, usize)| {
        let count = count.min(view.queue_len(model));
        (count > 0).then_some(Action::Launch { site, model, variant, count })
    };
    let asked = (action as usize).checked_sub(1).and_then(|place| launches(&run.model).nth(place));
    let action = asked.and_then(launch).unwrap_or_else(wait);
    Dispatch { actions: vec![action], ..Dispatch::default() }
}

/// For each model: the length of its queue; for each of the oldest requests 1, its age and its slack, or zeros; the arrivals
/// in the windows. For the site: free slots, orders in service, backlog, the last service times relative to the tables, and
/// which site it is.
pub(super) fn observe(run: &Run, options: Options, row: &mut Row, mask: &mut [i8]) {
    let (view, now) = (run.view(), run.view().now());
    let site = run.moment.and_then(site_of).expect("the agent is asked about sites");
    for model in 0..run.model.models.len() {
        row.push(scaled(view.queue_len(model) as f64));
        let mut seen = 0;
        for request in view.queue(model).take(options.oldest) {
            row.extend([1.0, run.units(now - request.arrival), run.until(request.due, now)]);
            seen += 1;
        }
        row.extend(std::iter::repeat_n(0.0, 3 * (options.oldest - seen)));
        let asks = |tenant: usize| run.model.clients[tenant].model == model;
        row.extend(run.book.arrived(now, asks).map(|number| scaled(number as f64)));
    }
    let known = view.site(site);
    row.extend([scaled(f64::from(view.free_slots())), scaled(f64::from(known.in_service))]);
    row.push(run.units(known.backlog));
    let services = run.book.services.iter().rev().map(|&ratio| scaled(ratio));
    row.extend(services.chain(std::iter::repeat(0.0)).take(SERVICES));
    row.one_hot(site, run.model.sites.len());
    mask[0] = 1;
    let legal = |(model, _, count)| run.model.sites[site].deployed[model] && view.queue_len(model) >= count;
    mask[1..].iter_mut().zip(launches(&run.model)).for_each(|(mask, of)| *mask = i8::from(legal(of)));
}
