//! `mascot train`: a policy from an experiment's cells.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::progress::Bars;
use super::run::key_value;
use crate::cost::Cache;
use crate::experiment::inputs::Inputs;
use crate::experiment::store;
use crate::experiment::train::{Baseline, Checkpoint, LOG, LogRow, Origin, Trainer};
use crate::experiment::{DataRoot, Error, Experiment, Plan};
use crate::files::{any_path, write_atomic};
use crate::rl::policy::POLICIES;

#[derive(Args)]
pub(super) struct Options {
    /// The experiment file, with `[training]`
    experiment: PathBuf,
    /// Folder for log, checkpoint and policy [default: results/<experiment>/]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace a key of the experiment, e.g. --set training.evolution.generations=10
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, toml::Value)>,
    /// Train anew, in place of the training that the folder has; without it, that one goes on
    #[arg(long)]
    fresh: bool,
    /// What happens without it; here it is an error if there is nothing to go on from
    #[arg(long, hide = true, conflicts_with = "fresh")]
    resume: bool,
    /// Threads [default: all cores]; the results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// No progress
    #[arg(long)]
    quiet: bool,
    /// Print {policy, steps, best_fitness, baselines} when it is done; progress goes to standard error
    #[arg(long)]
    json: bool,
}

/// What a training came to; its curves are in the log.
#[derive(Serialize)]
struct Outcome<'a> {
    #[serde(serialize_with = "any_path::serialize")]
    policy: &'a Path,
    steps: usize,
    /// On the validation seeds; the policy's manifest has its SLA rate.
    best_fitness: f64,
    /// SLA rates of the rules on the validation seeds.
    baselines: BTreeMap<&'a str, f64>,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let data = DataRoot::find(Some(&options.experiment))?;
    let experiment = Experiment::read(&options.experiment, &options.set, &data)?;
    super::on_threads(options.jobs, || train(options, experiment, &data))?
}

fn train(options: &Options, experiment: Experiment, data: &DataRoot) -> Result<(), Error> {
    let file = &options.experiment;
    let Some(training) = experiment.training else {
        return Err(Error::Usage(format!("{} has no `[training]`", file.display())));
    };
    let [system] = &experiment.systems[..] else {
        return Err(Error::Usage(format!("{} names several systems: a policy is for one", file.display())));
    };
    let system = data.system(system)?;
    let text = experiment.source.text.clone();
    let folder = options.out.clone().unwrap_or_else(|| super::default_out(&experiment.name));
    let bars = Bars::new(options.quiet);
    let plan = Plan::prepare(experiment, data, &Cache::from_env(), &bars)?;
    let origin = Origin::new(text.clone(), &Inputs::of(&plan, data)?);
    let checkpoint = options.checkpoint(&folder, &origin)?;
    if let Some(checkpoint) = &checkpoint {
        bars.note(&format!("{} of {} steps are kept from before", checkpoint.steps(), training.steps()));
    }
    let is_fresh = checkpoint.is_none();
    let mut trainer = Trainer::new(&plan, training, origin, checkpoint, &bars)?;
    fs::create_dir_all(&folder).map_err(|source| Error::writing(&folder, source))?;
    let _lock = store::lock(&folder)?;
    let named = folder.join(format!("{}-{}.toml", training.kind().name, system.name));
    if is_fresh {
        remove_training(&folder, &system.name)?;
    }
    let mut report = Report::new(trainer.baselines().to_vec(), options)?;
    drop(bars);
    while !trainer.is_done() {
        let row = trainer.step();
        if row.validation_rate.is_some() {
            trainer.checkpoint().write(&folder)?;
            let path = folder.join(LOG);
            write_atomic(&path, log(trainer.log()).as_bytes())
                .map_err(|source| Error::writing(&path, source))?;
            let policy = trainer.policy(&system, text.clone());
            policy.write(&named).map_err(|source| Error::writing(&named, source))?;
        }
        report.add(&row, trainer.best_fitness())?;
    }
    if options.json {
        let baselines = trainer.baselines().iter().map(|(name, rate)| (name.as_str(), *rate)).collect();
        let (steps, best_fitness) = (trainer.log().len(), trainer.best_fitness());
        return super::print_json(&Outcome { policy: &named, steps, best_fitness, baselines });
    }
    report.say(&format!("{}\n", named.display()))
}

