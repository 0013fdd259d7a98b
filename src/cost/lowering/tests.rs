//! Sizes, steps and energies of lowered layers, by hand.

use super::*;
use crate::hw::Level;

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
    assert_eq!(Lowered::of(lowering, &nest(6)).held_words(1, &buffer, &tile), 8 * 36);
    let strided = LoopNest { stride: [2; 2], padding: [0; 2], ..nest(6) };
    assert_eq!(Lowered::of(lowering, &strided).nest, strided, "stride 2 is not for Winograd");
}

/// 24 input channels are stored and computed as 32; 1000 outputs are stored as 1008, their weights are not.
#[test]
fn channels_come_in_multiples() {
    let nest =
        LoopNest { bounds: [1, 1, 1000, 24, 1, 1, 1, 1], stride: [1; 2], dilation: [1; 2], padding: [0; 2] };
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
    let dram = crate::cost::testing::storage("DRAM", &Tensor::ALL, &[]);
    let Tail { reads, inside, writes, .. } = Lowered::of(lowering, &nest).tail(&dram, residual);
    assert_eq!([reads, inside, writes], [800; 3]);
}

/// 8-bit words; weights of 4 bits, activations of 8, sums of 32.
#[test]
fn precision_by_hand() {
    let words = |name: &str| crate::cost::testing::storage(name, &Tensor::ALL, &[]);
    let levels = ["DRAM", "buffer", "registers"].map(|name| Level::Storage(words(name)));
    let mut accel = crate::cost::testing::accel("words", levels.to_vec());
    let nest = |padding| LoopNest { padding, ..first() };
    let at = |accel: &AccelSpec, precision: &str| {
        Lowered::at(accel, &nest([5; 2]), precision.parse().unwrap()).unwrap()
    };
    let narrow = at(&accel, "w4a8p32");
    assert_eq!(narrow.dram_words(Tensor::Weights, 9), 5, "36 bits");
    assert_eq!((narrow.dram_words(Tensor::Inputs, 9), narrow.output_words(9, 0)), (9, 9));
    // Three of ten visits are not the last.
    assert_eq!((narrow.output_words(10, 3), narrow.psum_words(3)), (7 + 3 * 4, 3 * 4));
    let mac = (0.2 * 0.5 + 0.03 * 4.0) / 0.23 * accel.mac.energy_pj * first().macs().0 as f64;
    assert!((narrow.mac_pj(&accel) / mac - 1.0).abs() < 1e-12);
    assert_eq!(narrow.working_steps(10), 10, "narrow operands are not faster");
    // A 16 x 16 multiplication on 8 x 8 multipliers takes four.
    assert_eq!(at(&accel, "w16a16").working_steps(10), 40);
    assert_eq!((at(&accel, "w8a16").working_steps(10), at(&accel, "w8a12").working_steps(10)), (20, 20));
    let mut buffer = words("buffer");
    let tile = [1, 1, 2, 3, 1, 1, 1, 1];
    assert_eq!(narrow.held_words(1, &buffer, &tile), 3 + 3 + 2 * 4, "6 weights, 3 inputs, 2 sums");
    assert_eq!(narrow.held_words(2, &buffer, &tile), 3 + 3 + 2 * 4);
    assert_eq!((at(&accel, "o16").psum_words(3), at(&accel, "o4").psum_words(3)), (6, 3));
    // Operands of two words come one word after the other.
    assert_eq!(at(&accel, "w16a16").held_words(1, &buffer, &tile), 12 + 6 + 2);
    assert_eq!(at(&accel, "w16a16").held_words(2, &buffer, &tile), 6 + 3 + 2);
    buffer.word_bits = 24;
    assert_eq!(narrow.held_words(1, &buffer, &tile), 1 + 1 + 3);
    // On channels as DRAM holds them, and of what the lowered layer holds.
    accel.lowering.channel_multiple = 16;
    accel.lowering.reads_padding = false;
    let padded = at(&accel, "w4i4o16");
    let inputs = padded.dram_words(Tensor::Inputs, padded.nest.elements(Tensor::Inputs));
    assert_eq!(inputs, 16 * 224 * 224 / 2);
    let residual = Tail { reads: 10, inside: 10, writes: 5, ops: 5 };
    assert_eq!(padded.tail(accel.dram(), residual), Tail { reads: 20, inside: 20, writes: 10, ops: 5 });
}

#[test]
fn what_grows_too_large_is_an_error() {
    let size = u64::from(u32::MAX);
    let nest =
        LoopNest { bounds: [1, 1, 1, 1, 1, 1, 1, 1], stride: [size; 2], dilation: [1; 2], padding: [0; 2] };
    let dram = Level::Storage(crate::cost::testing::storage("DRAM", &Tensor::ALL, &[]));
    let mut accel = crate::cost::testing::accel("folding", vec![dram]);
    assert!(Lowered::new(&accel, &nest).is_ok());
    accel.lowering.fold_stride = true;
    assert!(Lowered::new(&accel, &nest).is_err());
}
