//! The state machine of a fleet.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::decide::Asked;
use super::hosts::Hosts;
use super::record::{Loss, Record};
use super::requests::{InFlight, Requests, Stage};
use super::site::SiteState;
use super::static_model::{FleetModel, Hop, Wire};
use super::wire::Traffic;
use super::{Action, Dispatch, Dispatcher, Recorder};
use crate::sim::{
    Arrivals, Arriving, DropReason, Ended, IllegalAction, JobId, Late, Origin, RequestId, Scheduler, Trace,
};
use crate::units::Time;

/// Why a run of a fleet has no result.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The scheduler of a site asked for an illegal action.
    #[error("site {site}: {illegal}")]
    Scheduler {
        /// The name of the site.
        site: String,
        /// What it asked for.
        illegal: IllegalAction,
    },
    /// The dispatcher asked for an illegal action.
    #[error("the dispatcher asked for {action:?}: {why}")]
    Dispatcher {
        /// What it asked for.
        action: Action,
        /// Why that is illegal.
        why: &'static str,
    },
    /// Requests wait and nothing will happen any more.
    #[error("requests wait forever: at {time_ps} ps nothing runs, nothing travels and nothing will arrive")]
    Stalled {
        /// When the fleet gave up.
        time_ps: u64,
    },
}

/// What happens at a time that is known beforehand, in the order of its instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// A message may be through on a shared link.
    Through { wire: Hop },
    /// A message reaches the end of a hop.
    Hop { request: RequestId },
    /// A decision takes effect.
    Decided { host: usize },
    /// The weights that a site has loaded are there.
    Loaded { site: usize },
    /// A wake-up rings.
    Wake { site: usize },
}

impl Event {
    /// Whether it comes before the arrivals of its instant.
    pub(super) fn is_on_the_way(self) -> bool {
        matches!(self, Self::Through { .. } | Self::Hop { .. })
    }
}

/// A run of a fleet in progress, without those who decide. A clone continues with the same records.
#[derive(Clone)]
pub struct Fleet {
    pub(super) model: Arc<FleetModel>,
    trace: Arc<Trace>,
    pub(super) now: Time,
    arrivals: Arrivals,
    pub(super) requests: Requests,
    pub(super) sites: Vec<SiteState>,
    /// When the next thing happens in the engine of each site. Every instant looks at all of them, so they are not beside
    /// the engines.
    pub(super) nexts: Vec<Time>,
    /// Whether the engine of each site has reached the present instant.
    pub(super) begun: Vec<bool>,
    /// The wires as they are now.
    pub(super) wires: Vec<Wire>,
    /// The number of changes of wires until now.
    pub(super) changed: usize,
    pub(super) traffic: Vec<Traffic>,
    /// Events with the number in which they were announced, which decides among equals.
    pub(super) events: BinaryHeap<Reverse<(Time, Event, u64)>>,
    announced: u64,
    pub(super) deadlines: BinaryHeap<Reverse<(Time, RequestId)>>,
    pub(super) hosts: Hosts,
    pub(super) dispatch: Dispatch,
    pub(super) measured_open: usize,
    end: Time,
    next_report: Time,
}

/// The number of reports that a site keeps. Our choice, because a report older than this many periods is of no use.
const KEPT_REPORTS: usize = 64;

/// Runs a fleet to the end. `schedulers` has one scheduler for each site.
pub fn run(
    model: Arc<FleetModel>,
    trace: Arc<Trace>,
    schedulers: Vec<Box<dyn Scheduler>>,
    dispatcher: &mut dyn Dispatcher,
    out: &mut dyn Recorder,
) -> Result<(), ServeError> {
    assert_eq!(model.sites.len(), schedulers.len(), "every site has its scheduler");
    let (mut fleet, mut schedulers) = (Fleet::new(model, trace), schedulers);
    let mut crew = Crew { dispatcher, schedulers: &mut schedulers, out };
    while fleet.step(&mut crew)? {}
    Ok(())
}

