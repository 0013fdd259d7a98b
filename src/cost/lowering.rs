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
//! The **precision** of a layer ([`Precision`]) scales what its elements take:
//!
//! - words: an element of b bits is b / word_bits words of a level, in DRAM (bytes, port, energy) and in buffers (capacity,
//!   bandwidth, energy). Elements are packed. Energy in proportion to the bits that move is our choice, because lines that
//!   carry nothing do not switch.
//! - outputs: DRAM holds complete ones with their own bits and partial ones, as every buffer does, with those of partial
//!   sums: which visit of a buffer is the last is not known when it is filled. Where these are not given, DRAM takes a
//!   word, or the bits of complete outputs if they are wider.
//! - MACs: the energy of the multiplier grows with the product of both widths, that of the adder with the width of the
//!   partial sums, from the words of DRAM (0.2 and 0.03 pJ at 8 bits: Horowitz, ISSCC 2014, figure 1.1.9). Operands wider
//!   than a word take a step for each pair of words, as in Bit Fusion (Sharma et al., ISCA 2018), and the buffer next to the
//!   MACs holds one word of each at a time; narrower ones are not faster.
//!
//! Inside this module and below, a nest is always the lowered one; everything public takes the layer's own. Without
//! lowering both are equal, and all ratios are 1.

#[cfg(test)]
mod tests;

use super::access::touched_elements;
use super::passes::Tail;
use crate::dims::{Dim, PerDim, Tensor};
use crate::hw::{AccelSpec, Lowering, Storage};
use crate::precision::Precision;
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

    fn times(self, other: Self) -> Self {
        match other {
            Self::ONE => self,
            _ => Self::new(self.over * other.over, self.under * other.under),
        }
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
    /// DRAM words per element of the nest, by [`Tensor`], of complete outputs.
    dram: [Ratio; 3],
    /// DRAM words per partial sum of the nest.
    psums: Ratio,
    /// Elements that a buffer holds per element of the nest, by [`Tensor`].
    held: [u64; 3],
    precision: Precision,
    /// The level that feeds the MACs, by [`Tensor`].
    feeds: [usize; 3],
    /// The energy of a multiplication relative to one of words.
    mac_energy: f64,
    /// Steps that one takes.
    steps: u64,
    /// Output channels that DRAM holds per channel.
    channels: Ratio,
    /// The share of the steps that are work.
    work: Ratio,
}

impl Lowered {
    /// The nest as `accel` runs it in its own words; an error says which count no longer fits.
    pub(super) fn new(accel: &AccelSpec, nest: &LoopNest) -> Result<Self, String> {
        Self::at(accel, nest, Precision::NATIVE)
    }

    /// The same with elements of a given precision.
    pub(super) fn at(accel: &AccelSpec, nest: &LoopNest, precision: Precision) -> Result<Self, String> {
        let lowered = Self::of(accel.lowering, nest).with_precision(accel, precision);
        match lowered.nest == *nest {
            true => Ok(lowered),
            false => lowered.nest.check().map(|()| lowered).map_err(|e| format!("lowered: {e}")),
        }
    }

