//! `mascot replay`: repeats a run from its manifest.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::progress::Bars;
use super::session::Stopwatch;
use super::sweep::{Job, on_interrupt, prepare};
use crate::experiment::{DataRoot, Error};
use crate::sweep::{Identity, Inputs, Manifest, Sweep, Table, cells, manifest, replay, short};

#[derive(Args)]
pub(super) struct Options {
    /// The manifest.json of a run, or the folder that it is in
    manifest: PathBuf,
    /// Replay one cell only, given by its identifier (as `run --dry-run` and messages show it) or its first digits
    #[arg(long, value_name = "ID")]
    cell: Option<String>,
    /// Folder for the results of the replay [default: compared, then deleted]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite the results of another experiment in that folder
    #[arg(long, requires = "out")]
    overwrite: bool,
    /// Replay even if the program or data files have changed
    #[arg(long)]
    anyway: bool,
    /// Threads [default: all cores]; the results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// No progress bar
    #[arg(long)]
    quiet: bool,
    /// Print {cells, the_same: [{file, rows}, ...]} in place of the sentence
    #[arg(long)]
    json: bool,
}

/// The outcome of a replay that found no difference.
#[derive(Serialize)]
struct Verdict {
    /// The number of cells that were run.
    cells: usize,
    /// The files compared; empty if there is none beside the manifest.
    the_same: Vec<Same>,
}

/// A result file whose rows are all equal.
#[derive(Serialize)]
struct Same {
    file: &'static str,
    rows: usize,
}

impl Verdict {
    fn text(&self) -> String {
        if self.the_same.is_empty() {
            let cells = self.cells;
            return format!("{cells} cells; there is no summary.csv beside the manifest to compare with\n");
        }
        let told = self.the_same.iter().map(|Same { file, rows }| format!("{file} ({rows} rows)"));
        format!("OK, the same: {}\n", told.collect::<Vec<_>>().join(", "))
    }
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let path = super::in_folder(&options.manifest, manifest::FILE)?;
    let manifest = Manifest::read(&path)?;
    let theirs = path.parent().unwrap_or(Path::new("")).to_path_buf();
    if options.out.as_ref().is_some_and(|out| is_within(&theirs, out)) {
        return Err(Error::Usage("--out holds the run that is replayed: give another folder".into()));
    }
    let holds_run = |out: &PathBuf| out.join(manifest::FILE).exists();
    if options.cell.is_some() && options.out.as_ref().is_some_and(holds_run) {
        return Err(Error::Usage(
            "--out holds a run, and --cell would replace it by one cell: give another folder".into(),
        ));
    }
    let data = DataRoot::find(Some(&manifest.data_folder))?;
    tell(replay::differences(&manifest, &data), options.anyway)?;
    let verdict = super::on_threads(options.jobs, || run(options, &manifest, &data, &theirs))??;
    if options.json { super::print_json(&verdict) } else { super::print(&verdict.text()) }
}

/// Turns differences into an error, or with `anyway` into warnings.
fn tell(differences: Vec<String>, anyway: bool) -> Result<(), Error> {
    if differences.is_empty() || anyway {
        differences.iter().for_each(|difference| super::eprint(&format!("warning: {difference}")));
        return Ok(());
    }
    Err(Error::Check(format!(
        "the program or its data are not those of the recorded run, so nothing is run; --anyway replays \
         nevertheless:\n  {}",
        differences.join("\n  ")
    )))
}

/// Whether `out` holds the run whose manifest is in `folder`; the manifest of an unfinished run is among its cells.
fn is_within(folder: &Path, out: &Path) -> bool {
    let real = |path: &Path| {
        std::fs::canonicalize(if path.as_os_str().is_empty() { Path::new(".") } else { path }).ok()
    };
    let (folder, out) = (real(folder), real(out));
    out.is_some()
        && (folder == out || folder.and_then(|folder| folder.parent().map(Path::to_path_buf)) == out)
}

fn run(options: &Options, manifest: &Manifest, data: &DataRoot, theirs: &Path) -> Result<Verdict, Error> {
    let (bars, started) = (Bars::new(options.quiet), Stopwatch::start());
    let plan = prepare(manifest.experiment(data)?, data, true, &bars)?;
    let inputs = Inputs::of(&plan, data)?;
    tell(replay::other_files(manifest, &inputs), options.anyway)?;
    let job = Job {
        plan: &plan,
        inputs: &inputs,
        data,
        logs: manifest.logs,
        bars: &bars,
        started,
        resumable: options.out.is_some(),
        overwrite: options.overwrite || options.cell.is_some(),
    };
    let mut chosen = cells(&plan);
    if let Some(prefix) = &options.cell {
        // The replayed cells get the identifiers of the recorded run.
        let recorded = inputs.as_recorded(&manifest.recorded_inputs());
        let identity = Identity { inputs: &recorded, sources: &manifest.sources_sha256, ..job.identity() };
        let sweep = Sweep::new(&plan, chosen, &identity);
        let place = sweep.find(prefix)?;
        bars.note(&format!("cell {}: {}", short(&sweep.ids[place]), sweep.cells[place]));
        chosen = vec![sweep.cells[place]];
    }
    let temporary =
        tempfile::tempdir().map_err(|source| Error::Write { path: "a temporary folder".into(), source })?;
    let ours = options.out.as_deref().unwrap_or(temporary.path());
    if let Some(out) = &options.out {
        on_interrupt(&bars, out);
    }
    let mut verdict = Verdict { cells: chosen.len(), the_same: Vec::new() };
    job.carry_out(chosen, ours, options.cell.is_none())?;
    drop(bars);
    if theirs.join(Table::Summary.file()).is_file() {
        let only = options.cell.is_some().then(|| replay::first_keys(ours)).transpose()?;
        let has = |table: &Table| !table.is_only_of_fleets() || theirs.join(table.file()).is_file();
        for table in manifest.logs.tables().filter(has) {
            let rows = replay::compare(table, theirs, ours, only.as_deref())?;
            verdict.the_same.push(Same { file: table.file(), rows });
        }
    }
    Ok(verdict)
}
