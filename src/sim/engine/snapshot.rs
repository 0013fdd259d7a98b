//! Filling the view: the knowledge at the present time, copied out of the engine's own state.

use super::super::{AcceleratorView, JobView, NetworkModel, RequestId, Snapshot, SubJobId, SubJobView};
use super::Engine;
use super::estimates::Seen;
use super::jobs::{Job, Place, State};
use crate::units::Time;

impl Engine {
    /// Brings the lists up to date. Most of a long backlog has not changed since the last view, so only jobs that run
    /// or were touched are updated. As long as they have as many open layers as before, the entries after them stay.
    pub(super) fn take_snapshot(&mut self) {
        self.tell_corrections();
        let known = self.corrections.as_ref().map_or(&self.world, |corrections| corrections.world());
        let (now, networks) = (self.now, &known.networks);
        let lanes = Seen::new(&self.lanes, self.estimates.as_deref(), now);
        let snapshot = &mut self.snapshot;
        snapshot.now = now;
        snapshot.next_decision = Some(self.ticks.next()).filter(|&tick| tick < Time::MAX);
        let idle = AcceleratorView { running: None, free_at: now, demand_bytes_per_ps: 0.0 };
        snapshot.accelerators.clear();
        snapshot.accelerators.resize(lanes.running().len(), idle);
        for accelerator in self.lanes.busy().iter() {
            let running = self.lanes.running_on(accelerator);
            snapshot.accelerators[accelerator] = AcceleratorView {
                running: Some(running.sub_job),
                free_at: lanes.end_of(accelerator),
                demand_bytes_per_ps: running.expected_demand(),
            };
            self.jobs.of(running.sub_job.job);
        }
        let mut kept = snapshot.jobs.len();
        while let Some(id) = self.jobs.next_touched() {
            let changed = match self.jobs.get(id).filter(|job| !job.abandoned) {
                // A job that is not in the list yet comes after all that are.
                Some(Job { place: None, .. }) => continue,
                Some(job) if refresh(snapshot, job, lanes, networks) => continue,
                Some(Job { place: Some(place), .. }) => place.job as usize,
                None => snapshot.jobs.binary_search_by_key(&id, |job| job.id).unwrap_or(kept),
            };
            kept = kept.min(changed);
        }
        snapshot.jobs.truncate(kept);
        snapshot.sub_jobs.truncate(snapshot.sub_jobs.partition_point(|sub| sub.job < kept));
        // The jobs in flight are, in this order, those that are kept and all others.
        for index in kept..self.jobs.in_flight().len() {
            let job = self.jobs.unseen(self.jobs.in_flight()[index]).expect("jobs in flight have a slot");
            let network = &networks[job.request.network as usize];
            let (first, open) = (snapshot.sub_jobs.len() as u32, job.open.len() as u32);
            job.place = Some(Place { job: index as u32, first, open });
            snapshot.jobs.push(job_view(job, lanes, network, now));
            let view = |&layer: &u32| sub_job_view(job, index, layer, lanes, network, now);
            snapshot.sub_jobs.extend(job.open.iter().map(view));
        }
    }
}

/// Brings a job and its open layers up to date in place; returns whether they have a place and still fit there.
fn refresh(snapshot: &mut Snapshot, job: &Job, lanes: Seen, networks: &[NetworkModel]) -> bool {
    let (now, network) = (snapshot.now, &networks[job.request.network as usize]);
    let Some(Place { job: index, first, open }) = job.place else { return false };
    let fits = open as usize == job.open.len();
    if fits {
        renew(&mut snapshot.jobs[index as usize], job, lanes, network, now);
        let places = &mut snapshot.sub_jobs[first as usize..][..job.open.len()];
        for (place, &layer) in places.iter_mut().zip(&job.open) {
            *place = sub_job_view(job, index as usize, layer, lanes, network, now);
        }
    }
    fits
}

