//! Rules that send requests to sites.

mod closest;
mod eft_site;
mod farthest;
mod least_impedance;
mod load_balancing;
mod pod;
mod random;
mod random_proportional_latency;
mod random_proportional_load;
mod round_robin;
mod shortest_queue;
mod split;
mod ways;

use super::{Route, RuleEntry};

/// All routes.
pub const ROUTES: &[RuleEntry<dyn Route>] = &[
    closest::ENTRY,
    eft_site::ENTRY,
    farthest::ENTRY,
    least_impedance::ENTRY,
    load_balancing::ENTRY,
    pod::ENTRY,
    random::ENTRY,
    random_proportional_latency::ENTRY,
    random_proportional_load::ENTRY,
    round_robin::ENTRY,
    shortest_queue::ENTRY,
    split::ENTRY,
];
