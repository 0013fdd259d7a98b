//! Real contents: every instance of a child remembers the words of its tile, and a word moves only when it must.
//!
//! A child is filled with what it does not hold, and one access of the parent serves every child that needs the word in
//! that step. Partial sums leave when their tile does; children that leave the same sum together make one update, and
//! only a sum that the parent has seen is read again. A MAC holds the last word of each tensor.
//!
//! The conventions never count less. How much more they count, on the same loops:
//!
//! - neighbours that each read their own halo: up to the kernel's width over the stride, 2 x below;
//! - a window that starts afresh although the loop between two steps left part of it in place: up to tile / shift;
//! - a MAC that reads the same word in successive steps: up to the number of steps, 8 x below;
//! - partial sums that stay: no difference at a level with storage, the same as for operands at the MAC.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Step, elements, extents, hierarchies, indices, layer, mappings, moved, region, steps};
use crate::cost::access::{Accesses, Edge, edges};
use crate::cost::evaluate;
use crate::cost::mapping::{LevelLoops, Loop, Mapping};
use crate::cost::testing::{accel, fanout, storage};
use crate::dims::{Dim, Tensor};
use crate::hw::{AccelSpec, Level};
use crate::workload::LoopNest;

type Words = BTreeSet<[u64; 5]>;

/// The words that move over one edge in one step, by the parent's place.
#[derive(Default)]
struct Traffic {
    /// Words that some child of the parent lacks.
    entering: BTreeMap<Vec<u64>, Words>,
    /// Words that some child of the parent gives up.
    leaving: BTreeMap<Vec<u64>, Words>,
}

/// One edge: the contents of every child, and the counts of the parent with the fills of the children.
#[derive(Default)]
struct Contents {
    held: BTreeMap<Vec<u64>, Words>,
    summed: BTreeMap<Vec<u64>, Words>,
    reads: u64,
    updates: u64,
    fills: u64,
}

impl Contents {
    /// Replaces the contents of one child.
    fn hold(&mut self, child: &[u64], parent: &[u64], tile: Words, traffic: &mut Traffic) -> u64 {
        let before = self.held.insert(child.to_vec(), tile.clone()).unwrap_or_default();
        let entering: Words = tile.difference(&before).copied().collect();
        let lacked = entering.len() as u64;
        traffic.entering.entry(parent.to_vec()).or_default().extend(entering);
        traffic.leaving.entry(parent.to_vec()).or_default().extend(before.difference(&tile));
        lacked
    }

    /// Sums that leave are updates; sums that enter are read where the parent has them already.
    fn sums(&mut self, traffic: Traffic) {
        for (parent, words) in traffic.leaving {
            self.updates += words.len() as u64;
            self.summed.entry(parent).or_default().extend(words);
        }
        for (parent, words) in traffic.entering {
            let seen = self.summed.entry(parent).or_default();
            let again = words.intersection(seen).count() as u64;
            self.reads += again;
            self.fills += again;
        }
    }

    fn operands(&mut self, traffic: &Traffic, lacked: u64) {
        self.reads += traffic.entering.values().map(|words| words.len() as u64).sum::<u64>();
        self.fills += lacked;
    }
}

fn walk(nest: &LoopNest, steps: &[Step], edge: Edge) -> Contents {
    let outside = |in_space| {
        let outside = steps.iter().filter(move |step| step.level < edge.child && step.in_space == in_space);
        outside.copied().collect::<Vec<Step>>()
    };
    let (time, space, extent) = (outside(false), outside(true), extents(steps, edge.child));
    let parents = space.iter().filter(|step| step.level < edge.parent).count();
    let children: Vec<Vec<u64>> = indices(&space).collect();
    let mut contents = Contents::default();
    for now in indices(&time) {
        let (mut traffic, mut lacked) = (Traffic::default(), 0);
        for child in &children {
            let start = moved(moved([0; 8], &time, &now), &space, child);
            let tile = elements(&region(nest, &start, &extent, edge.tensor));
            lacked += contents.hold(child, &child[..parents], tile, &mut traffic);
        }
        match edge.tensor {
            Tensor::Outputs => contents.sums(traffic),
            Tensor::Weights | Tensor::Inputs => contents.operands(&traffic, lacked),
        }
    }
    let mut last = Traffic::default();
    for child in &children {
        contents.hold(child, &child[..parents], Words::new(), &mut last);
    }
    if edge.tensor == Tensor::Outputs {
        contents.sums(last);
    }
    contents
}

