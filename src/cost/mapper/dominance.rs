//! Dominated mappings: loop factors that could move to a level further in without any loss.
//!
//! A prime factor of a loop at the middle level may **move in** to an inner level that may loop over the same dimension and
//! whose buffers, from there outwards, hold the larger tiles. Tiles further out stay as they are, and no count grows:
//!
//! - a child that now covers the factor has it in its tile instead of in the loops outside: a tensor that depends on it
//!   is filled with as much in fewer fills, any other in no more than before;
//! - a child further in sees the factor at another place among the loops outside it. That could only end a tensor's
//!   stay if it depended on the factor and on no loop inside it; such moves are not made.
//!
//! With strides or dilations above 1 a larger tile may cover rows that nothing touches; along such an axis nothing is
//! moved. A mapping from which a factor can move in is therefore never better than one that the search meets elsewhere.

use super::space::Space;
use crate::cost::access::Flat;
use crate::dims::{Dim, PerDim};
use crate::hw::Level;

/// For each dimension the product of the primes of `left`, its steps to come, that could move in from the middle level.
pub(super) fn movable(space: &Space, flat: &Flat, left: &PerDim<u64>) -> PerDim<u64> {
    let mut movable = [1; 8];
    let Some(middle) = space.middle else { return movable };
    for dim in space.temporal[middle].iter().filter(|&dim| left[dim as usize] > 1 && is_dense(space, dim)) {
        let inner = space.first_inner..space.accel.levels.len();
        let levels: Vec<usize> = inner
            .filter(|&level| space.temporal[level].has(dim) && keeps_order(space, flat, level, dim))
            .collect();
        for prime in primes(left[dim as usize]) {
            if levels.iter().any(|&level| fits_outwards(space, flat, level, dim, prime)) {
                movable[dim as usize] *= prime;
            }
        }
    }
    movable
}

/// Whether tiles along the dimension's axis have no gaps.
fn is_dense(space: &Space, dim: Dim) -> bool {
    let unit = |axis: usize| space.nest.stride[axis] == 1 && space.nest.dilation[axis] == 1;
    match dim {
        Dim::P | Dim::R => unit(0),
        Dim::Q | Dim::S => unit(1),
        Dim::N | Dim::G | Dim::K | Dim::C => true,
    }
}

/// Whether a loop over `dim` at `level` cannot end the stay of a tensor in a level further in.
fn keeps_order(space: &Space, flat: &Flat, level: usize, dim: Dim) -> bool {
    let further_in = |child: usize| child > level && child < space.accel.levels.len();
    flat.temporal(level).any(|each| each.dim == dim)
        || space
            .edges
            .iter()
            .filter(|edge| further_in(edge.child) && edge.tensor.dims().has(dim))
            .all(|edge| flat.depends_between(level, edge.child, edge.tensor))
}

/// Whether the buffers from `level` outwards to the first inner level hold a tile that is `times` longer.
fn fits_outwards(space: &Space, flat: &Flat, level: usize, dim: Dim, times: u64) -> bool {
    let storages =
        (space.first_inner..=level).filter(|&l| matches!(space.accel.levels[l], Level::Storage(_)));
    storages.into_iter().all(|level| {
        let mut extent = *flat.extent(level);
        extent[dim as usize] *= times;
        space.fits(level, &extent)
    })
}

/// The distinct prime factors.
fn primes(mut number: u64) -> impl Iterator<Item = u64> {
    let mut divisor = 1;
    std::iter::from_fn(move || {
        if number == 1 {
            return None;
        }
        divisor += 1;
        while !number.is_multiple_of(divisor) {
            divisor = if divisor * divisor > number { number } else { divisor + 1 };
        }
        while number.is_multiple_of(divisor) {
            number /= divisor;
        }
        Some(divisor)
    })
}

/// Whether the numbers share a factor.
pub(super) fn share_factor(a: u64, b: u64) -> bool {
    let (mut a, mut b) = (a, b);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_of_small_numbers() {
        for (number, expected) in [
            (1, vec![]),
            (2, vec![2]),
            (12, vec![2, 3]),
            (49, vec![7]),
            (97, vec![97]),
            (2310, vec![2, 3, 5, 7, 11]),
        ] {
            assert_eq!(primes(number).collect::<Vec<_>>(), expected);
        }
    }
}
