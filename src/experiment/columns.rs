//! The columns of the result files: what identifies a cell, in one place for rows, tables and replay commands.

use std::fmt;

use super::config::{Experiment, Setting};
use super::sweep::Cell;

/// The columns that identify a cell, in order; the metrics follow.
pub const KEYS: &[&str] = &[
    "system",
    "scenario",
    "qos",
    "load",
    "scheduler",
    "seed",
    "dram_bandwidth_gbps",
    "dram_efficiency",
    "sharing",
    "sla",
    "deadline_factor",
    "trigger",
    "period_us",
    "decision_cost",
    "decision_base_us",
    "late",
    "unassigned",
    "max_sub_job_us",
];

/// Where the seed stands among [`KEYS`].
const SEED: usize = 5;

impl Cell<'_> {
    /// The values of [`KEYS`].
    pub fn keys(&self) -> Vec<String> {
        let Setting { sla, deadline_factor, trigger, period_us, decision_cost, .. } = self.case.setting;
        let Setting { decision_base_us, late, unassigned, max_sub_job_us, .. } = self.case.setting;
        let dram = &self.case.site.dram;
        vec![
            self.case.system.clone(),
            self.case.scenario.name.clone(),
            self.case.qos.name().to_string(),
            self.case.load.to_string(),
            self.scheduler.label.clone(),
            self.seed.to_string(),
            dram.bandwidth_gbps.to_string(),
            dram.efficiency.to_string(),
            word(dram.sharing),
            word(sla),
            deadline_factor.to_string(),
            word(trigger),
            period_us.to_string(),
            word(decision_cost),
            decision_base_us.to_string(),
            word(late),
            word(unassigned),
            max_sub_job_us.to_string(),
        ]
    }

    /// Names and values of the swept keys.
    pub fn setting_keys(&self) -> Vec<(String, String)> {
        let all = KEYS.iter().map(ToString::to_string).zip(self.keys());
        all.skip(SEED + 1).collect()
    }

    /// The command that runs this cell alone.
    pub fn command(&self, experiment: &Experiment) -> String {
        let mut command = format!(
            "mascot run {} --first-seed {} --seeds 1 --jobs 1 --set requests={}",
            experiment.path.display(),
            self.seed,
            experiment.requests
        );
        let mut choice = self.scheduler.parameters.clone();
        choice.insert("name".into(), self.scheduler.name.clone().into());
        choice.insert("label".into(), self.scheduler.label.clone().into());
        let written = toml::Value::Table(choice).to_string();
        for (key, value) in KEYS.iter().zip(self.keys()).filter(|(key, _)| **key != "seed") {
            let (key, value) = match *key {
                "system" => ("systems", format!("'[\"{value}\"]'")),
                "scenario" => ("scenarios", format!("'[\"{value}\"]'")),
                "load" => ("loads", value),
                "scheduler" => ("schedulers", format!("'[{written}]'")),
                key => (key, value),
            };
            command += &format!(" --set {key}={value}");
        }
        command
    }
}

impl fmt::Display for Cell<'_> {
    /// The keys that say most.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let keys = self.keys();
        let named = KEYS.iter().zip(&keys).take(SEED + 1).map(|(key, value)| format!("{key}={value}"));
        f.write_str(&named.collect::<Vec<_>>().join(" "))
    }
}

/// The word that a data file uses for an enum value.
fn word(value: impl serde::Serialize) -> String {
    match toml::Value::try_from(value) {
        Ok(toml::Value::String(word)) => word,
        other => unreachable!("these enums are written as one word, not {other:?}"),
    }
}
