//! Exact residuals: the tiles of a layer where the last one of a dimension is shorter.
//!
//! A dimension of D elements that loops in space unroll s times takes L = ceil(D / s) steps in time: the array takes a
//! whole step even if some of its lanes idle. Loops in time run over exactly these steps, `for tile in 0..ceil(L / t) { for
//! step in 0..min(t, L - tile * t) { .. } }`, at every level. So tiles of t steps lie side by side from 0 to L:
//!
//! - ceil(L / t) of them are visited, whatever loops stand outside;
//! - together they span L steps, that is L x (lanes inside the tile) elements for one instance;
//! - all but the last have the full extent.
//!
//! Dimensions are independent of each other. Sums over the tiles of a tensor are therefore products of sums over
//! dimensions, and for the rows (or columns) of an input, p stride + r dilation, sums over pairs of tiles.

use crate::dims::{Dim, PerDim, Tensor};
use crate::workload::LoopNest;

/// The dimensions of output and kernel along an axis of the input.
const AXES: [[Dim; 2]; 2] = [[Dim::P, Dim::R], [Dim::Q, Dim::S]];

/// All tiles of one instance of a level.
#[derive(Clone, Copy, Debug)]
pub(in crate::cost) struct Grid {
    /// How many there are, by dimension.
    pub(in crate::cost) tiles: PerDim<u64>,
    /// The sum of their extents.
    pub(in crate::cost) sums: PerDim<u64>,
    /// The extent of all but the last.
    pub(in crate::cost) extent: PerDim<u64>,
}

impl Grid {
    /// Tiles of the given extents, which take `time` steps of the `lengths` that the layer takes.
    pub(in crate::cost) fn new(lengths: &PerDim<u64>, time: &PerDim<u64>, extent: &PerDim<u64>) -> Self {
        Self {
            tiles: std::array::from_fn(
                |d| if time[d] == 1 { lengths[d] } else { lengths[d].div_ceil(time[d]) },
            ),
            sums: std::array::from_fn(|d| {
                lengths[d] * if time[d] == 1 { extent[d] } else { extent[d] / time[d] }
            }),
            extent: *extent,
        }
    }

    /// Elements of a tensor in all tiles, each combination of tiles of the dimensions that it depends on once.
    pub(in crate::cost) fn elements(&self, nest: &LoopNest, tensor: Tensor) -> u64 {
        match tensor {
            Tensor::Weights | Tensor::Outputs => {
                tensor.dims().iter().map(|dim| self.sums[dim as usize]).product()
            }
            Tensor::Inputs => self.planes() * self.window(nest, 0) * self.window(nest, 1),
        }
    }

    /// Elements of an input that a tile shares with the one `shift` elements before it along `dim`, over all
    /// combinations of tiles of the other dimensions; 0 for dimensions along which no window slides.
    pub(in crate::cost) fn overlap(&self, nest: &LoopNest, dim: Dim, shift: u64) -> u64 {
        let Some(axis) = AXES.iter().position(|axis| axis.contains(&dim)) else { return 0 };
        let [outputs, kernel] = AXES[axis];
        let (steps, other) = match dim == outputs {
            true => ([nest.stride[axis], nest.dilation[axis]], kernel as usize),
            false => ([nest.dilation[axis], nest.stride[axis]], outputs as usize),
        };
        // The tile before a tile is never the last, so that it has the full extent.
        let shared = |extent: u64| {
            let rows = (self.extent[dim as usize] - 1) * steps[0] + (extent - 1) * steps[1] + 1;
            rows.saturating_sub(shift * steps[0])
        };
        let full = self.tiles[other] - 1;
        let last = self.sums[other] - full * self.extent[other];
        self.planes() * self.window(nest, 1 - axis) * (full * shared(self.extent[other]) + shared(last))
    }

    fn planes(&self) -> u64 {
        [Dim::N, Dim::G, Dim::C].iter().map(|&dim| self.sums[dim as usize]).product()
    }

    /// Rows (axis 0) or columns (axis 1) of the input, summed over all pairs of tiles.
    fn window(&self, nest: &LoopNest, axis: usize) -> u64 {
        let [(p, outputs), (r, kernel)] =
            AXES[axis].map(|dim| (self.tiles[dim as usize], self.sums[dim as usize]));
        (outputs - p) * r * nest.stride[axis] + (kernel - r) * p * nest.dilation[axis] + p * r
    }
}
