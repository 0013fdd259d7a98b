//! The command line: parse -> typed options -> call what is below -> print an error once.

mod call;
mod capacity;
mod compare;
mod contention;
mod cost;
mod data;
mod dry_run;
mod explain;
mod fleet_tables;
mod fuzz;
mod guide;
mod import;
mod init;
mod list;
mod man;
mod network;
mod ports;
mod progress;
mod rank;
mod replay;
mod report;
mod run;
mod schema;
mod served_table;
mod session;
mod slurm;
mod sweep;
mod table;
mod trace;
mod train;
mod validate;
mod wrap;

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::experiment::{Error, INVARIANT, Shipped, reason, remember_panics};
use crate::files::{InputError, quoted, quoted_path, visible};
use crate::sweep::manifest;

pub use call::{CallError, Printed, call, cancel};

/// Multi-tenant DNN scheduling on heterogeneous accelerators that share DRAM bandwidth.
///
/// Exit codes: 0 ok, 1 failed run, 2 bad usage or configuration, 3 violated invariant, 130 interrupted by Ctrl-C.
#[derive(Parser)]
#[command(name = "mascot", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run an experiment: a table on the terminal, CSV in a folder
    ///
    /// Every finished cell is kept in `cells` below the results folder. The same command resumes an interrupted run and
    /// writes the same bytes; an experiment that has grown runs only its new cells. A cell that fails is reported with
    /// the command that replays it; the other cells are kept, and no CSV file is written until all cells have finished.
    Run(run::Options),
    /// Write a Slurm job whose tasks share the cells of an experiment
    ///
    /// Each task is a `mascot run --shard I/N` into one results folder, which all nodes must see. Tasks may be killed,
    /// requeued, or start late: what is done is kept, and what one leaves another runs. The plain `mascot run`
    /// collects the results when the job has ended.
    Slurm(slurm::Options),
    /// Run an experiment again from its manifest.json, and compare the CSV files
    ///
    /// The configuration is that of the manifest, even if the experiment file has changed since. If the program or a
    /// data file has changed, an error says so and nothing is run. If a row differs from the CSV files beside the
    /// manifest, the first such row is shown and the exit code is 1.
    Replay(replay::Options),
    /// Check files; for an experiment also print the saturation rate lambda* and the utilisation at its loads
    ///
    /// The saturation rate lambda* is the largest request rate for which layers can be split among the accelerators so
    /// that no resource is busy more than 100 % of the time. The output also shows which resources bind it, what share
    /// of it greedy scheduling (eft) sustains, and, per load, the utilisation of each accelerator model and of the DRAM
    /// with layers split as at lambda*. A load above 1 is a warning.
    Validate(validate::Options),
    /// List everything that experiments can name
    List(list::Options),
    /// Train a policy on the cells of an experiment
    ///
    /// The table `[training]` of the experiment configures the training; the experiment's schedulers are the baselines.
    /// The folder receives log.csv, a checkpoint, and the policy with the best validation SLA rate so far. The same
    /// command resumes a training; --fresh starts anew. The same seed gives the same weights, for any number of
    /// threads, interrupted or not.
    Train(train::Options),
    /// Write report.html, a page of figures, into a results folder
    ///
    /// The page is one file that works offline, in light and dark mode and in print. It shows SLA rate against load,
    /// gains, latency, energy, gap to the bound, utilisation, layers over time, a table and the manifest, as far as the
    /// folder has the data: run with --requests for latency distributions, with --layers for layers over time, and with
    /// --bound for the gap. Every picture is also written to report/NAME.svg, and its numbers to report/NAME.csv.
    Report(report::Options),
    /// Find the sustained load of each scheduler: the largest up to which it keeps a target SLA rate
    ///
    /// The search bisects the load per case, scheduler and seed, with the same random draws at every load. The table
    /// shows the mean over seeds with its 95 % confidence interval (Student's t). Where the SLA rate is not monotone in
    /// the load, the result is one of the crossings: the target is met there, and missed one tolerance above. The
    /// column `below` counts the seeds that miss the target even at the lowest load, which enter the mean as 0; `above`
    /// counts those that meet it at the highest.
    Capacity(capacity::Options),
    /// Compare a metric of two summaries, or of two values of a key, paired by seed
    ///
    /// Rows are matched by all key columns but that of --by, which tells a from b: a system, a scheduler, a bandwidth.
    /// With --by one folder is enough; the first value in the file is a, the second b. For every case and scheduler whose rows differ, the table shows both means,
    /// the mean difference with its 95 % confidence interval (Student's t over seeds), and how many rows differ. As a
    /// regression check, the exit code is 1 if two means differ by more than the tolerance, or if a value or a row is
    /// in one file only. With --by differences are what is asked for, and only a --tolerance makes them an error.
    Compare(compare::Options),
    /// Rank the schedulers of one run or several: means over the cells, and the number of cells in which each beats another
    ///
    /// Means are taken over the cells seed by seed, then over the seeds, with 95 % confidence intervals (Student's t);
    /// differences are paired by cell and seed. A scheduler beats another in a cell if a paired one-sided t-test over
    /// seeds is significant at 2.5 % (Holm-corrected over cells). If the run has bounds, the table also shows the gap
    /// to the bound, and the share of the other scheduler's gap that is closed.
    Rank(rank::Options),
    /// Make a working folder: an experiment, a scenario, an accelerator and a system of your own, to edit
    ///
    /// The files are small, explain what may be changed, and run as they are: `cd DIR && mascot run
    /// experiments/first.toml`. They may name whatever mascot ships. Nothing is written if one of the files is there
    /// already.
    Init(init::Options),
    /// Read the user's guide: its chapters, or one of them
    Guide(guide::Options),
    /// Write out the data files that mascot ships: accelerators, networks, scenarios, fleets, policies, experiments
    #[command(subcommand)]
    Data(data::Command),
    /// Say why a request missed its deadline: where its time went, and what ran where it waited
    ///
    /// Reads the requests.csv and layers.csv of a folder (`mascot run --requests --layers`). Without `--request` it lists
    /// the requests that ended latest after their deadlines. For one request it shows how its time divides into waiting,
    /// running and being slowed, its layers, what ran on which accelerators during its longest waits, who used the DRAM
    /// while its layers were slowed, and a sentence that names the largest cause. `--svg` draws it. On fleets it also reads
    /// answers.csv and steps.csv, and shows the way of the request to its site and back, and the order that served it.
    Explain(explain::Options),
    /// Show, check and export the costs of layers on accelerators
    #[command(subcommand)]
    Cost(cost::Command),
    /// Compare the contention model with measured co-runs
    #[command(subcommand)]
    Contention(contention::Command),
    /// Show a network layer by layer
    #[command(subcommand)]
    Network(network::Command),
    /// Generate and inspect request traces
    #[command(subcommand)]
    Trace(trace::Command),
    /// Run random systems, networks, requests and schedulers with every invariant checked
    ///
    /// Each seed draws a system of 1 to 8 accelerators under any sharing rule, up to 4 networks of up to 40 layers, up
    /// to 300 requests, the settings of an experiment, and a scheduler: a registered one, or one that takes random
    /// legal actions. A second, independent account of the run checks every record, view and decision (`src/check/audit`
    /// lists the invariants) and recomputes the metrics. The table counts what happened in the seeds that passed.
    ///
    /// With `--fleet`, each seed draws a fleet of 1 to 4 sites, up to 6 links, up to 3 models and 50 requests, and a
    /// dispatcher that takes random legal actions. One account follows the requests, another the layers at each site.
    ///
    /// A failure prints the violated invariant and the command that reproduces it with this version of mascot; the exit
    /// code is 3.
    Fuzz(fuzz::Options),
    /// Turn an ONNX file, or a MAESTRO or SCALE-Sim layer list, into the TOML layer graph that the simulator reads; turn
    /// a Timeloop or ZigZag accelerator into an accelerator file
    Import(import::Options),
    /// Print the JSON Schema of a kind of TOML file, for completion in editors
    ///
    /// Write it to a file and name that in the first line of a TOML file: `#:schema experiment.json` (taplo, Even Better
    /// TOML). Ranges of numbers, and what depends on several keys, are checked by `mascot validate` alone.
    Schema(schema::Options),
    /// Write a manual page per command into a folder
    Man(man::Options),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Parses the arguments, runs the command and prints its error, if any. `archive` holds the data files that the program
