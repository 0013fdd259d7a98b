//! `lookahead_dispatch`: at a free site every variant and batch size is tried in a fork of the site; the best one is
//! launched.
//!
//! A fork knows the requests that are queued or in service at the site, and no others: nothing arrives any more. After
//! the launch that is tried it goes on under `fits` and `greedy`, down to the last answer. The launch with the largest
//! sum of qualities wins; of equals, the one with the earlier answers. Because nobody else comes, the fork sees no harm in
//! slow and accurate variants beyond the requests that wait already.

use std::sync::Arc;

use super::parts::{allowed, routed, send};
use super::{BATCHES, Composed, Queue, ROUTES, Route, VARIANTS, find};
use crate::serve::{
    Action, Dispatch, Dispatcher, FleetModel, FleetView, Moment, Record, Recorder, ServeError,
};
use crate::sim::{self, Decision, Origin, Scheduler, View};
use crate::units::Time;

/// The charge for an event of a roll-out, in comparisons; as in roll-outs of layers (`scheduler/rollout.rs`).
const COMPARISONS_PER_RECORD: u64 = 60;

/// A route, and the search among launches.
pub struct Lookahead {
    route: Box<dyn Route>,
    /// The largest batch that is tried.
    max: usize,
    /// What goes on after the launch that is tried.
    base: Composed,
    schedulers: [Box<dyn Scheduler>; 1],
    /// The fleets of the sites alone.
    only: Vec<Option<Arc<FleetModel>>>,
}

impl Lookahead {
    /// A search among launches of at most `max` requests, behind a route.
    pub fn new(route: Box<dyn Route>, max: usize) -> Self {
        let none = toml::Table::new();
        let max_of = toml::Table::from_iter([("max".to_string(), toml::Value::from(max as i64))]);
        let base = Composed {
            route: (find("route", ROUTES, "closest").expect("it is known").build)(&none, 0)
                .expect("no parameters"),
            variant: (find("variant", VARIANTS, "fits").expect("it is known").build)(&none, 0)
                .expect("no parameters"),
            batch: (find("batch", BATCHES, "greedy").expect("it is known").build)(&max_of, 0)
                .expect("max > 0"),
            order: None,
        };
        Self { route, max, base, schedulers: [Box::new(Soonest)], only: Vec::new() }
    }
}

impl Dispatcher for Lookahead {
    fn decide(&mut self, view: &FleetView, moment: Moment, out: &mut Dispatch) {
        match moment {
            Moment::Arrived(id) => send(view, id, out, &mut |request, sites, spent| {
                Some(routed(self.route.as_mut(), view, request, sites, spent))
            }),
            Moment::Free(site) | Moment::Wake(site) => self.launch(view, site, out),
        }
    }

    fn check(&self, model: &FleetModel) -> Result<(), String> {
        self.route.check(model)
    }

    fn observe(&mut self, record: &Record) {
        self.route.observe(record);
    }
}

impl Lookahead {
    fn launch(&mut self, view: &FleetView, site: usize, out: &mut Dispatch) {
        if view.free_slots() == 0 {
            return;
        }
        let mut best: Option<(Outcome, Action)> = None;
        let candidates = self.candidates(view, site);
        for action in &candidates {
            let outcome = match candidates.len() {
                1 => Outcome::default(),
                _ => self.try_out(view, site, action, best.as_ref().map(|(best, _)| *best), out),
            };
            if best.as_ref().is_none_or(|(best, _)| outcome.rank() > best.rank()) {
                best = Some((outcome, action.clone()));
            }
        }
        let Some((_, action)) = best else { return };
        out.actions.push(action);
        // More slots may be free for what is left.
        out.actions.push(Action::Wake { site, at: view.now() });
    }

