//! The compiled half of the Python package `mascot`: the other half, which users see, is in `mascot/*.py`.
//!
//! - [`call`](mod@call): a command of the program as a function, with its text and its errors;
//! - [`plan`]: an experiment that is ready to run;
//! - [`envs`]: environments of reinforcement learning, many at a time, written into NumPy's arrays;
//! - [`export`]: nets that were learned in Python, as policies of the program;
//! - [`schedule`] and [`dispatch`]: schedulers and dispatchers that are Python functions.
//!
//! Whatever takes long releases the interpreter. No panic crosses the border: [`errors`] makes exceptions of them.

mod call;
mod dispatch;
mod envs;
mod errors;
mod export;
mod layers;
mod plan;
mod schedule;
mod serving;

use mascot::experiment::Shipped;
use pyo3::prelude::*;

/// The compiled half of the package `mascot`.
#[pymodule]
fn _mascot(module: &Bound<'_, PyModule>) -> PyResult<()> {
    Shipped::set(mascot_shipped::archive!());
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("ConfigError", py.get_type::<errors::ConfigError>())?;
    module.add("RunError", py.get_type::<errors::RunError>())?;
    module.add("InvariantError", py.get_type::<errors::InvariantError>())?;
    module.add_class::<plan::Plan>()?;
    module.add_class::<envs::Envs>()?;
    module.add_function(wrap_pyfunction!(call::call, module)?)?;
    module.add_function(wrap_pyfunction!(export::export_policy, module)?)?;
    module.add_function(wrap_pyfunction!(schedule::simulate, module)?)?;
    module.add_function(wrap_pyfunction!(dispatch::serve, module)?)
}
