//! Filling the view: the knowledge at the present time, copied out of the engine's own state.

use super::super::{AcceleratorView, JobView, NetworkModel, RequestId, Snapshot, SubJobId, SubJobView};
use super::Engine;
use super::estimates::Seen;
use super::jobs::{Job, State};
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
        snapshot.accelerators.clear();
        snapshot.accelerators.extend(lanes.running().iter().enumerate().map(|(accelerator, running)| {
            let Some(running) = running else {
                return AcceleratorView { running: None, free_at: now, demand_bytes_per_ps: 0.0 };
            };
            let (free_at, demand_bytes_per_ps) = (lanes.end_of(accelerator), running.expected_demand());
            AcceleratorView { running: Some(running.sub_job), free_at, demand_bytes_per_ps }
        }));
        for running in lanes.running().iter().flatten() {
            self.jobs.get_mut(running.sub_job.job).expect("running jobs have a slot");
        }
        let mut kept = snapshot.jobs.len();
        while let Some(id) = self.jobs.next_touched() {
            // A job that is not in the list yet comes after all that are.
            let Ok(index) = snapshot.jobs.binary_search_by_key(&id, |job| job.id) else { continue };
            let job = self.jobs.get(id).filter(|job| !job.abandoned);
            if !job.is_some_and(|job| refresh(snapshot, index, job, lanes, networks)) {
                kept = kept.min(index);
            }
        }
        snapshot.jobs.truncate(kept);
        snapshot.sub_jobs.truncate(snapshot.sub_jobs.partition_point(|sub| sub.job < kept));
        // The jobs in flight are, in this order, those that are kept and all others.
        for &id in &self.jobs.in_flight()[kept..] {
            let job = self.jobs.get(id).expect("jobs in flight have a slot");
            let network = &networks[job.request.network as usize];
            let index = snapshot.jobs.len();
            snapshot.jobs.push(job_view(job, lanes, network, now));
            let view = |&layer: &u32| sub_job_view(job, index, layer, lanes, network, now);
            snapshot.sub_jobs.extend(job.open.iter().map(view));
        }
    }
}

/// Brings a job and its open layers up to date in place; returns whether they still fit there.
fn refresh(snapshot: &mut Snapshot, index: usize, job: &Job, lanes: Seen, networks: &[NetworkModel]) -> bool {
    let (now, network) = (snapshot.now, &networks[job.request.network as usize]);
    let first = snapshot.sub_jobs.partition_point(|sub| sub.job < index);
    let places = snapshot.sub_jobs[first..].iter().take_while(|sub| sub.job == index).count();
    let fits = places == job.open.len();
    if fits {
        snapshot.jobs[index] = job_view(job, lanes, network, now);
        for (place, &layer) in snapshot.sub_jobs[first..].iter_mut().zip(&job.open) {
            *place = sub_job_view(job, index, layer, lanes, network, now);
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
        shortest_left: shortest_left(lanes, job, network),
        unstarted_best: job.unstarted_best,
        unstarted_bytes: job.unstarted_bytes,
        layers_left: job.unstarted,
        running: job.is_running(),
        held: job.held,
    }
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

/// The longest path over the remaining layers. It starts at a layer that may be assigned or that runs, because all
/// others come after one of these.
fn shortest_left(lanes: Seen, job: &Job, network: &NetworkModel) -> Time {
    let mut longest = Time::ZERO;
    for &layer in &job.open {
        longest = longest.max(network.path_left[layer as usize]);
    }
    for accelerator in job.running_on.iter() {
        let layer = lanes.layer_on(accelerator) as usize;
        let after = network.path_left[layer] - network.best_alone[layer];
        longest = longest.max(lanes.left_alone(accelerator) + after);
    }
    longest
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
