//! A time window of layers.csv: the case in which schedulers differ most, under fcfs and under the best scheduler. Without a
//! choice it is the middle of the run of the first seed.

use std::collections::{BTreeMap, BTreeSet};

use super::gantt_marks::{self, Asked};
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

    fn is_of(&self, request: &str) -> bool {
        self.request.is_some_and(|wanted| request == wanted.to_string())
    }

    fn is_wanted(&self, layer: &Layer) -> bool {
        self.is_of(&layer.request)
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
    let asked = gantt_marks::read(results, case, &shown, &seed)?;
    let window = chosen_window(&layers, &asked, choice)?;
    let mut pictures = Vec::new();
    for ((&scheduler, layers), asked) in shown.iter().zip(&layers).zip(&asked) {
        let label = &results.schedulers[scheduler];
        let (chart, data) = picture(layers, asked, window, choice);
        let case = format!("{}, {label}, seed {seed}", case.title);
        pictures.push(Picture::new(name, &case, title, chart, data));
    }
    let text = format!(
        "{} in the case in which schedulers differ most ({}). {} Hover over a layer to see its name. {}",
        what(choice, &seed),
        case.title,
        match choice.request {
            None => "Colours are networks; every other request of a network is paler.",
            Some(_) => "All other requests are paler.",
        },
        match (choice.request, asked.iter().all(Vec::is_empty)) {
            (_, true) => "`mascot run --requests` adds arrivals and deadlines.",
            (None, false) =>
                "Ticks above are arrivals and deadlines of measured requests; bold deadlines were missed.",
            (Some(_), false) => "The lines are its arrival and its deadline.",
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
fn chosen_window(
    layers: &[Vec<Layer>],
    asked: &[Vec<Asked>],
    choice: &LayersShown,
) -> Result<(f64, f64), Error> {
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
        (None, Some(_)) => around(&chosen, asked.iter().flatten().find(|asked| choice.is_of(&asked.request))),
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

/// How many times as long as its layers the time to a request's deadline may be, to be in the picture. Our choice.
const FARTHEST: f64 = 3.0;

/// The time of the layers of a request with its arrival and deadline, where these are known, and a tenth of it on both
/// sides.
fn around(layers: &[&Layer], asked: Option<&Asked>) -> (f64, f64) {
    let mut from = layers.iter().map(|layer| layer.start_ms).fold(f64::INFINITY, f64::min);
    let mut to = layers.iter().map(|layer| layer.end_ms).fold(f64::NEG_INFINITY, f64::max);
    if let Some(asked) = asked {
        from = from.min(asked.arrival_ms);
        to = to.max(asked.deadline_ms.min(from + FARTHEST * (to - from)));
    }
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

/// The columns of the numbers of a picture.
const COLUMNS: [&str; 8] =
    ["accelerator", "start_ms", "end_ms", "network", "layer", "request", "arrival_ms", "deadline_ms"];

fn picture(layers: &[Layer], asked: &[Asked], (from, to): (f64, f64), choice: &LayersShown) -> (Chart, Data) {
    let mut data = Data::new(&COLUMNS);
    let by_request: BTreeMap<&str, &Asked> = asked.iter().map(|of| (of.request.as_str(), of)).collect();
    let accelerators = distinct(layers.iter().map(|layer| layer.accelerator.as_str()));
    let of_layers = layers.iter().map(|layer| layer.network.as_str());
    let networks = distinct(of_layers.chain(asked.iter().map(|of| of.network.as_str())));
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
        let row = accelerators.iter().position(|known| known == accelerator).unwrap_or_default();
        let hint = format!("{network}/{name}/{request}: {start_ms} to {end_ms} ms");
        runs.push(Run { row, start_ms: *start_ms, end_ms: *end_ms, style: style(network), hint, opacity });
        data.rows.push(numbers(layer, by_request.get(request.as_str()).copied()));
    }
    let entry = |name: &&str| Entry { style: style(name), label: (*name).to_string(), is_line: false };
    let legend = networks.iter().map(entry).collect();
    let is_inside = |of: &&Asked| [of.arrival_ms, of.deadline_ms].iter().any(|ms| (from..=to).contains(ms));
    let inside: Vec<&Asked> = asked.iter().filter(is_inside).collect();
    let lanes = if choice.request.is_none() { gantt_marks::lanes(&inside, style) } else { Vec::new() };
    let marks = asked.iter().find(|of| choice.is_of(&of.request)).map(Asked::marks).unwrap_or_default();
    let rows = accelerators.into_iter().map(String::from).collect();
    let x = Scale { from, to, log: false };
    (Chart::Gantt(Gantt { rows, lanes, x, runs, marks, legend }), data)
}

/// Names in alphabetical order, each once.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The values of [`COLUMNS`] of a layer, with the times of its request if that is measured.
fn numbers(layer: &Layer, asked: Option<&Asked>) -> Vec<String> {
    let times = [layer.start_ms, layer.end_ms].map(|ms| cell(Some(ms)));
    let names = [&layer.network, &layer.layer, &layer.request].map(String::clone);
    let of_request = [asked.map(|of| of.arrival_ms), asked.map(|of| of.deadline_ms)].map(cell);
    std::iter::once(layer.accelerator.clone()).chain(times).chain(names).chain(of_request).collect()
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
