//! The rows of results that a question is about, and errors about names that the files do not have.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use super::rows::Row;
use crate::experiment::{Error, KEYS};
use crate::files::did_you_mean;

/// Names of files in a message.
pub(super) struct Files<'a>(pub(super) &'a [PathBuf]);

impl fmt::Display for Files<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (place, path) in self.0.iter().enumerate() {
            write!(f, "{}{}", if place == 0 { "" } else { ", " }, path.display())?;
        }
        Ok(())
    }
}

/// Checks that a name is among those that the files have.
pub(super) fn check(files: impl fmt::Display, what: &str, name: &str, known: &[&str]) -> Result<(), Error> {
    if known.contains(&name) {
        return Ok(());
    }
    let hint = did_you_mean(name, known);
    Err(Error::Usage(format!("{files} has no {what} `{name}`{hint}; known: {}", known.join(", "))))
}

/// The indices of the keys that have a value in some row.
pub(super) fn told<'a>(rows: impl IntoIterator<Item = &'a Row> + Clone) -> Vec<usize> {
    let has = |place: usize| rows.clone().into_iter().any(|row| !row.keys[place].is_empty());
    (0..KEYS.len()).filter(|&place| has(place)).collect()
}

/// The names of keys.
pub(super) fn names(places: &[usize]) -> Vec<&'static str> {
    places.iter().map(|&place| KEYS[place]).collect()
}

/// The index of a key that was checked to exist.
pub(super) fn place(key: &str) -> usize {
    KEYS.iter().position(|known| *known == key).expect("a key column")
}

/// Whether two values of a key are the same, as text or as numbers.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let numbers = (one.parse::<f64>(), other.parse::<f64>());
    one == other || matches!(numbers, (Ok(one), Ok(other)) if one == other)
}

/// Checks that the wanted values of keys are in the rows.
///
/// # Errors
/// The rows lack a key or a value.
pub(super) fn check_wanted<'a>(
    files: impl fmt::Display,
    rows: impl IntoIterator<Item = &'a Row> + Clone,
    wanted: &[(String, String)],
) -> Result<(), Error> {
    let keys = names(&told(rows.clone()));
    for (key, value) in wanted {
        check(&files, "key", key, &keys)?;
        let known: BTreeSet<&str> = rows.clone().into_iter().map(|row| &row.keys[place(key)][..]).collect();
        if !known.iter().any(|one| is_same(one, value)) {
            check(&files, key, value, &known.into_iter().collect::<Vec<_>>())?;
        }
    }
    Ok(())
}

/// Keeps the rows that have one of the wanted values in each of the keys, which were checked to exist.
///
/// # Errors
/// No row is left.
pub(super) fn only(
    files: impl fmt::Display,
    mut rows: Vec<Row>,
    wanted: &[(String, String)],
) -> Result<Vec<Row>, Error> {
    let mut values: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    wanted.iter().for_each(|(key, value)| values.entry(place(key)).or_default().push(value));
    let is_wanted = |row: &Row, (place, values): (&usize, &Vec<&str>)| {
        values.iter().any(|value| is_same(&row.keys[*place], value))
    };
    rows.retain(|row| values.iter().all(|of_key| is_wanted(row, of_key)));
    match rows.is_empty() {
        false => Ok(rows),
        true => Err(Error::Usage(format!("{files}: no row has all these values"))),
    }
}
