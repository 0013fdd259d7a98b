//! What the cases of a system and those of a fleet are made of alike.

use std::sync::Arc;

use super::case::{Case, Site};
use super::clock;
use super::drift::Entries;
use super::fleet::Fleet;
use super::pace::{check_number, check_span};
use super::points::{Names, Point};
use super::workload::Workload;
use crate::experiment::{Error, Experiment, Window};
use crate::hw::SystemSpec;
use crate::sim::Drift;
use crate::units::Time;
use crate::workload::Extent;

/// The experiment, and the system of the cases; of a fleet, that of its first site under the name of the fleet.
pub(super) struct Frame<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) names: &'a Names,
    pub(super) system: &'a SystemSpec,
}

impl Frame<'_> {
    /// The window of the runs of a point.
    pub(super) fn window(&self, point: &Point, workload: &Workload) -> Result<Window, Error> {
        Window::of(self.experiment.wanted, point.setting.late, workload.total())
            .and_then(|window| window.check_size().map(|()| window))
            .map_err(|e| Error::Usage(format!("scenario `{}` {e}", workload.scenario.name)))
    }

    /// The case of a point.
    ///
    /// # Errors
    /// Its requests are too many, or its runs longer than the clock.
    pub(super) fn case(
        &self,
        point: &Point,
        workload: &Workload,
        window: Window,
        (site, fleet): (Arc<Site>, Option<Arc<Fleet>>),
        engine_drift: Drift,
        reference: Arc<Vec<Time>>,
    ) -> Result<Case, Error> {
        let entries = Entries { drift: &point.drift, source: &self.experiment.source };
        let changes = entries.of_arrivals(&workload.scenario, workload.recorded.is_some())?;
        clock::check(&site.world, &window, workload, &point.setting, self.system)?;
        if let Some(load) = point.load {
            let requests_per_s = load * site.saturation.requests_per_s;
            if let Extent::Requests(requests) = window.extent() {
                check_span(requests as f64 / requests_per_s, workload, self.system)?;
            }
            check_number(requests_per_s * changes.most(), 0.0, &window, workload, self.system)?;
        }
        let &Point { system, scenario, qos, load, .. } = point;
        Ok(Case {
            system: self.system.name.clone(),
            words: [self.names.systems[system].clone(), self.names.scenarios[scenario].clone()],
            workload: Workload { changes, ..workload.clone() },
            qos,
            load,
            setting: point.setting.clone(),
            site,
            fleet,
            drift: Arc::clone(&point.drift),
            engine_drift,
            reference,
            wanted: self.experiment.wanted,
            window,
            runs: Arc::clone(&point.runs),
            has_same_requests: false,
        })
    }
}
