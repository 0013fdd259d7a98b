//! `mascot import`: turns an ONNX file, or another tool's layer list, into a network file.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::experiment::Error;
use crate::files::write_atomic;
use crate::workload::{UnknownOperators, layer_list, onnx};

#[derive(Args)]
pub(super) struct Options {
    /// An ONNX file, whose weights are not read and may be missing; a MAESTRO network (.m); or a SCALE-Sim topology
    /// (.csv)
    file: PathBuf,
    /// Set the size of a symbolic dimension, e.g. --bind batch_size=1, or the value of an input that is a single
    /// integer
    #[arg(long, value_name = "NAME=VALUE", value_parser = binding)]
    bind: Vec<(String, u64)>,
    /// A graph input that is fed at run time; all other inputs then count as weights. For files that list weights among
    /// the inputs
    #[arg(long, value_name = "NAME")]
    input: Vec<String>,
    /// What to do with an unknown operator
    #[arg(long, value_enum, default_value = "refuse", value_name = "WHAT")]
    unknown: Unknown,
    /// Do not fuse nodes that together form one operator (SiLU, GELU, layer norm, ...); each node then goes through
    /// memory
    #[arg(long)]
    no_fuse: bool,
    /// The network to take from a .m file that has several
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Whether the sizes of feature maps in a layer list include their padding (valid) or leave it out (same)
    #[arg(long, value_enum, default_value = "valid", value_name = "HOW")]
    padding: Padding,
    /// Write the network to this file, e.g. workloads/networks/NAME.toml [default: only print its counts]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the counts as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Unknown {
    /// An error that names the node
    Refuse,
    /// A vector layer that moves the bytes of its inputs and outputs
    Bytes,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Padding {
    /// Count the windows inside the feature map, as MAESTRO and SCALE-Sim do
    Valid,
    /// Count one window per stride
    Same,
}

fn binding(text: &str) -> Result<(String, u64), String> {
    let (name, value) = text.rsplit_once('=').ok_or("expected NAME=VALUE")?;
    let value = value.parse().map_err(|_| format!("`{value}` is not a positive integer"))?;
    Ok((name.to_string(), value))
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let mut imported = match options.file.extension().and_then(|extension| extension.to_str()) {
        Some("m") => layer_list::import_maestro(&options.file, &list_options(options)?)?,
        Some("csv") => layer_list::import_scale_sim(&options.file, &list_options(options)?)?,
        _ => onnx::import(&options.file, &onnx_options(options)?)?,
    };
    if let Some(path) = &options.output {
        // Scenarios find a network by the name of its file.
        imported.network.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        write_atomic(path, imported.to_toml().as_bytes()).map_err(|source| Error::writing(path, source))?;
    }
    imported.notes.iter().for_each(|note| super::eprint(&format!("note: {note}")));
    let summary = &imported.summary;
    super::print(&if options.json {
        serde_json::to_string(summary).expect("counts are plain data") + "\n"
    } else {
        format!(
            "model         {}\nmac_layers    {}\nedges         {}\nmacs          {}\nweight_elems  {}\n",
            summary.model, summary.mac_layers, summary.edges, summary.macs, summary.weight_elems
        )
    })
}

fn onnx_options(options: &Options) -> Result<onnx::Options, Error> {
    if options.network.is_some() || options.padding != Padding::Valid {
        return Err(Error::Usage("--network and --padding are for layer lists (.m, .csv)".into()));
    }
    Ok(onnx::Options {
        bindings: options.bind.iter().cloned().collect(),
        inputs: options.input.iter().cloned().collect(),
        unknown: match options.unknown {
            Unknown::Refuse => UnknownOperators::Refuse,
            Unknown::Bytes => UnknownOperators::Bytes,
        },
        no_fuse: options.no_fuse,
    })
}

fn list_options(options: &Options) -> Result<layer_list::Options, Error> {
    let is_open = matches!(options.unknown, Unknown::Bytes) || options.no_fuse;
    if !options.bind.is_empty() || !options.input.is_empty() || is_open {
        return Err(Error::Usage("--bind, --input, --unknown and --no-fuse are for ONNX files".into()));
    }
    Ok(layer_list::Options {
        network: options.network.clone(),
        padding: match options.padding {
            Padding::Valid => layer_list::Padding::Valid,
            Padding::Same => layer_list::Padding::Same,
        },
    })
}
