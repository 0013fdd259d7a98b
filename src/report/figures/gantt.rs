//! A time window of layers.csv: the case in which schedulers differ most, under fcfs and under the best scheduler.

use std::collections::BTreeMap;

use super::{Data, Picture, Section, best_first, cell};
use crate::experiment::{Error, SCHEDULER, SEED};
use crate::files::Record;
use crate::report::chart::{Chart, Entry, Gantt, Run, Scale};
use crate::report::svg::Style;
use crate::results::{Case, CsvFile, Results};

/// The most layer runs in a picture. Our choice, because a reader can tell this many apart.
const RUNS: usize = 220;

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

pub(super) fn section(results: &Results) -> Result<Section, Error> {
    let (name, title) = ("gantt", "Layers over time");
    let path = results.folder.join("layers.csv");
    if !path.exists() {
        return Ok(Section::without(name, title, NONE));
    }
    let case = widest(results);
    let ranking = best_first(results, case);
    let reference = results.scheduler("fcfs").or(ranking.last().copied()).unwrap_or_default();
    let mut shown = vec![reference];
    shown.extend(ranking.first().filter(|best| **best != reference));
    let (seed, layers) = read(results, case, &shown, CsvFile::open(&path)?)?;
    let window = layers.first().map_or((0.0, 1.0), |layers| window(layers));
    let mut pictures = Vec::new();
    for (&scheduler, layers) in shown.iter().zip(&layers) {
        let label = &results.schedulers[scheduler];
        let (chart, data) = picture(layers, window);
        let case = format!("{}, {label}, seed {seed}", case.title);
        pictures.push(Picture::new(name, &case, title, chart, data));
    }
    let text = format!(
        "The middle of the run of seed {seed} in the case in which schedulers differ most ({}). Colours are networks; every other request of a \
         network is paler. Hover over a layer to see its name.",
        case.title
    );
    Ok(Section { name: name.into(), title: title.into(), text, pictures })
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

/// The layers of the first seed of a case, by scheduler, in the order of their ends.
fn read(
    results: &Results,
    case: &Case,
    schedulers: &[usize],
    mut file: CsvFile,
) -> Result<(String, Vec<Vec<Layer>>), Error> {
    let columns = ["request", "network", "layer", "accelerator", "start_us", "end_us"];
    let [request, network, layer, accelerator, start, end] = {
        let places: Vec<usize> = columns.iter().map(|name| file.column(name)).collect::<Result<_, _>>()?;
        <[usize; 6]>::try_from(places).expect("as many as there are names")
    };
    let (mut seed, mut layers) = (None, schedulers.iter().map(|_| Vec::new()).collect::<Vec<_>>());
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

/// The start and the end of the window in milliseconds, around the middle layers.
fn window(layers: &[Layer]) -> (f64, f64) {
    let middle = layers.len() / 2;
    let shown = &layers[middle.saturating_sub(RUNS / 2)..(middle + RUNS / 2).min(layers.len())];
    let from = shown.iter().map(|layer| layer.start_ms).fold(f64::INFINITY, f64::min);
    let to = shown.iter().map(|layer| layer.end_ms).fold(f64::NEG_INFINITY, f64::max);
    if from < to { (from, to) } else { (0.0, 1.0) }
}

fn picture(layers: &[Layer], (from, to): (f64, f64)) -> (Chart, Data) {
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
        if layer.end_ms <= from || layer.start_ms >= to {
            continue;
        }
        let Layer { request, network, layer: name, accelerator, start_ms, end_ms } = layer;
        let row = rows.iter().position(|row| row == accelerator).unwrap_or_default();
        let hint = format!("{network}/{name}/{request}: {start_ms} to {end_ms} ms");
        runs.push(Run { row, start_ms: *start_ms, end_ms: *end_ms, style: style(network), hint, is_pale });
        let times = [cell(Some(*start_ms)), cell(Some(*end_ms))];
        let [start, end] = times;
        data.rows.push(vec![accelerator.clone(), start, end, network.clone(), name.clone(), request.clone()]);
    }
    let entry = |name: &&str| Entry { style: style(name), label: (*name).to_string(), is_line: false };
    let legend = networks.iter().map(entry).collect();
    (Chart::Gantt(Gantt { rows, x: Scale { from, to, log: false }, runs, legend }), data)
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
