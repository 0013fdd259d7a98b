//! Readable names of layers.

use rten_onnx::onnx::NodeProto;

use super::graph::inputs;
use super::tensors::{Origin, Tensors};

/// What PyTorch's exporter puts around the name of an operator. (It also appends `__` and the number of the output.)
const NOISE: [&str; 3] = ["node_", "_native", "_legit_no_training"];

/// The name of a layer: that of the module which owns its weights (`layer1.0.conv1` of `layer1.0.conv1.weight`), else
/// that of its node without noise (`max_pool2d` of `node_max_pool2d`, `layer1/conv1` of `/layer1/conv1/Conv`).
pub(super) fn base(node: &NodeProto, has_weights: bool, tensors: &Tensors) -> String {
    let module = if has_weights { module(node, tensors) } else { None };
    let op = node.op_type.as_deref().unwrap_or("layer");
    let name = match module {
        Some(module) => clean(module),
        None => strip_operator(&clean(node.name.as_deref().unwrap_or("")), op).to_owned(),
    };
    if name.is_empty() { op.to_lowercase() } else { name }
}

fn module<'m>(node: &NodeProto, tensors: &Tensors<'m>) -> Option<&'m str> {
    let root = |tensor: &str| match tensors.origin(tensor) {
        Some(Origin::Static { root, .. }) => root,
        Some(Origin::Activation) | None => None,
    };
    inputs(node).into_iter().find_map(root)?.strip_suffix(".weight")
}

fn clean(name: &str) -> String {
    let name = NOISE.iter().fold(name.to_owned(), |name, noise| name.replace(noise, ""));
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit()).strip_suffix("__").unwrap_or(&name);
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._/-:".contains(c) { c } else { '_' };
    name.trim_matches(|c| "/_".contains(c)).chars().map(plain).collect()
}

/// Takes the operator off the end of a path, where something is left.
fn strip_operator<'n>(name: &'n str, op: &str) -> &'n str {
    match name.rsplit_once('/') {
        Some((path, last)) if last == op => path,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_taken_off_node_names() {
        assert_eq!(clean("node_max_pool2d_1"), "max_pool2d_1");
        assert_eq!(clean("node__native_batch_norm_legit_no_training_3__0"), "batch_norm_3");
        assert_eq!(strip_operator(&clean("/layer1/conv1/Conv"), "Conv"), "layer1/conv1");
        assert_eq!(strip_operator(&clean("Conv"), "Conv"), "Conv");
        assert_eq!(clean("a b\"c"), "a_b_c");
    }
}
