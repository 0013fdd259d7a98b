//! Evaluates result files: tables, rankings and comparisons, all computed from the CSV files of a run.
//!
//! [`Results`] reads summary.csv and manifest.json of a folder and folds them over seeds. [`rank`](fn@rank) makes one table of
//! its schedulers, [`explain`](fn@explain) says what happened to one request, [`compare`](fn@compare) holds two summaries side by side, and [`Summary`] is the table that a run prints on
//! the terminal.
//!
//! Nothing here simulates or draws; pictures are made in [`crate::report`].

mod choice;
mod compare;
mod csv_file;
mod distinct;
mod explain;
mod folder;
mod numbers;
mod rank;
mod recordings;
mod rows;
mod served;
mod sides;
mod summary;
mod words;

pub(crate) use choice::is_same;
pub use compare::{Comparison, Group, Keys, Pairing, Tolerance, Verdict, compare};
pub(crate) use csv_file::CsvFile;
pub use explain::{
    Answered, Asked, Cause, Explanation, Members, Moved, Others, Ran, Stepped, Use, Wait, Waiting, Way,
    explain, latest,
};
pub(crate) use folder::{Case, Shared};
pub use folder::{Results, Selection};
pub use numbers::{copies, number, spread};
pub use rank::{
    CELL_COLUMNS, OfCell, Question, RankTable, Ranked, Ranking, rank, table as rank_table, to_csv,
};
pub(crate) use served::PARTS;
pub use served::Served;
pub use sides::By;
pub use summary::{Row, Summary};
pub use words::quantity;