/// Who decides and who watches; records go to those whom they concern.
pub struct Crew<'a> {
    /// Decides where requests go and when which variant runs.
    pub dispatcher: &'a mut dyn Dispatcher,
    /// Decide about layers, one for each site.
    pub schedulers: &'a mut [Box<dyn Scheduler>],
    /// Watches.
    pub out: &'a mut dyn Recorder,
}

impl Recorder for Crew<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        match record {
            Record::Site { record, .. } if !record.is_seen() => {}
            Record::Site { site, record } => self.schedulers[*site].observe(record),
            _ if record.is_seen_by_dispatchers() => self.dispatcher.observe(record),
            _ => {}
        }
        self.out.record(record, origin);
    }
}

impl Fleet {
    /// Begins a run at time zero.
    pub fn new(model: Arc<FleetModel>, trace: Arc<Trace>) -> Self {
        model.check();
        trace.check();
        Self::empty(model, trace)
    }

    /// A fleet before anything has happened. A fork's need not serve every client.
    pub(super) fn empty(model: Arc<FleetModel>, trace: Arc<Trace>) -> Self {
        let sites: Vec<SiteState> =
            (0..model.sites.len()).map(|place| SiteState::new(&model, place)).collect();
        Self {
            wires: model.wires.clone(),
            changed: 0,
            traffic: vec![Traffic::default(); model.wires.len()],
            hosts: Hosts::new(model.nodes, model.sites.len()),
            // Nothing has happened yet, but conditions may be going to change.
            nexts: model
                .sites
                .iter()
                .map(|of| of.rules.drift.first().map_or(Time::MAX, |change| change.at))
                .collect(),
            sites,
            begun: vec![false; model.sites.len()],
            now: Time::ZERO,
            arrivals: Arrivals::new(&trace),
            requests: Requests::default(),
            events: BinaryHeap::new(),
            announced: 0,
            deadlines: BinaryHeap::new(),
            dispatch: Dispatch::default(),
            measured_open: if trace.has_end() { usize::MAX } else { trace.measured.len() },
            end: trace.span.end,
            next_report: if model.report == Time::ZERO { Time::MAX } else { Time::ZERO },
            model,
            trace,
        }
    }

    /// Goes on by one instant; returns whether the run goes on.
    pub fn step(&mut self, crew: &mut Crew) -> Result<bool, ServeError> {
        let goes_on = self.begin_instant(crew)?;
        if goes_on {
            self.finish_instant(crew)?;
        }
        Ok(goes_on)
    }

    /// Begins the next instant; returns whether there is one.
    pub(super) fn begin_instant(&mut self, crew: &mut Crew) -> Result<bool, ServeError> {
        let is_over = self.measured_open == 0
            || (self.requests.len() == 0 && self.arrivals.next_time() == Time::MAX && self.end == Time::MAX);
        let next = self.next_time();
        if is_over {
            crew.record(&Record::End { time: self.now }, Origin::NONE);
            return Ok(false);
        }
        let goes_on = |site: usize| self.nexts[site] < Time::MAX && !self.sites[site].engine.is_stalled();
        let others = self.next_time_outside();
        if next == Time::MAX || (others == Time::MAX && !(0..self.sites.len()).any(goes_on)) {
            return Err(ServeError::Stalled { time_ps: self.now.0 });
        }
        self.write_reports(next);
        self.now = next;
        if self.next_change() == next {
            self.change_wires(crew);
        }
        for site in 0..self.sites.len() {
            if self.nexts[site] == next {
                self.begin(site, crew);
            }
        }
        if next == self.end {
            self.pass_hops(crew);
            crew.record(&Record::End { time: next }, Origin::NONE);
            return Ok(false);
        }
        Ok(true)
    }

    /// Goes on to the end of the present instant.
    pub(super) fn finish_instant(&mut self, crew: &mut Crew) -> Result<(), ServeError> {
        while let Some(asked) = self.pass_instant(crew)? {
            self.decide(asked, crew)?;
        }
        self.end_instant(crew)
    }

