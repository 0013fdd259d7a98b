//! Lowering: what an accelerator makes of a convolution before it maps it ([`Lowering`]), and what DRAM then holds.
//!
//! A layer becomes another loop nest, which the array runs and the mapper maps, and two kinds of ratios beside it: DRAM
//! words per element of each tensor, and the share of the nest's steps that are work. In this order:
//!
//! - **Strides fold into channels** (`fold_stride`, without dilation): strides s x t become 1, C becomes C s t, and R x S
//!   becomes ceil(R / s) x ceil(S / t). The input holds the same elements, every s x t block as channels of one pixel: a
//!   1 x 1 convolution of stride 2 reads all of its input, and its weights grow by 4. What rounds the kernel up is zero:
//!   weights in DRAM and buffers have the zeros, steps do not (R S / (s t) of the nest's taps work).
//! - **Winograd** (`winograd`): a layer of 3 x 3 taps and stride 1, without dilation, becomes one of 4 x 4 taps at stride 2 with
//!   ceil(P / 2) x ceil(Q / 2) outputs, each of which stands for 2 x 2: 16 multiplications instead of 36, weights x 16 / 9,
//!   and the same input windows (F(2 x 2, 3 x 3) of Lavin and Gray, CVPR 2016). The additions of the transforms are
//!   left out.
//! - **Channels are padded** (`channel_multiple` m): tensors in DRAM have the next multiple of m channels, all groups
//!   together; the array computes with the next multiple of C in each group, and weights are stored so. Vector layers count
//!   their elements as they are.
//! - **Padding that is not read** (`reads_padding = false`): DRAM moves the rows and columns that the input has. A pass
//!   over the whole input is exact; a tile is charged its share on average.
//!
//! Inside this module and below, a nest is always the lowered one; everything public takes the layer's own. Without
//! lowering both are equal, and all ratios are 1.

use super::access::touched_elements;
use super::passes::Tail;
use crate::dims::{Dim, PerDim, Tensor};
use crate::hw::{AccelSpec, Lowering, Storage};
use crate::workload::{LoopNest, tile_elements};

/// A fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ratio {
    over: u64,
    under: u64,
}

impl Ratio {
    const ONE: Self = Self { over: 1, under: 1 };

    fn new(over: u64, under: u64) -> Self {
        let (mut a, mut b) = (over, under);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        Self { over: over / a, under: under / a }
    }

    fn of(self, count: u64) -> u64 {
        if self == Self::ONE {
            return count;
        }
        (u128::from(count) * u128::from(self.over)).div_ceil(u128::from(self.under)) as u64
    }

    fn as_f64(self) -> f64 {
        self.over as f64 / self.under as f64
    }
}

/// A layer as an accelerator runs it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lowered {
    /// The nest that the array runs.
    pub(super) nest: LoopNest,
    /// DRAM words per element of the nest, by [`Tensor`].
    dram: [Ratio; 3],
    /// Words that a buffer holds per element of the nest, by [`Tensor`].
    held: [u64; 3],
    /// Output channels that DRAM holds per channel.
    channels: Ratio,
    /// The share of the steps that are work.
    work: Ratio,
}

impl Lowered {
    /// The nest as `accel` runs it; an error says which count no longer fits.
    pub(super) fn new(accel: &AccelSpec, nest: &LoopNest) -> Result<Self, String> {
        let lowered = Self::of(accel.lowering, nest);
        match lowered.nest == *nest {
            true => Ok(lowered),
            false => lowered.nest.check().map(|()| lowered).map_err(|e| format!("lowered: {e}")),
        }
    }

