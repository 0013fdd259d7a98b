//! The figures of a run by tenant, by network, by QoS level and by priority: the rows of groups.csv.
//!
//! Each way of grouping splits the measured requests that arrived, and the registry runs once more for every group: a
//! metric says which of its columns a group has ([`Metric::of_groups`](super::Metric)). A group's folds receive
//! arrivals and finished layers as they happen, but the end of a request only once all earlier requests have ended,
//! too. So sums over requests are in the order of arrival, whichever ended first. Columns of a tenant's own terms are
//! empty for other groups.
//!
//! The fold keeps 4 bytes per measured request and the ends that wait for earlier requests. Its groups keep what their
//! metrics keep, such as a latency per request for each of the 4 ways of grouping.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{Context, Heading, METRICS, Metrics, Scope, Terms, Value};
use crate::sim::{Origin, Record, Recorder, Request, RequestId, World};

/// The columns that come first, in this order; those of further metrics follow in the order of the registry.
const FIRST: &[&str] = &[
    "requests",
    "met",
    "missed",
    "sla_rate",
    "finished",
    "dropped",
    "dropped_late",
    "rejected",
    "given_up",
    "latency_p50_us",
    "latency_p95_us",
    "latency_p99_us",
    "lateness_mean_us",
    "antt",
    "progress",
    "energy_layers_per_request_uj",
    "slowdown_mean",
    "target_hit_rate",
    "target_reached",
    "mk_violations",
];

/// What requests are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupBy {
    /// The tenant that sent them.
    Tenant,
    /// The network that they ask for.
    Network,
    /// Their QoS level.
    Qos,
    /// Their priority.
    Priority,
}

impl GroupBy {
    /// All ways of grouping, in the order of the rows.
    pub const ALL: [Self; 4] = [Self::Tenant, Self::Network, Self::Qos, Self::Priority];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Network => "network",
            Self::Qos => "qos",
            Self::Priority => "priority",
        }
    }

    fn key(self, asked: &Request) -> u32 {
        match self {
            Self::Tenant => asked.tenant,
            Self::Network => asked.network,
            Self::Qos => asked.qos.index(),
            Self::Priority => asked.priority,
        }
    }
}

/// One row of groups.csv.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupRow {
    /// What the row is grouped by.
    pub by: GroupBy,
    /// The group: the index of a tenant, network or QoS level, or a priority.
    pub key: u32,
    /// One value per column.
    pub values: Vec<Value>,
}

/// The fold behind groups.csv.
pub struct Groups {
    world: Arc<World>,
    terms: Vec<Terms>,
    /// The groups, in the order in which they got their first request.
    groups: Vec<Metrics>,
    /// The place of each group among them.
    places: BTreeMap<(GroupBy, u32), usize>,
    /// The number of each combination of a request's four keys.
    kinds: BTreeMap<[u32; 4], u32>,
    places_of_kind: Vec<[usize; 4]>,
    /// The id of the first measured request; those after it are measured up to some id.
    first: RequestId,
    /// The kind of every measured request in order of arrival.
    kind_of: Vec<u32>,
    /// The ends of the latest requests, from the first that has not ended.
    ends: VecDeque<Option<(Record, Origin)>>,
}

impl Groups {
    /// An empty fold; `terms` are those of the tenants, by index.
    pub fn new(world: &Arc<World>, terms: Vec<Terms>) -> Self {
        Self {
            world: Arc::clone(world),
            terms,
            groups: Vec::new(),
            places: BTreeMap::new(),
            kinds: BTreeMap::new(),
            places_of_kind: Vec::new(),
            first: RequestId(0),
            kind_of: Vec::new(),
            ends: VecDeque::new(),
        }
    }

