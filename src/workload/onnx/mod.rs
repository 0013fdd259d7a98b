//! ONNX -> [`Network`]: shapes only, weights are never read.
//!
//! A model becomes a DAG of layers in four passes: `wire` checks the file and drops its weights, `graph` turns nodes
//! into operations (constants folded, views made edges) and counts the totals, `nest` and `vector` give each operation
//! its size, `layers` fuses what runs at the output of another layer. `operators` lists what is known.
//!
//! Weights are initializers, constants, graph inputs used as weights only, or views of these. Shapes are taken from
//! the file (`value_info`); it is not this module that infers them. Left out: control flow, quantized operators
//! (QLinearConv, ...), convolutions in three dimensions, weights computed at run time.

mod graph;
mod layers;
mod names;
mod nest;
mod operators;
mod problem;
mod tensors;
mod vector;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use rten_onnx::onnx::ModelProto;
use serde::Serialize;

use self::problem::Problem;
use super::network::{Network, Totals};
use crate::files::InputError;

/// An imported model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Its layers.
    pub network: Network,
    /// Its counts.
    pub summary: Summary,
    /// The command line that gives the same result.
    pub command: String,
}

/// The counts of a model, by the rules in `tests/data/networks/README.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The name of the file without its extension.
    pub model: String,
    /// Operations with MACs. A recurrent network is one, although it has a layer per time step.
    pub mac_layers: u64,
    /// Pairs of operations of which one reads what the other writes, views removed and nothing fused.
    pub edges: u64,
    /// Multiply-accumulates of one inference.
    pub macs: u64,
    /// Elements of the parameters that the operations read.
    pub weight_elems: u64,
}

impl Imported {
    /// The network file: the same bytes for the same model and bindings.
    pub fn to_toml(&self) -> String {
        let header = format!(
            "Written by `{}`: change the importer, not this file.\n\
             Sizes are elements at batch 1; `fused` operations run inside the layer; views are edges.",
            self.command
        );
        self.network.to_toml(&header)
    }
}

/// Imports an ONNX file. `bindings` gives symbolic dimensions their sizes (`--bind name=value`); a batch dimension is
/// best bound to 1, since the simulator forms batches itself.
pub fn import(path: &Path, bindings: &BTreeMap<String, u64>) -> Result<Imported, InputError> {
    import_file(path, bindings).map_err(|problem| InputError::file(path, problem))
}

fn import_file(path: &Path, bindings: &BTreeMap<String, u64>) -> Result<Imported, Problem> {
    let skeleton = wire::skeleton(BufReader::new(File::open(path)?))?;
    let model = ModelProto::parse_buf(&skeleton.bytes)?;
    let graph = model.graph.as_ref().ok_or(Problem::Missing { what: "graph" })?;
    let opset = model
        .opset_import
        .iter()
        .find(|opset| matches!(opset.domain.as_deref(), None | Some("" | "ai.onnx")))
        .and_then(|opset| opset.version)
        .ok_or(Problem::Missing { what: "operator set version" })?;
    let graph = graph::Graph::new(graph, bindings)?;
    let layers = layers::build(&graph)?;
    let text = |name: Option<&std::ffi::OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
    let (name, file) = (text(path.file_stem()), text(path.file_name()));
    let binds: String = bindings.iter().map(|(name, size)| format!(" --bind {name}={size}")).collect();
    let (edges, weight_elems) = (graph.edges, graph.weight_elems);
    Ok(Imported {
        summary: Summary {
            model: name.clone(),
            mac_layers: layers.mac_layers,
            edges,
            macs: layers.macs,
            weight_elems,
        },
        command: format!("mascot import {file}{binds}"),
        network: Network {
            name,
            source: format!("{file}, opset {opset}, sha256 {}", skeleton.sha256),
            totals: Some(Totals { edges, weight_elems }),
            layers: layers.layers,
        },
    })
}
