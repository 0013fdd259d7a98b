//! How busy each accelerator is, from accelerators.csv; and, for maps, each link.

use std::collections::BTreeMap;

use super::{Data, Section, cell};
use crate::experiment::{Error, SCHEDULER};
use crate::files::Record;
use crate::report::chart::{Chart, Matrix};
use crate::results::{Case, CsvFile, Results};
use crate::sweep::mean;

const TEXT: &str = "Share of the measurement window in which an accelerator runs a layer, slowed by contention or not: \
                    mean over seeds.";

const NONE: &str = "There is no accelerators.csv beside the summary.";

/// Values by case, scheduler and accelerator, or link; these are in order of appearance.
#[derive(Default)]
pub(super) struct Utilization {
    samples: BTreeMap<(usize, usize, usize), Vec<f64>>,
    /// The names of the accelerators, by case.
    accelerators: BTreeMap<usize, Vec<String>>,
}

pub(super) fn section(results: &Results) -> Result<Section, Error> {
    let all = Utilization::read(results, "accelerators.csv", &["accelerator"])?;
    let text = if all.is_some() { TEXT } else { NONE };
    let all = all.unwrap_or_default();
    let picture = |case: &Case| all.picture(results, case);
    Ok(Section::of_cases(results, "utilization", "Utilisation of accelerators", text, picture))
}

impl Utilization {
    /// Reads the column `utilization` of a file, whose rows are told apart by `names`; `None` if there is no such file.
    pub(super) fn read(results: &Results, file: &str, names: &[&str]) -> Result<Option<Self>, Error> {
        let path = results.folder.join(file);
        if !path.exists() {
            return Ok(None);
        }
        let mut all = Self::default();
        let mut file = CsvFile::open(&path)?;
        let names = names.iter().map(|name| file.column(name)).collect::<Result<Vec<_>, _>>()?;
        let utilization = file.column("utilization")?;
        let mut record = Record::default();
        while file.read(&mut record)? {
            let value = file.number(&record, utilization)?;
            let name = Self::name(names.iter().map(|place| record.get(*place)));
            all.add(results, &file.keys(&record), &name, value);
        }
        Ok(Some(all))
    }

    /// The name of a row that several columns tell apart.
    pub(super) fn name<'a>(of: impl IntoIterator<Item = &'a str>) -> String {
        of.into_iter().collect::<Vec<_>>().join(" - ")
    }

    /// The mean over the seeds of a case under a scheduler.
    pub(super) fn mean(&self, results: &Results, case: &Case, scheduler: usize, name: &str) -> Option<f64> {
        let place = results.case_of(&case.keys)?;
        let column = self.accelerators.get(&place)?.iter().position(|known| known == name)?;
        self.samples.get(&(place, scheduler, column)).and_then(|all| mean(all))
    }

    fn add(&mut self, results: &Results, keys: &[String], accelerator: &str, value: f64) {
        let scheduler = &keys[SCHEDULER];
        let (Some(case), Some(scheduler)) = (results.case_of(keys), results.scheduler(scheduler)) else {
            return;
        };
        let accelerators = self.accelerators.entry(case).or_default();
        let place = accelerators.iter().position(|known| known == accelerator).unwrap_or_else(|| {
            accelerators.push(accelerator.to_string());
            accelerators.len() - 1
        });
        self.samples.entry((case, scheduler, place)).or_default().push(value);
    }

    fn picture(&self, results: &Results, case: &Case) -> Option<(Chart, Data)> {
        let place = results.case_of(&case.keys)?;
        let columns = self.accelerators.get(&place)?.clone();
        let mut data = Data::new(&["case", "load", "scheduler", "accelerator", "utilization"]);
        let (mut rows, mut values) = (Vec::new(), Vec::new());
        for scheduler in super::best_first(results, case) {
            let label = &results.schedulers[scheduler];
            let of = |column: usize| self.samples.get(&(place, scheduler, column)).and_then(|all| mean(all));
            let row: Vec<Option<f64>> = (0..columns.len()).map(of).collect();
            for (accelerator, value) in columns.iter().zip(&row) {
                let told =
                    [case.title.clone(), cell(case.load), label.clone(), accelerator.clone(), cell(*value)];
                data.rows.push(told.to_vec());
            }
            rows.push(label.clone());
            values.push(row);
        }
        Some((Chart::Matrix(Matrix { rows, columns, values }), data))
    }
}