/// carries.
pub fn main(archive: &'static [u8]) -> ExitCode {
    Shipped::set(archive);
    // A failed invariant is reported once, with the command that reproduces it, and not also by the panic handler.
    remember_panics();
    catch_unwind(parse_and_execute).unwrap_or_else(|panic| {
        let command: Vec<String> = arguments().map(|word| quoted(&word)).collect();
        eprint(&format!(
            "error: invariant violated: {}\nplease report it with the command: {}",
            reason(&*panic),
            command.join(" ")
        ));
        ExitCode::from(INVARIANT)
    })
}

fn parse_and_execute() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // clap's own codes: 0 for help and version, 2 for bad usage. It chooses standard output or standard error
            // itself.
            let printed = written(e.print());
            return match e.exit_code() {
                0 => exit_code(printed),
                code => ExitCode::from(code as u8),
            };
        }
    };
    exit_code(execute(cli.command))
}

/// The arguments of the program; bytes that are not UTF-8 become replacement characters.
fn arguments() -> impl Iterator<Item = String> {
    std::env::args_os().map(|word| word.to_string_lossy().into_owned())
}

fn exit_code(result: Result<(), Error>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprint(&format!("error: {error}"));
    ExitCode::from(error.exit_code())
}

fn execute(command: Command) -> Result<(), Error> {
    match command {
        Command::Run(options) => run::execute(&options),
        Command::Slurm(options) => slurm::execute(&options),
        Command::Replay(options) => replay::execute(&options),
        Command::Validate(options) => validate::execute(&options),
        Command::Train(options) => train::execute(&options),
        Command::Capacity(options) => capacity::execute(&options),
        Command::Compare(options) => compare::execute(&options),
        Command::Rank(options) => rank::execute(&options),
        Command::Report(options) => report::execute(&options),
        Command::Explain(options) => explain::execute(&options),
        Command::List(options) => list::execute(&options),
        Command::Init(options) => init::execute(&options),
        Command::Guide(options) => guide::execute(&options),
        Command::Data(command) => data::execute(&command),
        Command::Cost(command) => cost::execute(&command),
        Command::Contention(command) => contention::execute(&command),
        Command::Network(command) => network::execute(&command),
        Command::Trace(command) => trace::execute(&command),
        Command::Fuzz(options) => fuzz::execute(&options),
        Command::Import(options) => import::execute(&options),
        Command::Schema(options) => schema::execute(&options),
        Command::Man(options) => man::execute(&options),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "mascot", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    }
}

