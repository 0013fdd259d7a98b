//! A site at work: its engine, its queues, its orders, and what it reports of itself.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Recorder;
use super::fleet::Crew;
use super::memory::Memory;
use super::orders::Orders;
use super::record::Record;
use super::static_model::{FleetModel, Site};
use crate::sim::{self, Decision, Engine, IllegalAction, JobId, Origin, RequestId};
use crate::units::Time;

/// What a site reports of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    pub(super) time: Time,
    /// The length of the queue of each model.
    pub(super) queued: Vec<u32>,
    /// The number of orders in service.
    pub(super) in_service: u32,
    /// Queued and remaining work, as if everything ran alone, one after the other.
    pub(super) backlog: Time,
}

#[derive(Clone)]
pub(super) struct SiteState {
    pub(super) engine: Engine,
    decision: Decision,
    /// The queue of each model, in the order of delivery.
    pub(super) queues: Vec<VecDeque<RequestId>>,
    /// Service alone, at batch 1, of each queued request with the most accurate variant; the sum.
    queued_work: Time,
    /// That of one request, by model.
    alone: Vec<Time>,
    pub(super) orders: Orders,
    /// The memory for weights, if that is limited.
    pub(super) memory: Option<Memory>,
    /// The orders that have ended in this instant: `None` is done, else they were dropped, and a layer had started or not.
    pub(super) ended: Vec<(JobId, Option<bool>)>,
    /// Whether its queue or its free slots have grown since the dispatcher was asked.
    pub(super) asks: bool,
    /// When it has to be asked.
    pub(super) wake: Option<Time>,
    /// Its latest reports, oldest first.
    pub(super) reports: VecDeque<Report>,
}

impl SiteState {
    pub(super) fn new(model: &FleetModel, place: usize) -> Self {
        let site = &model.sites[place];
        let alone = model.models.iter().enumerate().map(|(m, served)| match site.deployed[m] {
            true => model.service(place, m, served.best(), 1),
            false => Time::ZERO,
        });
        Self {
            engine: Engine::of_orders(Arc::clone(&site.world), site.rules.clone()),
            decision: Decision::default(),
            queues: vec![VecDeque::new(); model.models.len()],
            queued_work: Time::ZERO,
            alone: alone.collect(),
            orders: Orders::default(),
            memory: site.memory.map(Memory::new),
            ended: Vec::new(),
            asks: false,
            wake: None,
            reports: VecDeque::new(),
        }
    }

    /// The site as it is, which is about to ask its dispatcher again.
    pub(super) fn fork(&self) -> Self {
        Self {
            engine: self.engine.fork_of_orders(),
            decision: Decision::default(),
            queues: self.queues.clone(),
            queued_work: self.queued_work,
            alone: self.alone.clone(),
            orders: self.orders.clone(),
            memory: self.memory.clone(),
            ended: Vec::new(),
            asks: true,
            wake: None,
            reports: VecDeque::new(),
        }
    }

    pub(super) fn enqueue(&mut self, model: usize, request: RequestId) {
        self.queues[model].push_back(request);
        self.queued_work += self.alone[model];
        self.asks = true;
    }

    /// Takes the request that was delivered first.
    pub(super) fn dequeue(&mut self, model: usize) -> Option<RequestId> {
        let request = self.queues[model].pop_front()?;
        self.queued_work -= self.alone[model];
        Some(request)
    }

    /// Removes a request from its queue.
    pub(super) fn unqueue(&mut self, model: usize, request: RequestId) {
        let place = self.queues[model].iter().position(|&queued| queued == request);
        self.queues[model].remove(place.expect("a queued request is in its queue"));
        self.queued_work -= self.alone[model];
    }

    pub(super) fn queued(&self) -> usize {
        self.queues.iter().map(VecDeque::len).sum()
    }

    pub(super) fn report(&self, time: Time) -> Report {
        let left = self.orders.iter().map(|order| order.alone_until.saturating_sub(time));
        Report {
            time,
            queued: self.queues.iter().map(|queue| queue.len() as u32).collect(),
            in_service: self.orders.len(),
            backlog: left.fold(self.queued_work, |sum, left| sum + left),
        }
    }

    /// Brings the engine to the present instant, in which layers end.
    pub(super) fn begin(&mut self, place: usize, now: Time, out: &mut dyn Recorder) {
        let tap = &mut Tap { place, ended: &mut self.ended, out };
        self.engine.begin(now, tap);
    }

    /// Calls the engine with a recorder that passes everything on.
    pub(super) fn with_engine<T>(
        &mut self,
        place: usize,
        out: &mut dyn Recorder,
        call: impl FnOnce(&mut Engine, &mut dyn sim::Recorder) -> T,
    ) -> T {
        let tap = &mut Tap { place, ended: &mut self.ended, out };
        call(&mut self.engine, tap)
    }

    /// Applies the decision of the scheduler that takes effect now; returns whether a trigger has waited for that.
    pub(super) fn apply_due(&mut self, place: usize, out: &mut dyn Recorder) -> bool {
        self.with_engine(place, out, |engine, tap| engine.apply_due(tap))
    }

    /// Ends the present instant with a decision of the scheduler if one is due and wanted; returns when the next thing
    /// happens.
    pub(super) fn end(
        &mut self,
        place: usize,
        [waited, is_last]: [bool; 2],
        crew: &mut Crew,
    ) -> Result<Time, IllegalAction> {
        if !is_last && self.engine.end(waited) {
            self.decision.clear();
            crew.schedulers[place].decide(&self.engine.view(), &mut self.decision);
            let decision = std::mem::take(&mut self.decision);
            let applied = self.with_engine(place, crew, |engine, tap| engine.apply(&decision, tap));
            self.decision = decision;
            applied?;
        }
        Ok(self.with_engine(place, crew, |engine, tap| engine.next_time(tap)))
    }

    pub(super) fn free_slots(&self, site: &Site) -> u32 {
        let waiting = self.memory.as_ref().map_or(0, Memory::waiting);
        site.slots.saturating_sub(self.orders.len() + waiting)
    }
}

/// Passes the records of an engine on, and the ends of orders to the fleet.
struct Tap<'a> {
    place: usize,
    ended: &'a mut Vec<(JobId, Option<bool>)>,
    out: &'a mut dyn Recorder,
}

impl sim::Recorder for Tap<'_> {
    fn record(&mut self, record: &sim::Record, origin: Origin) {
        self.out.record(&Record::Site { site: self.place, record: *record }, origin);
        match *record {
            sim::Record::Done { job, .. } => self.ended.push((job, None)),
            sim::Record::Drop { request, begun, .. } => self.ended.push((JobId(request.0), Some(begun))),
            _ => {}
        }
    }
}
