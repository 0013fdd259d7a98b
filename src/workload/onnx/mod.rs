//! ONNX -> [`Network`]: shapes only, weights are never read.
//!
//! A model becomes a DAG of layers in passes: `wire` checks the file and drops its weights, `order` sorts the
//! nodes, `inline` writes out the functions of the model, `rewrite` operators that stand for several, `branches` takes
//! one branch of each If, `flow` finds shapes and what is constant, `fuse` puts one operator in the place of the nodes
//! that some exporters write for it, `graph` turns nodes into operations (views made edges) and counts the totals,
//! `nest` and `vector` give each operation its size, `layers` fuses what runs at the output of another layer.
//! `operators` lists what is known.
//!
//! Weights are initializers, constants, graph inputs used as weights only, or views of these. Shapes are inferred by
//! `shapes`, for which `values` evaluates the sub-graphs that compute sizes, also from data beside the model
//! (`external`); what the file says of them (`value_info`) fills gaps. Left out: loops, weights computed at run time.

mod arithmetic;
mod branches;
mod decode;
mod einsum;
mod elements;
mod external;
mod flow;
mod fuse;
mod graph;
mod indices;
mod inline;
mod layers;
mod model;
mod names;
mod nest;
mod operators;
mod order;
mod parameters;
mod precision;
mod problem;
mod rewrite;
mod shapes;
mod tensors;
mod types;
mod unknown;
mod values;
mod vector;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use rten_onnx::onnx::OperatorSetIdProto;

use self::model::Model;
use self::precision::Forms;
use self::problem::Problem;
use super::imported::{Imported, Summary};
use super::network::{Network, Totals};
use crate::files::{InputError, quoted};
use crate::precision::Precision;

/// Options for what a file leaves open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Sizes of symbolic dimensions (`--bind name=value`), and values of inputs that are one integer; a batch is best
    /// bound to 1, since the simulator forms batches itself.
    pub bindings: BTreeMap<String, u64>,
    /// The inputs that are given at run time, where the file lists weights as inputs and their uses do not tell.
    pub inputs: BTreeSet<String>,
    /// What an unknown operator becomes.
    pub unknown: UnknownOperators,
    /// Whether nodes that together form one operator stay apart (`--no-fuse`).
    pub no_fuse: bool,
    /// The bits of elements.
    pub precision: Widths,
}

/// Where the bits of elements come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Widths {
    /// The same in all layers.
    Given(Precision),
    /// The element types of the file (`precision`).
    OfTypes,
}

impl Default for Widths {
    fn default() -> Self {
        Self::Given(Precision::NATIVE)
    }
}

impl std::fmt::Display for Widths {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Given(precision) => precision.fmt(f),
            Self::OfTypes => f.write_str(OF_TYPES),
        }
    }
}

/// The word for [`Widths::OfTypes`].
const OF_TYPES: &str = "onnx";

impl std::str::FromStr for Widths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == OF_TYPES { Ok(Self::OfTypes) } else { text.parse().map(Self::Given) }
    }
}

/// What an unknown operator becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownOperators {
    /// An error.
    #[default]
    Refuse,
    /// A vector layer that reads its inputs and writes its outputs.
    Bytes,
}

impl Options {
    /// The command line that imports `file` with these options.
    fn command(&self, file: &str) -> String {
        let mut command = format!("mascot import {}", quoted(file));
        let bindings = self.bindings.iter().map(|(name, size)| format!("{name}={size}"));
        bindings.for_each(|binding| command += &format!(" --bind {}", quoted(&binding)));
        self.inputs.iter().for_each(|name| command += &format!(" --input {}", quoted(name)));
        if self.unknown == UnknownOperators::Bytes {
            command += " --unknown=bytes";
        }
        if self.no_fuse {
            command += " --no-fuse";
        }
        if self.precision != Widths::default() {
            command += &format!(" --precision {}", self.precision);
        }
        command
    }

