//! Checks that conditions change as the rules of the run say, and keeps them for the other checks.

use std::collections::BTreeSet;

use super::{Audit, Check, ensure};
use crate::sim::World;
use crate::units::Time;

/// What accelerators and DRAM do for the layers that run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Speeds {
    /// Speed of the accelerators relative to their cost tables.
    pub(super) speed: f64,
    /// Bandwidth that the DRAM delivers.
    pub(super) bandwidth_bytes_per_ps: f64,
}

/// The conditions of a run.
pub(super) struct Conditions<'a> {
    pub(super) present: Speeds,
    /// The most by which they have ever been better than in the cost tables; at least 1.
    pub(super) fastest: f64,
    /// The world as schedulers know it: without the lost accelerators.
    pub(super) world: &'a World,
    lost: BTreeSet<usize>,
    /// The number of changes until now.
    changes: usize,
}

impl<'a> Conditions<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        let bandwidth_bytes_per_ps = world.platform.bandwidth_bytes_per_ps;
        let present = Speeds { speed: 1.0, bandwidth_bytes_per_ps };
        Self { present, fastest: 1.0, world, lost: BTreeSet::new(), changes: 0 }
    }

    pub(super) fn is_lost(&self, accelerator: usize) -> bool {
        self.lost.contains(&accelerator)
    }
}

impl Audit<'_> {
    fn next_change(&self) -> Time {
        self.rules.drift.get(self.conditions.changes).map_or(Time::MAX, |change| change.at)
    }

    /// Checks that no change is left out.
    pub(super) fn check_no_change_before(&self, next: Time) -> Check {
        let change = self.next_change();
        ensure!(change >= next && change > self.now, "conditions do not change at {} ps", change.0);
        Ok(())
    }

    pub(super) fn change_conditions(&mut self, speed: f64, bandwidth_bytes_per_ps: f64, lost: u32) -> Check {
        let next = self.next_change();
        ensure!(next == self.now, "conditions change, but the next change is due at {} ps", next.0);
        let change = &self.rules.drift[self.conditions.changes];
        let conditions = &mut self.conditions;
        conditions.changes += 1;
        conditions.present.speed = change.speed.unwrap_or(conditions.present.speed);
        let bandwidth = change.bandwidth_bytes_per_ps.unwrap_or(conditions.present.bandwidth_bytes_per_ps);
        conditions.present.bandwidth_bytes_per_ps = bandwidth;
        let nominal = self.world.platform.bandwidth_bytes_per_ps;
        let wider = if nominal.is_infinite() { 1.0 } else { bandwidth / nominal };
        conditions.fastest = conditions.fastest.max(conditions.present.speed).max(wider);
        self.lanes.set_bandwidth(bandwidth);
        if let Some(loss) = &change.loss {
            conditions.world = &loss.world;
            conditions.lost.extend(&loss.accelerators);
            for job in &mut self.jobs {
                job.known = &loss.world.networks[job.request.network as usize];
                for layer in job.layers.iter_mut().filter(|layer| !layer.started) {
                    let is_lost = layer.assignment.is_some_and(|of| conditions.is_lost(of.accelerator));
                    layer.assignment = layer.assignment.filter(|_| !is_lost);
                }
            }
            self.triggers.change();
        }
        let Speeds { speed: s, bandwidth_bytes_per_ps: b } = self.conditions.present;
        let expected = (s, b, self.conditions.lost.len() as u32);
        ensure!(
            (speed, bandwidth_bytes_per_ps, lost) == expected,
            "conditions are (speed, bytes/ps, lost) {:?}, not {expected:?}",
            (speed, bandwidth_bytes_per_ps, lost)
        );
        Ok(())
    }
}
