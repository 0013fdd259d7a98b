//! The level of requests: an agent in the place of a part of a dispatcher. What it does not decide, a dispatcher of the
//! experiment decides.
//!
//! Times in observations are in units of the shortest latency of a request alone in the fleet, and as [`scaled`].

mod book;
mod clients;
mod free;
mod route;
mod select;

use std::sync::Arc;

use mascot::plan::{self, Fleet};
use mascot::rng;
use mascot::serve::{Dispatch, Dispatcher, FleetModel, FleetView, Moment, Record, Recorder, Stepper};
use mascot::sim::Origin;
use mascot::units::Time;
use pyo3::prelude::*;
use rand::RngExt;

use crate::envs::{Env, Shape};
use crate::errors::config;
use crate::plan::Plan;
use book::Book;

/// What the agent decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Which variant and batch a site with a free slot launches.
    Free,
    /// To which site a request goes.
    Route,
    /// Which dispatcher decides until the end of a window.
    Select,
    /// To which site their own requests go: one agent for each tenant.
    Clients,
}

impl Role {
    pub(crate) fn named(name: &str) -> PyResult<Self> {
        match name {
            "free" => Ok(Self::Free),
            "route" => Ok(Self::Route),
            "select" => Ok(Self::Select),
            "clients" => Ok(Self::Clients),
            _ => Err(config(format!("role {name:?}: expected free, route, select or clients"))),
        }
    }
}

/// The options of an environment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Waiting ends at the next multiple of this.
    wait: Time,
    /// The length of a window of [`Role::Select`].
    window: Time,
    /// Requests that have waited this long in a queue are given up before the agent is asked; [`Role::Free`] only.
    patience: Time,
    /// How many of the oldest requests of a queue are observed one by one.
    oldest: usize,
    /// Whether a reward is what a request loses, and not what it is worth.
    is_loss: bool,
    /// What every second of simulated time costs the agent.
    price_per_s: f64,
}

impl Options {
    pub(crate) fn new(
        (wait_us, window_us, patience_us): (f64, f64, Option<f64>),
        oldest: usize,
        (reward, price_per_s): (&str, f64),
    ) -> PyResult<Self> {
        let time = |name: &str, us: f64| match (0.01..=1e9).contains(&us) {
            true => Ok(Time::from_us(us)),
            false => Err(config(format!("{name} = {us}: expected a number from 0.01 to 1e9"))),
        };
        let is_loss = match reward {
            "quality" => false,
            "loss" => true,
            _ => return Err(config(format!("reward {reward:?}: expected \"quality\" or \"loss\""))),
        };
        if !price_per_s.is_finite() {
            return Err(config(format!("time_price_per_s = {price_per_s}: expected a finite number")));
        }
        Ok(Self {
            price_per_s,
            wait: time("wait_us", wait_us)?,
            window: time("window_us", window_us)?,
            patience: patience_us.map_or(Ok(Time::MAX), |us| time("patience_us", us))?,
            oldest,
            is_loss,
        })
    }
}

/// An environment of the level of requests. Each episode is a run of a case that is drawn from the plan's.
pub(crate) struct Serving {
    plan: Arc<plan::Plan>,
    role: Role,
    options: Options,
    /// The dispatchers that decide the rest, by their places in the plan.
    rules: Vec<usize>,
    shape: Shape,
    run: Option<Run>,
}

/// What has to be the same in all cases.
fn form(model: &FleetModel) -> (usize, usize, Vec<(usize, Vec<u32>)>) {
    let models = model.models.iter().map(|model| (model.variants.len(), model.batches.clone()));
    (model.sites.len(), model.clients.len(), models.collect())
}

impl Serving {
    pub(crate) fn new(
        plan: &Plan,
        role: Role,
        dispatchers: Option<&[String]>,
        options: Options,
    ) -> PyResult<Self> {
        let mut fleets = Vec::new();
        for case in &plan.inner.cases {
            fleets.push(case.fleet.as_ref().ok_or_else(|| {
                config(format!("system `{}`: expected fleets; systems are for mascot/Layers-v0", case.system))
            })?);
        }
        let (first, rest) = fleets.split_first().ok_or_else(|| config("the plan has no case"))?;
        if rest.iter().any(|fleet| form(&fleet.model) != form(&first.model)) {
            return Err(config("cases: expected the same numbers of sites, tenants, variants and batches"));
        }
        let rules = rules(plan, role, dispatchers)?;
        let model = &first.model;
        let shape = match role {
            Role::Free => free::shape(model, options),
            Role::Route => route::shape(model),
            Role::Select => select::shape(model, rules.len()),
            Role::Clients => clients::shape(model),
        };
        Ok(Self { plan: Arc::clone(&plan.inner), role, options, rules, shape, run: None })
    }

