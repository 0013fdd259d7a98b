//! What a sub-job interrupts when it starts, and what interrupted its own layer (`sim::preemption`).

use super::Engine;
use crate::sim::{Interrupted, SubJobId};

impl Engine {
    /// What a sub-job of a network with interruptions that cost finds when it starts on an accelerator.
    #[cold]
    pub(super) fn interrupted(&self, sub_job: SubJobId, asked: u32, accelerator: usize) -> Interrupted {
        let last = self.lanes.last(accelerator);
        let network = &self.world.networks[asked as usize];
        let before = sub_job.layer.checked_sub(1).filter(|&before| network.goes_on(before));
        let before = before.map(|layer| SubJobId { layer, ..sub_job });
        if before.is_some() && last == before {
            return Interrupted::default();
        }
        let mut found = network.resumed(sub_job.layer, accelerator);
        // A part that leaves for another accelerator takes its activations along, unless they are in DRAM already.
        if let Some((before, left)) = before.and_then(|before| Some((before, self.left_by(before)?))) {
            found.saved_bytes += network.context(before.layer, left);
        }
        if let Some(last) = last {
            found.saved_bytes += self.left_behind(last, accelerator);
        }
        found
    }

    /// The idle accelerator on which a sub-job was the last one, if there is one.
    fn left_by(&self, sub_job: SubJobId) -> Option<usize> {
        let idle = self.lanes.running().iter().enumerate().filter(|(_, running)| running.is_none());
        idle.map(|(m, _)| m).find(|&m| self.lanes.last(m) == Some(sub_job))
    }

    /// The bytes that an accelerator holds of a layer whose next part has not started.
    fn left_behind(&self, last: SubJobId, accelerator: usize) -> f64 {
        let Some(job) = self.jobs.get(last.job).filter(|job| !job.abandoned) else { return 0.0 };
        let network = &self.world.networks[job.request.network as usize];
        match network.goes_on(last.layer) && job.sub(last.layer + 1).waits() {
            true => network.context(last.layer, accelerator),
            false => 0.0,
        }
    }
}
