//! From operations to layers: an operation that can run at the output of the layer before it is fused into that layer.
//!
//! A pointwise operation (activation, BN, bias, scale) fuses when
//! - it has one input that is computed at run time, which it may read twice (a square), and its constants are scalars or vectors: a full-size constant,
//!   such as a position embedding, is a stream from memory and stays a vector layer;
//! - it is the only reader of the layer before it, whose output is not an output of the network: nobody else needs the
//!   value in between;
//! - it neither repeats elements nor follows a look-up (which has no arithmetic), an unknown operator or a recurrent
//!   network.

use std::collections::BTreeSet;

use super::graph::{Graph, Kind, Operation, inputs, streams};
use super::nest::{self, Work};
use super::operators::{self, Class};
use super::precision::Forms;
use super::problem::Problem;
use super::tensors::{Origin, Tensors};
use super::{names, vector};
use crate::dims::PostOp;
use crate::workload::layer::{Layer, MAX_COUNT, MAX_LAYERS, Op, product};
use crate::workload::names::Names;

/// The layers of a model.
pub(super) struct Layers {
    /// In topological order.
    pub(super) layers: Vec<Layer>,
    /// Operations with MACs: a recurrent network is one, whatever its number of layers.
    pub(super) mac_layers: u64,
    /// Multiply-accumulates of one inference.
    pub(super) macs: u64,
}

/// The layers that provide the output of an operation.
#[derive(Default)]
struct Home {
    /// The layers that must end before a reader starts.
    ends: Vec<usize>,
    /// The layer into which a pointwise reader may fuse.
    host: Option<usize>,
}

/// Fuses operations into layers; `forms` says which bits their elements have, if types count.
pub(super) fn build<'m>(graph: &Graph<'m>, forms: Option<&Forms<'m>>) -> Result<Layers, Problem> {
    let mut builder = Builder {
        graph,
        names: Names::default(),
        homes: Vec::with_capacity(graph.operations.len()),
        built: Layers { layers: Vec::new(), mac_layers: 0, macs: 0 },
    };
    for operation in &graph.operations {
        let first = builder.built.layers.len();
        let home = builder.place(operation)?;
        builder.homes.push(home);
        if let Some(forms) = forms {
            let precision = forms.of_operands(operation, graph);
            builder.built.layers[first..].iter_mut().for_each(|layer| layer.precision = precision);
        }
    }
    builder.mark_outputs();
    forms.into_iter().for_each(|forms| builder.widen_outputs(forms));
    if builder.built.layers.is_empty() {
        return Err(if graph.has_views { Problem::OnlyViews } else { Problem::Empty });
    }
    Ok(builder.built)
}

struct Builder<'a, 'm> {
    graph: &'a Graph<'m>,
    names: Names,
    homes: Vec<Home>,
    built: Layers,
}

