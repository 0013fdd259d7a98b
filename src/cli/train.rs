//! `mascot train`: trains a policy on the cells of an experiment.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::progress::Bars;
use super::run::key_value;
use super::sweep::when_interrupted;
use crate::cost::Cache;
use crate::experiment::{DataRoot, Error, Experiment, Kind, Training};
use crate::files::{InputError, any_path, write_atomic};
use crate::hw::SystemSpec;
use crate::plan::Plan;
use crate::policy::{POLICIES, Parameters, Policy, PolicyEntry};
use crate::sweep::{Inputs, remove_page, store};
use crate::train::{Baseline, Checkpoint, LOG, LogRow, Origin, Trainer};

#[derive(Args)]
pub(super) struct Options {
    /// The experiment file, with `[training]`
    experiment: PathBuf,
    /// Folder for the log, the checkpoint and the policy [default: results/<experiment>/]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace a key of the experiment, e.g. --set training.evolution.generations=10
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, toml::Value)>,
    /// Start anew and discard the training in the folder; without this option it is resumed
    #[arg(long)]
    fresh: bool,
    /// Resume the training in the folder, and fail if there is none (without this option, a training is resumed if
    /// there is one)
    #[arg(long, hide = true, conflicts_with = "fresh")]
    resume: bool,
    /// Threads [default: all cores]; the results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// No progress
    #[arg(long)]
    quiet: bool,
    /// Print {policy, steps, best_fitness, baselines} at the end; progress goes to standard error
    #[arg(long)]
    json: bool,
}

/// The outcome of a training; its curves are in the log.
#[derive(Serialize)]
struct Outcome<'a> {
    #[serde(serialize_with = "any_path::serialize")]
    policy: &'a Path,
    steps: usize,
    /// Fitness on the validation seeds; the manifest of the policy has its SLA rate.
    best_fitness: f64,
    /// SLA rates of the baseline schedulers on the validation seeds.
    baselines: BTreeMap<&'a str, f64>,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    super::not_results(&options.experiment)?;
    let data = DataRoot::find(Some(&options.experiment))?;
    let experiment = Experiment::read(&options.experiment, &options.set, &data)?;
    super::on_threads(options.jobs, || train(options, experiment, &data))?
}

fn train(options: &Options, experiment: Experiment, data: &DataRoot) -> Result<(), Error> {
    let file = &options.experiment;
    let Some(training) = experiment.training.clone() else {
        return Err(Error::Usage(format!("{} has no `[training]`", file.display())));
    };
    if experiment.on_fleets {
        let message = "`fleets` cannot be trained on: a policy schedules the layers of one of `systems`";
        return Err(experiment.source.error_at_top(message).into());
    }
    let kind = training.policy();
    if experiment.systems.len() > 1 && !kind.serves_any_system {
        let message = format!("`systems` names several: a policy of `{}` is for one", kind.name);
        return Err(experiment.source.error_at_top(message).into());
    }
    experiment.check_training_seeds()?;
    experiment.check_training_device()?;
    let systems = experiment.systems.iter().map(|name| data.system(name)).collect::<Result<Vec<_>, _>>()?;
    let text = experiment.source.text.clone();
    let folder = options.out.clone().unwrap_or_else(|| super::default_out(&experiment.name));
    let initial = initial(&training, &systems[0], data)?;
    let place = Place::new(folder, kind, systems, text.clone());
    let bars = Bars::new(options.quiet);
    let plan = Plan::prepare(experiment, data, &Cache::from_env(), &bars)?;
    let mut origin = Origin::new(text, &Inputs::of(&plan, data)?);
    if let (Some(name), Some(policy)) = (&training.initial, &initial) {
        origin.inputs.insert(name.clone(), policy.manifest.weights_sha256.clone());
    }
    let checkpoint = options.checkpoint(&place, &origin)?;
    let steps = checkpoint.as_ref().map(Checkpoint::steps);
    if let Some(steps) = steps {
        bars.note(&format!("{steps} of {} steps are kept from before", training.steps()));
    }
    let kept = options.on_interrupt(&bars, &place.folder, steps.unwrap_or_default(), training.steps());
    let mut trainer = Trainer::new(&plan, training, origin, initial, checkpoint, &bars)?;
    bars.clear();
    fs::create_dir_all(&place.folder).map_err(|source| Error::writing(&place.folder, source))?;
    let _lock = store::lock(&place.folder)?;
    if steps.is_some() {
        place.mend(&trainer, &bars)?;
    }
    let mut report = Report::new(trainer.baselines().to_vec(), options)?;
    while !trainer.is_done() {
        let row = trainer.step();
        if row.validation_rate.is_some() {
            place.keep(&trainer, &bars)?;
            kept.store(trainer.log().len(), Relaxed);
        }
        report.add(&row, trainer.best_fitness())?;
    }
    if options.json {
        let baselines = trainer.baselines().iter().map(|(name, rate)| (name.as_str(), *rate)).collect();
        let (steps, best_fitness) = (trainer.log().len(), trainer.best_fitness());
        return super::print_json(&Outcome { policy: &place.policy, steps, best_fitness, baselines });
    }
    report.say(&format!("{}\n", place.policy.display()))
}

/// The policy that a training starts from, which must be of its kind and fit the system.
fn initial(training: &Training, system: &SystemSpec, data: &DataRoot) -> Result<Option<Policy>, Error> {
    let Some(name) = &training.initial else { return Ok(None) };
    let path = data.path(Kind::Policy, name)?;
    let policy = Policy::read(&path, training.policy())?;
    let fits = policy.scheduler(system.accelerators.len(), &Parameters::default());
    fits.map_err(|e| InputError::file(&Policy::weights_path(&path), e))?;
    Ok(Some(policy))
}

