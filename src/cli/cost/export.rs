//! `mascot cost export`: writes a layer and its mapping as input for Timeloop, which knows nothing of what runs at the
//! output of a layer.

use std::path::PathBuf;

use clap::Args;

use super::choice::Choice;
use crate::cost::{mapper, timeloop};
use crate::experiment::Error;
use crate::files::{did_you_mean, write_atomic};
use crate::hw::Fusion;
use crate::precision::Precision;

#[derive(Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    choice: Choice,
    /// The layer, by its name in the network
    #[arg(long)]
    layer: String,
    /// Folder for architecture.yaml, problem.yaml and mapping.yaml
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let chosen = options.choice.read(Precision::NATIVE, Fusion::None)?;
    let (layer, network, accel) = (&options.layer, &chosen.network.name, &chosen.accel);
    let index = chosen.network.layers.iter().position(|each| each.name == *layer).ok_or_else(|| {
        let hint = did_you_mean(layer, chosen.network.layers.iter().map(|each| &each.name));
        Error::Usage(format!(
            "network `{network}` has no layer `{layer}`{hint}; `mascot cost table` lists them"
        ))
    })?;
    if chosen.works[index].precision.set().is_some() {
        return Err(Error::Usage(format!(
            "layer `{layer}` has a precision of its own, and Timeloop has one word width for all tensors of a level"
        )));
    }
    let op = &chosen.works[index].op;
    let kind = op.kind().name();
    let nest = op.nest().ok_or_else(|| {
        Error::Usage(format!("layer `{layer}` is a {kind} layer: it has no loop nest to export"))
    })?;
    let runs = accel.kinds.contains(&op.kind());
    let found = runs.then(|| mapper::search(accel, nest, chosen.goal)).flatten();
    let found = found
        .ok_or_else(|| Error::Usage(format!("`{}` cannot run the {kind} layer `{layer}`", accel.name)))?;
    let export = timeloop::Export::new(accel, nest, &found.mapping).map_err(Error::Usage)?;
    let files = [
        ("architecture.yaml", export.architecture),
        ("problem.yaml", export.problem),
        ("mapping.yaml", export.mapping),
    ];
    for (name, text) in files {
        let path = options.output.join(name);
        write_atomic(&path, text.as_bytes())
            .map_err(|source| Error::Write { path: path.display().to_string(), source })?;
        crate::cli::print(&format!("{}\n", path.display()))?;
    }
    Ok(())
}
