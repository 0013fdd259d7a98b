//! Conditions of a random case that change while it runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::draw::{Draw, log_uniform};
use crate::sim::{Change, Drift, Losing, Trace, World};
use crate::units::Time;

impl Draw {
    /// In a third of the seeds up to four changes, around arrivals: slower and faster accelerators, more and less
    /// bandwidth, and accelerators lost that others can stand in for.
    pub(super) fn drift(&self, world: &World, trace: &Trace) -> Drift {
        let rng = &mut self.stream("drift");
        if !rng.random_bool(1.0 / 3.0) {
            return Drift::NONE;
        }
        let mut changes: BTreeMap<Time, Change> = BTreeMap::new();
        let (mut lost, mut left) = (Vec::new(), world.clone());
        let mut times: Vec<Time> = (0..rng.random_range(1..=4)).map(|_| self.change_at(rng, trace)).collect();
        times.sort_unstable();
        for at in times {
            let known = changes.entry(at);
            let change =
                known.or_insert(Change { at, speed: None, bandwidth_bytes_per_ps: None, loss: None });
            match rng.random_range(0..3) {
                0 => change.speed = Some([0.5, 1.0, log_uniform(rng, 0.2, 3.0)][rng.random_range(0..3)]),
                1 => {
                    let factor = [0.5, 1.0, log_uniform(rng, 0.2, 3.0)][rng.random_range(0..3)];
                    change.bandwidth_bytes_per_ps = Some(factor * self.bandwidth_bytes_per_ps);
                }
                _ => {
                    let accelerator = rng.random_range(0..world.platform.accelerators.len());
                    if lost.contains(&accelerator) {
                        continue;
                    }
                    let Ok(without) = left.without(&[accelerator]) else { continue };
                    lost.push(accelerator);
                    left = without;
                    let mut accelerators = vec![accelerator];
                    accelerators.extend(change.loss.iter().flat_map(|loss| loss.accelerators.clone()));
                    change.loss = Some(Losing { accelerators, world: Arc::new(left.clone()) });
                }
            }
        }
        Drift::new(changes.into_values().collect())
    }

    fn change_at(&self, rng: &mut ChaCha8Rng, trace: &Trace) -> Time {
        let own = trace.requests.iter().filter(|request| request.arrival < Time::MAX).count();
        let place = (rng.random::<f64>() * own as f64) as usize;
        let arrival = trace.requests.get(place).map_or(Time::ZERO, |request| request.arrival);
        let after = self.time(rng, 1.0);
        if rng.random_bool(0.2) { arrival } else { arrival + after }
    }
}
