//! How layers and requests end: what a completion makes ready, and what becomes of a request that is done, late or given
//! up.

use std::cmp::Reverse;

use super::super::arrivals::Ended;
use super::super::{DropReason, JobId, Record, Recorder, RequestId, SubJobId, Unassigned};
use super::jobs::{Assignment, State};
use super::lanes::Running;
use super::{Changes, Engine, enqueue};
use crate::units::Time;

impl Engine {
    /// Ends a layer, and its request if it was the last.
    pub(super) fn complete(&mut self, accelerator: usize, running: &Running, out: &mut dyn Recorder) {
        let (left_ps, cost) = (running.left_at(self.now), &running.cost);
        // Ends are rounded up by less than a picosecond; anything else is work lost or done twice.
        let tolerance = running.rate.max(1.0) + 1e-9 * cost.latency_ps;
        assert!(left_ps.abs() <= tolerance, "{:?} ends with {left_ps} ps of work left", running.sub_job);
        self.changes =
            Changes { idle_grew: true, running_set: true, arrival_or_completion: true, ..self.changes };
        let SubJobId { job: id, layer } = running.sub_job;
        let job = self.jobs.of(id);
        let origin = job.origin;
        let finish = Record::Finish {
            time: self.now,
            start: running.start,
            sub_job: running.sub_job,
            network: job.request.network,
            accelerator,
            dram_bytes: cost.dram_bytes(),
            forwarded_bytes: running.found.inputs,
            resident_weight_bytes: running.found.weights,
            energy: cost.energy,
            uncontended_ps: cost.latency_ps / running.pace,
            repeated: running.repeated,
        };
        out.record(&finish, origin);
        job.finish(layer, accelerator);
        let (asked, abandoned, unfinished) = (job.request, job.abandoned, job.unfinished);
        self.learn(asked.network, accelerator, running.pace, out);
        if abandoned {
            self.jobs.release_if_idle(id);
        } else if unfinished == 0 {
            let request = RequestId(id.0);
            out.record(&Record::Done { time: self.now, request, job: id, asked }, origin);
            self.close(id, true);
        } else {
            if self.residents.is_on() {
                self.release_inputs(running.sub_job);
            }
            self.release_successors(accelerator, running);
        }
    }

    /// Makes the successors ready whose last predecessor has ended; under `sticky` they inherit its assignment.
    fn release_successors(&mut self, accelerator: usize, running: &Running) {
        let SubJobId { job: id, layer } = running.sub_job;
        let job = self.jobs.of(id);
        let network = &self.world.networks[job.request.network as usize];
        let sticky = self.rules.unassigned == Unassigned::Sticky && !job.held;
        let assigned_at = job.sub(layer).assigned_at;
        for &next in &network.successors[layer as usize] {
            let sub = self.jobs.of(id).sub_mut(next);
            sub.unfinished -= 1;
            if sub.unfinished > 0 {
                continue;
            }
            sub.state = State::Ready;
            sub.ready_at = self.now;
            self.changes.ready_grew = true;
            if sub.assignment.is_none() && sticky && network.alone(next)[accelerator] < Time::MAX {
                let Running { priority, weight, .. } = *running;
                sub.assignment = Some(Assignment { accelerator, priority, weight });
                sub.assigned_at = assigned_at;
            }
            enqueue(SubJobId { job: id, layer: next }, &mut self.jobs, &mut self.lanes);
        }
    }

    /// Under `late = abort`, drops the requests whose deadline is now, except those that have just ended.
    pub(super) fn abort_late(&mut self, out: &mut dyn Recorder) {
        while let Some(&Reverse((deadline, request))) = self.deadlines.peek() {
            if deadline > self.now {
                break;
            }
            self.deadlines.pop();
            self.drop_request(request, DropReason::Late, out);
        }
    }

    /// Drops a request if it is still open; returns whether it was.
    pub(super) fn drop_request(
        &mut self,
        request: RequestId,
        reason: DropReason,
        out: &mut dyn Recorder,
    ) -> bool {
        let id = JobId(request.0);
        let Some(job) = self.jobs.get(id).filter(|job| !job.abandoned) else { return false };
        let begun = (job.unstarted as usize) < job.subs.len();
        out.record(&Record::Drop { time: self.now, request, asked: job.request, reason, begun }, job.origin);
        self.close(id, false);
        true
    }

    /// Closes the job of a request that is done or dropped, and lets its followers come.
    fn close(&mut self, id: JobId, done: bool) {
        let job = self.jobs.of(id);
        let (origin, tenant) = (job.origin, job.request.tenant);
        self.jobs.close(id);
        self.residents.release_job(id);
        self.measured_open -= usize::from(origin.measured);
        if !self.trace.followers.is_empty() {
            let ended = Ended { id: RequestId(id.0), place: origin.place, tenant, done };
            self.arrivals.release(&self.trace, &ended, self.now);
        }
    }
}
