//! The HTML page: one file without scripts or external resources.

use minijinja::value::Serde;
use minijinja::{Environment, Value, context};
use serde::Serialize;

use super::chart::inline_swatch;
use super::figures::{Section, legend};
use super::view::View;
use crate::results::{Case, PARTS, Question, RankTable, Results, copies, number, rank, rank_table, spread};
use crate::sweep::{QUALITY, RATE, Runs, Table, manifest};

const TEMPLATE: &str = include_str!("page.html");

/// The number of pictures of a section that are open; the others are folded. Our choice, because these fill a page.
const IN_SIGHT: usize = 6;

#[derive(Serialize)]
struct SectionView {
    name: String,
    title: String,
    text: String,
    legend: Vec<EntryView>,
    pictures: Vec<PictureView>,
    folded: Vec<PictureView>,
}

#[derive(Serialize)]
struct EntryView {
    swatch: String,
    label: String,
}

#[derive(Serialize)]
struct PictureView {
    name: String,
    title: String,
    svg: String,
    is_wide: bool,
}

/// A table.
#[derive(Serialize)]
pub(super) struct TableView {
    header: Vec<String>,
    /// The number of columns that hold words; the others hold numbers.
    words: usize,
    rows: Vec<RowView>,
}

/// A row of a table.
#[derive(Serialize)]
struct RowView {
    is_best: bool,
    cells: Vec<String>,
}

/// The columns of a table about fleets.
const OF_FLEETS: [&str; 10] = [
    "case",
    "scheduler",
    "quality",
    "± 95 %",
    "served rate",
    "SLA rate",
    "accuracy",
    "latency, us",
    "energy per measured request, uJ",
    "seeds",
];

/// The columns of a table about systems.
const OF_SYSTEMS: [&str; 10] = [
    "case",
    "scheduler",
    "SLA rate",
    "± 95 %",
    "finished",
    "p50 of finished, us",
    "p99 of finished, us",
    "energy per measured request, uJ",
    "energy per met request, uJ",
    "seeds",
];

/// The contents of a page.
pub(super) struct Page {
    pub(crate) title: String,
    /// Facts about the run or the training, a few words each.
    pub(super) facts: Vec<String>,
    pub(super) sections: Vec<Section>,
    /// The table of all means, if there is one.
    pub(super) means: Option<TableView>,
    /// The table of means with differences and its note, if there is one.
    pub(super) ranking: Option<(TableView, String)>,
    /// What the means are judged by, if there are any.
    pub(super) judged_by: &'static str,
    /// The extensions of the files that pictures are written to.
    pub(super) formats: Vec<&'static str>,
    /// The name and the text of the manifest.
    pub(super) origin: (String, String),
}

/// The page of a run.
pub(super) fn of_results(results: &Results, sections: Vec<Section>, view: &View) -> Page {
    let title = results.manifest.pointer("/experiment/name").and_then(|name| name.as_str());
    let manifest = serde_json::to_string_pretty(&results.manifest).expect("it was read from JSON");
    Page {
        title: title.unwrap_or("results").into(),
        facts: facts(results),
        sections,
        ranking: ranking(results, view),
        judged_by: if results.judged_by == QUALITY { "quality" } else { "SLA rate" },
        means: Some(means(results)),
        formats: view.extensions(),
        origin: (manifest::FILE.into(), manifest),
    }
}

pub(super) fn render(page: &Page) -> String {
    let Page { title, facts, sections, ranking, means, judged_by, formats, origin: (file, text) } = page;
    let mut environment = Environment::new();
    // minijinja escapes HTML because the name ends in `.html`.
    environment.add_template("page.html", TEMPLATE).expect("the template is well-formed");
    let template = environment.get_template("page.html").expect("just added");
    let html = template.render(context! {
        title,
        facts,
        sections => Value::from(Serde(sections.iter().map(view).collect::<Vec<_>>())),
        ranking => Value::from(Serde(ranking.as_ref().map(|(table, _)| table))),
        ranking_note => ranking.as_ref().map(|(_, note)| note),
        formats,
        judged_by => *judged_by,
        means => Value::from(Serde(means)),
        file,
        text,
    });
    html.expect("the template names what it is given")
}

