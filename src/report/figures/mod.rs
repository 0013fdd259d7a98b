//! The sections of a report, in a file each: from results to pictures with their numbers.

mod energy;
mod gain;
mod gantt;
mod gap;
mod latency;
mod map;
mod quality;
mod sla;
mod time;
mod utilization;

use super::chart::{Chart, Entry};
use super::svg::Style;
use crate::experiment::Error;
use crate::results::{Case, Results};
use crate::sweep::QUALITY;

/// A section: pictures of one kind.
pub(super) struct Section {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What the pictures show and how to read them, or why there are none.
    pub(crate) text: String,
    pub(super) pictures: Vec<Picture>,
}

/// One picture and its numbers.
pub(super) struct Picture {
    /// The name of its files, without extension.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(super) chart: Chart,
    pub(super) data: Data,
}

/// The numbers of a picture.
pub(super) struct Data {
    header: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Data {
    pub(super) fn new(header: &[&'static str]) -> Self {
        Self { header: header.to_vec(), rows: Vec::new() }
    }

    pub(super) fn to_csv(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let in_memory = "writing to memory does not fail, and all rows have the same length";
        writer.write_record(&self.header).expect(in_memory);
        self.rows.iter().for_each(|row| writer.write_record(row).expect(in_memory));
        writer.into_inner().expect(in_memory)
    }
}

/// A number as a CSV cell.
pub(super) fn cell(value: Option<f64>) -> String {
    value.filter(|v| v.is_finite()).map_or(String::new(), |v| v.to_string())
}

/// The most pictures in a section. Our choice, because nobody looks through more.
const MOST_CASES: usize = 60;

impl Section {
    /// A section with a picture per case for which there is one.
    fn of_cases(
        results: &Results,
        name: &'static str,
        title: &'static str,
        text: &str,
        picture: impl Fn(&Case) -> Option<(Chart, Data)>,
    ) -> Self {
        let mut pictures = Vec::new();
        for case in results.cases.iter().take(MOST_CASES) {
            let Some((chart, data)) = picture(case) else { continue };
            let name = format!("{name}-{}", pictures.len() + 1);
            pictures.push(Picture { name, title: format!("{title}: {}", case.title), chart, data });
        }
        let mut text = text.to_string();
        if results.cases.len() > MOST_CASES {
            text += &format!(" The first {MOST_CASES} of {} cases.", results.cases.len());
        }
        Self { name, title, text, pictures }
    }
}

/// The common legend of a section: the longest one, which contains all others.
pub(super) fn legend(section: &Section) -> Vec<Entry> {
    let legends = section.pictures.iter().map(|picture| picture.chart.legend());
    legends.max_by_key(Vec::len).unwrap_or_default()
}

/// All sections, in the order of the page. `cell` says which cells the maps of fleets show.
pub(super) fn sections(results: &Results, cell: &[(String, String)]) -> Result<Vec<Section>, Error> {
    if results.judged_by == QUALITY {
        return Ok(vec![
            quality::section(results),
            time::section(results),
            map::section(results, cell)?,
            sla::section(results),
            latency::section(results)?,
            energy::section(results),
            utilization::section(results)?,
            gantt::section(results)?,
        ]);
    }
    Ok(vec![
        sla::section(results),
        gain::section(results),
        latency::section(results)?,
        energy::section(results),
        gap::section(results),
        utilization::section(results)?,
        gantt::section(results)?,
    ])
}

/// The number of schedulers whose lines stand out. Our choice, because no more lines and bands can be told apart.
const IN_FRONT: usize = 7;

/// The style of each scheduler, the same in all pictures: by rank, so that those at the top differ in colour.
fn styles(results: &Results) -> Vec<Style> {
    let mut styles = vec![Style(0); results.schedulers.len()];
    for (rank, scheduler) in results.ranking().into_iter().enumerate() {
        styles[scheduler] = Style(rank);
    }
    styles
}

/// Schedulers that ran in a case, the best first.
fn best_first(results: &Results, case: &Case) -> Vec<usize> {
    let rates = case.samples.iter().enumerate().filter_map(|(s, of)| Some((s, of.mean(results.judged_by)?)));
    let mut rates: Vec<(usize, f64)> = rates.collect();
    rates.sort_by(|a, b| b.1.total_cmp(&a.1));
    rates.into_iter().map(|(scheduler, _)| scheduler).collect()
}
