//! Checks what layers find on chip, by a second account of the memories for residents ([`crate::sim::Residency`]): a list
//! per accelerator in the order of last use.

use super::jobs::Fate;
use super::{Audit, Check, ensure, ensure_close};
use crate::sim::{Found, JobId, NetworkModel, Residency, SubJobId, View, World};

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    /// The weights of a network's layer.
    Weights(u32, u32),
    Output(SubJobId),
}

#[derive(Clone, Copy, Debug)]
struct Item {
    what: What,
    bytes: u64,
    pinned: bool,
}

/// What is on each accelerator, least recently used first.
pub(super) struct Residents {
    shelves: Vec<Vec<Item>>,
}

fn bytes(items: &[Item]) -> u64 {
    items.iter().map(|item| item.bytes).sum()
}

impl Residents {
    pub(super) fn new(world: &World) -> Self {
        Self { shelves: vec![Vec::new(); world.platform.accelerators.len()] }
    }

    fn holds(&self, accelerator: usize, what: What) -> bool {
        self.shelves[accelerator].iter().any(|item| item.what == what)
    }

    /// What a layer finds: the reads of its weights, and those parts of the input whose writers' outputs are there.
    fn found(&self, sub_job: SubJobId, place: u32, network: &NetworkModel, accelerator: usize) -> Found {
        let Some(residency) = &network.residency else { return Found::default() };
        let SubJobId { job, layer } = sub_job;
        let before = &network.predecessors[layer as usize];
        let elements = |before: u32| residency.outputs[before as usize] as f64;
        let all: f64 = before.iter().map(|&before| elements(before)).sum();
        let is_there = |before: u32| self.holds(accelerator, What::Output(SubJobId { job, layer: before }));
        let there: f64 =
            before.iter().filter(|&&before| is_there(before)).map(|&before| elements(before)).sum();
        let reads = residency.tensors[[layer as usize, accelerator]];
        let weights = self.holds(accelerator, What::Weights(place, layer));
        Found {
            inputs: if all > 0.0 { reads.input_reads as f64 * (there / all) } else { 0.0 },
            weights: if weights { reads.weight_reads as f64 } else { 0.0 },
        }
    }

    /// A layer starts: what it uses goes to the end of the list, and what it brings follows if it fits.
    fn start(&mut self, sub_job: SubJobId, place: u32, network: &NetworkModel, accelerator: usize) {
        let Some(residency) = &network.residency else { return };
        let SubJobId { job, layer } = sub_job;
        let own = residency.tensors[[layer as usize, accelerator]];
        let weights = What::Weights(place, layer);
        let inputs = network.predecessors[layer as usize].iter();
        let uses = inputs.map(|&before| What::Output(SubJobId { job, layer: before })).chain([weights]);
        let shelf = &mut self.shelves[accelerator];
        let mut used = Vec::new();
        for what in uses {
            if let Some(at) = shelf.iter().position(|item| item.what == what) {
                used.push(shelf.remove(at));
            }
        }
        let brought = [
            Item { what: weights, bytes: own.weights, pinned: residency.pinned },
            Item { what: What::Output(sub_job), bytes: own.output, pinned: false },
        ];
        for item in brought.into_iter().filter(|item| item.bytes > 0) {
            if used.iter().all(|other| other.what != item.what)
                && make_room(shelf, &used, residency, accelerator, item.bytes)
            {
                used.push(item);
            }
        }
        shelf.append(&mut used);
    }

    /// A layer has ended: outputs that no other layer will read leave.
    fn end(&mut self, job: JobId, network: &NetworkModel, layer: u32, has_ended: impl Fn(u32) -> bool) {
        for &before in &network.predecessors[layer as usize] {
            if network.successors[before as usize].iter().all(|&reader| has_ended(reader)) {
                let output = What::Output(SubJobId { job, layer: before });
                self.shelves.iter_mut().for_each(|shelf| shelf.retain(|item| item.what != output));
            }
        }
    }

    /// A request has ended: its outputs leave.
    pub(super) fn close(&mut self, job: JobId) {
        let is_of_job = |item: &Item| matches!(item.what, What::Output(output) if output.job == job);
        self.shelves.iter_mut().for_each(|shelf| shelf.retain(|item| !is_of_job(item)));
    }
}

/// Removes the least recently used items that are not pinned until there is room, if that is possible at all.
fn make_room(
    shelf: &mut Vec<Item>,
    used: &[Item],
    residency: &Residency,
    accelerator: usize,
    more: u64,
) -> bool {
    let capacity = residency.memories[accelerator].bytes;
    let pinned: Vec<Item> = shelf.iter().filter(|item| item.pinned).copied().collect();
    if bytes(&pinned) + bytes(used) + more > capacity {
        return false;
    }
    while bytes(shelf) + bytes(used) + more > capacity {
        let oldest = shelf.iter().position(|item| !item.pinned).expect("the pinned ones leave room");
        shelf.remove(oldest);
    }
    true
}

impl Audit<'_> {
    /// What a layer that starts finds on chip; what it uses and brings is there from now on.
    pub(super) fn find_and_keep(&mut self, sub_job: SubJobId, accelerator: usize) -> Result<Found, String> {
        let job = self.job(sub_job.job)?;
        let (place, network) = (job.request.network, job.network);
        let found = self.residents.found(sub_job, place, network, accelerator);
        self.residents.start(sub_job, place, network, accelerator);
        Ok(found)
    }

    /// Takes note that a layer has ended.
    pub(super) fn release_inputs(&mut self, SubJobId { job: id, layer }: SubJobId) {
        let job = &self.jobs[id.0 as usize];
        if job.fate == Fate::Open {
            let has_ended = |layer: u32| job.layers[layer as usize].ended.is_some();
            self.residents.end(id, job.network, layer, has_ended);
        }
    }

    /// Checks what a view says that its sub-jobs would find.
    pub(super) fn check_found(&self, view: &View) -> Check {
        for sub in view.sub_jobs() {
            let job = view.job_of(sub);
            for accelerator in 0..view.accelerators().len() {
                let shown = view.found(sub, accelerator);
                let found = self.residents.found(sub.id, job.network, view.network_of(job), accelerator);
                let what = format!("bytes that {:?} would find on accelerator {accelerator}", sub.id);
                ensure_close(&what, shown.inputs, found.inputs)?;
                ensure_close(&what, shown.weights, found.weights)?;
                let shown = view.cost_finding(sub, accelerator);
                let able = view.alone(sub, accelerator).is_some();
                ensure!(shown.is_some() == able, "the cost of {:?} on {accelerator} is {shown:?}", sub.id);
            }
        }
        Ok(())
    }
}
