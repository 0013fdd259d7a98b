//! An independent account of a fleet: does the stream of its records tell a possible story?
//!
//! [`Serving`] follows the records of requests from outside, with queues and orders of its own, and notes the first
//! violation. What happens inside a site is the matter of [`Audit`](super::Audit).

mod least;

use std::collections::{BTreeMap, VecDeque};

use self::least::least_service;
use crate::serve::{FleetModel, Hop, Loss, Record, Recorder, Site, Wire};
use crate::sim::{JobId, Late, Origin, Request, RequestId};
use crate::units::Time;

/// Where a request is, and since when.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    AtNode,
    There { site: usize, since: Time },
    Queued { site: usize },
    InService { site: usize, order: JobId },
    Back { site: usize, since: Time, served: (usize, u32) },
}

#[derive(Debug)]
struct Order {
    since: Time,
    model: usize,
    variant: usize,
    batch: u32,
    /// The requests that it was launched with.
    requests: u32,
    /// Whether the dispatcher picked them.
    picked: bool,
    /// Those of them that were named.
    named: u32,
    /// Those that wait for it.
    open: u32,
    /// When it was served, if it was.
    served: Option<Time>,
}

/// How many requests came and how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Arrivals.
    pub arrived: usize,
    /// Answers.
    pub answered: usize,
    /// Losses.
    pub lost: usize,
    /// Orders.
    pub orders: usize,
}

/// A recorder that checks the records of a fleet.
pub struct Serving<'a> {
    model: &'a FleetModel,
    now: Time,
    requests: BTreeMap<RequestId, (Request, Place)>,
    queues: BTreeMap<(usize, usize), VecDeque<RequestId>>,
    orders: BTreeMap<(usize, JobId), Order>,
    /// The number of the next order of each site.
    next_order: Vec<u32>,
    /// The weights that are at each site with a memory for them, and since when.
    weights: BTreeMap<(usize, usize, usize), Time>,
    /// The order whose members are being named.
    naming: Option<(usize, JobId)>,
    /// The number of changes of links until now.
    changes: usize,
    counts: Counts,
    ended: bool,
    violation: Option<String>,
}

impl<'a> Serving<'a> {
    /// An account that has seen nothing yet.
    pub fn new(model: &'a FleetModel) -> Self {
        Self {
            model,
            now: Time::ZERO,
            requests: BTreeMap::new(),
            queues: BTreeMap::new(),
            orders: BTreeMap::new(),
            next_order: vec![0; model.sites.len()],
            weights: BTreeMap::new(),
            naming: None,
            changes: 0,
            counts: Counts::default(),
            ended: false,
            violation: None,
        }
    }

    /// The counts, or the first violation.
    pub fn verdict(self) -> Result<Counts, String> {
        let open = self.requests.len();
        let Counts { arrived, answered, lost, .. } = self.counts;
        match self.violation {
            Some(violation) => Err(violation),
            None if arrived != answered + lost + open => Err(format!(
                "{arrived} requests arrived, {answered} were answered, {lost} lost, {open} are open"
            )),
            None => Ok(self.counts),
        }
    }

    fn check(&mut self, record: &Record) -> Result<(), String> {
        ensure(!self.ended, || "nothing follows the end".into())?;
        if let Record::Site { .. } = record {
            return Ok(());
        }
        let time = record.time();
        ensure(time >= self.now, || format!("time does not go back from {} ps", self.now.0))?;
        let change = self.next_change();
        ensure(change >= time, || format!("a link changes at {} ps", change.0))?;
        self.now = time;
        if let (Some((site, order)), false) = (self.naming, matches!(record, Record::Member { .. })) {
            let Order { requests, named, .. } = self.orders[&(site, order)];
            ensure(requests == named, || format!("{requests} requests were launched, {named} are named"))?;
            self.naming = None;
        }
        match *record {
            Record::Arrived { request, asked, after } => self.arrived(request, asked, after),
            Record::Sent { request, site, .. } => self.sent(request, site),
            Record::Queued { request, site, .. } => self.queued(request, site),
            Record::Launched { site, order, model, variant, batch, requests, picked, .. } => {
                let (since, named, open) = (time, 0, requests);
                let launched =
                    Order { since, model, variant, batch, requests, picked, named, open, served: None };
                self.launched(site, order, launched)
            }
            Record::Weights { site, model, variant, there, .. } => {
                self.weights(site, (model, variant), there)
            }
            Record::Member { request, site, order, .. } => self.member(request, site, order),
            Record::Served { request, site, .. } => self.served(request, site),
            Record::Answered { request, asked, site, variant, batch, accuracy, .. } => {
                let found = self.take(request, asked)?;
                self.answered(found, asked, site, (variant, batch), accuracy)
            }
            Record::Lost { request, asked, reason, .. } => {
                let found = self.take(request, asked)?;
                self.lost(found, request, asked, reason)
            }
            Record::Drift { time, wire, bytes_per_ps, delay } => {
                self.changed(time, wire, (bytes_per_ps, delay))
            }
            Record::End { .. } => self.end(),
            Record::Decided { .. } | Record::Site { .. } | Record::Hop { .. } => Ok(()),
        }
    }

