//! The case that all benches share: the mixed scenario on hetero-6 at load 0.9, as in the quick start.

use std::path::Path;

use mascot::cost::Cache;
use mascot::experiment::{DataRoot, Experiment, Silent};
use mascot::plan::{Case, Plan};

/// Reads the shipped data; the cost tables come from the cache or are made once.
pub(crate) fn mixed_at_90_percent() -> Case {
    mixed_at_90_percent_with(&[])
}

/// The same with other values of some keys.
pub(crate) fn mixed_at_90_percent_with(more: &[(&str, &str)]) -> Case {
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/quickstart.toml");
    let keys = [("scenarios", toml::Value::from("mixed")), ("loads", toml::Value::from(0.9))];
    let more = more.iter().map(|&(key, value)| (key, toml::Value::from(value)));
    let keys: Vec<_> = keys.into_iter().chain(more).map(|(key, value)| (key.to_string(), value)).collect();
    let experiment = Experiment::read(&file, &keys, &data).expect("the quick start is valid");
    let plan =
        Plan::prepare(experiment, &data, &Cache::from_env(), &Silent).expect("the shipped data is complete");
    plan.cases.into_iter().next().expect("one scenario at one load is one case")
}
