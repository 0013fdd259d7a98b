//! The decisions of a fleet: when the dispatcher is asked, what it is shown, and what its actions do.

use super::fleet::{Crew, Event, Fleet, ServeError};
use super::memory::Key;
use super::orders::Order;
use super::record::{Loss, Record};
use super::requests::Stage;
use super::view::{FleetView, Place};
use super::{Action, Dispatch, Moment, Recorder};
use crate::sim::{DecisionCost, Origin, Request, RequestId};
use crate::units::Time;

/// Which requests of a queue are launched.
#[derive(Clone, Copy)]
enum Members<'a> {
    /// So many of those that were delivered first.
    First(usize),
    /// These.
    Picked(&'a [RequestId]),
}

/// A question to the dispatcher.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    host: usize,
    pub(super) moment: Moment,
    pub(super) place: Place,
}

impl Fleet {
    /// Asks the dispatcher, and does what it says.
    pub(super) fn decide(&mut self, asked: Asked, crew: &mut Crew) -> Result<(), ServeError> {
        let mut dispatch = std::mem::take(&mut self.dispatch);
        dispatch.actions.clear();
        dispatch.operations = Default::default();
        crew.dispatcher.decide(&FleetView { fleet: self, place: asked.place }, asked.moment, &mut dispatch);
        self.carry_out(asked, dispatch, crew)
    }

    /// Charges an answer of the dispatcher, and applies it now or later.
    pub(super) fn carry_out(
        &mut self,
        asked: Asked,
        dispatch: Dispatch,
        crew: &mut Crew,
    ) -> Result<(), ServeError> {
        let (latency, energy) = self.model.dispatch_cost.charge(dispatch.operations);
        let (time, operations) = (self.now, dispatch.operations);
        crew.record(&Record::Decided { time, latency, energy, operations }, Origin::NONE);
        if latency > Time::ZERO {
            self.hosts.defer(asked.host, dispatch);
            self.announce(self.now + latency, Event::Decided { host: asked.host });
            return Ok(());
        }
        let applied = self.apply(&dispatch, crew);
        self.dispatch = dispatch;
        applied
    }

    /// What is to be decided next at a host.
    pub(super) fn asked(&mut self, host: usize) -> Option<Asked> {
        let (moment, place) = self.moment(host)?;
        Some(Asked { host, moment, place })
    }

    /// The next thing to decide at a host.
    fn moment(&mut self, host: usize) -> Option<(Moment, Place)> {
        if let Some(site) = host.checked_sub(self.model.nodes) {
            let state = &mut self.sites[site];
            if state.wake.is_some_and(|at| at <= self.now) {
                state.wake = None;
                return Some((Moment::Wake(site), Place::Site(site)));
            }
            let asks = std::mem::take(&mut state.asks);
            let free = asks && state.queued() > 0 && state.free_slots(&self.model.sites[site]) > 0;
            return free.then_some((Moment::Free(site), Place::Site(site)));
        }
        while let Some(id) = self.hosts.next_waiting(host) {
            if let Some(request) = self.requests.get(id) {
                let tenant = request.asked.tenant as usize;
                if self.hosts.has_waiting(host) {
                    self.hosts.ask(host);
                }
                return Some((Moment::Arrived(id), Place::Node { tenant }));
            }
        }
        None
    }

    pub(super) fn apply(&mut self, dispatch: &Dispatch, out: &mut dyn Recorder) -> Result<(), ServeError> {
        dispatch.actions.iter().try_for_each(|action| {
            self.act(action, out).map_err(|why| ServeError::Dispatcher { action: action.clone(), why })
        })
    }

