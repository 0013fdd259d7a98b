//! `mascot train`: a policy from an experiment's cells.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::progress::Bars;
use crate::cost::Cache;
use crate::experiment::train::{Checkpoint, LogRow, Trainer};
use crate::experiment::{DataRoot, Error, Experiment, Plan};
use crate::files::write_atomic;
use crate::rl::policy::sha256;

#[derive(Args)]
pub(super) struct Options {
    /// The experiment file, with `[training]`
    experiment: PathBuf,
    /// Folder for log, checkpoint and policy [default: results/<experiment>/]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on from the checkpoint in the folder
    #[arg(long)]
    resume: bool,
    /// Threads [default: all cores]; the results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let data = DataRoot::find(Some(&options.experiment))?;
    let experiment = Experiment::read(&options.experiment, &[], &data)?;
    super::on_threads(options.jobs, || train(options, experiment, &data))?
}

fn train(options: &Options, experiment: Experiment, data: &DataRoot) -> Result<(), Error> {
    let Some(training) = experiment.training else {
        return Err(Error::Usage(format!("{} has no `[training]`", options.experiment.display())));
    };
    let [system] = &experiment.systems[..] else {
        let message = format!("{} names several systems: a policy is for one", options.experiment.display());
        return Err(Error::Usage(message));
    };
    let system = data.system(system)?;
    let text = fs::read_to_string(&options.experiment)
        .map_err(|e| Error::Usage(format!("cannot read {}: {e}", options.experiment.display())))?;
    let folder = options.out.clone().unwrap_or_else(|| super::default_out(&experiment.name));
    let bars = Bars::new(options.quiet);
    let plan = Plan::prepare(experiment, data, &Cache::from_env(), &bars)?;
    fs::create_dir_all(&folder).map_err(|source| write_error(&folder, source))?;
    let path = folder.join("checkpoint.json");
    let checkpoint = if options.resume { Some(read(&path)?) } else { None };
    let trainer = Trainer::new(&plan, training, sha256(text.as_bytes()), checkpoint);
    let mut trainer = trainer.map_err(|problem| Error::Usage(format!("{}: {problem}", path.display())))?;
    let named = folder.join(format!("mascot-{}.toml", system.name));
    let baselines = trainer.baselines(&bars)?;
    drop(bars);
    let say = |text: &str| if options.quiet { Ok(()) } else { super::print(text) };
    for (name, rate) in &baselines {
        say(&format!("{name}: validation SLA rate {rate:.4}\n"))?;
    }
    let start = Instant::now();
    let mut passed = vec![false; baselines.len()];
    while !trainer.is_done() {
        let begin = Instant::now();
        let row = trainer.step();
        let per_s = row.decisions as f64 / begin.elapsed().as_secs_f64();
        if let Some(rate) = row.validation_rate {
            let state = serde_json::to_string(&trainer.checkpoint).expect("plain data");
            write(&path, state.as_bytes())?;
            write(&folder.join("log.csv"), log(&trainer.checkpoint.log).as_bytes())?;
            trainer.policy(&system, &baselines, text.clone()).write(&named)?;
            let minutes = start.elapsed().as_secs_f64() / 60.0;
            say(&format!(
                "generation {}: SLA rate {:.4} in training, {rate:.4} in validation, best {:.4}; {:.0} k decisions/s, \
                 {minutes:.1} min\n",
                row.generation,
                row.mean_rate,
                trainer.checkpoint.best_rate,
                per_s / 1e3
            ))?;
            for ((name, baseline), passed) in baselines.iter().zip(&mut passed) {
                if !*passed && rate > *baseline {
                    *passed = true;
                    say(&format!("passes {name} after {minutes:.1} min\n"))?;
                }
            }
        }
    }
    say(&format!("{}\n", named.display()))
}

fn read(path: &Path) -> Result<Checkpoint, Error> {
    let text = fs::read_to_string(path)
        .map_err(|e| Error::Usage(format!("cannot resume from {}: {e}", path.display())))?;
    serde_json::from_str(&text).map_err(|e| Error::Usage(format!("{} is no checkpoint: {e}", path.display())))
}

fn log(rows: &[LogRow]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    rows.iter().try_for_each(|row| writer.serialize(row)).expect("rows are flat");
    String::from_utf8(writer.into_inner().expect("memory takes everything")).expect("numbers are ASCII")
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_atomic(path, bytes).map_err(|source| write_error(path, source))
}

fn write_error(path: &Path, source: std::io::Error) -> Error {
    Error::Write { path: path.display().to_string(), source }
}
