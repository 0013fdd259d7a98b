//! The part of a trace that a run needs, in memory.

use super::{Labels, Row, Rows, TraceKeys};
use crate::files::InputError;
use crate::units::Time;
use crate::workload::stream::MAX_REQUESTS;

/// The part of a trace that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The first requests, by number.
    pub requests: usize,
    /// The requests before a time.
    pub until: Time,
}

impl Default for Reach {
    /// One request more than a run may have, so that a trace that is too long is noticed.
    fn default() -> Self {
        Self { requests: MAX_REQUESTS + 1, until: Time::MAX }
    }
}

/// The first requests of a trace in order of time: all of them, or as many as are needed. The rest of the file is not
/// read.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The requests.
    pub rows: Vec<Row>,
    /// Notes for the user about parts of the file that were left out.
    pub left_out: Vec<String>,
    /// The names behind the rows.
    pub labels: Labels,
}

impl Recording {
    /// Reads as many requests as a run may have.
    pub fn read(keys: &TraceKeys) -> Result<Self, InputError> {
        Self::read_first(keys, &Reach::default())
    }

    /// Reads as far as is needed; bad rows up to there are errors, and so are names in `map` that a file that ends before
    /// does not have.
    pub fn read_first(keys: &TraceKeys, reach: &Reach) -> Result<Self, InputError> {
        let (mut from, mut rows) = (Rows::open(keys)?, Vec::new());
        while rows.len() < reach.requests {
            match from.advance()? {
                Some(row) if row.time < reach.until => rows.push(row),
                _ => break,
            }
        }
        Ok(Self { rows, left_out: from.left_out, labels: from.labels })
    }
}
