//! `switch`: a less accurate variant from each threshold of the queue's length on, and back with a hysteresis. Ours; with
//! tuned thresholds the simple rule that comes closest to the optimum of a small queue with variants.

use std::collections::BTreeMap;

use crate::dispatch::{Queue, RuleEntry, Variant, parse};
use crate::files::Parameter;
use crate::serve::FleetView;
use crate::sim::Operations;

pub(super) const ENTRY: RuleEntry<dyn Variant> = RuleEntry {
    name: "switch",
    doc: "one variant less accurate from each threshold of the queue's length on, and back with a hysteresis",
    source: "ours",
    parameters: &[
        Parameter {
            name: "thresholds",
            default: "",
            doc: "queue lengths, ascending, from 1, such as [3, 6]",
        },
        Parameter {
            name: "hysteresis",
            default: "0",
            doc: "how far the queue has to be below a threshold to go back, less than the first threshold",
        },
    ],
    draws: false,
    build: |parameters, _| {
        let Parameters { thresholds, hysteresis } = parse(parameters)?;
        let ascend = thresholds.windows(2).all(|pair| pair[0] < pair[1]);
        match thresholds.first() {
            Some(&first) if first > 0 && ascend => {
                if hysteresis >= first {
                    return Err(format!(
                        "`hysteresis` is {hysteresis}; it has to be less than the first threshold, {first}"
                    ));
                }
            }
            _ => {
                return Err(format!("`thresholds` are {thresholds:?}; they have to ascend, from at least 1"));
            }
        }
        Ok(Box::new(Switch { thresholds, hysteresis, levels: BTreeMap::new() }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    thresholds: Vec<usize>,
    #[serde(default)]
    hysteresis: usize,
}

struct Switch {
    thresholds: Vec<usize>,
    hysteresis: usize,
    /// The number of thresholds that count as passed, by site and model.
    levels: BTreeMap<(usize, usize), usize>,
}

impl Variant for Switch {
    fn variant(
        &mut self,
        _: &FleetView,
        queue: &Queue,
        _: usize,
        allowed: &[usize],
        spent: &mut Operations,
    ) -> usize {
        spent.comparisons += self.thresholds.len() as u64;
        let length = queue.len();
        let level = self.levels.entry((queue.site, queue.model)).or_default();
        while *level < self.thresholds.len() && length >= self.thresholds[*level] {
            *level += 1;
        }
        while *level > 0 && length + self.hysteresis < self.thresholds[*level - 1] {
            *level -= 1;
        }
        allowed[(*level).min(allowed.len() - 1)]
    }
}
