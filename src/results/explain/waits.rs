//! When a request waited, what for, and what ran meanwhile; and who used the DRAM while it was slowed.

use std::collections::{BTreeMap, BTreeSet};

use super::logs::{Asked, Ran};
use crate::units::Time;

/// A time in which no layer of a request ran.
#[derive(Clone, Debug)]
pub struct Wait {
    /// When it began.
    pub from: Time,
    /// When a layer of the request started, or the request ended.
    pub to: Time,
    /// The layer that ended the wait: an index into [`super::Explanation::layers`]; `None` if the request ended before.
    pub before: Option<usize>,
    /// The part in which the scheduler had put that layer on no accelerator.
    pub unassigned: Time,
    /// The part in which the decision that did so was computed.
    pub deciding: Time,
    /// The part in the queue of its accelerator.
    pub queue: Time,
    /// What ran on that accelerator while it was in the queue there, most time first.
    pub ahead: Vec<Use>,
    /// What ran elsewhere, or before it was in the queue, most time first.
    pub meanwhile: Vec<Others>,
}

impl Wait {
    /// How long it lasted.
    pub fn length(&self) -> Time {
        self.to - self.from
    }
}

/// The time that a request took of an accelerator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The accelerator.
    pub accelerator: String,
    /// Who sent the request.
    pub tenant: String,
    /// What it asks for.
    pub network: String,
    /// Its number.
    pub request: u64,
    /// How long.
    pub time: Time,
}

/// The time that all requests of a tenant for a network took of accelerators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Others {
    /// Who sent the requests.
    pub tenant: String,
    /// What they ask for.
    pub network: String,
    /// How many they are.
    pub requests: usize,
    /// How long they took, summed over accelerators.
    pub time: Time,
    /// The request and the accelerator that took longest.
    pub longest: Use,
}

/// What a request moved from and to DRAM.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// Who sent the request.
    pub tenant: String,
    /// What it asks for.
    pub network: String,
    /// Its number.
    pub request: u64,
    /// How many bytes, if each of its layers spread them evenly over its run.
    pub bytes: f64,
}

/// The waits of a request whose layers are given in the order of their starts, among all layer runs beside it.
pub(super) fn waits(asked: &Asked, layers: &[Ran], beside: &[Ran]) -> Vec<Wait> {
    let end = asked.end;
    let (mut waits, mut busy_until) = (Vec::new(), asked.arrival);
    for (place, layer) in layers.iter().enumerate() {
        if layer.start > busy_until {
            waits.push(wait(busy_until, layer.start, Some((place, layer)), beside));
        }
        busy_until = busy_until.max(layer.end);
    }
    if busy_until < end {
        // A layer that has not ended with the run is not in the log, but in the shares: it ran at the end.
        let known: Time = waits.iter().map(Wait::length).sum();
        let to = end.min(busy_until + asked.waiting.saturating_sub(known));
        if to > busy_until {
            waits.push(wait(busy_until, to, None, beside));
        }
    }
    waits
}

fn wait(from: Time, to: Time, before: Option<(usize, &Ran)>, beside: &[Ran]) -> Wait {
    let then = |time: fn(&Ran) -> Time| before.map_or(to, |(_, layer)| time(layer).clamp(from, to));
    let (decided, queued) = (then(|layer| layer.decided), then(|layer| layer.queued));
    let accelerator = before.map(|(_, layer)| layer.accelerator.as_str());
    let is_there = |ran: &&Ran| Some(ran.accelerator.as_str()) == accelerator;
    let ahead = beside.iter().filter(is_there).map(|ran| (ran, ran.within(queued, to)));
    let meanwhile = beside.iter().map(|ran| {
        let until = if is_there(&ran) { queued } else { to };
        (ran, ran.within(from, until))
    });
    let parts = [decided - from, queued.saturating_sub(decided), to - queued];
    let [unassigned, deciding, queue] = if before.is_some() { parts } else { <_>::default() };
    let before = before.map(|(place, _)| place);
    Wait {
        from,
        to,
        before,
        unassigned,
        deciding,
        queue,
        ahead: uses(ahead),
        meanwhile: others(uses(meanwhile)),
    }
}

/// The uses by tenant and network, most time first.
pub(super) fn others(uses: Vec<Use>) -> Vec<Others> {
    let mut groups: BTreeMap<(String, String), Vec<Use>> = BTreeMap::new();
    for of in uses {
        groups.entry((of.tenant.clone(), of.network.clone())).or_default().push(of);
    }
    let group = |((tenant, network), uses): ((String, String), Vec<Use>)| {
        let requests: BTreeSet<u64> = uses.iter().map(|of| of.request).collect();
        let time = uses.iter().map(|of| of.time).sum();
        let longest = uses.into_iter().next().expect("a group has a use");
        Others { tenant, network, requests: requests.len(), time, longest }
    };
    let mut all: Vec<Others> = groups.into_iter().map(group).collect();
    all.sort_by_key(|of| std::cmp::Reverse(of.time));
    all
}

/// The times of requests on accelerators, most first.
pub(super) fn uses<'a>(of: impl Iterator<Item = (&'a Ran, Time)>) -> Vec<Use> {
    let mut sums: BTreeMap<(&str, u64), (&Ran, Time)> = BTreeMap::new();
    for (ran, time) in of.filter(|(_, time)| *time > Time::ZERO) {
        sums.entry((&ran.accelerator, ran.request)).or_insert((ran, Time::ZERO)).1 += time;
    }
    let of_request = |(ran, time): (&Ran, Time)| Use {
        accelerator: ran.accelerator.clone(),
        tenant: ran.tenant.clone(),
        network: ran.network.clone(),
        request: ran.request,
        time,
    };
    let mut uses: Vec<Use> = sums.into_values().map(of_request).collect();
    // The sort is stable: what took equally long stays in the order of accelerators and requests.
    uses.sort_by_key(|of| std::cmp::Reverse(of.time));
    uses
}

/// What others moved while slowed layers of a request ran, most bytes first.
pub(super) fn moved(layers: &[Ran], beside: &[Ran]) -> Vec<Moved> {
    let mut sums: BTreeMap<u64, Moved> = BTreeMap::new();
    for slowed in layers.iter().filter(|layer| layer.slowed() > Time::ZERO) {
        for ran in beside.iter().filter(|ran| ran.dram_bytes > 0.0) {
            let share = ran.within(slowed.start, slowed.end).as_ps() / ran.took().as_ps();
            if share > 0.0 {
                let of_request = || Moved {
                    tenant: ran.tenant.clone(),
                    network: ran.network.clone(),
                    request: ran.request,
                    bytes: 0.0,
                };
                sums.entry(ran.request).or_insert_with(of_request).bytes += share * ran.dram_bytes;
            }
        }
    }
    let mut moved: Vec<Moved> = sums.into_values().collect();
    moved.sort_by(|a, b| b.bytes.total_cmp(&a.bytes));
    moved
}
