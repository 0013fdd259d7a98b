//! The definition of a metric, and the registry at work on one run.

use super::{Column, Context, Heading, METRICS, Value};
use crate::sim::{Origin, Record, Recorder};

/// A metric: a fold over the records of one run, or of a group of its requests, and its columns.
pub struct Metric<F: 'static> {
    /// The unique name, in snake_case.
    pub name: &'static str,
    /// What the metric measures and who defined it, in one line.
    pub doc: &'static str,
    /// The columns that it adds to summary.csv.
    pub columns: &'static [Column<F>],
    /// The columns that it adds to groups.csv: those that make sense for a part of the requests, too.
    pub of_groups: &'static [Column<F>],
    /// Whether its fold receives the records of layers ([`Record::Start`], [`Record::Phase`] and [`Record::Finish`]),
    /// which are most of all records and irrelevant to most metrics.
    pub hears_layers: bool,
    /// A fresh fold.
    pub new: fn(&Context) -> F,
}

/// A line of the registry: a metric, whatever its fold.
pub trait MetricEntry: Sync {
    /// The name of the metric.
    fn name(&self) -> &'static str;
    /// What the metric measures.
    fn doc(&self) -> &'static str;
    /// The columns of the metric in a file.
    fn headings(&self, scope: Scope) -> Vec<&'static Heading>;
    /// Whether its fold receives the records of layers.
    fn hears_layers(&self) -> bool;
    /// A fresh fold for a row of a file; `None` if the metric has no columns there.
    fn fold(&self, scope: Scope, context: &Context) -> Option<Box<dyn Fold>>;
}

/// The requests that a row covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All measured requests of a run: summary.csv.
    Run,
    /// A group of measured requests: groups.csv.
    Group,
}

/// A fold at work, with the columns that it fills.
pub trait Fold: Recorder + Send {
    /// One value per column, final once [`Record::End`] was received.
    fn values(&self) -> Vec<Value>;
}

struct Filling<F: 'static> {
    fold: F,
    columns: &'static [Column<F>],
}

impl<F: Recorder> Recorder for Filling<F> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.fold.record(record, origin);
    }
}

impl<F: Recorder + Send> Fold for Filling<F> {
    fn values(&self) -> Vec<Value> {
        Column::row(self.columns, &self.fold).collect()
    }
}

impl<F> Metric<F> {
    fn columns(&self, scope: Scope) -> &'static [Column<F>] {
        match scope {
            Scope::Run => self.columns,
            Scope::Group => self.of_groups,
        }
    }
}

impl<F: Recorder + Send + 'static> MetricEntry for Metric<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn headings(&self, scope: Scope) -> Vec<&'static Heading> {
        self.columns(scope).iter().map(|column| &column.heading).collect()
    }

    fn hears_layers(&self) -> bool {
        self.hears_layers
    }

    fn fold(&self, scope: Scope, context: &Context) -> Option<Box<dyn Fold>> {
        let columns = self.columns(scope);
        (!columns.is_empty()).then(|| Box::new(Filling { fold: (self.new)(context), columns }) as _)
    }
}

/// The whole registry at work on one run, or on a group of its requests.
pub struct Metrics {
    folds: Vec<Box<dyn Fold>>,
    /// The places of the folds that receive the records of layers.
    of_layers: Vec<usize>,
}

impl Metrics {
    /// Fresh folds for a run.
    pub fn new(context: &Context) -> Self {
        Self::of(Scope::Run, context)
    }

    /// Fresh folds for a row of a file.
    pub(super) fn of(scope: Scope, context: &Context) -> Self {
        let mut metrics = Self { folds: Vec::new(), of_layers: Vec::new() };
        for entry in METRICS {
            let Some(fold) = entry.fold(scope, context) else { continue };
            metrics.of_layers.extend(entry.hears_layers().then_some(metrics.folds.len()));
            metrics.folds.push(fold);
        }
        metrics
    }

    /// All columns of summary.csv in the order of the registry.
    pub fn columns() -> impl Iterator<Item = &'static Heading> {
        METRICS.iter().flat_map(|entry| entry.headings(Scope::Run))
    }

    /// One value per column.
    pub fn values(&self) -> Vec<Value> {
        self.folds.iter().flat_map(|fold| fold.values()).collect()
    }
}

impl Recorder for Metrics {
    fn record(&mut self, record: &Record, origin: Origin) {
        match record {
            Record::Start { .. } | Record::Phase { .. } | Record::Finish { .. } => {
                self.of_layers.iter().for_each(|&place| self.folds[place].record(record, origin));
            }
            _ => self.folds.iter_mut().for_each(|fold| fold.record(record, origin)),
        }
    }
}
