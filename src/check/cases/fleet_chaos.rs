//! A dispatcher that takes random legal actions: it sends, rejects, forgets, launches what was delivered first or what it
//! picks, on any variant, and wakes up at odd times.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand::seq::{IndexedRandom, SliceRandom};

use super::FleetCase;
use crate::rng;
use crate::serve::{Action, Dispatch, Dispatcher, FleetView, Moment};
use crate::sim::RequestId;
use crate::units::Time;

/// Any legal action, or none, with odd wake-ups.
#[derive(Debug)]
pub struct FleetChaos {
    rng: ChaCha8Rng,
    /// Wake-ups are up to 60 of these away.
    unit: Time,
    /// Requests that were left at their node.
    left: Vec<RequestId>,
}

impl Dispatcher for FleetChaos {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        out.operations.comparisons = self.rng.random_range(0..5);
        match moment {
            Moment::Arrived(id) => {
                self.left.push(id);
                let mut stay = Vec::new();
                for id in std::mem::take(&mut self.left) {
                    if view.request(id).is_none() || !self.send(view, id, out) {
                        stay.push(id);
                    }
                }
                self.left = stay;
            }
            Moment::Free(site) | Moment::Wake(site) => self.launch(view, site, out),
        }
    }
}

impl FleetChaos {
    /// The dispatcher of a case.
    pub fn new(case: &FleetCase) -> Self {
        let rng = rng::stream(case.seed, "fleet", "chaos");
        Self { rng, unit: case.unit, left: Vec::new() }
    }

    /// Returns whether something was decided.
    fn send(&mut self, view: &FleetView, id: RequestId, out: &mut Dispatch) -> bool {
        let request = view.request(id).expect("it waits");
        let model = view.model();
        let client = &model.clients[request.tenant];
        let sites: Vec<usize> = (0..model.sites.len()).filter(|&site| model.serves(site, client)).collect();
        match self.rng.random_range(0..10) {
            0 => out.actions.push(Action::Reject { request: id }),
            1 => return false,
            _ => {
                let site = *sites.choose(&mut self.rng).expect("somebody serves it");
                // What the dispatcher knows of a site must be knowable.
                assert!(view.site(site).age <= view.now());
                out.actions.push(Action::Send { request: id, site });
            }
        }
        true
    }

    fn launch(&mut self, view: &FleetView, site: usize, out: &mut Dispatch) {
        let mut free = view.free_slots();
        for model in 0..view.model().models.len() {
            let served = &view.model().models[model];
            let mut left: Vec<RequestId> = view.queue(model).map(|request| request.id).collect();
            assert_eq!(left.len(), view.queue_len(model));
            while !left.is_empty() && self.rng.random_range(0..3) > 0 {
                if self.rng.random_range(0..8) == 0 {
                    let request = left.remove(self.rng.random_range(0..left.len()));
                    out.actions.push(Action::Reject { request });
                } else if free > 0 {
                    // More than there are is legal, up to the largest batch.
                    let count = self.rng.random_range(1..=served.max_batch());
                    let variant = self.rng.random_range(0..served.variants.len());
                    if self.rng.random() {
                        left.shuffle(&mut self.rng);
                        let requests = left.drain(..count.min(left.len())).collect();
                        out.actions.push(Action::LaunchOf { site, model, variant, requests });
                        free -= 1;
                        // What is left of the queue is in another order than the queue.
                        break;
                    }
                    out.actions.push(Action::Launch { site, model, variant, count });
                    free -= 1;
                    left.drain(..count.min(left.len()));
                }
            }
        }
        if self.rng.random_range(0..2) == 0 {
            let at = view.now() + Time(self.rng.random_range(1..60) * self.unit.0);
            out.actions.push(Action::Wake { site, at });
        }
    }
}
