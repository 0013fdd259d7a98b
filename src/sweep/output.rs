//! Writes the result files of a run: `summary.csv` with a row per cell, `groups.csv` with a row per cell and group of
//! requests, `accelerators.csv` with a row per cell and accelerator, and on request `requests.csv`, `layers.csv` and
//! `energy.csv`.
//!
//! Everything is written to temporary files among the kept cells and renamed at the end, so that the files of a sweep
//! appear when all of its cells are done. The CSV files depend only on configuration and seeds, to the byte.

use std::fs;
use std::io::{self, BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::cell::Logs;
use super::columns::Extent;
use super::rows::{Rows, Table};
use super::store::Store;
use crate::experiment::{Error, Experiment};
use crate::files::place;

/// The result files of a run while they are written.
pub struct Output {
    folder: PathBuf,
    files: Vec<(Table, BufWriter<NamedTempFile>)>,
    /// Whether there are rows of a fleet.
    has_fleets: bool,
}

impl Logs {
    /// The result files that a run with these logs has.
    pub fn tables(self) -> impl Iterator<Item = Table> {
        Table::ALL.into_iter().filter(move |table| match table {
            Table::Requests | Table::Answers | Table::Steps => self.requests,
            Table::Layers => self.layers,
            Table::Energy => self.energy,
            Table::Summary | Table::Groups | Table::Accelerators | Table::Serving | Table::Links => true,
        })
    }
}

impl Output {
    /// Opens temporary files for the results in `folder`, with the columns that the experiment has.
    pub fn create(folder: &Path, store: &Store, logs: Logs, experiment: &Experiment) -> Result<Self, Error> {
        let extent = Extent::of(experiment);
        let open = |table: Table| {
            let mut file = BufWriter::new(store.temporary()?);
            writeln!(file, "{}", table.columns(extent).join(","))
                .map_err(|source| Error::writing(folder, source))?;
            Ok((table, file))
        };
        let files = logs.tables().map(open).collect::<Result<_, Error>>()?;
        Ok(Self { folder: folder.to_path_buf(), files, has_fleets: false })
    }

    /// Adds the rows of a cell.
    pub fn add(&mut self, rows: &Rows) -> Result<(), Error> {
        self.has_fleets |= !rows.of(Table::Serving).is_empty();
        let mut write =
            |(table, file): &mut (Table, BufWriter<_>)| file.write_all(rows.of(*table).as_bytes());
        self.files.iter_mut().try_for_each(&mut write).map_err(|source| Error::writing(&self.folder, source))
    }

    /// Gives every file its name and returns whether any differs from the file before. A log of an earlier run, which
    /// would not belong to these files, is removed.
    pub fn finish(self) -> Result<bool, Error> {
        let Self { folder, mut files, has_fleets } = self;
        files.retain(|(table, _)| has_fleets || !table.is_only_of_fleets());
        // A full disk is noticed before the first file gets its name.
        let whole = |(table, file): (Table, BufWriter<NamedTempFile>)| {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error);
            file.map(|file| (table, file)).map_err(|source| Error::writing(&folder, source))
        };
        let mut files = files.into_iter().map(whole).collect::<Result<Vec<_>, _>>()?;
        let mut changed = false;
        for table in Table::ALL {
            let path = folder.join(table.file());
            let done = match files.iter().position(|(of, _)| *of == table) {
                Some(place) => persist(files.swap_remove(place).1, &path),
                None if path.exists() => fs::remove_file(&path).map(|()| true),
                None => Ok(false),
            };
            changed |= done.map_err(|source| Error::writing(&path, source))?;
        }
        Ok(changed)
    }
}

fn persist(file: NamedTempFile, path: &Path) -> io::Result<bool> {
    let changed = !is_same(file.path(), path);
    place(file, path)?;
    Ok(changed)
}

/// Whether two files have the same content. Reads them in parts, as logs may be larger than memory.
fn is_same(one: &Path, other: &Path) -> bool {
    let open = |path| fs::File::open(path).map(|file| io::BufReader::with_capacity(1 << 16, file));
    let (Ok(mut one), Ok(mut other)) = (open(one), open(other)) else { return false };
    loop {
        let (Ok(a), Ok(b)) = (one.fill_buf(), other.fill_buf()) else { return false };
        let length = a.len().min(b.len());
        if a[..length] != b[..length] || (length == 0 && a.len() != b.len()) {
            return false;
        }
        if length == 0 {
            return true;
        }
        one.consume(length);
        other.consume(length);
    }
}