impl Options {
    /// The checkpoint in the folder, if this training resumes from it.
    ///
    /// # Errors
    /// The folder holds another training, or a part of one that would be lost.
    fn checkpoint(&self, place: &Place, origin: &Origin) -> Result<Option<Checkpoint>, Error> {
        let folder = &place.folder;
        if self.fresh {
            return Ok(None);
        }
        if self.resume || Checkpoint::is_in(folder) {
            return Checkpoint::read(folder, origin).map(Some);
        }
        let lost = match (folder.join(LOG).exists(), place.policy_file()) {
            (false, None) => return Ok(None),
            (true, _) => format!("{} has a training without a checkpoint", folder.display()),
            (false, Some(policy)) => {
                format!("{} is a trained policy whose checkpoint is missing", policy.display())
            }
        };
        let way_out = "--fresh replaces it, another --out keeps it";
        Err(Error::Usage(format!("{lost}: {way_out}")))
    }

    /// Installs a Ctrl-C handler that prints how to resume. The returned counter must be updated with the number of
    /// steps kept.
    fn on_interrupt(&self, bars: &Bars, folder: &Path, kept: usize, steps: u64) -> Arc<AtomicUsize> {
        let kept = Arc::new(AtomicUsize::new(kept));
        let (now, folder, fresh) = (Arc::clone(&kept), folder.to_path_buf(), self.fresh);
        when_interrupted(bars, move |_| {
            let kept = now.load(Relaxed);
            let then = match (kept, fresh) {
                (0, _) => "the same command starts anew",
                (_, true) => "the same command without --fresh resumes there",
                (_, false) => "the same command resumes there",
            };
            format!("interrupted: {kept} of {steps} steps are kept in {}; {then}", folder.display())
        });
        kept
    }
}

/// The files of a training: log, checkpoint and policy.
struct Place {
    folder: PathBuf,
    /// The path of the policy's manifest.
    policy: PathBuf,
    kind: &'static PolicyEntry,
    systems: Vec<SystemSpec>,
    /// The text of the experiment file.
    text: String,
    /// Whether the folder held a training before, which this one replaces.
    replaces: bool,
}

impl Place {
    fn new(folder: PathBuf, kind: &'static PolicyEntry, systems: Vec<SystemSpec>, text: String) -> Self {
        let replaces = Checkpoint::is_in(&folder) || folder.join(LOG).exists();
        let policy = folder.join(format!("{}.toml", Self::name(kind, &systems)));
        Self { folder, policy, kind, systems, text, replaces }
    }

    /// The name of a policy for these systems: of several it is that of its kind.
    fn name(kind: &PolicyEntry, systems: &[SystemSpec]) -> String {
        if let [system] = systems { format!("{}-{}", kind.name, system.name) } else { kind.name.into() }
    }

    /// A file in the folder that training would overwrite.
    fn policy_file(&self) -> Option<PathBuf> {
        let files = [self.policy.clone(), Policy::weights_path(&self.policy)];
        files.into_iter().find(|file| file.is_file())
    }

    /// Writes all files; the checkpoint comes first, as the others can be rewritten from it.
    fn keep(&self, trainer: &Trainer, bars: &Bars) -> Result<(), Error> {
        trainer.checkpoint().write(&self.folder)?;
        self.remove_other_policies()?;
        self.write_log(trainer, bars)?;
        self.write_policy(&trainer.policy(&self.systems, self.text.clone()))
    }

    /// Rewrites files that are missing or damaged beside the checkpoint from which a training resumes.
    fn mend(&self, trainer: &Trainer, bars: &Bars) -> Result<(), Error> {
        let told = |path: &Path| bars.note(&format!("{}: written from the checkpoint", path.display()));
        let path = self.folder.join(LOG);
        if fs::read(&path).ok() != Some(log(trainer.log()).into_bytes()) {
            self.write_log(trainer, bars)?;
            told(&path);
        }
        let policy = trainer.policy(&self.systems, self.text.clone());
        let there = Policy::read(&self.policy, self.kind);
        if !there.is_ok_and(|there| {
            there.weights == policy.weights && there.manifest.system_sha256 == policy.manifest.system_sha256
        }) {
            self.write_policy(&policy)?;
            told(&self.policy);
        }
        Ok(())
    }

    fn write_log(&self, trainer: &Trainer, bars: &Bars) -> Result<(), Error> {
        let path = self.folder.join(LOG);
        write_atomic(&path, log(trainer.log()).as_bytes()).map_err(|source| Error::writing(&path, source))?;
        remove_page(&self.folder)?.iter().for_each(|told| bars.note(told));
        Ok(())
    }

    fn write_policy(&self, policy: &Policy) -> Result<(), Error> {
        policy.write(&self.policy).map_err(|source| Error::writing(&self.policy, source))
    }

    /// Removes the policies that an earlier training of another kind left in the folder.
    fn remove_other_policies(&self) -> Result<(), Error> {
        let others = POLICIES.iter().filter(|kind| self.replaces && kind.name != self.kind.name);
        for kind in others {
            for extension in ["toml", "safetensors"] {
                let path = self.folder.join(format!("{}.{extension}", Self::name(kind, &self.systems)));
                if path.is_file() {
                    fs::remove_file(&path).map_err(|source| Error::writing(&path, source))?;
                }
            }
        }
        Ok(())
    }
}

/// Prints the progress of a training.
struct Report {
    baselines: Vec<Baseline>,
    passed: Vec<bool>,
    quiet: bool,
    /// Whether standard output is reserved for the outcome.
    json: bool,
    start: Instant,
    /// The time at which the last validation ended.
    last: Instant,
    /// The number of decisions since then.
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

/// The learner's figures of a step, as text.
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
