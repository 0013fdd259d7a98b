//! Why a request missed its deadline: what happened to it, from requests.csv and layers.csv.
//!
//! The shares of its time are those of requests.csv; everything else follows from the layer runs of its cell that overlap
//! with its time. Bytes are counted as if each layer moved its own evenly over its run.

mod logs;
#[cfg(test)]
mod tests;
mod waits;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::path::Path;

pub use self::logs::{Asked, Ran};
pub use self::waits::{Moved, Others, Use, Wait};
use crate::experiment::{Error, KEYS};
use crate::units::Time;

/// What happened to one request.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The request.
    pub asked: Asked,
    /// Its layers that ended, in the order of their starts.
    pub layers: Vec<Ran>,
    /// The layers of other requests that ran between its arrival and its end or its deadline, whichever is later.
    pub beside: Vec<Ran>,
    /// The times in which no layer of it ran, in order.
    pub waits: Vec<Wait>,
    /// What others moved from and to DRAM while its slowed layers ran, most bytes first.
    pub moved: Vec<Moved>,
    /// The decisions that put its layers on their accelerators: when each was taken, and when it took effect.
    pub decisions: BTreeSet<(Time, Time)>,
    /// What cost it most.
    pub cause: Cause,
}

/// What cost a request the most time.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// Its deadline allowed less than its network takes alone on the system.
    Deadline,
    /// It waited in queues: how long, and behind which tenant and network most, and how long.
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
    let beside = logs::layers(folder, &asked.cell, asked.arrival, until)?;
    Ok(explained(asked.clone(), beside))
}

/// The requests that ended latest after their deadlines, in all cells that have the given values of keys; dropped ones
/// by when they were dropped. Of equally late ones, those that waited longest come first.
///
/// # Errors
/// The log of requests is missing or damaged, or no cell has these values.
pub fn latest(folder: &Path, cell: &[(String, String)], most: usize) -> Result<Vec<Asked>, Error> {
    let mut all = logs::requests(folder, cell)?;
    let key = |asked: &Asked| (asked.is_met(), -asked.lateness_us(), -asked.waiting.as_us());
    all.sort_by(|a, b| {
        let (a, b) = (key(a), key(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
    });
    all.truncate(most);
    Ok(all)
}

/// The keys in which some requests differ, as indices into [`KEYS`].
pub fn differing(all: &[Asked]) -> Vec<usize> {
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

fn explained(asked: Asked, runs: Vec<Ran>) -> Explanation {
    let (mut layers, beside): (Vec<Ran>, Vec<Ran>) =
        runs.into_iter().partition(|ran| ran.request == asked.request);
    // The sort is stable: of layers that start at one time, the one that ends first comes first.
    layers.sort_by_key(|layer| layer.start);
    let waits = waits::waits(&asked, &layers, &beside);
    let moved = waits::moved(&layers, &beside);
    let decisions = layers.iter().map(|layer| (layer.decided, layer.assigned)).collect();
    let cause = cause(&asked, &waits, &moved);
    Explanation { asked, layers, beside, waits, moved, decisions, cause }
}

fn cause(asked: &Asked, waits: &[Wait], moved: &[Moved]) -> Cause {
    if asked.arrival + asked.isolated > asked.deadline {
        return Cause::Deadline;
    }
    let sum = |part: fn(&Wait) -> Time| waits.iter().map(part).sum::<Time>();
    let [queue, unassigned, deciding] =
        [|wait: &Wait| wait.queue, |wait: &Wait| wait.unassigned, |wait: &Wait| wait.deciding].map(sum);
    let never = sum(|wait| if wait.before.is_none() { wait.length() } else { Time::ZERO });
    let longer = asked.running.saturating_sub(asked.isolated);
    let ahead = most(waits.iter().flat_map(|wait| &wait.ahead).map(|of| (&of.tenant, &of.network, of.time)));
    let waits = waits.iter().filter(|wait| wait.unassigned > Time::ZERO);
    let meanwhile = most(waits.flat_map(|wait| &wait.meanwhile).map(|of| (&of.tenant, &of.network, of.time)));
    let moved = most(moved.iter().map(|of| (&of.tenant, &of.network, of.bytes)));
    let causes = [
        (queue, Cause::Queues(queue, ahead)),
        (never, Cause::NeverStarted(never)),
        (asked.slowed, Cause::Slowed(asked.slowed, moved.map(|(tenant, network, _)| (tenant, network)))),
        (longer, Cause::Accelerators(longer)),
        (unassigned, Cause::Unassigned(unassigned, meanwhile.map(|(tenant, network, _)| (tenant, network)))),
        (deciding, Cause::Deciding(deciding)),
    ];
    // Of equally large ones the first.
    let (time, cause) = causes.into_iter().rev().max_by_key(|(time, _)| *time).expect("there are some");
    if time == Time::ZERO { Cause::Nothing } else { cause }
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
