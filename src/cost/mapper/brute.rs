//! The slow, obviously correct twin of the search: every legal mapping of a small layer is evaluated, one by one.
//!
//! Every slot of a dimension takes every factor up to what is left of it, and the loops of a level stand in every
//! order. Nothing is pruned; [`Mapping::check_legal`] alone says what counts.
//!
//! Two bests are kept. A mapping is **tight** if no factor can be lowered without leaving a part of the layer out: the
//! search must not lose to any tight mapping. A loose one pads more than it must. It may look cheaper all the same (in 2
//! of 2688 searches, by up to 2 %), because the words of padded inputs are scaled at DRAM on average: its larger tiles
//! share halos that the real layer does not have. The search does not follow that artefact, but no mapping it finds may
//! beat the best of all.

use proptest::prelude::*;

use super::goal::{Goal, Ingredients, Judge, Score};
use super::{BUDGET, Budget, search_within};
use crate::cost::access::Flat;
use crate::cost::evaluate::Evaluator;
use crate::cost::lowering::Lowered;
use crate::cost::mapping::{LevelLoops, Loop, Mapping};
use crate::cost::passes::Tail;
use crate::cost::testing::{accelerators, lowerings, small_convolutions, small_layers};
use crate::dims::{Dim, Tensor};
use crate::hw::{AccelSpec, Level, Objective, Residuals};
use crate::precision::Precision;
use crate::workload::LoopNest;

/// A slot in which a factor of a dimension may stand: a level, and an axis if it is in space.
#[derive(Clone, Copy)]
struct Slot {
    level: usize,
    axis: Option<usize>,
}

struct Brute<'a> {
    accel: &'a AccelSpec,
    /// The layer as the accelerator runs it.
    lowered: Lowered,
    evaluator: Evaluator<'a>,
    judges: [Judge<'a>; 3],
    /// Whether the factors chosen are tight.
    tight: bool,
    best_tight: [Score; 3],
    best_of_all: [Score; 3],
}

impl<'a> Brute<'a> {
    fn new(accel: &'a AccelSpec, lowered: Lowered, tail: Tail, goals: [Goal; 3]) -> Self {
        let judges = goals.map(|goal| Judge::new(accel, goal, lowered.tail(accel.dram(), tail)));
        let evaluator = Evaluator::of(accel, lowered, tail);
        let worst = [Score::WORST; 3];
        Self { accel, lowered, evaluator, judges, tight: true, best_tight: worst, best_of_all: worst }
    }

    /// The slots of a dimension, from the MACs outwards.
    fn slots(&self, dim: Dim) -> Vec<Slot> {
        let mut slots = Vec::new();
        for (level, spec) in self.accel.levels.iter().enumerate().rev() {
            match spec {
                Level::Storage(storage) if storage.temporal.has(dim) => {
                    slots.push(Slot { level, axis: None })
                }
                Level::Storage(_) => {}
                Level::Fanout(fanout) => {
                    let axes = (0..2).filter(|&axis| fanout.spatial[axis].has(dim));
                    slots.extend(axes.map(|axis| Slot { level, axis: Some(axis) }));
                }
            }
        }
        slots
    }

    /// Factors for all dimensions from `next` on.
    fn dimension(&mut self, next: usize, mapping: &mut Mapping) {
        match Dim::ALL.get(next) {
            Some(&dim) => {
                let slots = self.slots(dim);
                self.factor(next, &slots, self.lowered.nest.bound(dim), mapping);
            }
            None if mapping.check_legal_of(self.accel, &self.lowered).is_ok() => {
                self.tight = is_tight(mapping, &self.lowered.nest);
                self.order(0, mapping);
            }
            None => {}
        }
    }

    fn factor(&mut self, next: usize, slots: &[Slot], left: u64, mapping: &mut Mapping) {
        let Some((slot, others)) = slots.split_first() else {
            if left == 1 {
                self.dimension(next + 1, mapping);
            }
            return;
        };
        self.factor(next, others, left, mapping);
        for bound in 2..=left {
            loops(mapping, *slot).push(Loop { dim: Dim::ALL[next], bound });
            self.factor(next, others, left.div_ceil(bound), mapping);
            loops(mapping, *slot).pop();
        }
    }