    fn arrived(&mut self, id: RequestId, asked: Request, after: Option<RequestId>) -> Result<(), String> {
        ensure(id.0 as usize == self.counts.arrived, || {
            "requests are numbered in the order of arrival".into()
        })?;
        let known = (asked.tenant as usize) < self.model.clients.len();
        ensure(known, || "there is no such tenant".into())?;
        let has_ended = |leader: RequestId| leader < id && !self.requests.contains_key(&leader);
        ensure(after.is_none_or(has_ended), || format!("it follows {after:?}, which is still open"))?;
        self.counts.arrived += 1;
        self.requests.insert(id, (asked, Place::AtNode));
        Ok(())
    }

    fn sent(&mut self, id: RequestId, site: usize) -> Result<(), String> {
        let (asked, place) = self.of(id)?;
        ensure(place == Place::AtNode, || format!("only what is at its node is sent, not {place:?}"))?;
        let known = site < self.model.sites.len();
        let serves = known && self.model.serves(site, &self.model.clients[asked.tenant as usize]);
        ensure(serves, || format!("site {site} does not serve the tenant"))?;
        self.put(id, Place::There { site, since: self.now });
        Ok(())
    }

    fn queued(&mut self, id: RequestId, site: usize) -> Result<(), String> {
        let (asked, place) = self.of(id)?;
        let client = &self.model.clients[asked.tenant as usize];
        let Place::There { site: to, since } = place else {
            return Err(format!("only what is under way is delivered, not {place:?}"));
        };
        ensure(to == site, || format!("it was sent to site {to}"))?;
        let [there, _] = client.ways[site].as_ref().ok_or("there is no way")?;
        self.on_way(since, there, client.input_bytes)?;
        self.queues.entry((site, client.model)).or_default().push_back(id);
        self.put(id, Place::Queued { site });
        Ok(())
    }

    /// A message cannot be faster than alone.
    fn on_way(&self, since: Time, way: &[Hop], bytes: f64) -> Result<(), String> {
        // A shared link may round down by a picosecond.
        let least = match self.model.changes.is_empty() {
            true => self.model.travel(way, bytes),
            false => way.iter().map(|&hop| self.least(hop, bytes)).sum(),
        };
        let least = least.saturating_sub(Time(way.len() as u64));
        let took = self.now - since;
        ensure(took >= least, || format!("the way takes {} ps at least, not {}", least.0, took.0))
    }

    /// The least time of a message on a wire, which may have been better or worse by now.
    fn least(&self, hop: Hop, bytes: f64) -> Time {
        let now = self.model.wire_at(hop, Time::ZERO);
        let by_now = self.model.changes.iter().filter(|change| change.wire == hop && change.at <= self.now);
        let states = by_now.map(|change| self.model.wire_at(hop, change.at));
        let best = states.fold(now, |best, wire| Wire {
            bytes_per_ps: best.bytes_per_ps.max(wire.bytes_per_ps),
            delay: best.delay.min(wire.delay),
            ..best
        });
        best.sending(bytes) + best.delay
    }

    fn next_change(&self) -> Time {
        self.model.changes.get(self.changes).map_or(Time::MAX, |change| change.at)
    }

    /// A link changes when and as the model says.
    fn changed(&mut self, time: Time, wire: Hop, told: (f64, Time)) -> Result<(), String> {
        let due = self.next_change();
        ensure(due == time, || format!("the next change of a link is due at {} ps", due.0))?;
        let change = self.model.changes[self.changes];
        self.changes += 1;
        ensure(change.wire == wire, || format!("it is wire {} that changes", change.wire))?;
        // Of several changes of a wire at one time, each is told.
        let before = self.model.changes[..self.changes].iter().filter(|change| change.wire == wire);
        let of = before.fold(self.model.wires[wire as usize], |wire, change| change.of(wire));
        ensure(told == (of.bytes_per_ps, of.delay), || format!("it becomes {of:?}"))
    }