    /// All launches of the oldest requests of a queue: each batch size that can be full, and what waits.
    fn candidates(&self, view: &FleetView, site: usize) -> Vec<Action> {
        let mut all = Vec::new();
        for model in 0..view.model().models.len() {
            let queue = Queue::new(view, site, model, None);
            let most = queue.len().min(self.max).min(queue.served.max_batch());
            if most == 0 {
                continue;
            }
            let mut counts: Vec<usize> = queue.served.batches.iter().map(|&batch| batch as usize).collect();
            counts.retain(|&count| count < most);
            counts.push(most);
            for &count in counts.iter().rev() {
                let variants = allowed(view, &queue, count);
                all.extend(variants.into_iter().map(|variant| Action::Launch {
                    site,
                    model,
                    variant,
                    count,
                }));
            }
        }
        all
    }

    fn try_out(
        &mut self,
        view: &FleetView,
        site: usize,
        action: &Action,
        to_pass: Option<Outcome>,
        out: &mut Dispatch,
    ) -> Outcome {
        self.only.resize(view.model().sites.len(), None);
        let only = self.only[site].get_or_insert_with(|| Arc::new(view.model().only(site)));
        let mut fork = view.fork(only).expect("the dispatcher decides at a site");
        let &Action::Launch { model, variant, count, .. } = action else {
            unreachable!("launches are tried")
        };
        let here = Action::Launch { site: 0, model, variant, count };
        let mut tried = Outcome::default();
        let mut fold = Fold { model: only, outcome: &mut tried };
        let Self { base, schedulers, .. } = self;
        let mut play = || -> Result<(), ServeError> {
            fork.begin(std::slice::from_ref(&here), base, schedulers, &mut fold)?;
            while fork.step(base, schedulers, &mut fold)? {
                let at_best =
                    Outcome { quality: fold.outcome.quality + fork.requests() as f64, ..*fold.outcome };
                if to_pass.is_some_and(|best| at_best.quality < best.quality) {
                    break;
                }
            }
            Ok(())
        };
        // A stall, which `Soonest` never causes, would leave the outcome as it is then.
        let _ = play();
        out.operations.comparisons += COMPARISONS_PER_RECORD * tried.records + tried.comparisons;
        tried
    }
}

/// What became of the requests of a fork.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    quality: f64,
    /// Sum of the times of the answers, in ps.
    answered_ps: f64,
    records: u64,
    comparisons: u64,
}

impl Outcome {
    /// Larger is better.
    fn rank(&self) -> (f64, f64) {
        (self.quality, -self.answered_ps)
    }
}

struct Fold<'a> {
    model: &'a FleetModel,
    outcome: &'a mut Outcome,
}

impl Recorder for Fold<'_> {
    fn record(&mut self, record: &Record, _: Origin) {
        self.outcome.records += 1;
        match record {
            Record::Answered { time, asked, accuracy, .. } => {
                let terms = &self.model.clients[asked.tenant as usize].terms;
                self.outcome.quality += terms.quality(asked, *time, *accuracy);
                self.outcome.answered_ps += time.as_ps();
            }
            Record::Decided { operations, .. } => self.outcome.comparisons += operations.comparisons,
            _ => {}
        }
    }
}

/// The scheduler of forks, whichever the site has: each layer, in the order of deadlines, goes where it would end soonest.
struct Soonest;

impl Scheduler for Soonest {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let mut free: Vec<Time> = view.accelerators().iter().map(|of| of.free_at.max(view.now())).collect();
        let mut ready: Vec<&sim::SubJobView> = view.sub_jobs().iter().collect();
        ready.sort_by_key(|of| (view.job_of(of).deadline, of.id));
        out.operations.comparisons += (ready.len() * free.len()) as u64;
        for (rank, sub_job) in ready.into_iter().enumerate() {
            let end = |accelerator: usize| {
                let alone = view.alone(sub_job, accelerator)?;
                Some((free[accelerator].max(sub_job.release) + alone, accelerator))
            };
            let Some((end, accelerator)) = (0..free.len()).filter_map(end).min() else { continue };
            free[accelerator] = end;
            out.assign(sub_job.id, accelerator, -(rank as f64));
        }
    }
}
