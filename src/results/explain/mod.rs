//! Why a request missed its deadline: what happened to it, from requests.csv and layers.csv.
//!
//! The shares of its time are those of requests.csv; everything else follows from the layer runs of its cell that overlap
//! with its time. Bytes are counted as if each layer moved its own evenly over its run. On fleets there is also its way
//! ([`Way`]), and its layers are those of the order that served it.

mod fleet;
mod logs;
#[cfg(test)]
mod tests;
mod waits;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::path::Path;

pub use self::fleet::{Members, Way};
pub use self::logs::{Answered, Asked, Ran, Stepped};
pub use self::waits::{Moved, Others, Use, Wait};
use crate::experiment::{Error, KEYS};
use crate::units::Time;

/// What happened to one request.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The request.
    pub asked: Asked,
    /// On a fleet, its way to a site and back.
    pub way: Option<Way>,
    /// Its layers that ended, in the order of their starts; on a fleet those of its order.
    pub layers: Vec<Ran>,
    /// The layers of other requests that ran between its arrival and its end or its deadline, whichever is later; on a
    /// fleet those at its site.
    pub beside: Vec<Ran>,
    /// The times in which no layer of it ran, in order; on a fleet those in service.
    pub waits: Vec<Wait>,
    /// What others moved from and to DRAM while its slowed layers ran, most bytes first.
    pub moved: Vec<Moved>,
    /// The decisions that put its layers on their accelerators: when each was taken, and when it took effect; none on a
    /// fleet, where they are not known.
    pub decisions: BTreeSet<(Time, Time)>,
    /// What cost it most.
    pub cause: Cause,
}

/// What cost a request the most time.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// Its deadline allowed less than its network takes alone on the system.
    Deadline,
    /// It waited at its node for the decision where it goes.
    Dispatch(Time),
    /// It was on links, there and back.
    Links(Time),
    /// It stood in the queue of its site: how long, and which tenant and network ran there most meanwhile.
    SiteQueue(Time, Option<(String, String)>),
    /// It waited in queues of accelerators: how long, and behind which tenant and network most, and how long.
    Queues(Time, Option<(String, String, Time)>),
    /// The scheduler had put its next layer on no accelerator: how long, and which tenant and network ran most meanwhile.
    Unassigned(Time, Option<(String, String)>),
    /// It waited for the latency of decisions.
    Deciding(Time),
    /// It waited until its end for a layer that never started.
    NeverStarted(Time),
    /// Its layers were slowed: by how much, and which tenant and network moved most bytes meanwhile.
    Slowed(Time, Option<(String, String)>),
    /// Its layers ran on slower accelerators than those of its isolated latency: how much longer they take there.
    Accelerators(Time),
    /// Nothing: it took as long as alone.
    Nothing,
}

/// Explains a request of the only cell that has the given values of keys.
///
/// # Errors
/// A log is missing or damaged, no or several cells have these values, or the cell has no such measured request.
pub fn explain(folder: &Path, cell: &[(String, String)], request: u64) -> Result<Explanation, Error> {
    let all = logs::requests(folder, cell)?;
    check_one_cell(&all)?;
    let asked = all.iter().find(|asked| asked.request == request).ok_or_else(|| {
        let numbers = || all.iter().map(|asked| asked.request);
        let (first, last) = (numbers().min().unwrap_or_default(), numbers().max().unwrap_or_default());
        let message = format!("--request: {request} is not among the measured requests, {first} to {last}");
        Error::Usage(message)
    })?;
    let until = asked.end.max(asked.deadline);
    let mut runs = logs::layers(folder, &asked.cell, asked.arrival, until)?;
    let way = match logs::is_of_fleets(folder) {
        true => Some(fleet::way(folder, asked, &mut runs)?),
        false => None,
    };
    Ok(explained(asked.clone(), runs, way))
}

