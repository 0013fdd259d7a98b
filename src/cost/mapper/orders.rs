//! The loop orders that matter at one level.
//!
//! An order decides, for each tensor, which loops find its tile in place (those inside the innermost loop that it
//! depends on) and along which dimension the input window slides. The dimensions that W, I and O do not depend on (N P
//! Q, K, and C R S) are disjoint, so that the innermost loop serves one of them, and that one best if all its loops are
//! innermost together; the order of the loops outside changes nothing. What is left to choose is that block, and the
//! dimension of the innermost loop over inputs that a window can slide along.

use super::space::Space;
use crate::dims::{Dim, DimSet, PerDim, Tensor};

/// Dimensions from the innermost loop outwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    dims: [Dim; 8],
    len: usize,
}

impl Order {
    fn new(first: &[DimSet], all: DimSet) -> Self {
        let mut order = Self { dims: Dim::ALL, len: 0 };
        let mut left = all;
        for set in first.iter().chain([&all]) {
            for dim in set.and(left).iter() {
                order.dims[order.len] = dim;
                order.len += 1;
            }
            left = left.without(*set);
        }
        order
    }

    /// The dimensions, innermost first.
    pub(super) fn dims(&self) -> &[Dim] {
        &self.dims[..self.len]
    }
}

/// The orders to try for every level and every set of loops above 1 there.
#[derive(Debug)]
pub(super) struct Orders {
    /// The orders by level, then by the set's place among the subsets of the level's dimensions.
    by_level: Vec<Vec<Vec<Order>>>,
    looped: Vec<DimSet>,
}

impl Orders {
    pub(super) fn new(space: &Space) -> Self {
        let looped = space.temporal[..space.accel.levels.len()].to_vec();
        let by_level = looped.iter().enumerate().map(|(level, &dims)| {
            let inside = kept_inside(space, level);
            subsets(dims).map(|loops| candidates(loops, inside, space.sliding)).collect()
        });
        Self { by_level: by_level.collect(), looped }
    }

    /// The orders for the loops above 1 among `bounds`.
    pub(super) fn of(&self, level: usize, bounds: &PerDim<u64>) -> &[Order] {
        let place = self.looped[level]
            .iter()
            .rev()
            .fold(0, |place, dim| place << 1 | usize::from(bounds[dim as usize] > 1));
        &self.by_level[level][place]
    }
}

/// All subsets; bit i of the place says whether the i-th member is in.
fn subsets(dims: DimSet) -> impl Iterator<Item = DimSet> {
    let count = dims.iter().count();
    (0..1usize << count).map(move |place| {
        dims.iter().enumerate().filter(|(i, _)| place >> i & 1 == 1).map(|(_, dim)| dim).collect()
    })
}

/// For each tensor, whether some level further inside keeps it.
fn kept_inside(space: &Space, level: usize) -> [bool; 3] {
    let inside = || space.accel.storages().filter(move |&(index, _)| index > level);
    Tensor::ALL.map(|tensor| inside().any(|(_, storage)| storage.keeps[tensor as usize]))
}

/// The orders to try for the loops over `all`, where `inside` are the tensors that levels further inside keep and
/// `sliding` the dimensions worth sliding along.
fn candidates(all: DimSet, inside: [bool; 3], sliding: DimSet) -> Vec<Order> {
    let slides = if inside[Tensor::Inputs as usize] { sliding.and(all) } else { DimSet::EMPTY };
    let mut orders = Vec::new();
    for tensor in Tensor::ALL {
        let block = all.without(tensor.dims());
        let worth = if tensor == Tensor::Inputs { slides } else { slides.and(block) };
        if block == DimSet::EMPTY || !(inside[tensor as usize] || worth != DimSet::EMPTY) {
            continue;
        }
        orders.extend(worth.iter().map(|dim| match tensor {
            Tensor::Inputs => Order::new(&[block, DimSet::of(&[dim])], all),
            Tensor::Weights | Tensor::Outputs => Order::new(&[DimSet::of(&[dim]), block], all),
        }));
        if worth == DimSet::EMPTY {
            orders.push(Order::new(&[block], all));
        }
    }
    if orders.is_empty() {
        orders.push(Order::new(&[], all));
    }
    orders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_order_for_each_tensor_to_keep_and_each_way_to_slide() {
        let all = DimSet::of(&[Dim::N, Dim::K, Dim::C, Dim::P, Dim::Q]);
        let pq = DimSet::of(&[Dim::P, Dim::Q]);
        let orders = candidates(all, [true; 3], pq);
        let innermost: Vec<Dim> = orders.iter().map(|order| order.dims()[0]).collect();
        assert_eq!(innermost, [Dim::P, Dim::Q, Dim::K, Dim::K, Dim::C]);
        assert!(orders.iter().all(|order| order.dims().len() == 5));
        assert_eq!(candidates(all, [true; 3], DimSet::EMPTY).len(), 3);
        assert_eq!(candidates(all, [false; 3], DimSet::EMPTY).len(), 1);
    }
}
