//! The table of `main.rs`, one file a row: options, what is right, what the notes say.

use super::Model;
use super::Right::{Error, Macs};

#[rustfmt::skip]
pub(super) const MODELS: &[Model] = &[
    // A shape in the file that does not follow from the inputs: both convolutions run at 16 x 16.
    ("stale_value_info.onnx", "", Macs(294_912), &["`c`", "1 x 8 x 32 x 32", "1 x 8 x 16 x 16", "`r`"]),
    ("stale_output.onnx", "--bind n=1", Macs(18_432), &["`y`: the file gives it 7 x 4 x 8 x 8 of FLOAT16, which the inputs make 1 x 4 x 8 x 8 of FLOAT"]),
    // A function of the model, named like an operator of ONNX.
    ("localfn_conv_dense.onnx", "", Macs(294_912), &["1 Swish"]),
    ("localfn_conv_dense_inlined.onnx", "", Macs(294_912), &["1 Swish"]),
    ("function_twice.onnx", "", Macs(4_608), &[]),
    ("function_nested.onnx", "", Macs(4_608), &[]),
    ("function_optional.onnx", "", Macs(3 * 9_216), &[]),
    ("function_sizes.onnx", "", Macs(9_216), &[]),
    ("function_with_if.onnx", "", Macs(4_608), &[]),
    ("function_through.onnx", "", Macs(2 * 9_216), &[]),
    ("function_many_inputs.onnx", "", Error("node a that writes `y`: the function has 1 inputs and 1 outputs, the call 2 and 1"), &[]),
    ("function_deep.onnx", "", Error("more than 64 functions and branches inside each other"), &[]),
    ("function_large.onnx", "", Error("more than 1048576 nodes"), &[]),
    ("function_recursive.onnx", "", Error("node a that writes `y`: the function calls itself"), &[]),
    ("function_captures.onnx", "", Error("node MatMul that writes `y` reads tensor `w`, which no input"), &[]),
    ("domain_unknown.onnx", "", Error("operator `com.acme.Conv` is not supported"), &[]),
    // If: the condition is a size.
    ("if_squeeze.onnx", "", Macs(80), &[]),
    ("if_nested.onnx", "", Macs(11_520), &[]),
    ("if_weights.onnx", "", Macs(9_216), &[]),
    ("if_input.onnx", "", Error("its condition `c` is not (it depends on the value of `c`, which you can give: --bind c=NUMBER)"), &[]),
    ("if_input.onnx", "--bind c=0", Macs(9_216), &[]),
    ("if_number.onnx", "--bind rate=16", Macs(9_216), &[]),
    ("if_number.onnx", "--bind rate=8", Macs(36_864), &[]),
    ("if_data.onnx", "", Error("its condition `c` is not (it depends on the data in `x`)"), &[]),
    ("loop.onnx", "", Error("operator `Loop` is not supported: it repeats a graph of its own"), &[]),
    // Sizes computed in half precision.
    ("fp16_shape_chain.onnx", "", Macs(737_280), &[]),
    ("sizes_rounded.onnx", "", Macs(6_144), &[]),
    ("sizes_nonzero.onnx", "", Macs(9_216), &[]),
    ("sizes_arithmetic.onnx", "", Macs(9_216), &[]),
    ("sizes_float16.onnx", "", Macs(2_304), &[]),
    ("sizes_bfloat16.onnx", "", Macs(2_304), &[]),
    ("sizes_double.onnx", "", Macs(2_304), &[]),
    ("sizes_uint8.onnx", "", Macs(2_304), &[]),
    ("sizes_int16.onnx", "", Macs(2_304), &[]),
    ("sizes_uint32.onnx", "", Macs(2_304), &[]),
    ("sizes_uint64.onnx", "", Macs(2_304), &[]),
    ("sizes_int4.onnx", "", Macs(2_304), &[]),
    ("sizes_int4_raw.onnx", "", Macs(2_304), &[]),
    // Sizes in a file beside the model.
    ("external_shapes/model.onnx", "", Macs(167_936), &[]),
    ("external_offset.onnx", "", Macs(2_304), &[]),
    ("external_constant.onnx", "", Macs(2_304), &[]),
    ("external_missing.onnx", "", Error("node Reshape that writes `r` needs the elements of tensor `t`, whose data lie outside the model and cannot be read: `nowhere.bin`: No such file"), &[]),
    ("external_parent.onnx", "", Error("`../onnx_field/external.bin`: it leaves the folder of the model"), &[]),
    ("external_absolute.onnx", "", Error("`/etc/passwd`: it leaves the folder of the model"), &[]),
    ("external_short.onnx", "", Error("`external.bin`: the file ends before the 32 bytes from 16 on"), &[]),
    ("external_wrong_offset.onnx", "", Error("its external data have offset `8 bytes`, which is no number"), &[]),
    // A batch of zero stands for any.
    ("dim_zero.onnx", "--bind x.0=1", Macs(147_456), &[]),
    ("dim_zero.onnx", "", Error("these dimensions of the inputs have no size: 0 of `x`; give each one: --bind x.0=NUMBER"), &[]),
    // The only input is a vector.
    ("rank1_input.onnx", "", Macs(640), &[]),
    ("input_right.onnx", "", Macs(3_200), &[]),
    ("input_vector.onnx", "", Macs(640), &[]),
    ("input_two_vectors.onnx", "", Macs(640), &[]),
    ("input_weights.onnx", "", Macs(640), &[]),
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
