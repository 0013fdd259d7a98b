//! The report of a training: the curves of `log.csv`, with the baselines as horizontal lines; [`several`] draws trainings
//! in one picture.

mod log;
pub(super) mod several;

use std::path::Path;

use self::log::{Finished, Log};
use super::chart::{Axis, Chart, Intervals, Lines, Scale, Series, WIDTH};
use super::figures::{Data, Picture, Section, cell};
use super::page::Page;
use super::svg::Style;
use super::view::View;
use crate::experiment::Error;
use crate::policy::Manifest;
use crate::train::LOG;

/// Whether `mascot train` wrote into a folder, and `mascot run` did not.
pub(super) fn is_in(folder: &Path) -> bool {
    folder.join(LOG).is_file() && !folder.join("summary.csv").is_file()
}

/// The page of a training.
///
/// # Errors
/// The log or the manifest of the policy is missing or damaged, or the view chooses what only a run has.
pub(super) fn page(folder: &Path, view: &View) -> Result<Page, Error> {
    check(view)?;
    let Finished { log, manifest, step, rate, file, text, .. } = Finished::read(folder)?;
    let steps = log.column("step").len();
    let decisions: f64 = log.column("decisions").iter().sum();
    let facts = vec![
        format!("{steps} steps, {} plays", log.column("plays").last().copied().unwrap_or_default()),
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
        origin: (file, text),
    })
}

/// Checks that the view asks for nothing that only runs have.
fn check(view: &View) -> Result<(), Error> {
    if view.is_chosen() || view.x.is_some() || view.facet.is_some() || !view.only.is_empty() {
        let message = "keys and metrics choose among the results of `mascot run`: these are of a training";
        return Err(Error::Usage(message.into()));
    }
    Ok(())
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
    let rate = picture("validation-rate", "SLA rate on the validation seeds", ["step", "SLA rate"], series);
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
        ("gradient_norm", "Norm of the gradient", "norm before clipping"),
        ("saturation", "Outputs beyond the range in which they have an effect", "share"),
        ("sigma", "Noise of the exploration", "standard deviation"),
        ("learning_rate", "Learning rate", "learning rate"),
    ];
    let text = "Figures on the training traces, which are new in every step.".to_string();
    let pictures = told.map(|(column, title, y)| alone(log, column, title, y));
    Section { name: "learning".into(), title: "Learning".into(), text, pictures: pictures.into() }
}

/// A picture with one column of the log.
fn alone(log: &Log, column: &str, title: &str, y_title: &'static str) -> Picture {
    let points = log.points(column);
    let series = vec![Series {
        style: Style(0),
        label: column.replace('_', " "),
        is_faint: false,
        points,
        has_markers: false,
    }];
    picture(&column.replace('_', "-"), title, ["step", y_title], series)
}

/// A picture of lines, with its data; the data have intervals if the lines have.
fn picture(name: &str, title: &str, [x_title, y_title]: [&'static str; 2], series: Vec<Series>) -> Picture {
    let all = || series.iter().flat_map(|of| &of.points);
    let has_intervals = all().any(|(.., interval)| interval.is_some());
    let ends = if has_intervals { &["low95", "high95"][..] } else { &[] };
    let mut data = Data::new(&[&["series", x_title, "value"], ends].concat());
    for of in &series {
        let row = |(x, value, interval): &(f64, f64, Option<[f64; 2]>)| {
            let ends = interval.map_or([None; 2], |interval| interval.map(Some)).map(cell);
            let ends = ends.into_iter().filter(|_| has_intervals);
            [of.label.clone(), cell(Some(*x)), cell(Some(*value))].into_iter().chain(ends).collect()
        };
        data.rows.extend(of.points.iter().map(row));
    }
    let values = all().flat_map(|(_, value, interval)| interval.unwrap_or([*value; 2]));
    let x = Axis::new(Scale::around(all().map(|p| p.0)), x_title);
    let y = Axis::new(Scale::around(values), y_title);
    let chart = Lines { x, y, series, intervals: Intervals::Bands, width: WIDTH };
    Picture { name: name.into(), title: title.into(), chart: Chart::Lines(chart), data }
}
