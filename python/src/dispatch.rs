//! Dispatchers that are Python functions: called with what a dispatcher may know, they return actions.
//!
//! What does not change in a run is told once ([`fleet`]), so that a call carries only what is known at its moment.

use std::panic::resume_unwind;

use mascot::metrics::{SERVING_COLUMNS, ServedBy};
use mascot::plan;
use mascot::serve::{Action, Dispatch, Dispatcher, FleetModel, FleetView, Moment};
use mascot::sim::RequestId;
use mascot::sweep::{Logs, serve_cell_with};
use mascot::units::Time;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::errors::{config, exception, guarded};
use crate::plan::Plan;
use crate::schedule::{metrics, set, us};

/// Runs one cell of a plan with a Python function as its dispatcher; returns the metrics by name.
#[pyfunction]
pub(crate) fn serve<'py>(
    py: Python<'py>,
    plan: &Plan,
    case: usize,
    seed: u64,
    dispatcher: Py<PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    of_fleet(plan.case(case)?)?;
    let cell = plan.cell(case, seed)?;
    let mut called = Called { function: dispatcher, error: None };
    let result =
        guarded(|| Ok(serve_cell_with(&plan.inner.experiment, &cell, &mut called, Logs::default())))?;
    if let Some(error) = called.error {
        return Err(error);
    }
    let outcome = result.map_err(|error| exception(&error))?;
    let told = metrics(py, &outcome.values)?;
    for group in outcome.serving.iter().filter(|group| group.by == ServedBy::All) {
        for column in SERVING_COLUMNS {
            set(&told, column.heading.name, &(column.value)(group))?;
        }
    }
    Ok(told)
}

fn of_fleet(case: &plan::Case) -> PyResult<&plan::Fleet> {
    let system = || config(format!("system `{}`: expected a fleet; `simulate` is for systems", case.system));
    case.fleet.as_deref().ok_or_else(system)
}

/// What does not change in a run of a case: its sites, models and tenants, by number.
pub(crate) fn fleet<'py>(py: Python<'py>, case: &plan::Case) -> PyResult<Bound<'py, PyDict>> {
    let model = &of_fleet(case)?.model;
    let sites = model.sites.iter().map(|site| {
        let dict = PyDict::new(py);
        dict.set_item("name", &site.name)?;
        dict.set_item("slots", site.slots)?;
        dict.set_item("has_model", &site.deployed)?;
        Ok(dict)
    });
    let models = (0..model.models.len()).map(|number| of_model(py, model, number));
    let tenants = case.workload.scenario.tenants.iter().zip(&model.clients).map(|(tenant, client)| {
        let dict = PyDict::new(py);
        dict.set_item("name", &tenant.name)?;
        dict.set_item("model", client.model)?;
        dict.set_item("min_accuracy", client.terms.min_accuracy)?;
        Ok(dict)
    });
    let dict = PyDict::new(py);
    dict.set_item("sites", sites.collect::<PyResult<Vec<_>>>()?)?;
    dict.set_item("models", models.collect::<PyResult<Vec<_>>>()?)?;
    dict.set_item("tenants", tenants.collect::<PyResult<Vec<_>>>()?)?;
    Ok(dict)
}

fn of_model<'py>(py: Python<'py>, model: &FleetModel, number: usize) -> PyResult<Bound<'py, PyDict>> {
    let served = &model.models[number];
    let variants = served.variants.iter().enumerate().map(|(variant, of)| {
        let service = |site: usize| {
            let of_batch = |&batch: &u32| us(model.service(site, number, variant, batch as usize));
            let deployed = model.sites[site].deployed[number];
            deployed.then(|| served.batches.iter().map(of_batch).collect::<Vec<f64>>())
        };
        let dict = PyDict::new(py);
        dict.set_item("name", &of.name)?;
        dict.set_item("accuracy", of.accuracy)?;
        dict.set_item("service_us", (0..model.sites.len()).map(service).collect::<Vec<_>>())?;
        Ok(dict)
    });
    let dict = PyDict::new(py);
    dict.set_item("name", &served.name)?;
    dict.set_item("batches", &served.batches)?;
    dict.set_item("variants", variants.collect::<PyResult<Vec<_>>>()?)?;
    Ok(dict)
}

/// A Python function as a dispatcher.
struct Called {
    function: Py<PyAny>,
    /// What it raised.
    error: Option<PyErr>,
}

impl Dispatcher for Called {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        let decided = Python::attach(|py| {
            let Some(told) = told(py, view, moment)? else { return Ok(()) };
            let answer = self.function.bind(py).call1((told,))?;
            read(&answer, moment, out)
        });
        if let Err(error) = decided {
            self.error = Some(error);
            // The run has no result any more: `serve` raises the error.
            resume_unwind(Box::new("the dispatcher has raised an exception"));
        }
    }
}

