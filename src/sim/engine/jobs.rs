//! Jobs in flight and the state of their sub-jobs.

use std::collections::VecDeque;

use super::super::{JobId, NetworkModel, Origin, Request};
use super::mask::Mask;
use crate::units::Time;

const NO_SLOT: u32 = u32::MAX;

/// The assignment of a sub-job: the accelerator, the priority and the weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Assignment {
    pub(super) accelerator: usize,
    pub(super) priority: f64,
    /// Weight of the sub-job's share of the bandwidth, under `score` sharing.
    pub(super) weight: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Some predecessor has not ended.
    Waiting,
    Ready,
    Running,
    Done,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct SubJob {
    pub(super) state: State,
    /// Number of predecessors that have not ended.
    pub(super) unfinished: u32,
    /// Number of predecessors that have not started; at zero the sub-job may be assigned.
    pub(super) unstarted: u32,
    /// When the sub-job became ready.
    pub(super) ready_at: Time,
    pub(super) assignment: Option<Assignment>,
    /// When a decision put the sub-job on the accelerator of its assignment.
    pub(super) assigned_at: Time,
    /// A stamp that grows with every change of the assignment, by which outdated queue entries are recognised.
    pub(super) stamp: u32,
}

impl SubJob {
    /// Whether it has not started.
    pub(super) fn waits(&self) -> bool {
        matches!(self.state, State::Waiting | State::Ready)
    }

    fn new(predecessors: usize, now: Time) -> Self {
        let count = predecessors as u32;
        Self {
            state: if count == 0 { State::Ready } else { State::Waiting },
            unfinished: count,
            unstarted: count,
            ready_at: now,
            assignment: None,
            assigned_at: now,
            stamp: 0,
        }
    }
}

/// Where the view shows a job.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Index in [`Snapshot::jobs`](super::super::Snapshot::jobs).
    pub(super) job: u32,
    /// Index of its first open layer in [`Snapshot::sub_jobs`](super::super::Snapshot::sub_jobs).
    pub(super) first: u32,
    /// How many open layers the view shows.
    pub(super) open: u32,
}

#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: JobId,
    /// The request that the job serves, with its actual arrival and deadline.
    pub(super) request: Request,
    pub(super) origin: Origin,
    pub(super) subs: Vec<SubJob>,
    /// 1 / X of each layer, where execution times vary; else empty.
    pub(super) paces: Vec<f64>,
    /// Layers that may be assigned, ascending.
    pub(super) open: Vec<u32>,
    /// Accelerators that run layers of the job.
    pub(super) running_on: Mask,
    pub(super) unfinished: u32,
    pub(super) unstarted: u32,
    /// Sum of the smallest c1 over layers not yet started.
    pub(super) unstarted_best: Time,
    /// Sum of the DRAM bytes of these layers, each on the accelerator of its smallest c1.
    pub(super) unstarted_bytes: u64,
    pub(super) held: bool,
    /// Whether the request has ended and the job only waits for its running layers.
    pub(super) abandoned: bool,
    /// Whether the job may have changed since the last view.
    touched: bool,
    /// Its place in the last view, if that shows it.
    pub(super) place: Option<Place>,
}

clone_by_field!(Job {
    id,
    request,
    origin,
    subs,
    paces,
    open,
    running_on,
    unfinished,
    unstarted,
    unstarted_best,
    unstarted_bytes,
    held,
    abandoned,
    touched,
    place
});

impl Job {
    /// A job with room for a network of `layers` layers.
    fn new(id: JobId, request: Request, layers: usize) -> Self {
        Self {
            id,
            request,
            origin: Origin::NONE,
            subs: Vec::with_capacity(layers),
            paces: Vec::new(),
            open: Vec::with_capacity(layers),
            running_on: Mask::default(),
            unfinished: 0,
            unstarted: 0,
            unstarted_best: Time::ZERO,
            unstarted_bytes: 0,
            held: false,
            abandoned: false,
            touched: false,
            place: None,
        }
    }

