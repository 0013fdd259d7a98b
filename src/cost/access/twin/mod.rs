//! Slow twins of the access counting: they walk the loop nest step by step.
//!
//! - [`conventions`] asks at every step which loop has advanced and fills what the conventions say: equal to the
//!   closed form.
//! - [`contents`] remembers the words that every instance really holds: never above the closed form.
//!
//! Both start from the [`Mapping`] and share no code with [`Flat`](super::Flat). Here is what they have in common: the
//! loops with their weights, tiles as boxes of elements, and drawn mappings.

mod contents;
mod conventions;

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::cost::mapping::{LevelLoops, Loop, Mapping};
use crate::cost::testing::{accel, fanout, storage};
use crate::dims::{Dim, PerDim, Tensor};
use crate::hw::{AccelSpec, Level, Residuals};
use crate::workload::LoopNest;

/// A loop above 1.
#[derive(Clone, Copy, Debug)]
struct Step {
    level: usize,
    in_space: bool,
    dim: Dim,
    bound: u64,
    /// How far one step moves along the dimension.
    weight: u64,
    /// How many steps in time of the dimension one step takes.
    time: u64,
}

/// All loops above 1, outermost first; at a level those in time come before those in space.
fn steps(mapping: &Mapping) -> Vec<Step> {
    let mut steps = Vec::new();
    for (level, loops) in mapping.levels.iter().enumerate() {
        let step = |each: &Loop, in_space| Step {
            level,
            in_space,
            dim: each.dim,
            bound: each.bound,
            weight: 1,
            time: 1,
        };
        steps.extend(loops.temporal.iter().map(|each| step(each, false)));
        steps.extend(loops.spatial.iter().flatten().map(|each| step(each, true)));
    }
    steps.retain(|step| step.bound > 1);
    let mut inside: PerDim<u64> = [1; 8];
    for step in steps.iter_mut().rev() {
        step.weight = inside[step.dim as usize];
        inside[step.dim as usize] *= step.bound;
    }
    let mut time: PerDim<u64> = [1; 8];
    for step in steps.iter_mut().rev().filter(|step| !step.in_space) {
        step.time = time[step.dim as usize];
        time[step.dim as usize] *= step.bound;
    }
    steps
}

/// Steps in time that every dimension of a layer takes: the product of its loops, or only what the layer needs.
fn lengths(nest: &LoopNest, steps: &[Step], residuals: Residuals) -> PerDim<u64> {
    let product = |dim: usize, in_space: bool| -> u64 {
        let own = steps.iter().filter(|step| step.dim as usize == dim && step.in_space == in_space);
        own.map(|step| step.bound).product()
    };
    std::array::from_fn(|dim| match residuals {
        Residuals::Padded => product(dim, false),
        Residuals::Exact => nest.bounds[dim].div_ceil(product(dim, true)),
    })
}

/// The passes of loops in time, the last loop fastest: the indices of each pass, and how many steps of each dimension
/// are left in it. Literally `for tile in ..` as long as there is a rest, and inside it `min(tile, rest)`.
fn passes(loops: &[Step], rest: PerDim<u64>) -> Vec<(Vec<u64>, PerDim<u64>)> {
    let Some((each, inner)) = loops.split_first() else { return vec![(Vec::new(), rest)] };
    let (dim, mut all) = (each.dim as usize, Vec::new());
    for index in (0..each.bound).take_while(|index| index * each.time < rest[dim]) {
        let mut own = rest;
        own[dim] = each.time.min(rest[dim] - index * each.time);
        all.extend(passes(inner, own).into_iter().map(|(mut indices, rest)| {
            indices.insert(0, index);
            (indices, rest)
        }));
    }
    all
}

/// Every combination of indices of the loops, the last loop fastest.
fn indices(loops: &[Step]) -> impl Iterator<Item = Vec<u64>> {
    let total: u64 = loops.iter().map(|each| each.bound).product();
    (0..total).map(move |mut number| {
        let mut index = vec![0; loops.len()];
        for (digit, each) in index.iter_mut().zip(loops).rev() {
            *digit = number % each.bound;
            number /= each.bound;
        }
        index
    })
}

