//! One point of a sweep but for scheduler and seed, with everything that its runs share.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::catalogue::Catalogue;
use super::pace::{OwnPace, check_loops, check_number};
use super::workload::Workload;
use crate::experiment::{CaseKeys, Dram, Error, Setting, Wanted, Window};
use crate::hw::SystemSpec;
use crate::limits::{Saturation, mix_saturation};
use crate::sim::World;
use crate::units::Time;
use crate::workload::Qos;

/// What a case is run with: a scheduler, by its place in [`Plan::schedulers`](super::prepare::Plan), and a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// The scheduler.
    pub scheduler: usize,
    /// The seed.
    pub seed: u64,
}

/// One point of the sweep but for scheduler and seed.
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
    /// Relative to lambda*; `None` where the scenario's requests come at their own pace.
    pub load: Option<f64>,
    /// All other keys.
    pub setting: Setting,
    /// The system as this setting has it.
    pub site: Arc<Site>,
    /// By network: the isolated latency that deadlines are multiples of, on the system or on its reference.
    pub reference: Arc<Vec<Time>>,
    /// What the experiment says about [`Self::window`].
    pub wanted: Wanted,
    /// Its requests, and which of them are measured.
    pub window: Window,
    /// The schedulers and seeds that it is run with, in this order.
    pub runs: Arc<Vec<Run>>,
    /// Whether all of these seeds, of which there are several, bring the same requests.
    pub has_same_requests: bool,
}

/// A scenario's networks on a system under one setting of its DRAM.
#[derive(Debug)]
pub struct Site {
    /// Platform and networks.
    pub world: Arc<World>,
    /// lambda* of the mix.
    pub saturation: Saturation,
    /// What requests that come at their own pace (`pace.rs`) offer, relative to lambda*; infinite where they come at once.
    pub own_load: Option<f64>,
    /// Their rate, that of a closed loop on a system of its own.
    pub(crate) own_per_s: Option<f64>,
    /// The system as resolved.
    pub dram: Dram,
}

impl Site {
    /// lambda* is that of the tenants' shares, or, where requests come at their own pace, of theirs.
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
            true => Some(OwnPace::of(workload, &world, window, system)?),
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

impl Case {
    /// What identifies its cells.
    pub fn keys(&self) -> CaseKeys<'_> {
        CaseKeys {
            system: &self.system,
            scenario: &self.workload.scenario.name,
            qos: self.qos,
            load: Some(self.nominal_load()),
            setting: &self.setting,
        }
    }

    /// The seeds of its runs, each once.
    pub fn seeds(&self) -> BTreeSet<u64> {
        self.runs.iter().map(|run| run.seed).collect()
    }

    /// What tenants that share a load send.
    pub(crate) fn requests_per_s(&self) -> f64 {
        self.load.unwrap_or_default() * self.site.saturation.requests_per_s
    }

    /// What is asked of the system, relative to lambda*, in every seed: the key `load`.
    pub fn nominal_load(&self) -> f64 {
        self.load.or(self.site.own_load).expect("without a load, requests come at their own pace")
    }

    /// Whether that is more than any schedule carries; what comes at once is worked off.
    pub fn is_overload(&self) -> bool {
        let load = self.nominal_load();
        load > 1.0 && load.is_finite()
    }
}
