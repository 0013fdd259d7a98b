//! `mascot import`: an ONNX file becomes a network file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use crate::experiment::Error;
use crate::files::write_atomic;
use crate::workload::onnx;

#[derive(Args)]
pub(super) struct Options {
    /// The ONNX file; its weights are not read and may be missing
    file: PathBuf,
    /// Give a symbolic dimension its value, e.g. --bind batch_size=1
    #[arg(long, value_name = "NAME=VALUE", value_parser = binding)]
    bind: Vec<(String, u64)>,
    /// Write the network here, e.g. workloads/networks/mine.toml [default: only count]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the counts as JSON
    #[arg(long)]
    json: bool,
}

fn binding(text: &str) -> Result<(String, u64), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let value: u64 = value.parse().map_err(|_| format!("`{value}` is not a positive integer"))?;
    if value == 0 { Err("a dimension is at least 1".into()) } else { Ok((name.to_string(), value)) }
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let bindings: BTreeMap<String, u64> = options.bind.iter().cloned().collect();
    let mut imported = onnx::import(&options.file, &bindings)?;
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