impl Options {
    /// Where the training in the folder stands, if it goes on.
    fn checkpoint(&self, folder: &Path, origin: &Origin) -> Result<Option<Checkpoint>, Error> {
        if self.fresh {
            return Ok(None);
        }
        if self.resume || Checkpoint::is_in(folder) {
            return Checkpoint::read(folder, origin).map(Some);
        }
        match folder.join(LOG).exists() {
            false => Ok(None),
            true => Err(Error::Usage(format!(
                "{} has a training without a checkpoint: --fresh trains anew in its place, another --out beside it",
                folder.display()
            ))),
        }
    }
}

/// Removes an earlier training of a system's policies, so that nothing of it stays beside the new one.
fn remove_training(folder: &Path, system: &str) -> Result<(), Error> {
    let policies = POLICIES.iter().flat_map(|kind| {
        ["toml", "safetensors"].map(|extension| format!("{}-{system}.{extension}", kind.name))
    });
    for name in policies.chain([LOG.to_string(), Checkpoint::FILE.to_string()]) {
        let path = folder.join(name);
        if path.is_file() {
            fs::remove_file(&path).map_err(|source| Error::writing(&path, source))?;
        }
    }
    Ok(())
}

/// What is said on the way.
struct Report {
    baselines: Vec<Baseline>,
    passed: Vec<bool>,
    quiet: bool,
    /// Whether standard output is for the outcome alone.
    json: bool,
    start: Instant,
    /// When the last validation ended, and the decisions since.
    last: Instant,
    decisions: u64,
}

#[expect(clippy::disallowed_methods, reason = "the command reports how long training takes")]
impl Report {
    fn new(baselines: Vec<Baseline>, options: &Options) -> Result<Self, Error> {
        let (start, passed) = (Instant::now(), vec![false; baselines.len()]);
        let &Options { quiet, json, .. } = options;
        let report = Self { baselines, passed, quiet, json, start, last: start, decisions: 0 };
        for (name, rate) in &report.baselines {
            report.say(&format!("{name}: validation SLA rate {rate:.4}\n"))?;
        }
        Ok(report)
    }

    fn add(&mut self, row: &LogRow, best: f64) -> Result<(), Error> {
        self.decisions += row.decisions;
        let (Some(rate), Some(fitness)) = (row.validation_rate, row.validation_fitness) else {
            return Ok(());
        };
        let decisions_per_s = self.decisions as f64 / self.last.elapsed().as_secs_f64();
        (self.decisions, self.last) = (0, Instant::now());
        let minutes = self.start.elapsed().as_secs_f64() / 60.0;
        self.say(&format!(
            "{}: validation SLA rate {rate:.4}, fitness {fitness:.4}, best {best:.4}{}; {:.0} k decisions/s, \
             {minutes:.1} min\n",
            row.step,
            learning(row),
            decisions_per_s / 1e3
        ))?;
        for i in 0..self.baselines.len() {
            let (name, baseline) = &self.baselines[i];
            if !self.passed[i] && rate > *baseline {
                self.say(&format!("passes {name} after {minutes:.1} min\n"))?;
                self.passed[i] = true;
            }
        }
        Ok(())
    }

    fn say(&self, text: &str) -> Result<(), Error> {
        match (self.quiet, self.json) {
            (true, _) => Ok(()),
            (false, true) => {
                super::eprint(text.trim_end());
                Ok(())
            }
            (false, false) => super::print(text),
        }
    }
}

/// What the learner tells of a step, in words.
fn learning(row: &LogRow) -> String {
    let told = [
        ("SLA rate in training", row.mean_rate),
        ("fitness in training", row.mean_fitness),
        ("reward", row.reward),
        ("critic loss", row.critic_loss),
        ("actor loss", row.actor_loss),
    ];
    let told = told.into_iter().filter_map(|(name, value)| Some(format!("; {name} {:.4}", value?)));
    told.collect()
}

fn log(rows: &[LogRow]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    rows.iter().try_for_each(|row| writer.serialize(row)).expect("rows are flat");
    String::from_utf8(writer.into_inner().expect("memory takes everything")).expect("numbers are ASCII")
}
