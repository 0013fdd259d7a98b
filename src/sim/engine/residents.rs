//! What is in the accelerators' memories for residents: the state behind [`Residency`]. Nothing, and no cost, where
//! nothing may stay.

use super::super::{Found, JobId, Memory, NetworkModel, Residency, SubJobId, World};
use super::Engine;
use super::jobs::State;

/// A tensor that may stay on chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tensor {
    Output(SubJobId),
    Weights { network: u32, layer: u32 },
}

/// A tensor in a memory.
#[derive(Clone, Copy, Debug)]
struct Resident {
    tensor: Tensor,
    bytes: u64,
    /// The number of its last use.
    last_use: u64,
    pinned: bool,
}

/// The memory of an accelerator.
#[derive(Debug)]
struct Store {
    capacity: u64,
    used: u64,
    /// Uses are numbered, so that no two are at the same time.
    uses: u64,
    /// Sorted by tensor.
    residents: Vec<Resident>,
}

clone_by_field!(Store { capacity, used, uses, residents });

impl Store {
    fn find(&self, tensor: Tensor) -> Result<usize, usize> {
        self.residents.binary_search_by_key(&tensor, |resident| resident.tensor)
    }

    /// Uses a tensor if it is here; returns whether it is.
    fn touch(&mut self, tensor: Tensor) -> bool {
        let Ok(place) = self.find(tensor) else { return false };
        self.uses += 1;
        self.residents[place].last_use = self.uses;
        true
    }

    /// Puts a tensor in that is not here, if there is or can be made room for it without those used after `since`.
    fn put(&mut self, tensor: Tensor, bytes: u64, pinned: bool, since: u64) {
        let may_leave = |resident: &Resident| !resident.pinned && resident.last_use <= since;
        let leaving = self.residents.iter().filter(|resident| may_leave(resident));
        let most_free = self.capacity - self.used + leaving.map(|resident| resident.bytes).sum::<u64>();
        if bytes == 0 || bytes > most_free {
            return;
        }
        while bytes > self.capacity - self.used {
            let old = self.residents.iter().enumerate().filter(|(_, resident)| may_leave(resident));
            let oldest = old.min_by_key(|(_, resident)| resident.last_use).map(|(place, _)| place);
            self.remove(oldest.expect("together they have the room"));
        }
        self.uses += 1;
        self.used += bytes;
        let place = self.find(tensor).expect_err("it is not here");
        self.residents.insert(place, Resident { tensor, bytes, last_use: self.uses, pinned });
    }

    fn remove(&mut self, place: usize) {
        self.used -= self.residents.remove(place).bytes;
    }
}

/// The memories of all accelerators; none where nothing may stay.
#[derive(Debug)]
pub(super) struct Residents {
    stores: Vec<Store>,
}

clone_by_field!(Residents { stores });

impl Residents {
    pub(super) fn new(world: &World) -> Self {
        let residency = world.networks.iter().find_map(|network| network.residency.as_ref());
        // Room for all weights: outputs in a full memory take the place of some.
        let layers = world.networks.iter().map(|network| network.layers.len()).sum();
        let store = |memory: &Memory| Store {
            capacity: memory.bytes,
            used: 0,
            uses: 0,
            residents: Vec::with_capacity(layers),
        };
        let memories = residency.map_or(&[][..], |residency| &residency.memories);
        Self { stores: memories.iter().map(store).collect() }
    }

    /// What a layer would find on an accelerator now.
    pub(super) fn found(
        &self,
        sub_job: SubJobId,
        index: u32,
        network: &NetworkModel,
        accelerator: usize,
    ) -> Found {
        let (Some(residency), Some(store)) = (&network.residency, self.stores.get(accelerator)) else {
            return Found::default();
        };
        let layer = sub_job.layer;
        let weights = store.find(Tensor::Weights { network: index, layer }).is_ok();
        let before = &network.predecessors[layer as usize];
        let is_there =
            |before| store.find(Tensor::Output(SubJobId { job: sub_job.job, layer: before })).is_ok();
        Found {
            inputs: residency.inputs(layer, accelerator, before, is_there),
            weights: if weights {
                residency.tensors[[layer as usize, accelerator]].weight_reads as f64
            } else {
                0.0
            },
        }
    }

    /// A layer starts: uses what it finds, and puts the rest of its weights and its output in. Returns what it finds.
    pub(super) fn start(
        &mut self,
        sub_job: SubJobId,
        index: u32,
        network: &NetworkModel,
        residency: &Residency,
        accelerator: usize,
    ) -> Found {
        let found = self.found(sub_job, index, network, accelerator);
        let SubJobId { job, layer } = sub_job;
        let (store, tensors) =
            (&mut self.stores[accelerator], residency.tensors[[layer as usize, accelerator]]);
        let since = store.uses;
        for &before in &network.predecessors[layer as usize] {
            store.touch(Tensor::Output(SubJobId { job, layer: before }));
        }
        let weights = Tensor::Weights { network: index, layer };
        if !store.touch(weights) {
            store.put(weights, tensors.weights, residency.pinned, since);
        }
        store.put(Tensor::Output(sub_job), tensors.output, false, since);
        found
    }

    /// An output has no more use.
    pub(super) fn release(&mut self, output: SubJobId) {
        for store in &mut self.stores {
            if let Ok(place) = store.find(Tensor::Output(output)) {
                store.remove(place);
            }
        }
    }

    /// The outputs of a job have no more use.
    pub(super) fn release_job(&mut self, job: JobId) {
        for store in &mut self.stores {
            let first = store.find(Tensor::Output(SubJobId { job, layer: 0 })).unwrap_or_else(|place| place);
            let is_of_job =
                |resident: &Resident| matches!(resident.tensor, Tensor::Output(output) if output.job == job);
            while store.residents.get(first).is_some_and(is_of_job) {
                store.remove(first);
            }
        }
    }

    /// Whether anything may stay.
    pub(super) fn is_on(&self) -> bool {
        !self.stores.is_empty()
    }
}

impl Engine {
    /// What a sub-job would find on an accelerator if it started there now.
    #[inline]
    pub(in crate::sim) fn found(&self, sub_job: SubJobId, index: u32, accelerator: usize) -> Found {
        match self.residents.is_on() {
            true => {
                let network = &self.world.networks[index as usize];
                self.residents.found(sub_job, index, network, accelerator)
            }
            false => Found::default(),
        }
    }

    /// Releases the inputs of a layer that has ended from the memories of residents, unless another layer will read them.
    pub(super) fn release_inputs(&mut self, SubJobId { job: id, layer }: SubJobId) {
        let job = self.jobs.get(id).expect("a job with layers to run has a slot");
        let network = &self.world.networks[job.request.network as usize];
        for &before in &network.predecessors[layer as usize] {
            let mut readers = network.successors[before as usize].iter();
            if readers.all(|&reader| job.sub(reader).state == State::Done) {
                self.residents.release(SubJobId { job: id, layer: before });
            }
        }
    }
}
