//! [`Network`] -> TOML: one line per layer, dimensions of 1 left out, the same bytes for the same network.

use std::fmt::Write;

use super::Network;
use crate::dims::Dim;
use crate::precision::Precision;
use crate::workload::layer::{Layer, LoopNest, Op};

impl Network {
    /// The network file, with `header` as its opening comment. [`Network::read`] gives the same network back.
    pub fn to_toml(&self, header: &str) -> String {
        let mut text: String = header.lines().map(|line| format!("# {line}\n")).collect();
        text += &format!("name = {}\nsource = {}\n", quoted(&self.name), quoted(&self.source));
        let common = self.common_precision();
        if common != Precision::NATIVE {
            text += &format!("precision = {}\n", quoted(&common.to_string()));
        }
        text += "layers = [\n";
        for layer in &self.layers {
            let fields = fields(self, layer, common).join(", ");
            text += &format!("  {{ {fields} }},\n");
        }
        text += "]\n";
        if let Some(totals) = &self.totals {
            text += "\n[totals]\n";
            totals.mac_layers.iter().for_each(|count| text += &format!("mac_layers = {count}\n"));
            text += &format!("edges = {}\nweight_elems = {}\n", totals.edges, totals.weight_elems);
        }
        text
    }

    /// The precision that all layers have; native if they differ.
    fn common_precision(&self) -> Precision {
        let first = self.layers.first().map_or(Precision::NATIVE, |layer| layer.precision);
        match self.layers.iter().all(|layer| layer.precision == first) {
            true => first,
            false => Precision::NATIVE,
        }
    }
}

/// The key = value pairs of one layer, in the order in which a reader wants them; `common` is the precision of all.
fn fields(network: &Network, layer: &Layer, common: Precision) -> Vec<String> {
    let mut fields =
        vec![format!("name = {}", quoted(&layer.name)), format!("kind = {}", quoted(layer.op.kind().name()))];
    match &layer.op {
        Op::Conv(nest) | Op::Gemm(nest) | Op::Matmul(nest) => fields.extend(nest_fields(nest)),
        Op::Vector { reads, writes, ops } => {
            fields.push(format!("reads = {reads}, writes = {writes}, ops = {ops}"));
        }
        Op::Lookup { reads, writes } => fields.push(format!("reads = {reads}, writes = {writes}")),
    }
    if layer.precision != common {
        fields.push(format!("precision = {}", quoted(&layer.precision.to_string())));
    }
    layer.post_op.iter().for_each(|op| fields.push(format!("post_op = {}", quoted(op.name()))));
    if !layer.fused.is_empty() {
        fields.push(format!("fused = {}", list(layer.fused.iter().map(String::as_str))));
    }
    if layer.is_output {
        fields.push("output = true".into());
    }
    if !layer.after.is_empty() {
        let names = layer.after.iter().map(|&i| network.layers[i].name.as_str());
        fields.push(format!("after = {}", list(names)));
    }
    fields
}

impl Op {
    /// The size of a layer in a few words: its loop nest without unit dimensions, or its element operations.
    pub fn describe(&self) -> String {
        match self {
            Self::Conv(nest) | Self::Gemm(nest) | Self::Matmul(nest) => {
                let fields = nest_fields(nest).map(|field| field.replace(" = ", "=").replace(", ", ","));
                fields.collect::<Vec<_>>().join(" ")
            }
            Self::Vector { ops, .. } => format!("ops={ops}"),
            Self::Lookup { .. } => String::new(),
        }
    }
}

fn nest_fields(nest: &LoopNest) -> impl Iterator<Item = String> {
    let dims = Dim::ALL.into_iter().filter(|&dim| nest.bound(dim) != 1).map(|dim| {
        let letter = format!("{dim:?}").to_lowercase();
        format!("{letter} = {}", nest.bound(dim))
    });
    let pairs = [
        ("stride", nest.stride, [1; 2]),
        ("dilation", nest.dilation, [1; 2]),
        ("padding", nest.padding, [0; 2]),
    ];
    dims.chain(pairs.into_iter().filter(|(_, pair, none)| pair != none).map(|(key, pair, _)| match pair {
        [rows, columns] if rows == columns => format!("{key} = {rows}"),
        [rows, columns] => format!("{key} = [{rows}, {columns}]"),
    }))
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", names.map(quoted).collect::<Vec<_>>().join(", "))
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                write!(quoted, "\\u{:04X}", u32::from(c)).expect("writing to a String cannot fail");
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dims::PostOp;
    use crate::workload::network::Totals;

    fn network() -> Network {
        let nest = |bounds, stride| LoopNest { bounds, stride, dilation: [1, 1], padding: [0; 2] };
        let padded = LoopNest { padding: [3, 0], ..nest([1, 2, 3, 4, 5, 6, 7, 8], [2, 1]) };
        let layer = |name: &str, op, fused: &[&str], after: &[usize]| Layer {
            fused: fused.iter().map(|&f| f.into()).collect(),
            ..Layer::new(name, op, after.to_vec())
        };
        Network {
            name: "tiny".into(),
            source: "a \"hard\" \\ case\n\u{7f}".into(),
            totals: Some(Totals { mac_layers: Some(7), edges: 4, weight_elems: 1000 }),
            layers: vec![
                layer("table", Op::Lookup { reads: 8, writes: 8 }, &[], &[]),
                layer("a.b/c", Op::Conv(padded), &["Relu"], &[]),
                Layer {
                    post_op: Some(PostOp::Elementwise),
                    precision: "i8o16".parse().unwrap(),
                    is_output: true,
                    ..layer("add", Op::Vector { reads: 16, writes: 8, ops: 8 }, &[], &[0, 1])
                },
                layer("fc", Op::Gemm(nest([1; 8], [1, 1])), &["Add", "Relu"], &[2]),
            ],
        }
    }

    #[test]
    fn one_line_per_layer_without_unit_dimensions() {
        let text = network().to_toml("written by hand\nfor a test");
        assert!(text.starts_with("# written by hand\n# for a test\nname = \"tiny\"\n"), "{text}");
        let conv = r#"  { name = "a.b/c", kind = "conv", g = 2, k = 3, c = 4, p = 5, q = 6, r = 7, s = 8, stride = [2, 1], padding = [3, 0], fused = ["Relu"] },"#;
        assert!(text.lines().any(|line| line == conv), "{text}");
        let fc = r#"  { name = "fc", kind = "gemm", fused = ["Add", "Relu"], after = ["add"] },"#;
        assert!(text.lines().any(|line| line == fc), "{text}");
    }

    #[test]
    fn a_layer_in_a_few_words() {
        let words: Vec<String> = network().layers.iter().map(|layer| layer.op.describe()).collect();
        assert_eq!(words, ["", "g=2 k=3 c=4 p=5 q=6 r=7 s=8 stride=[2,1] padding=[3,0]", "ops=8", ""]);
    }

    #[test]
    fn reading_back_gives_the_same_network() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tiny.toml");
        std::fs::write(&path, network().to_toml("header")).unwrap();
        assert_eq!(Network::read(&path).unwrap(), network());
    }

    #[test]
    fn a_precision_that_says_nothing_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tiny.toml");
        let text = network().to_toml("header").replace("\"i8o16\"", "\"native\"");
        std::fs::write(&path, text).unwrap();
        let error = Network::read(&path).unwrap_err().to_string();
        assert!(error.contains("tiny.toml:7: ") && error.contains("says nothing: leave it out"), "{error}");
    }
}
