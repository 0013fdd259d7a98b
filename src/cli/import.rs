//! `mascot import`: turns an ONNX file, or another tool's layer list, into a network file, another tool's YAML into an
//! accelerator file, and a graph of the Internet Topology Zoo into a fleet file.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::experiment::Error;
use crate::files::{GigabitsPerSecond, MicrosecondsOrZero, write_atomic};
use crate::fleet::{ImportOptions, import_gml};
use crate::hw::import_accel;

use crate::workload::{UnknownOperators, layer_list, onnx};

#[derive(Args)]
pub(super) struct Options {
    /// An ONNX file, whose weights are not read and may be missing; a MAESTRO network (.m); a SCALE-Sim topology (.csv);
    /// an accelerator of Timeloop or ZigZag (.yaml), with the files of its constraints, energies (ERT) or mapping; or a
    /// graph of the Internet Topology Zoo (.gml)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
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
    /// Bits per element: onnx (the types of the file), or the same for all layers, such as w4a8 or w8i8o16p32: weights (w),
    /// inputs and outputs (a, or i and o), partial sums (p) [default: the words of the accelerator]
    #[arg(long, value_name = "BITS", default_value_t = onnx::Widths::default(), hide_default_value = true)]
    precision: onnx::Widths,
    /// The network to take from a .m file that has several
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Whether the sizes of feature maps in a layer list include their padding (valid) or leave it out (same)
    #[arg(long, value_enum, default_value = "valid", value_name = "HOW")]
    padding: Padding,
    /// The bandwidth of links of a .gml file that have no speed, in gigabits per second
    #[arg(long, value_name = "GIGABITS")]
    gbps: Option<GigabitsPerSecond>,
    /// The delay of links of a .gml file of which an end has no coordinates
    #[arg(long, value_name = "US")]
    delay_us: Option<MicrosecondsOrZero>,
    /// Place a site at a node of a .gml file, e.g. --site Madrid=hetero-8
    #[arg(long, value_name = "NODE=SYSTEM", value_parser = site)]
    site: Vec<(String, String)>,
    /// Write the network, accelerator or fleet to this file, e.g. workloads/networks/NAME.toml, accel-models/NAME.toml or
    /// fleets/NAME.toml [default: only print its counts]
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

fn site(text: &str) -> Result<(String, String), String> {
    let (node, system) = text.rsplit_once('=').ok_or("expected NODE=SYSTEM")?;
    Ok((node.to_string(), system.to_string()))
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let is_yaml =
        |path: &PathBuf| extension(path).is_some_and(|extension| ["yaml", "yml"].contains(&extension));
    match options.files.as_slice() {
        files if files.iter().all(is_yaml) => accelerator(options),
        [file] if extension(file) == Some("gml") => fleet(options, file),
        [_] if is_of_graph(options) => {
            Err(Error::Usage("--gbps, --delay-us and --site are for .gml files".into()))
        }
        [file] => network(options, file),
        _ => Err(Error::Usage("several files: only .yaml files belong together".into())),
    }
}

fn extension(path: &Path) -> Option<&str> {
    path.extension().and_then(|extension| extension.to_str())
}

fn accelerator(options: &Options) -> Result<(), Error> {
    let is_of_list = options.network.is_some() || options.padding != Padding::Valid;
    if is_of_list || is_of_onnx(options) || is_of_graph(options) {
        return Err(Error::Usage("a .yaml file has no options but --output and --json".into()));
    }
    // Systems find an accelerator by the name of its file.
    let named = options.output.as_ref().unwrap_or(&options.files[0]);
    let name = named.file_stem().unwrap_or_default().to_string_lossy();
    let imported = import_accel(&options.files, &name)?;
    write(options, &imported.toml)?;
    imported.notes.iter().for_each(|note| super::eprint(&format!("note: {note}")));
    imported.remarks.iter().for_each(|remark| super::eprint(&format!("note: {remark}")));
    let summary = &imported.summary;
    let text = format!(
        "accelerator   {}\nformat        {}\nlevels        {}\nmacs          {}\nnotes         {}\n",
        summary.accelerator, summary.format, summary.levels, summary.macs, summary.notes
    );
    tell(options, summary, &text)
}

fn is_of_graph(options: &Options) -> bool {
    options.gbps.is_some() || options.delay_us.is_some() || !options.site.is_empty()
}

fn fleet(options: &Options, file: &Path) -> Result<(), Error> {
    let is_of_list = options.network.is_some() || options.padding != Padding::Valid;
    if is_of_list || is_of_onnx(options) {
        let message = "a .gml file has no options but --gbps, --delay-us, --site, --output and --json";
        return Err(Error::Usage(message.into()));
    }
    // Experiments find a fleet by the name of its file.
    let named = options.output.as_deref().unwrap_or(file);
    let name = named.file_stem().unwrap_or_default().to_string_lossy();
    let added = ImportOptions {
        gbps: options.gbps.map(|gbps| gbps.0),
        delay_us: options.delay_us.map(|us| us.0),
        sites: options.site.clone(),
    };
    let imported = import_gml(file, &name, &added)?;
    write(options, &imported.toml)?;
    imported.notes.iter().for_each(|note| super::eprint(&format!("note: {note}")));
    let summary = &imported.summary;
    let text = format!(
        "fleet         {}\nnodes         {}\nlinks         {}\nsites         {}\n",
        summary.fleet, summary.nodes, summary.links, summary.sites
    );
    tell(options, summary, &text)
}

/// Prints a summary as JSON, or as this text.
fn tell(options: &Options, summary: &impl Serialize, text: &str) -> Result<(), Error> {
    super::print(&match options.json {
        true => serde_json::to_string(summary).expect("counts are plain data") + "\n",
        false => text.to_string(),
    })
}

fn write(options: &Options, toml: &str) -> Result<(), Error> {
    let Some(path) = &options.output else { return Ok(()) };
    write_atomic(path, toml.as_bytes()).map_err(|source| Error::writing(path, source))
}

fn network(options: &Options, file: &Path) -> Result<(), Error> {
    let mut imported = match extension(file) {
        Some("m") => layer_list::import_maestro(file, &list_options(options)?)?,
        Some("csv") => layer_list::import_scale_sim(file, &list_options(options)?)?,
        _ => onnx::import(file, &onnx_options(options)?)?,
    };
    if let Some(path) = &options.output {
        // Scenarios find a network by the name of its file.
        imported.network.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        write(options, &imported.to_toml())?;
    }
    imported.notes.iter().for_each(|note| super::eprint(&format!("note: {note}")));
    let summary = &imported.summary;
    let text = format!(
        "model         {}\nmac_layers    {}\nedges         {}\nmacs          {}\nweight_elems  {}\n",
        summary.model, summary.mac_layers, summary.edges, summary.macs, summary.weight_elems
    );
    tell(options, summary, &text)
}

fn is_of_onnx(options: &Options) -> bool {
    let is_open = matches!(options.unknown, Unknown::Bytes) || options.no_fuse;
    let has_widths = options.precision != onnx::Widths::default();
    !options.bind.is_empty() || !options.input.is_empty() || is_open || has_widths
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
        precision: options.precision,
    })
}

fn list_options(options: &Options) -> Result<layer_list::Options, Error> {
    if is_of_onnx(options) {
        return Err(Error::Usage(
            "--bind, --input, --unknown, --no-fuse and --precision are for ONNX files".into(),
        ));
    }
    Ok(layer_list::Options {
        network: options.network.clone(),
        padding: match options.padding {
            Padding::Valid => layer_list::Padding::Valid,
            Padding::Same => layer_list::Padding::Same,
        },
    })
}
