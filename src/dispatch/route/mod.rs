//! Rules that send requests to sites.

mod closest;

use super::{Route, RuleEntry};

/// All routes.
pub const ROUTES: &[RuleEntry<dyn Route>] = &[closest::ENTRY];
