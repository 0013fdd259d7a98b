//! The two sides of a comparison: the rows of two files, or those of one file with either of two values of a key.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::choice::{Files, check, check_wanted, is_same, names, only, place, told};
use super::compare::Pairing;
use super::folder::OwnPace;
use super::rows::{Row, Rows, all_rows};
use crate::experiment::{BOUND, Error, KEYS, SCHEDULER, SEED};
use crate::files::quoted;

/// The key that tells the sides apart, and its value on each of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct By {
    /// The key.
    pub key: &'static str,
    /// Its value in the rows that are compared with.
    pub a: String,
    /// Its value in the rows that are judged.
    pub b: String,
}

/// What is compared.
pub(super) struct Sides {
    /// The rows of either side; no two of a side have the same keys.
    pub(super) rows: [Vec<Row>; 2],
    /// The number of rows that occur more than once in a file.
    pub(super) copies: usize,
    /// The scenarios that fix absolute arrival rates.
    pub(super) paced: OwnPace,
    pub(super) by: Option<By>,
}

impl Sides {
    /// Reads the rows.
    ///
    /// # Errors
    /// A file cannot be read, or lacks the metric, the key or a value; or it is open which values of the key are
    /// compared.
    pub(super) fn read(a: &Path, b: Option<&Path>, asked: &Pairing) -> Result<Self, Error> {
        let paths: Vec<PathBuf> = [Some(a), b].into_iter().flatten().map(Path::to_path_buf).collect();
        let files = paths.iter().map(|path| all_rows(std::slice::from_ref(path), Some(asked.metric)));
        let files = files.collect::<Result<Vec<Rows>, Error>>()?;
        let copies = files.iter().map(|rows| rows.copies).sum();
        let paced = files.iter().map(|rows| OwnPace::of(&rows.all)).reduce(|one, other| one.and(&other));
        let paced = paced.expect("there is a file");
        let all = files.iter().flat_map(|rows| &rows.all);
        check_wanted(Files(&paths), all.clone(), asked.only)?;
        let key = asked.by.map(|by| key(&paths, all, by)).transpose()?;
        let files = files.into_iter().zip(&paths).map(|(rows, path)| {
            Ok(OfFile { path, rows: only(path.display(), rows.all, asked.only)?, wanted: asked.only })
        });
        let files = files.collect::<Result<Vec<OfFile>, Error>>()?;
        let (rows, by) = match (key, <[OfFile; 2]>::try_from(files)) {
            (None, Ok(files)) => (files.map(|file| file.rows), None),
            (Some(key), Ok(files)) => of_two(files, key)?,
            (Some(key), Err(mut one)) => one.remove(0).halves(key)?,
            (None, Err(_)) => return Err(Error::Usage(format!("{}: {ONE_FILE}", Files(&paths)))),
        };
        Ok(Self { rows, copies, paced, by })
    }
}

const ONE_FILE: &str = "compared with what? Name a second folder, or with --by a key of which this one has two values, \
                        e.g. --by scheduler";

/// The index of the key by which sides are told apart.
fn key<'a>(
    paths: &[PathBuf],
    rows: impl IntoIterator<Item = &'a Row> + Clone,
    name: &str,
) -> Result<usize, Error> {
    let known: Vec<usize> = told(rows).into_iter().filter(|place| *place != SEED).collect();
    check(Files(paths), "key that tells rows apart", name, &names(&known))?;
    Ok(place(name))
}

/// The wanted rows of a file.
struct OfFile<'a> {
    path: &'a Path,
    rows: Vec<Row>,
    wanted: &'a [(String, String)],
}

type Chosen = ([Vec<Row>; 2], Option<By>);

/// The rows of two files. If two values of the key are wanted, one file has the first and the other the second.
fn of_two([a, b]: [OfFile; 2], key: usize) -> Result<Chosen, Error> {
    let values = match a.named(key)[..] {
        [one, other] => [one.to_string(), other.to_string()],
        _ => [a.only_value(key)?, b.only_value(key)?],
    };
    let [of_a, of_b] = values;
    Ok(([a.with(key, &of_a)?, b.with(key, &of_b)?], Some(By { key: KEYS[key], a: of_a, b: of_b })))
}

impl OfFile<'_> {
    /// The wanted values of a key, in the order in which they were named.
    fn named(&self, key: usize) -> Vec<&str> {
        let of_key = self.wanted.iter().filter(|(name, _)| name == KEYS[key]);
        of_key.map(|(_, value)| &value[..]).collect()
    }

    /// The values of a key in the order of the file; bounds are of no scheduler.
    fn values(&self, key: usize) -> Vec<&str> {
        let mut values: Vec<&str> = Vec::new();
        for row in self.rows.iter().filter(|row| key != SCHEDULER || row.keys[SCHEDULER] != BOUND) {
            if !values.contains(&&row.keys[key][..]) {
                values.push(&row.keys[key]);
            }
        }
        values
    }

    fn only_value(&self, key: usize) -> Result<String, Error> {
        match self.values(key)[..] {
            [one] => Ok(one.to_string()),
            _ => Err(self.open(
                key,
                "choose one for both folders with",
                1,
                "; if two are given, the first is that of the first folder",
            )),
        }
    }

    /// The rows with either of two values of a key.
    fn halves(self, key: usize) -> Result<Chosen, Error> {
        let values = if self.named(key).len() == 2 { self.named(key) } else { self.values(key) };
        let [a, b] = match values[..] {
            [a, b] => [a, b].map(str::to_string),
            _ => return Err(self.open(key, "choose two with", 2, "")),
        };
        let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
        for row in self.rows {
            match &row.keys[key] {
                value if is_same(value, &a) => of_a.push(row),
                value if is_same(value, &b) => of_b.push(row),
                _ => {}
            }
        }
        Ok(([of_a, of_b], Some(By { key: KEYS[key], a, b })))
    }

    /// The rows with a value of a key.
    fn with(self, key: usize, value: &str) -> Result<Vec<Row>, Error> {
        let Self { path, mut rows, .. } = self;
        rows.retain(|row| is_same(&row.keys[key], value));
        match rows.is_empty() {
            false => Ok(rows),
            true => Err(Error::Usage(format!("{}: no row has {}={value}", path.display(), KEYS[key]))),
        }
    }

    /// The error that does not know which values of a key are meant.
    fn open(&self, key: usize, choose: &str, count: usize, more: &str) -> Error {
        let (name, values) = (KEYS[key], self.values(key));
        let path = self.path.display();
        if values.len() < 2 {
            let only = values.first().copied().unwrap_or_default();
            return Error::Usage(format!("{path}: `{name}` is {only} in all rows: name a second folder"));
        }
        let example: Vec<String> =
            values.iter().take(count).map(|v| format!("--only {}", quoted(&format!("{name}={v}")))).collect();
        let (known, example) = (values.join(", "), example.join(" "));
        Error::Usage(format!(
            "{path}: `{name}` has {} values: {known}; {choose} {example}{more}",
            values.len()
        ))
    }
}