/// How far the indices of some loops move a tile.
fn moved(mut start: PerDim<u64>, loops: &[Step], index: &[u64]) -> PerDim<u64> {
    for (each, i) in loops.iter().zip(index) {
        start[each.dim as usize] += i * each.weight;
    }
    start
}

/// The extents of all loops at and inside a level.
fn extents(steps: &[Step], level: usize) -> PerDim<u64> {
    let mut extent = [1; 8];
    steps.iter().filter(|step| step.level >= level).for_each(|step| extent[step.dim as usize] *= step.bound);
    extent
}

/// First element and length along each axis of a tensor.
type Region = [(u64, u64); 5];

/// The projection of a tile on a tensor, the rows and columns that a stride skips included.
fn region(nest: &LoopNest, start: &PerDim<u64>, extent: &PerDim<u64>, tensor: Tensor) -> Region {
    let plain = |dim: Dim| (start[dim as usize], extent[dim as usize]);
    let window = |outputs: Dim, kernel: Dim, axis: usize| {
        let ((p, outputs), (r, kernel)) = (plain(outputs), plain(kernel));
        let (stride, dilation) = (nest.stride[axis], nest.dilation[axis]);
        (p * stride + r * dilation, (outputs - 1) * stride + (kernel - 1) * dilation + 1)
    };
    match tensor {
        Tensor::Weights => [Dim::G, Dim::K, Dim::C, Dim::R, Dim::S].map(plain),
        Tensor::Outputs => [Dim::N, Dim::G, Dim::K, Dim::P, Dim::Q].map(plain),
        Tensor::Inputs => {
            let [n, g, c] = [Dim::N, Dim::G, Dim::C].map(plain);
            [n, g, c, window(Dim::P, Dim::R, 0), window(Dim::Q, Dim::S, 1)]
        }
    }
}

/// Every element of a region.
fn elements(region: &Region) -> BTreeSet<[u64; 5]> {
    let total: u64 = region.iter().map(|(_, length)| length).product();
    let element = |mut number: u64| {
        let mut element = [0; 5];
        for (at, (first, length)) in element.iter_mut().zip(region) {
            *at = first + number % length;
            number /= length;
        }
        element
    };
    (0..total).map(element).collect()
}

/// Three buffers around two fan-outs, with drawn tensors in each buffer.
fn hierarchies() -> impl Strategy<Value = AccelSpec> {
    let kept = || prop::sample::subsequence(Tensor::ALL.to_vec(), 0..=3);
    (kept(), kept(), kept()).prop_map(|(outer, middle, inner)| {
        let levels = vec![
            Level::Storage(storage("dram", &Tensor::ALL, &Dim::ALL)),
            Level::Storage(storage("outer", &outer, &Dim::ALL)),
            Level::Fanout(fanout("array", [64, 64], &Dim::ALL, &Dim::ALL)),
            Level::Storage(storage("middle", &middle, &Dim::ALL)),
            Level::Fanout(fanout("lanes", [64, 64], &Dim::ALL, &Dim::ALL)),
            Level::Storage(storage("inner", &inner, &Dim::ALL)),
        ];
        accel("drawn", levels)
    })
}

/// Up to seven loops of 2 or 3 anywhere in a hierarchy of [`hierarchies`], in any order.
fn mappings() -> impl Strategy<Value = Mapping> {
    let one = (prop::sample::select(Dim::ALL.to_vec()), 2..=3u64, 0..6usize, 0..2usize);
    prop::collection::vec(one, 1..=7).prop_map(|drawn| {
        let mut mapping = Mapping { levels: vec![LevelLoops::default(); 6] };
        for (dim, bound, level, axis) in drawn {
            let loops = &mut mapping.levels[level];
            let place = if matches!(level, 2 | 4) { &mut loops.spatial[axis] } else { &mut loops.temporal };
            place.push(Loop { dim, bound });
        }
        mapping
    })
}

/// The layer that a mapping covers with `slack` of every dimension padded, strided and dilated.
fn layer(mapping: &Mapping, slack: u64, stride: [u64; 2], dilation: [u64; 2]) -> LoopNest {
    let bounds = mapping.padded_bounds().map(|bound| bound.saturating_sub(slack).max(1));
    LoopNest { bounds, stride, dilation, padding: [0; 2] }
}
