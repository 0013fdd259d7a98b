//! Operators that are read as the ONNX operators that they put together, before anything else looks at a graph.
//!
//! onnxruntime writes operators of its own (`com.microsoft`) when it optimises or quantizes a model: a convolution
//! with its activation, a whole attention, a product of integers. Each is written out here again, so that a model
//! costs what it did before. Quantized operators become those of the float network between `DequantizeLinear` and
//! `QuantizeLinear`, which are views: scales and zero points are no parameters, a packed 4-bit weight is one element.
//!
//! What is multiplied by a constant only (`alpha`, the scale of an attention) is left out, since it runs at the output
//! of the product; so are masks that an operator makes from lengths. `fused` has what is put together, `quantized`
//! what works on integers, `attention` the attentions, `blocked` what has channels in blocks.

mod attention;
mod blocked;
mod fused;
mod quantized;

use std::collections::BTreeMap;

use rten_onnx::onnx::{AttributeProto, DataType, GraphProto, NodeProto, TensorProto, ValueInfoProto};

pub(super) use self::blocked::note;
use super::operators::{self, Domain};
use super::precision::INT4;

/// Writes out the operators of a graph that are read as others; what they bring along goes to its initializers.
pub(super) fn write_out(graph: &mut GraphProto) {
    let known = Known { block: blocked::block(graph), ranks: ranks(graph) };
    let mut weights = BTreeMap::new();
    write_out_nodes(graph, &known, &mut weights);
    graph.initializer.extend(weights.into_values());
}

/// Also in the branches of an If, whose weights the model has.
fn write_out_nodes(graph: &mut GraphProto, known: &Known, weights: &mut BTreeMap<String, TensorProto>) {
    let mut nodes = Vec::new();
    for mut node in std::mem::take(&mut graph.node) {
        let branches = node.attribute.iter_mut().filter_map(|attribute| attribute.g.as_mut());
        branches.for_each(|branch| write_out_nodes(branch, known, weights));
        let mut writer = Writer { node: &node, nodes: Vec::new(), weights: Vec::new(), known };
        match writer.write_out() {
            Some(()) => {
                nodes.append(&mut writer.nodes);
                weights.extend(writer.weights);
            }
            None => nodes.push(node),
        }
    }
    graph.node = nodes;
}

/// What is known of a graph.
struct Known {
    /// How many channels a block has.
    block: i64,
    /// Of the tensors whose shape is in the file.
    ranks: BTreeMap<String, usize>,
}

fn ranks(graph: &GraphProto) -> BTreeMap<String, usize> {
    let rank = |value: &ValueInfoProto| {
        let shape = value.r#type.as_ref()?.tensor_type.as_ref()?.shape.as_ref()?;
        Some((value.name.clone()?, shape.dim.len()))
    };
    graph.value_info.iter().chain(&graph.input).filter_map(rank).collect()
}

/// Writes nodes in the place of one.
struct Writer<'n> {
    node: &'n NodeProto,
    nodes: Vec<NodeProto>,
    weights: Vec<(String, TensorProto)>,
    known: &'n Known,
}

impl<'n> Writer<'n> {
    /// `None` if the operator is not one of these, or lacks what it needs.
    fn write_out(&mut self) -> Option<()> {
        let (domain, name) = operators::operator(self.node)?;
        match (domain, name) {
            (Domain::Onnx, "Attention") => self.attention(),
            (Domain::Onnx, "Einsum") => self.einsum(),
            (Domain::Onnx, "RotaryEmbedding") => {
                let tables = [self.input(1)?, self.input(2)?];
                let rotated = self.rotary(self.input(0)?, tables, self.input(3)?);
                self.output(0, &rotated)
            }
            (Domain::Onnx, name) => self.quantized(name).or_else(|| self.normalization(name)),
            (Domain::Microsoft, name) => {
                self.fused(name).or_else(|| self.quantized(name)).or_else(|| self.microsoft_attention(name))
            }
            (Domain::Blocked, name) => self.blocked(name),
        }
    }

    /// An input, unless it is left out.
    fn input(&self, position: usize) -> Option<&'n str> {
        self.node.input.get(position).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Whether somebody may read an output.
    fn has_output(&self, position: usize) -> bool {
        self.node.output.get(position).is_some_and(|name| !name.is_empty())
    }

    fn integer(&self, name: &str, default: i64) -> i64 {
        operators::integer(self.node, name, default)
    }

    /// A node with the attributes of the one that is written out; the tensor that it writes.
    fn same(&mut self, op: &str, inputs: &[&str]) -> String {
        let attributes = self.node.attribute.clone();
        self.add("", op, inputs, attributes, 1).swap_remove(0)
    }

