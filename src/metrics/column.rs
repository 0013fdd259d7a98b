//! A column of the results: its name with the unit at its end, its meaning, its direction (whether high or low values
//! are better), the requests that it covers, and how its value is computed from the subject of a row. Every column has
//! to state its direction, because tables rank by it.

use std::fmt;

use serde::Serialize;

/// The content of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An exact count.
    Count(u64),
    /// A measure; NaN if the run has none, such as a latency when nothing finished.
    Real(f64),
    /// A name, or numbers separated by blanks.
    Text(String),
}

impl Value {
    /// A missing value: an empty cell.
    pub const NONE: Self = Self::Real(f64::NAN);

    /// `sum` / `count`; NaN, rather than infinity, if `count` is 0.
    pub(super) fn per(sum: f64, count: f64) -> Self {
        Self::Real(if count == 0.0 { f64::NAN } else { sum / count })
    }

    /// A flag as 1 or 0.
    pub fn flag(is_set: bool) -> Self {
        Self::Count(u64::from(is_set))
    }

    /// The value as a number; NaN for text.
    pub fn as_f64(&self) -> f64 {
        match self {
            Self::Count(count) => *count as f64,
            Self::Real(real) => *real,
            Self::Text(_) => f64::NAN,
        }
    }
}

/// Formats the value as in a CSV cell: the shortest digits that read back to the same number, and nothing for NaN. A
/// measure has a decimal point or an exponent even if it is whole, so that readers that guess a column's type from its
/// first rows do not take it for a count.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Real(real) if real.is_nan() => Ok(()),
            Self::Real(real) => write!(f, "{real:?}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A column of a result file in which each row describes a `T`: its heading, and how its value is computed.
#[derive(Clone, Copy, Debug)]
pub struct Column<T> {
    /// The name and meaning of the column.
    pub heading: Heading,
    /// Computes the value in the row of a `T`.
    pub value: fn(&T) -> Value,
}

/// The description of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The name, unique over the registry, with the unit at its end.
    pub name: &'static str,
    /// What the column holds.
    pub doc: &'static str,
    /// Whether high or low values are better.
    pub better: Better,
    /// Whether the value lies between 0 and 1 by definition.
    pub is_share: bool,
    /// The requests over which the value is a mean or a percentile.
    pub given: Given,
}

/// The direction of a column: whether high or low values are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// High values are better.
    Higher,
    /// Low values are better.
    Lower,
    /// The value describes the run and is neither good nor bad.
    Neither,
}

impl Better {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
            Self::Neither => "-",
        }
    }

    /// The factor that makes the best value the largest; without a direction, the highest counts as best.
    pub const fn sign(self) -> f64 {
        match self {
            Self::Higher | Self::Neither => 1.0,
            Self::Lower => -1.0,
        }
    }
}

/// The requests that a value per request covers. A mean over finished requests flatters a scheduler that drops others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// No particular requests, or every measured one with its outcome.
    All,
    /// All measured requests, met or given up.
    Measured,
    /// Finished requests; the others have no latency.
    Finished,
    /// Requests that met their deadline.
    Met,
}

impl Given {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "-",
            Self::Measured => "measured",
            Self::Finished => "finished",
            Self::Met => "met",
        }
    }

    /// The text in a note below a table.
    pub const fn note(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Measured => Some("per measured request, met or not"),
            Self::Finished => Some("of finished requests only"),
            Self::Met => Some("per request that met its deadline"),
        }
    }
}

impl<T> Column<T> {
    /// A column in which higher is better.
    pub const fn higher(name: &'static str, doc: &'static str, value: fn(&T) -> Value) -> Self {
        Self::new(name, doc, Better::Higher, value)
    }

    /// A column in which lower is better.
    pub const fn lower(name: &'static str, doc: &'static str, value: fn(&T) -> Value) -> Self {
        Self::new(name, doc, Better::Lower, value)
    }

    /// A column that is neither good nor bad.
    pub const fn undirected(name: &'static str, doc: &'static str, value: fn(&T) -> Value) -> Self {
        Self::new(name, doc, Better::Neither, value)
    }

    const fn new(name: &'static str, doc: &'static str, better: Better, value: fn(&T) -> Value) -> Self {
        Self { heading: Heading { name, doc, better, is_share: false, given: Given::All }, value }
    }

    /// The same column, with values between 0 and 1.
    pub const fn share(mut self) -> Self {
        self.heading.is_share = true;
        self
    }

    /// The same column, over these requests.
    pub const fn given(mut self, given: Given) -> Self {
        self.heading.given = given;
        self
    }

    /// The cells of a row.
    pub fn row<'a>(columns: &'a [Self], of: &'a T) -> impl Iterator<Item = Value> + 'a {
        columns.iter().map(|column| (column.value)(of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_read_back_to_the_same_number_and_are_empty_without_one() {
        assert_eq!(Value::Count(7).to_string(), "7");
        assert_eq!(Value::Real(0.1 + 0.2).to_string(), "0.30000000000000004");
        assert_eq!([1.0, 1e-9].map(|v| Value::Real(v).to_string()), ["1.0", "1e-9"]);
        assert_eq!(Value::per(0.0, 0.0).to_string(), "");
        assert_eq!(Value::per(5.0, 0.0).to_string(), "");
    }
}
