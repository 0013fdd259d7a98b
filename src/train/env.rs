//! The environment in which policies are trained: many runs of the engine, stepped together.
//!
//! An [`Episode`] is one run. Its observation and the form of its actions are those of [`crate::policy::observation`],
//! so that an episode and a [`Scheduler`](crate::sim::Scheduler) act alike on the same view. A step applies the actions
//! and runs to the next decision. [`Env`] steps many episodes on the current rayon pool; the result does not depend on
//! its size.
//!
//! An episode is *terminated* when its run is over: no more reward can come. It is *truncated* after a number of steps:
//! rewards would still come, and a learner has to estimate them. An episode that is over does not change until it is
//! reset.
//!
//! Left out: where runs come from, which a [`Source`] decides, and every learning rule.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use rayon::prelude::*;

use crate::experiment::Reward;
use crate::policy::{Decoder, Observation};
use crate::sim::{
    Decision, Engine, IllegalAction, Origin, Record, Recorder, Rules, Step, Trace, View, World,
};
use crate::units::Time;

/// Everything that a run depends on except its decisions.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The platform and the networks.
    pub world: Arc<World>,
    /// The requests.
    pub trace: Arc<Trace>,
    /// The rules: when decisions are taken, what they cost, and what happens to late requests.
    pub rules: Rules,
    /// The price of energy: what the least energy of a request, as a mean over the networks, costs in deadlines met.
    pub price: f64,
}

/// Makes the setup of a run from a seed. All runs have the same number of accelerators.
pub type Source = dyn Fn(u64) -> Setup + Send + Sync;

/// The outcome of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The sum of the rewards between this decision and the next.
    pub reward: f64,
    /// Whether the run is over.
    pub terminated: bool,
    /// Whether the episode has had all its steps while the run is not over.
    pub truncated: bool,
}

/// One run, at one of its decisions.
#[derive(Debug)]
pub struct Episode {
    engine: Engine,
    observation: Observation,
    decision: Decision,
    decoder: Decoder,
    judge: Judge,
    mean_term: Time,
    steps_left: u64,
    terminated: bool,
}

impl Episode {
    /// An episode at its first decision, which ends after `max_steps` decisions at the latest.
    pub fn new(setup: Setup, reward: Reward, max_steps: u64) -> Self {
        let Setup { world, trace, rules, .. } = setup;
        let mut episode = Self {
            observation: Observation::new(&world),
            decision: Decision::default(),
            decoder: Decoder::default(),
            judge: Judge::new(&world, reward),
            mean_term: mean_term(&trace),
            engine: Engine::new(world, trace, rules),
            steps_left: max_steps,
            terminated: false,
        };
        episode.run_to_decision(&mut ());
        // Slack that was lost before the first decision is nobody's fault.
        episode.judge.earned -= episode.judge.potential;
        episode
    }

    /// The observation of a policy; empty once the run is over.
    pub fn observation(&self) -> &Observation {
        &self.observation
    }

    /// The view that a scheduler would get. Call it only while the run is not over.
    pub fn view(&self) -> View<'_> {
        self.engine.view()
    }

    /// The mean time from arrival to deadline of the requests that have a deadline; the longest time if none has.
    pub fn mean_term(&self) -> Time {
        self.mean_term
    }

    /// The reward of the step that led here for a learner to which later rewards are worth `discount`. Rewards contain the
    /// change of the potential of the requests in flight ([`Reward::slack`]); here the potential after the step is
    /// discounted, too, so that over a run potentials still cancel out.
    pub fn discounted(&self, outcome: Outcome, discount: f64) -> f64 {
        outcome.reward - (1.0 - discount) * self.judge.potential
    }

    /// Whether the run is over, or the episode has had all its steps.
    pub fn is_over(&self) -> bool {
        self.terminated || self.steps_left == 0
    }

    /// Applies the action ([`Decoder`]) and runs to the next decision; records go to `out`. An episode that is over does
    /// not change.
    pub fn step(&mut self, action: &[f32], out: &mut dyn Recorder) -> Outcome {
        if !self.is_over() {
            self.decision.clear();
            let rows = self.observation.sub_jobs();
            self.decoder.decode(&self.engine.view(), rows, action, &mut self.decision);
        }
        self.step_decided(out).expect("what is decoded is legal")
    }

    /// Lets `decide` fill the decision, as a scheduler would, and runs to the next one; otherwise like [`Self::step`].
    ///
    /// # Errors
    /// An action is illegal; nothing has changed then.
    pub fn step_with(
        &mut self,
        decide: impl FnOnce(&View, &Observation, &mut Decision),
        out: &mut dyn Recorder,
    ) -> Result<Outcome, IllegalAction> {
        if !self.is_over() {
            self.decision.clear();
            decide(&self.engine.view(), &self.observation, &mut self.decision);
        }
        self.step_decided(out)
    }

    fn step_decided(&mut self, out: &mut dyn Recorder) -> Result<Outcome, IllegalAction> {
        let mut reward = 0.0;
        if !self.is_over() {
            let mut tee = Tee { judge: &mut self.judge, out: &mut *out };
            self.engine.apply(&self.decision, &mut tee)?;
            self.steps_left -= 1;
            self.run_to_decision(out);
            reward = std::mem::take(&mut self.judge.earned);
        }
        let terminated = self.terminated;
        Ok(Outcome { reward, terminated, truncated: !terminated && self.steps_left == 0 })
    }

    fn run_to_decision(&mut self, out: &mut dyn Recorder) {
        match self.engine.run_to_decision(&mut Tee { judge: &mut self.judge, out }) {
            Step::Decide => {
                let view = self.engine.view();
                self.observation.observe(&view);
                self.judge.weigh(&view);
            }
            ended @ (Step::Finished | Step::Stalled) => {
                self.terminated = true;
                self.observation.clear();
                self.judge.move_to(0.0);
                // Whoever holds all that is open for ever misses it.
                if ended == Step::Stalled {
                    self.judge.miss_open();
                }
            }
        }
    }
}

