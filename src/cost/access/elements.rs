//! Elements: how many of a tensor a tile touches, shares with the tile before it, or really has where it is padded.

use crate::dims::{Dim, PerDim, Tensor};
use crate::workload::{LoopNest, tile_elements};

/// The share of a padded tensor that is real, as numerator and denominator. Strided or dilated inputs can be counted
/// with or without the elements between those that are touched; the larger share counts, so that padding never pays.
pub(in crate::cost) fn real_share(nest: &LoopNest, padded: &PerDim<u64>, tensor: Tensor) -> (u64, u64) {
    let share = |count: fn(&LoopNest, &PerDim<u64>, Tensor) -> u64| {
        (count(nest, &nest.bounds, tensor), count(nest, padded, tensor))
    };
    let with_gaps = share(tile_elements);
    if tensor != Tensor::Inputs || is_dense(nest) {
        return with_gaps;
    }
    let touched = share(touched_elements);
    let wide = |a: u64, b: u64| u128::from(a) * u128::from(b);
    if wide(with_gaps.0, touched.1) > wide(touched.0, with_gaps.1) { with_gaps } else { touched }
}

/// The elements that one step of a loop over `dim`, with `inside` below it, adds to a tile; `None` if that is always
/// the whole tile.
pub(in crate::cost) fn new_elements(
    nest: &LoopNest,
    extent: &PerDim<u64>,
    tensor: Tensor,
    dim: Dim,
    inside: u64,
) -> Option<u64> {
    if tensor != Tensor::Inputs {
        return None;
    }
    let (axis, step) = match dim {
        Dim::P => (0, nest.stride[0]),
        Dim::Q => (1, nest.stride[1]),
        Dim::R => (0, nest.dilation[0]),
        Dim::S => (1, nest.dilation[1]),
        Dim::N | Dim::G | Dim::K | Dim::C => return None,
    };
    let mut window = [input_extent(nest, extent, 0), input_extent(nest, extent, 1)];
    window[axis] = window[axis].min(inside * step);
    let planes = extent[Dim::N as usize] * extent[Dim::G as usize] * extent[Dim::C as usize];
    Some(planes * window[0] * window[1])
}

/// Input rows (axis 0) or columns (axis 1) that a tile covers, the halo included.
fn input_extent(nest: &LoopNest, extent: &PerDim<u64>, axis: usize) -> u64 {
    let (outputs, kernel) = [(Dim::P, Dim::R), (Dim::Q, Dim::S)][axis];
    (extent[outputs as usize] - 1) * nest.stride[axis]
        + (extent[kernel as usize] - 1) * nest.dilation[axis]
        + 1
}

/// Elements of a tensor that some MAC of a nest of these extents needs: the least that DRAM can move. Differs from
/// [`tile_elements`] only for inputs whose stride or dilation skips rows or columns.
pub fn touched_elements(nest: &LoopNest, extent: &PerDim<u64>, tensor: Tensor) -> u64 {
    if tensor != Tensor::Inputs || is_dense(nest) {
        return tile_elements(nest, extent, tensor);
    }
    let planes = extent[Dim::N as usize] * extent[Dim::G as usize] * extent[Dim::C as usize];
    planes * touched_along(nest, extent, 0) * touched_along(nest, extent, 1)
}

/// Whether windows leave no gaps, so that all of a tile is touched.
fn is_dense(nest: &LoopNest) -> bool {
    nest.stride == [1; 2] && nest.dilation == [1; 2]
}

/// Distinct values of p x stride + r x dilation. With g their greatest common divisor, a row is reached twice iff the
/// outputs differ by a multiple of dilation / g and the taps by the same multiple of stride / g.
fn touched_along(nest: &LoopNest, extent: &PerDim<u64>, axis: usize) -> u64 {
    let (outputs, kernel) = [(Dim::P, Dim::R), (Dim::Q, Dim::S)][axis];
    let (outputs, kernel) = (extent[outputs as usize], extent[kernel as usize]);
    let (stride, dilation) = (nest.stride[axis], nest.dilation[axis]);
    let common = if dilation == 1 { 1 } else { gcd(stride, dilation) };
    let (repeat_outputs, repeat_taps) = (dilation / common, stride / common);
    outputs * kernel - outputs.saturating_sub(repeat_outputs) * kernel.saturating_sub(repeat_taps)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touched_rows_equal_a_literal_count() {
        for (p, r, stride, dilation) in
            [(5, 3, 1, 1), (5, 3, 2, 1), (4, 2, 3, 1), (6, 3, 1, 2), (7, 4, 4, 6), (1, 5, 2, 3), (9, 1, 2, 1)]
        {
            let nest = LoopNest {
                bounds: [1, 1, 1, 1, p, 1, r, 1],
                stride: [stride, 1],
                dilation: [dilation, 1],
                padding: [0; 2],
            };
            let mut rows: Vec<u64> =
                (0..p).flat_map(|p| (0..r).map(move |r| p * stride + r * dilation)).collect();
            rows.sort_unstable();
            rows.dedup();
            assert_eq!(touched_elements(&nest, &nest.bounds, Tensor::Inputs), rows.len() as u64);
        }
    }
}
