//! `nexus`: each period the models of a site are packed onto its servers by their rates (`squishy.rs`), which gives every
//! model a batch and a duty cycle: once a cycle, or as soon as the batch is full, an order of it starts. Early drop: before
//! that, the first requests of the queue are rejected until the first one left can wait for the whole batch. A model that
//! has no place yet, because no rate of it is known, runs at once.
//!
//! Nexus spreads the requests of a cluster by its plan; between sites it has none, and `eft_site` chooses (ours). It serves
//! the models as they are: of variants the most accurate runs. The batch rule `nexus` has the size of batches and the early
//! drop alone, any variant rule beside it, and never waits.

mod squishy;

use std::collections::BTreeMap;

use self::squishy::{Session, Turn, pack};
use super::part;
use crate::dispatch::load::Rates;
use crate::dispatch::parts::{Parts, allowed, decide, routed};
use crate::dispatch::{Batching, Queue, ROUTES, Route, RuleEntry, check_period, check_weight, parse};
use crate::files::Parameter;
use crate::serve::{Dispatch, Dispatcher, FleetModel, FleetView, Moment, Record, RequestView};
use crate::sim::Operations;
use crate::units::Time;

pub(super) const ENTRY: RuleEntry<dyn Dispatcher> = RuleEntry {
    name: "nexus",
    doc: "models packed onto the servers of a site in duty cycles, a batch of each per cycle; rejects the first requests until one can wait for the whole batch",
    source: "Nexus (Shen et al., SOSP 2019), algorithm 1 and early drop; `eft_site` between sites is ours",
    parameters: &[
        Parameter {
            name: "period_us",
            default: "1000000.0",
            doc: "time between plans in microseconds, above 0",
        },
        Parameter {
            name: "weight",
            default: "0.1",
            doc: "weight of a new gap in the moving average of the rate, above 0, at most 1",
        },
    ],
    draws: false,
    build: |parameters, _| {
        let Parameters { period_us, weight } = parse(parameters)?;
        Ok(Box::new(Nexus {
            period: check_period(period_us)?,
            rates: Rates::new(check_weight(weight)?),
            route: part(ROUTES, "eft_site", &toml::Table::new())?,
            budgets: BTreeMap::new(),
            plans: BTreeMap::new(),
        }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    period_us: f64,
    weight: f64,
}

impl Default for Parameters {
    /// Nexus plans anew every 30 s or more; a second is our choice, because runs here are not much longer. The weight as
    /// `rate`.
    fn default() -> Self {
        Self { period_us: 1e6, weight: 0.1 }
    }
}

struct Nexus {
    period: Time,
    rates: Rates,
    route: Box<dyn Route>,
    /// By site and model the shortest time that a request had there since the last plan.
    budgets: BTreeMap<(usize, usize), Time>,
    /// By site.
    plans: BTreeMap<usize, Plan>,
}

struct Plan {
    since: Time,
    /// The turns, and when each is next.
    turns: Vec<(Turn, Time)>,
}

impl Dispatcher for Nexus {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        if let Moment::Free(site) | Moment::Wake(site) = moment {
            self.plan(view, site, &mut out.operations);
        }
        decide(self, view, moment, out);
    }

    fn check(&self, model: &FleetModel) -> Result<(), String> {
        self.route.check(model)
    }

    fn observe(&mut self, record: &Record) {
        self.rates.observe(record);
        self.route.observe(record);
    }
}

impl Parts for Nexus {
    fn site(
        &mut self,
        view: &FleetView,
        request: &RequestView,
        sites: &[usize],
        spent: &mut Operations,
    ) -> Option<usize> {
        Some(routed(self.route.as_mut(), view, request, sites, spent))
    }

    fn batching(&mut self, view: &FleetView, queue: &Queue, spent: &mut Operations) -> Batching {
        let Some(head) = queue.iter().next() else { return Batching::Wait(None) };
        spent.comparisons += 2;
        let batch = match self.turn(view.now(), queue) {
            Ok(batch) => batch,
            Err(next) => return Batching::Wait(Some(next)),
        };
        let size = queue.len().min(batch);
        let variant = allowed(view, queue, size)[0];
        let service = view.model().service(queue.site, queue.model, variant, size);
        match view.now().saturating_add(service) > head.due {
            true => Batching::Reject(head.id),
            false => Batching::Launch(size),
        }
    }

    fn variant(&mut self, view: &FleetView, queue: &Queue, count: usize, _: &mut Operations) -> usize {
        let turns = self.plans.get_mut(&queue.site).map(|plan| &mut plan.turns).into_iter().flatten();
        let own = turns.filter(|(turn, _)| turn.session == queue.model);
        // The turn that was due first is over.
        if let Some((turn, next)) = own.min_by_key(|(_, next)| *next) {
            *next = view.now().saturating_add(Time::from_ps_ceil(turn.cycle));
        }
        allowed(view, queue, count)[0]
    }
}

impl Nexus {
    /// The batch of a model whose turn it is; or when it is.
    fn turn(&self, now: Time, queue: &Queue) -> Result<usize, Time> {
        let turns = self.plans.get(&queue.site).map(|plan| &plan.turns[..]).unwrap_or_default();
        let own = turns.iter().filter(|(turn, _)| turn.session == queue.model);
        match own.min_by_key(|(_, next)| *next) {
            None => Ok(queue.served.max_batch()),
            Some((turn, next)) if *next <= now || queue.len() >= turn.batch => Ok(turn.batch),
            Some((_, next)) => Err(*next),
        }
    }

    /// Notes how much time requests have, and packs the models of a site anew when it is time.
    fn plan(&mut self, view: &FleetView, site: usize, spent: &mut Operations) {
        let models = view.model().models.len();
        for model in 0..models {
            spent.comparisons += view.queue_len(model) as u64;
            let left = view.queue(model).map(|of| of.due.saturating_sub(of.queued_at)).min();
            if let Some(left) = left {
                let budget = self.budgets.entry((site, model)).or_insert(Time::MAX);
                *budget = left.min(*budget);
            }
        }
        if self.plans.get(&site).is_some_and(|plan| view.now() - plan.since < self.period) {
            return;
        }
        let mut sessions = Vec::new();
        for model in 0..models {
            let queue = Queue::new(view, site, model, None);
            let rate = self.rates.of(view, &queue);
            let budget = self.budgets.remove(&(site, model));
            let (Some(budget), true) = (budget, rate > 0.0) else { continue };
            let best = queue.served.best();
            let service = |&batch: &u32| {
                (batch as usize, view.model().service(site, model, best, batch as usize).as_ps())
            };
            let services = queue.served.batches.iter().map(service).collect();
            sessions.push(Session { session: model, rate, budget: budget.as_ps(), services });
        }
        // A plan before any rate is known would last a whole period.
        if sessions.is_empty() {
            return;
        }
        let turns = pack(&sessions, view.model().sites[site].at_once());
        spent.comparisons += (sessions.len() * sessions.len() + turns.len()) as u64;
        let turns = turns.into_iter().map(|turn| (turn, view.now())).collect();
        self.plans.insert(site, Plan { since: view.now(), turns });
    }
}