/// The path itself if it is no folder, else the file of that name in the folder.
///
/// # Errors
/// The folder does not have the file.
fn in_folder(path: &Path, name: &str) -> Result<PathBuf, Error> {
    let file = path.join(name);
    match path.is_dir() {
        false => Ok(path.to_path_buf()),
        true if file.exists() => Ok(file),
        true => Err(InputError::file(path, format!("there is no {name} in this folder")).into()),
    }
}

/// Checks that a path is no folder of results, which a user may mean to run again.
fn not_results(experiment: &Path) -> Result<(), Error> {
    match experiment.join(manifest::FILE).is_file() {
        false => Ok(()),
        true => Err(InputError::file(
            experiment,
            format!(
                "these are the results of a run: expected an experiment file; `mascot replay {}` runs it again",
                quoted_path(experiment)
            ),
        )
        .into()),
    }
}

/// Writes to standard output.
fn print(text: &str) -> Result<(), Error> {
    use std::io::Write;
    if call::take(&visible(text)) {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    written(out.write_all(visible(text).as_bytes()).and_then(|()| out.flush()))
}

/// Writes JSON to standard output.
fn print_json(value: &impl serde::Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).expect("results are finite numbers and text");
    print(&(text + "\n"))
}

/// Maps a write error; a reader that has closed the pipe (`| head`) is not an error.
fn written(result: std::io::Result<()>) -> Result<(), Error> {
    match result {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|source| Error::Write { path: "standard output".into(), source }),
    }
}

/// Writes a message to standard error.
fn eprint(text: &str) {
    use std::io::Write;
    if call::take_note(&visible(text)) {
        return;
    }
    let _ = writeln!(std::io::stderr().lock(), "{}", wrap::message(&visible(text)));
}

/// Runs `act` on a pool of `jobs` threads; without a number, one thread per core.
fn on_threads<T: Send>(jobs: Option<u16>, act: impl FnOnce() -> T + Send) -> Result<T, Error> {
    let jobs = jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    let pool = pool.map_err(|e| Error::Usage(format!("cannot start {jobs} threads: {e}")))?;
    Ok(pool.install(act))
}

/// The folder for results without `--out`.
fn default_out(experiment: &str) -> PathBuf {
    PathBuf::from("results").join(experiment)
}
