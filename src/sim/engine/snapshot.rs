//! Filling the view: what is known at the present time, copied out of the engine's own state.

use super::super::{AcceleratorView, JobView, NetworkModel, RequestId, SubJobId, SubJobView};
use super::Engine;
use super::jobs::{Job, State};
use super::lanes::{Lanes, Running};
use crate::units::Time;

impl Engine {
    pub(super) fn take_snapshot(&mut self) {
        let (now, lanes) = (self.now, &self.lanes);
        let snapshot = &mut self.snapshot;
        snapshot.now = now;
        snapshot.next_decision = Some(self.ticks.next()).filter(|&tick| tick < Time::MAX);
        snapshot.accelerators.clear();
        snapshot.accelerators.extend(lanes.running().iter().enumerate().map(|(accelerator, running)| {
            let Some(Running { sub_job, cost, .. }) = running else {
                return AcceleratorView { running: None, free_at: now, demand_bytes_per_ps: 0.0 };
            };
            let (free_at, demand_bytes_per_ps) = (lanes.end_of(accelerator), cost.demand_bytes_per_ps);
            AcceleratorView { running: Some(*sub_job), free_at, demand_bytes_per_ps }
        }));
        snapshot.jobs.clear();
        snapshot.sub_jobs.clear();
        for &id in self.jobs.in_flight() {
            let job = self.jobs.get(id).expect("jobs in flight have a slot");
            let network = &self.world.networks[job.request.network as usize];
            let index = snapshot.jobs.len();
            snapshot.jobs.push(job_view(job, lanes, network, now));
            snapshot.sub_jobs.extend(job.open.iter().map(|&layer| {
                let sub = job.sub(layer);
                let ready = sub.state == State::Ready;
                let release = if ready { sub.ready_at } else { release(lanes, job, network, layer, now) };
                let assigned = sub.assignment.map(|assignment| assignment.accelerator);
                SubJobView { id: SubJobId { job: id, layer }, job: index, ready, release, assigned }
            }));
        }
    }
}

fn job_view(job: &Job, lanes: &Lanes, network: &NetworkModel, now: Time) -> JobView {
    let request = &job.request;
    let mut remaining_best = job.unstarted_best;
    for accelerator in job.running_on.iter() {
        remaining_best += lanes.end_of(accelerator) - now;
    }
    JobView {
        id: job.id,
        request: RequestId(job.id.0),
        tenant: request.tenant,
        network: request.network,
        priority: request.priority,
        arrival: request.arrival,
        deadline: request.deadline,
        remaining_best,
        shortest_left: shortest_left(lanes, job, network, now),
        unstarted_best: job.unstarted_best,
        unstarted_bytes: job.unstarted_bytes,
        layers_left: job.unstarted,
        running: job.is_running(),
        held: job.held,
    }
}

/// When the last of the running predecessors ends at the present rates.
fn release(lanes: &Lanes, job: &Job, network: &NetworkModel, layer: u32, now: Time) -> Time {
    let predecessors = &network.predecessors[layer as usize];
    let mut release = now;
    for accelerator in job.running_on.iter() {
        if predecessors.contains(&lanes.running_on(accelerator).sub_job.layer) {
            release = release.max(lanes.end_of(accelerator));
        }
    }
    release
}

/// The longest path over what is left: from the layers that may be assigned, and through those that run. Layers that
/// are neither come after one of these.
fn shortest_left(lanes: &Lanes, job: &Job, network: &NetworkModel, now: Time) -> Time {
    let mut longest = Time::ZERO;
    for &layer in &job.open {
        longest = longest.max(network.path_left[layer as usize]);
    }
    for accelerator in job.running_on.iter() {
        let running = lanes.running_on(accelerator);
        let layer = running.sub_job.layer as usize;
        let after = network.path_left[layer] - network.best_alone[layer];
        longest = longest.max(running.left_alone(now) + after);
    }
    longest
}
