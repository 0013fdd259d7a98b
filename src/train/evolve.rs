//! Evolution strategies (Salimans et al., arXiv 1703.03864): antithetic noise around a mean, ranks in place of fitness,
//! and Adam on the estimated gradient.
//!
//! A generation is the same for the same seed, whatever the thread count: the noise of a pair comes from a stream of
//! its own, and fitness is given by the index of the candidate.

use rand_distr::{Distribution, StandardNormal};

use crate::experiment::Evolution;
use crate::policy::{Tensors, WeightsError};
use crate::rng;

/// Adam's decays and its guard against a division by zero (Kingma and Ba, arXiv 1412.6980).
const BETA: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

/// The state of the search, which is all that a resumed training needs.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The number of generations done.
    pub generation: u64,
    /// The mean of the search.
    pub mean: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl State {
    /// A search that starts from these weights.
    pub fn new(mean: Vec<f32>) -> Self {
        let zeros = vec![0.0; mean.len()];
        Self { generation: 0, first: zeros.clone(), second: zeros, mean }
    }

    /// The whole state as tensors, to be kept in a file.
    pub fn to_tensors(&self) -> Tensors {
        let mut tensors = Tensors::default();
        for (name, values) in [("mean", &self.mean), ("first", &self.first), ("second", &self.second)] {
            tensors.insert(name, &[values.len()], values.clone());
        }
        tensors.insert("generation", &[], vec![self.generation as f32]);
        tensors
    }

    /// The state that was kept, which must be of so many weights.
    ///
    /// # Errors
    /// The state is of another number of weights.
    pub fn from_tensors(tensors: &Tensors, weights: usize) -> Result<Self, WeightsError> {
        let values = |name| tensors.values(name, &[weights]).map(<[f32]>::to_vec);
        Ok(Self {
            generation: tensors.values("generation", &[])?[0] as u64,
            mean: values("mean")?,
            first: values("first")?,
            second: values("second")?,
        })
    }

    /// The weights of candidate `i` of this generation: 2k and 2k + 1 are a pair.
    pub fn candidate(&self, evolution: &Evolution, i: usize) -> Vec<f32> {
        let sign = if i.is_multiple_of(2) { evolution.sigma } else { -evolution.sigma };
        let noise = noise(evolution.seed, self.generation, i / 2, self.mean.len());
        self.mean.iter().zip(noise).map(|(mean, noise)| mean + sign * noise).collect()
    }

    /// Moves the mean by the fitness of the candidates (larger is better). Panics unless there is one value per
    /// candidate.
    pub fn advance(&mut self, evolution: &Evolution, fitness: &[f64]) {
        assert_eq!(fitness.len(), evolution.population);
        let ranks = centred_ranks(fitness);
        let mut gradient = vec![0.0; self.mean.len()];
        for (pair, ranks) in ranks.chunks(2).enumerate() {
            let weight = (ranks[0] - ranks[1]) / (evolution.population as f32 * evolution.sigma);
            let noise = noise(evolution.seed, self.generation, pair, gradient.len());
            gradient.iter_mut().zip(noise).for_each(|(gradient, noise)| *gradient += weight * noise);
        }
        let progress = self.generation as f32 / evolution.generations as f32;
        let change = evolution.final_learning_rate - evolution.learning_rate;
        let rate = evolution.learning_rate + change * progress.min(1.0);
        self.generation += 1;
        let correct = BETA.map(|beta| 1.0 - beta.powi(self.generation as i32));
        for (i, gradient) in gradient.into_iter().enumerate() {
            self.first[i] = BETA[0] * self.first[i] + (1.0 - BETA[0]) * gradient;
            self.second[i] = BETA[1] * self.second[i] + (1.0 - BETA[1]) * gradient * gradient;
            let (first, second) = (self.first[i] / correct[0], self.second[i] / correct[1]);
            self.mean[i] += rate * first / (second.sqrt() + EPSILON);
        }
    }
}

fn noise(seed: u64, generation: u64, pair: usize, weights: usize) -> impl Iterator<Item = f32> {
    let rng = rng::stream(seed, "evolution", &format!("{generation}:{pair}"));
    StandardNormal.sample_iter(rng).take(weights)
}

/// Ranks scaled from -1/2 for the worst to 1/2 for the best; equal values share the mean of their ranks.
fn centred_ranks(fitness: &[f64]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..fitness.len()).collect();
    order.sort_by(|&a, &b| fitness[a].total_cmp(&fitness[b]));
    let mut ranks = vec![0.0; fitness.len()];
    let last = (fitness.len() - 1).max(1) as f32;
    let mut from = 0;
    for equal in order.chunk_by(|&a, &b| fitness[a] == fitness[b]) {
        let rank = from as f32 + (equal.len() - 1) as f32 / 2.0;
        equal.iter().for_each(|&i| ranks[i] = rank / last - 0.5);
        from += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::stream;
    use crate::train::cart_pole;

    #[test]
    fn a_pole_is_balanced() {
        let evolution = Evolution { population: 32, sigma: 0.1, learning_rate: 0.1, ..Evolution::default() };
        let random = &mut stream(1, "test", "cart-pole");
        let mut state = State::new(vec![0.0; 4]);
        while state.generation < 40 {
            let starts: Vec<cart_pole::State> = (0..4).map(|_| cart_pole::start(random)).collect();
            let fitness = |weights: &[f32]| -> f64 {
                let right = |state: &cart_pole::State| cart_pole::says(weights, state) > 0.0;
                starts.iter().map(|start| cart_pole::episode(*start, right).len() as f64).sum()
            };
            let candidates = (0..evolution.population).map(|i| state.candidate(&evolution, i));
            let fitness: Vec<f64> = candidates.map(|weights| fitness(&weights)).collect();
            state.advance(&evolution, &fitness);
        }
        let score = cart_pole::score(&state.mean, random);
        assert!(score >= 475.0, "{score}");
    }

    #[test]
    fn ranks_are_centred_and_shared_by_equals() {
        assert_eq!(centred_ranks(&[3.0, 1.0, 2.0]), [0.5, -0.5, 0.0]);
        assert_eq!(centred_ranks(&[1.0, 1.0, 2.0]), [-0.25, -0.25, 0.5]);
        assert_eq!(centred_ranks(&[5.0, 5.0]), [0.0, 0.0]);
    }

    #[test]
    fn it_climbs_a_hill_and_resumes_to_the_same_place() {
        let evolution = Evolution { population: 20, generations: 200, ..Evolution::default() };
        let top = [1.0_f32, -2.0, 0.5];
        let height = |weights: &[f32]| -> f64 {
            weights.iter().zip(top).map(|(w, top)| -f64::from((w - top) * (w - top))).sum()
        };
        let climb = |mut state: State, generations: u64| {
            while state.generation < generations {
                let candidates = (0..evolution.population).map(|i| state.candidate(&evolution, i));
                let fitness: Vec<f64> = candidates.map(|weights| height(&weights)).collect();
                state.advance(&evolution, &fitness);
            }
            state
        };
        let start = State::new(vec![0.0; 3]);
        let straight = climb(start.clone(), 200);
        assert!(height(&straight.mean) > -0.02, "{:?}", straight.mean);
        let file = climb(start, 90).to_tensors().to_bytes().expect("finite");
        let read = Tensors::from_bytes(&file).expect("it was just written");
        let resumed = State::from_tensors(&read, 3).expect("complete");
        assert_eq!(climb(resumed, 200), straight);
    }
}
