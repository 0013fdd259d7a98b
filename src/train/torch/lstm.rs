//! Actor and critic of `relmas` in tch, for whole batches of queues. The actor has the tensors of
//! [`crate::policy::relmas`] and gives the same actions. The critic walks over the same sub-jobs together with their
//! actions, and outputs the value at the end.
//!
//! Queues of a batch are padded to the longest. Padding comes last, after the outputs that either network uses.

use rand::rngs::ChaCha8Rng;
use tch::{Kind, Tensor, no_grad};

use super::Parameters;
use super::means::Batch;
use crate::policy::{QUEUE_FEATURES, Tensors, features, initial_of, outputs, shapes};

/// Names and shapes of the critic's tensors: the actor's, with the features of the queue and the action as more inputs, and
/// one output.
pub fn critic_shapes(accelerators: usize, hidden: usize) -> [(&'static str, Vec<usize>); 5] {
    let mut shapes = shapes(accelerators, hidden);
    shapes[0].1[1] = features(accelerators) + QUEUE_FEATURES + outputs(accelerators);
    shapes[3].1[0] = 1;
    shapes[4].1[0] = 1;
    shapes
}

/// A critic to start from.
pub fn initial_critic(accelerators: usize, hidden: usize, random: &mut ChaCha8Rng) -> Tensors {
    initial_of(&critic_shapes(accelerators, hidden), hidden, random)
}

/// The actions \[batch, sub-jobs, M + 4\] for rows \[batch, sub-jobs, features\].
pub fn act(actor: &Parameters, rows: &Tensor) -> Tensor {
    outputs_of(actor, rows, true)
}

fn outputs_of(actor: &Parameters, rows: &Tensor, learns_hidden: bool) -> Tensor {
    let hidden = walk(actor, rows);
    let hidden = if learns_hidden { hidden } else { hidden.detach() };
    head(actor, &hidden).tanh()
}

/// The actions to all items of a batch: \[items, M + 4\].
pub(super) fn said(actor: &Parameters, batch: &Batch, learns_hidden: bool) -> Tensor {
    let longest = batch.lengths.iter().copied().max().unwrap_or(0);
    let (count, wide) = (batch.lengths.len() as i64, batch.rows.size()[1]);
    let places = batch
        .lengths
        .iter()
        .zip(0i64..)
        .flat_map(|(&length, decision)| (0..length).map(move |item| decision * longest + item));
    let places = Tensor::from_slice(&places.collect::<Vec<i64>>()).to_device(batch.rows.device());
    let padded = Tensor::zeros([count * longest, wide], (Kind::Float, batch.rows.device()));
    let rows = padded.index_copy(0, &places, &batch.rows).reshape([count, longest, wide]);
    let actions = outputs_of(actor, &rows, learns_hidden);
    actions.reshape([count * longest, -1]).index_select(0, &places)
}

/// The action to the rows of one observation, as [`Actor`](crate::policy::Actor) gives it.
pub fn action(actor: &Parameters, accelerators: usize, rows: &[f32]) -> Vec<f32> {
    let wide = features(accelerators);
    let shape = [1, (rows.len() / wide) as i64, wide as i64];
    let action = no_grad(|| act(actor, &Tensor::from_slice(rows).reshape(shape)));
    let mut values = vec![0f32; action.numel()];
    action.copy_data(&mut values, action.numel());
    values
}

/// The value \[batch\] of actions, for queues of these lengths \[batch\] and these features of the queue \[batch,
/// ...\]; the value is meaningless at a length of 0.
pub fn value(
    critic: &Parameters,
    rows: &Tensor,
    queue: &Tensor,
    actions: &Tensor,
    lengths: &Tensor,
) -> Tensor {
    let (batch, longest, _) = rows.size3().expect("batch, sub-jobs, features");
    let queue = queue.unsqueeze(1).expand([batch, longest, QUEUE_FEATURES as i64], false);
    let values = head(critic, &walk(critic, &Tensor::cat(&[rows, &queue, actions], 2))).squeeze_dim(2);
    let last = (lengths - 1).clamp_min(0).unsqueeze(1);
    values.gather(1, &last, false).squeeze_dim(1)
}

fn head(parameters: &Parameters, hidden: &Tensor) -> Tensor {
    hidden.linear(parameters.get("head.weight"), Some(parameters.get("head.bias")))
}

/// The hidden state h after each input.
fn walk(parameters: &Parameters, inputs: &Tensor) -> Tensor {
    let (from_input, from_hidden) = (parameters.get("lstm.input"), parameters.get("lstm.hidden"));
    let bias = parameters.get("lstm.bias");
    let hidden = from_hidden.size()[1];
    let zero = Tensor::zeros([1, inputs.size()[0], hidden], (Kind::Float, inputs.device()));
    let state = [zero.shallow_clone(), zero];
    // libtorch adds a bias on each side; ours is their sum.
    let tensors =
        [from_input.shallow_clone(), from_hidden.shallow_clone(), bias.shallow_clone(), bias.zeros_like()];
    inputs.lstm(&state, &tensors, true, 1, 0.0, true, false, true).0
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::policy::{Actor, HIDDEN, initial};
    use crate::rng::stream;

    fn numbers(count: usize, random: &mut ChaCha8Rng) -> Vec<f32> {
        (0..count).map(|_| random.random_range(-3.0..3.0)).collect()
    }

    fn tensor(values: &[f32], shape: &[i64]) -> Tensor {
        Tensor::from_slice(values).reshape(shape)
    }

    #[test]
    fn the_forward_pass_outside_equals_tch() {
        let mut random = stream(1, "test", "parity");
        for sub_jobs in 1..=128 {
            let accelerators = [4, 6, 8][sub_jobs % 3];
            let weights = initial(accelerators, HIDDEN, &mut random);
            let rows = numbers(sub_jobs * features(accelerators), &mut random);
            let mut action = Vec::new();
            Actor::new(&weights, accelerators).expect("all tensors").act(&rows, &mut action);
            let expected = super::action(&Parameters::new(&weights), accelerators, &rows);
            assert_eq!(action.len(), expected.len());
            let most = action.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(most < 1e-5, "{most} at {sub_jobs} sub-jobs");
        }
    }

    #[test]
    fn padding_changes_no_value() {
        let (mut random, accelerators) = (stream(2, "test", "padding"), 2);
        let (wide, actions) = (features(accelerators), outputs(accelerators));
        let critic = Parameters::new(&initial_critic(accelerators, 8, &mut random));
        let (rows, said) = (numbers(3 * wide, &mut random), numbers(3 * actions, &mut random));
        let queue = tensor(&numbers(QUEUE_FEATURES, &mut random), &[1, QUEUE_FEATURES as i64]);
        let of = |sub_jobs: usize, length: i64| {
            let rows = tensor(&rows[..sub_jobs * wide], &[1, sub_jobs as i64, wide as i64]);
            let said = tensor(&said[..sub_jobs * actions], &[1, sub_jobs as i64, actions as i64]);
            value(&critic, &rows, &queue, &said, &Tensor::from_slice(&[length])).double_value(&[0])
        };
        assert!((of(2, 2) - of(3, 2)).abs() < 1e-6);
        assert!((of(3, 3) - of(3, 2)).abs() > 1e-6);
    }
}
