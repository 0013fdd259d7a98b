//! The table of `main.rs`, one file a row: options, what is right, what the notes say.

use super::Model;
use super::Right::{Error, Macs};

#[rustfmt::skip]
pub(super) const MODELS: &[Model] = &[
    // A shape in the file that does not follow from the inputs: both convolutions run at 16 x 16.
    ("stale_value_info.onnx", "", Macs(294_912), &["`c`", "1 x 8 x 32 x 32", "1 x 8 x 16 x 16", "`r`"]),
    // A function of the model, named like an operator of ONNX.
    ("localfn_conv_dense.onnx", "", Macs(294_912), &[]),
    ("localfn_conv_dense_inlined.onnx", "", Macs(294_912), &[]),
    // If: the condition is a size.
    ("if_squeeze.onnx", "", Macs(80), &[]),
    // Sizes computed in half precision.
    ("fp16_shape_chain.onnx", "", Macs(737_280), &[]),
    // Sizes in a file beside the model.
    ("external_shapes/model.onnx", "", Macs(167_936), &[]),
    // A batch of zero stands for any.
    ("dim_zero.onnx", "--bind x.0=1", Macs(147_456), &[]),
    ("dim_zero.onnx", "", Error("these dimensions of the inputs have no size: 0 of `x`; give each one: --bind x.0=NUMBER"), &[]),
    // The only input is a vector.
    ("rank1_input.onnx", "", Macs(640), &[]),
    // Operators of another domain only, which are known.
    ("no_default_opset.onnx", "", Macs(147_456), &[]),
    // An ellipsis, and a single operand.
    ("einsum0.onnx", "", Macs(840), &[]),
    ("einsum2.onnx", "", Macs(60), &[]),
    ("qdq_weights.onnx", "", Macs(1_179_648), &[]),
    ("qdq_float_twin.onnx", "", Macs(1_179_648), &[]),
    // Two 4-bit weights in a byte; the same bytes under a name that nobody knows.
    ("ms_matmulnbits.onnx", "", Macs(131_072), &[]),
    ("ms_matmulnbits.onnx", "--unknown=bytes", Macs(131_072), &[]),
    ("unknown_nbits.onnx", "", Error("operator `acme.MatMulNBits` is not supported; --unknown=bytes makes it"), &[]),
    ("unknown_nbits.onnx", "--unknown=bytes", Macs(0), &["1 x acme.MatMulNBits", "no layer with MACs is left"]),
];
