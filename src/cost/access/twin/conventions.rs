//! The conventions, step by step: what is filled when a loop advances.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Region, Step, elements, extents, hierarchies, indices, layer, mappings, moved, region, steps};
use crate::cost::access::{Accesses, Edge, edges};
use crate::cost::evaluate;
use crate::cost::mapping::Mapping;
use crate::dims::{Dim, PerDim, Tensor};
use crate::hw::AccelSpec;
use crate::workload::LoopNest;

/// One edge of a mapping.
struct Walk<'a> {
    nest: &'a LoopNest,
    edge: Edge,
    to_mac: bool,
    /// Loops in time outside the child, outermost first.
    time: Vec<Step>,
    /// Loops in space outside the child.
    space: Vec<Step>,
    /// The child's tile.
    extent: PerDim<u64>,
}

/// The counts of a walk over all instances: the accesses of the parent, and the fills of the child.
#[derive(Default)]
struct Moved {
    reads: u64,
    updates: u64,
    fills: u64,
}

impl<'a> Walk<'a> {
    fn new(accel: &AccelSpec, nest: &'a LoopNest, steps: &[Step], edge: Edge) -> Self {
        let outside = |in_space| {
            steps.iter().filter(move |step| step.level < edge.child && step.in_space == in_space).copied()
        };
        Self {
            nest,
            edge,
            to_mac: edge.child == accel.levels.len(),
            time: outside(false).collect(),
            space: outside(true).collect(),
            extent: extents(steps, edge.child),
        }
    }

    fn depends(&self, step: &Step) -> bool {
        self.edge.tensor.dims().has(step.dim)
    }

    fn tile(&self, time: &[u64], space: &[u64]) -> Region {
        let start = moved(moved([0; 8], &self.time, time), &self.space, space);
        region(self.nest, &start, &self.extent, self.edge.tensor)
    }

    /// Words that one child is filled with between two steps.
    fn filled(&self, before: Option<&[u64]>, now: &[u64]) -> u64 {
        let whole = |tile: &Region| tile.iter().map(|(_, length)| length).product::<u64>();
        let origin = vec![0; self.space.len()];
        let tile = self.tile(now, &origin);
        let Some(before) = before else { return whole(&tile) };
        if self.to_mac {
            return whole(&tile);
        }
        let advanced = before.iter().zip(now).position(|(a, b)| a != b).expect("some loop advances");
        let Some(innermost) = self.time.iter().rposition(|step| self.depends(step)) else { return 0 };
        match advanced > innermost {
            true => 0,
            false if self.slides(advanced, innermost) => {
                whole(&tile) - common(&self.tile(before, &origin), &tile)
            }
            false => whole(&tile),
        }
    }

    /// Whether the tile slides on when the loop at `advanced` takes a step.
    fn slides(&self, advanced: usize, innermost: usize) -> bool {
        let dim = self.time[innermost].dim;
        let nested = &self.time[advanced..=innermost];
        self.edge.tensor == Tensor::Inputs
            && matches!(dim, Dim::P | Dim::Q | Dim::R | Dim::S)
            && nested.iter().all(|step| step.dim == dim)
            && nested[1..].iter().all(|step| step.bound == 2)
    }

    /// The groups of children that one access of a parent serves together, with one place for each group, the parent's
    /// own place first.
    fn groups(&self) -> BTreeSet<(Vec<u64>, Vec<u64>)> {
        let place = |index: Vec<u64>| {
            let own = |of_parent: bool| {
                let each = self.space.iter().zip(&index);
                each.map(move |(step, &i)| if (step.level < self.edge.parent) == of_parent { i } else { 0 })
            };
            let served = own(false).zip(&self.space).map(|(i, step)| if self.depends(step) { i } else { 0 });
            (own(true).collect(), served.collect())
        };
        indices(&self.space).map(place).collect()
    }

