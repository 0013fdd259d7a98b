//! The report of a training: the curves of `log.csv`, with the baselines as horizontal lines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::chart::{Axis, Chart, Intervals, Lines, Scale, Series, WIDTH};
use super::figures::{Data, Picture, Section, cell};
use super::page::Page;
use super::svg::Style;
use super::view::View;
use crate::experiment::Error;
use crate::files::{InputError, Record, Source};
use crate::policy::{Manifest, Policy};
use crate::results::CsvFile;
use crate::train::LOG;

/// Whether `mascot train` wrote into a folder, and `mascot run` did not.
pub(super) fn is_in(folder: &Path) -> bool {
    folder.join(LOG).is_file() && !folder.join("summary.csv").is_file()
}

/// The log by column; NaN where a step has no value.
struct Log {
    columns: BTreeMap<String, Vec<f64>>,
}

/// The page of a training.
///
/// # Errors
/// The log or the manifest of the policy is missing or damaged, or the view chooses what only a run has.
pub(super) fn page(folder: &Path, view: &View) -> Result<Page, Error> {
    if view.is_chosen() || view.x.is_some() || view.facet.is_some() || !view.only.is_empty() {
        let message = "keys and metrics choose among the results of `mascot run`: these are of a training";
        return Err(Error::Usage(message.into()));
    }
    let log = Log::read(&folder.join(LOG))?;
    let source = Source::read(&policy_in(folder)?)?;
    let manifest: Manifest = source.parse()?;
    let (Some(step), Some(rate)) = (manifest.generations, manifest.validation_sla_rate) else {
        let message =
            "without `generations` or `validation_sla_rate`: expected the policy that `mascot train` wrote";
        return Err(source.error_at_top(message).into());
    };
    let file = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let steps = log.column("step").len();
    let decisions: f64 = log.column("decisions").iter().sum();
    let facts = vec![
        format!("{steps} steps"),
        format!("{:.1} million decisions", decisions / 1e6),
        format!("SLA rate {rate:.4} on the validation seeds with the weights that are kept"),
        format!("mascot {}", manifest.version),
    ];
    Ok(Page {
        title: format!("{} learns {}", manifest.kind, manifest.system),
        facts,
        sections: vec![validation(&log, &manifest, step), learning(&log)],
        ranking: None,
        means: None,
        judged_by: "",
        formats: view.extensions(),
        origin: (file, source.text),
    })
}

/// The file of the only policy in the folder.
fn policy_in(folder: &Path) -> Result<PathBuf, Error> {
    let entries = std::fs::read_dir(folder).map_err(|e| InputError::file(folder, e))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths
        .retain(|path| path.extension().is_some_and(|e| e == "toml") && Policy::weights_path(path).is_file());
    match &paths[..] {
        [path] => Ok(path.clone()),
        _ => {
            let message =
                format!("{} policies: expected the one that `mascot train` wrote beside {LOG}", paths.len());
            Err(InputError::file(folder, message).into())
        }
    }
}

impl Log {
    fn read(path: &Path) -> Result<Self, Error> {
        let mut file = CsvFile::open(path)?;
        for needed in ["step", "decisions", "validation_rate"] {
            file.column(needed)?;
        }
        let names: Vec<(usize, String)> =
            file.named().map(|(place, name)| (place, name.to_string())).collect();
        let mut columns: BTreeMap<String, Vec<f64>> =
            names.iter().map(|(_, name)| (name.clone(), Vec::new())).collect();
        let mut record = Record::default();
        while file.read(&mut record)? {
            for (place, name) in &names {
                let value = file.number(&record, *place)?;
                columns.get_mut(name).expect("made from the names").push(value);
            }
        }
        if columns["step"].is_empty() {
            return Err(InputError::file(path, "no rows: expected the log of a training").into());
        }
        Ok(Self { columns })
    }

