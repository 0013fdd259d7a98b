//! A cart that balances a pole (Barto, Sutton and Anderson 1983, as CartPole-v1 of Gymnasium): a problem with a known
//! answer for tests of learners. Every step is worth 1, for 500 steps at most.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

/// The most steps.
pub(super) const LONGEST: usize = 500;

/// Position and speed of the cart in m and m/s, angle and turning of the pole in rad and rad/s.
pub(super) type State = [f32; 4];

pub(super) fn start(random: &mut ChaCha8Rng) -> State {
    std::array::from_fn(|_| random.random_range(-0.05..0.05))
}

/// The state 20 ms later, with the cart pushed to the right or to the left by 10 N; `None` if the pole has fallen, or the
/// cart has left its track.
pub(super) fn step([x, speed, angle, turning]: State, right: bool) -> Option<State> {
    let (gravity, cart, pole, half, force, tau) =
        (9.8, 1.0, 0.1, 0.5, if right { 10.0 } else { -10.0 }, 0.02);
    let (sin, cos) = angle.sin_cos();
    let pushed = (force + pole * half * turning * turning * sin) / (cart + pole);
    let turns = (gravity * sin - cos * pushed) / (half * (4.0 / 3.0 - pole * cos * cos / (cart + pole)));
    let moves = pushed - pole * half * turns * cos / (cart + pole);
    let next = [x + tau * speed, speed + tau * moves, angle + tau * turning, turning + tau * turns];
    (next[0].abs() <= 2.4 && next[2].abs() <= 12f32.to_radians()).then_some(next)
}

/// The states of an episode in which a policy says whether to push right.
pub(super) fn episode(start: State, mut right: impl FnMut(&State) -> bool) -> Vec<State> {
    let mut states = vec![start];
    while states.len() < LONGEST {
        let last = states[states.len() - 1];
        match step(last, right(&last)) {
            Some(next) => states.push(next),
            None => break,
        }
    }
    states
}

/// The mean number of steps of a linear policy in a hundred episodes.
pub(super) fn score(weights: &[f32], random: &mut ChaCha8Rng) -> f64 {
    let lengths = (0..100).map(|_| episode(start(random), |state| says(weights, state) > 0.0).len() as f64);
    lengths.sum::<f64>() / 100.0
}

/// What a linear policy says of a state.
pub(super) fn says(weights: &[f32], state: &State) -> f32 {
    weights.iter().zip(state).map(|(weight, feature)| weight * feature).sum()
}
