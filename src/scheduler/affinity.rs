//! `affinity`: earliest deadline first, each sub-job where its weights and inputs are; requests past their deadline come
//! after all others.
//!
//! As StarPU's `dmda` weighs the expected completion against the transfer of data to each device, a sub-job goes to the
//! accelerator with the smallest sum of
//!
//! - its finish there, with c1 less what it would find on chip ([`View::cost_finding`]), and
//! - `beta` times the time that the whole DRAM takes for the bytes that it would have to move. These bytes slow down what
//!   runs elsewhere even if they do not slow down the sub-job itself.
//!
//! Ties go to the lower number. On a system where nothing stays on chip (`residency = "none"`) the second term is the same
//! for accelerators of one model.

use super::placing::{ListRule, Placing};
use super::{Parameter, SchedulerEntry, parse};
use crate::sim::{Decision, Scheduler, SubJobView, View};
use crate::units::Time;

pub(super) const ENTRY: SchedulerEntry = SchedulerEntry {
    name: "affinity",
    doc: "smallest deadline first, late requests last; accelerator with the earliest finish given what is on chip, and few DRAM bytes",
    source: "after dmda of StarPU (Augonnet et al., CCPE 2011)",
    parameters: &[Parameter {
        name: "beta",
        default: "32.0",
        doc: "how much the DRAM time of a sub-job's bytes counts, relative to its finish",
    }],
    draws: false,
    build: |parameters, _| {
        let Parameters { beta } = parse(parameters)?;
        if !(beta >= 0.0 && beta.is_finite()) {
            return Err(format!("`beta` is {beta}: expected a number from 0"));
        }
        Ok(Box::new(Affinity { rule: ListRule::default(), beta }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    beta: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { beta: BETA }
    }
}

/// Our choice, because from there on the SLA rate rises no more (0.9361 at 1, 0.9437 at 8, 0.9487 at 32, 0.9492 at 64,
/// 0.9451 at 128): the mean over light, heavy and mixed at load 0.9 on hetero-6 with four sizes of memory and three kinds
/// of residency, seeds 101 to 103.
const BETA: f64 = 32.0;

struct Affinity {
    rule: ListRule<Time>,
    beta: f64,
}

impl Scheduler for Affinity {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let beta = self.beta;
        let accelerators = view.accelerators().len();
        let choose = |placing: &Placing, sub: &SubJobView| {
            let (mut best, mut least) = ((0, Time::MAX), f64::INFINITY);
            for accelerator in 0..accelerators {
                let Some(cost) = view.cost_finding(sub, accelerator) else { continue };
                let finish = placing.start(view, sub, accelerator) + cost.alone;
                let score = finish.as_ps() + beta * cost.dram_bytes() / view.bandwidth(accelerator);
                if score < least {
                    (best, least) = ((accelerator, cost.alone), score);
                }
            }
            best
        };
        // The finish, and a look-up of what is on chip.
        let each = 2 * accelerators as u64;
        self.rule.place_choosing(view, out, |sub| view.job_of(sub).deadline, choose, each);
    }
}
