//! The sections of a report, in a file each: from results to pictures with their numbers.

mod energy;
mod energy_parts;
mod gain;
mod gantt;
mod gantt_marks;
mod gap;
mod latency;
mod map;
mod metric;
mod pareto;
mod time;
mod utilization;

pub use self::gantt::LayersShown;
use super::chart::{Chart, Entry};
use super::svg::Style;
use super::view::View;
use crate::experiment::Error;
use crate::results::{Case, Results};
use crate::sweep::{QUALITY, RATE, column};

/// A section: pictures of one kind.
pub(super) struct Section {
    pub(crate) name: String,
    pub(crate) title: String,
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

impl Picture {
    /// A picture of a section for a case, which its title and its file name say.
    pub(super) fn new(section: &str, case: &str, title: impl AsRef<str>, chart: Chart, data: Data) -> Self {
        let words = if case.is_empty() { section.to_string() } else { format!("{section} {case}") };
        let title = title.as_ref();
        let title = if case.is_empty() { title.to_string() } else { format!("{title}: {case}") };
        Self { name: slug(&words), title, chart, data }
    }
}

/// The longest file name, without extension and number. Our choice, because file systems allow 255 bytes.
const LONGEST: usize = 160;

/// Words as a file name that needs no quotes in a shell: `sla mixed, 32 GB/s` becomes `sla-mixed-32GBps`.
fn slug(words: &str) -> String {
    let words = words.replace(" GB/s", "GBps");
    let is_kept = |c: char| c.is_alphanumeric() || "._+".contains(c);
    let mut name = String::new();
    for c in words.chars() {
        match is_kept(c) {
            true => name.push(c),
            false if !name.ends_with('-') => name.push('-'),
            false => {}
        }
    }
    let end = name.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= LONGEST).last();
    name[..end.unwrap_or(0)].trim_matches('-').to_string()
}

/// Makes the names of pictures differ, also where a file system ignores case: a number tells equal ones apart.
fn tell_apart(sections: &mut [Section]) {
    let mut known = std::collections::BTreeSet::new();
    for picture in sections.iter_mut().flat_map(|section| &mut section.pictures) {
        let name = picture.name.clone();
        let mut number = 1;
        while !known.insert(picture.name.to_lowercase()) {
            number += 1;
            picture.name = format!("{name}-{number}");
        }
    }
}

/// The numbers of a picture.
pub(super) struct Data {
    header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Data {
    pub(super) fn new(header: &[&'static str]) -> Self {
        Self::with(header.iter().map(|name| name.to_string()).collect())
    }

    fn with(header: Vec<String>) -> Self {
        Self { header, rows: Vec::new() }
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
            pictures.push(Picture::new(name, &case.title, title, chart, data));
        }
        let mut text = text.to_string();
        if results.cases.len() > MOST_CASES {
            text += &format!(" The first {MOST_CASES} of {} cases.", results.cases.len());
        }
        Self { name: name.into(), title: title.into(), text, pictures }
    }

    /// A section without pictures, and why.
    fn without(name: &'static str, title: &'static str, reason: &str) -> Self {
        Self { name: name.into(), title: title.into(), text: reason.into(), pictures: Vec::new() }
    }
}

/// The common legend of a section: the longest one, which contains all others.
pub(super) fn legend(section: &Section) -> Vec<Entry> {
    let legends = section.pictures.iter().map(|picture| picture.chart.legend());
    legends.max_by_key(Vec::len).unwrap_or_default()
}

/// All sections, in the order of the page, or those of the metrics that are chosen.
pub(super) fn sections(results: &Results, view: &View) -> Result<Vec<Section>, Error> {
    let mut sections = match (view.is_chosen(), results.judged_by) {
        (true, _) => chosen(results, view)?,
        (false, QUALITY) => of_fleets(results, view)?,
        (false, _) => of_systems(results, view)?,
    };
    tell_apart(&mut sections);
    Ok(sections)
}

fn chosen(results: &Results, view: &View) -> Result<Vec<Section>, Error> {
    let mut sections: Vec<Section> =
        view.y.iter().map(|metric| metric::section(results, metric, view)).collect();
    for metrics in &view.pareto {
        sections.push(pareto::section(results, metrics)?);
    }
    Ok(sections)
}

fn of_fleets(results: &Results, view: &View) -> Result<Vec<Section>, Error> {
    let mut sections = vec![
        metric::section(results, QUALITY, view),
        time::section(results),
        map::section(results, &view.cell)?,
        metric::section(results, RATE, view),
        latency::section(results)?,
    ];
    sections.extend(energy::sections(results)?);
    sections.extend([utilization::section(results)?, gantt::section(results, &view.layers)?]);
    Ok(sections)
}

fn of_systems(results: &Results, view: &View) -> Result<Vec<Section>, Error> {
    let mut sections =
        vec![metric::section(results, RATE, view), gain::section(results), latency::section(results)?];
    sections.extend(energy::sections(results)?);
    sections.extend([
        gap::section(results),
        utilization::section(results)?,
        gantt::section(results, &view.layers)?,
    ]);
    Ok(sections)
}

/// The number of schedulers whose lines stand out. Our choice, because no more lines and bands can be told apart.
const IN_FRONT: usize = 7;

/// The legend of bars whose segments have these names, in the order of their styles.
fn segment_legend(names: impl IntoIterator<Item = impl Into<String>>) -> Vec<Entry> {
    let entry =
        |(place, name): (usize, _)| Entry { style: Style(place), label: Into::into(name), is_line: false };
    names.into_iter().enumerate().map(entry).collect()
}

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
    by_metric(case, results.judged_by)
}

/// Schedulers that ran in a case and have a value of a metric, the best first; without a direction, the highest first.
fn by_metric(case: &Case, metric: &str) -> Vec<usize> {
    let sign = column(metric).map_or(1.0, |column| column.better.sign());
    let means = case.samples.iter().enumerate().filter_map(|(s, of)| Some((s, sign * of.mean(metric)?)));
    let mut means: Vec<(usize, f64)> = means.collect();
    means.sort_by(|a, b| b.1.total_cmp(&a.1));
    means.into_iter().map(|(scheduler, _)| scheduler).collect()
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn file_names_say_the_case() {
        assert_eq!(slug("sla mixed, 32 GB/s"), "sla-mixed-32GBps");
        assert_eq!(slug("energy hetero-6, a/b\"c, load 0.9"), "energy-hetero-6-a-b-c-load-0.9");
        assert_eq!(slug(&"x".repeat(400)).len(), super::LONGEST);
        assert_eq!(slug("pareto µ"), "pareto-µ");
    }
}
