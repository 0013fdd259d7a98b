//! Unknown operators, which become layers of their bytes with `--unknown=bytes`: the notes of the import about them,
//! and the shapes of their outputs.
//!
//! Those are given by the file, or follow from a reader whose output the file gives and that keeps the shape of its
//! input. Nothing is guessed beyond that.

use std::collections::BTreeMap;

use rten_onnx::onnx::{GraphProto, NodeProto};

use super::graph::{Kind, Operation};
use super::operators;
use super::shapes;
use super::tensors::Tensors;

/// What became a layer of its bytes, and a warning where nothing else is left.
pub(super) fn notes(operations: &[Operation], mac_layers: u64) -> Vec<String> {
    let mut nodes: BTreeMap<String, u64> = BTreeMap::new();
    for operation in operations.iter().filter(|operation| operation.kind == Kind::Unknown) {
        *nodes.entry(operators::full_name(operation.node)).or_default() += 1;
    }
    if nodes.is_empty() {
        return Vec::new();
    }
    let list: Vec<String> = nodes.iter().map(|(name, count)| format!("{count} x {name}")).collect();
    let mut notes = vec![format!(
        "became layers that move their inputs and outputs, without element operations: {}",
        list.join(", ")
    )];
    if mac_layers == 0 {
        notes.push("warning: no layer with MACs is left: this is not the work of the network".into());
    }
    notes
}

/// The shape of a tensor by its readers.
pub(super) fn shape_by_readers(graph: &GraphProto, tensors: &Tensors, tensor: &str) -> Option<Vec<u64>> {
    let mut tensor = tensor;
    for node in &graph.node {
        // Nodes are in topological order, so that one pass follows a whole chain.
        if node.input.first().is_some_and(|input| input == tensor) && shapes::keeps_shape(node) {
            tensor = node.output.first()?;
            if let Some(dims) = tensors.declared_dims(tensor) {
                return Some(dims);
            }
        }
    }
    None
}

/// Whether an operator works on something else than tensors: on sequences of them, or on what may be missing. These
/// have no shape, so that even their bytes are not known.
pub(super) fn is_of_sequences(node: &NodeProto) -> bool {
    let name = operators::onnx(node).unwrap_or("");
    name.contains("Sequence") && name != "ReverseSequence" || name.starts_with("Optional")
}

/// Why accelerators leave an operator to the host, if it is one of these.
pub(super) fn left_to_host(node: &NodeProto) -> Option<&'static str> {
    Some(match operators::onnx(node)? {
        "TopK" | "Unique" => "it sorts",
        "NonMaxSuppression" => "its work depends on data",
        "NonZero" | "Compress" => "how much it writes depends on data",
        "StringNormalizer" | "StringConcat" | "StringSplit" | "RegexFullMatch" | "TfIdfVectorizer" => {
            "it works on text"
        }
        _ => return None,
    })
}