    fn reset(&mut self, id: JobId, origin: Origin, request: Request, network: &NetworkModel) {
        self.id = id;
        self.origin = origin;
        self.request = request;
        self.subs.clear();
        self.subs
            .extend(network.predecessors.iter().map(|before| SubJob::new(before.len(), request.arrival)));
        self.paces.clear();
        self.open.clear();
        self.open.extend_from_slice(&network.sources);
        self.running_on.clear();
        self.unfinished = network.layers.len() as u32;
        self.unstarted = self.unfinished;
        self.unstarted_best = network.total_best;
        self.unstarted_bytes = network.total_bytes;
        self.held = false;
        self.abandoned = false;
        self.touched = false;
        self.place = None;
    }

    /// Estimates what is left by the costs of another network model.
    pub(super) fn estimate(&mut self, network: &NetworkModel) {
        let unstarted = (0..self.subs.len()).filter(|&layer| self.subs[layer].waits());
        let each = unstarted.map(|layer| (network.best_alone[layer], network.best_bytes[layer]));
        let add = |(alone, bytes): (Time, u64), (one, more): (Time, u64)| (alone + one, bytes + more);
        (self.unstarted_best, self.unstarted_bytes) = each.fold((Time::ZERO, 0), add);
    }

    pub(super) fn sub(&self, layer: u32) -> &SubJob {
        &self.subs[layer as usize]
    }

    pub(super) fn sub_mut(&mut self, layer: u32) -> &mut SubJob {
        &mut self.subs[layer as usize]
    }

    /// Whether the layer exists and may be assigned: it is ready, or all its unfinished predecessors run.
    #[inline]
    pub(super) fn is_open(&self, layer: u32) -> bool {
        let may = |sub: &SubJob| sub.unstarted == 0 && sub.waits();
        !self.abandoned && self.subs.get(layer as usize).is_some_and(may)
    }

    pub(super) fn is_running(&self) -> bool {
        !self.running_on.is_empty()
    }

    fn open_layer(&mut self, layer: u32) {
        if let Err(place) = self.open.binary_search(&layer) {
            self.open.insert(place, layer);
        }
    }

    /// Marks a ready layer as running; successors with no other predecessor to start may be assigned now.
    pub(super) fn start(&mut self, layer: u32, accelerator: usize, network: &NetworkModel) {
        let place = self.open.binary_search(&layer).expect("only open layers start");
        self.open.remove(place);
        self.sub_mut(layer).state = State::Running;
        self.running_on.insert(accelerator);
        self.unstarted -= 1;
        self.unstarted_best -= network.best_alone[layer as usize];
        self.unstarted_bytes -= network.best_bytes[layer as usize];
        for &next in &network.successors[layer as usize] {
            self.sub_mut(next).unstarted -= 1;
            if self.sub(next).unstarted == 0 && !self.abandoned {
                self.open_layer(next);
            }
        }
    }

    /// Marks a running layer as done.
    pub(super) fn finish(&mut self, layer: u32, accelerator: usize) {
        self.sub_mut(layer).state = State::Done;
        self.running_on.remove(accelerator);
        self.unfinished -= 1;
    }
}

/// A slab of jobs; slots are reused with their buffers, which have room for every network.
#[derive(Debug)]
pub(super) struct Jobs {
    /// Number of layers of the longest network.
    most_layers: usize,
    slots: Vec<Job>,
    free: Vec<u32>,
    /// The slots of the jobs from `first` on: a window that moves with the jobs in flight.
    slot_of: VecDeque<u32>,
    first: u32,
    /// Jobs whose request is still open, in order of arrival.
    in_flight: Vec<JobId>,
    /// Jobs that may have changed since the last view, in any order.
    touched: Vec<JobId>,
}

clone_by_field!(Jobs { most_layers, slots, free, slot_of, first, in_flight, touched });