/// The requests that ended latest after their deadlines, in all cells that have the given values of keys; dropped ones
/// by when they were dropped. Of equally late ones, those that waited longest come first. Also the keys in which these
/// cells differ, as indices into [`KEYS`].
///
/// # Errors
/// The log of requests is missing or damaged, or no cell has these values.
pub fn latest(
    folder: &Path,
    cell: &[(String, String)],
    most: usize,
) -> Result<(Vec<Asked>, Vec<usize>), Error> {
    let mut all = logs::requests(folder, cell)?;
    let key = |asked: &Asked| (asked.is_met(), -asked.lateness_us(), -asked.waiting.as_us());
    all.sort_by(|a, b| {
        let (a, b) = (key(a), key(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
    });
    let keys = differing(&all);
    all.truncate(most);
    Ok((all, keys))
}

/// The keys in which some requests differ.
fn differing(all: &[Asked]) -> Vec<usize> {
    (0..KEYS.len()).filter(|&place| all.iter().any(|asked| asked.cell[place] != all[0].cell[place])).collect()
}

fn check_one_cell(all: &[Asked]) -> Result<(), Error> {
    let differing = differing(all);
    if differing.is_empty() {
        return Ok(());
    }
    let values = |place: usize| {
        let values: BTreeSet<&str> = all.iter().map(|asked| asked.cell[place].as_str()).collect();
        format!("{} ({})", KEYS[place], values.into_iter().collect::<Vec<_>>().join(", "))
    };
    let values: Vec<String> = differing.iter().map(|&place| values(place)).collect();
    let example: String =
        differing.iter().map(|&at| format!(" --cell {}={}", KEYS[at], all[0].cell[at])).collect();
    Err(Error::Usage(format!(
        "several cells have such requests: they differ in {}; choose one, for example with{example}",
        values.join(", ")
    )))
}

fn explained(asked: Asked, runs: Vec<Ran>, way: Option<Way>) -> Explanation {
    // On a fleet an order goes on for its other requests when one of them is given up.
    let booked_to = way.as_ref().map_or(Some(asked.request), Way::booked_to);
    let is_own = |ran: &Ran| Some(ran.request) == booked_to && ran.start < asked.end;
    let (mut layers, mut beside): (Vec<Ran>, Vec<Ran>) = runs.into_iter().partition(is_own);
    beside.retain(|ran| Some(ran.request) != booked_to);
    // The sort is stable: of layers that start at one time, the one that ends first comes first.
    layers.sort_by_key(|layer| layer.start);
    let served = way.as_ref().map_or_else(|| Some(asked.clone()), |way| way.in_service(&asked));
    let waits = served.map(|served| waits::waits(&served, &layers, &beside)).unwrap_or_default();
    let moved = waits::moved(&layers, &beside);
    let of_decisions = layers.iter().filter(|_| way.is_none());
    let decisions = of_decisions.map(|layer| (layer.decided, layer.assigned)).collect();
    let mut explanation =
        Explanation { asked, way, layers, beside, waits, moved, decisions, cause: Cause::Nothing };
    explanation.cause = explanation.cause();
    explanation
}

/// The parts of the time in which a request waited; they add up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// On a fleet, for the decision where it goes.
    pub dispatch: Time,
    /// On a fleet, on links, there and back.
    pub links: Time,
    /// On a fleet, in the queue of its site.
    pub site_queue: Time,
    /// The scheduler had put its next layer on no accelerator; on a fleet, also while that decision was computed.
    pub unassigned: Time,
    /// While the decision that did so was computed.
    pub deciding: Time,
    /// In the queues of accelerators.
    pub queue: Time,
    /// Until its end, for a layer that never started.
    pub unstarted: Time,
}

impl Explanation {
    /// The parts of the time in which it waited.
    pub fn waiting(&self) -> Waiting {
        let sum = |part: fn(&Wait) -> Time| self.waits.iter().map(part).sum::<Time>();
        let of_way = |is_one: fn(&str) -> bool| {
            self.way.as_ref().map_or(Time::ZERO, |way| way.time(self.asked.end, is_one))
        };
        Waiting {
            dispatch: of_way(|step| step == "dispatch"),
            links: of_way(|step| ["there", "back"].contains(&step)),
            site_queue: of_way(|step| step == "queue"),
            unassigned: sum(|wait| wait.unassigned),
            deciding: sum(|wait| wait.deciding),
            queue: sum(|wait| wait.queue),
            unstarted: sum(|wait| if wait.before.is_none() { wait.length() } else { Time::ZERO }),
        }
    }

    fn cause(&self) -> Cause {
        let Self { asked, waits, moved, .. } = self;
        if asked.arrival + asked.isolated > asked.deadline {
            return Cause::Deadline;
        }
        let Waiting { dispatch, links, site_queue, unassigned, deciding, queue, unstarted } = self.waiting();
        let longer = asked.running.saturating_sub(asked.isolated);
        let ahead =
            most(waits.iter().flat_map(|wait| &wait.ahead).map(|of| (&of.tenant, &of.network, of.time)));
        let of_group = |of: &Others| (of.tenant.clone(), of.network.clone());
        let of_site = self.way.as_ref().and_then(|way| way.queue.first()).map(of_group);
        let waits = waits.iter().filter(|wait| wait.unassigned > Time::ZERO);
        let meanwhile =
            most(waits.flat_map(|wait| &wait.meanwhile).map(|of| (&of.tenant, &of.network, of.time)));
        let meanwhile = meanwhile.map(|(tenant, network, _)| (tenant, network));
        let moved = most(moved.iter().map(|of| (&of.tenant, &of.network, of.bytes)));
        let slowed = Cause::Slowed(asked.slowed, moved.map(|(tenant, network, _)| (tenant, network)));
        let causes = [
            (site_queue, Cause::SiteQueue(site_queue, of_site)),
            (queue, Cause::Queues(queue, ahead)),
            (unstarted, Cause::NeverStarted(unstarted)),
            (asked.slowed, slowed),
            (longer, Cause::Accelerators(longer)),
            (unassigned, Cause::Unassigned(unassigned, meanwhile)),
            (deciding, Cause::Deciding(deciding)),
            (links, Cause::Links(links)),
            (dispatch, Cause::Dispatch(dispatch)),
        ];
        // Of equally large ones the first.
        let (time, cause) = causes.into_iter().rev().max_by_key(|(time, _)| *time).expect("there are some");
        if time == Time::ZERO { Cause::Nothing } else { cause }
    }
}

/// The tenant and the network with the largest sum, and that; of equally large ones the first by name.
fn most<'a, T: Copy + Default + AddAssign + PartialOrd>(
    of: impl Iterator<Item = (&'a String, &'a String, T)>,
) -> Option<(String, String, T)> {
    let mut sums: BTreeMap<(&String, &String), T> = BTreeMap::new();
    for (tenant, network, part) in of {
        *sums.entry((tenant, network)).or_default() += part;
    }
    let larger = |one: (_, T), other: (_, T)| if other.1 > one.1 { other } else { one };
    let ((tenant, network), sum) = sums.into_iter().reduce(larger)?;
    Some((tenant.clone(), network.clone(), sum))
}