    /// How much faster than its cost tables a site has ever been; at least 1.
    fn fastest(&self, site: usize) -> f64 {
        let Site { world, rules, .. } = &self.model.sites[site];
        let nominal = world.platform.bandwidth_bytes_per_ps;
        let by_now = rules.drift.iter().take_while(|change| change.at <= self.now);
        by_now.fold(1.0, |fastest, change| {
            let wider = change.bandwidth_bytes_per_ps.filter(|_| nominal.is_finite());
            let wider = wider.map_or(1.0, |bandwidth| bandwidth / nominal);
            fastest.max(change.speed.unwrap_or(1.0)).max(wider)
        })
    }

    fn launched(&mut self, site: usize, id: JobId, order: Order) -> Result<(), String> {
        let Order { model, variant, batch, requests, .. } = order;
        let of = self.model.sites.get(site).ok_or("there is no such site")?;
        ensure(of.deployed.get(model) == Some(&true), || "the site does not have the model".into())?;
        let served = &self.model.models[model];
        ensure(variant < served.variants.len(), || "the model has no such variant".into())?;
        let legal = requests > 0 && requests as usize <= served.max_batch();
        ensure(legal, || format!("an order has no {requests} requests"))?;
        let padded = served.batches[served.padded(requests as usize)];
        ensure(padded == batch, || format!("{requests} requests run as {padded}, not {batch}"))?;
        let running = self.orders.range((site, JobId(0))..=(site, JobId(u32::MAX)));
        let running = running.filter(|(_, order)| order.served.is_none()).count();
        ensure(running < of.slots as usize, || format!("all {} slots are taken", of.slots))?;
        ensure(id.0 == self.next_order[site], || "orders are numbered in the order of launch".into())?;
        let there = of.memory.is_none() || self.weights.contains_key(&(site, model, variant));
        ensure(there, || "the weights of the variant are not there".into())?;
        self.next_order[site] += 1;
        self.counts.orders += 1;
        self.orders.insert((site, id), order);
        self.naming = Some((site, id));
        Ok(())
    }

    /// Weights have come to a site, one variant after the other, or have left it while nothing runs on them.
    fn weights(&mut self, site: usize, of: (usize, usize), there: bool) -> Result<(), String> {
        let memory = self.model.sites.get(site).and_then(|site| site.memory);
        let memory = memory.ok_or("the site has no memory for weights")?;
        let known = |(model, variant): (usize, usize)| self.model.models.get(model)?.variants.get(variant);
        let bytes = known(of).ok_or("there is no such variant")?.weight_bytes;
        let key = (site, of.0, of.1);
        if !there {
            let running = self.orders.range((site, JobId(0))..=(site, JobId(u32::MAX)));
            let mut running = running.filter(|(_, order)| order.served.is_none() && order.open > 0);
            let runs = running.any(|(_, order)| (order.model, order.variant) == of);
            ensure(!runs, || "an order runs on the weights that leave".into())?;
            return ensure(self.weights.remove(&key).is_some(), || "the weights are not there".into());
        }
        let here = || self.weights.range((site, 0, 0)..=(site, usize::MAX, usize::MAX));
        let last = here().map(|(_, since)| *since).max().unwrap_or(Time::ZERO);
        ensure(last + memory.loading(bytes) <= self.now, || "weights are loaded one by one".into())?;
        let sizes =
            here().map(|(&(_, model, variant), _)| known((model, variant)).map_or(0.0, |of| of.weight_bytes));
        let used = sizes.sum::<f64>() + bytes;
        ensure(used <= memory.bytes, || format!("{used} bytes are in a memory of {}", memory.bytes))?;
        ensure(self.weights.insert(key, self.now).is_none(), || "the weights are there already".into())
    }

    fn member(&mut self, id: RequestId, site: usize, order: JobId) -> Result<(), String> {
        ensure(self.naming == Some((site, order)), || "members follow the launch of their order".into())?;
        let of = self.orders.get_mut(&(site, order)).expect("it was launched");
        of.named += 1;
        ensure(of.named <= of.requests && of.since == self.now, || "the order has other members".into())?;
        let queue = self.queues.entry((site, of.model)).or_default();
        let place = queue.iter().position(|&queued| queued == id).ok_or("it is not in the queue")?;
        ensure(of.picked || place == 0, || format!("{:?} was delivered first", queue[0]))?;
        queue.remove(place);
        self.put(id, Place::InService { site, order });
        Ok(())
    }

