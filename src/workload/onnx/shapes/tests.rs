//! Inference against shapes computed by hand; `tests/inputs/onnx_styles.rs` has whole models.

use rten_onnx::onnx::{AttributeProto, DataType, GraphProto, NodeProto, TensorProto};

use super::{Operands, infer};
use crate::workload::onnx::Options;
use crate::workload::onnx::tensors::Tensors;
use crate::workload::onnx::values::fold;

fn floats(dims: &[i64]) -> TensorProto {
    TensorProto { dims: dims.to_vec(), data_type: Some(DataType::FLOAT), ..Default::default() }
}

fn integers(list: &[i64]) -> TensorProto {
    let dims = vec![list.len() as i64];
    TensorProto { dims, data_type: Some(DataType::INT64), int64_data: list.to_vec(), ..Default::default() }
}

fn scales(list: &[f32]) -> TensorProto {
    let dims = vec![list.len() as i64];
    TensorProto { dims, data_type: Some(DataType::FLOAT), float_data: list.to_vec(), ..Default::default() }
}

/// `"Conv strides=2,2 auto_pad=VALID"` reading these tensors, into as many outputs.
fn run<T>(call: &str, inputs: &[TensorProto], outputs: usize, with: impl Fn(&Operands) -> T) -> T {
    let mut words = call.split_whitespace();
    let op = words.next().unwrap();
    let attribute = |word: &str| {
        let (name, value) = word.split_once('=').unwrap();
        let ints: Vec<i64> = value.split(',').filter_map(|v| v.parse().ok()).collect();
        let s = ints.is_empty().then(|| value.to_owned());
        AttributeProto { name: Some(name.into()), i: ints.first().copied(), ints, s, ..Default::default() }
    };
    let named =
        |(i, tensor): (usize, &TensorProto)| TensorProto { name: Some(format!("t{i}")), ..tensor.clone() };
    let graph = GraphProto {
        initializer: inputs.iter().enumerate().map(named).collect(),
        node: vec![NodeProto {
            op_type: Some(op.into()),
            input: (0..inputs.len()).map(|i| format!("t{i}")).collect(),
            output: (0..outputs).map(|i| format!("o{i}")).collect(),
            attribute: words.map(attribute).collect(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let tensors = Tensors::new(&graph, &Default::default(), &Options::default()).unwrap();
    with(&Operands { node: &graph.node[0], tensors: &tensors })
}

fn shape(call: &str, inputs: &[TensorProto]) -> Vec<u64> {
    run(call, inputs, 1, infer).unwrap_or_else(|| panic!("{call}")).swap_remove(0)
}

fn unknown(call: &str, inputs: &[TensorProto]) {
    assert_eq!(run(call, inputs, 1, infer), None, "{call}");
}

fn folded(call: &str, inputs: &[TensorProto]) -> Vec<f64> {
    let value = run(call, inputs, 1, |operands| fold(operands, &infer(operands).unwrap()).swap_remove(0));
    value.unwrap_or_else(|| panic!("{call}")).iter().copied().collect()
}

#[test]
fn windows_follow_padding_and_rounding() {
    let conv =
        |call: &str| shape(&format!("Conv {call}"), &[floats(&[1, 3, 224, 225]), floats(&[64, 3, 7, 7])]);
    assert_eq!(conv(""), [1, 64, 218, 219]);
    assert_eq!(conv("strides=2,2 pads=3,3,3,3"), [1, 64, 112, 113]);
    assert_eq!(conv("strides=2,2 auto_pad=SAME_UPPER"), [1, 64, 112, 113]);
    assert_eq!(conv("strides=2,2 auto_pad=VALID pads=9,9,9,9"), [1, 64, 109, 110]);
    assert_eq!(conv("dilations=2,2"), [1, 64, 212, 213]);
    let pool = |call: &str, size: i64| shape(&format!("MaxPool {call}"), &[floats(&[1, 8, size, size])])[2];
    assert_eq!(pool("kernel_shape=3,3 strides=2,2", 112), 55);
    assert_eq!(pool("kernel_shape=3,3 strides=2,2 ceil_mode=1", 112), 56);
    // The fourth window would start in the padding.
    assert_eq!(pool("kernel_shape=2,2 strides=2,2 pads=1,1,1,1 ceil_mode=1", 5), 3);
    unknown("Conv", &[floats(&[1, 3, 5, 5]), floats(&[8, 3, 7, 7])]);
    unknown("Conv strides=0,0", &[floats(&[1, 3, 9, 9]), floats(&[8, 3, 7, 7])]);
}

#[test]
fn a_transposed_convolution_undoes_a_stride() {
    let inputs = [floats(&[1, 64, 28, 28]), floats(&[64, 16, 3, 3])];
    let up = |call: &str| shape(&format!("ConvTranspose strides=2,2 {call}"), &inputs);
    assert_eq!(up("pads=1,1,1,1 output_padding=1,1"), [1, 16, 56, 56]);
    assert_eq!(up("group=2"), [1, 32, 57, 57]);
    assert_eq!(up("auto_pad=SAME_UPPER"), [1, 16, 56, 56]);
    assert_eq!(up("output_shape=60,61"), [1, 16, 60, 61]);
}

#[test]
fn resizing_goes_by_scales_or_sizes() {
    let image = floats(&[1, 8, 13, 13]);
    let none = scales(&[]);
    assert_eq!(shape("Upsample", &[image.clone(), scales(&[1.0, 1.0, 2.0, 2.5])]), [1, 8, 26, 32]);
    assert_eq!(shape("Resize", &[image.clone(), scales(&[1.0, 1.0, 2.0, 2.0])]), [1, 8, 26, 26]);
    let by_sizes = [image.clone(), none.clone(), none.clone(), integers(&[1, 8, 20, 30])];
    assert_eq!(shape("Resize", &by_sizes), [1, 8, 20, 30]);
    assert_eq!(shape("Resize axes=3,2", &[image.clone(), none, scales(&[3.0, 1.0])]), [1, 8, 13, 39]);
    // 30 x (20 / 30), with the scale rounded to 32 bits, is 20 and not 19.
    let third = [floats(&[1, 1, 30, 30]), scales(&[1.0, 1.0, 20.0 / 30.0, 0.7])];
    assert_eq!(shape("Resize", &third), [1, 1, 20, 21]);
}

#[test]
fn reshaping_keeps_zeros_and_fills_minus_one() {
    let reshape = |to: &[i64]| run("Reshape", &[floats(&[2, 6, 4]), integers(to)], 1, infer);
    assert_eq!(reshape(&[0, -1]), Some(vec![vec![2, 24]]));
    assert_eq!(reshape(&[4, 0, 2]), Some(vec![vec![4, 6, 2]]));
    assert_eq!(reshape(&[5, -1]), None);
    assert_eq!(reshape(&[-1, -1]), None);
    assert_eq!(shape("Reshape allowzero=1", &[floats(&[0, 3]), integers(&[3, 0])]), [3, 0]);
    assert_eq!(shape("Flatten axis=2", &[floats(&[2, 6, 4, 5])]), [12, 20]);
    assert_eq!(shape("Flatten axis=0", &[floats(&[2, 6])]), [1, 12]);
}

#[test]
fn axes_come_from_attributes_or_inputs_and_count_from_both_ends() {
    let thin = floats(&[1, 5, 1]);
    assert_eq!(shape("Squeeze", std::slice::from_ref(&thin)), [5]);
    assert_eq!(shape("Squeeze axes=0", std::slice::from_ref(&thin)), [5, 1]);
    assert_eq!(shape("Squeeze", &[thin.clone(), integers(&[-1])]), [1, 5]);
    assert_eq!(shape("Unsqueeze axes=0,4", std::slice::from_ref(&thin)), [1, 1, 5, 1, 1]);
    assert_eq!(shape("Unsqueeze", &[thin, integers(&[-1])]), [1, 5, 1, 1]);
    let cube = floats(&[2, 3, 4]);
    assert_eq!(shape("ReduceMean axes=1 keepdims=0", std::slice::from_ref(&cube)), [2, 4]);
    assert_eq!(shape("ReduceMean", &[cube.clone(), integers(&[-1])]), [2, 3, 1]);
    assert_eq!(shape("ReduceMean keepdims=0", std::slice::from_ref(&cube)), [0u64; 0]);
    assert_eq!(shape("ArgMax axis=-1 keepdims=0", std::slice::from_ref(&cube)), [2, 3]);
    assert_eq!(shape("Transpose", std::slice::from_ref(&cube)), [4, 3, 2]);
    assert_eq!(shape("Transpose perm=0,2,1", std::slice::from_ref(&cube)), [2, 4, 3]);
    unknown("Transpose perm=0,0,1", &[cube]);
}

#[test]
fn slices_are_clamped_and_may_go_backwards() {
    let row = floats(&[10, 4]);
    let slice = |start, end, step| {
        let inputs = [&row, &integers(&[start]), &integers(&[end]), &integers(&[0]), &integers(&[step])];
        shape("Slice", &inputs.map(Clone::clone))[0]
    };
    assert_eq!(slice(0, i64::MAX, 3), 4);
    assert_eq!(slice(-3, 99, 1), 3);
    assert_eq!(slice(9, i64::MIN, -1), 10);
    assert_eq!(slice(7, 2, -2), 3);
    assert_eq!(slice(5, 5, 1), 0);
    assert_eq!(shape("Slice starts=1,0 ends=3,2", &[row]), [2, 2]);
}

#[test]
fn parts_and_joins() {
    let parts = |call: &str, inputs: &[TensorProto], outputs| run(call, inputs, outputs, infer).unwrap();
    let row = floats(&[1, 10]);
    assert_eq!(parts("Split axis=1", std::slice::from_ref(&row), 4), [[1, 3], [1, 3], [1, 3], [1, 1]]);
    assert_eq!(parts("Split axis=1 split=7,3", std::slice::from_ref(&row), 2), [[1, 7], [1, 3]]);
    assert_eq!(parts("Split axis=1", &[row.clone(), integers(&[4, 6])], 2), [[1, 4], [1, 6]]);
    assert_eq!(shape("Concat axis=-1", &[row.clone(), floats(&[1, 5])]), [1, 15]);
    unknown("Concat axis=1", &[row.clone(), floats(&[2, 5])]);
    assert_eq!(shape("Pad pads=0,1,2,3", std::slice::from_ref(&row)), [3, 14]);
    assert_eq!(shape("Pad", &[row.clone(), integers(&[1, 1]), floats(&[]), integers(&[1])]), [1, 12]);
    assert_eq!(shape("Expand", &[row.clone(), integers(&[3, 1, 1])]), [3, 1, 10]);
    assert_eq!(shape("Tile", &[row, integers(&[2, 3])]), [2, 30]);
    assert_eq!(shape("Where", &[floats(&[5, 1]), floats(&[4]), floats(&[])]), [5, 4]);
    unknown("Add", &[floats(&[5, 2]), floats(&[4])]);
}

#[test]
fn rows_blocks_and_one_hots() {
    let table = floats(&[30, 8]);
    assert_eq!(shape("Gather", &[table.clone(), floats(&[2, 5])]), [2, 5, 8]);
    assert_eq!(shape("Gather axis=1", &[table.clone(), floats(&[])]), [30]);
    assert_eq!(shape("GatherND", &[table.clone(), floats(&[7, 1])]), [7, 8]);
    assert_eq!(shape("GatherND batch_dims=1", &[table, floats(&[30, 1])]), [30]);
    assert_eq!(shape("DepthToSpace blocksize=2", &[floats(&[1, 8, 3, 4])]), [1, 2, 6, 8]);
    assert_eq!(shape("SpaceToDepth blocksize=2", &[floats(&[1, 2, 6, 8])]), [1, 8, 3, 4]);
    assert_eq!(shape("OneHot axis=1", &[floats(&[3, 4]), integers(&[10])]), [3, 10, 4]);
}

#[test]
fn products_and_recurrent_networks() {
    assert_eq!(shape("MatMul", &[floats(&[2, 1, 5, 3]), floats(&[7, 3, 4])]), [2, 7, 5, 4]);
    assert_eq!(shape("MatMul", &[floats(&[3]), floats(&[2, 3, 4])]), [2, 4]);
    assert_eq!(shape("MatMul", &[floats(&[5, 3]), floats(&[3])]), [5]);
    assert_eq!(shape("Gemm transA=1 transB=1", &[floats(&[3, 5]), floats(&[4, 3])]), [5, 4]);
    let cells = [floats(&[6, 2, 10]), floats(&[2, 32, 10]), floats(&[2, 32, 8])];
    let states = run("LSTM", &cells, 3, infer).unwrap();
    assert_eq!(states, [vec![6, 2, 2, 8], vec![2, 2, 8], vec![2, 2, 8]]);
    assert_eq!(run("LSTM layout=1", &cells, 1, infer).unwrap()[0], [6, 2, 2, 8]);
}

#[test]
fn sub_graphs_that_compute_sizes_are_evaluated() {
    assert_eq!(folded("Shape", &[floats(&[1, 3, 8, 8])]), [1.0, 3.0, 8.0, 8.0]);
    assert_eq!(folded("Shape start=1 end=-1", &[floats(&[1, 3, 8, 9])]), [3.0, 8.0]);
    assert_eq!(folded("Gather", &[integers(&[5, 6, 7]), integers(&[-1])]), [7.0]);
    assert_eq!(folded("Concat axis=0", &[integers(&[5]), integers(&[-1, 2])]), [5.0, -1.0, 2.0]);
    assert_eq!(folded("Div", &[integers(&[7, -7]), integers(&[2])]), [3.0, -3.0]);
    assert_eq!(folded("Div", &[scales(&[7.0]), scales(&[2.0])]), [3.5]);
    assert_eq!(folded("Cast to=7", &[scales(&[3.9, -3.9])]), [3.0, -3.0]);
    assert_eq!(folded("Slice starts=-2 ends=9", &[integers(&[1, 2, 3])]), [2.0, 3.0]);
    assert_eq!(folded("Where", &[integers(&[1, 0]), integers(&[5, 5]), integers(&[9, 9])]), [5.0, 9.0]);
    assert_eq!(folded("ReduceProd keepdims=0", &[integers(&[2, 3, 4])]), [24.0]);
    assert_eq!(folded("Range", &[integers(&[1]), integers(&[7]), integers(&[2])]), [1.0, 3.0, 5.0]);
    assert_eq!(folded("ConstantOfShape", &[integers(&[3])]), [0.0; 3]);
    assert_eq!(folded("Transpose", &[integers(&[1, 2])]), [1.0, 2.0]);
    assert_eq!(folded("Expand", &[integers(&[4]), integers(&[3])]), [4.0; 3]);
}

/// A shape that says billions of elements costs nothing.
#[test]
fn large_constants_have_a_shape_and_no_elements() {
    let call = "ConstantOfShape";
    assert_eq!(shape(call, &[integers(&[30000, 30000])]), [30000, 30000]);
    let large = [integers(&[30000, 30000])];
    let values = run(call, &large, 1, |operands| fold(operands, &infer(operands).unwrap()));
    assert_eq!(values, [None]);
    let zero = [integers(&[0, i64::MAX])];
    assert_eq!(run(call, &zero, 1, |operands| fold(operands, &infer(operands).unwrap())), [None]);
}

#[test]
fn signals() {
    assert_eq!(
        shape("STFT onesided=1", &[floats(&[1, 1600, 1]), integers(&[160]), floats(&[400])]),
        [1, 8, 201, 2]
    );
    assert_eq!(
        shape("STFT onesided=0", &[floats(&[2, 20]), integers(&[5]), floats(&[8]), integers(&[8])]),
        [2, 3, 8, 2]
    );
    assert_eq!(shape("DFT onesided=1 axis=1", &[floats(&[1, 16, 1])]), [1, 9, 2]);
    assert_eq!(shape("DFT axis=1", &[floats(&[1, 16, 1]), integers(&[32])]), [1, 32, 2]);
    assert_eq!(shape("DFT inverse=1", &[floats(&[1, 16, 2])]), [1, 16, 2]);
    assert_eq!(shape("HannWindow", &[integers(&[400])]), [400]);
    assert_eq!(shape("MelWeightMatrix", &[integers(&[80]), integers(&[512])]), [257, 80]);
    assert_eq!(shape("RandomNormal shape=1,80,20", &[]), [1, 80, 20]);
}

#[test]
fn grids_regions_and_columns() {
    assert_eq!(shape("GridSample", &[floats(&[1, 3, 8, 8]), floats(&[1, 5, 6, 2])]), [1, 3, 5, 6]);
    assert_eq!(shape("AffineGrid", &[floats(&[2, 2, 3]), integers(&[2, 3, 5, 6])]), [2, 5, 6, 2]);
    assert_eq!(
        shape("RoiAlign output_height=7 output_width=6", &[floats(&[1, 3, 8, 8]), floats(&[9, 4])]),
        [9, 3, 7, 6]
    );
    assert_eq!(shape("Col2Im", &[floats(&[1, 12, 9]), integers(&[4, 4]), integers(&[2, 2])]), [1, 3, 4, 4]);
    assert_eq!(shape("CenterCropPad axes=1,2", &[floats(&[3, 9, 4]), integers(&[5, 6])]), [3, 5, 6]);
    assert_eq!(shape("TopK axis=1", &[floats(&[2, 9]), integers(&[3])]), [2, 3]);
}

#[test]
fn a_quantized_constant_is_its_number() {
    let (scale, zero) = (scales(&[0.5]), integers(&[3]));
    assert_eq!(folded("DequantizeLinear", &[integers(&[7, 3]), scale.clone(), zero]), [2.0, 0.0]);
    assert_eq!(folded("DequantizeLinear", &[integers(&[7]), scale]), [3.5]);
}
