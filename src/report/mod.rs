//! From the CSV of a run to pictures: `report.html`, and every picture as SVG with its data as CSV.
//!
//! [`Results::read`] (summary.csv and manifest.json, folded over seeds) -> `figures` (one file per kind of picture: what is
//! shown, and the numbers) -> `chart` (how lines, bars, tables of shades and Gantt charts are drawn) -> `svg`. [`compare`] reads
//! two summaries and says what differs; [`rank`] makes one table of a summary's schedulers. `training` makes the page of a
//! training from its log.
//!
//! A report is a function of the files in the folder: the same CSV gives the same bytes. It simulates nothing. Figures show
//! means over seeds with 95 % confidence intervals by Student's t; pairs are paired by seed. Of a run alone, or of copies of
//! one, the SLA rate has an interval by batch means (`experiment::estimate`).

mod chart;
pub mod compare;
mod csv_file;
mod distinct;
mod figures;
mod page;
pub mod rank;
mod recordings;
mod results;
mod svg;
mod training;

use std::path::{Path, PathBuf};

use self::figures::Picture;
pub use self::results::Results;
use crate::experiment::Error;
use crate::experiment::leftovers::remove_pictures;
use crate::experiment::rows::Table;
use crate::files::{InputError, visible, write_atomic};

/// Writes `report.html` and `report/NAME.svg|csv` into a folder of results, and returns the path of the page.
///
/// # Errors
/// The folder has neither summary.csv and manifest.json of a run nor log.csv and policy of a training, or cannot be
/// written to.
pub fn write(folder: &Path) -> Result<PathBuf, Error> {
    let mut page = if training::is_in(folder) {
        training::page(folder)?
    } else if !folder.join(Table::Summary.file()).is_file() {
        let message =
            "neither the summary.csv of a finished `mascot run` nor the log.csv of a `mascot train` is here";
        return Err(InputError::file(folder, message).into());
    } else {
        let results = Results::read(folder)?;
        page::of_results(&results, figures::sections(&results)?)
    };
    page.sections.iter_mut().for_each(|section| section.pictures.retain(|picture| !picture.chart.is_empty()));
    let html = page::render(&page);
    let html = visible(&html);
    let pictures = folder.join("report");
    // Those of an earlier report would not belong to this one.
    remove_pictures(&pictures).map_err(|source| Error::writing(&pictures, source))?;
    for picture in page.sections.iter().flat_map(|section| &section.pictures) {
        write_picture(&pictures, picture)?;
    }
    let path = folder.join("report.html");
    write_file(&path, html.as_bytes())?;
    Ok(path)
}

/// Digits that a reader can take in; a dash where there is no value.
pub fn number(value: Option<f64>, decimals: usize) -> String {
    let Some(value) = value.filter(|v| v.is_finite()) else { return "-".into() };
    let text = format!("{value:.decimals$}");
    // What rounds to zero has no sign.
    let is_zero = text.chars().all(|c| "-0.".contains(c));
    if is_zero { text.trim_start_matches('-').into() } else { text }
}

/// How far the ends of an interval are from the mean: one number where they are equally far, two where it is cut.
pub fn spread(mean: Option<f64>, interval: Option<[f64; 2]>, decimals: usize) -> String {
    let Some((mean, [low, high])) = mean.zip(interval) else { return number(None, decimals) };
    let [below, above] = [mean - low, high - mean].map(|side| number(Some(side), decimals));
    if below == above { below } else { format!("-{below} +{above}") }
}

/// What there is to say about rows that are no runs of their own.
pub fn copies(rows: usize) -> Option<String> {
    match rows {
        0 => None,
        1 => Some("1 row is a copy of another and does not count".into()),
        _ => Some(format!("{rows} rows are copies of others and do not count")),
    }
}

fn write_picture(folder: &Path, picture: &Picture) -> Result<(), Error> {
    let svg = picture.chart.standalone(&picture.title);
    write_file(&folder.join(format!("{}.svg", picture.name)), svg.as_bytes())?;
    write_file(&folder.join(format!("{}.csv", picture.name)), &picture.data.to_csv())
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_atomic(path, bytes).map_err(|source| Error::writing(path, source))
}

#[cfg(test)]
mod tests {
    use super::{number, spread};

    #[test]
    fn what_rounds_to_zero_has_no_sign() {
        let rounded = [-0.0004, -0.04, 0.0, 1.25, -7.0, f64::NAN].map(|value| number(Some(value), 2));
        assert_eq!(rounded, ["0.00", "-0.04", "0.00", "1.25", "-7.00", "-"]);
        assert_eq!((number(None, 1), number(Some(-0.4), 0)), ("-".into(), "0".into()));
    }

    #[test]
    fn an_interval_that_is_cut_has_two_sides() {
        assert_eq!(spread(Some(0.5), Some([0.25, 0.75]), 2), "0.25");
        assert_eq!(spread(Some(0.99), Some([0.9265, 1.0]), 4), "-0.0635 +0.0100");
        assert_eq!([spread(None, Some([0.0, 1.0]), 2), spread(Some(1.0), None, 2)], ["-", "-"]);
    }
}
