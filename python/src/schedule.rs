//! Schedulers that are Python functions: called with what a scheduler may know, they return assignments.
//!
//! Every decision crosses the border: lists of jobs, sub-jobs and accelerators are made for it. That costs some
//! microseconds, where a rule in Rust takes less than one.

use std::panic::resume_unwind;

use mascot::metrics::{Metrics, Value};
use mascot::sim::{Decision, Scheduler, View};
use mascot::sweep::{Logs, run_cell_with};
use mascot::units::Time;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::errors::{config, exception, guarded};
use crate::plan::Plan;

/// Runs one cell of a plan with a Python function as its scheduler; returns the metrics by name.
#[pyfunction]
pub(crate) fn simulate<'py>(
    py: Python<'py>,
    plan: &Plan,
    case: usize,
    seed: u64,
    scheduler: Py<PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let cell = plan.cell(case, seed)?;
    let mut called = Called { function: scheduler, error: None };
    let result = guarded(|| Ok(run_cell_with(&plan.inner.experiment, &cell, &mut called, Logs::default())))?;
    if let Some(error) = called.error {
        return Err(error);
    }
    let outcome = result.map_err(|error| exception(&error))?;
    metrics(py, &outcome.values)
}

/// Metrics by name.
pub(crate) fn metrics<'py>(py: Python<'py>, values: &[Value]) -> PyResult<Bound<'py, PyDict>> {
    let metrics = PyDict::new(py);
    for (column, value) in Metrics::columns().zip(values) {
        set(&metrics, column.name, value)?;
    }
    Ok(metrics)
}

/// Sets the value of a metric.
pub(crate) fn set(metrics: &Bound<'_, PyDict>, name: &str, value: &Value) -> PyResult<()> {
    match value {
        Value::Real(value) => metrics.set_item(name, value),
        Value::Count(value) => metrics.set_item(name, value),
        Value::Text(value) => metrics.set_item(name, value),
    }
}

/// A Python function as a scheduler.
struct Called {
    function: Py<PyAny>,
    /// What it raised.
    error: Option<PyErr>,
}

impl Scheduler for Called {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let decided = Python::attach(|py| {
            let told = self.function.bind(py).call1((told(py, view)?,))?;
            read(&told, view, out)
        });
        if let Err(error) = decided {
            self.error = Some(error);
            // The run has no result any more: `simulate` raises the error.
            resume_unwind(Box::new("the scheduler has raised an exception"));
        }
    }
}

/// What the function is called with.
fn told<'py>(py: Python<'py>, view: &View) -> PyResult<Bound<'py, PyDict>> {
    let jobs = view.jobs().iter().map(|job| {
        let dict = PyDict::new(py);
        dict.set_item("request", job.request.0)?;
        dict.set_item("tenant", job.tenant)?;
        dict.set_item("network", &view.network_of(job).name)?;
        dict.set_item("priority", job.priority)?;
        dict.set_item("arrival_us", job.arrival.as_us())?;
        dict.set_item("deadline_us", us(job.deadline))?;
        dict.set_item("shortest_left_us", job.shortest_left.as_us())?;
        dict.set_item("layers_left", job.layers_left)?;
        dict.set_item("running", job.running)?;
        dict.set_item("held", job.held)?;
        Ok(dict)
    });
    let jobs = jobs.collect::<PyResult<Vec<_>>>()?;
    let sub_jobs = view.sub_jobs().iter().map(|sub| {
        let dict = PyDict::new(py);
        dict.set_item("job", sub.job)?;
        dict.set_item("layer", sub.id.layer)?;
        dict.set_item("ready", sub.ready)?;
        dict.set_item("release_us", sub.release.as_us())?;
        dict.set_item("assigned", sub.assigned)?;
        dict.set_item("alone_us", PyList::new(py, view.alone_on_each(sub).iter().map(|&time| us(time)))?)?;
        Ok(dict)
    });
    let sub_jobs = sub_jobs.collect::<PyResult<Vec<_>>>()?;
    let accelerators = view.accelerators().iter().map(|accelerator| {
        let dict = PyDict::new(py);
        dict.set_item("busy", accelerator.running.is_some())?;
        dict.set_item("free_at_us", accelerator.free_at.as_us())?;
        dict.set_item("demand_gbps", accelerator.demand_bytes_per_ps * 1e3)?;
        Ok(dict)
    });
    let accelerators = accelerators.collect::<PyResult<Vec<_>>>()?;
    let dict = PyDict::new(py);
    dict.set_item("now_us", view.now().as_us())?;
    dict.set_item("jobs", jobs)?;
    dict.set_item("sub_jobs", sub_jobs)?;
    dict.set_item("accelerators", accelerators)?;
    Ok(dict)
}

/// Microseconds; infinite for what never happens.
pub(crate) fn us(time: Time) -> f64 {
    if time == Time::MAX { f64::INFINITY } else { time.as_us() }
}

/// Reads tuples of a sub-job, by its place in the list, an accelerator or `None`, and optionally a priority.
fn read(told: &Bound<'_, PyAny>, view: &View, out: &mut Decision) -> PyResult<()> {
    for each in told.try_iter()? {
        let each = each?;
        let wrong = || {
            config(format!(
                "the scheduler returned {each}: expected (sub_job, accelerator or None[, priority])"
            ))
        };
        let tuple = each.cast::<PyTuple>().map_err(|_| wrong())?;
        if !(2..=3).contains(&tuple.len()) {
            return Err(wrong());
        }
        let sub_job: usize = tuple.get_item(0)?.extract().map_err(|_| wrong())?;
        let accelerator: Option<usize> = tuple.get_item(1)?.extract().map_err(|_| wrong())?;
        let priority: f64 = match tuple.len() {
            3 => tuple.get_item(2)?.extract().map_err(|_| wrong())?,
            _ => 0.0,
        };
        let open = view.sub_jobs();
        let sub = open.get(sub_job).ok_or_else(|| {
            config(format!(
                "the scheduler returned {each}: there are {} sub-jobs, counted from 0",
                open.len()
            ))
        })?;
        match accelerator {
            Some(accelerator) => out.assign(sub.id, accelerator, priority),
            None => out.hold(view.job_of(sub).id),
        }
    }
    Ok(())
}
