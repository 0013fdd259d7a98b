//! What a column of the results is: its name with the unit at its end, what it holds, which end of it is good, which
//! requests it is a value of, and how its value follows from that which a row is of. Whoever adds a column has to say which
//! end is good: tables rank by it.

use std::fmt;

use serde::Serialize;

/// The content of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An exact count.
    Count(u64),
    /// A measure; not a number where the run gives none, such as a latency when nothing finished.
    Real(f64),
    /// A name, or numbers with blanks between.
    Text(String),
}

impl Value {
    /// Of what there is not: an empty cell.
    pub const NONE: Self = Self::Real(f64::NAN);

    /// `sum` per `count`: not a number, rather than infinite, where there is nothing to divide by.
    pub(super) fn per(sum: f64, count: f64) -> Self {
        Self::Real(if count == 0.0 { f64::NAN } else { sum / count })
    }

    /// 1 or 0.
    pub fn flag(is_set: bool) -> Self {
        Self::Count(u64::from(is_set))
    }

    /// The value as a number; text is none.
    pub fn as_f64(&self) -> f64 {
        match self {
            Self::Count(count) => *count as f64,
            Self::Real(real) => *real,
            Self::Text(_) => f64::NAN,
        }
    }
}

/// As in a CSV cell: the shortest digits that read back to the same number, and nothing for what is not a number. A measure
/// has a decimal point or an exponent also where it is whole, so that readers that guess a column's type from its first
/// rows do not take it for a count.
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

/// A column of a result file whose rows are of a `T` each: a name and how its value is computed, in one place.
#[derive(Clone, Copy, Debug)]
pub struct Column<T> {
    /// What it is called and means.
    pub heading: Heading,
    /// Its value in the row of a `T`.
    pub value: fn(&T) -> Value,
}

/// What tables say of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Unique over the registry, with the unit at its end.
    pub name: &'static str,
    /// What it holds.
    pub doc: &'static str,
    /// Which end of it is good.
    pub better: Better,
    /// Whether it lies between 0 and 1 by definition.
    pub is_share: bool,
    /// What it is a mean or a percentile over.
    pub given: Given,
}

/// Which values of a column are the good ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The high ones.
    Higher,
    /// The low ones.
    Lower,
    /// It says what happened, which is neither good nor bad.
    Neither,
}

impl Better {
    /// For tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
            Self::Neither => "-",
        }
    }

    /// What a value has to be multiplied with for the best to be the largest; without a direction the highest is first.
    pub const fn sign(self) -> f64 {
        match self {
            Self::Higher | Self::Neither => 1.0,
            Self::Lower => -1.0,
        }
    }
}

/// The requests that a value per request is of. A mean over finished requests flatters a scheduler that drops others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// No request in particular, or every measured one with its outcome.
    All,
    /// Energy per measured request, whether it was met or given up.
    Measured,
    /// Those that were finished: of the others there is no latency.
    Finished,
    /// Those that met their deadline.
    Met,
}

impl Given {
    /// For tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "-",
            Self::Measured => "measured",
            Self::Finished => "finished",
            Self::Met => "met",
        }
    }

    /// In a note below a table.
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
    /// One of which more is better.
    pub const fn higher(name: &'static str, doc: &'static str, value: fn(&T) -> Value) -> Self {
        Self::new(name, doc, Better::Higher, value)
    }

    /// One of which less is better.
    pub const fn lower(name: &'static str, doc: &'static str, value: fn(&T) -> Value) -> Self {
        Self::new(name, doc, Better::Lower, value)
    }

    /// One that is neither good nor bad.
    pub const fn undirected(name: &'static str, doc: &'static str, value: fn(&T) -> Value) -> Self {
        Self::new(name, doc, Better::Neither, value)
    }

    const fn new(name: &'static str, doc: &'static str, better: Better, value: fn(&T) -> Value) -> Self {
        Self { heading: Heading { name, doc, better, is_share: false, given: Given::All }, value }
    }

    /// The same, between 0 and 1.
    pub const fn share(mut self) -> Self {
        self.heading.is_share = true;
        self
    }

    /// The same, of these requests.
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