    /// All orders of the loops in time at the levels from `level` inwards.
    fn order(&mut self, level: usize, mapping: &mut Mapping) {
        match mapping.levels.get(level) {
            Some(loops) => self.permute(level, loops.temporal.len(), mapping),
            None => self.offer(mapping),
        }
    }

    /// All orders of the first `count` loops of `level`.
    fn permute(&mut self, level: usize, count: usize, mapping: &mut Mapping) {
        if count < 2 {
            self.order(level + 1, mapping);
            return;
        }
        for place in 0..count {
            mapping.levels[level].temporal.swap(place, count - 1);
            self.permute(level, count - 1, mapping);
            mapping.levels[level].temporal.swap(place, count - 1);
        }
    }

    fn offer(&mut self, mapping: &Mapping) {
        let cost = Ingredients::of(&self.evaluator.summary(&Flat::of(mapping)));
        let bests = self.best_tight.iter_mut().zip(&mut self.best_of_all);
        for (judge, (tight, all)) in self.judges.iter().zip(bests) {
            let score = judge.score(&cost);
            if self.tight && score.beats(*tight) {
                *tight = score;
            }
            if score.beats(*all) {
                *all = score;
            }
        }
    }
}

/// Whether every factor is needed.
fn is_tight(mapping: &Mapping, nest: &LoopNest) -> bool {
    let padded = mapping.padded_bounds();
    let mut loops =
        mapping.levels.iter().flat_map(|level| level.temporal.iter().chain(level.spatial.iter().flatten()));
    loops.all(|each| padded[each.dim as usize] / each.bound * (each.bound - 1) < nest.bound(each.dim))
}

fn loops(mapping: &mut Mapping, slot: Slot) -> &mut Vec<Loop> {
    let level = &mut mapping.levels[slot.level];
    match slot.axis {
        Some(axis) => &mut level.spatial[axis],
        None => &mut level.temporal,
    }
}

fn goals(bandwidth_gbps: f64) -> [Goal; 3] {
    [Objective::Latency, Objective::Energy, Objective::Edp]
        .map(|objective| Goal { objective, bandwidth_gbps })
}

/// By how much a loose mapping may look cheaper than all tight ones.
const PADDED_ARTEFACT: f64 = 0.03;

fn compare(accel: &AccelSpec, nest: &LoopNest, tail: Tail, bandwidth_gbps: f64) -> Result<(), TestCaseError> {
    compare_lowered(accel, Lowered::new(accel, nest).expect("the layers are small"), tail, bandwidth_gbps)
}

