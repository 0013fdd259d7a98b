//! `mascot report`: writes the figures of a run.

use std::path::PathBuf;

use clap::Args;

use super::rank::pair;
use crate::experiment::Error;
use crate::report::{self, Format, Intervals, LayersShown, View};

#[derive(Args)]
pub(super) struct Options {
    /// The folder that `mascot run`, or `mascot train`, wrote; several folders of trainings are compared in one picture
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// The key on the axis of pictures [default: the load, or else the first other key with several numbers]
    #[arg(long, value_name = "KEY")]
    x: Option<String>,
    /// Show this column of summary.csv, or of the serving.csv of fleets, instead of the usual sections; may be repeated
    #[arg(long, value_name = "METRIC")]
    y: Vec<String>,
    /// A key whose values stand side by side in one picture, for the width of a page
    #[arg(long, value_name = "KEY")]
    facet: Option<String>,
    /// Use only cells with this value, e.g. scenario=mixed; may be repeated, also to allow several values of one key
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    only: Vec<(String, String)>,
    /// Draw the second metric against the first, a point per scheduler with the Pareto front, e.g.
    /// energy_per_met_request_uj,sla_rate; may be repeated
    #[arg(long, value_name = "METRIC,METRIC", value_parser = metrics)]
    pareto: Vec<[String; 2]>,
    /// Draw confidence intervals along lines as error bars [default: bands]
    #[arg(long)]
    errorbars: bool,
    /// Draw them as bands, which is the default
    #[arg(long, conflicts_with = "errorbars")]
    bands: bool,
    /// Kinds of files that pictures are written to, separated by commas: svg, pdf (for LaTeX), png (for slides)
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', default_value = "svg")]
    format: Vec<Format>,
    /// What the maps of fleets show: a key and its value, e.g. load=0.9 or scheduler=closest+best+single; may be repeated
    /// [default: the best dispatcher at the highest load up to lambda*]
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    cell: Vec<(String, String)>,
    /// Draw the layers of this time, in milliseconds of the run [default: about 220 layers in its middle]
    #[arg(long, value_name = "A..B", value_parser = window)]
    window: Option<(f64, f64)>,
    /// Draw the layers of this request in colour, all others pale; the window is its time, unless one is given
    #[arg(long, value_name = "N")]
    request: Option<u64>,
    /// Draw the layers of the run of this seed [default: the first]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Leave the titles out of the files of pictures, for a paper whose captions say it
    #[arg(long)]
    no_titles: bool,
    /// Folder for report.html and report/, so that several reports of the same results can stand side by side; needed for
    /// several trainings [default: the folder of the results; an earlier report there is replaced]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn window(text: &str) -> Result<(f64, f64), &'static str> {
    let (from, to) = text.split_once("..").ok_or("expected A..B, e.g. 10..20")?;
    let window = from.parse().ok().zip(to.parse().ok());
    let is_one = |(from, to): &(f64, f64)| *from >= 0.0 && from < to && to.is_finite();
    window.filter(is_one).ok_or("expected A..B in milliseconds with 0 <= A < B, e.g. 10..20")
}

fn metrics(text: &str) -> Result<[String; 2], &'static str> {
    let (x, y) = text.split_once(',').ok_or("expected two metrics, separated by a comma")?;
    Ok([x, y].map(|metric| metric.trim().to_string()))
}

impl Options {
    fn view(&self) -> View {
        let mut formats = self.format.clone();
        formats.sort();
        formats.dedup();
        View {
            x: self.x.clone(),
            y: self.y.clone(),
            facet: self.facet.clone(),
            only: self.only.clone(),
            pareto: self.pareto.clone(),
            intervals: if self.errorbars { Intervals::ErrorBars } else { Intervals::Bands },
            formats,
            cell: self.cell.clone(),
            layers: LayersShown { window: self.window, request: self.request, seed: self.seed },
            has_titles: !self.no_titles,
            out: self.out.clone(),
        }
    }
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let page = report::write(&options.folders, &options.view())?;
    super::print(&format!("{}\n", page.display()))
}
