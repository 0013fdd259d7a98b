//! Checks that the view of a scheduler agrees with this account.

use super::jobs::Job;
use super::lanes::Run;
use super::triggers::next_tick;
use super::{Audit, Check, TOLERANCE, ensure};
use crate::sim::{AcceleratorView, DecisionCost, JobView, RequestId, SubJobId, SubJobView, Trigger, View};
use crate::units::Time;

impl Audit<'_> {
    pub(super) fn check_view(&mut self, view: &View) -> Check {
        ensure!(view.now() >= self.now, "the view is of {} ps", view.now().0);
        // The scheduler is asked before the decision is recorded, which may be the first record of its instant.
        self.advance(view.now())?;
        let tick = match self.rules.trigger {
            Trigger::Periodic(period) => Some(next_tick(period, self.now)),
            Trigger::OnIdle | Trigger::OnChange | Trigger::Never => None,
        };
        ensure!(view.next_decision() == tick, "the next tick is {:?}, not {tick:?}", view.next_decision());
        self.check_accelerators(view.accelerators())?;
        let shown: Vec<u32> = view.jobs().iter().map(|job| job.id.0).collect();
        let open: Vec<u32> = self.open_jobs().map(|job| job.id.0).collect();
        ensure!(shown == open, "the view shows jobs {shown:?}, open are {open:?}");
        let mut sub_jobs = view.sub_jobs().iter();
        for (index, (job, shown)) in self.open_jobs().zip(view.jobs()).enumerate() {
            self.check_job(job, shown, view)?;
            for layer in job.open_layers() {
                let expected = self.sub_job_view(job, index, layer, view);
                let shown = sub_jobs.next();
                ensure!(shown == Some(&expected), "the view shows {shown:?}, not {expected:?}");
            }
        }
        self.check_expected(view)?;
        self.check_found(view)?;
        let more = sub_jobs.next();
        ensure!(more.is_none(), "the view shows {more:?}, which may not be assigned");
        let varies = self.varies();
        for (job, shown) in view.jobs().iter().filter(|_| !varies).map(|shown| (shown.id, shown)) {
            let earliest = &mut self.jobs[job.0 as usize].earliest_end;
            *earliest = (*earliest).max(view.now() + shown.shortest_left);
        }
        Ok(())
    }

    /// Checks which layers run, and until when at their present rates. While the starts of this instant wait for an
    /// ideal decision, the rates are those of the last instant.
    fn check_accelerators(&self, views: &[AcceleratorView]) -> Check {
        let conditions = self.conditions.present;
        let rates = self.lanes.rates(self.world.platform.sharing, conditions);
        let ideal = self.rules.decision_cost == DecisionCost::Ideal;
        ensure!(views.len() == rates.len(), "the view shows {} of {} accelerators", views.len(), rates.len());
        for (accelerator, ((view, run), rate)) in views.iter().zip(&self.lanes.runs).zip(rates).enumerate() {
            let running = run.as_ref().map(|run| run.sub_job);
            ensure!(
                view.running == running,
                "the view shows {:?} on accelerator {accelerator}, not {running:?}",
                view.running
            );
            let demand = run.as_ref().map_or(0.0, |run| run.cost.demand_bytes_per_ps / run.ratio);
            ensure!(
                view.demand_bytes_per_ps == demand,
                "accelerator {accelerator} demands {} bytes/ps, not {demand}",
                view.demand_bytes_per_ps
            );
            let rate = run.as_ref().filter(|_| ideal).map_or(rate, |run| run.rate);
            let left_ps = run.as_ref().map_or(0.0, |run| run.left_ps(rate, conditions.speed));
            let expected_ps = self.now.as_ps() + left_ps;
            let off_ps = (view.free_at.as_ps() - expected_ps).abs();
            // Ends are rounded up, and work is conserved to the tolerance.
            let rounding = |run: &Run| run.roundings() + run.cost.latency_ps / rate * TOLERANCE;
            let rounding_ps = run.as_ref().map_or(1.0, rounding);
            let rounding_ps = rounding_ps + expected_ps * f64::EPSILON;
            ensure!(
                off_ps <= rounding_ps || (self.varies() && view.free_at >= self.now),
                "accelerator {accelerator} is free at {} ps, not {expected_ps} ps",
                view.free_at.0
            );
        }
        Ok(())
    }

    fn check_job(&self, job: &Job, shown: &JobView, view: &View) -> Check {
        let unstarted = || job.layers.iter().enumerate().filter(|(_, layer)| !layer.started);
        let best: Vec<(Time, u64)> = unstarted().map(|(layer, _)| self.best(job, layer)).collect();
        let unstarted_best: Time = best.iter().map(|(alone, _)| *alone).sum();
        let unstarted_bytes = best.iter().map(|(_, bytes)| bytes).sum();
        let mine = |view: &&AcceleratorView| view.running.is_some_and(|sub_job| sub_job.job == job.id);
        let running = || view.accelerators().iter().filter(mine);
        let running_left: Time = running().map(|view| view.free_at - self.now).sum();
        let request = &job.request;
        let expected = JobView {
            id: job.id,
            request: RequestId(job.id.0),
            tenant: request.tenant,
            network: request.network,
            priority: request.priority,
            arrival: request.arrival,
            deadline: request.deadline,
            remaining_best: unstarted_best + running_left,
            // This bound is checked when the job is done.
            shortest_left: shown.shortest_left,
            unstarted_best,
            unstarted_bytes,
            layers_left: unstarted().count() as u32,
            running: running().next().is_some(),
            held: job.held,
        };
        ensure!(*shown == expected, "the view shows {shown:?}, not {expected:?}");
        Ok(())
    }

    fn sub_job_view(&self, job: &Job, index: usize, layer: u32, view: &View) -> SubJobView {
        let ready = job.is_ready(layer);
        let before = &job.network.predecessors[layer as usize];
        let runs_before = |view: &&AcceleratorView| {
            view.running.is_some_and(|sub| sub.job == job.id && before.contains(&sub.layer))
        };
        let ends = view.accelerators().iter().filter(runs_before).map(|view| view.free_at);
        SubJobView {
            id: SubJobId { job: job.id, layer },
            job: index,
            ready,
            release: if ready { job.ready_at(layer) } else { ends.max().unwrap_or(self.now) },
            assigned: job.layers[layer as usize].assignment.map(|assignment| assignment.accelerator),
        }
    }
}