    /// Takes an action. What events have overtaken since the decision is skipped.
    fn act(&mut self, action: &Action, out: &mut dyn Recorder) -> Result<(), &'static str> {
        match *action {
            Action::Send { request: id, site } => {
                let Some(request) = self.requests.get_mut(id) else { return Ok(()) };
                let client = &self.model.clients[request.asked.tenant as usize];
                if site >= self.model.sites.len() || !self.model.serves(site, client) {
                    return Err("this site does not serve the tenant");
                }
                if request.stage != Stage::AtNode {
                    return Err("the request has left its node");
                }
                (request.stage, request.site, request.hop) = (Stage::There, site, 0);
                let origin = request.origin;
                out.record(&Record::Sent { time: self.now, request: id, site }, origin);
                self.travel(id, out);
            }
            Action::Reject { request: id } => {
                let Some(request) = self.requests.get(id) else { return Ok(()) };
                if !matches!(request.stage, Stage::AtNode | Stage::Queued) {
                    // A launch of the same decision has taken it in place of one that was lost before it took effect.
                    return match self.model.dispatch_cost {
                        DecisionCost::Host(_) => Ok(()),
                        DecisionCost::Ideal => {
                            Err("only requests at their node or in a queue can be rejected")
                        }
                    };
                }
                self.lose(id, Loss::Dispatcher, out);
            }
            Action::Launch { site, model, variant, count } => {
                self.check_launch(site, model, variant, count)?;
                if self.waits_for_weights(site, (model, variant), action, out) {
                    return Ok(());
                }
                self.launch(site, model, variant, Members::First(count), out);
            }
            Action::LaunchOf { site, model, variant, ref requests } => {
                self.check_launch(site, model, variant, requests.len())?;
                if self.waits_for_weights(site, (model, variant), action, out) {
                    return Ok(());
                }
                let members = self.queued_at(site, model, requests)?;
                self.launch(site, model, variant, Members::Picked(&members), out);
            }
            Action::Wake { site, at } => {
                if site >= self.model.sites.len() {
                    return Err("there is no such site");
                }
                let at = at.max(self.now);
                if at == self.now {
                    self.sites[site].asks = true;
                    self.hosts.ask(self.model.nodes + site);
                } else {
                    self.sites[site].wake = Some(at);
                    self.announce(at, Event::Wake { site });
                }
            }
        }
        Ok(())
    }

    /// Whether so many requests of a model may be launched at a site now.
    fn check_launch(
        &self,
        site: usize,
        model: usize,
        variant: usize,
        count: usize,
    ) -> Result<(), &'static str> {
        let known = self.model.sites.get(site).zip(self.model.models.get(model));
        let Some((of, served)) = known.filter(|(of, _)| of.deployed[model]) else {
            return Err("this site does not have the model");
        };
        if variant >= served.variants.len() || count == 0 || count > served.max_batch() {
            return Err("the model has no such variant or batch");
        }
        match self.sites[site].free_slots(of) {
            0 => Err("the site has no free slot"),
            _ => Ok(()),
        }
    }

    /// Those of the requests that are not lost, if all of these wait in one queue and none is named twice.
    fn queued_at(
        &self,
        site: usize,
        model: usize,
        requests: &[RequestId],
    ) -> Result<Vec<RequestId>, &'static str> {
        let mut members = Vec::new();
        for &id in requests {
            let Some(request) = self.requests.get(id) else { continue };
            if members.contains(&id) {
                return Err("a request is named twice");
            }
            let is_here = request.stage == Stage::Queued
                && request.site == site
                && self.model.clients[request.asked.tenant as usize].model == model;
            match self.model.dispatch_cost {
                _ if is_here => members.push(id),
                // A launch of the same decision has taken it in place of one that was lost before it took effect.
                DecisionCost::Host(_) => {}
                DecisionCost::Ideal => return Err("only requests in the queue can be launched"),
            }
        }
        Ok(members)
    }

    fn launch(&mut self, site: usize, model: usize, variant: usize, which: Members, out: &mut dyn Recorder) {
        let (count, picked) = match which {
            Members::First(count) => (count.min(self.sites[site].queues[model].len()), false),
            Members::Picked(requests) => (requests.len(), true),
        };
        if count == 0 {
            return;
        }
        self.begin(site, out);
        let served = &self.model.models[model];
        let padded = served.padded(count);
        let (batch, network) = (served.batches[padded], served.variants[variant].networks[padded]);
        let state = &mut self.sites[site];
        let mut members = state.orders.list();
        match which {
            Members::First(_) => members.extend((0..count).map_while(|_| state.dequeue(model))),
            Members::Picked(requests) => {
                requests.iter().for_each(|&request| state.unqueue(model, request));
                members.extend(requests);
            }
        }
        let first = self.requests.get(members[0]).expect("queued requests are in flight");
        let mut order = Request { network, arrival: self.now, deadline: Time::ZERO, ..first.asked };
        let mut origin = Origin { place: members[0].0, ..first.origin };
        for &member in &members {
            let request = self.requests.get(member).expect("queued requests are in flight");
            let client = &self.model.clients[request.asked.tenant as usize];
            let [_, back] = client.ways[site].as_ref().expect("it came this way");
            let due = request.asked.deadline.saturating_sub(self.model.travel(back, client.output_bytes));
            // An order is worth running as long as one member can make it, so that its deadline is the last.
            order.deadline = order.deadline.max(due.max(self.now));
            order.priority = order.priority.max(request.asked.priority);
            if request.origin.measured && !origin.measured {
                origin = Origin { place: member.0, ..request.origin };
            }
        }
        let id = state.with_engine(site, out, |engine, tap| engine.admit_order(order, origin, tap));
        let (time, requests) = (self.now, count as u32);
        let launched = Record::Launched { time, site, order: id, model, variant, batch, requests, picked };
        out.record(&launched, origin);
        for &member in &members {
            let request = self.requests.get_mut(member).expect("queued requests are in flight");
            (request.stage, request.served) = (Stage::InService(id), (variant, batch));
            let origin = request.origin;
            out.record(&Record::Member { time, request: member, site, order: id }, origin);
        }
        let alone_until = self.now + self.model.service(site, model, variant, count);
        let order = Order { open: count, members, alone_until, of: (model, variant) };
        let (state, now) = (&mut self.sites[site], self.now);
        state.orders.push(id, order);
        if let Some(memory) = &mut state.memory {
            memory.launched((model, variant), now);
        }
    }

    /// Whether the weights of a variant are not there; the launch then waits for them.
    fn waits_for_weights(&mut self, site: usize, key: Key, launch: &Action, out: &mut dyn Recorder) -> bool {
        let Some(memory) = self.sites[site].memory.as_mut().filter(|memory| !memory.has(key)) else {
            return false;
        };
        memory.wait(key, launch.clone());
        self.load_weights(site, out);
        true
    }

    /// An order no longer needs the weights of its variant.
    pub(super) fn weights_are_free(&mut self, site: usize, key: Key, out: &mut dyn Recorder) {
        if let Some(memory) = &mut self.sites[site].memory {
            memory.ended(key);
            self.load_weights(site, out);
        }
    }

    /// Begins to load weights at a site if launches wait for some.
    fn load_weights(&mut self, site: usize, out: &mut dyn Recorder) {
        let Some(memory) = &mut self.sites[site].memory else { return };
        let Some((at, evicted)) = memory.load(&self.model.models, self.now) else { return };
        for (model, variant) in evicted {
            let there = false;
            out.record(&Record::Weights { time: self.now, site, model, variant, there }, Origin::NONE);
        }
        self.announce(at, Event::Loaded { site });
    }

    /// The weights that a site has loaded are there: launches that have waited for them happen.
    pub(super) fn weights_are_there(&mut self, site: usize, out: &mut dyn Recorder) {
        let memory = self.sites[site].memory.as_mut().expect("it has loaded weights");
        let ((model, variant), launches) = memory.loaded(&self.model.models, self.now);
        let there = true;
        out.record(&Record::Weights { time: self.now, site, model, variant, there }, Origin::NONE);
        for launch in launches {
            match launch {
                Action::Launch { count, .. } => {
                    self.launch(site, model, variant, Members::First(count), out);
                }
                Action::LaunchOf { requests, .. } => {
                    let is_queued = |id: &RequestId| {
                        self.requests.get(*id).is_some_and(|of| of.stage == Stage::Queued && of.site == site)
                    };
                    let left: Vec<RequestId> = requests.into_iter().filter(is_queued).collect();
                    self.launch(site, model, variant, Members::Picked(&left), out);
                }
                _ => unreachable!("only launches wait for weights"),
            }
        }
        self.sites[site].asks = true;
        self.hosts.ask(self.model.nodes + site);
        self.load_weights(site, out);
    }
}