/// What the function is called with; `None` for a request that has gone.
fn told<'py>(py: Python<'py>, view: &FleetView, moment: Moment) -> PyResult<Option<Bound<'py, PyDict>>> {
    let dict = PyDict::new(py);
    dict.set_item("now_us", view.now().as_us())?;
    match moment {
        Moment::Arrived(id) => {
            let Some(request) = view.request(id) else { return Ok(None) };
            dict.set_item("moment", "arrived")?;
            let of = PyDict::new(py);
            of.set_item("id", id.0)?;
            of.set_item("tenant", request.tenant)?;
            of.set_item("model", request.model)?;
            of.set_item("arrival_us", request.arrival.as_us())?;
            of.set_item("deadline_us", us(request.deadline))?;
            dict.set_item("request", of)?;
            let sites = (0..view.model().sites.len()).map(|number| of_site(py, view, request.tenant, number));
            dict.set_item("sites", sites.collect::<PyResult<Vec<_>>>()?)?;
        }
        Moment::Free(site) | Moment::Wake(site) => {
            dict.set_item("moment", if moment == Moment::Free(site) { "free" } else { "wake" })?;
            dict.set_item("site", site)?;
            dict.set_item("free_slots", view.free_slots())?;
            known(&dict, view, site)?;
            let models = (0..view.model().models.len()).filter(|&model| view.queue_len(model) > 0);
            let queues = models.map(|model| of_queue(py, view, model));
            dict.set_item("queues", queues.collect::<PyResult<Vec<_>>>()?)?;
        }
    }
    Ok(Some(dict))
}

/// A site for a request of a tenant.
fn of_site<'py>(
    py: Python<'py>,
    view: &FleetView,
    tenant: usize,
    number: usize,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let way = |way: Option<Time>| way.map_or(f64::INFINITY, us);
    dict.set_item("serves", view.model().serves(number, &view.model().clients[tenant]))?;
    dict.set_item("way_there_us", way(view.way_there(tenant, number)))?;
    dict.set_item("way_back_us", way(view.way_back(tenant, number)))?;
    known(&dict, view, number)?;
    Ok(dict)
}

/// What is known of the state of a site.
fn known(dict: &Bound<'_, PyDict>, view: &FleetView, site: usize) -> PyResult<()> {
    let of = view.site(site);
    dict.set_item("queued", of.queued)?;
    dict.set_item("in_service", of.in_service)?;
    dict.set_item("backlog_us", of.backlog.as_us())?;
    dict.set_item("age_us", of.age.as_us())
}

/// The queue of a model, in the order of delivery.
fn of_queue<'py>(py: Python<'py>, view: &FleetView, model: usize) -> PyResult<Bound<'py, PyDict>> {
    let requests = view.queue(model).map(|request| {
        let dict = PyDict::new(py);
        dict.set_item("id", request.id.0)?;
        dict.set_item("tenant", request.tenant)?;
        dict.set_item("arrival_us", request.arrival.as_us())?;
        dict.set_item("queued_us", request.queued_at.as_us())?;
        dict.set_item("deadline_us", us(request.deadline))?;
        dict.set_item("due_us", us(request.due))?;
        Ok(dict)
    });
    let loading = (0..view.model().models[model].variants.len()).map(|of| us(view.loading(model, of)));
    let dict = PyDict::new(py);
    dict.set_item("model", model)?;
    dict.set_item("requests", requests.collect::<PyResult<Vec<_>>>()?)?;
    dict.set_item("loading_us", PyList::new(py, loading.collect::<Vec<f64>>())?)?;
    Ok(dict)
}

/// Reads tuples of a word and what it needs.
fn read(answer: &Bound<'_, PyAny>, moment: Moment, out: &mut Dispatch) -> PyResult<()> {
    for each in answer.try_iter()? {
        let each = each?;
        let action = each.cast::<PyTuple>().ok().and_then(|tuple| action(tuple, moment));
        out.actions.push(action.ok_or_else(|| {
            let allowed = match moment {
                Moment::Arrived(_) => "(\"send\", request, site) or (\"reject\", request)",
                Moment::Free(_) | Moment::Wake(_) => {
                    "(\"launch\", model, variant, number or list of requests), (\"reject\", request) or (\"wake\", at_us)"
                }
            };
            config(format!("the dispatcher returned {}: expected {allowed}", shown(&each)))
        })?);
    }
    Ok(())
}

/// An object as Python shows it.
fn shown(object: &Bound<'_, PyAny>) -> String {
    object.repr().map_or_else(|_| "something else".into(), |text| text.to_string())
}

/// The action of a tuple; `None` if it is none at this moment.
fn action(tuple: &Bound<'_, PyTuple>, moment: Moment) -> Option<Action> {
    let word: String = tuple.get_item(0).ok()?.extract().ok()?;
    let number = |place: usize| tuple.get_item(place).ok()?.extract::<usize>().ok();
    let request = || tuple.get_item(1).ok()?.extract().ok().map(RequestId);
    match (&word[..], moment, tuple.len()) {
        ("send", Moment::Arrived(_), 3) => Some(Action::Send { request: request()?, site: number(2)? }),
        ("reject", _, 2) => Some(Action::Reject { request: request()? }),
        ("launch", Moment::Free(site) | Moment::Wake(site), 4) => {
            let (model, variant) = (number(1)?, number(2)?);
            Some(match number(3) {
                Some(count) => Action::Launch { site, model, variant, count },
                None => {
                    let requests: Vec<u32> = tuple.get_item(3).ok()?.extract().ok()?;
                    let requests = requests.into_iter().map(RequestId).collect();
                    Action::LaunchOf { site, model, variant, requests }
                }
            })
        }
        ("wake", Moment::Free(site) | Moment::Wake(site), 2) => {
            let at_us: f64 = tuple.get_item(1).ok()?.extract().ok()?;
            (0.0..=LATEST_US).contains(&at_us).then(|| Action::Wake { site, at: Time::from_us(at_us) })
        }
        _ => None,
    }
}

/// The latest wake-up: a year. Our choice, because sums of times stay far from their largest value.
const LATEST_US: f64 = 366.0 * 86_400e6;