    fn of(lowering: Lowering, layer: &LoopNest) -> Self {
        let mut lowered = Self {
            nest: *layer,
            dram: [Ratio::ONE; 3],
            held: [1; 3],
            channels: Ratio::ONE,
            work: Ratio::ONE,
        };
        if lowering.is_neutral() {
            return lowered;
        }
        // Input rows and columns that DRAM holds, as pixels of the lowered nest.
        let mut real: [u64; 2] = std::array::from_fn(|axis| {
            let padding = if lowering.reads_padding { 0 } else { layer.padding[axis] };
            window(layer, axis) - padding
        });
        let nest = &mut lowered.nest;
        if lowering.fold_stride && nest.stride != [1; 2] && nest.dilation == [1; 2] {
            let taps = nest.bound(Dim::R) * nest.bound(Dim::S);
            real = std::array::from_fn(|axis| real[axis].div_ceil(nest.stride[axis]));
            fold_stride(nest);
            let folded = layer.stride[0] * layer.stride[1] * nest.bound(Dim::R) * nest.bound(Dim::S);
            lowered.work = Ratio::new(taps, folded);
        }
        let mut outputs_per_element = Ratio::ONE;
        if lowering.winograd && is_winograd(layer) {
            let outputs = layer.elements(Tensor::Outputs);
            to_winograd(nest);
            outputs_per_element = Ratio::new(outputs, nest.elements(Tensor::Outputs));
            lowered.held[Tensor::Outputs as usize] = 4;
        }
        let multiple = |channels: u64| channels.next_multiple_of(lowering.channel_multiple);
        let [groups, inputs, outputs] = [Dim::G, Dim::C, Dim::K].map(|dim| nest.bound(dim));
        nest.bounds[Dim::C as usize] = multiple(inputs);
        let channels = Ratio::new(multiple(groups * outputs), groups * outputs);
        lowered.channels = channels;
        lowered.dram[Tensor::Outputs as usize] =
            Ratio::new(outputs_per_element.over * channels.over, outputs_per_element.under * channels.under);
        let windows = [0, 1].map(|axis| window(nest, axis));
        let pixels: u64 = (0..2).map(|axis| real[axis].min(windows[axis])).product();
        let computed = groups * multiple(inputs) * windows.iter().product::<u64>();
        lowered.dram[Tensor::Inputs as usize] = Ratio::new(pixels * multiple(groups * inputs), computed);
        nest.padding = [0; 2];
        lowered
    }

    /// What runs at the output of the layer, on channels as DRAM holds them.
    pub(super) fn tail(&self, tail: Tail) -> Tail {
        let Tail { reads, inside, writes, ops } = tail;
        let [reads, inside, writes] = [reads, inside, writes].map(|elements| self.channels.of(elements));
        Tail { reads, inside, writes, ops }
    }

    /// Whether DRAM holds exactly the nest's tensors.
    pub(super) fn is_plain_in_dram(&self) -> bool {
        self.dram == [Ratio::ONE; 3]
    }

    /// DRAM words of so many elements of a tensor.
    pub(super) fn dram_words(&self, tensor: Tensor, elements: u64) -> u64 {
        self.dram[tensor as usize].of(elements)
    }

    /// DRAM words per element.
    pub(super) fn dram_share(&self, tensor: Tensor) -> f64 {
        self.dram[tensor as usize].as_f64()
    }

    /// The steps that are work, rounded up.
    pub(super) fn working_steps(&self, steps: u64) -> u64 {
        self.work.of(steps)
    }

    /// The steps that are work, not rounded.
    pub(super) fn working(&self, steps: f64) -> f64 {
        steps * self.work.as_f64()
    }

    /// Multiplications of the whole layer.
    pub(super) fn multiplications(&self) -> u64 {
        self.work.of(self.nest.macs().0)
    }

    /// Words that a storage level holds of the tensors it keeps, for a tile of the given extents.
    pub(super) fn held_words(&self, storage: &Storage, extent: &PerDim<u64>) -> u64 {
        let kept = Tensor::ALL.into_iter().filter(|&tensor| storage.keeps[tensor as usize]);
        kept.map(|tensor| tile_elements(&self.nest, extent, tensor) * self.held[tensor as usize]).sum()
    }

    /// Words that DRAM must move at least: every touched element of every tensor once.
    pub(super) fn compulsory_words(&self) -> u64 {
        let words = Tensor::ALL
            .into_iter()
            .map(|tensor| self.dram_words(tensor, touched_elements(&self.nest, &self.nest.bounds, tensor)));
        words.sum()
    }
}

