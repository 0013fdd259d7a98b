//! `mascot network`: shows one network, layer by layer, as a table or a graph.

use std::iter;

use clap::{Args, Subcommand};

use super::table::Listing;
use crate::cost::as_run;
use crate::experiment::{DataRoot, Error};
use crate::results::number;
use crate::workload::{Layer, Network};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show the layers of a network: loop nest, MACs, parameters, bytes in and out, predecessors
    Show(Options),
}

#[derive(Args)]
pub(super) struct Options {
    /// A network's name, or the path of its .toml
    name: String,
    /// Show the network as this system runs it, with what it fuses; by name or path
    #[arg(long)]
    system: Option<String>,
    /// Print a Graphviz file instead: mascot network show NAME --dot | dot -Tsvg -o NAME.svg
    #[arg(long, conflicts_with = "json")]
    dot: bool,
    /// Print [{column: value}, ...]
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(command: &Command) -> Result<(), Error> {
    let Command::Show(options) = command;
    let data = DataRoot::find(None)?;
    let mut network = data.network(&options.name)?;
    if let Some(system) = &options.system {
        let system = data.system(system)?;
        network = as_run(&network, system.precision, system.fusion, &system.models);
    }
    match (options.json, options.dot) {
        (true, _) => super::print_json(&listing(&network).json()),
        (false, true) => super::print(&network.to_dot()),
        (false, false) => super::print(&(head(&network) + &listing(&network).text())),
    }
}

fn head(network: &Network) -> String {
    let (millions, layers) = (|count: u64| number(Some(count as f64 / 1e6), 2), network.layers.len());
    format!(
        "{}: {}\n{layers} layers, {} with MACs, depth {}; {} M MACs, {} M parameters, {} MACs per byte (one byte per \
         element; every layer reads inputs and weights and writes outputs once)\n\n",
        network.name,
        network.source,
        network.mac_layers(),
        network.depth(),
        millions(network.macs().0),
        millions(network.parameters()),
        number(Some(network.macs_per_byte()), 1),
    )
}

fn listing(network: &Network) -> Listing {
    Listing {
        columns: &[
            ("layer", "layer"),
            ("kind", "kind"),
            ("loop nest", "loop_nest"),
            ("MACs", "macs"),
            ("parameters", "parameters"),
            ("bytes in", "bytes_in"),
            ("bytes out", "bytes_out"),
            ("after", "after"),
        ],
        numbers: 3..7,
        rows: network.layers.iter().map(|layer| row(network, layer)).collect(),
    }
}

/// The size of a layer, its precision, what it may become a part of, and what has become a part of it.
fn describe(layer: &Layer) -> String {
    let own = layer.post_op.iter().map(|op| op.name().to_string());
    let post = layer.post.iter().map(|post| format!("+ {}", post.op.name()));
    let bits = layer.precision.set().map(|precision| precision.to_string());
    let words: Vec<String> = [layer.op.describe()].into_iter().chain(bits).chain(own).chain(post).collect();
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Elements that come from DRAM besides static weights.
fn input_elements(layer: &Layer) -> u64 {
    let outputs = iter::once(layer.op.output_elements()).chain(layer.post.iter().map(|post| post.writes));
    let others = layer.post.iter().zip(outputs).map(|(post, inside)| post.reads - inside);
    layer.op.input_bytes().0 + others.sum::<u64>()
}

fn row(network: &Network, layer: &Layer) -> Vec<String> {
    let count = |count: u64| if count == 0 { "-".into() } else { count.to_string() };
    let before: Vec<&str> = layer.after.iter().map(|&i| network.layers[i].name.as_str()).collect();
    vec![
        layer.name.clone(),
        layer.op.kind().name().into(),
        describe(layer),
        count(layer.op.macs().0),
        count(layer.op.weight_elements()),
        input_elements(layer).to_string(),
        layer.work(1).output_elements().to_string(),
        before.join(", "),
    ]
}
