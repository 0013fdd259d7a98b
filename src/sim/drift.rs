//! Drift: conditions that change during a run, at times that nobody knows beforehand.
//!
//! | what | meaning from then on | who sees it |
//! |---|---|---|
//! | speed s | accelerators work at s times the speed of their cost tables: a layer alone takes max(c / s, bytes / B), because its demand for bandwidth is s times as high, too | nobody |
//! | bandwidth | the DRAM delivers so much | nobody |
//! | lost accelerators | they end what they run, and take nothing more | everybody: nothing can be assigned to them, and what was is assigned no longer |
//!
//! That demand and latency change together is our choice: a slower clock of an accelerator slows its requests to DRAM as
//! much as its arithmetic. A layer that is bound by the DRAM alone is therefore not slowed.
//!
//! Who sees nothing goes on to estimate by the cost tables; roll-outs ([`View::fork`](super::View::fork)) do so for
//! layers that run, too. What a view shows of running layers remains true: when they end at their present rate. The
//! phases of a layer keep the demands that they have without drift, scaled with the speed.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::{NetworkModel, Platform, World};
use crate::units::Time;

/// What changes at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When.
    pub at: Time,
    /// The speed of all accelerators relative to their cost tables; `None` leaves it as it is.
    pub speed: Option<f64>,
    /// The bandwidth that the DRAM delivers, in bytes per picosecond; `None` leaves it as it is.
    pub bandwidth_bytes_per_ps: Option<f64>,
    /// The accelerators that are lost, if any are.
    pub loss: Option<Losing>,
}

/// The loss of accelerators.
#[derive(Clone, Debug)]
pub struct Losing {
    /// The accelerators that are lost now, by number.
    pub accelerators: Vec<usize>,
    /// The world from then on: neither these nor those lost before can run anything.
    pub world: Arc<World>,
}

/// The world follows from the accelerators.
impl PartialEq for Losing {
    fn eq(&self, other: &Self) -> bool {
        self.accelerators == other.accelerators
    }
}

/// A layer that no accelerator could run any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing else can run layer `{layer}` of `{network}`")]
pub struct Unable {
    /// The network.
    pub network: String,
    /// The layer.
    pub layer: String,
}

/// The changes of a run, in the order of time. Empty, it costs nothing.
#[derive(Clone, Default, PartialEq)]
pub struct Drift(Option<Arc<[Change]>>);

impl Drift {
    /// No change.
    pub const NONE: Self = Self(None);

    /// Changes in the order of time. Panics if two have the same time, or are out of order.
    pub fn new(changes: Vec<Change>) -> Self {
        assert!(changes.is_sorted_by(|one, next| one.at < next.at), "one change a time, in order");
        Self((!changes.is_empty()).then(|| changes.into()))
    }
}

impl Deref for Drift {
    type Target = [Change];

    fn deref(&self) -> &[Change] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl fmt::Debug for Drift {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let told = |change: &Change| (change.at, change.speed, change.bandwidth_bytes_per_ps);
        let lost = |change: &Change| change.loss.as_ref().map(|loss| loss.accelerators.clone());
        f.debug_list().entries(self.iter().map(|change| (told(change), lost(change)))).finish()
    }
}

impl World {
    /// The world without accelerators: they are there, but can run nothing. They count as one more model, as their costs
    /// are no longer those of others.
    ///
    /// # Errors
    /// A layer that nothing else can run.
    pub fn without(&self, accelerators: &[usize]) -> Result<Self, Unable> {
        let mut all = self.platform.accelerators.clone();
        let model = all.iter().map(|accelerator| accelerator.model + 1).max().unwrap_or_default();
        accelerators.iter().for_each(|&lost| all[lost].model = model);
        let networks = self.networks.iter().map(|network| network.without(accelerators));
        Ok(Self {
            networks: networks.collect::<Result<Vec<NetworkModel>, Unable>>()?,
            platform: Platform { accelerators: all, ..self.platform.clone() },
        })
    }
}
