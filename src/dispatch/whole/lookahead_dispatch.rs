//! `lookahead_dispatch`: at a free site every variant and batch size is tried in a fork of the site; the best one is
//! launched.
//!
//! A fork knows the requests that are queued or in service at the site, and no others: nothing arrives any more. After
//! the launch that is tried it goes on under `fits` and `greedy`, down to the last answer. The launch with the largest
//! sum of qualities wins; of equals, the one with the earlier answers. Because nobody else comes, the fork sees no harm in
//! slow and accurate variants beyond the requests that wait already. Layers go where they would end soonest in a fork,
//! whatever the scheduler of the site.

use std::sync::Arc;

use toml::Table;

use super::composed;
use crate::dispatch::parts::{allowed, routed, send};
use crate::dispatch::{Composed, MAX, Queue, ROUTES, Route, RuleEntry, find, parse};
use crate::files::Parameter;
use crate::serve::{Action, Crew, Dispatch, Dispatcher, FleetModel, FleetView, Moment, Record, Recorder};
use crate::sim::{self, Decision, Origin, Scheduler, View};
use crate::units::Time;

/// The charge for an event of a roll-out, in comparisons of a nanosecond: that of roll-outs of layers
/// (`scheduler/rollout.rs`). For fleets it is low: the decisions of experiments/chen.toml are charged 6.9 s and take some
/// 15 s on one core, because each launch copies the engine of the site.
const COMPARISONS_PER_RECORD: u64 = 60;

pub(super) const ENTRY: RuleEntry<dyn Dispatcher> = RuleEntry {
    name: "lookahead_dispatch",
    doc: "tries every variant and size of an order in a roll-out of its site, in which nobody else comes; the best is launched",
    source: "ours",
    parameters: &[
        Parameter {
            name: "routed_by",
            default: "\"closest\"",
            doc: "the route: a name, or a table with `rule` and its parameters",
        },
        MAX,
    ],
    draws: true,
    build: |parameters, seed| {
        let Parameters { routed_by, max } = parse(parameters)?;
        Ok(Box::new(Lookahead {
            route: routed_by.build(seed)?,
            max: if max == 0 { usize::MAX } else { max },
            base: composed(
                "closest",
                "fits",
                "greedy",
                &Table::from_iter([("max".into(), (max as i64).into())]),
            )?,
            schedulers: [Box::new(Soonest)],
            only: Vec::new(),
        }))
    },
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    routed_by: RouteChoice,
    max: usize,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { routed_by: RouteChoice::Name("closest".into()), max: 0 }
    }
}

#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "a name, or a table with `rule` and its parameters")]
enum RouteChoice {
    Name(String),
    Table {
        rule: String,
        #[serde(flatten)]
        parameters: Table,
    },
}

impl RouteChoice {
    fn build(&self, seed: u64) -> Result<Box<dyn Route>, String> {
        let none = Table::new();
        let (name, parameters) = match self {
            Self::Name(name) => (name, &none),
            Self::Table { rule, parameters } => (rule, parameters),
        };
        let built = find("route", ROUTES, name).and_then(|entry| (entry.build)(parameters, seed));
        built.map_err(|problem| format!("`routed_by`: {problem}"))
    }
}

struct Lookahead {
    route: Box<dyn Route>,
    /// The largest batch that is tried.
    max: usize,
    /// What goes on after the launch that is tried.
    base: Composed,
    schedulers: [Box<dyn Scheduler>; 1],
    /// The fleets of the sites alone.
    only: Vec<Option<Arc<FleetModel>>>,
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
        let mut fold = Fold { model: only, outcome: Outcome::default() };
        let Self { base, schedulers, .. } = self;
        let begun = fork.begin(&[here], &mut Crew { dispatcher: base, schedulers, out: &mut fold });
        let mut goes_on = begun.is_ok();
        while goes_on {
            let crew = &mut Crew { dispatcher: base, schedulers, out: &mut fold };
            // A stall, which `Soonest` never causes, would leave the outcome as it is then.
            goes_on = fork.step(crew).unwrap_or(false);
            let at_best = fold.outcome.quality + fork.requests() as f64;
            goes_on &= to_pass.is_none_or(|best| at_best >= best.quality);
        }
        let tried = fold.outcome;
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
    outcome: Outcome,
}

impl Recorder for Fold<'_> {
    fn record(&mut self, record: &Record, _: Origin) {
        self.outcome.records += 1;
        match record {
            Record::Answered { time, asked, accuracy, .. } => {
                let terms = &self.model.clients[asked.tenant as usize].terms;
                self.outcome.quality += terms.quality([asked.arrival, asked.deadline], *time, *accuracy);
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
