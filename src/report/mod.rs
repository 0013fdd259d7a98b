//! From results to pictures: `report.html`, and every picture as SVG with its data as CSV.
//!
//! [`Results`] (summary.csv and manifest.json, folded over seeds) -> `figures` (one file per kind of picture: what is shown,
//! and the numbers) -> `chart` (how lines, bars, tables of shades and Gantt charts are drawn) -> `svg`. `training` makes the
//! page of a training from its log.
//!
//! A report is a function of the files in the folder: the same CSV gives the same bytes. It simulates nothing. Figures
//! show means over seeds with 95 % confidence intervals by Student's t; differences are paired by seed. For a single
//! run, or copies of one, the SLA rate has an interval by batch means ([`crate::sweep::Estimate`]). Fleets are judged by
//! their quality, and have a map each, whose topology is in the manifest.

mod chart;
mod figures;
mod page;
mod svg;
mod training;

use std::path::{Path, PathBuf};

use self::figures::Picture;
use crate::experiment::Error;
use crate::files::{InputError, visible, write_atomic};
use crate::results::Results;
use crate::sweep::{Table, remove_pictures};

/// Writes `report.html` and `report/NAME.svg|csv` into a folder of results, and returns the path of the page.
///
/// The maps of fleets show the cells with the given values of keys; without any, one that is telling.
///
/// # Errors
/// The folder has neither the summary.csv and manifest.json of a run nor the log.csv and policy of a training, or it
/// cannot be written to.
pub fn write(folder: &Path, cell: &[(String, String)]) -> Result<PathBuf, Error> {
    let mut page = if training::is_in(folder) {
        training::page(folder)?
    } else if !folder.join(Table::Summary.file()).is_file() {
        let message =
            "neither the summary.csv of a finished `mascot run` nor the log.csv of a `mascot train` is here";
        return Err(InputError::file(folder, message).into());
    } else {
        let results = Results::read(folder)?;
        page::of_results(&results, figures::sections(&results, cell)?)
    };
    if !cell.is_empty() && !page.sections.iter().any(|section| section.name == "map") {
        return Err(Error::Usage(
            "--cell chooses what the maps of fleets show: these results are of none".into(),
        ));
    }
    page.sections.iter_mut().for_each(|section| section.pictures.retain(|picture| !picture.chart.is_empty()));
    let html = page::render(&page);
    let html = visible(&html);
    let pictures = folder.join("report");
    // Pictures of an earlier report would not belong to this one.
    remove_pictures(&pictures).map_err(|source| Error::writing(&pictures, source))?;
    for picture in page.sections.iter().flat_map(|section| &section.pictures) {
        write_picture(&pictures, picture)?;
    }
    let path = folder.join("report.html");
    write_file(&path, html.as_bytes())?;
    Ok(path)
}

fn write_picture(folder: &Path, picture: &Picture) -> Result<(), Error> {
    let svg = picture.chart.standalone(&picture.title);
    write_file(&folder.join(format!("{}.svg", picture.name)), svg.as_bytes())?;
    write_file(&folder.join(format!("{}.csv", picture.name)), &picture.data.to_csv())
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_atomic(path, bytes).map_err(|source| Error::writing(path, source))
}
