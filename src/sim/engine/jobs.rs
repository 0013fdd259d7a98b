//! Jobs in flight and the state of their sub-jobs.

use super::super::{JobId, NetworkModel};
use crate::units::Time;

const NOT_IN_FLIGHT: u32 = u32::MAX;

/// Where and how urgently a sub-job shall run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Assignment {
    pub(super) accelerator: usize,
    pub(super) priority: f64,
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
    /// Predecessors that have not ended.
    pub(super) unfinished: u32,
    /// Predecessors that have not started; at zero the sub-job may be assigned.
    pub(super) unstarted: u32,
    /// When it became ready.
    pub(super) ready_at: Time,
    pub(super) assignment: Option<Assignment>,
    /// Grows with every change of the assignment: tells queue entries that are out of date.
    pub(super) stamp: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) id: JobId,
    pub(super) network: u32,
    pub(super) subs: Vec<SubJob>,
    /// Layers that may be assigned, ascending.
    pub(super) open: Vec<u32>,
    pub(super) unfinished: u32,
    pub(super) unstarted: u32,
    pub(super) running: u32,
    /// Sum of the smallest c1 over layers not yet started.
    pub(super) unstarted_best: Time,
    pub(super) held: bool,
    /// Its request was dropped; it only waits for its running layers.
    pub(super) abandoned: bool,
}

impl Job {
    fn reset(&mut self, id: JobId, network_index: u32, network: &NetworkModel, now: Time) {
        self.id = id;
        self.network = network_index;
        self.subs.clear();
        self.open.clear();
        for (layer, before) in network.predecessors.iter().enumerate() {
            let count = before.len() as u32;
            let state = if count == 0 { State::Ready } else { State::Waiting };
            let (unfinished, unstarted) = (count, count);
            self.subs.push(SubJob {
                state,
                unfinished,
                unstarted,
                ready_at: now,
                assignment: None,
                stamp: 0,
            });
            if count == 0 {
                self.open.push(layer as u32);
            }
        }
        self.unfinished = network.layers.len() as u32;
        self.unstarted = self.unfinished;
        self.running = 0;
        self.unstarted_best = network.total_best;
        self.held = false;
        self.abandoned = false;
    }

    pub(super) fn sub(&self, layer: u32) -> &SubJob {
        &self.subs[layer as usize]
    }

    pub(super) fn sub_mut(&mut self, layer: u32) -> &mut SubJob {
        &mut self.subs[layer as usize]
    }

    /// Whether the layer may be assigned: ready, or all its unfinished predecessors run.
    pub(super) fn is_open(&self, layer: u32) -> bool {
        self.open.binary_search(&layer).is_ok()
    }

    fn open_layer(&mut self, layer: u32) {
        if let Err(place) = self.open.binary_search(&layer) {
            self.open.insert(place, layer);
        }
    }

    /// Marks a ready layer as running; successors with no other predecessor to start may be assigned now.
    pub(super) fn start(&mut self, layer: u32, network: &NetworkModel) {
        let place = self.open.binary_search(&layer).expect("only open layers start");
        self.open.remove(place);
        self.sub_mut(layer).state = State::Running;
        self.running += 1;
        self.unstarted -= 1;
        self.unstarted_best -= network.best_alone[layer as usize];
        for &next in &network.successors[layer as usize] {
            self.sub_mut(next).unstarted -= 1;
            if self.sub(next).unstarted == 0 && !self.abandoned {
                self.open_layer(next);
            }
        }
    }

    /// Marks a running layer as done.
    pub(super) fn finish(&mut self, layer: u32) {
        self.sub_mut(layer).state = State::Done;
        self.running -= 1;
        self.unfinished -= 1;
    }
}

/// A slab of jobs; slots are reused with their buffers.
#[derive(Clone, Debug)]
pub(super) struct Jobs {
    slots: Vec<Job>,
    free: Vec<u32>,
    slot_of: Vec<u32>,
    /// Jobs whose request is still open, in order of arrival.
    in_flight: Vec<JobId>,
}

impl Jobs {
    pub(super) fn new(jobs: usize) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            slot_of: vec![NOT_IN_FLIGHT; jobs],
            in_flight: Vec::new(),
        }
    }

    pub(super) fn in_flight(&self) -> &[JobId] {
        &self.in_flight
    }

    pub(super) fn get(&self, id: JobId) -> Option<&Job> {
        let slot = *self.slot_of.get(id.0 as usize)?;
        self.slots.get(slot as usize)
    }

    pub(super) fn get_mut(&mut self, id: JobId) -> Option<&mut Job> {
        let slot = *self.slot_of.get(id.0 as usize)?;
        self.slots.get_mut(slot as usize)
    }

    /// A job that is known to have a slot: one that runs or is in flight.
    pub(super) fn of(&mut self, id: JobId) -> &mut Job {
        self.get_mut(id).expect("running jobs and jobs in flight have a slot")
    }

    pub(super) fn insert(&mut self, id: JobId, network_index: u32, network: &NetworkModel, now: Time) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Job {
                id,
                network: network_index,
                subs: Vec::new(),
                open: Vec::new(),
                unfinished: 0,
                unstarted: 0,
                running: 0,
                unstarted_best: Time::ZERO,
                held: false,
                abandoned: false,
            });
            self.slots.len() as u32 - 1
        });
        self.slots[slot as usize].reset(id, network_index, network, now);
        self.slot_of[id.0 as usize] = slot;
        self.in_flight.push(id);
    }

    /// The job's request has ended; its slot lives on while a layer runs.
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
        if job.abandoned && job.running == 0 {
            let slot = std::mem::replace(&mut self.slot_of[id.0 as usize], NOT_IN_FLIGHT);
            self.free.push(slot);
        }
    }
}
