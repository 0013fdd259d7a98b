//! Draws per request: the random numbers of one tenant, with a stream per purpose.

use rand::rngs::ChaCha8Rng;
use rand_distr::Distribution;
use rand_distr::weighted::WeightedIndex;

use super::tenant::Weighted;

/// The random numbers that an arrival process may draw.
#[derive(Debug)]
pub struct Draws {
    /// The random stream of the process alone.
    pub rng: ChaCha8Rng,
    /// The tenant's mix of networks.
    pub networks: Draw,
}

/// Independent draws among weighted values.
#[derive(Debug)]
pub struct Draw {
    values: Vec<u32>,
    index: WeightedIndex<f64>,
    rng: ChaCha8Rng,
}

impl Draw {
    /// Draws among at least one choice.
    pub fn new(choices: &[Weighted], rng: ChaCha8Rng) -> Self {
        let index = WeightedIndex::new(choices.iter().map(|choice| choice.weight));
        let index = index.expect("a scenario has at least one choice, and weights from 1e-6 to 1e6");
        Self { values: choices.iter().map(|choice| choice.value).collect(), index, rng }
    }

    /// Draws the next value.
    #[expect(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> u32 {
        self.values[self.index.sample(&mut self.rng)]
    }
}