    /// A node that is a `part` of what is written out.
    fn part(&mut self, part: &str, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
        self.add(part, op, inputs, attributes, 1).swap_remove(0)
    }

    fn add(
        &mut self,
        part: &str,
        op: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
        outputs: usize,
    ) -> Vec<String> {
        let first = self.node.output.first().map_or("", String::as_str);
        let name = match self.node.name.as_deref().unwrap_or("") {
            "" => None,
            name if part.is_empty() => Some(name.to_owned()),
            name => Some(format!("{name}/{part}")),
        };
        let output: Vec<String> = (0..outputs).map(|i| format!("{first}~{}.{i}", self.nodes.len())).collect();
        self.nodes.push(NodeProto {
            name,
            op_type: Some(op.into()),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: output.clone(),
            attribute: attributes,
            ..Default::default()
        });
        output
    }

    /// Another operator of two operands, the second of which may be missing.
    fn with(&mut self, op: &str, left: String, right: Option<&str>) -> String {
        match right {
            Some(right) => self.part(&op.to_lowercase(), op, &[&left, right], Vec::new()),
            None => left,
        }
    }

    /// The activation that the attribute `activation` names, if there is one.
    fn activation(&mut self, input: String) -> String {
        match operators::text(self.node, "activation") {
            None | Some("" | "NONE") => input,
            Some(name) => {
                let op = if name.eq_ignore_ascii_case("relu") { "Relu" } else { name };
                self.part(&name.to_lowercase(), op, &[&input], Vec::new())
            }
        }
    }

    /// A constant list of integers.
    fn list(&mut self, list: &[i64]) -> String {
        self.part("constant", "Constant", &[], vec![integers("value_ints", list)])
    }

    fn transpose(&mut self, input: &str, order: &[i64]) -> String {
        self.part("transpose", "Transpose", &[input], vec![integers("perm", order)])
    }

    /// From channels last to channels first.
    fn channels_first(&mut self, input: &str) -> String {
        let last = self.spatial_rank() + 1;
        let order: Vec<i64> = [0, last].into_iter().chain(1..last).collect();
        self.transpose(input, &order)
    }

    fn channels_last(&mut self, input: &str) -> String {
        let last = self.spatial_rank() + 1;
        let order: Vec<i64> = [0].into_iter().chain(2..=last).chain([1]).collect();
        self.transpose(input, &order)
    }

    /// How many dimensions a window has: two, unless its size is given.
    fn spatial_rank(&self) -> i64 {
        operators::integers(self.node, "kernel_shape").map_or(2, |kernel| kernel.len() as i64)
    }

    fn reshape(&mut self, input: &str, sizes: &[i64]) -> String {
        let sizes = self.list(sizes);
        self.part("reshape", "Reshape", &[input, &sizes], Vec::new())
    }

    fn cast(&mut self, input: &str, to: DataType) -> String {
        self.part("cast", "Cast", &[input], vec![integer("to", to.0.into())])
    }

    /// A weight of which the file has a packed form only.
    fn unpacked(&mut self, packed: &str, dims: &[i64]) -> String {
        let name = format!("{packed}~unpacked");
        let weight = TensorProto {
            name: Some(name.clone()),
            dims: dims.to_vec(),
            data_type: Some(if self.integer("bits", 4) <= 4 { INT4 } else { DataType::INT8 }),
            ..Default::default()
        };
        self.weights.push((name.clone(), weight));
        name
    }

    /// Makes a tensor an output of the node that is written out.
    fn output(&mut self, position: usize, tensor: &str) -> Option<()> {
        let Some(name) = self.node.output.get(position).filter(|name| !name.is_empty()) else {
            return Some(());
        };
        let tensors = self.nodes.iter_mut().flat_map(|node| node.input.iter_mut().chain(&mut node.output));
        let mut is_written = false;
        for written in tensors.filter(|written| *written == tensor) {
            written.clone_from(name);
            is_written = true;
        }
        is_written.then_some(())
    }
}

fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: Some(name.into()), i: Some(value), ..Default::default() }
}

fn integers(name: &str, list: &[i64]) -> AttributeProto {
    AttributeProto { name: Some(name.into()), ints: list.to_vec(), ..Default::default() }
}

fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto { name: Some(name.into()), s: Some(value.into()), ..Default::default() }
}

/// The names that are there.
fn given<'n>(names: impl IntoIterator<Item = Option<&'n str>>) -> Vec<&'n str> {
    names.into_iter().flatten().collect()
}
