//! What a fold knows of its run beforehand, and the questions that several folds ask of a record.

use std::sync::Arc;

use crate::sim::{Origin, Record, Request, World};
use crate::units::Time;
use crate::workload::{Firm, Tenant};

/// What the records are of.
#[derive(Clone, Debug)]
pub struct Context {
    /// Platform and networks.
    pub world: Arc<World>,
    /// What is wanted of them: those of a tenant, where they are of its requests alone.
    pub terms: Terms,
}

/// What a tenant wants of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Terms {
    /// The SLA rate.
    pub target_hit_rate: Option<f64>,
    /// How many of any requests in a row.
    pub firm: Option<Firm>,
}

impl Terms {
    /// Those of a tenant.
    pub fn of(tenant: &Tenant) -> Self {
        Self { target_hit_rate: tenant.target_hit_rate, firm: tenant.firm }
    }
}

impl Context {
    /// That of a whole run.
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

    /// Negative where it is early.
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

/// The measurement window: from the arrival of the first measured request to the end of the run; empty without one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// [`Time::MAX`] before it begins.
    start: Time,
    /// [`Time::MAX`] before it ends.
    end: Time,
}

impl Window {
    /// One that has not begun.
    pub(super) fn new() -> Self {
        Self { start: Time::MAX, end: Time::MAX }
    }

    /// Begins it with the first measured request, and ends it with the run.
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

    /// How much of an interval that has passed lies inside.
    pub(super) fn share_of(&self, from: Time, to: Time) -> Time {
        to.saturating_sub(from.max(self.start))
    }

    /// Its length; zero as long as it is open.
    pub(super) fn length(&self) -> Time {
        if self.end == Time::MAX { Time::ZERO } else { self.end.saturating_sub(self.start) }
    }
}