/// The schedulers by the first metric that is shown, compared with the best; `None` if they have no cell in common.
fn ranking(results: &Results, view: &View) -> Option<(TableView, String)> {
    let metric = view.y.first().map_or(results.judged_by, |metric| metric);
    let path = results.folder.join(Table::of_metric(metric).file());
    let ranking =
        rank(std::slice::from_ref(&path), &Question { only: &view.only, ..Question::of(metric) }).ok()?;
    let RankTable { header, rows, note } = rank_table(&ranking);
    let rows = rows.into_iter().map(|cells| RowView { is_best: false, cells }).collect();
    Some((TableView { header, words: 1, rows }, note))
}

/// Facts about the run, a few words each.
fn facts(results: &Results) -> Vec<String> {
    let count = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    let seeds = results.cases.iter().flat_map(|case| &case.samples).map(Runs::len).max().unwrap_or(0);
    let version = results.manifest["version"].as_str().unwrap_or("of an unknown version");
    let mut facts = vec![
        count(results.cases.len(), "case"),
        count(results.schedulers.len(), "scheduler"),
        count(seeds, "seed"),
    ];
    facts.extend(copies(results.copies));
    facts.push(format!("mascot {version}"));
    facts
}

fn view(section: &Section) -> SectionView {
    let entry =
        |entry: &super::chart::Entry| EntryView { swatch: inline_swatch(entry), label: entry.label.clone() };
    let picture = |picture: &super::figures::Picture| PictureView {
        name: picture.name.clone(),
        title: picture.title.clone(),
        svg: picture.chart.inline(&picture.title),
        is_wide: picture.chart.is_wide(),
    };
    let mut pictures: Vec<PictureView> = section.pictures.iter().map(picture).collect();
    let folded = pictures.split_off(pictures.len().min(IN_SIGHT));
    SectionView {
        name: section.name.clone(),
        title: section.title.clone(),
        text: section.text.clone(),
        legend: legend(section).iter().map(entry).collect(),
        pictures,
        folded,
    }
}

/// The table of all means.
fn means(results: &Results) -> TableView {
    let header = if results.judged_by == QUALITY { OF_FLEETS } else { OF_SYSTEMS };
    let rows = results.cases.iter().flat_map(|case| rows(results, case)).collect();
    TableView { header: header.map(String::from).to_vec(), words: 2, rows }
}

fn rows(results: &Results, case: &Case) -> Vec<RowView> {
    let judged = |samples: &Runs| samples.mean(results.judged_by).unwrap_or(f64::NEG_INFINITY);
    let best = case.samples.iter().map(judged).fold(f64::NEG_INFINITY, f64::max);
    let ran = case.samples.iter().enumerate().filter(|(_, samples)| !samples.is_empty());
    let row = |(scheduler, samples): (usize, &Runs)| {
        let numbers = if results.judged_by == QUALITY { of_fleet(samples) } else { of_system(samples) };
        let mut cells = vec![case.title.clone(), results.schedulers[scheduler].clone()];
        cells.extend(numbers);
        RowView { is_best: judged(samples) == best, cells }
    };
    ran.map(row).collect()
}

fn of_system(samples: &Runs) -> Vec<String> {
    vec![
        number(samples.mean(RATE), 4),
        spread(samples.mean(RATE), samples.estimate(RATE).interval(), 4),
        number(samples.mean_share("finished", "requests"), 3),
        number(samples.mean("latency_p50_us"), 0),
        number(samples.mean("latency_p99_us"), 0),
        number(samples.mean("energy_per_request_uj"), 1),
        number(samples.mean("energy_per_met_request_uj"), 1),
        samples.len().to_string(),
    ]
}

fn of_fleet(samples: &Runs) -> Vec<String> {
    let parts: Option<Vec<f64>> = PARTS.iter().map(|(part, _)| samples.mean(part)).collect();
    vec![
        number(samples.mean(QUALITY), 4),
        spread(samples.mean(QUALITY), samples.estimate(QUALITY).interval(), 4),
        number(samples.mean("served_rate"), 4),
        number(samples.mean(RATE), 4),
        number(samples.mean("accuracy"), 4),
        number(parts.map(|parts| parts.iter().sum()), 0),
        number(samples.mean("energy_per_request_uj"), 1),
        samples.len().to_string(),
    ]
}