    fn begin(&self, seed: u64) -> Result<Run, String> {
        let case = rng::stream(seed, "case", "").random_range(0..self.plan.cases.len());
        let case = &self.plan.cases[case];
        let fleet = case.fleet.as_ref().expect("all cases have fleets");
        let trace = Arc::new(plan::requests::of_run(case, seed));
        let dispatcher = |&place: &usize| self.plan.schedulers[place].dispatcher(seed);
        let rules = self.rules.iter().map(dispatcher).collect::<Result<Vec<_>, _>>()?;
        rules.iter().try_for_each(|rule| rule.check(&fleet.model))?;
        let unit = unit(fleet);
        Ok(Run {
            stepper: Stepper::new(Arc::clone(&fleet.model), trace, fleet.schedulers(seed)?),
            book: Book::new(Arc::clone(&fleet.model), unit, self.options.is_loss),
            model: Arc::clone(&fleet.model),
            unit,
            rules,
            leader: 0,
            window_end: Time::ZERO,
            moment: None,
        })
    }
}

/// The places of the dispatchers that are asked for; all for [`Role::Select`], the first for the others.
fn rules(plan: &Plan, role: Role, asked: Option<&[String]>) -> PyResult<Vec<usize>> {
    let known = &plan.inner.schedulers;
    let Some(asked) = asked else {
        return Ok(if role == Role::Select { (0..known.len()).collect() } else { vec![0] });
    };
    if asked.is_empty() || role != Role::Select && asked.len() > 1 {
        return Err(config(format!(
            "dispatchers: got {}, expected one, or several to select from",
            asked.len()
        )));
    }
    let place = |name: &String| {
        known.iter().position(|choice| choice.label == *name).ok_or_else(|| {
            let labels: Vec<&str> = known.iter().map(|choice| choice.label.as_str()).collect();
            config(format!("no dispatcher `{name}` in the experiment; it has: {}", labels.join(", ")))
        })
    };
    asked.iter().map(place).collect()
}

fn unit(fleet: &Fleet) -> Time {
    let alone = fleet.alone.iter().map(|alone| alone.latency());
    alone.min().unwrap_or(Time::ZERO).max(Time(1))
}

/// One run, at one of the agent's decisions.
struct Run {
    stepper: Stepper,
    book: Book,
    model: Arc<FleetModel>,
    unit: Time,
    rules: Vec<Box<dyn Dispatcher>>,
    /// Which of the rules decides.
    leader: usize,
    window_end: Time,
    /// What the agent is asked about; `None` when the run is over.
    moment: Option<Moment>,
}

/// The records go to the book, and to the rules as far as they may see them.
struct Tee<'a> {
    book: &'a mut Book,
    rules: &'a mut [Box<dyn Dispatcher>],
}

impl Recorder for Tee<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        if record.is_seen_by_dispatchers() {
            self.rules.iter_mut().for_each(|rule| rule.observe(record));
            self.book.record(record, origin);
        }
    }
}

