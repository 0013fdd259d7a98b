//! `Serving-Clients`: one agent for each tenant sends the requests of its own, and knows of its own only.
//!
//! A step is one arrival: the agent whose request it is is asked, and what the others say is ignored.

use mascot::serve::{Dispatch, FleetModel, Moment};
use mascot::units::Time;

use super::book::{OUTCOMES, WINDOWS};
use super::{Row, Run, route, scaled};
use crate::envs::Shape;

/// Numbers of an outcome in an observation, beside the site.
const OF_OUTCOME: usize = 3;

fn of_agent(model: &FleetModel) -> usize {
    let sites = model.sites.len();
    2 + WINDOWS.len() + 2 * sites + OUTCOMES * (OF_OUTCOME + sites)
}

pub(super) fn shape(model: &FleetModel) -> Shape {
    let (sites, agents) = (model.sites.len(), model.clients.len());
    Shape {
        observation: agents * of_agent(model),
        mask: agents * (sites + 1),
        action: agents,
        choices: sites as i64 + 1,
        rewards: agents,
    }
}

/// The tenant that is asked.
fn asked(run: &Run) -> usize {
    let Some(Moment::Arrived(request)) = run.moment else { unreachable!("agents are asked about arrivals") };
    run.view().request(request).expect("it waits at its node").tenant
}

pub(super) fn dispatch(run: &Run, moment: Moment, action: &[i64]) -> Dispatch {
    let Moment::Arrived(request) = moment else { unreachable!("agents are asked about arrivals") };
    let tenant = asked(run);
    route::send(&run.view(), request, tenant, action[tenant])
}

/// Of each agent: whether it is asked, and the slack of its request then; its arrivals in the windows; for each site whether
/// it is served there, and the way there and back; of its last requests 1, delay, quality and site, the latest first.
pub(super) fn observe(run: &Run, row: &mut Row, mask: &mut [i8]) {
    let (view, tenant) = (run.view(), asked(run));
    let sites = run.model.sites.len();
    for (agent, mask) in mask.chunks_exact_mut(sites + 1).enumerate() {
        let own = view.for_tenant(agent);
        let waiting = own.waiting().next().filter(|_| agent == tenant);
        row.push(f32::from(u8::from(agent == tenant)));
        row.push(waiting.map_or(0.0, |request| run.until(request.deadline, own.now())));
        row.extend(run.book.arrived(own.now(), |other| other == agent).map(|number| scaled(number as f64)));
        mask.fill(1);
        for (site, mask) in mask[..sites].iter_mut().enumerate() {
            let serves = run.model.serves(site, own.client());
            *mask = i8::from(serves);
            let ways = own.ways(site).map_or(Time::ZERO, |[there, back]| there + back);
            row.extend([f32::from(u8::from(serves)), run.units(ways)]);
        }
        let outcomes = &run.book.outcomes[agent];
        for outcome in outcomes.iter().rev() {
            row.extend([1.0, run.units(outcome.delay), outcome.quality as f32]);
            row.one_hot(outcome.site.unwrap_or(usize::MAX), sites);
        }
        row.extend(std::iter::repeat_n(0.0, (OUTCOMES - outcomes.len()) * (OF_OUTCOME + sites)));
    }
}
