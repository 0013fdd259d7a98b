//! What a column of the results is: its name with the unit at its end, what it holds, which end of it is good, and which
//! requests it is a value of. Whoever adds a column has to say which end is good: tables rank by it.

use serde::Serialize;

/// A column of the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
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

/// The requests that a value per request is of. Who gives requests up improves what is not of all that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// No request in particular, or every counted one with its outcome.
    All,
    /// Energy per counted request, whether it was met or given up.
    Counted,
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
            Self::Counted => "counted",
            Self::Finished => "finished",
            Self::Met => "met",
        }
    }

    /// In a note below a table.
    pub const fn note(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Counted => Some("per counted request, met or not"),
            Self::Finished => Some("of finished requests only"),
            Self::Met => Some("per request that met its deadline"),
        }
    }
}

impl Column {
    /// One of which more is better.
    pub const fn higher(name: &'static str, doc: &'static str) -> Self {
        Self { name, doc, better: Better::Higher, is_share: false, given: Given::All }
    }

    /// One of which less is better.
    pub const fn lower(name: &'static str, doc: &'static str) -> Self {
        Self { better: Better::Lower, ..Self::higher(name, doc) }
    }

    /// One that is neither good nor bad.
    pub const fn undirected(name: &'static str, doc: &'static str) -> Self {
        Self { better: Better::Neither, ..Self::higher(name, doc) }
    }

    /// The same, between 0 and 1.
    pub const fn share(self) -> Self {
        Self { is_share: true, ..self }
    }

    /// The same, of these requests.
    pub const fn given(self, given: Given) -> Self {
        Self { given, ..self }
    }
}