    fn column(&self, name: &str) -> &[f64] {
        self.columns.get(name).map_or(&[], |values| values)
    }

    /// The points of a column against steps, where it has a value.
    fn points(&self, name: &str) -> Vec<(f64, f64, Option<[f64; 2]>)> {
        let pairs = self.column("step").iter().zip(self.column(name));
        pairs.filter(|(_, value)| value.is_finite()).map(|(step, value)| (*step, *value, None)).collect()
    }
}

/// The section on the policy, whose weights are those after a step, and the baselines on the validation seeds.
fn validation(log: &Log, manifest: &Manifest, step: u64) -> Section {
    let (points, steps) = (log.points("validation_rate"), log.column("step"));
    let passed =
        manifest.baselines.iter().map(|(name, rate)| match points.iter().find(|(_, own, _)| own > rate) {
            Some((step, ..)) => format!("{name} after step {step}"),
            None => format!("{name} never"),
        });
    let text = format!(
        "Mean SLA rate on the validation seeds, which are not used for training. It passes {}. The weights of the \
         best fitness are kept: those after step {step}.",
        passed.collect::<Vec<_>>().join(", "),
    );
    let ends = [steps[0], steps[steps.len() - 1]];
    let own =
        Series { style: Style(0), label: manifest.kind.clone(), is_faint: false, points, has_markers: true };
    let others = manifest.baselines.iter().zip(1..).map(|((name, &rate), rank)| Series {
        style: Style(rank),
        label: name.clone(),
        is_faint: false,
        points: ends.map(|step| (step, rate, None)).to_vec(),
        has_markers: false,
    });
    let series = std::iter::once(own).chain(others).collect();
    let rate = picture("validation-rate", "SLA rate on the validation seeds", "SLA rate", series);
    let fitness =
        alone(log, "validation_fitness", "Fitness on the validation seeds", "share of misses avoided");
    Section { name: "validation".into(), title: "Validation".into(), text, pictures: vec![rate, fitness] }
}

/// The section on the learner's own figures.
fn learning(log: &Log) -> Section {
    let told = [
        ("mean_rate", "SLA rate of the candidates", "SLA rate"),
        ("mean_fitness", "Mean fitness of the candidates", "share of misses avoided"),
        ("best_candidate_fitness", "Fitness of the best candidate", "share of misses avoided"),
        ("reward", "Reward", "mean reward of a run"),
        ("critic_loss", "Loss of the critic", "mean squared error"),
        ("actor_loss", "Loss of the actor", "- value of its answers"),
    ];
    let text = "Figures on the training traces, which are new in every step.".to_string();
    let pictures = told.map(|(column, title, y)| alone(log, column, title, y));
    Section { name: "learning".into(), title: "Learning".into(), text, pictures: pictures.into() }
}

/// A picture with one column of the log.
fn alone(log: &Log, column: &str, title: &str, y_title: &str) -> Picture {
    let points = log.points(column);
    let series = vec![Series {
        style: Style(0),
        label: column.replace('_', " "),
        is_faint: false,
        points,
        has_markers: false,
    }];
    picture(&column.replace('_', "-"), title, y_title, series)
}

fn picture(name: &str, title: &str, y_title: &str, series: Vec<Series>) -> Picture {
    let mut data = Data::new(&["series", "step", "value"]);
    for of in &series {
        let rows = of
            .points
            .iter()
            .map(|(step, value, _)| vec![of.label.clone(), cell(Some(*step)), cell(Some(*value))]);
        data.rows.extend(rows);
    }
    let all = || series.iter().flat_map(|of| &of.points);
    let x = Axis::new(Scale::around(all().map(|p| p.0)), "step");
    let y = Axis::new(Scale::around(all().map(|p| p.1)), y_title);
    let chart = Lines { x, y, series, intervals: Intervals::Bands, width: WIDTH };
    Picture { name: name.into(), title: title.into(), chart: Chart::Lines(chart), data }
}
