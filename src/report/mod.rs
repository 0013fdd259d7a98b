//! From results to pictures: `report.html`, and every picture as SVG with its data as CSV.
//!
//! [`Results`] (summary.csv and manifest.json, folded over seeds) -> `figures` (one file per kind of picture: what is shown,
//! and the numbers) -> `chart` (how lines, bars, tables of shades and Gantt charts are drawn) -> `svg`. `training` makes the
//! page of a training from its log, and that of several.
//!
//! A report is a function of the files in the folder: the same CSV gives the same bytes. It simulates nothing. Figures
//! show means over seeds with 95 % confidence intervals by Student's t; differences are paired by seed. For a single
//! run, or copies of one, the SLA rate has an interval by batch means ([`crate::sweep::Estimate`]). Fleets are judged by
//! their quality, and have a map each, whose topology is in the manifest.

mod chart;
mod figures;
mod format;
mod page;
mod request;
mod svg;
mod training;
mod view;

use std::path::{Path, PathBuf};

pub use self::chart::Intervals;
pub use self::figures::LayersShown;
use self::figures::Picture;
pub use self::format::Format;
use self::page::Page;
pub use self::request::of_request;
pub use self::view::View;
use crate::experiment::Error;
use crate::files::{InputError, visible, write_atomic};
use crate::results::{Results, Selection};
use crate::sweep::{Table, remove_pictures};

/// Writes `report.html` and `report/NAME.svg|csv` into a folder of results, or another one that the view names, and returns
/// the path of the page. Several folders are those of trainings, which one picture compares; then the view must name another.
///
/// # Errors
/// The folder has neither the summary.csv and manifest.json of a run nor the log.csv and policy of a training, the
/// results do not have what the view shows, or the folder cannot be written to.
pub fn write(folders: &[PathBuf], view: &View) -> Result<PathBuf, Error> {
    let (mut page, folder) = match (folders, &view.out) {
        ([folder], out) => (page(folder, view)?, out.as_ref().unwrap_or(folder)),
        (several, Some(out)) => (training::several::page(several, view)?, out),
        (_, None) => {
            let message = "several folders: expected --out DIR, for the page that compares these trainings";
            return Err(Error::Usage(message.into()));
        }
    };
    if !view.cell.is_empty() && !page.sections.iter().any(|section| section.name == "map") {
        return Err(Error::Usage(
            "--cell chooses what the maps of fleets show: these results are of none".into(),
        ));
    }
    if !view.layers.is_default() && !page.sections.iter().any(|section| section.name == "gantt") {
        return Err(Error::Usage(
            "--window, --request and --seed choose which layers are drawn: this page has none (it is of a training, or \
             --y or --pareto chooses other sections)"
                .into(),
        ));
    }
    page.sections.iter_mut().for_each(|section| section.pictures.retain(|picture| !picture.chart.is_empty()));
    let html = page::render(&page);
    let html = visible(&html);
    let pictures = folder.join("report");
    // Pictures of an earlier report would not belong to this one.
    remove_pictures(&pictures).map_err(|source| Error::writing(&pictures, source))?;
    for picture in page.sections.iter().flat_map(|section| &section.pictures) {
        write_picture(&pictures, picture, view)?;
    }
    let path = folder.join("report.html");
    write_file(&path, html.as_bytes())?;
    Ok(path)
}

fn page(folder: &Path, view: &View) -> Result<Page, Error> {
    if training::is_in(folder) {
        return training::page(folder, view);
    }
    if !folder.join(Table::Summary.file()).is_file() {
        let message =
            "neither the summary.csv of a finished `mascot run` nor the log.csv of a `mascot train` is here";
        return Err(InputError::file(folder, message).into());
    }
    let results = Results::read(folder, Selection { only: &view.only, x: view.x.as_deref() })?;
    for metric in view.y.iter().chain(view.pareto.iter().flatten()) {
        results.check_metric(metric)?;
    }
    view.facet.iter().try_for_each(|key| results.check_varies(key))?;
    Ok(page::of_results(&results, figures::sections(&results, view)?, view))
}

fn write_picture(folder: &Path, picture: &Picture, view: &View) -> Result<(), Error> {
    let svg = picture.chart.standalone(&picture.title, view.has_titles);
    for format in &view.formats {
        let file = folder.join(format!("{}.{}", picture.name, format.extension()));
        write_file(&file, &format.of_svg(&svg))?;
    }
    write_file(&folder.join(format!("{}.csv", picture.name)), &picture.data.to_csv())
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_atomic(path, bytes).map_err(|source| Error::writing(path, source))
}
