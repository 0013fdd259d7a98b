//! The replay buffer: the most recent decisions, each with the observations before and after it and its reward, from
//! which batches are drawn. It keeps only the first sub-jobs of a long queue: the actor walks over sub-jobs in order,
//! so its output for these does not depend on the rest.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use tch::Tensor;

use crate::policy::{Observation, QUEUE_FEATURES, Tensors, WeightsError, features, outputs};

/// The observation at a decision.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Seen {
    rows: Vec<f32>,
    queue: [f32; QUEUE_FEATURES],
}

/// A transition: a decision, its reward, and the observations before and after it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Transition {
    pub(super) before: Seen,
    pub(super) action: Vec<f32>,
    pub(super) reward: f32,
    pub(super) after: Seen,
    /// What a reward after it is worth; 0 if the run is over.
    pub(super) discount: f32,
}

/// The queues of a batch, padded with zeros to the longest.
pub(super) struct Queues {
    /// \[batch, sub-jobs, features\].
    pub(super) rows: Tensor,
    /// \[batch, features of the queue\].
    pub(super) queue: Tensor,
    /// \[batch\].
    pub(super) lengths: Tensor,
}

/// Some transitions, one row each.
pub(super) struct Batch {
    pub(super) before: Queues,
    /// \[batch, sub-jobs, M + 4\].
    pub(super) actions: Tensor,
    pub(super) rewards: Tensor,
    /// What rewards after the decision are worth; 0 if the run is over.
    pub(super) discounts: Tensor,
    pub(super) after: Queues,
}

#[derive(Debug, PartialEq)]
pub(super) struct Buffer {
    accelerators: usize,
    /// The capacity of the buffer in transitions.
    most: usize,
    /// The largest number of sub-jobs that it keeps of a transition.
    longest: usize,
    kept: Vec<Transition>,
    /// The place of the next transition: that of the oldest once the buffer is full.
    next: usize,
}

