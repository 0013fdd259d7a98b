//! The timeline of one cell ([`Timeline`]). The cell runs once more for it, because a sweep keeps no records and may
//! have read the cell from disk.

use std::fmt::Write;
use std::sync::Arc;

use crate::experiment::{Error, KEYS, LOAD, distinct};
use crate::files::quoted;
use crate::metrics::Timeline;
use crate::plan::{Plan, requests, rules};
use crate::sim::{Engine, run};
use crate::sweep::{Cell, cells};

/// The only cell of a plan.
///
/// # Errors
/// The experiment runs fleets, or there are several cells: the error names the keys with several values, and options that leave one cell.
pub fn only_cell(plan: &Plan) -> Result<Cell<'_>, Error> {
    if plan.experiment.on_fleets {
        let message = "a timeline shows the layers of one system, and the experiment runs fleets; `--requests` writes \
                       where each answer came from and where its time went (answers.csv)";
        return Err(plan.experiment.source.error_at_top(message).into());
    }
    let cells: Vec<Cell> = cells(plan).into_iter().filter(|cell| !cell.is_bound()).collect();
    match cells[..] {
        [cell] => Ok(cell),
        _ => Err(Error::Usage(too_many(plan, &cells))),
    }
}

fn too_many(plan: &Plan, cells: &[Cell]) -> String {
    let rows: Vec<Vec<String>> = cells.iter().map(|cell| settable_keys(cell)).collect();
    let (mut axes, mut options) = (String::new(), String::new());
    for (place, &column) in KEYS.iter().enumerate() {
        let values = distinct(rows.iter().map(|row| row[place].as_str()));
        let [first, _, ..] = values[..] else { continue };
        let key = match column {
            "system" | "scenario" | "load" | "scheduler" | "drift" => format!("{column}s"),
            _ => column.to_string(),
        };
        let _ = write!(axes, "\n  {key}: {}", values.join(", "));
        let _ = match column {
            "seed" => write!(options, " --seeds 1"),
            "scheduler" => write!(options, " --set {}", quoted(&format!("{key}={}", choice(&cells[0])))),
            _ => write!(options, " --set {}", quoted(&format!("{key}={first}"))),
        };
    }
    format!(
        "a timeline shows one cell, and {} has {}; choose one value of each of:{axes}\nfor example with{options}",
        plan.experiment.path.display(),
        cells.len()
    )
}

/// The keys of a cell that an option can set; without the load if the scenario fixes absolute arrival rates.
fn settable_keys(cell: &Cell) -> Vec<String> {
    let mut keys = cell.keys();
    if cell.case.load.is_none() {
        keys[LOAD].clear();
    }
    keys
}

/// The scheduler of a cell, as the value of an option.
fn choice(cell: &Cell) -> String {
    let choice = cell.scheduler;
    if choice.parameters.is_empty() && choice.label == choice.entry.name {
        return choice.label.clone();
    }
    toml::Value::Array(vec![toml::Value::Table(choice.to_table())]).to_string()
}

/// Runs a cell and returns its timeline as JSON.
pub fn timeline(plan: &Plan, cell: &Cell) -> Result<String, Error> {
    simulate(cell).map_err(|reason| Error::Run {
        cell: cell.to_string(),
        reason,
        command: cell.command(&plan.experiment),
    })
}

fn simulate(cell: &Cell) -> Result<String, String> {
    let case = cell.case;
    let world = &case.site.world;
    let trace = Arc::new(requests::requests(case, &case.window, cell.seed));
    let tenants: Vec<String> =
        case.workload.scenario.tenants.iter().map(|tenant| tenant.name.clone()).collect();
    let mut timeline = Timeline::new(world, &tenants);
    let mut scheduler = cell.scheduler.build(cell.policy, cell.seed)?;
    let engine = Engine::new(Arc::clone(world), trace, rules(case, cell.seed));
    run(engine, scheduler.as_mut(), &mut timeline).map_err(|e| e.to_string())?;
    Ok(timeline.to_json(&cell.to_string()))
}
