//! The entries of a kind: a line for each, a page for one, everything as JSON.

use std::collections::BTreeSet;

use crate::cli::table::{Listing, render};
use crate::cli::wrap::{shortened, wrapped};
use crate::experiment::Error;
use crate::files::did_you_mean;

/// The fewest columns of the text that is cut to fit. Our choice, because fewer would tell nothing.
const LEAST: usize = 24;

/// All entries of a kind.
pub(super) struct Catalogue {
    /// What an entry is called, e.g. `scheduler`.
    pub(super) word: &'static str,
    /// The entries with everything that is known of them.
    pub(super) listing: Listing,
    /// The columns of the list; the text of the last one is cut to fit.
    pub(super) brief: &'static [usize],
    /// The columns in which a name is looked up.
    pub(super) names: &'static [usize],
    /// The column with the parameters, and those of each entry one by one.
    pub(super) parameters: Option<(usize, Vec<Vec<String>>)>,
}

impl Catalogue {
    /// Entries that are found by the first column.
    pub(super) fn new(word: &'static str, listing: Listing, brief: &'static [usize]) -> Self {
        Self { word, listing, brief, names: &[0], parameters: None }
    }

    /// A line per entry, and how to learn the rest.
    pub(super) fn text(&self, kind: &str, width: usize) -> String {
        let cells = |row: &Vec<String>| self.brief.iter().map(|&column| row[column].clone()).collect();
        let mut rows: Vec<Vec<String>> = self.listing.rows.iter().map(cells).collect();
        let titles: Vec<&str> = self.brief.iter().map(|&column| self.listing.columns[column].0).collect();
        let last = titles.len() - 1;
        let longest = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([titles[column].chars().count()]).max().unwrap_or_default()
        };
        // Each column has a blank on either side.
        let others: usize = (0..last).map(|column| longest(column) + 2).sum();
        let room = width.saturating_sub(others + 2).max(LEAST);
        let is_cut = longest(last) > room;
        rows.iter_mut().for_each(|row| row[last] = shortened(&row[last], room));
        let is_number = |place: &usize| self.listing.numbers.contains(&self.brief[*place]);
        let numbers: Vec<usize> = (0..titles.len()).filter(is_number).collect();
        let numbers = numbers.first().map_or(0..0, |&first| first..first + numbers.len());
        render(&titles, numbers, rows)
            + &wrapped(&self.rest(kind, is_cut.then_some(titles[last])), width, "  ")
    }

    /// A sentence on what the list leaves out, if anything.
    fn rest(&self, kind: &str, cut: Option<&str>) -> String {
        let hidden = (0..self.listing.columns.len()).filter(|column| !self.brief.contains(column));
        let hidden = hidden.map(|column| self.listing.columns[column].0);
        let left_out: Vec<&str> = cut.into_iter().chain(hidden).collect();
        match left_out.is_empty() {
            true => String::new(),
            false => format!("`mascot list {kind} NAME` tells the rest: {}\n", left_out.join(", ")),
        }
    }

    /// Keeps the entries of that name.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn only(mut self, name: &str) -> Result<Self, Error> {
        let is_named = |row: &Vec<String>| self.names.iter().any(|&column| row[column] == name);
        let places: Vec<usize> =
            self.listing.rows.iter().enumerate().filter(|(_, row)| is_named(row)).map(|(at, _)| at).collect();
        if places.is_empty() {
            return Err(Error::Usage(self.unknown(name)));
        }
        let chosen = |all: Vec<_>| -> Vec<_> {
            let all = all.into_iter().enumerate();
            all.filter(|(place, _)| places.contains(place)).map(|(_, entry)| entry).collect()
        };
        self.parameters = self.parameters.map(|(column, all)| (column, chosen(all)));
        self.listing.rows = chosen(self.listing.rows);
        Ok(self)
    }

    fn unknown(&self, name: &str) -> String {
        let of = |row: &Vec<String>| self.names.iter().map(|&column| row[column].clone()).collect::<Vec<_>>();
        let known: BTreeSet<String> = self.listing.rows.iter().flat_map(of).collect();
        let hint = did_you_mean(name, &known);
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        format!("no {} `{name}`{hint}; known: {known}", self.word)
    }

    /// A page per entry with everything that is known of it.
    pub(super) fn pages(&self, width: usize) -> String {
        let pages: Vec<String> = (0..self.listing.rows.len()).map(|place| self.page(place, width)).collect();
        pages.join("\n")
    }

    fn page(&self, place: usize, width: usize) -> String {
        let columns = self.listing.columns.iter().map(|(title, _)| *title);
        let label = columns.clone().map(str::len).max().unwrap_or_default() + 2;
        let indent = " ".repeat(label);
        let cells = columns.zip(&self.listing.rows[place]).enumerate();
        let lines = cells.filter(|(_, (_, cell))| !cell.is_empty()).map(|(column, (title, cell))| {
            let items = match &self.parameters {
                Some((of, all)) if *of == column => &all[place],
                _ => std::slice::from_ref(cell),
            };
            let room = width.saturating_sub(label).max(LEAST);
            let texts =
                items.iter().map(|item| wrapped(item, room, "").replace('\n', &format!("\n{indent}")));
            format!("{title:label$}{}\n", texts.collect::<Vec<_>>().join(&format!("\n{indent}")))
        });
        lines.collect()
    }
}
