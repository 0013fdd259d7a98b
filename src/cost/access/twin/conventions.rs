//! The conventions, step by step: what is filled when a loop advances.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{
    Region, Step, elements, hierarchies, indices, layer, lengths, mappings, moved, passes, region, steps,
};
use crate::cost::access::{Accesses, Edge, edges};
use crate::cost::evaluate;
use crate::cost::mapping::Mapping;
use crate::dims::{Dim, PerDim, Tensor};
use crate::hw::{AccelSpec, Level, Residuals};
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
    /// Loops in space at and inside the child, by dimension.
    lanes: PerDim<u64>,
    /// Steps in time that the dimensions take.
    lengths: PerDim<u64>,
}

/// The indices of the loops in time of a pass, and the steps of each dimension that are left in it.
type Pass = (Vec<u64>, PerDim<u64>);

/// The counts of a walk over all instances: the accesses of the parent, and the fills of the child.
#[derive(Default)]
struct Moved {
    reads: u64,
    updates: u64,
    fills: u64,
    /// What all children drain.
    drains: u64,
}

impl<'a> Walk<'a> {
    fn new(accel: &AccelSpec, nest: &'a LoopNest, steps: &[Step], edge: Edge, lengths: PerDim<u64>) -> Self {
        let mut lanes = [1; 8];
        let inside = steps.iter().filter(|step| step.in_space && step.level >= edge.child);
        inside.for_each(|step| lanes[step.dim as usize] *= step.bound);
        let outside = |in_space| {
            steps.iter().filter(move |step| step.level < edge.child && step.in_space == in_space).copied()
        };
        Self {
            nest,
            edge,
            to_mac: edge.child == accel.levels.len(),
            time: outside(false).collect(),
            space: outside(true).collect(),
            lanes,
            lengths,
        }
    }

    fn depends(&self, step: &Step) -> bool {
        self.edge.tensor.dims().has(step.dim)
    }

    fn tile(&self, (time, rest): &Pass, space: &[u64]) -> Region {
        let start = moved(moved([0; 8], &self.time, time), &self.space, space);
        let extent = std::array::from_fn(|dim| rest[dim] * self.lanes[dim]);
        region(self.nest, &start, &extent, self.edge.tensor)
    }

    /// Words that one child is filled with between two steps.
    fn filled(&self, before: Option<&Pass>, now: &Pass) -> u64 {
        let whole = |tile: &Region| tile.iter().map(|(_, length)| length).product::<u64>();
        let origin = vec![0; self.space.len()];
        let tile = self.tile(now, &origin);
        let Some(before) = before else { return whole(&tile) };
        if self.to_mac {
            return whole(&tile);
        }
        let advanced = before.0.iter().zip(&now.0).position(|(a, b)| a != b).expect("some loop advances");
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
        let mut before: Option<Pass> = None;
        for now in passes(&self.time, self.lengths) {
            let words = self.filled(before.as_ref(), &now);
            match self.edge.tensor {
                Tensor::Outputs if words > 0 => self.sum(&groups, &now, &mut summed, &mut moved),
                Tensor::Outputs => {}
                Tensor::Weights | Tensor::Inputs => moved.reads += words * groups.len() as u64,
            }
            moved.fills += words * children;
            moved.drains += words * children;
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
        now: &Pass,
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
        .map(|dim| Step { level: 0, in_space: false, dim, bound: bounds[dim as usize], weight: 1, time: 1 })
        .collect();
    let element = |index: Vec<u64>| {
        region(nest, &moved([0; 8], &loops, &index), &[1; 8], tensor).map(|(first, _)| first)
    };
    indices(&loops).map(element).collect::<BTreeSet<_>>().len() as u64
}

/// All accesses by level and tensor, DRAM's scaled to the real tensors.
fn walked(accel: &AccelSpec, nest: &LoopNest, mapping: &Mapping) -> Vec<[Accesses; 3]> {
    let steps = steps(mapping);
    let lengths = lengths(nest, &steps, accel.residuals);
    let mut counts = vec![[Accesses::default(); 3]; accel.levels.len()];
    for edge in edges(accel) {
        let Moved { reads, updates, fills, drains } = Walk::new(accel, nest, &steps, edge, lengths).count();
        let tensor = edge.tensor as usize;
        counts[edge.parent][tensor].reads += reads;
        counts[edge.parent][tensor].updates = updates;
        if let Some(Level::Storage(child)) = accel.levels.get(edge.child) {
            counts[edge.child][tensor].fills = fills;
            if child.drain_reads && edge.tensor == Tensor::Outputs {
                counts[edge.child][tensor].reads += drains;
            }
        }
    }
    let mut covered = lengths;
    steps.iter().filter(|step| step.in_space).for_each(|step| covered[step.dim as usize] *= step.bound);
    for tensor in Tensor::ALL {
        // With or without the gaps that strides leave: the larger share of real elements counts.
        let box_of = |bounds: &PerDim<u64>| {
            region(nest, &[0; 8], bounds, tensor).iter().map(|(_, length)| length).product::<u64>()
        };
        let share = |count: &dyn Fn(&PerDim<u64>) -> u64| (count(&nest.bounds), count(&covered));
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
        residuals in prop::sample::select(vec![Residuals::Padded, Residuals::Exact]),
        drain_reads in prop::array::uniform3(any::<bool>()),
        mapping in mappings(),
        slack in 0..=5u64,
        stride in prop::array::uniform2(1..=3u64),
        dilation in prop::array::uniform2(1..=3u64),
    ) {
        let mut accel = AccelSpec { residuals, ..accel };
        let storages = accel.levels[1..].iter_mut().filter_map(|level| match level {
            Level::Storage(storage) => Some(storage),
            Level::Fanout(_) => None,
        });
        storages.zip(drain_reads).for_each(|(storage, reads)| storage.drain_reads = reads);
        let nest = layer(&mapping, slack, stride, dilation);
        let closed = evaluate(&accel, &nest, &mapping).map_err(TestCaseError::fail)?;
        prop_assert_eq!(closed.accesses, walked(&accel, &nest, &mapping));
        let steps = lengths(&nest, &steps(&mapping), residuals).iter().product::<u64>();
        prop_assert_eq!(closed.steps, steps);
    }
}