    /// What the sites do last in an instant, when nothing is left to ask the dispatcher about.
    pub(super) fn end_instant(&mut self, crew: &mut Crew) -> Result<(), ServeError> {
        for site in 0..self.sites.len() {
            if std::mem::take(&mut self.begun[site]) {
                let waited = self.sites[site].apply_due(site, crew);
                self.take_ended(site, crew);
                let is_last = self.measured_open == 0;
                let ended = self.sites[site].end(site, [waited, is_last], crew);
                let name = &self.model.sites[site].name;
                let wrong = |illegal| ServeError::Scheduler { site: name.clone(), illegal };
                self.nexts[site] = ended.map_err(wrong)?;
                self.take_ended(site, crew);
            }
        }
        Ok(())
    }

    /// What happens outside the engines now, and what follows from it without delay, up to the next question to the
    /// dispatcher; `None` if there is none left.
    pub(super) fn pass_instant(&mut self, crew: &mut Crew) -> Result<Option<Asked>, ServeError> {
        loop {
            self.pass_hops(crew);
            if self.arrivals.next_time() <= self.now {
                self.arrive(crew);
            } else if self.deadlines.peek().is_some_and(|Reverse((time, _))| *time <= self.now) {
                let Reverse((_, request)) = self.deadlines.pop().expect("it was peeked at");
                self.lose(request, Loss::Late, crew);
            } else if let Some(event) = self.next_event_now() {
                match event {
                    Event::Decided { host } => {
                        let dispatch = self.hosts.take_pending(host);
                        self.apply(&dispatch, crew)?;
                    }
                    Event::Loaded { site } => self.weights_are_there(site, crew),
                    Event::Wake { site } => {
                        let state = &mut self.sites[site];
                        if state.wake.is_some_and(|at| at <= self.now) {
                            self.hosts.ask(self.model.nodes + site);
                        }
                    }
                    Event::Through { .. } | Event::Hop { .. } => unreachable!("hops have passed"),
                }
            } else if let Some(host) = self.hosts.next_asking() {
                if let Some(asked) = self.asked(host) {
                    return Ok(Some(asked));
                }
            } else {
                return Ok(None);
            }
        }
    }

    /// The time of the next event outside the engines.
    fn next_time_outside(&self) -> Time {
        let event = self.events.peek().map_or(Time::MAX, |Reverse((time, ..))| *time);
        let deadline = self.deadlines.peek().map_or(Time::MAX, |Reverse((time, _))| *time);
        // A slot that a scheduler frees by dropping an order is free from the next instant on.
        let asked = if self.hosts.are_asking() { self.now + Time(1) } else { Time::MAX };
        let change = self.next_change();
        event.min(deadline).min(self.arrivals.next_time()).min(self.end).min(asked).min(change)
    }

    fn next_time(&self) -> Time {
        self.nexts.iter().copied().fold(self.next_time_outside(), Time::min)
    }

    fn next_event_now(&mut self) -> Option<Event> {
        let &Reverse((time, event, _)) = self.events.peek()?;
        (time <= self.now).then(|| {
            self.events.pop();
            event
        })
    }

    pub(super) fn announce(&mut self, time: Time, event: Event) {
        self.announced += 1;
        self.events.push(Reverse((time, event, self.announced)));
    }

    /// Writes the reports that were due before the events of this time; most of a long silence are skipped.
    fn write_reports(&mut self, before: Time) {
        let period = self.model.report;
        if self.next_report >= before {
            return;
        }
        let silent = (before.0 - self.next_report.0) / period.0;
        self.next_report += Time(silent.saturating_sub(KEPT_REPORTS as u64) * period.0);
        while self.next_report < before {
            for site in &mut self.sites {
                if site.reports.len() == KEPT_REPORTS {
                    site.reports.pop_front();
                }
                let report = site.report(self.next_report);
                site.reports.push_back(report);
            }
            self.next_report += period;
        }
    }

    pub(super) fn begin(&mut self, site: usize, out: &mut dyn Recorder) {
        if !std::mem::replace(&mut self.begun[site], true) {
            self.sites[site].begin(site, self.now, out);
            self.take_ended(site, out);
        }
    }

