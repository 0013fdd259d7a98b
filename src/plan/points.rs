//! The points of a sweep: the product of an experiment's lists, without the excluded and with the included cells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::case::Run;
use crate::experiment::{
    Asked, CaseKeys, CellDrift, Exclude, Experiment, SCHEDULER, SEED, SchedulerChoice, Setting, distinct,
};
use crate::files::InputError;
use crate::hw::SystemSpec;
use crate::workload::{Qos, Scenario};

/// A case before anything is computed for it.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// The index of the system in [`Names`].
    pub(crate) system: usize,
    /// The index of the scenario in [`Names`].
    pub(crate) scenario: usize,
    pub(crate) qos: Qos,
    pub(crate) load: Option<f64>,
    pub(crate) setting: Setting,
    /// What the experiment asks for; the sites of a fleet have settings of their own.
    pub(crate) asked: Asked,
    /// How conditions change.
    pub(crate) drift: Arc<CellDrift>,
    /// The runs, shared among the points of a product, as there may be thousands of seeds.
    pub(crate) runs: Arc<Vec<Run>>,
}

/// The systems, scenarios and schedulers that an experiment and its includes name, each once, in order of appearance.
pub(super) struct Names {
    pub(crate) systems: Vec<String>,
    pub(crate) scenarios: Vec<String>,
    pub(crate) schedulers: Vec<SchedulerChoice>,
}

impl Names {
    pub(super) fn of(experiment: &Experiment) -> Self {
        let all = || std::iter::once(experiment).chain(experiment.include.iter().map(|i| &i.experiment));
        Self {
            systems: distinct(all().flat_map(|e| e.systems.iter().cloned())),
            scenarios: distinct(all().flat_map(|e| e.scenarios.iter().cloned())),
            schedulers: distinct(all().flat_map(|e| e.schedulers.iter().cloned())),
        }
    }
}

/// The meanings of the names, by their indices.
pub(super) struct Space<'a> {
    pub(crate) names: &'a Names,
    pub(crate) systems: &'a [SystemSpec],
    pub(crate) scenarios: &'a [Arc<Scenario>],
}