impl Run {
    fn view(&self) -> FleetView<'_> {
        self.stepper.view().expect("the agent is asked")
    }

    /// The present time; that of its end once the run is over.
    fn now(&self) -> Time {
        self.stepper.view().map_or(self.book.now, |view| view.now())
    }

    fn answer(&mut self, dispatch: Dispatch) -> Result<(), String> {
        let mut tee = Tee { book: &mut self.book, rules: &mut self.rules };
        self.stepper.answer(dispatch, &mut tee).map_err(|error| error.to_string())
    }

    fn answer_by_rule(&mut self, moment: Moment) -> Result<(), String> {
        let mut dispatch = Dispatch::default();
        let view = self.stepper.view().expect("it is asked");
        self.rules[self.leader].decide(&view, moment, &mut dispatch);
        self.answer(dispatch)
    }

    /// Runs to the agent's next decision; returns whether the run is over.
    fn advance(&mut self, role: Role, options: Options) -> Result<bool, String> {
        loop {
            let mut tee = Tee { book: &mut self.book, rules: &mut self.rules };
            self.moment = self.stepper.run_to_decision(&mut tee).map_err(|error| error.to_string())?;
            let Some(moment) = self.moment else { return Ok(true) };
            let is_mine = match role {
                Role::Free => match free::question(&self.view(), moment, options) {
                    free::Question::Agent => true,
                    free::Question::Rule => false,
                    free::Question::Answered(dispatch) => {
                        self.answer(dispatch)?;
                        continue;
                    }
                },
                Role::Route | Role::Clients => matches!(moment, Moment::Arrived(_)),
                Role::Select => self.view().now() >= self.window_end,
            };
            if is_mine {
                return Ok(false);
            }
            self.answer_by_rule(moment)?;
        }
    }

    /// A time in units, scaled.
    fn units(&self, time: Time) -> f32 {
        scaled(time.as_ps() / self.unit.as_ps())
    }

    /// The time until then in units, scaled; below zero if it has passed.
    fn until(&self, then: Time, now: Time) -> f32 {
        match then {
            Time::MAX => scaled(1e6),
            _ => scaled((then.as_ps() - now.as_ps()) / self.unit.as_ps()),
        }
    }
}

impl Env for Serving {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn reset(&mut self, seed: u64) -> Result<(), String> {
        let mut run = self.begin(seed)?;
        let is_over = run.advance(self.role, self.options)?;
        run.book.rewards.fill(0.0);
        self.run = Some(run);
        match is_over {
            false => Ok(()),
            true => Err("the run ends before the agent has anything to decide".into()),
        }
    }

    fn step(&mut self, action: &[i64], rewards: &mut [f64]) -> Result<bool, String> {
        let run = self.run.as_mut().ok_or("reset comes first")?;
        let moment = run.moment.ok_or("the run is over")?;
        let before = run.now();
        match self.role {
            Role::Free => run.answer(free::dispatch(run, moment, action[0], self.options))?,
            Role::Route => run.answer(route::dispatch(run, moment, action[0]))?,
            Role::Clients => run.answer(clients::dispatch(run, moment, action))?,
            Role::Select => {
                let now = run.view().now();
                run.window_end = Time((now.0 / self.options.window.0 + 1) * self.options.window.0);
                run.leader = action[0] as usize;
                run.book.begin_window(run.leader);
                run.answer_by_rule(moment)?;
            }
        }
        let is_over = run.advance(self.role, self.options)?;
        run.book.pay(rewards);
        if let [reward] = rewards {
            *reward -= self.options.price_per_s * (run.now() - before).as_s();
        }
        Ok(is_over)
    }

    fn now_us(&self) -> f64 {
        self.run.as_ref().map_or(0.0, |run| run.now().as_us())
    }

    fn observe(&self, observation: &mut [f32], mask: &mut [i8]) {
        let Some(run) = self.run.as_ref().filter(|run| run.moment.is_some()) else {
            observation.fill(0.0);
            mask.fill(1);
            return;
        };
        let mut row = Row { left: observation };
        match self.role {
            Role::Free => free::observe(run, self.options, &mut row, mask),
            Role::Route => route::observe(run, &mut row, mask),
            Role::Select => select::observe(run, &mut row, mask),
            Role::Clients => clients::observe(run, &mut row, mask),
        }
        assert!(row.left.is_empty(), "an observation fills its array");
    }
}

/// An observation that is written from left to right.
struct Row<'a> {
    left: &'a mut [f32],
}

impl Row<'_> {
    fn push(&mut self, value: f32) {
        let (first, rest) = std::mem::take(&mut self.left).split_first_mut().expect("there is room");
        *first = value;
        self.left = rest;
    }

    fn extend(&mut self, values: impl IntoIterator<Item = f32>) {
        values.into_iter().for_each(|value| self.push(value));
    }

    /// One at a place of so many, else zeros.
    fn one_hot(&mut self, place: usize, of: usize) {
        self.extend((0..of).map(|each| f32::from(u8::from(each == place))));
    }
}

/// Computes sign(x) log2(1 + |x|), linear between powers of two, so that it needs no mathematical library, whose last
/// digits differ between machines: 1 becomes 1 and 1023 becomes 10.
fn scaled(x: f64) -> f32 {
    let bits = (1.0 + x.abs() as f32).to_bits() - 1f32.to_bits();
    (bits as f32 / (1 << 23) as f32).copysign(x as f32)
}
