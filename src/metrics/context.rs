//! What a fold knows about its run in advance, and the questions that several folds ask about a record.

use std::sync::Arc;

use crate::sim::{Origin, Record, Request, World};
use crate::units::Time;
use crate::workload::{Firm, Tenant};

/// The setting of the records.
#[derive(Clone, Debug)]
pub struct Context {
    /// The platform and the networks.
    pub world: Arc<World>,
    /// The tenant's terms, if the records cover the requests of one tenant only.
    pub terms: Terms,
}

/// The terms of a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Terms {
    /// The target SLA rate.
    pub target_hit_rate: Option<f64>,
    /// The (m,k)-firm terms.
    pub firm: Option<Firm>,
}

impl Terms {
    /// The terms of a tenant.
    pub fn of(tenant: &Tenant) -> Self {
        Self { target_hit_rate: tenant.target_hit_rate, firm: tenant.firm }
    }
}

impl Context {
    /// The context of a whole run.
    pub fn of_run(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), terms: Terms::default() }
    }
}

/// The measured request that arrives with this record.
pub(super) fn arrived(record: &Record, origin: Origin) -> Option<&Request> {
    match record {
        Record::Arrival { asked, .. } if origin.measured => Some(asked),
        _ => None,
    }
}

/// The measured request that is done with this record.
pub(super) fn finished(record: &Record, origin: Origin) -> Option<Finished> {
    match *record {
        Record::Done { time, asked, .. } if origin.measured => Some(Finished { asked, time }),
        _ => None,
    }
}

/// Whether a measured request is met with this record.
pub(super) fn is_met(record: &Record, origin: Origin) -> bool {
    origin.measured && record.met() == Some(true)
}

/// A measured request whose job is done.
pub(super) struct Finished {
    pub(super) asked: Request,
    pub(super) time: Time,
}

impl Finished {
    pub(super) fn latency(&self) -> Time {
        self.time - self.asked.arrival
    }

    /// Finish - deadline in microseconds; negative if the request is early.
    pub(super) fn lateness_us(&self) -> f64 {
        self.time.as_us() - self.asked.deadline.as_us()
    }

    /// Normalised turnaround time: latency / isolated latency.
    pub(super) fn ntt(&self, world: &World) -> f64 {
        self.latency().as_ps() / self.isolated(world).as_ps()
    }

    pub(super) fn isolated(&self, world: &World) -> Time {
        world.networks[self.asked.network as usize].isolated
    }
}

/// The measurement window: from the arrival of the first measured request to the end of the run; empty if there is no
/// measured request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Start of the window; [`Time::MAX`] before it begins.
    start: Time,
    /// End of the window; [`Time::MAX`] before it ends.
    end: Time,
}

impl Window {
    /// A window that has not begun.
    pub(super) fn new() -> Self {
        Self { start: Time::MAX, end: Time::MAX }
    }

    /// Begins the window with the first measured request, and ends it with the run.
    pub(super) fn follow(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Arrival { asked, .. } if origin.measured => self.start = self.start.min(asked.arrival),
            Record::End { time } => self.end = time,
            _ => {}
        }
    }

    pub(super) fn has_begun_by(&self, time: Time) -> bool {
        self.start <= time
    }

    /// The length of the part of a past interval that lies inside the window.
    pub(super) fn share_of(&self, from: Time, to: Time) -> Time {
        to.saturating_sub(from.max(self.start))
    }

    /// The length of the window; zero as long as it is open.
    pub(super) fn length(&self) -> Time {
        if self.end == Time::MAX { Time::ZERO } else { self.end.saturating_sub(self.start) }
    }
}
