//! `mascot run --dry-run`: lists the cells of an experiment, their offered load, and an estimate of the run time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use super::sweep::Job;
use super::table::render;
use crate::experiment::{Duration, KEYS, SEED, Window};
use crate::plan::Case;
use crate::results::number;
use crate::sweep::{Cell, Store, Sweep, cells, forecast, short};

/// The most values that a row shows. Our choice, because these fill a few lines of a terminal.
const MOST_VALUES: usize = 20;

pub(super) fn describe(job: &Job, results: &Path) -> String {
    let sweep = Sweep::new(job.plan, cells(job.plan), &job.identity());
    let store = Store::peek(results);
    let kept = sweep.kept(&store);
    let done = kept.iter().flatten().count();
    let mut text = format!("{} cells, {done} of them kept in {}\n", kept.len(), store.folder().display());
    text += &time(job, &sweep, &kept);
    if job.logs.layers {
        text += &log_of_layers(&sweep.cells);
    }
    if job.plan.experiment.bound {
        text += "plus a row `bound` per case and seed, which is neither listed nor part of the estimate\n";
    }
    let keys: Vec<Vec<String>> = sweep.cells.iter().map(|cell| cell.keys()).collect();
    let values: Vec<BTreeMap<&str, usize>> = (0..KEYS.len()).map(|key| values(&keys, key)).collect();
    let shown: Vec<usize> = (0..KEYS.len()).filter(|&key| key <= SEED || values[key].len() > 1).collect();
    let _ = writeln!(text, "\n{}\n{}", axes(&keys, &values, &shown), loads(&job.plan.cases));
    let header: Vec<&str> = ["cell", "kept"].into_iter().chain(shown.iter().map(|&key| KEYS[key])).collect();
    let rows = sweep.ids.iter().zip(&kept).zip(&keys).map(|((id, kept), keys)| {
        let state = if kept.is_some() { "yes" } else { "" };
        let own = shown.iter().map(|&key| keys[key].clone());
        [short(id).to_string(), state.to_string()].into_iter().chain(own).collect()
    });
    text + &render(&header, 0..0, rows.collect())
}

fn time(job: &Job, sweep: &Sweep, kept: &[Option<f64>]) -> String {
    if kept.iter().all(Option::is_some) {
        return "nothing is left to run\n".into();
    }
    let threads = rayon::current_num_threads();
    match forecast(sweep, kept, threads, &|| job.started.wall_s()) {
        Some(forecast) => {
            format!("about {} with {threads} threads, from {}\n", duration(forecast.wall_s), forecast.source)
        }
        None => "no estimate of the time: no short run reached its end\n".into(),
    }
}

/// The bytes of a row of layers.csv. We measured 230 to 280 in sweeps of systems and of fleets.
const ROW_BYTES: f64 = 260.0;

/// How large layers.csv becomes if no request is dropped.
fn log_of_layers(cells: &[Cell]) -> String {
    let runs: f64 = cells.iter().filter(|cell| !cell.is_bound()).map(layer_runs).sum();
    let millions = |of: f64| number(Some(of / 1e6), if of < 1e7 { 1 } else { 0 });
    let (rows, size) = (millions(runs), millions(runs * ROW_BYTES));
    format!("layers.csv: up to {rows} million rows, about {size} MB, and as much in the kept cells\n")
}

/// The layers of all requests of a cell.
fn layer_runs(cell: &Cell) -> f64 {
    let case = cell.case;
    let requests = match case.window {
        Window::Requests { warmup, measured, drain } => (warmup + measured + drain) as f64,
        Window::Duration(Duration { end, .. }) => case.requests_per_s() * end.as_s(),
    };
    let shares = case.workload.scenario.network_shares();
    let networks = case.site.world.networks.iter();
    let layers: f64 = networks.zip(shares).map(|(network, share)| network.layers.len() as f64 * share).sum();
    requests * layers
}

/// A rounded duration, in a unit that fits.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => "a second".into(),
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// The number of cells for each value of a key.
fn values(keys: &[Vec<String>], key: usize) -> BTreeMap<&str, usize> {
    let mut values = BTreeMap::new();
    keys.iter().for_each(|keys| *values.entry(keys[key].as_str()).or_default() += 1);
    values
}

/// A table with a row per key: its values in the order of the cells.
fn axes(keys: &[Vec<String>], values: &[BTreeMap<&str, usize>], shown: &[usize]) -> String {
    let row = |&key: &usize| {
        let mut left = values[key].clone();
        let first = keys.iter().filter_map(|keys| left.remove_entry(keys[key].as_str()));
        let told = |(value, cells): (&str, usize)| {
            format!("{} ({cells})", if value.is_empty() { "-" } else { value })
        };
        let mut told: Vec<String> = first.take(MOST_VALUES).map(told).collect();
        if values[key].len() > MOST_VALUES {
            told.push("...".into());
        }
        vec![KEYS[key].to_string(), values[key].len().to_string(), told.join(", ")]
    };
    render(&["key", "values", "value (cells)"], 1..2, shown.iter().map(row).collect())
}

/// A table of lambda* and the request rates of the loads, with a row per site and load.
fn loads(cases: &[Case]) -> String {
    let mut seen = BTreeSet::new();
    let first =
        cases.iter().filter(|case| seen.insert((Arc::as_ptr(&case.site), case.load.map(f64::to_bits))));
    let rows = first.map(|case| {
        let lambda_per_s = case.site.saturation.requests_per_s;
        // A closed loop waits for the system, so this is an upper bound of its demand.
        let at_most = if case.workload.has_loops() { "<= " } else { "" };
        vec![
            case.system.clone(),
            case.workload.scenario.name.clone(),
            case.site.dram.bandwidth_gbps.to_string(),
            number(Some(lambda_per_s), 1),
            format!("{at_most}{}", number(Some(case.nominal_load()), 3)),
            format!("{at_most}{}", number(Some(case.nominal_load() * lambda_per_s), 1)),
        ]
    });
    let header = ["system", "scenario", "DRAM GB/s", "lambda* 1/s", "load", "requests/s"];
    render(&header, 2..6, rows.collect())
}
