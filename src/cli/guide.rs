//! `mascot guide`: the user's guide, which an installed program carries.

use clap::Args;

use super::table::Listing;
use crate::experiment::Error;
use crate::files::did_you_mean;
use crate::guide::{CHAPTERS, Chapter};

#[derive(Args)]
pub(super) struct Options {
    /// The chapter to print, as Markdown [default: list the chapters]
    chapter: Option<String>,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let Some(name) = &options.chapter else {
        let row = |of: &Chapter| vec![of.name.to_string(), of.about.to_string()];
        let rows = CHAPTERS.iter().map(row).collect();
        let columns = &[("chapter", "chapter"), ("what it is about", "about")];
        let listing = Listing { columns, numbers: 0..0, rows };
        return super::print(
            &(listing.text()
                + "`mascot guide CHAPTER` prints one, `mascot guide CHAPTER | less` page by page\n"),
        );
    };
    match CHAPTERS.iter().find(|chapter| chapter.name == name) {
        Some(chapter) => super::print(&text(chapter)),
        None => {
            let names: Vec<&str> = CHAPTERS.iter().map(|chapter| chapter.name).collect();
            let hint = did_you_mean(name, &names);
            Err(Error::Usage(format!("no chapter `{name}`{hint}; there are {}", names.join(", "))))
        }
    }
}

/// A chapter without the comments that mark its generated tables, and without the definitions of its links.
fn text(chapter: &Chapter) -> String {
    let is_for_machines =
        |line: &&str| line.starts_with("<!--") || (line.starts_with('[') && line.contains("]: "));
    let lines = chapter.text.lines().filter(|line| !is_for_machines(line));
    lines.map(|line| format!("{line}\n")).collect::<String>().trim_end().to_string() + "\n"
}
