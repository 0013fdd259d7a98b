//! Power beside that of layers. The engine does not use it: it changes no time and no decision.

use crate::units::{Picojoules, Time};

/// When an accelerator is switched off that runs no layer, and what that saves and costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gating {
    /// How long it runs no layer until it is switched off.
    pub after: Time,
    /// The share of its leakage and clock power that it draws while it is off.
    pub residual: f64,
    /// Energy of switching it on again, when the next layer starts.
    pub wake: Picojoules,
}

/// What a DRAM draws whatever it transfers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DramPower {
    /// Standby.
    pub background_pj_per_ps: f64,
    /// Refresh, on average.
    pub refresh_pj_per_ps: f64,
}

impl DramPower {
    /// All of it.
    pub fn pj_per_ps(self) -> f64 {
        self.background_pj_per_ps + self.refresh_pj_per_ps
    }
}

impl std::iter::Sum for DramPower {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            background_pj_per_ps: sum.background_pj_per_ps + one.background_pj_per_ps,
            refresh_pj_per_ps: sum.refresh_pj_per_ps + one.refresh_pj_per_ps,
        })
    }
}