fn mean_term(trace: &Trace) -> Time {
    let due = trace.requests.iter().filter(|request| request.deadline < Time::MAX);
    let terms: Vec<f64> =
        due.map(|request| request.deadline.saturating_sub(request.arrival).as_ps()).collect();
    match terms.len() {
        0 => Time::MAX,
        number => Time((terms.iter().sum::<f64>() / number as f64) as u64),
    }
}

/// Computes the rewards.
#[derive(Debug)]
struct Judge {
    reward: Reward,
    /// The number of layers, by network.
    layers: Vec<f64>,
    /// The number of measured requests that have arrived and not ended.
    open: u64,
    earned: f64,
    /// The potential at the last decision.
    potential: f64,
}

impl Judge {
    fn new(world: &World, reward: Reward) -> Self {
        let layers = world.networks.iter().map(|network| network.layers.len() as f64).collect();
        Self { reward, layers, open: 0, earned: 0.0, potential: 0.0 }
    }

    /// Pays the change of the potential.
    fn weigh(&mut self, view: &View) {
        let lost = view.jobs().iter().map(|job| {
            let all = (job.deadline - job.arrival).as_ps() - view.network_of(job).isolated.as_ps();
            let left = job.deadline.as_ps() - view.now().as_ps() - job.shortest_left.as_ps();
            // A request without slack at its arrival has none to lose.
            if all > 0.0 { 1.0 - (left / all).clamp(0.0, 1.0) } else { 0.0 }
        });
        self.move_to(-self.reward.slack * lost.sum::<f64>());
    }

    /// Whatever is open is missed.
    fn miss_open(&mut self) {
        self.earned += self.reward.missed * std::mem::take(&mut self.open) as f64;
    }

    fn move_to(&mut self, potential: f64) {
        self.earned += potential - std::mem::replace(&mut self.potential, potential);
    }
}

impl Recorder for Judge {
    fn record(&mut self, record: &Record, origin: Origin) {
        let Reward { met, missed, bandwidth, .. } = self.reward;
        match *record {
            Record::Arrival { .. } => self.open += u64::from(origin.measured),
            Record::Done { time, asked, .. } if origin.measured => {
                self.open -= 1;
                self.earned += if asked.is_met_at(time) { met } else { missed };
            }
            Record::Drop { .. } if origin.measured => {
                self.open -= 1;
                self.earned += missed;
            }
            Record::Finish { time, start, network, uncontended_ps, .. } if origin.measured => {
                let efficiency = uncontended_ps / (time - start).as_ps();
                self.earned += bandwidth * efficiency / self.layers[network as usize];
            }
            Record::End { .. } => self.miss_open(),
            _ => {}
        }
    }
}

struct Tee<'a> {
    judge: &'a mut Judge,
    out: &'a mut dyn Recorder,
}

impl Recorder for Tee<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.judge.record(record, origin);
        self.out.record(record, origin);
    }
}

/// Many episodes, stepped together.
pub struct Env {
    source: Box<Source>,
    reward: Reward,
    max_steps: u64,
    episodes: Vec<Episode>,
    outcomes: Vec<Outcome>,
}

impl Env {
    /// An environment without episodes; [`Self::reset`] makes them.
    pub fn new(source: Box<Source>, reward: Reward, max_steps: u64) -> Self {
        Self { source, reward, max_steps, episodes: Vec::new(), outcomes: Vec::new() }
    }

    /// Starts a new episode for each seed.
    pub fn reset(&mut self, seeds: &[u64]) {
        let make = |&seed: &u64| Episode::new((self.source)(seed), self.reward, self.max_steps);
        self.episodes = seeds.par_iter().map(make).collect();
        self.outcomes.clear();
        self.outcomes.resize(seeds.len(), Outcome::default());
    }

    /// Starts a new episode in one place.
    pub fn reset_one(&mut self, place: usize, seed: u64) {
        self.episodes[place] = Episode::new((self.source)(seed), self.reward, self.max_steps);
    }

    /// The episodes by place.
    pub fn episodes(&self) -> &[Episode] {
        &self.episodes
    }

    /// Steps every episode by the action in its place; an episode that is over ignores it.
    pub fn step(&mut self, actions: &[Vec<f32>]) -> &[Outcome] {
        assert_eq!(actions.len(), self.episodes.len(), "one action per episode");
        let steps = self.episodes.par_iter_mut().zip(actions).zip(&mut self.outcomes);
        steps.for_each(|((episode, action), outcome)| *outcome = episode.step(action, &mut ()));
        &self.outcomes
    }
}