    fn of(lowering: Lowering, layer: &LoopNest) -> Self {
        let mut lowered = Self {
            nest: *layer,
            dram: [Ratio::ONE; 3],
            psums: Ratio::ONE,
            held: [1; 3],
            precision: Precision::NATIVE,
            feeds: [0; 3],
            mac_energy: 1.0,
            steps: 1,
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
        lowered.psums = outputs_per_element.times(channels);
        lowered.dram[Tensor::Outputs as usize] = lowered.psums;
        let windows = [0, 1].map(|axis| window(nest, axis));
        let pixels: u64 = (0..2).map(|axis| real[axis].min(windows[axis])).product();
        let computed = groups * multiple(inputs) * windows.iter().product::<u64>();
        lowered.dram[Tensor::Inputs as usize] = Ratio::new(pixels * multiple(groups * inputs), computed);
        nest.padding = [0; 2];
        lowered
    }

    fn with_precision(mut self, accel: &AccelSpec, precision: Precision) -> Self {
        if precision == Precision::NATIVE {
            return self;
        }
        let word_bits = accel.dram().word_bits;
        for (level, storage) in accel.storages() {
            let kept = self.feeds.iter_mut().zip(storage.keeps).filter(|&(_, keeps)| keeps);
            kept.for_each(|(feeds, _)| *feeds = level);
        }
        let of = |bits: Option<u8>| bits.map_or(Ratio::ONE, |bits| Ratio::new(bits.into(), word_bits));
        let Precision { weights, inputs, outputs, psums } = precision;
        for (dram, bits) in self.dram.iter_mut().zip([weights, inputs, outputs]) {
            *dram = dram.times(of(bits));
        }
        // A sum is not narrower than what becomes of it.
        let spilled = psums.or(outputs.filter(|&bits| u64::from(bits) > word_bits));
        self.psums = self.psums.times(of(spilled));
        self.precision = precision;
        let width = |bits: Option<u8>| bits.map_or(word_bits, u64::from);
        let energy = mac_pj(width(weights), width(inputs), width(psums));
        self.mac_energy = energy / mac_pj(word_bits, word_bits, word_bits);
        self.steps = width(weights).div_ceil(word_bits) * width(inputs).div_ceil(word_bits);
        self
    }

    /// What runs at the output of the layer in DRAM words, on channels as DRAM holds them.
    pub(super) fn tail(&self, dram: &Storage, tail: Tail) -> Tail {
        let Tail { reads, inside, writes, ops } = tail;
        let words = |elements| dram.words(self.channels.of(elements), self.precision.outputs);
        let [reads, inside, writes] = [reads, inside, writes].map(words);
        Tail { reads, inside, writes, ops }
    }

    /// Whether DRAM holds exactly the nest's tensors, a word for each element.
    pub(super) fn is_plain_in_dram(&self) -> bool {
        self.dram == [Ratio::ONE; 3] && self.psums == Ratio::ONE
    }

    /// DRAM words of so many outputs, of which some are partial sums.
    pub(super) fn output_words(&self, all: u64, partial: u64) -> u64 {
        let complete = self.dram[Tensor::Outputs as usize];
        match self.psums == complete {
            true => complete.of(all),
            false => complete.of(all - partial) + self.psums.of(partial),
        }
    }

    /// DRAM words of so many partial sums.
    pub(super) fn psum_words(&self, partial: u64) -> u64 {
        self.psums.of(partial)
    }

    /// DRAM words of a partial sum relative to those of a complete output.
    pub(super) fn psum_share(&self) -> f64 {
        self.psums.as_f64() / self.dram[Tensor::Outputs as usize].as_f64()
    }

    /// Words of a buffer per element that it holds.
    pub(super) fn words_per_element(&self, storage: &Storage, tensor: Tensor) -> f64 {
        storage.words_per_element(self.held_bits(tensor))
    }

    /// Bits of an element in a buffer.
    fn held_bits(&self, tensor: Tensor) -> Option<u8> {
        match tensor {
            Tensor::Weights => self.precision.weights,
            Tensor::Inputs => self.precision.inputs,
            Tensor::Outputs => self.precision.psums,
        }
    }

    /// DRAM words of so many elements of a tensor, of complete outputs.
    pub(super) fn dram_words(&self, tensor: Tensor, elements: u64) -> u64 {
        self.dram[tensor as usize].of(elements)
    }

    /// DRAM words per element.
    pub(super) fn dram_share(&self, tensor: Tensor) -> f64 {
        self.dram[tensor as usize].as_f64()
    }

    /// The steps that are work, rounded up.
    pub(super) fn working_steps(&self, steps: u64) -> u64 {
        self.work.of(steps) * self.steps
    }

    /// The steps that are work, not rounded.
    pub(super) fn working(&self, steps: f64) -> f64 {
        steps * self.work.as_f64() * self.steps as f64
    }

    /// Energy of all multiplications in pJ.
    pub(super) fn mac_pj(&self, accel: &AccelSpec) -> f64 {
        self.multiplications() as f64 * accel.mac.energy_pj * self.mac_energy
    }

    /// Multiplications of the whole layer.
    pub(super) fn multiplications(&self) -> u64 {
        self.work.of(self.nest.macs().0)
    }

    /// Words that the storage at a level holds of the tensors it keeps, for a tile of the given extents.
    pub(super) fn held_words(&self, level: usize, storage: &Storage, extent: &PerDim<u64>) -> u64 {
        let kept = Tensor::ALL.into_iter().filter(|&tensor| storage.keeps[tensor as usize]);
        kept.map(|tensor| self.held_words_of(tensor, level, storage, extent)).sum()
    }

    /// The same of one tensor.
    pub(super) fn held_words_of(
        &self,
        tensor: Tensor,
        level: usize,
        storage: &Storage,
        extent: &PerDim<u64>,
    ) -> u64 {
        let elements = tile_elements(&self.nest, extent, tensor) * self.held[tensor as usize];
        let bits = self.held_bits(tensor);
        let comes_in_words = tensor != Tensor::Outputs && level == self.feeds[tensor as usize];
        let bits = bits.filter(|&bits| !comes_in_words || u64::from(bits) < storage.word_bits);
        storage.words(elements, bits)
    }

    /// Words that DRAM must move at least: every touched element of every tensor once.
    pub(super) fn compulsory_words(&self) -> u64 {
        let words = Tensor::ALL
            .into_iter()
            .map(|tensor| self.dram_words(tensor, touched_elements(&self.nest, &self.nest.bounds, tensor)));
        words.sum()
    }
}

/// Energy of a MAC in pJ at 45 nm, from Horowitz's 8-bit multiplier and adder; only ratios of it are used.
fn mac_pj(weight_bits: u64, input_bits: u64, psum_bits: u64) -> f64 {
    0.2 * (weight_bits * input_bits) as f64 / 64.0 + 0.03 * psum_bits as f64 / 8.0
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
