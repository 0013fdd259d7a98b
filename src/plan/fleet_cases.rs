//! The cases of a sweep over fleets.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::case::{Case, Site};
use super::catalogue::{Catalogue, Form};
use super::clock;
use super::fleet::{Fleet, FleetData, wide};
use super::pace::{OwnPace, check_number, check_span};
use super::points::{Names, Point};
use super::workload::{Workload, isolated};
use crate::cost::Cache;
use crate::experiment::{
    Asked, DataRoot, Dram, Error, Experiment, Progress, Setting, Window, error_at_dispatcher,
};
use crate::hw::SystemSpec;
use crate::sim::World;
use crate::workload::{Extent, Scenario};

/// Makes the cases of a fleet.
pub(super) struct FleetBuilder<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) names: &'a Names,
    pub(super) fleet: &'a FleetData,
    /// The system of the first site under the name of the fleet.
    pub(super) system: &'a SystemSpec,
    pub(super) catalogues: Vec<Catalogue>,
    /// The files of the scenarios, in the order of the names.
    pub(super) scenario_files: &'a [PathBuf],
}

impl FleetBuilder<'_> {
    /// Points that ask for the same share a fleet.
    pub(super) fn add(
        &self,
        points: &[&Point],
        workloads: &[Workload],
        cases: &mut Vec<Case>,
    ) -> Result<(), Error> {
        let mut known: Vec<(usize, &Asked, Arc<Fleet>, Arc<Site>)> = Vec::new();
        for &point in points {
            check_setting(&point.setting, &self.system.name)?;
            let workload = &workloads[point.scenario];
            let window = Window::of(self.experiment.wanted, point.setting.late, workload.total())
                .and_then(|window| window.check_size().map(|()| window))
                .map_err(|e| Error::Usage(format!("scenario `{}` {e}", workload.scenario.name)))?;
            let same = |(scenario, asked, ..): &&(usize, &Asked, _, _)| {
                *scenario == point.scenario && **asked == point.asked
            };
            let (fleet, site) = match known.iter().find(same) {
                Some((_, _, fleet, site)) => (Arc::clone(fleet), Arc::clone(site)),
                None => {
                    let pace = |world: &World| match workload.has_own_pace() {
                        true => OwnPace::of(workload, world, &window, self.system).map(Some),
                        false => Ok(None),
                    };
                    let file = &self.scenario_files[point.scenario];
                    let made = self.fleet.fleet(&self.catalogues, workload, file, &point.asked, &pace)?;
                    let (fleet, own) = (Arc::new(made.0), made.1);
                    if let Some(own) = &own {
                        check_number(own.most_per_s(), own.sample, &window, workload, self.system)?;
                    }
                    let own_per_s = own.map(|own| own.most_per_s());
                    let site = Arc::new(Site::of_fleet(&fleet, Dram::of(&point.setting), own_per_s));
                    known.push((point.scenario, &point.asked, Arc::clone(&fleet), Arc::clone(&site)));
                    (fleet, site)
                }
            };
            self.check_dispatchers(point, &fleet)?;
            clock::check(&site.world, &window, workload, &point.setting, self.system)?;
            if let Some(load) = point.load {
                let requests_per_s = load * site.saturation.requests_per_s;
                if let Extent::Requests(requests) = window.extent() {
                    check_span(requests as f64 / requests_per_s, workload, self.system)?;
                }
                check_number(requests_per_s, 0.0, &window, workload, self.system)?;
            }
            let &Point { system, scenario, qos, load, .. } = point;
            cases.push(Case {
                system: self.system.name.clone(),
                words: [self.names.systems[system].clone(), self.names.scenarios[scenario].clone()],
                workload: workload.clone(),
                qos,
                load,
                setting: point.setting.clone(),
                reference: Arc::new(isolated(&site.world)),
                site,
                fleet: Some(fleet),
                wanted: self.experiment.wanted,
                window,
                runs: Arc::clone(&point.runs),
                has_same_requests: false,
            });
        }
        Ok(())
    }

    /// Checks that the dispatchers of a point can dispatch on its fleet.
    fn check_dispatchers(&self, point: &Point, fleet: &Fleet) -> Result<(), Error> {
        let used: BTreeSet<usize> = point.runs.iter().map(|run| run.scheduler).collect();
        for choice in used.into_iter().map(|place| &self.names.schedulers[place]) {
            let fits = choice.dispatcher(0).and_then(|dispatcher| dispatcher.check(&fleet.model));
            fits.map_err(|message| {
                let message = format!("{message}, on fleet `{}`", self.system.name);
                error_at_dispatcher(&self.experiment.source, &choice.label, &message)
            })?;
        }
        Ok(())
    }
}

/// The costs of all variants on the systems of the sites, for all points of the fleet.
pub(super) fn catalogues(
    fleet: &FleetData,
    points: &[&Point],
    scenarios: &[Arc<Scenario>],
    data: &DataRoot,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<Catalogue>, Error> {
    let used: BTreeSet<usize> = points.iter().map(|point| point.scenario).collect();
    let wide: Vec<Arc<Scenario>> = used.iter().map(|&place| Arc::new(wide(&scenarios[place]))).collect();
    let of = |system: &SystemSpec| {
        let forms = points.iter().map(|point| Form::of(&point.asked.on(system))).collect();
        Catalogue::new(system, &forms, &wide, data, cache, progress)
    };
    fleet.systems.iter().map(of).collect()
}

/// The keys of a fleet that change nothing in it, and may not be asked for.
fn check_setting(setting: &Setting, fleet: &str) -> Result<(), Error> {
    match setting.sla_reference.system() {
        Some(_) => Err(Error::Usage(format!(
            "`sla_reference` names a system, but deadlines on fleet `{fleet}` are multiples of its own latencies"
        ))),
        None => Ok(()),
    }
}
