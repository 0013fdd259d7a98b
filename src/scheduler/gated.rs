//! `gated`: earliest deadline first, which drops requests that cannot meet their deadline, demotes requests that make
//! others miss, and lets layers load the DRAM only as far as more urgent requests can bear.
//!
//! The algorithm is in `gate.rs`. Hopeless requests are those that `edf_drop` drops, a sub-job gets the accelerator
//! with the earliest finish of its request (`segment.rs`), unless `speed` or `energy` say more, and alpha and the margin are
//! the same for all requests.

use super::edf_drop::is_hopeless;
use super::gate::{Gate, Judge};
use super::load::Load;
use super::placing::Placing;
use super::segment::{Choice, earliest_request_finish, least_cost};
use super::{SchedulerEntry, parse};
use crate::files::Parameter;
use crate::sim::{Decision, Scheduler, SubJobView, View};

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "gated",
    doc: "drops requests that cannot meet their deadline, demotes those that make others miss, runs edf with the earliest finish of the request, and holds \
          layers that would overload the DRAM",
    source: "ours",
    parameters: &[
        Parameter {
            name: "alpha",
            default: "0.4",
            doc: "share of the capacity up to a deadline that counts as feasible",
        },
        Parameter {
            name: "margin",
            default: "1.0",
            doc: "multiple of the slowdown that more urgent requests can bear, up to which layers start",
        },
        Parameter { name: "ahead", default: "4", doc: "number of layers over which a demand is averaged" },
        Parameter {
            name: "speed",
            default: "0",
            doc: "exponent by which accelerators are avoided on which a layer takes longer than on its fastest",
        },
        Parameter {
            name: "energy",
            default: "0",
            doc: "exponent by which accelerators are avoided on which a layer takes more energy than where it takes the least",
        },
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
    speed: u32,
    energy: u32,
}

// Tuned once on seeds 101 to 103 of light and mixed, hetero-6: loads 0.6, 0.9, 1.2, factors 2, 4, 7, and 16, 32, 64 GB/s.
pub(crate) const ALPHA: f64 = 0.4;
pub(crate) const MARGIN: f64 = 1.0;
pub(crate) const AHEAD: u32 = 4;

/// The largest `speed` and `energy`. Our choice, because the best accelerator of a layer is all that counts long before.
const LARGEST: u32 = 16;

impl Default for Parameters {
    fn default() -> Self {
        Self { alpha: ALPHA, margin: MARGIN, ahead: AHEAD, speed: 0, energy: 0 }
    }
}

impl Parameters {
    fn check(&self) -> Result<(), String> {
        for (name, value) in [("alpha", self.alpha), ("margin", self.margin)] {
            if value.is_nan() || value < 0.0 {
                return Err(format!("`{name}` is {value}; it has to be at least 0"));
            }
        }
        for (name, value) in [("speed", self.speed), ("energy", self.energy)] {
            if value > LARGEST {
                return Err(format!("`{name}` is {value}; it may be 0 to {LARGEST}"));
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

    fn choose(&self, view: &View, placing: &Placing, _: &Load, sub: &SubJobView) -> (Choice, u64) {
        if self.speed == 0 && self.energy == 0 {
            return earliest_request_finish(placing, view, sub);
        }
        let (network, layer) = (view.network_of(view.job_of(sub)), sub.id.layer);
        let best_ps = network.best_alone[layer as usize].as_ps().max(1.0);
        // One picojoule more, because a layer may take none.
        let least_pj = network.least_energy_pj(layer) + 1.0;
        let alone = view.alone_on_each(sub);
        least_cost(placing, view, sub, |accelerator| {
            let speed = (alone[accelerator].as_ps().max(1.0) / best_ps).powi(self.speed as i32);
            let energy_pj = network.cost(layer, accelerator).map_or(0.0, |cost| cost.energy.0);
            speed * ((energy_pj + 1.0) / least_pj).powi(self.energy as i32)
        })
    }
}
