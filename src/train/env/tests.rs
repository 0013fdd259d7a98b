//! Episodes: rewards of small worlds that are known, and episodes against schedulers on random cases.

use proptest::prelude::*;

use super::*;
use crate::check::{Script, any_case, any_case_with_everything, cases};
use crate::policy::{features, outputs, tiny};
use crate::sim::{Late, LateRules, run};

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
    assert_eq!(steps.map(|outcome| outcome.reward), [-4.0, 4.0]);
}

/// Whatever the discount, shaping adds to the discounted return what the first potential was worth, and nothing else.
#[test]
fn potentials_cancel_out_under_a_discount() {
    let reward = |slack: f64| Reward { met: 1.0, missed: -2.0, bandwidth: 0.1, slack };
    for case in (0..20).map(|seed| cases::Case::with_everything(seed, cases::Size::of(6))) {
        let (mut plain, mut shaped) =
            [0.0, 3.0].map(|slack| Episode::new(setup(&case), reward(slack), 40)).into();
        let (first, mut worth, mut returns, mut out) = (shaped.judge.potential, 1.0, [0.0; 2], Vec::new());
        while !plain.is_over() {
            action(plain.observation(), &mut out);
            let discount = 0.9;
            for (episode, sum) in [&mut plain, &mut shaped].into_iter().zip(&mut returns) {
                let outcome = episode.step(&out, &mut ());
                *sum += worth * episode.discounted(outcome, discount);
            }
            worth *= discount;
        }
        let last = worth * shaped.judge.potential;
        assert!((returns[1] - returns[0] - (last - first)).abs() < 1e-9, "{returns:?} {first} {last}");
    }
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
        let only_slack = Reward { met: 0.0, missed: 0.0, bandwidth: 0.0, slack: 1.0 };
        let lost_before = Episode::new(setup(&case), only_slack, u64::MAX).judge.potential;
        let (outcomes, _) = reward(only_slack);
        let paid_in_advance: f64 = outcomes.iter().map(|outcome| outcome.reward).sum();
        prop_assert!((paid_in_advance + lost_before).abs() < 1e-6, "{}", paid_in_advance);
    }
}
