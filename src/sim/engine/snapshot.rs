//! Filling the view: what is known at the present time, copied out of the engine's own state.

use super::super::{AcceleratorView, JobView, NetworkModel, RequestId, SubJobId, SubJobView};
use super::jobs::{Job, State};
use super::{Engine, Lane};
use crate::units::Time;

impl Engine {
    pub(super) fn take_snapshot(&mut self) {
        let next_tick = self.next_tick();
        let (now, lanes) = (self.now, &self.lanes);
        let snapshot = &mut self.snapshot;
        snapshot.now = now;
        snapshot.next_decision = next_tick;
        snapshot.accelerators.clear();
        snapshot.accelerators.extend(lanes.iter().map(|lane| accelerator_view(lane, now)));
        snapshot.jobs.clear();
        snapshot.sub_jobs.clear();
        for &id in self.jobs.in_flight() {
            let job = self.jobs.get(id).expect("jobs in flight have a slot");
            let request = self.trace.request(RequestId(id.0));
            let network = &self.world.networks[request.network as usize];
            let index = snapshot.jobs.len();
            snapshot.jobs.push(JobView {
                id,
                request: RequestId(id.0),
                tenant: request.tenant,
                network: request.network,
                priority: request.priority,
                arrival: request.arrival,
                deadline: request.deadline,
                remaining_best: job.unstarted_best + running_left(lanes, job, now),
                shortest_left: shortest_left(lanes, job, network, now),
                unstarted_best: job.unstarted_best,
                layers_left: job.unstarted,
                running: job.running > 0,
                held: job.held,
            });
            snapshot.sub_jobs.extend(job.open.iter().map(|&layer| {
                let sub = job.sub(layer);
                let ready = sub.state == State::Ready;
                let release = if ready {
                    sub.ready_at
                } else {
                    release(lanes, job, &network.predecessors[layer as usize], now)
                };
                let assigned = sub.assignment.map(|assignment| assignment.accelerator);
                SubJobView { id: SubJobId { job: id, layer }, job: index, ready, release, assigned }
            }));
        }
    }
}

fn accelerator_view(lane: &Lane, now: Time) -> AcceleratorView {
    AcceleratorView {
        running: lane.running.as_ref().map(|running| running.sub_job),
        free_at: lane.running.as_ref().map_or(now, |running| running.end),
    }
}

/// What is left of the job's running layers at their present rates.
fn running_left(lanes: &[Lane], job: &Job, now: Time) -> Time {
    if job.running == 0 {
        return Time::ZERO;
    }
    let running = lanes.iter().filter_map(|lane| lane.running.as_ref());
    running.filter(|running| running.sub_job.job == job.id).map(|running| running.end - now).sum()
}

/// The longest path over what is left: from the layers that may be assigned, and through those that run. Layers that
/// are neither come after one of these.
fn shortest_left(lanes: &[Lane], job: &Job, network: &NetworkModel, now: Time) -> Time {
    let open = job.open.iter().map(|&layer| network.path_left[layer as usize]);
    let after = |layer: u32| {
        let next = network.successors[layer as usize].iter().map(|&s| network.path_left[s as usize]);
        next.max().unwrap_or_default()
    };
    if job.running == 0 {
        return open.max().unwrap_or_default();
    }
    let running = lanes.iter().filter_map(|lane| lane.running.as_ref());
    let mine = running.filter(|running| running.sub_job.job == job.id);
    let through = mine.map(|running| running.left_alone(now) + after(running.sub_job.layer));
    open.chain(through).max().unwrap_or_default()
}

/// When the last of the running predecessors ends at the present rates.
fn release(lanes: &[Lane], job: &Job, predecessors: &[u32], now: Time) -> Time {
    let running = lanes.iter().filter_map(|lane| lane.running.as_ref());
    let mine = running.filter(|running| running.sub_job.job == job.id);
    let ends =
        mine.filter(|running| predecessors.contains(&running.sub_job.layer)).map(|running| running.end);
    ends.max().unwrap_or(now)
}
