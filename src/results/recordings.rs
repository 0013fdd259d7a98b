//! Recognises runs that stand for every seed. Where no seed changes the requests, `mascot run` runs a scheduler without
//! random draws only once. A summary.csv does not say so, but the offered load shows it: in such a case it is the same
//! to the last digit under all seeds. Files without that column do not show it.

use std::collections::{BTreeMap, BTreeSet};

use super::distinct::case;
use super::rows::Row;
use crate::experiment::{BOUND, SCHEDULER};

const OFFERED: &str = "offered_load";

/// Marks a scheduler's only run in a case if other schedulers ran under several seeds with the same requests.
pub(super) fn mark_recordings(rows: &mut [Row]) {
    let mut cases: BTreeMap<Vec<String>, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        let of_case = cases.entry(case(row)).or_default();
        of_case.entry(row.keys[SCHEDULER].clone()).or_default().push(place);
    }
    for of_case in cases.values().filter(|of_case| of_case.values().any(|of| of.len() > 1)) {
        let runs = of_case.iter().filter(|(label, _)| *label != BOUND).flat_map(|(_, of)| of);
        let offered: BTreeSet<Option<u64>> =
            runs.map(|&place| rows[place].run.values.get(OFFERED).map(|load| load.to_bits())).collect();
        if offered.len() == 1 && !offered.contains(&None) {
            let alone = of_case.values().filter(|of| of.len() == 1);
            alone.for_each(|of| rows[of[0]].is_for_every_seed = true);
        }
    }
}
