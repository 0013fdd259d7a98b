//! `mascot import`: an ONNX file becomes a network file.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::experiment::Error;
use crate::files::write_atomic;
use crate::workload::onnx::{self, UnknownOperators};

#[derive(Args)]
pub(super) struct Options {
    /// The ONNX file; its weights are not read and may be missing
    file: PathBuf,
    /// Give a symbolic dimension its value, e.g. --bind batch_size=1
    #[arg(long, value_name = "NAME=VALUE", value_parser = binding)]
    bind: Vec<(String, u64)>,
    /// A graph input that is given at run time, where weights are listed as inputs, too: all others are weights then
    #[arg(long, value_name = "NAME")]
    input: Vec<String>,
    /// What an operator that is not known becomes
    #[arg(long, value_enum, default_value = "refuse", value_name = "WHAT")]
    unknown: Unknown,
    /// Write the network here, e.g. workloads/networks/mine.toml [default: only count]
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

fn binding(text: &str) -> Result<(String, u64), String> {
    let (name, value) = text.rsplit_once('=').ok_or("expected NAME=VALUE")?;
    let value: u64 = value.parse().map_err(|_| format!("`{value}` is not a positive integer"))?;
    if value == 0 { Err("a dimension is at least 1".into()) } else { Ok((name.to_string(), value)) }
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let how = onnx::Options {
        bindings: options.bind.iter().cloned().collect(),
        inputs: options.input.iter().cloned().collect(),
        unknown: match options.unknown {
            Unknown::Refuse => UnknownOperators::Refuse,
            Unknown::Bytes => UnknownOperators::Bytes,
        },
    };
    let mut imported = onnx::import(&options.file, &how)?;
    if let Some(path) = &options.output {
        // Scenarios find a network by its file's name.
        imported.network.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        write_atomic(path, imported.to_toml().as_bytes())
            .map_err(|source| Error::Write { path: path.display().to_string(), source })?;
    }
    let summary = &imported.summary;
    super::print(&if options.json {
        serde_json::to_string(summary).expect("counts are plain data") + "\n"
    } else {
        format!(
            "model         {}\nmac_layers    {}\nedges         {}\nmacs          {}\nweight_elems  {}\n",
            summary.model, summary.mac_layers, summary.edges, summary.macs, summary.weight_elems
        )
    });
    Ok(())
}