impl Space<'_> {
    /// All points of the experiment, its own product first.
    pub(crate) fn points(&self, experiment: &Experiment) -> Result<Vec<Point>, InputError> {
        let seeds: Vec<u64> = (experiment.first_seed..experiment.first_seed + experiment.seeds).collect();
        let product = self.product(experiment, &seeds);
        let mut points = self.without_excluded(product, experiment)?;
        let mut places = BTreeMap::new();
        if !experiment.include.is_empty() {
            places = points.iter().enumerate().map(|(place, point)| (self.keys(point), place)).collect();
        }
        for include in &experiment.include {
            let mut added = false;
            for point in self.product(&include.experiment, &include.seeds) {
                match places.get(&self.keys(&point)) {
                    Some(&place) => added |= points[place].gain(&point.runs),
                    None => {
                        places.insert(self.keys(&point), points.len());
                        points.push(point);
                        added = true;
                    }
                }
            }
            if !added && experiment.source.verbatim {
                let message = "this `include` adds no cell: all of them are there already";
                return Err(experiment.source.error(&include.span, message));
            }
        }
        if points.is_empty() {
            return Err(experiment.source.error_at_top("every cell is excluded"));
        }
        Ok(points)
    }

    /// The product of the lists, the last varying fastest.
    fn product(&self, experiment: &Experiment, seeds: &[u64]) -> Vec<Point> {
        let place_of = |names: &[String], name| {
            names.iter().position(|known| known == name).expect("the names of all products were collected")
        };
        let labels = self.names.schedulers.iter().map(|choice| &choice.label);
        let labels: Vec<&String> = labels.collect();
        let place = |choice: &SchedulerChoice| labels.iter().position(|label| **label == choice.label);
        let schedulers: Vec<usize> =
            experiment.schedulers.iter().map(|c| place(c).expect("as are those of schedulers")).collect();
        let runs =
            schedulers.iter().flat_map(|&scheduler| seeds.iter().map(move |&seed| Run { scheduler, seed }));
        let runs: Arc<Vec<Run>> = Arc::new(runs.collect());
        let loads = experiment.loads.as_ref();
        let loads = loads.map_or(vec![None], |loads| loads.iter().copied().map(Some).collect());
        let drifts: Vec<Arc<CellDrift>> = experiment.drifts.iter().cloned().map(Arc::new).collect();
        let mut points = Vec::new();
        for system in &experiment.systems {
            for scenario in &experiment.scenarios {
                let (system, scenario) =
                    (place_of(&self.names.systems, system), place_of(&self.names.scenarios, scenario));
                for &qos in &experiment.qos {
                    for &load in &loads {
                        let settings = experiment.asked.iter();
                        let all = settings.flat_map(|asked| drifts.iter().map(move |drift| (asked, drift)));
                        points.extend(all.map(|(asked, drift)| Point {
                            system,
                            scenario,
                            qos,
                            load,
                            setting: asked.on(&self.systems[system]),
                            asked: asked.clone(),
                            drift: Arc::clone(drift),
                            runs: Arc::clone(&runs),
                        }));
                    }
                }
            }
        }
        points
    }

    fn without_excluded(
        &self,
        product: Vec<Point>,
        experiment: &Experiment,
    ) -> Result<Vec<Point>, InputError> {
        if experiment.exclude.is_empty() {
            return Ok(product);
        }
        let mut left_out = vec![false; experiment.exclude.len()];
        let mut seen: Vec<BTreeSet<String>> = Vec::new();
        let mut points = Vec::new();
        for mut point in product {
            let keys = self.keys(&point);
            seen.resize(keys.len(), BTreeSet::new());
            for (seen, key) in seen.iter_mut().zip(&keys) {
                seen.insert(key.clone());
            }
            let concerned =
                experiment.exclude.iter().enumerate().filter(|(_, exclude)| exclude.concerns(&keys));
            for (place, exclude) in concerned {
                left_out[place] |= self.drop_from(&mut point, exclude);
            }
            if !point.runs.is_empty() {
                points.push(point);
            }
        }
        if experiment.source.verbatim {
            seen[SCHEDULER] = experiment.schedulers.iter().map(|choice| choice.label.clone()).collect();
            let seeds = experiment.first_seed..experiment.first_seed + experiment.seeds;
            seen[SEED] = seeds.map(|seed| seed.to_string()).collect();
            for (exclude, left_out) in experiment.exclude.iter().zip(left_out) {
                exclude.check_values(|column| seen[column].iter().cloned().collect(), &experiment.source)?;
                if !left_out {
                    let message = "this `exclude` leaves nothing out: no cell has all of its values";
                    return Err(experiment.source.error(&exclude.span, message));
                }
            }
        }
        Ok(points)
    }

    /// Removes the runs that an `exclude` names from a point; returns whether there were any.
    fn drop_from(&self, point: &mut Point, exclude: &Exclude) -> bool {
        let drops = |run: &Run| exclude.drops(&self.names.schedulers[run.scheduler].label, run.seed);
        if !point.runs.iter().any(drops) {
            return false;
        }
        Arc::make_mut(&mut point.runs).retain(|run| !drops(run));
        true
    }

    /// The values of the key columns; those of scheduler and seed are empty.
    fn keys(&self, point: &Point) -> Vec<String> {
        let &Point { system, scenario, qos, load, ref setting, ref drift, .. } = point;
        let (system, scenario) = (&self.systems[system].name, &self.scenarios[scenario].name);
        CaseKeys { system, scenario, qos, load, setting, drift: &drift.name }.texts()
    }
}

impl Point {
    /// Adds runs; returns whether any is new.
    fn gain(&mut self, runs: &[Run]) -> bool {
        let before = self.runs.len();
        let own = Arc::make_mut(&mut self.runs);
        own.extend(runs);
        own.sort_unstable();
        own.dedup();
        own.len() > before
    }
}
