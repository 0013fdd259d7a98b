//! [`Network`] -> Graphviz: `mascot network show NAME --dot | dot -Tsvg -o NAME.svg`.

use super::Network;
use crate::dims::LayerKind;
use crate::workload::layer::Layer;

impl Network {
    /// The graph in the DOT language: a box per layer, coloured by its kind.
    pub fn to_dot(&self) -> String {
        let mut text =
            format!("digraph {} {{\n  node [shape=box, style=filled, fontname=sans]\n", quoted(&self.name));
        for (index, layer) in self.layers.iter().enumerate() {
            let (label, color) = (quoted(&label(layer)), color(layer.op.kind()));
            text += &format!("  l{index} [label={label}, fillcolor={color}]\n");
            layer.after.iter().for_each(|before| text += &format!("  l{before} -> l{index}\n"));
        }
        text + "}\n"
    }
}

fn label(layer: &Layer) -> String {
    let mut lines = vec![layer.name.clone(), format!("{} {}", layer.op.kind().name(), layer.op.describe())];
    if !layer.fused.is_empty() {
        lines.push(format!("+ {}", layer.fused.join(", ")));
    }
    lines.join("\n")
}

fn color(kind: LayerKind) -> &'static str {
    match kind {
        LayerKind::Conv => "lightblue",
        LayerKind::Gemm => "lightgreen",
        LayerKind::Matmul => "palegoldenrod",
        LayerKind::Vector => "whitesmoke",
        LayerKind::Lookup => "mistyrose",
    }
}

/// A string of the DOT language, in which line breaks stay.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::layer::Op;

    #[test]
    fn names_are_escaped_and_edges_drawn() {
        let layer = |name: &str, after: &[usize]| Layer {
            fused: vec!["Relu".into()],
            ..Layer::new(name, Op::Vector { reads: 1, writes: 2, ops: 3 }, after.to_vec())
        };
        let layers = vec![layer("a\"b\\", &[]), layer("c", &[0])];
        let network = Network { name: "n".into(), source: String::new(), totals: None, layers };
        let dot = network.to_dot();
        assert!(dot.starts_with("digraph \"n\" {\n"), "{dot}");
        assert!(dot.contains(r#"l0 [label="a\"b\\\nvector ops=3\n+ Relu", fillcolor=whitesmoke]"#), "{dot}");
        assert!(dot.ends_with("  l0 -> l1\n}\n"), "{dot}");
    }
}
