//! What became of each request of a fleet: where its answer came from, what it was worth, and where its time went.
//!
//! The parts of a latency add up to it exactly: the wait for the decision where the request goes, the links there and
//! back, the queue of the site, and the service of its order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{Column, Value};
use crate::serve::{FleetModel, Loss, Record, Recorder, ServiceTerms};
use crate::sim::{Origin, Request, RequestId};
use crate::units::{Picojoules, Time};

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The site that gave it, by number.
    pub site: usize,
    /// The variant, by number.
    pub variant: usize,
    /// The size of the batch that ran.
    pub batch: u32,
    /// The accuracy of the variant.
    pub accuracy: f64,
    /// When it was at the node.
    pub time: Time,
}

/// A measured request that has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnswerRow {
    /// Its id.
    pub request: RequestId,
    /// What it asked for.
    pub asked: Request,
    /// The answer, if there was one.
    pub answer: Option<Answer>,
    /// Why there was none.
    pub loss: Option<Loss>,
    /// The quality of the answer; 0 without one.
    pub quality: f64,
    /// Whether the answer was in time and accurate enough.
    pub served: bool,
    /// From the arrival to the departure from the node.
    pub dispatch: Time,
    /// On links, there and back.
    pub network: Time,
    /// In the queue of the site.
    pub queue: Time,
    /// In service.
    pub service: Time,
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

/// The fold over the records of a fleet.
pub struct Serving {
    model: Arc<FleetModel>,
    terms: Vec<ServiceTerms>,
    courses: VecDeque<Option<Course>>,
    first: u32,
    rows: Vec<AnswerRow>,
    decisions: u64,
    deciding: Time,
    energy: Picojoules,
    orders: u64,
}

impl Serving {
    /// An empty fold; `terms` are those of the clients.
    pub fn new(model: Arc<FleetModel>, terms: Vec<ServiceTerms>) -> Self {
        Self {
            model,
            terms,
            courses: VecDeque::new(),
            first: 0,
            rows: Vec::new(),
            decisions: 0,
            deciding: Time::ZERO,
            energy: Picojoules(0.0),
            orders: 0,
        }
    }

    fn course(&mut self, request: RequestId) -> &mut Course {
        let course = &mut self.courses[(request.0 - self.first) as usize];
        course.as_mut().expect("only requests in flight have records")
    }

    fn end(&mut self, request: RequestId) -> Course {
        let course = self.courses[(request.0 - self.first) as usize].take();
        while self.courses.front().is_some_and(Option::is_none) {
            self.courses.pop_front();
            self.first += 1;
        }
        course.expect("a request ends once")
    }

    fn answered(&mut self, request: RequestId, asked: Request, answer: Answer) {
        let Course { measured, sent, queued, launched, served, .. } = self.end(request);
        if !measured {
            return;
        }
        let terms = &self.terms[asked.tenant as usize];
        self.rows.push(AnswerRow {
            request,
            asked,
            answer: Some(answer),
            loss: None,
            quality: terms.quality(&asked, answer.time, answer.accuracy),
            served: asked.is_met_at(answer.time) && answer.accuracy >= terms.min_accuracy,
            dispatch: sent - asked.arrival,
            network: (queued - sent) + (answer.time - served),
            queue: launched - queued,
            service: served - launched,
        });
    }

    fn lost(&mut self, request: RequestId, reason: Loss) {
        let Course { asked, measured, .. } = self.end(request);
        if measured {
            let (answer, loss, none) = (None, Some(reason), Time::ZERO);
            let (quality, served) = (0.0, false);
            let [dispatch, network, queue, service] = [none; 4];
            self.rows.push(AnswerRow {
                request,
                asked,
                answer,
                loss,
                quality,
                served,
                dispatch,
                network,
                queue,
                service,
            });
        }
    }

    /// The measured requests that have ended, in the order of their ends.
    pub fn rows(&self) -> &[AnswerRow] {
        &self.rows
    }

    /// The measured requests in the order of their arrival.
    pub fn into_rows(mut self) -> Vec<AnswerRow> {
        self.rows.sort_unstable_by_key(|row| row.request);
        self.rows
    }