fn really_moved(accel: &AccelSpec, nest: &LoopNest, mapping: &Mapping) -> Vec<[Accesses; 3]> {
    let steps = steps(mapping);
    let mut counts = vec![[Accesses::default(); 3]; accel.levels.len()];
    for edge in edges(accel) {
        let contents = walk(nest, &steps, edge);
        let parent = &mut counts[edge.parent][edge.tensor as usize];
        (parent.reads, parent.updates) = (contents.reads, contents.updates);
        if edge.child < accel.levels.len() {
            counts[edge.child][edge.tensor as usize].fills = contents.fills;
        }
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Without padding: DRAM's words are scaled to the real tensor on average, not clipped at its edge.
    #[test]
    fn the_conventions_never_under_count(
        accel in hierarchies(),
        mapping in mappings(),
        stride in prop::array::uniform2(1..=3u64),
        dilation in prop::array::uniform2(1..=3u64),
    ) {
        let nest = layer(&mapping, 0, stride, dilation);
        let closed = evaluate(&accel, &nest, &mapping).map_err(TestCaseError::fail)?;
        let real = really_moved(&accel, &nest, &mapping);
        for (counted, real) in closed.accesses.iter().flatten().zip(real.iter().flatten()) {
            let enough = counted.reads >= real.reads && counted.fills >= real.fills && counted.updates >= real.updates;
            prop_assert!(enough, "counted {counted:?}, really {real:?}");
        }
    }
}

/// Reads of one tensor at a level: as counted, and really.
fn reads(accel: &AccelSpec, nest: &LoopNest, mapping: &Mapping, level: usize, tensor: Tensor) -> (u64, u64) {
    let closed = evaluate(accel, nest, mapping).expect("the mapping fits the accelerator");
    let real = really_moved(accel, nest, mapping);
    (closed.accesses[level][tensor as usize].reads, real[level][tensor as usize].reads)
}

#[test]
fn by_how_much_they_over_count() {
    let spec = accel(
        "four",
        vec![
            Level::Storage(storage("dram", &Tensor::ALL, &Dim::ALL)),
            Level::Fanout(fanout("array", [4, 1], &[Dim::Q], &[])),
            Level::Storage(storage("pe", &Tensor::ALL, &Dim::ALL)),
        ],
    );
    let nest =
        LoopNest { bounds: [1, 1, 1, 1, 8, 4, 1, 3], stride: [1; 2], dilation: [1; 2], padding: [0; 2] };
    let one = |dim, bound| vec![Loop { dim, bound }];
    let pe = vec![Loop { dim: Dim::S, bound: 3 }, Loop { dim: Dim::P, bound: 8 }];
    let mapping = Mapping {
        levels: vec![
            LevelLoops::default(),
            LevelLoops { temporal: vec![], spatial: [one(Dim::Q, 4), vec![]] },
            LevelLoops { temporal: pe, spatial: [vec![], vec![]] },
        ],
    };
    // Four windows of 3 columns, which lie on 6: 8 rows of each.
    assert_eq!(reads(&spec, &nest, &mapping, 0, Tensor::Inputs), (8 * 12, 8 * 6));
    // Each of 4 MACs uses each of 3 weights in 8 successive steps.
    assert_eq!(reads(&spec, &nest, &mapping, 2, Tensor::Weights), (4 * 3 * 8, 4 * 3));
}
