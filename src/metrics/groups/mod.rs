//! The figures of a run by tenant, by network, by QoS level and by priority: the rows of groups.csv.
//!
//! Each way of grouping splits the counted requests that arrived; the same columns are computed for every group. A request that is
//! neither finished nor dropped when the run ends counts as missed. Energy is that of layers: leakage and decisions
//! belong to nobody. Targets and (m,k)-firm terms are a tenant's own, so that other groups have none.
//!
//! The fold keeps 32 bytes per counted request, and computes everything else at the end.

use super::latency::nearest_rank;
use super::{Column, Context, Given, Value};
use crate::sim::{Origin, Record, Recorder, RequestId};
use crate::units::{Picojoules, Time};
use crate::workload::{Firm, Tenant};

/// The columns of a group, in order.
pub const GROUP_COLUMNS: &[Column] = &[
    Column::undirected("requests", "Counted requests of the group"),
    Column::higher("met", "Done by their deadline"),
    Column::lower("missed", "All others: late, dropped or unfinished"),
    Column::higher("sla_rate", "met / requests").share(),
    Column::higher("finished", "Finished, in time or late"),
    Column::lower("dropped", "Given up, by the late rule or by the scheduler"),
    Column::lower("latency_p50_us", "Median of finish - arrival over finished requests, by the nearest rank").given(Given::Finished),
    Column::lower("latency_p95_us", "Latency that 95 % of them do not exceed").given(Given::Finished),
    Column::lower("latency_p99_us", "Latency that 99 % of them do not exceed").given(Given::Finished),
    Column::lower("lateness_mean_us", "Mean of finish - deadline over finished requests; negative is early").given(Given::Finished),
    Column::lower("antt", "Mean latency / isolated latency over finished requests").given(Given::Finished),
    Column::higher("progress", "Mean isolated latency / latency over all requests, 0 for those not finished; jain is over that of tenants, stp and \
         fairness over that of tenants' networks").share(),
    Column::lower("energy_layers_per_request_uj", "Dynamic energy of layer runs per request").given(Given::Counted),
    Column::lower("stretch_mean", "Mean (end - start) / c over layer runs"),
    Column::undirected("target_hit_rate", "SLA rate that the tenant wants").share(),
    Column::higher("target_reached", "1 if its SLA rate is at least that, else 0").share(),
    Column::lower("mk_violations", "(m,k)-firm: runs of k requests of the tenant with fewer than m met"),
];

/// What requests are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// Who sent them.
    Tenant,
    /// What they ask for.
    Network,
    /// How strict their deadline is.
    Qos,
    /// How important they are.
    Priority,
}

impl GroupBy {
    /// All ways, in the order of the rows.
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

    fn key(self, context: &Context, place: u32) -> u32 {
        let request = &context.trace.requests[place as usize];
        match self {
            Self::Tenant => request.tenant,
            Self::Network => request.network,
            Self::Qos => context.qos[place as usize].index(),
            Self::Priority => request.priority,
        }
    }
}

/// What a tenant wants of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Terms {
    /// The SLA rate.
    pub target_hit_rate: Option<f64>,
    /// How many of any requests in a row.
    pub firm: Option<Firm>,
}

impl Terms {
    /// Those of a tenant.
    pub fn of(tenant: &Tenant) -> Self {
        Self { target_hit_rate: tenant.target_hit_rate, firm: tenant.firm }
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupRow {
    /// What it is a group by.
    pub by: GroupBy,
    /// Which: the index of a tenant, network or QoS level, or a priority.
    pub key: u32,
    /// One value per column.
    pub values: Vec<Value>,
}

/// The fold.
pub struct Groups<'a> {
    context: Context<'a>,
    terms: &'a [Terms],
    /// The id of the first counted request; those after it are counted up to some id.
    first: Option<RequestId>,
    /// In order of arrival.
    counted: Vec<Counted>,
    splits: [Split; 4],
}

/// A counted request.
#[derive(Clone, Copy, Debug)]
struct Counted {
    place: u32,
    arrival: Time,
    deadline: Time,
    outcome: Outcome,
}

impl Counted {
    fn is_met(&self) -> bool {
        self.outcome.latency().is_some_and(|latency| self.arrival + latency <= self.deadline)
    }
}

/// What became of a request: its latency, or why it has none, in 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outcome(Time);

impl Outcome {
    const UNFINISHED: Self = Self(Time::MAX);
    const DROPPED: Self = Self(Time(u64::MAX - 1));

    fn latency(self) -> Option<Time> {
        (self != Self::UNFINISHED && self != Self::DROPPED).then_some(self.0)
    }
}

/// One way of grouping: the keys in ascending order, and what their layers took.
struct Split {
    by: GroupBy,
    keys: Vec<u32>,
    layers: Vec<Layers>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Layers {
    energy: Picojoules,
    stretch_sum: f64,
    runs: u64,
}

impl Split {
    fn new(by: GroupBy) -> Self {
        Self { by, keys: Vec::new(), layers: Vec::new() }
    }

    fn add(&mut self, context: &Context, place: u32) {
        let key = self.by.key(context, place);
        if let Err(new) = self.keys.binary_search(&key) {
            self.keys.insert(new, key);
            self.layers.insert(new, Layers::default());
        }
    }

