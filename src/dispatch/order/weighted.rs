//! `weighted`: first the request whose answer now adds most to the alpha-fair welfare of the tenants' mean qualities x,
//! the sum of x^(1 - alpha) / (1 - alpha): the quality of an answer on the best variant alone, times x^-alpha. Alpha 0 is
//! the most quality, whoever gets it; 1 is proportional fairness; a large one is max-min. The gradient scheduling of
//! Stolyar (Operations Research 2005), with qualities in place of rates.

use super::achieved::{Achieved, feasible};
use crate::dispatch::{Order, RuleEntry, parse};
use crate::files::Parameter;
use crate::serve::{FleetView, QueuedView, Record};
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Order> = RuleEntry {
    name: "weighted",
    doc: "first the request that adds most to the alpha-fair welfare of the mean qualities that the tenants got at this site",
    source: "gradient scheduling (Stolyar, Operations Research 2005), with qualities in place of rates",
    parameters: &[Parameter {
        name: "alpha",
        default: "1",
        doc: "0 for the most quality, 1 for proportional fairness, larger for the poorest; a whole number from 0 to 16",
    }],
    draws: false,
    build: |parameters, _| {
        let Parameters { alpha } = parse(parameters)?;
        if alpha > LARGEST {
            return Err(format!("`alpha` is {alpha}; it has to be a whole number from 0 to {LARGEST}"));
        }
        Ok(Box::new(Weighted { alpha, achieved: Achieved::default() }))
    },
};

/// The largest exponent. Our choice, because the order of means 5 % apart is then that of max-min whatever the qualities
/// of the answers are, up to a factor of two; whole, because powers then are products, with the same bits everywhere.
const LARGEST: u32 = 16;

/// Means below count as this: a tenant without an answer comes first, and still by the worth of the answer. Our choice.
const LEAST: f64 = 1e-3;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    alpha: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { alpha: 1 }
    }
}

struct Weighted {
    alpha: u32,
    achieved: Achieved,
}

impl Order for Weighted {
    fn rank(
        &mut self,
        view: &FleetView,
        site: usize,
        of: &QueuedView,
        spent: &mut Operations,
    ) -> Option<f64> {
        if !feasible(view, site, of, spent) {
            return Some(f64::INFINITY);
        }
        spent.comparisons += u64::from(self.alpha);
        let model = view.model().clients[of.tenant].model;
        let best = view.model().models[model].best();
        let done = view.now().saturating_add(view.model().service(site, model, best, 1));
        let asked = (of.tenant, of.arrival, of.deadline);
        let worth = Achieved::quality(view, site, asked, best, done);
        let mean = self.achieved.mean(view, site, of.tenant).max(LEAST);
        Some(-worth / (0..self.alpha).fold(1.0, |power, _| power * mean))
    }

    fn observe(&mut self, record: &Record) {
        self.achieved.observe(record);
    }
}