    /// Sends the answers of the orders that have ended, and gives up the requests of those that were dropped.
    fn take_ended(&mut self, site: usize, out: &mut dyn Recorder) {
        let mut ended = std::mem::take(&mut self.sites[site].ended);
        for (id, dropped) in ended.drain(..) {
            let Some(order) = self.sites[site].orders.remove(id) else { continue };
            self.sites[site].asks = true;
            self.hosts.ask(self.model.nodes + site);
            for &request in &order.members {
                let is_served = |of: &InFlight| of.site == site && of.stage == Stage::InService(id);
                let Some(member) = self.requests.get_mut(request).filter(|of| is_served(of)) else {
                    continue;
                };
                if let Some(begun) = dropped {
                    self.close(request, (Loss::Scheduler, begun), out);
                    continue;
                }
                (member.stage, member.hop) = (Stage::Back, 0);
                let origin = member.origin;
                out.record(&Record::Served { time: self.now, request, site }, origin);
                self.travel(request, out);
            }
            self.weights_are_free(site, order.of, out);
            self.sites[site].orders.reuse(order.members);
        }
        self.sites[site].ended = ended;
    }

    fn arrive(&mut self, out: &mut dyn Recorder) {
        let Some(Arriving { place, request: asked, after }) = self.arrivals.take(&self.trace, self.now)
        else {
            return;
        };
        let id = RequestId(self.arrivals.next_id());
        let origin = Origin { place, measured: self.trace.is_measured(id, self.now) };
        let stage = Stage::AtNode;
        let (site, hop, [queued_at, through], served) = (0, 0, [Time::ZERO; 2], (0, 1));
        self.requests.push(InFlight { asked, origin, stage, site, hop, queued_at, through, served });
        if self.model.late.of(asked.tenant) == Late::Abort {
            self.deadlines.push(Reverse((asked.deadline, id)));
        }
        out.record(&Record::Arrived { request: id, asked, after }, origin);
        self.hosts.wait(self.model.clients[asked.tenant as usize].node, id);
    }

    /// Takes a request that is lost from where it is. What is on a link stays there, and is not taken at the end.
    pub(super) fn lose(&mut self, id: RequestId, reason: Loss, out: &mut dyn Recorder) {
        let Some(&request) = self.requests.get(id) else { return };
        let model = self.model.clients[request.asked.tenant as usize].model;
        let (site, mut given_up, mut begun) = (request.site, None, false);
        match request.stage {
            Stage::AtNode | Stage::There | Stage::Back => {}
            Stage::Queued => self.sites[site].unqueue(model, id),
            Stage::InService(order) => {
                let state = &mut self.sites[site];
                begun = state.engine.has_begun(order);
                let open = &mut state.orders.get_mut(order).expect("the request is in it").open;
                *open -= 1;
                if *open == 0 {
                    self.begin(site, out);
                    given_up = self.give_up(site, order, out);
                }
            }
        }
        self.close(id, (reason, begun), out);
        if let Some(variant) = given_up {
            self.weights_are_free(site, variant, out);
        }
    }

    /// Gives up an order for which nobody waits any more, unless it has just ended; returns its model and variant.
    fn give_up(&mut self, site: usize, order: JobId, out: &mut dyn Recorder) -> Option<(usize, usize)> {
        let state = &mut self.sites[site];
        let ended = state.orders.remove(order)?;
        state.orders.reuse(ended.members);
        state.asks = true;
        state.with_engine(site, out, |engine, tap| engine.give_up(order, DropReason::Late, tap));
        state.ended.clear();
        self.hosts.ask(self.model.nodes + site);
        Some(ended.of)
    }

    fn close(&mut self, id: RequestId, (reason, begun): (Loss, bool), out: &mut dyn Recorder) {
        let InFlight { asked, origin, .. } = self.requests.remove(id).expect("it is in flight");
        out.record(&Record::Lost { time: self.now, request: id, asked, reason, begun }, origin);
        self.end(id, origin, asked.tenant, false);
    }

    /// A request has ended: what follows it may arrive.
    pub(super) fn end(&mut self, id: RequestId, origin: Origin, tenant: u32, done: bool) {
        self.measured_open -= usize::from(origin.measured);
        if !self.trace.followers.is_empty() {
            let ended = Ended { id, place: origin.place, tenant, done };
            self.arrivals.release(&self.trace, &ended, self.now);
        }
    }
}
