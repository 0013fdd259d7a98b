//! The cases of a sweep over fleets.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::case::{Case, Site};
use super::catalogue::{Catalogue, Form};
use super::drift::Entries;
use super::fleet::{Fleet, FleetData};
use super::frame::Frame;
use super::pace::{OwnPace, check_loops, check_number};
use super::points::Point;
use super::served::wide;
use super::workload::{Workload, isolated};
use crate::cost::Cache;
use crate::experiment::{DataRoot, Dram, Error, Progress, Setting, error_at_dispatcher};
use crate::hw::SystemSpec;
use crate::sim::{Drift, World};
use crate::workload::Scenario;

/// Makes the cases of a fleet.
pub(super) struct FleetBuilder<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) fleet: &'a FleetData,
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
        let mut known: Vec<(&Point, Arc<Fleet>, Arc<Site>)> = Vec::new();
        for &point in points {
            check_setting(&point.setting, &self.frame.system.name)?;
            let workload = &workloads[point.scenario];
            let window = self.frame.window(point, workload)?;
            let same = |(known, ..): &&(&Point, _, _)| {
                known.scenario == point.scenario && known.asked == point.asked && known.drift == point.drift
            };
            let (fleet, site) = match known.iter().find(same) {
                Some((_, fleet, site)) => (Arc::clone(fleet), Arc::clone(site)),
                None => {
                    let pace = |world: &World, served_s: &[f64]| match workload.has_own_pace() {
                        true => OwnPace::of(workload, world, served_s, &window, self.frame.system).map(Some),
                        false => Ok(None),
                    };
                    let entries = Entries { drift: &point.drift, source: &self.frame.experiment.source };
                    let file = &self.scenario_files[point.scenario];
                    let made =
                        self.fleet.fleet(&self.catalogues, workload, file, (&point.asked, entries), &pace)?;
                    let (fleet, own) = (Arc::new(made.0), made.1);
                    if let Some(own) = &own {
                        check_loops(own, &window, workload, self.frame.system)?;
                        check_number(own.most_per_s(), own.sample, &window, workload, self.frame.system)?;
                    }
                    let site = Arc::new(Site::of_fleet(&fleet, Dram::of(&point.setting), own.as_ref()));
                    known.push((point, Arc::clone(&fleet), Arc::clone(&site)));
                    (fleet, site)
                }
            };
            self.check_dispatchers(point, &fleet)?;
            let reference = Arc::new(isolated(&site.world));
            cases.push(self.frame.case(
                point,
                workload,
                window,
                (site, Some(fleet)),
                Drift::NONE,
                reference,
            )?);
        }
        Ok(())
    }

    /// Checks that the dispatchers of a point can dispatch on its fleet.
    fn check_dispatchers(&self, point: &Point, fleet: &Fleet) -> Result<(), Error> {
        let used: BTreeSet<usize> = point.runs.iter().map(|run| run.scheduler).collect();
        for choice in used.into_iter().map(|place| &self.frame.names.schedulers[place]) {
            let fits = choice.dispatcher(0).and_then(|dispatcher| dispatcher.check(&fleet.model));
            fits.map_err(|message| {
                let message = format!("{message}, on fleet `{}`", self.frame.system.name);
                error_at_dispatcher(&self.frame.experiment.source, &choice.label, &message)
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