    /// The groups of the measured requests: all of them first, then by tenant, site, and variant.
    pub fn groups(&self) -> Vec<ServingGroup> {
        let mut groups: BTreeMap<(ServedBy, String), Tally> = BTreeMap::new();
        let all = |by: ServedBy, name: &str| (by, name.to_string());
        groups.insert(all(ServedBy::All, ""), Tally::default());
        // In the order of arrival, so that sums do not depend on which request ended first.
        let mut rows: Vec<&AnswerRow> = self.rows.iter().collect();
        rows.sort_unstable_by_key(|row| row.request);
        for row in rows {
            let tenant = row.asked.tenant as usize;
            groups.entry(all(ServedBy::All, "")).or_default().add(row);
            groups.entry(all(ServedBy::Tenant(tenant), "")).or_default().add(row);
            if let Some(answer) = row.answer {
                let model = &self.model.models[self.model.clients[tenant].model];
                let variant = &model.variants[answer.variant].name;
                groups.entry(all(ServedBy::Site(answer.site), "")).or_default().add(row);
                groups.entry(all(ServedBy::Variant, variant)).or_default().add(row);
            }
        }
        let tenants: Vec<(f64, Option<bool>)> = groups
            .iter()
            .filter_map(|((by, _), tally)| match by {
                ServedBy::Tenant(tenant) => {
                    let target = self.terms[*tenant].target_hit_rate;
                    Some((tally.mean(tally.quality), target.map(|target| tally.mean(tally.met) >= target)))
                }
                _ => None,
            })
            .collect();
        let total = self.rows.len() as f64;
        let of_all = || Whole {
            decisions: self.decisions,
            deciding: self.deciding,
            energy: self.energy,
            orders: self.orders,
            qualities: tenants.iter().map(|(quality, _)| *quality).collect(),
            reached: tenants.iter().filter_map(|(_, reached)| *reached).collect(),
        };
        let group = |((by, variant), mut tally): ((ServedBy, String), Tally)| {
            tally.batches.sort_unstable();
            let whole = (by == ServedBy::All).then(of_all);
            ServingGroup { by, variant, tally, total, whole, adapt_s: None }
        };
        groups.into_iter().map(group).collect()
    }
}

impl Recorder for Serving {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            Record::Arrived { asked, .. } => {
                let [sent, queued, launched, served] = [Time::ZERO; 4];
                let measured = origin.measured;
                self.courses.push_back(Some(Course { asked, measured, sent, queued, launched, served }));
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
            Record::Site { .. } | Record::Drift { .. } | Record::End { .. } => {}
        }
    }
}

/// What a row of serving.csv covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServedBy {
    /// All measured requests.
    All,
    /// Those of a tenant, by number.
    Tenant(usize),
    /// Those that a site answered, by number.
    Site(usize),
    /// Those that a variant answered.
    Variant,
}

impl ServedBy {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Tenant(_) => "tenant",
            Self::Site(_) => "site",
            Self::Variant => "variant",
        }
    }
}

/// Sums over a group of requests.
#[derive(Clone, Debug, Default, PartialEq)]
struct Tally {
    requests: u64,
    answered: u64,
    met: f64,
    served: f64,
    quality: f64,
    quality_answered: f64,
    accuracy: f64,
    accuracy_met: f64,
    batches: Vec<u32>,
    parts: [f64; 4],
}

impl Tally {
    fn add(&mut self, row: &AnswerRow) {
        self.requests += 1;
        self.quality += row.quality;
        self.served += f64::from(u8::from(row.served));
        let Some(answer) = row.answer else { return };
        let met = f64::from(u8::from(row.asked.is_met_at(answer.time)));
        self.answered += 1;
        self.met += met;
        self.quality_answered += row.quality;
        self.accuracy += answer.accuracy;
        self.accuracy_met += met * answer.accuracy;
        self.batches.push(answer.batch);
        let parts = [row.dispatch, row.network, row.queue, row.service];
        self.parts.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part.as_us());
    }

    fn mean(&self, sum: f64) -> f64 {
        sum / self.requests as f64
    }
}

/// What only a whole run has.
#[derive(Clone, Debug, PartialEq)]
struct Whole {
    decisions: u64,
    deciding: Time,
    energy: Picojoules,
    orders: u64,
    /// The mean quality of each tenant.
    qualities: Vec<f64>,
    /// For each tenant with a target, whether it is reached.
    reached: Vec<bool>,
}

/// A row of serving.csv.
#[derive(Clone, Debug, PartialEq)]
pub struct ServingGroup {
    /// What it covers.
    pub by: ServedBy,
    /// The variant, if it covers one.
    pub variant: String,
    tally: Tally,
    /// The number of measured requests of the run.
    total: f64,
    whole: Option<Whole>,
    /// `adapt_s`, of all requests where conditions changed.
    pub adapt_s: Option<f64>,
}

impl ServingGroup {
    fn per_request(&self, sum: f64) -> Value {
        Value::per(sum, self.tally.requests as f64)
    }

    fn per_answer(&self, sum: f64) -> Value {
        Value::per(sum, self.tally.answered as f64)
    }

    fn part(&self, place: usize) -> Value {
        self.per_answer(self.tally.parts[place])
    }

    fn whole(&self, value: fn(&Whole) -> Value) -> Value {
        self.whole.as_ref().map_or(Value::NONE, value)
    }

    /// The mean quality of the group.
    pub fn quality(&self) -> f64 {
        self.tally.mean(self.tally.quality)
    }
}

