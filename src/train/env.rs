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

use std::sync::Arc;

use rayon::prelude::*;

use crate::experiment::Reward;
use crate::policy::{Decoder, Observation};
use crate::sim::{
    Decision, Engine, IllegalAction, Origin, Record, Recorder, Rules, Step, Trace, View, World,
};

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
            engine: Engine::new(world, trace, rules),
            steps_left: max_steps,
            terminated: false,
        };
        episode.run_to_decision(&mut ());
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
        let shares = view.jobs().iter().map(|job| {
            let all = (job.deadline - job.arrival).as_ps() - view.network_of(job).isolated.as_ps();
            let left = job.deadline.as_ps() - view.now().as_ps() - job.shortest_left.as_ps();
            // A request without slack at its arrival has none to lose.
            if all > 0.0 { (left / all).clamp(0.0, 1.0) } else { 0.0 }
        });
        self.move_to(self.reward.slack * shares.sum::<f64>());
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check::{Script, any_case, any_case_with_everything, cases};
    use crate::policy::{features, outputs, tiny};
    use crate::sim::{Late, LateRules, run};
    use crate::units::Time;

    /// Actions for one sub-job in the tiny world: to the fast accelerator, and to the other.
    const TO_0: [f32; 6] = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    const TO_1: [f32; 6] = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0];

    fn setup(case: &cases::Case) -> Setup {
        let (world, trace) = (Arc::new(case.world()), Arc::new(case.trace.clone()));
        Setup { world, trace, rules: case.rules.clone(), price: 0.0 }
    }

    /// A simple policy: urgent and short sub-jobs first, each on an accelerator where its latency and its DRAM traffic
    /// are small.
    fn action(observation: &Observation, out: &mut Vec<f32>) {
        let accelerators = observation.accelerators();
        out.clear();
        for row in observation.rows().chunks_exact(features(accelerators)) {
            out.push(-row[3 * accelerators] - row[3 * accelerators + 1]);
            let score = |m: usize| -row[m] - 0.5 * row[accelerators + m] - 2.0 * row[2 * accelerators + m];
            out.extend((0..accelerators).map(score));
            out.extend([0.0; 3]);
        }
        assert_eq!(out.len(), observation.len() * outputs(accelerators));
    }

    fn play(mut episode: Episode) -> (Vec<Outcome>, Vec<(Record, Origin)>) {
        let (mut outcomes, mut records, mut out) = (Vec::new(), Vec::new(), Vec::new());
        while !episode.is_over() {
            action(episode.observation(), &mut out);
            outcomes.push(episode.step(&out, &mut records));
        }
        (outcomes, records)
    }

    #[test]
    fn the_reward_of_a_tiny_world_is_known() {
        let reward = Reward { met: 1.0, missed: -2.0, bandwidth: 0.1, slack: 0.0 };
        let mut episode = Episode::new(tiny(3), reward, 100);
        // The first request takes 20 ns instead of 10, as half of its demand is granted; the second takes its 80 and
        // misses its deadline; then the run is over.
        let first = episode.step(&TO_0, &mut ());
        assert_eq!(first, Outcome { reward: 1.0 + 0.1 * 0.5, ..Outcome::default() });
        let second = episode.step(&TO_1, &mut ());
        assert_eq!(second, Outcome { reward: -2.0 + 0.1, ..Outcome::default() });
        let third = episode.step(&TO_0, &mut ());
        assert_eq!(third, Outcome { reward: 1.05, terminated: true, truncated: false });
        assert!(episode.is_over() && episode.observation().is_empty());
        assert_eq!(episode.step(&[], &mut ()), Outcome { reward: 0.0, ..third });
    }

    #[test]
    fn what_is_unfinished_at_the_end_is_missed() {
        let mut setup = tiny(2);
        let mut trace = (*setup.trace).clone();
        trace.span.end = Time(115_000);
        setup.trace = Arc::new(trace);
        let mut episode = Episode::new(setup, Reward { slack: 0.0, ..Reward::default() }, 100);
        assert_eq!(episode.step(&TO_0, &mut ()).reward, 1.05);
        let last = episode.step(&TO_0, &mut ());
        assert_eq!(last, Outcome { reward: -1.0, terminated: true, truncated: false });
    }

    #[test]
    fn slack_is_paid_for_as_it_is_lost() {
        let only = Reward { met: 0.0, missed: 0.0, bandwidth: 0.0, slack: 4.0 };
        let mut setup = tiny(2);
        let mut trace = (*setup.trace).clone();
        // The second comes 10 ns after the first and is due 50 ns later, 40 more than it needs: all its slack is left.
        (trace.requests[1].arrival, trace.requests[1].deadline) = (Time(10_000), Time(60_000));
        setup.trace = Arc::new(trace);
        let mut episode = Episode::new(setup, only, 100);
        assert_eq!(episode.observation().len(), 1);
        // The first request runs on the slow accelerator: when the second arrives, 10 ns later, the first cannot meet
        // its deadline.
        let steps = [episode.step(&TO_1, &mut ()), episode.step(&TO_0, &mut ())];
        assert_eq!(steps.map(|outcome| outcome.reward), [4.0, -4.0]);
    }

    #[test]
    fn a_decision_may_be_a_callers_own() {
        let reward = Reward { met: 1.0, missed: -2.0, bandwidth: 0.0, slack: 0.0 };
        let mut episode = Episode::new(tiny(3), reward, 100);
        let assign = |view: &View, _: &Observation, out: &mut Decision| {
            out.assign(view.sub_jobs()[0].id, 0, 0.0);
        };
        let first = episode.step_with(assign, &mut ()).expect("it is legal");
        assert_eq!(first, Outcome { reward: 1.0, ..Outcome::default() });
        let nowhere = |view: &View, _: &Observation, out: &mut Decision| {
            out.assign(view.sub_jobs()[0].id, 7, 0.0);
        };
        assert!(episode.step_with(nowhere, &mut ()).is_err(), "there is no accelerator 7");
        assert!(!episode.is_over());
    }

    /// Nothing is due and nothing else will happen: the run cannot go on, and what is held is missed.
    #[test]
    fn a_run_in_which_all_is_held_for_ever_is_over() {
        let mut setup = tiny(1);
        setup.rules.late = LateRules::all(Late::Finish);
        let reward = Reward { met: 1.0, missed: -2.0, bandwidth: 0.0, slack: 0.0 };
        let mut episode = Episode::new(setup, reward, 100_000);
        let hold = |view: &View, _: &Observation, out: &mut Decision| out.hold(view.jobs()[0].id);
        let mut outcome = Outcome::default();
        while !episode.is_over() {
            outcome = episode.step_with(hold, &mut ()).expect("it is legal");
        }
        assert_eq!(outcome, Outcome { reward: -2.0, terminated: true, truncated: false });
    }

    #[test]
    fn truncated_is_not_terminated() {
        let mut episode = Episode::new(tiny(3), Reward::default(), 1);
        let only = episode.step(&TO_0, &mut ());
        assert!(only.truncated && !only.terminated && episode.is_over());
        assert_eq!(episode.observation().len(), 1, "a learner has to judge where it stopped");
    }

    #[test]
    fn many_episodes_do_what_each_does_alone() {
        let source =
            |seed: u64| setup(&cases::Case::new(seed, cases::Size { accelerators: 3, ..cases::Size::of(1) }));
        let mut env = Env::new(Box::new(source), Reward::default(), 50);
        let total = |env: &mut Env| {
            let mut actions = vec![Vec::new(); env.episodes().len()];
            let mut totals = vec![0.0; actions.len()];
            while !env.episodes().iter().all(Episode::is_over) {
                for (episode, actions) in env.episodes().iter().zip(&mut actions) {
                    action(episode.observation(), actions);
                }
                let rewards = env.step(&actions).iter().map(|outcome| outcome.reward);
                totals.iter_mut().zip(rewards).for_each(|(total, reward)| *total += reward);
            }
            totals
        };
        env.reset(&[1, 2, 3]);
        let together = total(&mut env);
        env.reset_one(1, 1);
        assert_eq!(total(&mut env), [0.0, together[0], 0.0]);
        let alone = [1, 2, 3].map(|seed| {
            let (outcomes, _) = play(Episode::new(source(seed), Reward::default(), 50));
            outcomes.iter().map(|outcome| outcome.reward).sum::<f64>()
        });
        assert_eq!(together, alone);
        assert!(together[0] != together[1]);
    }

    proptest! {
        /// A scheduler with the same actions gives the same records as an episode, and a repetition does, too.
        #[test]
        fn an_episode_and_a_scheduler_give_the_same_records(case in any_case(1..=4)) {
            let (outcomes, records) = play(Episode::new(setup(&case), Reward::default(), u64::MAX));
            let (mut observation, mut out) = (Observation::new(&case.world()), Vec::new());
            let mut decoder = Decoder::default();
            let mut scheduler = Script(|view: &crate::sim::View, decision: &mut Decision| {
                observation.observe(view);
                action(&observation, &mut out);
                decoder.decode(view, observation.sub_jobs(), &out, decision);
            });
            let mut expected: Vec<(Record, Origin)> = Vec::new();
            run(case.engine(), &mut scheduler, &mut expected).expect("everything is assigned");
            // Records before the first decision were not kept.
            let first = expected.len() - records.len();
            prop_assert_eq!(&expected[first..], &records[..]);
            let decided = |(record, _): &(Record, _)| matches!(record, Record::Decision { .. });
            prop_assert!(!expected[..first].iter().any(decided));
            prop_assert_eq!(play(Episode::new(setup(&case), Reward::default(), u64::MAX)), (outcomes, records));
        }

        /// Over a run, every measured request pays its deadline term exactly once, and its bandwidth term at most once.
        #[test]
        fn the_rewards_add_up_over_the_measured_requests(case in any_case_with_everything()) {
            let reward = |reward| play(Episode::new(setup(&case), reward, u64::MAX));
            let (outcomes, records) = reward(Reward { met: 1.0, missed: 1.0, bandwidth: 0.0, slack: 0.0 });
            let before = case.trace.requests.len();
            let arrived = records.iter().filter(|(record, origin)| {
                matches!(record, Record::Arrival { .. } if origin.measured)
            });
            let paid: f64 = outcomes.iter().map(|outcome| outcome.reward).sum();
            prop_assert!(paid >= arrived.count() as f64 && paid <= before as f64);
            let (outcomes, _) = reward(Reward { met: 0.0, missed: 0.0, bandwidth: 1.0, slack: 0.0 });
            let efficiency: f64 = outcomes.iter().map(|outcome| outcome.reward).sum();
            prop_assert!((0.0..=paid * (1.0 + 1e-9)).contains(&efficiency));
            let (outcomes, _) = reward(Reward { met: 0.0, missed: 0.0, bandwidth: 0.0, slack: 1.0 });
            let paid_in_advance: f64 = outcomes.iter().map(|outcome| outcome.reward).sum();
            prop_assert!(paid_in_advance.abs() < 1e-6, "{}", paid_in_advance);
        }
    }
}