impl<'m> Builder<'_, 'm> {
    fn place(&mut self, operation: &Operation) -> Result<Home, Problem> {
        if operation.kind == Kind::Select {
            return Ok(self.see_through(operation));
        }
        if let Some(host) = self.host(operation)? {
            let op = operation.node.op_type.clone().unwrap_or_default();
            self.built.layers[host].fused.push(op);
            return Ok(Home { ends: vec![host], host: Some(host) });
        }
        match nest::work(operation, &self.graph.tensors)? {
            Some(work) => self.add_work(operation, work),
            None => {
                let op = vector::op(operation, &self.graph.tensors)?;
                let name = self.name(operation, false);
                let layer = self.push(name, op, Vec::new(), self.after(operation))?;
                self.built.layers[layer].post_op = post_op(operation, &self.graph.tensors);
                let computes = !matches!(operation.kind, Kind::Lookup | Kind::Unknown);
                let host = computes.then_some(layer);
                Ok(Home { ends: vec![layer], host })
            }
        }
    }

    fn see_through(&self, operation: &Operation) -> Home {
        match operation.after[..] {
            [source] => Home { ends: self.homes[source].ends.clone(), host: self.homes[source].host },
            _ => Home::default(),
        }
    }

    /// The layer into which a pointwise operation fuses.
    fn host(&self, operation: &Operation) -> Result<Option<usize>, Problem> {
        let (Kind::Work(Class::Pointwise(_)), &[source]) = (operation.kind, &operation.after[..]) else {
            return Ok(None);
        };
        let producer = &self.graph.operations[source];
        let only_reader = producer.readers == 1 && !producer.is_output;
        let (Some(host), true) = (self.homes[source].host, only_reader) else { return Ok(None) };
        let tensors = &self.graph.tensors;
        let label = || operators::label(operation.node);
        let mut dynamic_elements = Vec::new();
        for tensor in streams(operation.node) {
            match tensors.origin(tensor) {
                Some(Origin::Activation) => dynamic_elements.push(tensors.elements(tensor, label)?),
                _ if tensors.fill(tensor).is_some() => {}
                _ => {
                    let long = tensors.dims(tensor, label)?.into_iter().filter(|&size| size != 1).count();
                    if long > 1 {
                        return Ok(None);
                    }
                }
            }
        }
        let output = operation.node.output.first().map_or("", String::as_str);
        let fits = dynamic_elements == [tensors.elements(output, label)?];
        Ok(fits.then_some(host))
    }

    fn add_work(&mut self, operation: &Operation, work: Work) -> Result<Home, Problem> {
        self.built.mac_layers += 1;
        let name = self.name(operation, !matches!(work.op, Op::Matmul(_)));
        let after = self.after(operation);
        if (work.steps, work.directions) == (1, 1) {
            let bias = matches!(operation.kind, Kind::Work(Class::Conv | Class::ConvTranspose | Class::Gemm))
                && operators::has_bias(operation.node);
            let fused = if bias { vec!["Bias".into()] } else { Vec::new() };
            let layer = self.push(name, work.op, fused, after)?;
            return Ok(Home { ends: vec![layer], host: Some(layer) });
        }
        let mut ends = Vec::new();
        for direction in 0..work.directions {
            let prefix = match work.directions {
                1 => name.clone(),
                _ => format!("{name}.{}", if direction == 0 { "forward" } else { "backward" }),
            };
            let mut before = after.clone();
            for step in 0..work.steps {
                let name = self.names.unique(format!("{prefix}.{step}"));
                before = vec![self.push(name, work.op, Vec::new(), before)?];
            }
            ends.extend(before);
        }
        Ok(Home { ends, host: None })
    }

    fn name(&mut self, operation: &Operation, has_weights: bool) -> String {
        self.names.unique(names::base(operation.node, has_weights, &self.graph.tensors))
    }

    fn after(&self, operation: &Operation) -> Vec<usize> {
        let mut after: Vec<usize> =
            operation.after.iter().flat_map(|&source| self.homes[source].ends.iter().copied()).collect();
        after.sort_unstable();
        after.dedup();
        after
    }

    fn push(
        &mut self,
        name: String,
        op: Op,
        fused: Vec<String>,
        after: Vec<usize>,
    ) -> Result<usize, Problem> {
        let index = self.built.layers.len();
        if index as u64 >= MAX_LAYERS {
            return Err(Problem::TooLarge { what: "layers", allowed: MAX_LAYERS });
        }
        // Both are at most 2^50.
        self.built.macs += op.macs().0;
        if self.built.macs > MAX_COUNT {
            return Err(Problem::TooLarge { what: "MACs", allowed: MAX_COUNT });
        }
        self.built.layers.push(Layer { fused, ..Layer::new(name, op, after) });
        Ok(index)
    }

    /// Gives the output of each layer the widest form that some reader has of it.
    fn widen_outputs(&mut self, forms: &Forms<'m>) {
        let (graph, layers) = (self.graph, &mut self.built.layers);
        let mut read = |tensor: &'m str, by: &[usize]| {
            let Some(source) = graph.source(tensor) else { return };
            // An operation inside the layer reads nothing from memory.
            for &end in self.homes[source].ends.iter().filter(|end| !by.contains(end)) {
                let outputs = &mut layers[end].precision.outputs;
                *outputs = forms.bits(tensor, &graph.tensors).max(*outputs);
            }
        };
        for (operation, home) in graph.operations.iter().zip(&self.homes) {
            inputs(operation.node).into_iter().for_each(|tensor| read(tensor, &home.ends));
        }
        forms.outputs.iter().for_each(|tensor| read(tensor, &[]));
        // Each step of a recurrent network is read by the next one.
        for layer in layers.iter_mut().filter(|layer| layer.precision.outputs.is_none()) {
            layer.precision.outputs = layer.precision.inputs;
        }
    }

    /// Marks the layers whose outputs the network hands out and other layers read as well.
    fn mark_outputs(&mut self) {
        let read: BTreeSet<usize> =
            self.built.layers.iter().flat_map(|layer| layer.after.iter().copied()).collect();
        let outputs =
            self.graph.operations.iter().zip(&self.homes).filter(|(operation, _)| operation.is_output);
        for layer in outputs.flat_map(|(_, home)| &home.ends).filter(|layer| read.contains(layer)) {
            self.built.layers[*layer].is_output = true;
        }
    }
}

/// What the post-processor of an accelerator must have to run an operation at the output of the layer before it. An
/// element-wise operation that reads that output under two names, as with its own transpose, needs it in memory.
fn post_op(operation: &Operation, tensors: &Tensors) -> Option<PostOp> {
    let Kind::Work(class) = operation.kind else { return None };
    match (class, operators::onnx(operation.node)?) {
        (Class::Pointwise(_), _) => (!operation.reads_again).then_some(PostOp::Elementwise),
        (_, "Concat") => Some(PostOp::Concat),
        (
            _,
            "MaxPool" | "AveragePool" | "LpPool" | "GlobalAveragePool" | "GlobalMaxPool" | "GlobalLpPool",
        ) => Some(PostOp::Pool),
        (_, "ReduceMean" | "ReduceSum" | "ReduceMax" | "ReduceMin") if reduces_planes(operation, tensors) => {
            Some(PostOp::Pool)
        }
        _ => None,
    }
}

/// Whether a reduction leaves one element per image and channel.
fn reduces_planes(operation: &Operation, tensors: &Tensors) -> bool {
    let dims = |names: &[String]| names.first().and_then(|name| tensors.known_dims(name));
    match (dims(&operation.node.input).as_deref(), dims(&operation.node.output)) {
        (Some([batch, channels, _, ..]), Some(left)) => product(left) == product([*batch, *channels]),
        _ => false,
    }
}
