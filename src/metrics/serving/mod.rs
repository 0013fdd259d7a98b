//! What became of each request of a fleet: where its answer came from, what it was worth, and where its time went.
//!
//! The parts of a latency add up to it exactly: the wait for the decision where the request goes, the links there and
//! back, the queue of the site, and the service of its order.
//!
//! Requests are summed up in the order of their arrival, so that sums do not depend on which request ended first. A
//! request that has ended is therefore kept until all before it have ended, and no longer unless the log is kept.

mod answer;
mod columns;
mod group;
mod members;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

pub use self::answer::{Answer, AnswerRow};
pub use self::columns::SERVING_COLUMNS;
pub use self::group::{ServedBy, ServingGroup};
use self::group::{Tally, Whole};
pub use self::members::MemberShares;
pub use self::steps::{OrderOf, Step, StepRow, Steps};
use super::{Column, Value};
use crate::serve::{FleetModel, Loss, Record, Recorder};
use crate::sim::{Origin, Request, RequestId};
use crate::units::{Picojoules, Time};

/// What serving.csv says of a run that its records do not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aside {
    /// The energy of what crossed links.
    pub network: Picojoules,
    /// The most mean quality at the rates of the case; NaN if that is not known.
    pub quality_bound: f64,
}

/// The times of a request in flight.
#[derive(Clone, Copy, Debug)]
struct Course {
    asked: Request,
    measured: bool,
    sent: Time,
    queued: Time,
    launched: Time,
    served: Time,
}

/// A request that has arrived, as far as it is known.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// It is in flight.
    Open(Course),
    /// It has ended, and is measured.
    Ended(AnswerRow),
    /// It has ended, and is not measured.
    Aside,
}

/// The fold over the records of a fleet.
pub struct Serving {
    model: Arc<FleetModel>,
    /// The names of all variants, ascending.
    variants: Vec<String>,
    /// The requests from the first one that is in flight on, in the order of arrival.
    known: VecDeque<Known>,
    /// The id of the first of them.
    first: u32,
    tallies: BTreeMap<ServedBy, Tally>,
    /// The measured requests that have been summed up, if the log is kept.
    rows: Option<Vec<AnswerRow>>,
    decisions: u64,
    deciding: Time,
    energy: Picojoules,
    orders: u64,
}

impl Serving {
    /// An empty fold; the rows of all requests are kept if `log` is set.
    pub fn new(model: Arc<FleetModel>, log: bool) -> Self {
        let names = model.models.iter().flat_map(|of| &of.variants).map(|variant| variant.name.clone());
        Self {
            variants: names.collect::<BTreeSet<_>>().into_iter().collect(),
            model,
            known: VecDeque::new(),
            first: 0,
            tallies: BTreeMap::from([(ServedBy::All, Tally::default())]),
            rows: log.then(Vec::new),
            decisions: 0,
            deciding: Time::ZERO,
            energy: Picojoules(0.0),
            orders: 0,
        }
    }

    fn course(&mut self, request: RequestId) -> &mut Course {
        match &mut self.known[(request.0 - self.first) as usize] {
            Known::Open(course) => course,
            ended => unreachable!("only requests in flight have records: {ended:?}"),
        }
    }

    /// Ends a request; `row` makes its row if it is measured.
    fn end(&mut self, request: RequestId, row: impl FnOnce(&Self, Course) -> AnswerRow) {
        let course = *self.course(request);
        let known = if course.measured { Known::Ended(row(self, course)) } else { Known::Aside };
        self.known[(request.0 - self.first) as usize] = known;
        while self.known.front().is_some_and(|known| !matches!(known, Known::Open(_))) {
            self.take_first();
        }
    }

    /// Sums up the first known request.
    fn take_first(&mut self) {
        let first = self.known.pop_front();
        self.first += 1;
        let Some(Known::Ended(row)) = first else { return };
        let tenant = row.asked.tenant as usize;
        let asks = self.model.clients[tenant].model;
        let answered = row.answer.map(|answer| {
            let name = &self.model.models[asks].variants[answer.variant].name;
            let variant = self.variants.binary_search(name).expect("all variants have their names here");
            [ServedBy::Site(answer.site), ServedBy::Variant(variant)]
        });
        let groups = [ServedBy::All, ServedBy::Tenant(tenant), ServedBy::Model(asks)];
        for by in groups.into_iter().chain(answered.into_iter().flatten()) {
            self.tallies.entry(by).or_default().add(&row);
        }
        if let Some(rows) = &mut self.rows {
            rows.push(row);
        }
    }

