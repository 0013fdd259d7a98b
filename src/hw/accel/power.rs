//! What an accelerator draws beside its layers, and when it is switched off.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::files::{MicrosecondsOrZero, NonNegative, Share, within};

/// The `gating` key of an accelerator file: an accelerator that runs no layer for a while is switched off until the next
/// one starts.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `after_us`, and if you like `residual` and `wake_uj`")]
pub struct Gating {
    /// How long in microseconds it runs no layer until it is switched off.
    #[serde(deserialize_with = "within::<_, MicrosecondsOrZero, _>")]
    #[schemars(with = "MicrosecondsOrZero")]
    pub after_us: f64,
    /// The share of leakage and clock power that it draws while it is off; 0 if left out.
    #[serde(default, deserialize_with = "within::<_, Share, _>")]
    #[schemars(with = "Share")]
    pub residual: f64,
    /// Energy of switching it on again in microjoules; 0 if left out. It takes no time.
    #[serde(default, deserialize_with = "within::<_, NonNegative, _>")]
    #[schemars(with = "NonNegative")]
    pub wake_uj: f64,
}

/// When it is off, in words.
impl fmt::Display for Gating {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "off after {} us of idling", self.after_us)
    }
}
