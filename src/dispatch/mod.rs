//! Dispatchers: where a request goes, which variant answers it, and in which batch.
//!
//! A dispatcher is composed of rules, one from each registry: a route ([`ROUTES`]) sends every request to a site; at a site
//! with a free slot, an order ([`ORDERS`]) says which requests of a queue come first, a batch rule ([`BATCHES`]) how many
//! of them are launched, and a variant rule ([`VARIANTS`]) on which variant. A whole rule ([`WHOLE_RULES`]) decides
//! everything itself: it implements [`Dispatcher`](crate::serve::Dispatcher). To add a rule, write a file with a struct
//! that implements the trait and a `pub(super) const ENTRY`, and add its line to the registry.

mod batch;
mod composed;
mod load;
mod order;
mod parts;
mod queue;
mod route;
mod shares;
mod variant;
mod whole;

use toml::Table;

use crate::files::{Parameter, did_you_mean, parse_parameters as parse};
use crate::serve::{FleetModel, FleetView, QueuedView, Record, RequestView};
use crate::sim::{Operations, RequestId};
use crate::units::Time;

pub use batch::BATCHES;
use batch::MAX;
pub use composed::Composed;
pub use order::ORDERS;
pub use queue::Queue;
pub use route::ROUTES;
pub use variant::VARIANTS;
pub use whole::WHOLE_RULES;

/// A rule of one of the registries.
pub struct RuleEntry<T: ?Sized + 'static> {
    /// The name that experiments use.
    pub name: &'static str,
    /// The rule in one sentence.
    pub doc: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
    /// Its TOML parameters.
    pub parameters: &'static [Parameter],
    /// Whether its decisions depend on the seed.
    pub draws: bool,
    /// Makes the rule from its parameters for a run with the given seed; the error says which parameter is wrong.
    pub build: fn(&Table, u64) -> Result<Box<T>, String>,
}

/// Where a request goes.
pub trait Route: Send {
    /// Chooses one of the sites that serve the request; there is at least one, and they ascend. Comparisons are counted in
    /// `spent`.
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> usize;

    /// Whether it can send requests on a fleet; the error says why not.
    fn check(&self, _: &FleetModel) -> Result<(), String> {
        Ok(())
    }

    /// Receives every record of the level of requests, for rules that keep state.
    fn observe(&mut self, _: &Record) {}
}

/// Which variant runs.
pub trait Variant: Send {
    /// Chooses one of the variants that are accurate enough for the first `count` requests of a queue. There is at least
    /// one; they are sorted by accuracy, the highest first.
    fn variant(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        count: usize,
        allowed: &[usize],
        spent: &mut Operations,
    ) -> usize;

    /// Receives every record of the level of requests, for rules that keep state.
    fn observe(&mut self, _: &Record) {}
}

/// What a batch rule says about a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batching {
    /// Launch so many of those that were delivered first.
    Launch(usize),
    /// Wait until more are queued, or until this time at the latest.
    Wait(Option<Time>),
    /// Reject this request of the queue, and ask again.
    Reject(RequestId),
}

/// How many run at once.
pub trait Batch: Send {
    /// Decides about a queue that is not empty at a site with a free slot. `service` is the latency of so many requests
    /// alone, on the variant that would be chosen for them.
    fn batch(
        &mut self,
        view: &FleetView,
        queue: &Queue,
        service: &mut dyn FnMut(usize) -> Time,
        spent: &mut Operations,
    ) -> Batching;

    /// Receives every record of the level of requests, for rules that keep state.
    fn observe(&mut self, _: &Record) {}
}

/// Which requests of a queue come first.
pub trait Order: Send {
    /// Ranks a request that waits at a site: those with the smallest numbers are served first, of equals the one that was
    /// delivered first. `None` is for the order of delivery of the whole queue.
    fn rank(
        &mut self,
        view: &FleetView,
        site: usize,
        request: &QueuedView,
        spent: &mut Operations,
    ) -> Option<f64>;

    /// Receives every record of the level of requests, for rules that keep state.
    fn observe(&mut self, _: &Record) {}
}

/// Looks a rule up by name; the error names the known ones.
pub fn find<T: ?Sized>(
    kind: &str,
    rules: &'static [RuleEntry<T>],
    name: &str,
) -> Result<&'static RuleEntry<T>, String> {
    rules.iter().find(|rule| rule.name == name).ok_or_else(|| {
        let names: Vec<&str> = rules.iter().map(|rule| rule.name).collect();
        let hint = did_you_mean(name, &names);
        format!("no {kind} rule `{name}`{hint}; known: {}", names.join(", "))
    })
}

/// The longest period: a day. Our choice, because sums of times stay far from their largest value.
const LONGEST_US: f64 = 86_400e6;

/// Checks a parameter that is the time between two choices.
fn check_period(period_us: f64) -> Result<Time, String> {
    match (1e-6..=LONGEST_US).contains(&period_us) {
        true => Ok(Time::from_us(period_us)),
        false => Err(format!("`period_us` is {period_us}; it has to be above 0, at most {LONGEST_US:e}")),
    }
}

/// Checks a parameter that is the weight of a new value in a moving average.
fn check_weight(weight: f64) -> Result<f64, String> {
    match weight > 0.0 && weight <= 1.0 {
        true => Ok(weight),
        false => Err(format!("`weight` is {weight}; it has to be above 0 and at most 1")),
    }
}

/// Checks the parameters of a rule that takes none.
fn no_parameters(parameters: &Table) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct None {}
    parse::<None>(parameters).map(|_| ())
}
