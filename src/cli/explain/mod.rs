//! `mascot explain`: says why a request missed its deadline.

mod json;
mod text;
mod way;

use std::path::PathBuf;

use clap::Args;

use super::rank::pair;
use crate::experiment::Error;
use crate::files::write_atomic;
use crate::report;
use crate::results::{explain, latest};

#[derive(Args)]
pub(super) struct Options {
    /// The folder of a `mascot run --requests --layers`
    folder: PathBuf,
    /// The request to explain, by its number in the column `request` [default: list the requests that were latest]
    #[arg(long, value_name = "N")]
    request: Option<u64>,
    /// Only cells with this value, e.g. scheduler=fcfs or seed=1; may be repeated. A request is explained in one cell
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    cell: Vec<(String, String)>,
    /// How many of the latest requests to list
    #[arg(long, value_name = "K", default_value_t = 10, conflicts_with = "request")]
    worst: usize,
    /// List every layer, every wait and everything that ran meanwhile
    #[arg(long, requires = "request")]
    all: bool,
    /// Print the same as JSON, times in microseconds
    #[arg(long)]
    json: bool,
    /// Also draw the time of the request: its layers in colour, all others grey
    #[arg(long, value_name = "FILE.svg", requires = "request")]
    svg: Option<PathBuf>,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let Some(request) = options.request else {
        let (all, keys) = latest(&options.folder, &options.cell, options.worst)?;
        return match options.json {
            true => super::print_json(&json::listed(&all)),
            false => super::print(&text::listed(&all, &keys, options)),
        };
    };
    let explanation = explain(&options.folder, &options.cell, request)?;
    if let Some(path) = &options.svg {
        let svg = report::of_request(&explanation);
        write_atomic(path, svg.as_bytes()).map_err(|source| Error::writing(path, source))?;
    }
    match options.json {
        true => super::print_json(&json::page(&explanation)),
        false => super::print(&text::page(&explanation, options.all)),
    }
}