    fn served(&mut self, id: RequestId, site: usize) -> Result<(), String> {
        let (_, place) = self.of(id)?;
        let Place::InService { site: at, order: number } = place else {
            return Err(format!("only what is in service is served, not {place:?}"));
        };
        ensure(at == site, || format!("it is served at site {at}"))?;
        let (now, fastest) = (self.now, self.fastest(site));
        let order = self.orders.get_mut(&(site, number)).ok_or("the order has ended")?;
        let alone = least_service(self.model, site, order);
        let alone = if fastest > 1.0 { Time((alone.as_ps() / fastest) as u64) } else { alone };
        ensure(now >= order.since + alone, || format!("the order takes {} ps at least", alone.0))?;
        let at_once = *order.served.get_or_insert(now) == now;
        ensure(at_once, || "the members of an order are served together".into())?;
        let served = (order.variant, order.batch);
        self.leave(site, number);
        self.put(id, Place::Back { site, since: now, served });
        Ok(())
    }

    /// One member fewer waits for an order.
    fn leave(&mut self, site: usize, number: JobId) {
        if let Some(order) = self.orders.get_mut(&(site, number)) {
            order.open -= 1;
            if order.open == 0 {
                self.orders.remove(&(site, number));
            }
        }
    }

    fn answered(
        &mut self,
        place: Place,
        asked: Request,
        site: usize,
        by: (usize, u32),
        accuracy: f64,
    ) -> Result<(), String> {
        let client = &self.model.clients[asked.tenant as usize];
        let Place::Back { site: from, since, served } = place else {
            return Err(format!("only what was served is answered, not {place:?}"));
        };
        ensure((from, served) == (site, by), || {
            format!("site {from} served it, variant and batch {served:?}")
        })?;
        let variant = &self.model.models[client.model].variants[by.0];
        ensure(variant.accuracy == accuracy, || format!("the variant's accuracy is {}", variant.accuracy))?;
        let [_, back] = client.ways[site].as_ref().ok_or("there is no way")?;
        self.on_way(since, back, client.output_bytes)?;
        let given_up = self.model.late.of(asked.tenant) == Late::Abort && self.now > asked.deadline;
        ensure(!given_up, || "late requests are given up".into())?;
        self.counts.answered += 1;
        Ok(())
    }

    fn lost(&mut self, place: Place, id: RequestId, asked: Request, reason: Loss) -> Result<(), String> {
        self.counts.lost += 1;
        match reason {
            Loss::Late => {
                let aborts = self.model.late.of(asked.tenant) == Late::Abort;
                let due = asked.deadline.max(asked.arrival) == self.now;
                ensure(aborts && due, || "it is not given up now".into())?;
            }
            Loss::Dispatcher => {
                let legal = matches!(place, Place::AtNode | Place::Queued { .. });
                ensure(legal, || format!("only what waits is rejected, not {place:?}"))?;
            }
            Loss::Scheduler => {
                let legal = matches!(place, Place::InService { .. });
                ensure(legal, || format!("only what is in service can be dropped, not {place:?}"))?;
            }
        }
        match place {
            Place::Queued { site } => {
                let model = self.model.clients[asked.tenant as usize].model;
                self.queues.entry((site, model)).or_default().retain(|&queued| queued != id);
            }
            Place::InService { site, order } => self.leave(site, order),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        self.ended = true;
        let late = self
            .requests
            .values()
            .find(|(asked, _)| self.model.late.of(asked.tenant) == Late::Abort && asked.deadline < self.now);
        ensure(late.is_none(), || format!("{late:?} is open after its deadline"))
    }

    fn of(&self, id: RequestId) -> Result<(Request, Place), String> {
        self.requests.get(&id).copied().ok_or_else(|| "no such request is open".into())
    }

    /// Takes a request that ends; it has to be what it was when it arrived.
    fn take(&mut self, id: RequestId, asked: Request) -> Result<Place, String> {
        let (arrived, place) = self.of(id)?;
        self.requests.remove(&id);
        ensure(arrived == asked, || format!("it asked for {arrived:?}"))?;
        Ok(place)
    }

    fn put(&mut self, id: RequestId, place: Place) {
        if let Some((_, at)) = self.requests.get_mut(&id) {
            *at = place;
        }
    }
}

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

impl Recorder for Serving<'_> {
    fn record(&mut self, record: &Record, _: Origin) {
        if self.violation.is_none() {
            self.violation = self.check(record).err().map(|why| format!("{record:?}: {why}"));
        }
    }
}