    /// The columns of a group, in order.
    pub fn columns() -> Vec<&'static Heading> {
        in_order(headings().map(|heading| (heading, heading)))
    }

    /// One row per group that has measured requests.
    pub fn rows(&self) -> Vec<GroupRow> {
        let rows = self.places.iter().map(|(&(by, key), &place)| {
            let values = headings().zip(self.groups[place].values());
            GroupRow { by, key, values: in_order(values) }
        });
        rows.collect()
    }

    fn arrive(&mut self, request: RequestId, asked: &Request) {
        if self.kind_of.is_empty() {
            self.first = request;
        }
        let keys = GroupBy::ALL.map(|by| by.key(asked));
        let kind = self.kinds.get(&keys).copied().unwrap_or_else(|| self.add_kind(keys));
        self.kind_of.push(kind);
        self.ends.push_back(None);
    }

    fn add_kind(&mut self, keys: [u32; 4]) -> u32 {
        let kind = self.places_of_kind.len() as u32;
        let mut places = [0; 4];
        for (place, (by, key)) in places.iter_mut().zip(GroupBy::ALL.into_iter().zip(keys)) {
            *place = self.places.get(&(by, key)).copied().unwrap_or_else(|| self.add_group(by, key));
        }
        self.kinds.insert(keys, kind);
        self.places_of_kind.push(places);
        kind
    }

    fn add_group(&mut self, by: GroupBy, key: u32) -> usize {
        let terms = self.terms.get(key as usize).filter(|_| by == GroupBy::Tenant);
        let terms = terms.copied().unwrap_or_default();
        let place = self.groups.len();
        self.groups.push(Metrics::of(Scope::Group, &Context { world: Arc::clone(&self.world), terms }));
        self.places.insert((by, key), place);
        place
    }

    /// Passes a record to the groups of a measured request, which is given by its place among the measured ones.
    fn tell(&mut self, request: usize, record: &Record, origin: Origin) {
        for place in self.places_of_kind[self.kind_of[request] as usize] {
            self.groups[place].record(record, origin);
        }
    }

    /// Passes on the ends that no earlier request holds up.
    fn tell_ends(&mut self) {
        while let Some((record, origin)) = self.ends.front().copied().flatten() {
            self.tell(self.open(), &record, origin);
            self.ends.pop_front();
        }
    }

    /// Closes the groups: the run is over, whatever is unfinished.
    fn close(&mut self, end: &Record, origin: Origin) {
        while self.ends.pop_front().is_some() {
            self.tell_ends();
        }
        self.groups.iter_mut().for_each(|group| group.record(end, origin));
    }

    /// The place of the first measured request that has not ended.
    fn open(&self) -> usize {
        self.kind_of.len() - self.ends.len()
    }
}

impl Recorder for Groups {
    fn record(&mut self, record: &Record, origin: Origin) {
        if let Record::End { .. } = record {
            return self.close(record, origin);
        }
        let Some(request) = record.request().filter(|_| origin.measured) else { return };
        if let Record::Arrival { asked, .. } = record {
            self.arrive(request, asked);
        }
        let place = (request.0 - self.first.0) as usize;
        match record {
            Record::Done { .. } | Record::Drop { .. } => {
                let open = self.open();
                self.ends[place - open] = Some((*record, origin));
                self.tell_ends();
            }
            // The record contains the start of the layer.
            Record::Arrival { .. } | Record::Finish { .. } => self.tell(place, record, origin),
            _ => {}
        }
    }
}

fn headings() -> impl Iterator<Item = &'static Heading> {
    METRICS.iter().flat_map(|entry| entry.headings(Scope::Group))
}

/// Sorts items that belong to columns into the order of the file.
fn in_order<T>(told: impl Iterator<Item = (&'static Heading, T)>) -> Vec<T> {
    let place = |name| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
    let mut told: Vec<_> = told.collect();
    // The sort is stable: columns that are not among the first keep the order of the registry.
    told.sort_by_key(|(heading, _)| place(heading.name));
    told.into_iter().map(|(_, told)| told).collect()
}

#[cfg(test)]
mod tests;
