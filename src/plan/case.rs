//! A case: a point of a sweep without scheduler and seed, with everything that its runs share.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::catalogue::Catalogue;
use super::fleet::Fleet;
use super::pace::{OwnPace, check_loops, check_number, served_s};
use super::rules::{rules_on, spread};
use super::workload::Workload;
use crate::experiment::{CaseKeys, CellDrift, Dram, Error, Setting, Wanted, Window};
use crate::hw::SystemSpec;
use crate::limits::{Saturation, mix_saturation};
use crate::sim::{Drift, Rules, Variation, World};
use crate::units::Time;
use crate::workload::Qos;

/// A run of a case: a scheduler, by its index in [`Plan::schedulers`](super::prepare::Plan), and a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// The index of the scheduler.
    pub scheduler: usize,
    /// The seed.
    pub seed: u64,
}

/// A point of a sweep without scheduler and seed.
#[derive(Clone, Debug)]
pub struct Case {
    /// The system's name.
    pub system: String,
    /// System and scenario as the experiment names them: a name or a path.
    pub words: [String; 2],
    /// The tenants and their requests.
    pub workload: Workload,
    /// The QoS level.
    pub qos: Qos,
    /// The load relative to lambda*; `None` if the scenario fixes absolute arrival rates.
    pub load: Option<f64>,
    /// The values of all other keys.
    pub setting: Setting,
    /// The system under this setting.
    pub site: Arc<Site>,
    /// The fleet, if the case has one; the site is then all of its sites together.
    pub fleet: Option<Arc<Fleet>>,
    /// How conditions change.
    pub drift: Arc<CellDrift>,
    /// The same for the engine of the system; those of a fleet are in its model.
    pub engine_drift: Drift,
    /// The isolated latency of each network on the system or on its reference; deadlines are multiples of it.
    pub reference: Arc<Vec<Time>>,
    /// The keys of the experiment behind [`Self::window`].
    pub wanted: Wanted,
    /// The number of requests of a run, and which of them are measured.
    pub window: Window,
    /// The runs of the case, in order.
    pub runs: Arc<Vec<Run>>,
    /// Whether there are several seeds and all bring the same requests.
    pub has_same_requests: bool,
}

/// The networks of a scenario on a system under one setting of its DRAM.
#[derive(Debug)]
pub struct Site {
    /// The platform and the networks.
    pub world: Arc<World>,
    /// lambda* of the mix.
    pub saturation: Saturation,
    /// If the scenario fixes absolute arrival rates (`pace.rs`), their load relative to lambda*; infinite if all
    /// requests come at once.
    pub own_load: Option<f64>,
    /// The rate behind [`Self::own_load`]; closed loops count with their rate on a system of their own.
    pub(crate) own_per_s: Option<f64>,
    /// The DRAM under this setting.
    pub dram: Dram,
}

impl Site {
    /// Makes a site. lambda* is for the mix given by the tenants' shares, or by their rates if the scenario fixes
    /// these.
    pub(super) fn new(
        system: &SystemSpec,
        catalogue: &Catalogue,
        workload: &Workload,
        dram: Dram,
        window: &Window,
    ) -> Result<Self, Error> {
        let scenario = &workload.scenario;
        let world = catalogue.world(system, scenario, &dram)?;
        let own = match workload.has_own_pace() {
            true => Some(OwnPace::of(workload, &world, &served_s(workload, &world), window, system)?),
            false => None,
        };
        let shares = own.as_ref().map_or_else(|| scenario.network_shares(), |own| own.shares.clone());
        let saturation = mix_saturation(&world, &shares, dram.bytes_per_s())
            .map_err(|e| Error::Usage(format!("scenario `{}` on `{}`: {e}", scenario.name, system.name)))?;
        if let Some(own) = &own {
            check_number(own.most_per_s(), own.sample, window, workload, system)?;
            check_loops(own, window, workload, system)?;
        }
        let own_load = own.as_ref().map(|own| own.load(saturation.requests_per_s));
        let own_per_s = own.map(|own| own.most_per_s());
        Ok(Self { world: Arc::new(world), saturation, own_load, own_per_s, dram })
    }
}

impl Site {
    /// All sites of a fleet together; lambda* is the fleet's.
    pub(super) fn of_fleet(fleet: &Fleet, dram: Dram, own: Option<&OwnPace>) -> Self {
        let saturation = Saturation {
            requests_per_s: fleet.lambda_best,
            model_utilization: Vec::new(),
            dram_utilization: vec![f64::NAN],
            binding: Vec::new(),
        };
        let own_load = own.map(|own| own.load(fleet.lambda_best));
        let own_per_s = own.map(OwnPace::most_per_s);
        Self { world: Arc::clone(&fleet.joint), saturation, own_load, own_per_s, dram }
    }
}

impl Case {
    /// The keys that identify the cells of this case.
    pub fn keys(&self) -> CaseKeys<'_> {
        CaseKeys {
            system: &self.system,
            scenario: &self.workload.scenario.name,
            qos: self.qos,
            load: Some(self.nominal_load()),
            setting: &self.setting,
            drift: &self.drift.name,
        }
    }

    /// The seeds of its runs, each once.
    pub fn seeds(&self) -> BTreeSet<u64> {
        self.runs.iter().map(|run| run.seed).collect()
    }

    /// The most mean quality on a fleet, delays and queues aside. NaN on a system, where conditions change, and with
    /// closed loops, which send less than their rate here when answers are late.
    pub fn quality_bound(&self) -> f64 {
        match &self.fleet {
            Some(fleet) if self.drift.entries.is_empty() && !self.workload.has_loops() => {
                fleet.quality_bound(self.nominal_load() * fleet.lambda_best)
            }
            _ => f64::NAN,
        }
    }

    /// The total request rate of the tenants that share a load.
    pub(crate) fn requests_per_s(&self) -> f64 {
        self.load.unwrap_or_default() * self.site.saturation.requests_per_s
    }

    /// The load relative to lambda* that the case asks for under every seed: the key `load`.
    pub fn nominal_load(&self) -> f64 {
        self.load.or(self.site.own_load).expect("without a load, requests come at their own pace")
    }

    /// Whether the load is more than any schedule can carry. Requests that come at once are no overload: they are
    /// worked off.
    pub fn is_overload(&self) -> bool {
        let load = self.nominal_load();
        load > 1.0 && load.is_finite()
    }
}

/// The engine's rules under the setting of a case, in a run with this seed.
pub fn rules(case: &Case, seed: u64) -> Rules {
    Rules {
        drift: case.engine_drift.clone(),
        variation: Variation::new(spread(&case.setting), seed, &case.site.world)
            .estimated_by(case.setting.estimates),
        ..rules_on(&case.setting, &case.workload.scenario)
    }
}
