//! What a layer that starts interrupts, and whether its own layer was interrupted, where that costs something
//! (`sim::preemption`).

use super::Audit;
use crate::sim::{Interrupted, NetworkModel, Preemption, SubJobId};

/// Whether a sub-job is a part of the same layer as the one after it.
fn goes_on(network: &NetworkModel, layer: u32) -> bool {
    network.places.get(layer as usize + 1).is_some_and(|place| *place > 0)
}

impl Audit<'_> {
    /// What a sub-job finds that starts on an accelerator now.
    pub(super) fn interrupted(&self, sub_job: SubJobId, accelerator: usize) -> Result<Interrupted, String> {
        let (mut found, network) = (Interrupted::default(), self.job(sub_job.job)?.known);
        let Some(interruption) = &network.interruption else { return Ok(found) };
        let saves = interruption.rule == Preemption::Checkpoint;
        let SubJobId { job, layer } = sub_job;
        let place = network.places[layer as usize];
        let mine = |last: &SubJobId| place > 0 && *last == SubJobId { job, layer: layer - 1 };
        if self.lanes.last[accelerator].is_some_and(|last| mine(&last)) {
            return Ok(found);
        }
        if place > 0 && saves {
            found.restored_bytes = interruption.context_bytes[[layer as usize, accelerator]];
        } else if place > 0 {
            found.repeated = place;
        }
        for (m, last) in self.lanes.last.iter().enumerate().filter(|_| saves) {
            let Some(last) = last.filter(|_| self.lanes.runs[m].is_none()) else { continue };
            let job = self.job(last.job)?;
            let waits = goes_on(job.known, last.layer) && job.is_open(last.layer + 1);
            // It leaves that accelerator, or it takes the accelerator that another one has left.
            if mine(&last) || (m == accelerator && waits) {
                let contexts = job.known.interruption.as_ref().map(|of| &of.context_bytes);
                found.saved_bytes += contexts.map_or(0.0, |all| all[[last.layer as usize, m]]);
            }
        }
        Ok(found)
    }
}
