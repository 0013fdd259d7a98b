//! Rules that send requests to sites.

mod cheaper;
mod closest;
mod eft_site;
mod farthest;
mod hybrid;
mod least_impedance;
mod load_balancing;
mod network_based;
mod pod;
mod random;
mod random_proportional_latency;
mod random_proportional_load;
mod round_robin;
mod shortest_queue;
mod split;
mod tiers;
mod utilization_based;
mod ways;

use super::{Route, RuleEntry};

/// All routes.
pub const ROUTES: &[RuleEntry<dyn Route>] = &[
    cheaper::ENTRY,
    closest::ENTRY,
    eft_site::ENTRY,
    farthest::ENTRY,
    hybrid::ENTRY,
    least_impedance::ENTRY,
    load_balancing::ENTRY,
    network_based::ENTRY,
    pod::ENTRY,
    random::ENTRY,
    random_proportional_latency::ENTRY,
    random_proportional_load::ENTRY,
    round_robin::ENTRY,
    shortest_queue::ENTRY,
    split::ENTRY,
    utilization_based::ENTRY,
];