fn sub_job_view(
    job: &Job,
    index: usize,
    layer: u32,
    lanes: Seen,
    network: &NetworkModel,
    now: Time,
) -> SubJobView {
    let sub = job.sub(layer);
    let ready = sub.state == State::Ready;
    let release = if ready { sub.ready_at } else { release(lanes, job, network, layer, now) };
    let assigned = sub.assignment.map(|assignment| assignment.accelerator);
    SubJobView { id: SubJobId { job: job.id, layer }, job: index, ready, release, assigned }
}

fn job_view(job: &Job, lanes: Seen, network: &NetworkModel, now: Time) -> JobView {
    let request = &job.request;
    let mut view = JobView {
        id: job.id,
        request: RequestId(job.id.0),
        tenant: request.tenant,
        network: request.network,
        priority: request.priority,
        arrival: request.arrival,
        deadline: request.deadline,
        remaining_best: Time::ZERO,
        shortest_left: Time::ZERO,
        unstarted_best: Time::ZERO,
        unstarted_bytes: 0,
        layers_left: 0,
        running: false,
        held: false,
    };
    renew(&mut view, job, lanes, network, now);
    view
}

/// Brings up to date what changes of a job while it is in flight.
#[inline]
fn renew(view: &mut JobView, job: &Job, lanes: Seen, network: &NetworkModel, now: Time) {
    let (mut remaining, mut longest) = (job.unstarted_best, Time::ZERO);
    // The longest path over the remaining layers starts at a layer that may be assigned or that runs, because all others
    // come after one of these.
    for &layer in &job.open {
        longest = longest.max(network.path_left[layer as usize]);
    }
    for accelerator in job.running_on.iter() {
        remaining += lanes.end_of(accelerator) - now;
        let layer = lanes.layer_on(accelerator) as usize;
        let after = network.path_left[layer] - network.best_alone[layer];
        longest = longest.max(lanes.left_alone(accelerator) + after);
    }
    view.remaining_best = remaining;
    view.shortest_left = longest;
    view.unstarted_best = job.unstarted_best;
    view.unstarted_bytes = job.unstarted_bytes;
    view.layers_left = job.unstarted;
    view.running = job.is_running();
    view.held = job.held;
}

/// When the last of the running predecessors ends at the present rates.
fn release(lanes: Seen, job: &Job, network: &NetworkModel, layer: u32, now: Time) -> Time {
    let predecessors = &network.predecessors[layer as usize];
    let mut release = now;
    for accelerator in job.running_on.iter() {
        if predecessors.contains(&lanes.layer_on(accelerator)) {
            release = release.max(lanes.end_of(accelerator));
        }
    }
    release
}

#[cfg(test)]
mod tests {
    use crate::check::{Case, Size};
    use crate::sim::{Decision, Scheduler, Step};

    /// The slow twin fills empty lists.
    #[test]
    fn lists_that_are_kept_equal_lists_that_are_made_anew() {
        let (mut views, mut kept) = (0, 0);
        for seed in 0..150 {
            let case = Case::new(seed, Size { accelerators: 4, networks: 3, layers: 8, requests: 40 });
            let (mut engine, mut scheduler, mut decision) =
                (case.engine(), case.chaos(), Decision::default());
            let mut last = None;
            while engine.run_to_decision(&mut ()) == Step::Decide {
                let mut twin = engine.clone();
                twin.snapshot.jobs.clear();
                twin.snapshot.sub_jobs.clear();
                twin.jobs.forget_places();
                twin.take_snapshot();
                assert_eq!(engine.snapshot, twin.snapshot, "seed {seed}");
                views += 1;
                kept += u32::from(last == engine.snapshot.jobs.first().map(|job| job.id));
                last = engine.snapshot.jobs.first().map(|job| job.id);
                decision.clear();
                scheduler.decide(&engine.view(), &mut decision);
                engine.apply(&decision, &mut ()).expect("chaos is legal");
            }
        }
        assert!(views > 10_000 && kept > views / 2, "{kept} of {views}");
    }
}