fn window(nest: &LoopNest, axis: usize) -> u64 {
    nest.window(axis).expect("the counts of a layer are checked, and lowering hardly grows a window")
}

fn fold_stride(nest: &mut LoopNest) {
    let [s, t] = nest.stride;
    nest.bounds[Dim::C as usize] *= s * t;
    nest.bounds[Dim::R as usize] = nest.bound(Dim::R).div_ceil(s);
    nest.bounds[Dim::S as usize] = nest.bound(Dim::S).div_ceil(t);
    nest.stride = [1; 2];
}

fn is_winograd(nest: &LoopNest) -> bool {
    [Dim::R, Dim::S].iter().all(|&dim| nest.bound(dim) == 3)
        && nest.stride == [1; 2]
        && nest.dilation == [1; 2]
}

/// Pairs of output rows and columns, each from 4 x 4 inputs.
fn to_winograd(nest: &mut LoopNest) {
    for (outputs, kernel) in [(Dim::P, Dim::R), (Dim::Q, Dim::S)] {
        nest.bounds[outputs as usize] = nest.bound(outputs).div_ceil(2);
        nest.bounds[kernel as usize] = 4;
    }
    nest.stride = [2; 2];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DRAM words by tensor, multiplications and steps of the whole layer in one tile.
    fn figures(lowering: Lowering, nest: &LoopNest) -> ([u64; 3], u64) {
        let lowered = Lowered::of(lowering, nest);
        let words = Tensor::ALL.map(|tensor| lowered.dram_words(tensor, lowered.nest.elements(tensor)));
        (words, lowered.multiplications())
    }

    /// ResNet-50's first convolution: 3 channels of 224 x 224, 7 x 7 taps, stride 2; windows cover 229 x 229.
    fn first() -> LoopNest {
        LoopNest { bounds: [1, 1, 64, 3, 112, 112, 7, 7], stride: [2; 2], dilation: [1; 2], padding: [5; 2] }
    }

    #[test]
    fn neutral_changes_nothing() {
        let lowered = Lowered::of(Lowering::NEUTRAL, &first());
        assert_eq!(lowered.nest, first());
        assert!(lowered.is_plain_in_dram());
        assert_eq!(
            figures(Lowering::NEUTRAL, &first()),
            ([64 * 147, 3 * 229 * 229, 64 * 112 * 112], first().macs().0)
        );
    }

    #[test]
    fn unread_padding_leaves_the_input_itself() {
        let lowering = Lowering { reads_padding: false, ..Lowering::NEUTRAL };
        assert_eq!(figures(lowering, &first()).0, [64 * 147, 3 * 224 * 224, 64 * 112 * 112]);
    }

    /// 7 taps at stride 2 are 4 at stride 1 on 2 x 2 times the channels; 229 rows and columns are 115 pairs.
    #[test]
    fn a_folded_stride_becomes_channels_and_skips_the_zeros_of_the_kernel() {
        let lowering = Lowering { fold_stride: true, ..Lowering::NEUTRAL };
        let lowered = Lowered::of(lowering, &first());
        assert_eq!((lowered.nest.bounds, lowered.nest.stride), ([1, 1, 64, 12, 112, 112, 4, 4], [1; 2]));
        assert_eq!(figures(lowering, &first()).0, [64 * 12 * 16, 12 * 115 * 115, 64 * 112 * 112]);
        assert_eq!(lowered.multiplications(), first().macs().0);
        assert_eq!(lowered.working_steps(16), 13, "49 of 64 taps: 12.25 steps of 16");
        let all = Lowering { channel_multiple: 16, reads_padding: false, ..lowering };
        assert_eq!(figures(all, &first()).0, [64 * 16 * 16, 16 * 112 * 112, 64 * 112 * 112]);
    }

    /// 1 x 1 at stride 2: all of the 56 x 56 input, weights x 4, no more multiplications.
    #[test]
    fn a_strided_pointwise_layer_reads_all_its_input_when_folded() {
        let nest = LoopNest {
            bounds: [1, 1, 128, 256, 28, 28, 1, 1],
            stride: [2; 2],
            dilation: [1; 2],
            padding: [0; 2],
        };
        let lowering = Lowering { fold_stride: true, ..Lowering::NEUTRAL };
        let words = [4 * 128 * 256, 256 * 56 * 56, 128 * 28 * 28];
        assert_eq!(figures(lowering, &nest), (words, nest.macs().0));
    }

    /// 16 multiplications for 2 x 2 outputs; the odd row and column out take a tile of their own.
    #[test]
    fn winograd_stores_16_weights_for_9_and_multiplies_4_ninths() {
        let nest = |size| LoopNest {
            bounds: [1, 1, 8, 4, size, size, 3, 3],
            stride: [1; 2],
            dilation: [1; 2],
            padding: [2; 2],
        };
        let lowering = Lowering { winograd: true, reads_padding: false, ..Lowering::NEUTRAL };
        let even = figures(lowering, &nest(6));
        assert_eq!(even, ([8 * 4 * 16, 4 * 36, 8 * 36], nest(6).macs().0 * 4 / 9));
        let odd = figures(lowering, &nest(7));
        assert_eq!(odd, ([8 * 4 * 16, 4 * 49, 8 * 49], 8 * 4 * 4 * 4 * 16));
        assert_eq!(figures(Lowering { winograd: true, ..Lowering::NEUTRAL }, &nest(7)).0[1], 4 * 81);
        let buffer = crate::cost::testing::storage("buffer", &[Tensor::Outputs], &[]);
        let tile = [1, 1, 8, 1, 3, 3, 1, 1];
        assert_eq!(Lowered::of(lowering, &nest(6)).held_words(&buffer, &tile), 8 * 36);
        let strided = LoopNest { stride: [2; 2], padding: [0; 2], ..nest(6) };
        assert_eq!(Lowered::of(lowering, &strided).nest, strided, "stride 2 is not for Winograd");
    }

    /// 24 input channels are stored and computed as 32; 1000 outputs are stored as 1008, their weights are not.
    #[test]
    fn channels_come_in_multiples() {
        let nest = LoopNest {
            bounds: [1, 1, 1000, 24, 1, 1, 1, 1],
            stride: [1; 2],
            dilation: [1; 2],
            padding: [0; 2],
        };
        let lowering = Lowering { channel_multiple: 16, ..Lowering::NEUTRAL };
        assert_eq!(figures(lowering, &nest), ([32_000, 32, 1008], 32_000));
    }

    /// 24 channels on their own are stored as 32 side by side, and each is computed with as one of 16.
    #[test]
    fn channels_of_a_depthwise_layer_are_stored_side_by_side() {
        let bounds = [1, 24, 1, 1, 5, 5, 1, 1];
        let nest = LoopNest { bounds, stride: [1; 2], dilation: [1; 2], padding: [0; 2] };
        let lowering = Lowering { channel_multiple: 16, ..Lowering::NEUTRAL };
        assert_eq!(figures(lowering, &nest), ([24 * 16, 32 * 25, 32 * 25], 24 * 16 * 25));
        let residual = Tail { reads: 600, inside: 600, writes: 600, ops: 600 };
        let Tail { reads, inside, writes, .. } = Lowered::of(lowering, &nest).tail(residual);
        assert_eq!([reads, inside, writes], [800; 3]);
    }

    #[test]
    fn what_grows_too_large_is_an_error() {
        let size = u64::from(u32::MAX);
        let nest = LoopNest {
            bounds: [1, 1, 1, 1, 1, 1, 1, 1],
            stride: [size; 2],
            dilation: [1; 2],
            padding: [0; 2],
        };
        let mut accel = crate::cost::testing::accel("folding", vec![]);
        assert!(Lowered::new(&accel, &nest).is_ok());
        accel.lowering.fold_stride = true;
        assert!(Lowered::new(&accel, &nest).is_err());
    }
}