fn compare_lowered(
    accel: &AccelSpec,
    lowered: Lowered,
    tail: Tail,
    bandwidth_gbps: f64,
) -> Result<(), TestCaseError> {
    let goals = goals(bandwidth_gbps);
    let mut brute = Brute::new(accel, lowered, tail, goals);
    let empty = Mapping { levels: vec![LevelLoops::default(); accel.levels.len()] };
    brute.dimension(0, &mut empty.clone());
    for (i, goal) in goals.into_iter().enumerate() {
        let found = search_within(accel, lowered, tail, goal, BUDGET).map_or(Score::WORST, |found| {
            brute.judges[i].score(&Ingredients::of(&brute.evaluator.summary(&Flat::of(&found.mapping))))
        });
        let (tight, all) = (brute.best_tight[i], brute.best_of_all[i]);
        prop_assert!(!tight.beats(found), "{goal:?}: found {found:?}, lost {tight:?}");
        prop_assert!(!found.beats(all), "{goal:?}: {found:?} is no legal mapping, the best is {all:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn the_search_loses_nothing(
        accel in accelerators(), nest in small_layers(), gbps in prop::sample::select(vec![0.5, 4.0, f64::INFINITY]),
    ) {
        compare(&accel, &nest, Tail::NONE, gbps)?;
    }

    #[test]
    fn the_search_loses_nothing_with_exact_residuals(
        accel in accelerators(),
        nest in small_layers(),
        gbps in prop::sample::select(vec![0.5, 4.0, f64::INFINITY]),
        drain_reads in any::<bool>(),
    ) {
        let mut accel = AccelSpec { residuals: Residuals::Exact, ..accel };
        if let Level::Storage(middle) = &mut accel.levels[1] {
            middle.drain_reads = drain_reads;
        }
        compare(&accel, &nest, Tail::NONE, gbps)?;
    }

    #[test]
    fn no_mapping_undercuts_the_gap_of_a_search_that_ends_early(
        accel in accelerators(),
        nest in small_layers(),
        residuals in prop::sample::select(vec![Residuals::Padded, Residuals::Exact]),
        first in 0..300u64,
        limited in 0..300u64,
    ) {
        let accel = AccelSpec { residuals, ..accel };
        let goals = goals(4.0);
        let lowered = Lowered::new(&accel, &nest).expect("the layers are small");
        let mut brute = Brute::new(&accel, lowered, Tail::NONE, goals);
        brute.dimension(0, &mut Mapping { levels: vec![LevelLoops::default(); accel.levels.len()] });
        for (i, goal) in goals.into_iter().enumerate() {
            let found = search_within(&accel, lowered, Tail::NONE, goal, Budget { first, limited });
            let best = brute.best_of_all[i].first();
            prop_assert_eq!(found.is_some(), best.is_finite());
            let Some(found) = found else { continue };
            let score = brute.judges[i].score(&Ingredients::of(&brute.evaluator.summary(&Flat::of(&found.mapping))));
            let lower = score.first() * (1.0 - found.gap);
            let slack = if residuals == Residuals::Padded { PADDED_ARTEFACT } else { 1e-9 };
            prop_assert!(best >= lower * (1.0 - slack), "{goal:?}: {best} is below {lower}, gap {}", found.gap);
            prop_assert!(score.first() >= best * (1.0 - 1e-9));
        }
    }

    #[test]
    fn the_search_loses_nothing_with_post_processing(
        accel in accelerators(),
        nest in small_layers(),
        gbps in prop::sample::select(vec![0.5, f64::INFINITY]),
        residual in any::<bool>(),
        pooled in 1..5u64,
        ops in 0..500u64,
    ) {
        let inside = nest.elements(Tensor::Outputs);
        let reads = if residual { inside } else { 0 };
        compare(&accel, &nest, Tail { reads, inside, writes: inside.div_ceil(pooled), ops }, gbps)?;
    }

    #[test]
    fn the_search_loses_nothing_of_a_lowered_layer(
        accel in accelerators(), lowering in lowerings(), nest in small_convolutions(),
        gbps in prop::sample::select(vec![0.5, 4.0, f64::INFINITY]), residual in any::<bool>(),
    ) {
        let inside = nest.elements(Tensor::Outputs);
        let tail = Tail { reads: inside, inside, writes: inside, ops: inside };
        compare(&AccelSpec { lowering, ..accel }, &nest, if residual { tail } else { Tail::NONE }, gbps)?;
    }

    #[test]
    fn the_search_loses_nothing_in_any_precision(
        accel in accelerators(), nest in small_layers(), gbps in prop::sample::select(vec![0.5, 4.0, f64::INFINITY]),
        bits in prop::array::uniform4(prop::option::of(prop::sample::select(vec![3u8, 4, 8, 12, 16, 32]))),
        residual in any::<bool>(),
    ) {
        let [weights, inputs, outputs, psums] = bits;
        let precision = Precision { weights, inputs, outputs, psums };
        let lowered = Lowered::at(&accel, &nest, precision).expect("the layers are small");
        let inside = nest.elements(Tensor::Outputs);
        let tail = Tail { reads: inside, inside, writes: inside, ops: inside };
        compare_lowered(&accel, lowered, if residual { tail } else { Tail::NONE }, gbps)?;
    }
}
