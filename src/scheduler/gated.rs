//! `gated`: edf that gives up what cannot make it, demotes what makes others miss, and lets layers onto the DRAM only as
//! far as more urgent requests can bear.
//!
//! The walk is that of `gate.rs`: the hopeless are those of `edf_drop`, accelerators go by the earliest finish of the
//! request (`segment.rs`), and alpha and the margin are the same for all.

use super::edf_drop::is_hopeless;
use super::gate::{Gate, Judge};
use super::{SchedulerEntry, parse};
use crate::files::Parameter;
use crate::sim::{Decision, Scheduler, View};

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "gated",
    doc: "drops the hopeless, demotes what makes others miss, edf with the earliest finish of the request, and holds \
          what would overload the DRAM",
    source: "ours",
    parameters: &[
        Parameter { name: "alpha", default: "0.4", doc: "share of the capacity that counts as feasible" },
        Parameter {
            name: "margin",
            default: "1.0",
            doc: "of the slowdown that more urgent requests can bear",
        },
        Parameter { name: "ahead", default: "4", doc: "layers over which a demand is averaged" },
    ],
    draws: false,
    build: |parameters, _| {
        let parameters: Parameters = parse(parameters)?;
        parameters.check()?;
        Ok(Box::new(Gated { parameters, gate: Gate::default() }))
    },
};

#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    alpha: f64,
    margin: f64,
    ahead: u32,
}

// Tuned once on seeds 101 to 103 of light and mixed, hetero-6: loads 0.6, 0.9, 1.2, factors 2, 4, 7, and 16, 32, 64 GB/s.
pub(crate) const ALPHA: f64 = 0.4;
pub(crate) const MARGIN: f64 = 1.0;
pub(crate) const AHEAD: u32 = 4;

impl Default for Parameters {
    fn default() -> Self {
        Self { alpha: ALPHA, margin: MARGIN, ahead: AHEAD }
    }
}

impl Parameters {
    fn check(&self) -> Result<(), String> {
        for (name, value) in [("alpha", self.alpha), ("margin", self.margin)] {
            if value.is_nan() || value < 0.0 {
                return Err(format!("`{name}` is {value}; it has to be at least 0"));
            }
        }
        if self.ahead == 0 { Err("`ahead` is 0; it has to be at least 1".into()) } else { Ok(()) }
    }
}

struct Gated {
    parameters: Parameters,
    gate: Gate,
}

impl Scheduler for Gated {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let Self { parameters, gate } = self;
        gate.decide(view, parameters, parameters.ahead, out);
    }
}

impl Judge for Parameters {
    fn is_hopeless(&self, view: &View, job: usize) -> bool {
        is_hopeless(view, &view.jobs()[job])
    }

    fn alpha(&self, _: usize) -> f64 {
        self.alpha
    }

    fn margin(&self, _: usize) -> f64 {
        self.margin
    }

    fn patience(&self, _: usize) -> f64 {
        1.0
    }
}
