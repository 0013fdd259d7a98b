//! A time window of layers.csv: the case in which schedulers differ most, under fcfs and under the best scheduler. Without a
//! choice it is the middle of the run of the first seed.

use std::collections::BTreeMap;

use super::{Data, Picture, Section, best_first, cell};
use crate::experiment::{Error, SCHEDULER, SEED};
use crate::files::Record;
use crate::report::chart::{Chart, Entry, Gantt, Run, Scale};
use crate::report::svg::Style;
use crate::results::{Case, CsvFile, Results};

/// The most layer runs in a picture. Our choice, because a reader can tell this many apart.
const RUNS: usize = 220;

/// The most layer runs in a window that was asked for. Our choice, because a browser still draws this many at once.
const MOST_RUNS: usize = 5_000;

/// What the picture of layers shows, where it is not left to the report.
#[derive(Clone, Debug, Default)]
pub struct LayersShown {
    /// From when to when, in milliseconds of the run.
    pub window: Option<(f64, f64)>,
    /// A request, in colour, by its number; the window is its time, unless one is given.
    pub request: Option<u64>,
    /// The seed of the run.
    pub seed: Option<u64>,
}

impl LayersShown {
    /// Whether nothing is chosen.
    pub(in crate::report) fn is_default(&self) -> bool {
        self.window.is_none() && self.request.is_none() && self.seed.is_none()
    }

    fn is_wanted(&self, layer: &Layer) -> bool {
        self.request.is_some_and(|request| layer.request == request.to_string())
    }
}

const NONE: &str = "There is no layers.csv beside the summary: `mascot run --layers` writes it; `--timeline` draws one cell as \
                    a whole.";

/// A row of layers.csv.
struct Layer {
    request: String,
    network: String,
    layer: String,
    accelerator: String,
    start_ms: f64,
    end_ms: f64,
}

impl Layer {
    fn is_within(&self, (from, to): (f64, f64)) -> bool {
        self.end_ms > from && self.start_ms < to
    }
}

pub(super) fn section(results: &Results, choice: &LayersShown) -> Result<Section, Error> {
    let (name, title) = ("gantt", "Layers over time");
    let path = results.folder.join("layers.csv");
    if !path.exists() {
        if !choice.is_default() {
            return Err(Error::Usage(
                "--window, --request and --seed choose which layers are drawn: there is no layers.csv in the folder \
                 (`mascot run --layers` writes it)"
                    .into(),
            ));
        }
        return Ok(Section::without(name, title, NONE));
    }
    let case = widest(results);
    let ranking = best_first(results, case);
    let reference = results.scheduler("fcfs").or(ranking.last().copied()).unwrap_or_default();
    let mut shown = vec![reference];
    shown.extend(ranking.first().filter(|best| **best != reference));
    let (seed, layers) = read(results, case, &shown, choice.seed, CsvFile::open(&path)?)?;
    let window = chosen_window(&layers, choice)?;
    let mut pictures = Vec::new();
    for (&scheduler, layers) in shown.iter().zip(&layers) {
        let label = &results.schedulers[scheduler];
        let (chart, data) = picture(layers, window, choice);
        let case = format!("{}, {label}, seed {seed}", case.title);
        pictures.push(Picture::new(name, &case, title, chart, data));
    }
    let text = format!(
        "{} in the case in which schedulers differ most ({}). {} Hover over a layer to see its name.",
        what(choice, &seed),
        case.title,
        match choice.request {
            None => "Colours are networks; every other request of a network is paler.",
            Some(_) => "All other requests are paler.",
        }
    );
    Ok(Section { name: name.into(), title: title.into(), text, pictures })
}

/// What the pictures show, as the beginning of a sentence.
fn what(choice: &LayersShown, seed: &str) -> String {
    let part = match (choice.window, choice.request) {
        (None, None) => "The middle".to_string(),
        (Some((from, to)), None) => format!("The time from {from} to {to} ms"),
        (_, Some(request)) => format!("Request {request}"),
    };
    format!("{part} of the run of seed {seed}")
}

/// The case with the widest range of SLA rates.
fn widest(results: &Results) -> &Case {
    let range = |case: &&Case| {
        let ranking = best_first(results, case);
        let rate = |scheduler: Option<&usize>| scheduler.and_then(|s| case.samples[*s].mean("sla_rate"));
        rate(ranking.first()).unwrap_or(0.0) - rate(ranking.last()).unwrap_or(0.0)
    };
    results.cases.iter().max_by(|a, b| range(a).total_cmp(&range(b))).expect("results have a case")
}

/// The layers of a seed of a case, by default the first, by scheduler, in the order of their ends.
fn read(
    results: &Results,
    case: &Case,
    schedulers: &[usize],
    wanted_seed: Option<u64>,
    mut file: CsvFile,
) -> Result<(String, Vec<Vec<Layer>>), Error> {
    let columns = ["request", "network", "layer", "accelerator", "start_us", "end_us"];
    let [request, network, layer, accelerator, start, end] = file.columns(columns)?;
    let (mut seed, mut layers) =
        (wanted_seed.map(|seed| seed.to_string()), schedulers.iter().map(|_| Vec::new()).collect::<Vec<_>>());
    let mut record = Record::default();
    while file.read(&mut record)? {
        let keys = file.keys(&record);
        let wanted =
            results.scheduler(&keys[SCHEDULER]).and_then(|s| schedulers.iter().position(|w| *w == s));
        let Some(shown) = wanted.filter(|_| results.case_of(&keys) == results.case_of(&case.keys)) else {
            continue;
        };
        if *seed.get_or_insert_with(|| keys[SEED].clone()) != keys[SEED] {
            continue;
        }
        layers[shown].push(Layer {
            request: record.get(request).to_string(),
            network: record.get(network).to_string(),
            layer: record.get(layer).to_string(),
            accelerator: record.get(accelerator).to_string(),
            start_ms: file.number(&record, start)? / 1e3,
            end_ms: file.number(&record, end)? / 1e3,
        });
    }
    Ok((seed.unwrap_or_default(), layers))
}

