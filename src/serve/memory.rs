//! The memory of a site for the weights of variants.
//!
//! A variant has to be there before it runs. A launch of one that is not waits for it with its slot, and happens once
//! the weights are loaded, with the requests that are then in the queue. Weights are loaded one variant after the other, in
//! the order of the launches; room is made by those that were launched longest ago among the variants that nothing runs or
//! waits for, and if that is not enough, the load waits until orders end. At the beginning nothing is there.

use std::collections::VecDeque;

use super::Action;
use super::static_model::{ServedModel, SiteMemory};
use crate::units::Time;

/// A variant: the numbers of its model and of itself.
pub(super) type Key = (usize, usize);

#[derive(Clone, Debug)]
struct Resident {
    key: Key,
    bytes: f64,
    launched: Time,
}

/// The memory of a site at work.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    of: SiteMemory,
    residents: Vec<Resident>,
    /// The variants of the orders in service.
    in_service: Vec<Key>,
    /// The variant that is loaded, and when it is there.
    loading: Option<(Key, Time)>,
    /// The launches that wait for weights, in their order.
    waiting: VecDeque<(Key, Action)>,
}

impl Memory {
    pub(super) fn new(of: SiteMemory) -> Self {
        let (residents, in_service, waiting) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { of, residents, in_service, loading: None, waiting }
    }

    /// The number of launches that wait for weights.
    pub(super) fn waiting(&self) -> u32 {
        self.waiting.len() as u32
    }

    /// When the variant that is loaded is there.
    pub(super) fn loaded_at(&self) -> Option<Time> {
        self.loading.map(|(_, at)| at)
    }

    pub(super) fn has(&self, key: Key) -> bool {
        self.residents.iter().any(|resident| resident.key == key)
    }

    /// A launch waits for its weights.
    pub(super) fn wait(&mut self, key: Key, launch: Action) {
        self.waiting.push_back((key, launch));
    }

    /// An order of this variant is launched.
    pub(super) fn launched(&mut self, key: Key, now: Time) {
        self.in_service.push(key);
        if let Some(resident) = self.residents.iter_mut().find(|resident| resident.key == key) {
            resident.launched = now;
        }
    }

    /// An order of this variant has ended.
    pub(super) fn ended(&mut self, key: Key) {
        let place = self.in_service.iter().position(|&running| running == key);
        self.in_service.swap_remove(place.expect("it was launched"));
    }

    /// Begins to load what the first launch waits for, if nothing is loaded and there is room; returns the time at which
    /// it will be there, and the variants that make room.
    pub(super) fn load(&mut self, models: &[ServedModel], now: Time) -> Option<(Time, Vec<Key>)> {
        let &(key, _) = self.waiting.front().filter(|_| self.loading.is_none())?;
        let bytes = |(model, variant): Key| models[model].variants[variant].weight_bytes;
        let spare = |resident: &Resident| {
            !self.in_service.contains(&resident.key)
                && !self.waiting.iter().any(|(key, _)| *key == resident.key)
        };
        let mut spare: Vec<&Resident> = self.residents.iter().filter(|resident| spare(resident)).collect();
        spare.sort_by_key(|resident| (resident.launched, resident.key));
        let mut used: f64 = self.residents.iter().map(|resident| resident.bytes).sum();
        let mut evicted = Vec::new();
        for resident in spare {
            if used + bytes(key) <= self.of.bytes {
                break;
            }
            used -= resident.bytes;
            evicted.push(resident.key);
        }
        if used + bytes(key) > self.of.bytes {
            return None;
        }
        self.residents.retain(|resident| !evicted.contains(&resident.key));
        let at = now + self.of.loading(bytes(key)).max(Time(1));
        self.loading = Some((key, at));
        Some((at, evicted))
    }

    /// What is loaded is there now; returns the variant and the launches that have waited for it alone.
    pub(super) fn loaded(&mut self, models: &[ServedModel], now: Time) -> (Key, Vec<Action>) {
        let (key, _) = self.loading.take().expect("something is loaded");
        let (model, variant) = key;
        let bytes = models[model].variants[variant].weight_bytes;
        self.residents.push(Resident { key, bytes, launched: now });
        let (ready, waiting) = self.waiting.drain(..).partition(|(of, _)| *of == key);
        self.waiting = waiting;
        let ready: VecDeque<(Key, Action)> = ready;
        (key, ready.into_iter().map(|(_, launch)| launch).collect())
    }

    /// The time until a variant is there if nothing else is loaded before it; zero if it is.
    pub(super) fn until_there(&self, key: Key, bytes: f64, now: Time) -> Time {
        match self.loading {
            _ if self.has(key) => Time::ZERO,
            Some((loading, at)) if loading == key => at.saturating_sub(now),
            _ => self.of.loading(bytes),
        }
    }
}
