//! The report of several trainings: the SLA rate on the validation seeds against the plays that each training has had, a line
//! per setting. Trainings that differ in their seed alone are one line, with an interval over the trainings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::log::Finished;
use super::{check, picture};
use crate::experiment::Error;
use crate::files::InputError;
use crate::report::chart::Series;
use crate::report::figures::Section;
use crate::report::page::Page;
use crate::report::svg::Style;
use crate::report::view::View;
use crate::sweep::{Estimate, Range};
use crate::train::settings;

/// The settings of a training by key.
type Settings = BTreeMap<String, String>;

/// Trainings that differ in their seed alone.
struct Setting {
    settings: Settings,
    trainings: Vec<Finished>,
}

/// The page of several trainings.
///
/// # Errors
/// A folder has no training, or another number or order of plays than one that differs from it in its seed alone; or the view
/// chooses what only a run has.
pub(in crate::report) fn page(folders: &[PathBuf], view: &View) -> Result<Page, Error> {
    check(view)?;
    let groups = groups(folders)?;
    let labels = labels(&groups);
    let kinds: BTreeSet<&str> = all(&groups).map(|training| &training.manifest.kind[..]).collect();
    let kinds = kinds.into_iter().collect::<Vec<_>>().join(", ");
    let texts: Vec<String> = all(&groups).map(|of| format!("# {}\n{}", of.file, of.text)).collect();
    Ok(Page {
        title: format!("{} trainings of {kinds}", folders.len()),
        facts: vec![format!("{} settings", groups.len())],
        sections: vec![validation(&groups, &labels)],
        ranking: None,
        means: None,
        judged_by: "",
        formats: view.extensions(),
        origin: ("manifests".into(), texts.join("\n")),
    })
}

fn all(groups: &[Setting]) -> impl Iterator<Item = &Finished> {
    groups.iter().flat_map(|group| &group.trainings)
}

/// The trainings of the folders by setting, in the order of the folders.
fn groups(folders: &[PathBuf]) -> Result<Vec<Setting>, Error> {
    let mut groups: Vec<Setting> = Vec::new();
    for folder in folders {
        let training = Finished::read(folder)?;
        if training.validated("plays").is_empty() {
            let message =
                "its log has no validated step with its `plays`: expected a training by this version";
            return Err(InputError::file(folder, message).into());
        }
        let mut settings = settings(training.manifest.training.as_deref().unwrap_or_default());
        settings.retain(|key, _| !(key.starts_with("training.") && key.ends_with(".seed")));
        match groups.iter_mut().find(|group| group.settings == settings) {
            None => groups.push(Setting { settings, trainings: vec![training] }),
            Some(group) => {
                if group.trainings[0].validated("plays") != training.validated("plays") {
                    let message = "its steps are not those of the training that differs from it in its seed alone: is it \
                                   finished?";
                    return Err(InputError::file(folder, message).into());
                }
                group.trainings.push(training);
            }
        }
    }
    Ok(groups)
}

/// What tells each setting from the others: `key=value` for each key that differs. Parameters of an algorithm are compared
/// with those of the same algorithm only.
fn labels(groups: &[Setting]) -> Vec<String> {
    let algorithm = |group: &Setting| group.settings.get("training.algorithm").cloned().unwrap_or_default();
    let is_told = |group: &Setting, key: &str| {
        let is_parameter = key.matches('.').count() > 1;
        let mut others = groups.iter().filter(|other| !is_parameter || algorithm(other) == algorithm(group));
        others.any(|other| other.settings.get(key) != group.settings.get(key))
    };
    let label = |group: &Setting| {
        let told = group.settings.iter().filter(|(key, _)| is_told(group, key));
        let words = told.map(|(key, value)| match key.strip_prefix("training.").unwrap_or(key) {
            "algorithm" | "policy" => value.trim_matches('"').to_string(),
            key => format!("{key}={value}"),
        });
        let words = words.collect::<Vec<_>>().join(", ");
        if words.is_empty() { group.trainings[0].manifest.kind.clone() } else { words }
    };
    groups.iter().map(label).collect()
}