/// The start and the end of the window in milliseconds.
fn chosen_window(layers: &[Vec<Layer>], choice: &LayersShown) -> Result<(f64, f64), Error> {
    let chosen: Vec<&Layer> = layers.iter().flatten().filter(|layer| choice.is_wanted(layer)).collect();
    if let (Some(seed), true) = (choice.seed, layers.iter().all(Vec::is_empty)) {
        return Err(Error::Usage(format!(
            "--seed: layers.csv has no run of seed {seed} in the case that is drawn"
        )));
    }
    if let (Some(request), true) = (choice.request, chosen.is_empty()) {
        return Err(Error::Usage(format!(
            "--request: no layer of request {request} ran in the case that is drawn"
        )));
    }
    let window = match (choice.window, choice.request) {
        (Some(window), _) => window,
        (None, Some(_)) => around(&chosen),
        (None, None) => layers.first().map_or((0.0, 1.0), |layers| window(layers)),
    };
    let inside = |layers: &Vec<Layer>| layers.iter().filter(|layer| layer.is_within(window)).count();
    match layers.iter().map(inside).max() {
        Some(most) if most > MOST_RUNS => Err(Error::Usage(format!(
            "--window: {most} layers ran from {} to {} ms: expected a window of at most {MOST_RUNS}",
            window.0, window.1
        ))),
        Some(0) => Err(Error::Usage(format!("--window: no layer ran from {} to {} ms", window.0, window.1))),
        _ => Ok(window),
    }
}

/// The time of some layers, and a tenth of it on both sides.
fn around(layers: &[&Layer]) -> (f64, f64) {
    let from = layers.iter().map(|layer| layer.start_ms).fold(f64::INFINITY, f64::min);
    let to = layers.iter().map(|layer| layer.end_ms).fold(f64::NEG_INFINITY, f64::max);
    let margin = 0.1 * (to - from);
    ((from - margin).max(0.0), to + margin)
}

/// The start and the end of the window in milliseconds, around the middle layers.
fn window(layers: &[Layer]) -> (f64, f64) {
    let middle = layers.len() / 2;
    let shown = &layers[middle.saturating_sub(RUNS / 2)..(middle + RUNS / 2).min(layers.len())];
    let from = shown.iter().map(|layer| layer.start_ms).fold(f64::INFINITY, f64::min);
    let to = shown.iter().map(|layer| layer.end_ms).fold(f64::NEG_INFINITY, f64::max);
    if from < to { (from, to) } else { (0.0, 1.0) }
}

fn picture(layers: &[Layer], (from, to): (f64, f64), choice: &LayersShown) -> (Chart, Data) {
    let mut data = Data::new(&["accelerator", "start_ms", "end_ms", "network", "layer", "request"]);
    let mut rows: Vec<String> = layers.iter().map(|layer| layer.accelerator.clone()).collect();
    rows.sort();
    rows.dedup();
    let mut networks: Vec<&str> = layers.iter().map(|layer| layer.network.as_str()).collect();
    networks.sort_unstable();
    networks.dedup();
    let style = |name: &str| Style(networks.iter().position(|network| *network == name).unwrap_or_default());
    let (mut runs, mut pale) = (Vec::new(), Pale::default());
    for layer in layers {
        let is_pale = pale.of(layer);
        if !layer.is_within((from, to)) {
            continue;
        }
        let opacity = match choice.request {
            Some(_) if !choice.is_wanted(layer) => 0.2,
            None if is_pale => 0.55,
            _ => 0.95,
        };
        let Layer { request, network, layer: name, accelerator, start_ms, end_ms } = layer;
        let row = rows.iter().position(|row| row == accelerator).unwrap_or_default();
        let hint = format!("{network}/{name}/{request}: {start_ms} to {end_ms} ms");
        runs.push(Run { row, start_ms: *start_ms, end_ms: *end_ms, style: style(network), hint, opacity });
        let [start, end] = [start_ms, end_ms].map(|ms| cell(Some(*ms)));
        data.rows.push(vec![accelerator.clone(), start, end, network.clone(), name.clone(), request.clone()]);
    }
    let entry = |name: &&str| Entry { style: style(name), label: (*name).to_string(), is_line: false };
    let legend = networks.iter().map(entry).collect();
    (Chart::Gantt(Gantt { rows, x: Scale { from, to, log: false }, runs, marks: Vec::new(), legend }), data)
}

/// The requests of each network, in order of appearance: every other one is drawn paler.
#[derive(Default)]
struct Pale<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'a> Pale<'a> {
    fn of(&mut self, layer: &'a Layer) -> bool {
        let requests = self.0.entry(&layer.network).or_default();
        let place = requests.iter().rposition(|known| *known == layer.request).unwrap_or_else(|| {
            requests.push(&layer.request);
            requests.len() - 1
        });
        place % 2 == 1
    }
}
