//! `[training] objective`: what a training maximises.

use schemars::JsonSchema;
use serde::Deserialize;

use super::list::List;
use crate::files::{Price, Share, within};

/// The mean over requests of `sla` for a deadline met, less `energy` times the dynamic energy that the request took, relative to
/// the least energy of a request as a mean over the networks of the platform.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Objective {
    /// What a deadline met is worth.
    #[serde(deserialize_with = "within::<_, Share, _>")]
    pub sla: f64,
    /// Prices of energy; each trace draws one of them. Several are for a policy that knows the price (`thrifty_gate`).
    energy: List<Price>,
}

impl Default for Objective {
    fn default() -> Self {
        Self { sla: 1.0, energy: List(vec![Price(0.0)]) }
    }
}

impl Objective {
    /// The prices of energy, at least one.
    pub fn prices(&self) -> &[Price] {
        &self.energy.0
    }
}