impl Buffer {
    pub(super) fn new(accelerators: usize, most: usize, longest: usize) -> Self {
        Self { accelerators, most, longest, kept: Vec::new(), next: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    pub(super) fn see(&self, observation: &Observation) -> Seen {
        let rows = observation.rows();
        let most = self.longest * features(self.accelerators);
        Seen { rows: rows[..rows.len().min(most)].to_vec(), queue: *observation.queue() }
    }

    pub(super) fn push(&mut self, mut transition: Transition) {
        transition.action.truncate(self.longest * outputs(self.accelerators));
        if self.kept.len() < self.most {
            self.kept.push(transition);
        } else {
            self.kept[self.next] = transition;
        }
        self.next = (self.next + 1) % self.most;
    }

    /// Draws a batch with replacement.
    pub(super) fn draw(&self, batch: usize, random: &mut ChaCha8Rng) -> Batch {
        let drawn: Vec<&Transition> =
            (0..batch).map(|_| &self.kept[random.random_range(0..self.kept.len())]).collect();
        let column = |of: fn(&Transition) -> f32| {
            Tensor::from_slice(&drawn.iter().map(|transition| of(transition)).collect::<Vec<f32>>())
        };
        Batch {
            before: self.queues(drawn.iter().map(|transition| &transition.before)),
            actions: pad(drawn.iter().map(|transition| &transition.action[..]), outputs(self.accelerators)),
            rewards: column(|transition| transition.reward),
            discounts: column(|transition| transition.discount),
            after: self.queues(drawn.iter().map(|transition| &transition.after)),
        }
    }

    fn queues<'a>(&self, seen: impl ExactSizeIterator<Item = &'a Seen> + Clone) -> Queues {
        let wide = features(self.accelerators);
        let lengths: Vec<i64> = seen.clone().map(|seen| (seen.rows.len() / wide) as i64).collect();
        let queue: Vec<f32> = seen.clone().flat_map(|seen| seen.queue).collect();
        Queues {
            rows: pad(seen.map(|seen| &seen.rows[..]), wide),
            queue: Tensor::from_slice(&queue).reshape([lengths.len() as i64, QUEUE_FEATURES as i64]),
            lengths: Tensor::from_slice(&lengths),
        }
    }

    /// Copies the buffer into two tensors: the state, and all transitions one after the other, each beginning with its
    /// lengths.
    pub(super) fn store(&self, to: &mut Tensors) {
        let mut values = Vec::new();
        for Transition { before, action, reward, after, discount } in &self.kept {
            let lengths = [before.rows.len() as f32, after.rows.len() as f32, action.len() as f32];
            values.extend(lengths);
            values.extend([*reward, *discount]);
            for seen in [before, after] {
                values.extend(&seen.queue);
                values.extend(&seen.rows);
            }
            values.extend(action);
        }
        to.insert("replay.next", &[], vec![self.next as f32]);
        to.insert("replay.kept", &[values.len()], values);
    }

    /// Restores a stored buffer.
    pub(super) fn load(&mut self, from: &Tensors) -> Result<(), WeightsError> {
        let damaged = || WeightsError::Damaged("replay.kept".into());
        let mut rest = from.get("replay.kept")?.values();
        self.kept.clear();
        while !rest.is_empty() {
            let transition = self.parse(&mut rest).ok_or_else(damaged)?;
            self.kept.push(transition);
        }
        self.next = from.values("replay.next", &[])?[0] as usize;
        let sound = match self.kept.len() == self.most {
            true => self.next < self.most,
            false => self.next == self.kept.len() && self.next < self.most,
        };
        if sound { Ok(()) } else { Err(damaged()) }
    }

    /// Reads the next transition; `None` if the numbers do not form one.
    fn parse(&self, rest: &mut &[f32]) -> Option<Transition> {
        let lengths = [take(rest)?, take(rest)?, take(rest)?];
        let (reward, discount) = (take(rest)?, take(rest)?);
        let mut seen = |length: f32| {
            let queue = rest.split_off(..QUEUE_FEATURES)?.try_into().ok()?;
            Some(Seen { queue, rows: rest.split_off(..length as usize)?.to_vec() })
        };
        let (before, after) = (seen(lengths[0])?, seen(lengths[1])?);
        let action = rest.split_off(..lengths[2] as usize)?.to_vec();
        let (wide, actions) = (features(self.accelerators), outputs(self.accelerators));
        let sub_jobs = before.rows.len() / wide;
        let whole = before.rows.len() % wide == 0 && after.rows.len() % wide == 0;
        let fits = whole && sub_jobs > 0 && action.len() == sub_jobs * actions;
        fits.then_some(Transition { before, action, reward, after, discount })
    }
}

fn take(rest: &mut &[f32]) -> Option<f32> {
    rest.split_off_first().copied()
}

/// Sequences of rows of `wide` numbers as \[sequences, longest, wide\], at least one row long.
fn pad<'a>(sequences: impl ExactSizeIterator<Item = &'a [f32]> + Clone, wide: usize) -> Tensor {
    let count = sequences.len();
    let longest = sequences.clone().map(<[f32]>::len).max().unwrap_or(0).max(wide);
    let mut values = vec![0f32; count * longest];
    for (padded, sequence) in values.chunks_exact_mut(longest).zip(sequences) {
        padded[..sequence.len()].copy_from_slice(sequence);
    }
    Tensor::from_slice(&values).reshape([count as i64, (longest / wide) as i64, wide as i64])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::stream;

    /// One accelerator: rows of 13, actions of 5.
    fn transition(sub_jobs: [usize; 2], value: f32) -> Transition {
        let seen =
            |sub_jobs: usize| Seen { rows: vec![value; 13 * sub_jobs], queue: [value; QUEUE_FEATURES] };
        Transition {
            before: seen(sub_jobs[0]),
            action: vec![value; 5 * sub_jobs[0]],
            reward: value,
            after: seen(sub_jobs[1]),
            discount: if sub_jobs[1] == 0 { 0.0 } else { 0.9 },
        }
    }

    #[test]
    fn the_oldest_go_first_and_long_answers_are_cut() {
        let mut buffer = Buffer::new(1, 2, 3);
        (1..=3).for_each(|i| buffer.push(transition([3, 1], i as f32)));
        assert_eq!(buffer.kept.iter().map(|kept| kept.reward).collect::<Vec<f32>>(), [3.0, 2.0]);
        let mut long = transition([3, 1], 4.0);
        long.action = vec![4.0; 16];
        buffer.push(long);
        assert_eq!(buffer.kept[1], transition([3, 1], 4.0));
    }

    #[test]
    fn batches_are_padded() {
        let mut buffer = Buffer::new(1, 10, 3);
        buffer.push(transition([2, 0], 1.0));
        let batch = buffer.draw(3, &mut stream(1, "test", "replay"));
        assert_eq!((batch.before.rows.size(), batch.actions.size()), (vec![3, 2, 13], vec![3, 2, 5]));
        assert_eq!((batch.after.rows.size(), batch.after.queue.size()), (vec![3, 1, 13], vec![3, 5]));
        assert_eq!(batch.after.lengths.int64_value(&[2]), 0);
        assert_eq!(batch.discounts.double_value(&[0]), 0.0);
    }

    #[test]
    fn what_was_stored_is_loaded_and_damage_is_an_error() {
        let mut buffer = Buffer::new(1, 3, 3);
        (1..=4).for_each(|i| buffer.push(transition([1 + i % 3, i % 2], i as f32)));
        let (mut stored, mut loaded) = (Tensors::default(), Buffer::new(1, 3, 3));
        buffer.store(&mut stored);
        loaded.load(&stored).expect("it was stored so");
        assert_eq!(loaded, buffer);
        let values = stored.get("replay.kept").expect("stored").values().to_vec();
        let mut load = |values: Vec<f32>| {
            stored.insert("replay.kept", &[values.len()], values);
            Buffer::new(1, 3, 3).load(&stored)
        };
        assert!(load(values[..values.len() - 1].to_vec()).is_err());
        assert!(load(Vec::new()).is_err(), "the next place is not that of an empty one");
        let mut wrong = values;
        wrong[0] = 1e30;
        assert_eq!(load(wrong).unwrap_err().to_string(), "tensor `replay.kept` is damaged");
    }
}
