//! Rules for the order in which the requests of a queue are served.

mod achieved;
mod deadline;
mod deficit;
mod maxmin_quality;
mod oldest;
mod weighted;

use super::{Order, RuleEntry};

/// All orders.
pub const ORDERS: &[RuleEntry<dyn Order>] =
    &[deadline::ENTRY, deficit::ENTRY, maxmin_quality::ENTRY, oldest::ENTRY, weighted::ENTRY];