/// The columns of serving.csv after those that name the group.
pub const SERVING_COLUMNS: &[Column<ServingGroup>] = &[
    Column::undirected("requests", "Measured requests of the group", |group: &ServingGroup| {
        Value::Count(group.tally.requests)
    }),
    Column::undirected("answered", "Those that were answered, in time or late", |group: &ServingGroup| {
        Value::Count(group.tally.answered)
    }),
    Column::higher("quality", "Mean quality of the measured requests by the utility of their tenants; 0 without an answer", |group: &ServingGroup| {
        group.per_request(group.tally.quality)
    })
    .share(),
    Column::higher("served_rate", "Share of the measured requests that were answered in time and at least as accurately as asked (the reward of ASET, 2023)", |group: &ServingGroup| {
        group.per_request(group.tally.served)
    })
    .share(),
    Column::higher("hit_rate", "Share of the measured requests that were answered in time", |group: &ServingGroup| {
        group.per_request(group.tally.met)
    })
    .share(),
    Column::higher("quality_answered", "Mean quality of the answers", |group: &ServingGroup| {
        group.per_answer(group.tally.quality_answered)
    })
    .share(),
    Column::higher("accuracy", "Mean accuracy of the answers", |group: &ServingGroup| {
        group.per_answer(group.tally.accuracy)
    })
    .share(),
    Column::higher("accuracy_met", "Mean accuracy of the answers in time (effective accuracy; Model-Switching, HotCloud 2020)", |group: &ServingGroup| {
        Value::per(group.tally.accuracy_met, group.tally.met)
    })
    .share(),
    Column::undirected("share", "Share of all measured requests that are in the group", |group: &ServingGroup| {
        Value::per(group.tally.requests as f64, group.total)
    }),
    Column::undirected("batch_mean", "Mean size of the batch that an answer came from, with padding", |group: &ServingGroup| {
        group.per_answer(group.tally.batches.iter().map(|&batch| f64::from(batch)).sum())
    }),
    Column::undirected("batch_p95", "Its 95th percentile", |group: &ServingGroup| {
        let batches = &group.tally.batches;
        let place = (batches.len() * 95).div_ceil(100).saturating_sub(1);
        batches.get(place).map_or(Value::NONE, |&batch| Value::Real(f64::from(batch)))
    }),
    Column::lower("dispatch_us", "Mean wait of answered requests at their node for the decision where they go", |group: &ServingGroup| group.part(0)),
    Column::lower("network_us", "Mean time of answered requests on links, there and back", |group: &ServingGroup| group.part(1)),
    Column::lower("queue_us", "Mean time of answered requests in the queue of their site", |group: &ServingGroup| group.part(2)),
    Column::lower("service_us", "Mean time of answered requests in service; with the three before, the mean latency", |group: &ServingGroup| group.part(3)),
    Column::higher("quality_jain", "Jain's index of the tenants' mean qualities, (sum x)^2 / (n sum x^2)", |group: &ServingGroup| {
        group.whole(|whole| {
            let (sum, squares) = (whole.qualities.iter().sum::<f64>(), whole.qualities.iter().map(|x| x * x).sum::<f64>());
            Value::per(sum * sum, squares * whole.qualities.len() as f64)
        })
    })
    .share(),
    Column::higher("quality_min_mean", "The smallest of the tenants' mean qualities over their mean; Jain's index hardly sees a single poor tenant", |group: &ServingGroup| {
        group.whole(|whole| {
            let sum = whole.qualities.iter().sum::<f64>();
            let least = whole.qualities.iter().copied().fold(f64::INFINITY, f64::min);
            Value::per(least * whole.qualities.len() as f64, sum)
        })
    })
    .share(),
    Column::higher("targets_reached", "Share of the tenants with a target that reach it", |group: &ServingGroup| {
        group.whole(|whole| {
            let reached = whole.reached.iter().filter(|reached| **reached).count();
            Value::per(reached as f64, whole.reached.len() as f64)
        })
    })
    .share(),
    Column::undirected("orders", "Launched orders", |group: &ServingGroup| group.whole(|whole| Value::Count(whole.orders))),
    Column::undirected("dispatch_decisions", "Decisions of the dispatcher", |group: &ServingGroup| {
        group.whole(|whole| Value::Count(whole.decisions))
    }),
    Column::lower("dispatch_decision_us", "Mean charged latency of a decision of the dispatcher", |group: &ServingGroup| {
        group.whole(|whole| Value::per(whole.deciding.as_us(), whole.decisions as f64))
    }),
    Column::lower("energy_dispatch_uj", "Charged energy of the decisions of the dispatcher", |group: &ServingGroup| {
        group.whole(|whole| Value::Real(whole.energy.0 / 1e6))
    }),
];