    fn answered(&mut self, request: RequestId, asked: Request, answer: Answer) {
        self.end(request, |of, Course { sent, queued, launched, served, .. }| {
            let terms = &of.model.clients[asked.tenant as usize].terms;
            AnswerRow {
                request,
                asked,
                answer: Some(answer),
                loss: None,
                quality: terms.quality([asked.arrival, asked.deadline], answer.time, answer.accuracy),
                served: asked.is_met_at(answer.time) && answer.accuracy >= terms.min_accuracy,
                dispatch: sent - asked.arrival,
                network: (queued - sent) + (answer.time - served),
                queue: launched - queued,
                service: served - launched,
            }
        });
    }

    fn lost(&mut self, request: RequestId, reason: Loss) {
        let [dispatch, network, queue, service] = [Time::ZERO; 4];
        self.end(request, |_, Course { asked, .. }| AnswerRow {
            request,
            asked,
            answer: None,
            loss: Some(reason),
            quality: 0.0,
            served: false,
            dispatch,
            network,
            queue,
            service,
        });
    }

    /// The groups of the measured requests that have ended, and, if the log is kept, each of them in the order of arrival.
    pub fn finish(mut self, aside: Aside) -> (Vec<ServingGroup>, Vec<AnswerRow>) {
        while !self.known.is_empty() {
            self.take_first();
        }
        let tenants: Vec<(f64, Option<bool>)> = self
            .tallies
            .iter()
            .filter_map(|(by, tally)| match by {
                ServedBy::Tenant(tenant) => {
                    let target = self.model.clients[*tenant].terms.target_hit_rate;
                    Some((tally.mean(tally.quality), target.map(|target| tally.mean(tally.met) >= target)))
                }
                _ => None,
            })
            .collect();
        let total = self.tallies[&ServedBy::All].requests as f64;
        let group = |(&by, tally): (&ServedBy, &Tally)| {
            let whole = (by == ServedBy::All).then(|| Whole {
                decisions: self.decisions,
                deciding: self.deciding,
                energy: self.energy,
                orders: self.orders,
                qualities: tenants.iter().map(|(quality, _)| *quality).collect(),
                reached: tenants.iter().filter_map(|(_, reached)| *reached).collect(),
                aside,
            });
            ServingGroup { by, name: self.name(by), tally: tally.clone(), total, whole, adapt_s: None }
        };
        (self.tallies.iter().map(group).collect(), self.rows.unwrap_or_default())
    }

    fn name(&self, by: ServedBy) -> String {
        match by {
            ServedBy::All | ServedBy::Tenant(_) => String::new(),
            ServedBy::Model(model) => self.model.models[model].name.clone(),
            ServedBy::Site(site) => self.model.sites[site].name.clone(),
            ServedBy::Variant(variant) => self.variants[variant].clone(),
        }
    }
}

impl Recorder for Serving {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Arrived { asked, .. } => {
                let [sent, queued, launched, served] = [Time::ZERO; 4];
                let measured = origin.measured;
                self.known.push_back(Known::Open(Course { asked, measured, sent, queued, launched, served }));
            }
            Record::Sent { time, request, .. } => self.course(request).sent = time,
            Record::Queued { time, request, .. } => self.course(request).queued = time,
            Record::Member { time, request, .. } => self.course(request).launched = time,
            Record::Served { time, request, .. } => self.course(request).served = time,
            Record::Answered { time, request, asked, site, variant, batch, accuracy } => {
                self.answered(request, asked, Answer { site, variant, batch, accuracy, time });
            }
            Record::Lost { request, reason, .. } => self.lost(request, reason),
            Record::Decided { latency, energy, .. } => {
                self.decisions += 1;
                self.deciding += latency;
                self.energy = Picojoules(self.energy.0 + energy.0);
            }
            Record::Launched { .. } => self.orders += 1,
            Record::Site { .. }
            | Record::Hop { .. }
            | Record::Weights { .. }
            | Record::Drift { .. }
            | Record::End { .. } => {}
        }
    }
}