impl Finished {
    /// The values of a column at the steps that were validated.
    fn validated(&self, column: &str) -> Vec<f64> {
        let rates = self.log.column("validation_rate").iter();
        rates.zip(self.log.column(column)).filter(|(rate, _)| rate.is_finite()).map(|(_, &of)| of).collect()
    }
}

impl Setting {
    /// Plays, and the SLA rate on the validation seeds after them.
    fn curve(&self) -> Vec<(f64, Estimate)> {
        let rates: Vec<Vec<f64>> = self.trainings.iter().map(|of| of.validated("validation_rate")).collect();
        let at = |(step, &plays): (usize, &f64)| {
            let rates: Vec<f64> = rates.iter().map(|rates| rates[step]).collect();
            (plays, Estimate::of(&rates, Range::SHARE))
        };
        self.trainings[0].validated("plays").iter().enumerate().map(at).collect()
    }

    /// The SLA rates of the rules on the validation seeds, where they are the same for all trainings.
    fn baselines(&self) -> &BTreeMap<String, f64> {
        &self.trainings[0].manifest.baselines
    }
}

fn validation(groups: &[Setting], labels: &[String]) -> Section {
    let curves: Vec<Vec<(f64, Estimate)>> = groups.iter().map(Setting::curve).collect();
    let own = curves.iter().zip(labels).zip(0..).map(|((curve, label), rank)| Series {
        style: Style(rank),
        label: label.clone(),
        is_faint: false,
        points: curve
            .iter()
            .map(|(plays, of)| (*plays, of.mean.unwrap_or(f64::NAN), of.interval()))
            .collect(),
        has_markers: true,
    });
    let shared = groups[0].baselines();
    let shared: Vec<(&String, &f64)> = shared
        .iter()
        .filter(|(name, rate)| groups.iter().all(|group| group.baselines().get(*name) == Some(rate)))
        .collect();
    let plays = || curves.iter().flatten().map(|(plays, _)| *plays);
    let ends = [plays().fold(f64::INFINITY, f64::min), plays().fold(0.0, f64::max)];
    let rules = shared.iter().zip(groups.len()..).map(|((name, rate), rank)| Series {
        style: Style(rank),
        label: name.to_string(),
        is_faint: false,
        points: ends.map(|plays| (plays, **rate, None)).to_vec(),
        has_markers: false,
    });
    let series = own.chain(rules).collect();
    let picture =
        picture("validation-rate", "SLA rate on the validation seeds", ["plays", "SLA rate"], series);
    let told = groups.iter().zip(labels).map(told).collect::<Vec<_>>().join(" ");
    let text = format!(
        "Mean SLA rate on the validation seeds, which are not used for training, after so many plays: runs of a policy on a \
         trace. Bands are 95 % intervals over trainings that differ in their seed alone (Student's t). The weights that each \
         training keeps: {told}"
    );
    Section { name: "validation".into(), title: "Validation".into(), text, pictures: vec![picture] }
}

/// A sentence on the trainings of a setting: how good the weights are that they keep, and when they pass the rules.
fn told((group, label): (&Setting, &String)) -> String {
    let kept: Vec<f64> = group.trainings.iter().map(|of| of.rate).collect();
    let kept_of = Estimate::of(&kept, Range::SHARE);
    let interval = kept_of.ci95.map_or(String::new(), |ci95| format!(" ± {ci95:.4}"));
    let passed = group.baselines().iter().map(|(name, rate)| {
        match group.curve().iter().find(|(_, of)| of.mean > Some(*rate)) {
            Some((plays, _)) => format!("{name} after {plays} plays"),
            None => format!("{name} never"),
        }
    });
    let each = kept.iter().map(|rate| format!("{rate:.4}")).collect::<Vec<_>>().join(", ");
    let mean = match kept.len() {
        1 => format!("{each}, one training"),
        trainings => {
            format!("{:.4}{interval} over {trainings} trainings ({each})", kept_of.mean.unwrap_or_default())
        }
    };
    format!("{label}: {mean}; in the mean it passes {}.", passed.collect::<Vec<_>>().join(", "))
}
