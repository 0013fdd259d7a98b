//! `mascot slurm`: writes a Slurm array job whose tasks share the cells of an experiment.

use std::path::PathBuf;

use clap::Args;

use crate::experiment::{DataRoot, Error, Experiment};
use crate::files::{quoted, quoted_path, write_atomic};

/// The most tasks of an array. Our choice, because clusters allow about as many.
const MOST_TASKS: i64 = 10_000;

#[derive(Args)]
pub(super) struct Options {
    /// The experiment file
    experiment: PathBuf,
    /// The number of tasks, each of which runs a share of the cells
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST_TASKS))]
    tasks: u32,
    /// The time limit of a task, as Slurm writes it, e.g. 4:00:00
    #[arg(long)]
    time: Option<String>,
    /// The partition of the cluster
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// Cores of a task, which run as many cells at once
    #[arg(long, value_name = "C", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    cpus: u32,
    /// The results folder, which all nodes must see [default: results/NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// File for the job [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Further options of `mascot run`, behind `--`, e.g. -- --requests --set loads=0.9
    #[arg(last = true, value_name = "OPTIONS")]
    run: Vec<String>,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    super::not_results(&options.experiment)?;
    let data = DataRoot::find(Some(&options.experiment))?;
    let experiment = Experiment::read(&options.experiment, &[], &data)?;
    check_words(options)?;
    let script = script(options, &experiment.name);
    match &options.output {
        None => super::print(&script),
        Some(path) => write_atomic(path, script.as_bytes()).map_err(|source| Error::writing(path, source)),
    }
}

/// Slurm reads its options up to the end of a line.
fn check_words(options: &Options) -> Result<(), Error> {
    for (option, word) in [("--time", &options.time), ("--partition", &options.partition)] {
        let is_word =
            |word: &String| !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c == '"');
        if let Some(word) = word.as_ref().filter(|word| !is_word(word)) {
            return Err(Error::Usage(format!("{option}: `{word}`: expected one word, as sbatch takes it")));
        }
    }
    if let Some(word) = options.run.iter().find(|word| word.contains('\n')) {
        return Err(Error::Usage(format!("`{word}`: expected options of one line")));
    }
    Ok(())
}

fn script(options: &Options, name: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let program = std::env::current_exe().unwrap_or("mascot".into());
    let out = options.out.clone().unwrap_or_else(|| super::default_out(name));
    let (experiment, out) = (quoted_path(&options.experiment), quoted_path(&out));
    let more: String = options.run.iter().map(|word| format!(" {}", quoted(word))).collect();
    let run = format!("{} run {experiment} --out {out}{more}", quoted_path(&program));
    let given = [("time", &options.time), ("partition", &options.partition)];
    let given: String = given
        .iter()
        .filter_map(|(key, word)| Some(format!("#SBATCH --{key}={}\n", word.as_ref()?)))
        .collect();
    let (tasks, cpus, job) = (options.tasks, options.cpus, job_name(name));
    format!(
        "#!/bin/bash\n\
         # {tasks} tasks that share the cells of an experiment: `sbatch` this file. A task that is requeued goes on where\n\
         # it was stopped, and one that is done runs what others have left. When the job has ended, collect the results:\n\
         #   {run}\n\
         #SBATCH --job-name={job}\n\
         #SBATCH --array=1-{tasks}\n\
         #SBATCH --ntasks=1\n\
         #SBATCH --cpus-per-task={cpus}\n\
         {given}#SBATCH --requeue\n\
         #SBATCH --open-mode=append\n\
         #SBATCH --output={job}-%a.log\n\
         cd {}\n\
         exec {run} --shard \"$SLURM_ARRAY_TASK_ID/{tasks}\" --jobs {cpus}\n",
        quoted_path(&here)
    )
}

/// The name of the job and its logs: letters, digits and a few signs, which neither Slurm nor a shell reads as more.
fn job_name(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    format!("mascot-{plain}")
}
