//! An experiment that is ready to run.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use mascot::cost::Cache;
use mascot::experiment::{DataRoot, Error, Experiment, Progress};
use mascot::plan;
use mascot::sweep::{Cell, cells};
use mascot::units::Time;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::dispatch;
use crate::errors::{config, detached, exception};

/// An experiment whose names are resolved, whose layers are mapped, and whose cases are ready to run.
#[pyclass(frozen, module = "mascot._mascot")]
pub(crate) struct Plan {
    pub(crate) inner: Arc<plan::Plan>,
    notes: Vec<String>,
}

/// Keeps warnings.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Progress for Notes {
    fn begin(&self, _: &str, _: usize) {}
    fn advance(&self, _: usize) {}
    fn warn(&self, message: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.to_string());
    }
}

/// A key and its value, as TOML.
type Override = (String, String);

fn prepare(path: PathBuf, overrides: &[Override], notes: &Notes) -> Result<plan::Plan, Error> {
    let data = DataRoot::find(Some(&path))?;
    let value = |(key, text): &Override| {
        let table = format!("value = {text}").parse::<toml::Table>();
        let value = table.ok().and_then(|mut table| table.remove("value"));
        value
            .map(|value| (key.clone(), value))
            .ok_or_else(|| Error::Usage(format!("`{key}`: {text} is no TOML")))
    };
    let overrides = overrides.iter().map(value).collect::<Result<Vec<_>, _>>()?;
    let experiment = Experiment::read(&path, &overrides, &data)?;
    plan::Plan::prepare(experiment, &data, &Cache::from_env(), notes)
}

#[pymethods]
impl Plan {
    /// Prepares the experiment of a file.
    #[new]
    fn new(py: Python<'_>, path: PathBuf, overrides: Vec<Override>) -> PyResult<Self> {
        let notes = Notes::default();
        let inner = detached(py, || prepare(path, &overrides, &notes).map_err(|error| exception(&error)))?;
        let notes = notes.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Self { inner: Arc::new(inner), notes })
    }

    /// The warnings of the preparation.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// The labels of the schedulers, or dispatchers.
    #[getter]
    fn schedulers(&self) -> Vec<String> {
        self.inner.schedulers.iter().map(|choice| choice.label.clone()).collect()
    }

    /// For each case its keys by name, and its lambda* in requests per second.
    #[getter]
    fn cases<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let case = |case: &plan::Case| {
            let row = PyDict::new(py);
            row.set_item("system", &case.system)?;
            row.set_item("scenario", &case.workload.scenario.name)?;
            row.set_item("qos", case.qos.to_string())?;
            row.set_item("load", case.load.or(case.site.own_load))?;
            row.set_item("lambda_star_per_s", case.site.saturation.requests_per_s)?;
            row.set_item("seeds", case.seeds().into_iter().collect::<Vec<_>>())?;
            Ok(row)
        };
        self.inner.cases.iter().map(case).collect()
    }

    /// For each cell the index of its case, its scheduler and its seed.
    #[getter]
    fn cells(&self) -> Vec<(usize, String, u64)> {
        let place = |of: &plan::Case| self.inner.cases.iter().position(|case| std::ptr::eq(case, of));
        let cells = cells(&self.inner);
        let one = |cell: &Cell| {
            (place(cell.case).expect("cells are of cases"), cell.scheduler.label.clone(), cell.seed)
        };
        cells.iter().map(one).collect()
    }

    /// The names of the accelerators of a case; empty on a fleet.
    fn accelerators(&self, case: usize) -> PyResult<Vec<String>> {
        let case = self.case(case)?;
        let all = case.site.world.platform.accelerators.iter();
        Ok(if case.fleet.is_some() { Vec::new() } else { all.map(|each| each.name.clone()).collect() })
    }

    /// The names of the sites of a case; empty on a system.
    fn sites(&self, case: usize) -> PyResult<Vec<String>> {
        let fleet = self.case(case)?.fleet.as_ref();
        Ok(fleet.map_or(Vec::new(), |fleet| fleet.model.sites.iter().map(|site| site.name.clone()).collect()))
    }

    /// The names of the tenants of a case.
    fn tenants(&self, case: usize) -> PyResult<Vec<String>> {
        let tenants = &self.case(case)?.workload.scenario.tenants;
        Ok(tenants.iter().map(|tenant| tenant.name.clone()).collect())
    }

    /// What does not change in a run of a case of a fleet: sites, models and tenants.
    fn fleet<'py>(&self, py: Python<'py>, case: usize) -> PyResult<Bound<'py, PyDict>> {
        dispatch::fleet(py, self.case(case)?)
    }

    /// The requests of a run of a case: arrival and deadline in seconds, infinite if there is none, tenant and network.
    fn requests(&self, case: usize, seed: u64) -> PyResult<Vec<(f64, f64, String, String)>> {
        let case = self.case(case)?;
        let trace = plan::requests::of_run(case, seed);
        let scenario = &case.workload.scenario;
        let row = |request: &mascot::sim::Request| {
            let tenant = scenario.tenants[request.tenant as usize].name.clone();
            let network = case.site.world.networks[request.network as usize].name.clone();
            let deadline = match request.deadline {
                Time::MAX => f64::INFINITY,
                deadline => deadline.as_s(),
            };
            (request.arrival.as_s(), deadline, tenant, network)
        };
        Ok(trace.requests.iter().map(row).collect())
    }
}

impl Plan {
    /// A case by number.
    pub(crate) fn case(&self, place: usize) -> PyResult<&plan::Case> {
        let number = self.inner.cases.len();
        self.inner.cases.get(place).ok_or_else(|| config(format!("no case {place}: the plan has {number}")))
    }

    /// The run of a case under a seed; its scheduler is the first of the plan.
    pub(crate) fn cell(&self, place: usize, seed: u64) -> PyResult<Cell<'_>> {
        let case = self.case(place)?;
        let of_case = |cell: &Cell| std::ptr::eq(cell.case, case) && !cell.is_bound();
        let cell = cells(&self.inner).into_iter().find(of_case);
        Ok(Cell { seed, ..cell.ok_or_else(|| config("the case has no run"))? })
    }
}