    fn count(&self) -> Moved {
        let groups = self.groups();
        let children: u64 = self.space.iter().map(|step| step.bound).product();
        let mut moved = Moved::default();
        let mut summed = BTreeSet::new();
        let mut before: Option<Vec<u64>> = None;
        for now in indices(&self.time) {
            let words = self.filled(before.as_deref(), &now);
            match self.edge.tensor {
                Tensor::Outputs if words > 0 => self.sum(&groups, &now, &mut summed, &mut moved),
                Tensor::Outputs => {}
                Tensor::Weights | Tensor::Inputs => moved.reads += words * groups.len() as u64,
            }
            moved.fills += words * children;
            before = Some(now);
        }
        if self.edge.tensor == Tensor::Outputs {
            moved.fills = moved.reads * children / groups.len() as u64;
        }
        moved
    }

    /// The partial sums of one stay of the children's tiles: those that the parent has seen before are read first.
    fn sum(
        &self,
        groups: &BTreeSet<(Vec<u64>, Vec<u64>)>,
        now: &[u64],
        summed: &mut BTreeSet<(Vec<u64>, [u64; 5])>,
        moved: &mut Moved,
    ) {
        for (parent, served) in groups {
            let space: Vec<u64> = parent.iter().zip(served).map(|(a, b)| a + b).collect();
            for element in elements(&self.tile(now, &space)) {
                moved.updates += 1;
                moved.reads += u64::from(!summed.insert((parent.clone(), element)));
            }
        }
    }
}

/// Elements in both regions.
fn common(a: &Region, b: &Region) -> u64 {
    let overlap =
        |(a, b): (&(u64, u64), &(u64, u64))| (a.0 + a.1).min(b.0 + b.1).saturating_sub(a.0.max(b.0));
    a.iter().zip(b).map(overlap).product()
}

/// Elements of a tensor that some operation of a nest of these bounds needs.
fn needed(nest: &LoopNest, bounds: &PerDim<u64>, tensor: Tensor) -> u64 {
    let loops: Vec<Step> = Dim::ALL
        .into_iter()
        .map(|dim| Step { level: 0, in_space: false, dim, bound: bounds[dim as usize], weight: 1 })
        .collect();
    let element = |index: Vec<u64>| {
        region(nest, &moved([0; 8], &loops, &index), &[1; 8], tensor).map(|(first, _)| first)
    };
    indices(&loops).map(element).collect::<BTreeSet<_>>().len() as u64
}

/// All accesses by level and tensor, DRAM's scaled to the real tensors.
fn walked(accel: &AccelSpec, nest: &LoopNest, mapping: &Mapping) -> Vec<[Accesses; 3]> {
    let steps = steps(mapping);
    let mut counts = vec![[Accesses::default(); 3]; accel.levels.len()];
    for edge in edges(accel) {
        let Moved { reads, updates, fills } = Walk::new(accel, nest, &steps, edge).count();
        let tensor = edge.tensor as usize;
        (counts[edge.parent][tensor].reads, counts[edge.parent][tensor].updates) = (reads, updates);
        if edge.child < accel.levels.len() {
            counts[edge.child][tensor].fills = fills;
        }
    }
    for tensor in Tensor::ALL {
        // With or without the gaps that strides leave: the larger share of real elements counts.
        let box_of = |bounds: &PerDim<u64>| {
            region(nest, &[0; 8], bounds, tensor).iter().map(|(_, length)| length).product::<u64>()
        };
        let share =
            |count: &dyn Fn(&PerDim<u64>) -> u64| (count(&nest.bounds), count(&mapping.padded_bounds()));
        let (boxed, touched) = (share(&box_of), share(&|bounds| needed(nest, bounds, tensor)));
        let (real, padded) = if boxed.0 * touched.1 > touched.0 * boxed.1 { boxed } else { touched };
        let words = &mut counts[0][tensor as usize];
        words.reads = (words.reads * real).div_ceil(padded);
        words.updates = (words.updates * real).div_ceil(padded);
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_closed_form_equals_the_walk(
        accel in hierarchies(),
        mapping in mappings(),
        slack in 0..=1u64,
        stride in prop::array::uniform2(1..=3u64),
        dilation in prop::array::uniform2(1..=3u64),
    ) {
        let nest = layer(&mapping, slack, stride, dilation);
        let closed = evaluate(&accel, &nest, &mapping).map_err(TestCaseError::fail)?;
        prop_assert_eq!(closed.accesses, walked(&accel, &nest, &mapping));
    }
}