    fn layers_of(&mut self, context: &Context, place: u32) -> &mut Layers {
        let group = self.keys.binary_search(&self.by.key(context, place));
        &mut self.layers[group.expect("the keys are those of all counted requests that arrived")]
    }
}

impl<'a> Groups<'a> {
    /// An empty fold; `terms` are those of the tenants, by index.
    pub fn new(context: Context<'a>, terms: &'a [Terms]) -> Self {
        Self { context, terms, first: None, counted: Vec::new(), splits: GroupBy::ALL.map(Split::new) }
    }

    /// One row per group that has counted requests.
    pub fn rows(&self) -> Vec<GroupRow> {
        let mut latencies = Vec::new();
        let mut rows = Vec::new();
        for split in &self.splits {
            for (&key, layers) in split.keys.iter().zip(&split.layers) {
                let values = self.values(split.by, key, layers, &mut latencies);
                rows.push(GroupRow { by: split.by, key, values });
            }
        }
        rows
    }

    /// The requests of a group with what became of them, in order of arrival.
    fn requests(&self, by: GroupBy, key: u32) -> impl Iterator<Item = &Counted> {
        self.counted.iter().filter(move |request| by.key(&self.context, request.place) == key)
    }

    /// `latencies` is a buffer.
    fn values(&self, by: GroupBy, key: u32, layers: &Layers, latencies: &mut Vec<Time>) -> Vec<Value> {
        latencies.clear();
        let (mut requests, mut met, mut dropped) = (0, 0, 0);
        let (mut lateness_us, mut ntt, mut progress) = (0.0, 0.0, 0.0);
        for request in self.requests(by, key) {
            requests += 1;
            met += u64::from(request.is_met());
            dropped += u64::from(request.outcome == Outcome::DROPPED);
            let Some(latency) = request.outcome.latency() else { continue };
            latencies.push(latency);
            lateness_us += (request.arrival + latency).as_us() - request.deadline.as_us();
            let network = self.context.trace.requests[request.place as usize].network;
            let isolated = self.context.world.networks[network as usize].isolated;
            ntt += latency.as_ps() / isolated.as_ps();
            progress += isolated.as_ps() / latency.as_ps();
        }
        latencies.sort_unstable();
        let finished = latencies.len() as f64;
        let per_request = |sum| Value::per(sum, requests as f64);
        let percentile =
            |percent| Value::Real(nearest_rank(latencies, percent).map_or(f64::NAN, Time::as_us));
        let [target, reached, violations] = self.term_values(by, key, met as f64 / requests as f64);
        vec![
            Value::Count(requests),
            Value::Count(met),
            Value::Count(requests - met),
            per_request(met as f64),
            Value::Count(latencies.len() as u64),
            Value::Count(dropped),
            percentile(50),
            percentile(95),
            percentile(99),
            Value::per(lateness_us, finished),
            Value::per(ntt, finished),
            per_request(progress),
            per_request(layers.energy.0 / 1e6),
            Value::per(layers.stretch_sum, layers.runs as f64),
            target,
            reached,
            violations,
        ]
    }

    /// Target, whether it is reached, and violations of firm terms.
    fn term_values(&self, by: GroupBy, key: u32, sla_rate: f64) -> [Value; 3] {
        let terms = self.terms.get(key as usize).filter(|_| by == GroupBy::Tenant);
        let Terms { target_hit_rate, firm } = terms.copied().unwrap_or_default();
        let none = Value::Real(f64::NAN);
        [
            target_hit_rate.map_or(none, Value::Real),
            target_hit_rate.map_or(none, |target| Value::Count(u64::from(sla_rate >= target))),
            firm.map_or(none, |firm| {
                let met: Vec<bool> = self.requests(by, key).map(Counted::is_met).collect();
                Value::Count(violations(firm, &met))
            }),
        ]
    }

    fn arrive(&mut self, request: RequestId, Origin { place, .. }: Origin, arrival: Time, deadline: Time) {
        self.first.get_or_insert(request);
        self.counted.push(Counted { place, arrival, deadline, outcome: Outcome::UNFINISHED });
        self.splits.iter_mut().for_each(|split| split.add(&self.context, place));
    }

    fn end(&mut self, request: RequestId, outcome: Outcome) {
        let first = self.first.expect("a request ends after it has arrived");
        self.counted[(request.0 - first.0) as usize].outcome = outcome;
    }
}

/// How many runs of k have fewer than m met.
fn violations(firm: Firm, met: &[bool]) -> u64 {
    let runs = met.windows(firm.k);
    runs.filter(|run| run.iter().filter(|&&met| met).count() < firm.m).count() as u64
}

impl Recorder for Groups<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Arrival { time, request, deadline, .. } if origin.counted => {
                self.arrive(request, origin, time, deadline);
            }
            Record::Done { time, request, arrival, .. } if origin.counted => {
                self.end(request, Outcome(time - arrival));
            }
            Record::Drop { request, .. } if origin.counted => self.end(request, Outcome::DROPPED),
            Record::Finish { time, start, energy, uncontended_ps, .. } if origin.counted => {
                for split in &mut self.splits {
                    let layers = split.layers_of(&self.context, origin.place);
                    layers.energy += energy;
                    layers.stretch_sum += (time - start).as_ps() / uncontended_ps;
                    layers.runs += 1;
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
