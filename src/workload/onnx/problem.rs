//! The reasons why a model cannot be imported; the caller adds the path.

/// A problem with a model, with one variant per remedy that a user has.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("the file ends inside a field, after {at} bytes: it is cut off, or not an ONNX model")]
    Truncated { at: u64 },
    #[error("not an ONNX model: {what} at byte {at}")]
    Malformed { at: u64, what: &'static str },
    #[error("not an ONNX model: {0}")]
    Decode(#[from] rten_onnx::protobuf::ProtobufError),
    #[error("the model has more than {allowed} {what}, which this importer takes for a damaged file")]
    TooLarge { what: &'static str, allowed: u64 },
    #[error("no {what}: the file is cut off, or not an ONNX model")]
    Missing { what: &'static str },
    #[error("the model has no layers: nothing in its graph depends on an input")]
    Empty,
    #[error("the model has no layers: its graph only moves or selects elements")]
    OnlyViews,
    #[error(
        "node {node}: operator `{op}` is not supported; --unknown=bytes makes it a layer that moves its inputs and \
         outputs, without element operations"
    )]
    UnknownOperator { node: String, op: String },
    #[error(
        "node {node}: the model's `opset_import` names no version of ONNX's own operators, so this one is not known"
    )]
    NoOperatorSet { node: String },
    #[error("node {node}: operator `{op}` is not supported: sequences and optional values have no shape")]
    Sequences { node: String, op: String },
    #[error(
        "node {node}: operator `{op}` is not supported: {why}, so that accelerators leave it to the host; cut the \
         model there (onnx.utils.extract_model), or --unknown=bytes makes it a layer that moves its inputs and \
         outputs, without element operations"
    )]
    LeftToHost { node: String, op: String, why: &'static str },
    #[error(
        "node {node}: operator `{op}` is not supported: it repeats a graph of its own, which is not unrolled"
    )]
    ControlFlow { node: String, op: String },
    #[error(
        "node {node}: which branch runs is not known before the network runs, since its condition `{tensor}` is not \
         ({why})"
    )]
    Condition { node: String, tensor: String, why: String },
    #[error("--input {name}: the model has no input of this name ({known})")]
    UnknownInput { name: String, known: String },
    #[error("node {node} reads tensor `{tensor}`, which no input, initializer or earlier node provides")]
    Undefined { node: String, tensor: String },
    #[error("node {node} writes tensor `{tensor}`, which is defined already")]
    Redefined { node: String, tensor: String },
    #[error(
        "node {node} needs the shape of tensor `{tensor}`, which the file does not give ({why}): add it to the model's \
         `value_info`, for instance by onnx.shape_inference.infer_shapes"
    )]
    NoShape { node: String, tensor: String, why: String },
    #[error(
        "node {node} needs the shape of tensor `{tensor}`, which depends on node {at}: no tool can infer what `{op}` \
         writes; add the shape of its output to the model's `value_info` (onnx.helper.make_tensor_value_info)"
    )]
    NoShapeOfUnknown { node: String, tensor: String, at: String, op: String },
    #[error(
        "node {node}: its window is larger than its input of {sizes}, padding included: bind larger sizes"
    )]
    TooSmall { node: String, sizes: String },
    #[error(
        "tensor `{tensor}`: the file gives it {file}, {by} makes it {inferred}; it is unknown which is right: correct the \
         file, or take the tensor out of its `value_info`"
    )]
    TwoTypes { tensor: String, file: String, inferred: String, by: String },
    #[error(
        "node {node} needs the elements of tensor `{tensor}`, whose data lie outside the model and cannot be read: {why}"
    )]
    Unread { node: String, tensor: String, why: String },
    #[error("these dimensions of the inputs have no size: {dimensions}; give each one: {binds}")]
    Unbound { dimensions: String, binds: String },
    #[error(
        "dimension `{dimension}` of tensor `{tensor}` is symbolic: give it a value with --bind {dimension}=NUMBER"
    )]
    Symbolic { tensor: String, dimension: String },
    #[error("--bind {name}: the model has no symbolic dimension or number of this name ({known})")]
    UnknownBinding { name: String, known: String },
    #[error("--bind {name}=0: a dimension is at least 1")]
    ZeroBinding { name: String },
    #[error("dimension {index} of tensor `{tensor}` is {found}: expected a number from 0 to 2^32 - 1")]
    BadDimension { tensor: String, index: usize, found: String },
    #[error("tensor `{tensor}` has more than 2^50 elements")]
    HugeTensor { tensor: String },
    #[error("node {node}: {what}{advice}")]
    Misfit { node: String, what: String, advice: String },
    #[error("output `{tensor}` of the model: no input, initializer or node provides it")]
    NoOutput { tensor: String },
    #[error("node {node} reads what it writes itself, directly or through other nodes")]
    Cycle { node: String },
    #[error("node {node}: {what}")]
    BadNode { node: String, what: String },
}

impl Problem {
    pub(super) fn node(node: impl Into<String>, what: impl Into<String>) -> Self {
        Self::BadNode { node: node.into(), what: what.into() }
    }
}
