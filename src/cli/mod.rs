//! The command line: parse -> typed options -> call `experiment` -> print an error once.

mod capacity;
mod compare;
mod contention;
mod cost;
mod dry_run;
mod fuzz;
mod import;
mod list;
mod man;
mod network;
mod progress;
mod rank;
mod replay;
mod report;
mod run;
mod schema;
mod session;
mod sweep;
mod table;
mod trace;
mod train;
mod validate;

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::experiment::Error;
use crate::experiment::columns::quoted;
use crate::experiment::error::{INVARIANT, reason, remember_panics};
use crate::files::visible;

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
    /// Every cell is kept in the folder's `cells` as soon as it is done. A run that was stopped, by whatever, goes on from
    /// there with the same command and gives the same bytes; an experiment that has grown runs its new cells only. A cell
    /// that fails is reported with its replay command; the others are kept, and there are no CSV files before all are
    /// there.
    Run(run::Options),
    /// Run an experiment again from its manifest.json, and compare the CSV
    ///
    /// The configuration is that of the manifest, whatever has become of the experiment's file. Where the program or the
    /// data files have changed, that is said and nothing is run. The first row that differs from the CSV files beside the
    /// manifest is shown, with exit code 1.
    Replay(replay::Options),
    /// Check files; for an experiment also print its load bound lambda* and what its loads offer
    ///
    /// lambda* is the largest rate of requests for which layers can be split among the accelerators so that nothing is
    /// busy for more than 100 % of the time. Beside it: what binds it, how much of it greedy scheduling (eft) sustains,
    /// and, per load, how busy each accelerator of a model and DRAM are with layers split as at lambda*. A load above 1
    /// is a warning.
    Validate(validate::Options),
    /// List what experiments can name
    List(list::Options),
    /// Train a policy on the cells of an experiment
    ///
    /// The experiment's `[training]` says how; its schedulers are the baselines to pass. The folder gets log.csv, a
    /// checkpoint, and the policy with the best validation SLA rate so far. The same command goes on from there; --fresh
    /// trains anew. The same seed gives the same weights, whatever the number of threads, interrupted or not.
    Train(train::Options),
    /// Write report.html, a page of pictures, into a folder of results
    ///
    /// One file that works offline, in light and dark and in print: SLA rate against load, gains, latency, energy, gap to
    /// the bound, utilisation, layers over time, a table and the manifest. It shows what the folder has: run with
    /// --requests for whole distributions of latency, with --layers for layers over time and with --bound for the gap. Every
    /// picture is also report/NAME.svg, with its numbers in report/NAME.csv.
    Report(report::Options),
    /// Find the load that each scheduler sustains: the largest below which the SLA rate stays at a target
    ///
    /// Per case, scheduler and seed by bisection, with the same draws at every load; the table shows the mean over seeds with
    /// its 95 % confidence interval (Student's t). Where the SLA rate is not monotone in load, the answer is one of the
    /// crossings: the target is met there and missed a tolerance above. below: seeds that miss the target even at the
    /// lowest load, counted as 0; above: seeds that meet it at the highest.
    Capacity(capacity::Options),
    /// Compare a metric of two summaries, paired by seed
    ///
    /// Rows are matched by all key columns. Per case and scheduler whose rows differ: both means, the mean of the differences
    /// with its 95 % confidence interval (Student's t over seeds), and how many of the rows differ. The exit code is 1 if a
    /// mean is beyond the tolerance, a value is there in one file alone, or a row is: a regression check.
    Compare(compare::Options),
    /// All schedulers of a run in one table: means over its cells, and in how many cells each is above or below another
    ///
    /// Means are taken over the cells seed by seed, then over the seeds, with their 95 % confidence intervals (Student's t);
    /// differences are paired by cell and seed. A scheduler is above another in a cell if a paired one-sided t-test over the
    /// seeds says so at 2.5 %, corrected for the number of cells after Holm. Where the run has bounds: the distance to the
    /// bound, and the share of the other's distance that is closed.
    Rank(rank::Options),
    /// What layers cost on accelerators
    #[command(subcommand)]
    Cost(cost::Command),
    /// How well the contention model predicts measured co-runs
    #[command(subcommand)]
    Contention(contention::Command),
    /// One network, layer by layer
    #[command(subcommand)]
    Network(network::Command),
    /// Files that say when requests come
    #[command(subcommand)]
    Trace(trace::Command),
    /// Run random systems, networks, requests and schedulers with every invariant on
    ///
    /// A seed stands for a system of 1 to 8 accelerators under any sharing rule, up to 4 networks of up to 40 layers, up to
    /// 300 requests, all rules of an experiment, and a scheduler: one that does anything it may, or a registered one.
    /// Every record, view and decision of the run is checked against a second account of it (`src/sim/audit` lists the
    /// invariants), and the metrics against what that account comes to. The table counts what the seeds that passed did.
    ///
    /// A failure prints what was violated and the one command that reproduces it, with this version of mascot; the exit
    /// code is 3.
    Fuzz(fuzz::Options),
    /// Turn an ONNX file, or a MAESTRO or SCALE-Sim layer list, into the TOML layer graph that the simulator reads
    Import(import::Options),
    /// Print the JSON Schema of a kind of TOML file, with which editors complete keys
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

/// Parses the arguments, runs the command and prints its error, if any.
pub fn main() -> ExitCode {
    // A failed invariant is reported once, with the command that reproduces it, and not by the panic itself.
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
            // clap's own codes: 0 for help and version, 2 for bad usage. Its message goes where it belongs.
            let printed = written(e.print());
            return match e.exit_code() {
                0 => exit_code(printed),
                code => ExitCode::from(code as u8),
            };
        }
    };
    exit_code(execute(cli.command))
}

/// Those of the program; what of them is no UTF-8 is shown as such.
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
        Command::Replay(options) => replay::execute(&options),
        Command::Validate(options) => validate::execute(&options),
        Command::Train(options) => train::execute(&options),
        Command::Capacity(options) => capacity::execute(&options),
        Command::Compare(options) => compare::execute(&options),
        Command::Rank(options) => rank::execute(&options),
        Command::Report(options) => report::execute(&options),
        Command::List(options) => list::execute(&options),
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

/// A file, or the one of that name in a folder.
fn in_folder(path: &Path, name: &str) -> PathBuf {
    if path.is_dir() { path.join(name) } else { path.to_path_buf() }
}

/// Writes to standard output.
fn print(text: &str) -> Result<(), Error> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    written(out.write_all(visible(text).as_bytes()).and_then(|()| out.flush()))
}

/// Writes JSON to standard output.
fn print_json(value: &impl serde::Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).expect("results are finite numbers and text");
    print(&(text + "\n"))
}

/// A reader that has closed the pipe (`| head`) is no error.
fn written(result: std::io::Result<()>) -> Result<(), Error> {
    match result {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|source| Error::Write { path: "standard output".into(), source }),
    }
}

/// Writes a line to standard error.
fn eprint(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{}", visible(line));
}

/// Runs `act` with so many threads; without a number, one per core.
fn on_threads<T: Send>(jobs: Option<u16>, act: impl FnOnce() -> T + Send) -> Result<T, Error> {
    let jobs = jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    let pool = pool.map_err(|e| Error::Usage(format!("cannot start {jobs} threads: {e}")))?;
    Ok(pool.install(act))
}

/// Where results go unless `--out` says otherwise.
fn default_out(experiment: &str) -> PathBuf {
    PathBuf::from("results").join(experiment)
}
