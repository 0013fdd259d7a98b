//! `mascot train`: a policy from an experiment's cells.

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
use crate::experiment::{DataRoot, Error, Experiment};
use crate::files::{any_path, write_atomic};
use crate::hw::SystemSpec;
use crate::plan::Plan;
use crate::policy::{POLICIES, Policy, PolicyEntry};
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
    /// What happens without it; here it is an error if there is nothing to go on from
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
    let Some(training) = experiment.training.clone() else {
        return Err(Error::Usage(format!("{} has no `[training]`", file.display())));
    };
    let [system] = &experiment.systems[..] else {
        return Err(Error::Usage(format!("{} names several systems: a policy is for one", file.display())));
    };
    experiment.check_training_seeds()?;
    let system = data.system(system)?;
    let text = experiment.source.text.clone();
    let folder = options.out.clone().unwrap_or_else(|| super::default_out(&experiment.name));
    let place = Place::new(folder, training.policy(), system, text.clone());
    let bars = Bars::new(options.quiet);
    let plan = Plan::prepare(experiment, data, &Cache::from_env(), &bars)?;
    let origin = Origin::new(text, &Inputs::of(&plan, data)?);
    let checkpoint = options.checkpoint(&place, &origin)?;
    let steps = checkpoint.as_ref().map(Checkpoint::steps);
    if let Some(steps) = steps {
        bars.note(&format!("{steps} of {} steps are kept from before", training.steps()));
    }
    let kept = options.on_interrupt(&bars, &place.folder, steps.unwrap_or_default(), training.steps());
    let mut trainer = Trainer::new(&plan, training, origin, checkpoint, &bars)?;
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

impl Options {
    /// Where the training in the folder stands, if it goes on.
    ///
    /// # Errors
    /// It is another one, or a part of one that is not to be lost.
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
                format!("{} is of a policy without the checkpoint of its training", policy.display())
            }
        };
        let way_out = "--fresh trains anew in its place, another --out beside it";
        Err(Error::Usage(format!("{lost}: {way_out}")))
    }

    /// Says on Ctrl-C how to go on. What it returns has to be told how many steps are kept.
    fn on_interrupt(&self, bars: &Bars, folder: &Path, kept: usize, steps: u64) -> Arc<AtomicUsize> {
        let kept = Arc::new(AtomicUsize::new(kept));
        let (now, folder, fresh) = (Arc::clone(&kept), folder.to_path_buf(), self.fresh);
        when_interrupted(bars, move |_| {
            let kept = now.load(Relaxed);
            let then = match (kept, fresh) {
                (0, _) => "the same command begins anew",
                (_, true) => "the same command without --fresh goes on from there",
                (_, false) => "the same command goes on from there",
            };
            format!("interrupted: {kept} of {steps} steps are kept in {}; {then}", folder.display())
        });
        kept
    }
}

/// Where a training is kept: log, checkpoint and policy.
struct Place {
    folder: PathBuf,
    /// The policy's manifest.
    policy: PathBuf,
    kind: &'static PolicyEntry,
    system: SystemSpec,
    /// The text of the experiment.
    text: String,
    /// Whether a policy of the other kind is of a training that this one is in the place of.
    replaces: bool,
}

impl Place {
    fn new(folder: PathBuf, kind: &'static PolicyEntry, system: SystemSpec, text: String) -> Self {
        let replaces = Checkpoint::is_in(&folder) || folder.join(LOG).exists();
        let policy = folder.join(format!("{}-{}.toml", kind.name, system.name));
        Self { folder, policy, kind, system, text, replaces }
    }

    /// A file in the folder that training would overwrite.
    fn policy_file(&self) -> Option<PathBuf> {
        let files = [self.policy.clone(), Policy::weights_path(&self.policy)];
        files.into_iter().find(|file| file.is_file())
    }

    /// Writes all there is; the checkpoint, from which the others can be written again, comes first.
    fn keep(&self, trainer: &Trainer, bars: &Bars) -> Result<(), Error> {
        trainer.checkpoint().write(&self.folder)?;
        self.remove_other_policies()?;
        self.write_log(trainer, bars)?;
        self.write_policy(&trainer.policy(&self.system, self.text.clone()))
    }

    /// Writes what is missing or damaged beside the checkpoint that a training goes on from.
    fn mend(&self, trainer: &Trainer, bars: &Bars) -> Result<(), Error> {
        let told = |path: &Path| bars.note(&format!("{}: written from the checkpoint", path.display()));
        let path = self.folder.join(LOG);
        if fs::read(&path).ok() != Some(log(trainer.log()).into_bytes()) {
            self.write_log(trainer, bars)?;
            told(&path);
        }
        let policy = trainer.policy(&self.system, self.text.clone());
        let there = Policy::read(&self.policy, self.kind);
        if !there.is_ok_and(|there| there.weights == policy.weights && there.is_for(&self.system)) {
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

    /// Removes what an earlier training of the other kind left, so that nothing of it stays beside the new one.
    fn remove_other_policies(&self) -> Result<(), Error> {
        let others = POLICIES.iter().filter(|kind| self.replaces && kind.name != self.kind.name);
        for kind in others {
            for extension in ["toml", "safetensors"] {
                let path = self.folder.join(format!("{}-{}.{extension}", kind.name, self.system.name));
                if path.is_file() {
                    fs::remove_file(&path).map_err(|source| Error::writing(&path, source))?;
                }
            }
        }
        Ok(())
    }
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
