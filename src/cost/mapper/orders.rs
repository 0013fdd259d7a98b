//! The loop orders that matter at one level.
//!
//! What an order decides is, for each tensor, which loops find its tile in place (those inside the innermost loop it
//! depends on) and along which dimension the input window slides. The dimensions that W, I and O do not depend on
//! (N P Q, K, and C R S) are disjoint, so that the innermost loop serves one of them, and that one best if all its loops
//! are innermost together; the order of the loops outside changes nothing. What is left to choose is that block, and
//! the dimension of the innermost loop over inputs that a window can slide along.

use crate::dims::{Dim, DimSet, Tensor};
use crate::workload::LoopNest;

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

    /// Innermost first.
    pub(super) fn dims(&self) -> &[Dim] {
        &self.dims[..self.len]
    }
}

/// Dimensions along which an input window can find a part of itself in place.
pub(super) fn sliding(nest: &LoopNest) -> DimSet {
    let overlaps = |dim: &Dim| match dim {
        Dim::P => nest.bound(Dim::R) > 1,
        Dim::Q => nest.bound(Dim::S) > 1,
        Dim::R => nest.bound(Dim::P) > 1,
        Dim::S => nest.bound(Dim::Q) > 1,
        Dim::N | Dim::G | Dim::K | Dim::C => false,
    };
    Dim::ALL.into_iter().filter(overlaps).collect()
}

/// The orders to try for the loops over `all`, where `inside` are the tensors that levels further inside keep and
/// `sliding` the dimensions worth sliding along.
pub(super) fn candidates(all: DimSet, inside: [bool; 3], sliding: DimSet) -> Vec<Order> {
    let slides = if inside[Tensor::Inputs as usize] { sliding.and(all) } else { DimSet::EMPTY };
    let mut orders = Vec::new();
    for tensor in Tensor::ALL {
        let block = all.without(tensor.dims());
        if block == DimSet::EMPTY || (!inside[tensor as usize] && slides.and(block) == DimSet::EMPTY) {
            continue;
        }
        if tensor == Tensor::Inputs {
            let next = slides.iter().map(|dim| Order::new(&[block, DimSet::of(&[dim])], all));
            orders.extend(next);
        } else {
            let innermost = slides.and(block).iter();
            orders.extend(innermost.map(|dim| Order::new(&[DimSet::of(&[dim]), block], all)));
        }
        let worth_sliding = if tensor == Tensor::Inputs { slides } else { slides.and(block) };
        if worth_sliding == DimSet::EMPTY {
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
        assert_eq!(candidates(all, [false; 3], pq.and(DimSet::EMPTY)).len(), 1);
    }
}