    /// What a reader of the network file has to know.
    fn note(&self, file: &str) -> String {
        let bound = self.bindings.iter().map(|(name, size)| format!("{name} = {size}"));
        let (bound, sizes) = match self.bindings.is_empty() {
            true => (String::new(), "Sizes are elements at batch 1"),
            false => {
                let bound = bound.collect::<Vec<_>>().join(", ");
                (format!("Bound in {file}: {bound}.\n"), "Sizes are elements at what was bound")
            }
        };
        format!("{bound}{sizes}; `fused` operations run inside the layer; views are edges.")
    }
}

/// Imports an ONNX file.
pub fn import(path: &Path, options: &Options) -> Result<Imported, InputError> {
    let file = File::open(path).map_err(|error| InputError::file(path, error))?;
    let mut content = BufReader::new(file);
    content.fill_buf().map_err(|error| InputError::unread(path, &error))?;
    import_from(content, path, options)
}

/// Imports the content of an ONNX file; `path` is its name.
pub fn import_from(content: impl BufRead, path: &Path, options: &Options) -> Result<Imported, InputError> {
    read(content, path, options).map_err(|problem| InputError::file(path, problem))
}

fn read(content: impl BufRead, path: &Path, options: &Options) -> Result<Imported, Problem> {
    let skeleton = wire::skeleton(content)?;
    let mut model = Model::parse(&skeleton.bytes)?;
    let opset = operator_set(&model)?;
    let graph = model.graph.take().ok_or(Problem::Missing { what: "graph" })?;
    let mut graph = inline::inline(graph, &model.functions)?;
    let rounded = rewrite::note(&graph);
    rewrite::write_out(&mut graph);
    external::load(&mut graph, path.parent().unwrap_or(Path::new("")));
    let graph = branches::take(graph, options)?;
    let tensors = flow::infer(&graph, options)?;
    let mut notes = tensors.notes();
    let fused = if options.no_fuse { None } else { fuse::fuse(&graph, &tensors) };
    let nodes = fused.as_ref().map_or(&graph, |fused| &fused.graph);
    let forms = (options.precision == Widths::OfTypes).then(|| Forms::new(nodes));
    let graph = graph::Graph::new(nodes, tensors)?;
    let mut layers = layers::build(&graph, forms.as_ref())?;
    if let Widths::Given(precision) = options.precision {
        layers.layers.iter_mut().for_each(|layer| layer.precision = precision);
    }
    notes.extend(unknown::notes(&graph.operations, layers.mac_layers));
    notes.extend(rounded);
    let text = |name: Option<&std::ffi::OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
    let (name, file) = (text(path.file_stem()), text(path.file_name()));
    let (mac_layers, edges, weight_elems) = (layers.mac_layers, graph.edges, graph.weight_elems);
    let nests = layers.layers.iter().filter(|layer| layer.op.nest().is_some()).count() as u64;
    let totals = Totals { mac_layers: (mac_layers != nests).then_some(mac_layers), edges, weight_elems };
    Ok(Imported {
        summary: Summary { model: name.clone(), mac_layers, edges, macs: layers.macs, weight_elems },
        command: options.command(&file),
        note: options.note(&file),
        notes: fused.iter().map(|fused| fused.note.clone()).chain(notes).collect(),
        network: Network {
            name,
            source: format!("{file}, {opset}, sha256 {}", skeleton.sha256),
            totals: Some(totals),
            layers: layers.layers,
        },
    })
}

/// The version of ONNX's operators that a model is written in; none if it has operators of other domains only.
fn operator_set(model: &Model) -> Result<String, Problem> {
    let is_onnx = |opset: &&OperatorSetIdProto| operators::is_onnx(opset.domain.as_deref());
    if let Some(version) = model.opset_import.iter().find(is_onnx).and_then(|opset| opset.version) {
        return Ok(format!("opset {version}"));
    }
    if model.opset_import.is_empty() {
        // Files had no versions before that of their own format was 3.
        return match model.ir_version {
            Some(3..) => Err(Problem::Missing { what: "operator set version" }),
            _ => Ok("opset 1".into()),
        };
    }
    let mut nodes = model.graph.iter().flat_map(|graph| &graph.node);
    match nodes.find(|node| operators::is_onnx(node.domain.as_deref())) {
        Some(node) => Err(Problem::NoOperatorSet { node: operators::label(node) }),
        None => Ok("no opset of ONNX".into()),
    }
}