impl Jobs {
    pub(super) fn new(networks: &[NetworkModel]) -> Self {
        Self {
            most_layers: networks.iter().map(|network| network.layers.len()).max().unwrap_or(0),
            slots: Vec::new(),
            free: Vec::new(),
            slot_of: VecDeque::new(),
            first: 0,
            in_flight: Vec::new(),
            touched: Vec::new(),
        }
    }

    pub(super) fn in_flight(&self) -> &[JobId] {
        &self.in_flight
    }

    #[inline]
    fn slot(&self, id: JobId) -> Option<usize> {
        let place = id.0.checked_sub(self.first)?;
        self.slot_of.get(place as usize).filter(|&&slot| slot != NO_SLOT).map(|&slot| slot as usize)
    }

    #[inline]
    pub(super) fn get(&self, id: JobId) -> Option<&Job> {
        self.slot(id).map(|slot| &self.slots[slot])
    }

    /// Returns a job to be changed in what no view shows, such as the priority of an assignment.
    #[inline]
    pub(super) fn unseen(&mut self, id: JobId) -> Option<&mut Job> {
        self.slot(id).map(|slot| &mut self.slots[slot])
    }

    /// Returns a job to be changed: the next view updates only the jobs that were requested here.
    #[inline]
    pub(super) fn get_mut(&mut self, id: JobId) -> Option<&mut Job> {
        let slot = self.slot(id)?;
        let job = &mut self.slots[slot];
        if !std::mem::replace(&mut job.touched, true) {
            self.touched.push(id);
        }
        Some(job)
    }

    /// Takes a job that may have changed since the last view.
    pub(super) fn next_touched(&mut self) -> Option<JobId> {
        let id = self.touched.pop()?;
        if let Some(slot) = self.slot(id) {
            self.slots[slot].touched = false;
        }
        Some(id)
    }

    /// Returns a job that is known to have a slot, because it runs or is in flight.
    #[inline]
    pub(super) fn of(&mut self, id: JobId) -> &mut Job {
        self.get_mut(id).expect("running jobs and jobs in flight have a slot")
    }

    /// Inserts a job for a request that arrives now; ids ascend.
    pub(super) fn insert(&mut self, id: JobId, origin: Origin, request: Request, network: &NetworkModel) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Job::new(id, request, self.most_layers));
            self.slots.len() as u32 - 1
        });
        self.slots[slot as usize].reset(id, origin, request, network);
        if self.slot_of.is_empty() {
            self.first = id.0;
        }
        let place = (id.0 - self.first) as usize;
        self.slot_of.resize(place, NO_SLOT);
        self.slot_of.push_back(slot);
        self.in_flight.push(id);
    }

    /// Replaces the origin of every job by what views show of it: its place becomes the order of arrival, and it is not
    /// measured.
    pub(super) fn forget_origins(&mut self) {
        for job in &mut self.slots {
            job.origin = Origin { place: job.id.0, measured: true };
        }
    }

    /// Lets the next view be made anew.
    #[cfg(test)]
    pub(super) fn forget_places(&mut self) {
        self.slots.iter_mut().for_each(|job| job.place = None);
    }

    /// Lets no job know how long its layers will take.
    pub(super) fn forget_paces(&mut self) {
        self.slots.iter_mut().for_each(|job| job.paces.clear());
    }

    /// Closes a job whose request has ended; its slot lives on while a layer runs.
    pub(super) fn close(&mut self, id: JobId) {
        let place = self.in_flight.binary_search(&id).expect("only jobs in flight close");
        self.in_flight.remove(place);
        let job = self.of(id);
        job.abandoned = true;
        job.open.clear();
        self.release_if_idle(id);
    }

    /// Frees the slot of a closed job without running layers.
    pub(super) fn release_if_idle(&mut self, id: JobId) {
        let job = self.of(id);
        if !job.abandoned || job.is_running() {
            return;
        }
        let place = (id.0 - self.first) as usize;
        let slot = std::mem::replace(&mut self.slot_of[place], NO_SLOT);
        self.free.push(slot);
        while self.slot_of.front() == Some(&NO_SLOT) {
            self.slot_of.pop_front();
            self.first += 1;
        }
    }
}
