//! Checks that the layers run at the paces that are drawn for them, where execution times vary.

use super::{Audit, Check, ensure, ensure_close};
use crate::sim::SubJobId;

impl Audit<'_> {
    /// Whether execution times vary, so that nobody knows when a layer ends.
    pub(super) fn varies(&self) -> bool {
        self.rules.variation.is_some()
    }

    /// The layer that has just started runs at another pace.
    pub(super) fn change_pace(&mut self, sub_job: SubJobId, accelerator: usize, pace: f64) -> Check {
        let draws = self.rules.variation.as_ref().ok_or("a pace, but execution times do not vary")?;
        let job = self.job(sub_job.job)?;
        let expected = draws.pace(job.origin.place, sub_job.layer, job.request.network, accelerator);
        ensure_close("pace", pace, expected)?;
        let run = self.lanes.runs.get_mut(accelerator).and_then(Option::as_mut);
        let run = run.filter(|run| run.sub_job == sub_job);
        let run = run.ok_or_else(|| format!("{sub_job:?} does not run on {accelerator}"))?;
        ensure!(run.start == self.now && run.pace.is_none(), "{sub_job:?} changes its pace");
        run.pace = Some(pace);
        self.conditions.fastest = self.conditions.fastest.max(pace * self.conditions.present.speed);
        Ok(())
    }

    /// Checks that every layer that runs has its pace.
    pub(super) fn check_paces(&self) -> Check {
        let without = self.lanes.running().find(|run| self.varies() && run.pace.is_none());
        ensure!(without.is_none(), "{:?} runs at no pace", without.map(|run| run.sub_job));
        Ok(())
    }
}
