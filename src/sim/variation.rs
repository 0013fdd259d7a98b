//! Execution times that vary, and estimates that err: a layer takes a random factor times its latency in the cost tables,
//! which schedulers do not see. Off by default.
//!
//! The factor of layer l of request r on accelerator m is X(r, l) x Y(network, model of m). X has mean 1 and is drawn for
//! every sub-job: lognormal, or gamma; a layer that is split in parts (`max_sub_job_us`) draws one for each. The layers of
//! a request may share part of their factor. Y has mean 1, is lognormal, and stays for all of a run: by so much the tables
//! are wrong about this network on this model of accelerator.
//!
//! A factor x acts as an accelerator that works at 1 / x of its speed does under drift (`sim::drift`): the layer alone takes
//! max(x c, bytes / B), because its demand for bandwidth is b / x; its bytes and its dynamic energy stay. So a layer that is
//! bound by the DRAM alone takes no longer.
//!
//! Draws depend on the seed, on the place of the request in the trace, and on names, never on the schedule: every
//! scheduler meets the same factors. Views, and with them R, F_m and roll-outs, tell what would be if each running layer
//! took its estimate (`engine::estimates`); a layer that outlives its estimate is expected to end at any moment. Estimates
//! are the cost tables, or the tables corrected by what layers have taken so far ([`Estimates`]).

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution as _, Gamma, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::World;
use crate::rng::stream;

/// The distribution of execution times around their estimates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Lognormal.
    Lognormal,
    /// Gamma.
    Gamma,
}

/// How execution times differ from the cost tables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The distribution of X.
    pub distribution: Distribution,
    /// The coefficient of variation of X, 0 or more.
    pub cv: f64,
    /// What the factors of a request's layers have in common, from 0 to 1: the correlation of their logarithms
    /// (lognormal), or of the factors (gamma).
    pub correlation: f64,
    /// The coefficient of variation of Y, 0 or more.
    pub bias_cv: f64,
}

impl Spread {
    /// Whether all factors are 1.
    pub fn is_none(&self) -> bool {
        self.cv == 0.0 && self.bias_cv == 0.0
    }
}

/// What schedulers are told of how long layers take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Estimates {
    /// The cost tables.
    Model,
    /// The cost tables, times a moving average of what layers of the network have taken on the accelerator's model relative
    /// to the tables (`engine::corrections`).
    Ewma,
}

/// The factors of a run. Without any, it costs nothing.
#[derive(Clone, Default, PartialEq)]
pub struct Variation(Option<Arc<Draws>>);

/// What the factors of a run follow from.
#[derive(Clone, Debug, PartialEq)]
pub struct Draws {
    spread: Spread,
    seed: u64,
    /// 1 / Y of each network on each accelerator.
    paces: Vec<Vec<f64>>,
    estimates: Estimates,
}

impl Variation {
    /// All factors are 1.
    pub const NONE: Self = Self(None);

    /// The factors of a run with this seed. Estimates are the cost tables.
    pub fn new(spread: Spread, seed: u64, world: &World) -> Self {
        if spread.is_none() {
            return Self::NONE;
        }
        let paces = world.networks.iter().map(|network| paces(spread, seed, &network.name, world)).collect();
        Self(Some(Arc::new(Draws { spread, seed, paces, estimates: Estimates::Model })))
    }

    /// Layers of each network take 1 / pace times as long as the tables say on each accelerator, without a draw.
    #[cfg(test)]
    pub(crate) fn constant(paces: Vec<Vec<f64>>) -> Self {
        let spread =
            Spread { distribution: Distribution::Lognormal, cv: 0.0, correlation: 0.0, bias_cv: 0.0 };
        Self(Some(Arc::new(Draws { spread, seed: 0, paces, estimates: Estimates::Model })))
    }

    /// The same factors, and other estimates.
    pub fn estimated_by(self, estimates: Estimates) -> Self {
        Self(self.0.map(|draws| Arc::new(Draws { estimates, ..Arc::unwrap_or_clone(draws) })))
    }

    /// Whether estimates are corrected while the run goes on.
    pub fn is_learnt(&self) -> bool {
        self.as_ref().is_some_and(|draws| draws.estimates == Estimates::Ewma)
    }
}

/// 1 / Y of a network on each accelerator.
fn paces(spread: Spread, seed: u64, network: &str, world: &World) -> Vec<f64> {
    let accelerators = &world.platform.accelerators;
    let pace = |model: usize| {
        let first = accelerators.iter().find(|accelerator| accelerator.model == model);
        let first = first.expect("a model has an accelerator");
        let mut rng = stream(seed, "bias", &format!("{network} on {}", first.name));
        1.0 / lognormal(spread.bias_cv, StandardNormal.sample(&mut rng))
    };
    accelerators.iter().map(|accelerator| pace(accelerator.model)).collect()
}

/// A lognormal value of mean 1 with this coefficient of variation, from a standard normal one.
fn lognormal(cv: f64, normal: f64) -> f64 {
    let variance = (cv * cv).ln_1p();
    (variance.sqrt() * normal - 0.5 * variance).exp()
}

impl Draws {
    /// Appends 1 / X of each of the layers of the request at a place in the trace.
    pub(super) fn extend(&self, place: u32, layers: usize, paces: &mut Vec<f64>) {
        let mut rng = stream(self.seed, "execution", &place.to_string());
        match (self.spread.cv, self.spread.distribution) {
            (0.0, _) => paces.extend(std::iter::repeat_n(1.0, layers)),
            (_, Distribution::Lognormal) => self.lognormals(layers, &mut rng, paces),
            (_, Distribution::Gamma) => self.gammas(layers, &mut rng, paces),
        }
    }

    /// The logarithms of the factors have a normal part in common.
    fn lognormals(&self, layers: usize, rng: &mut ChaCha8Rng, paces: &mut Vec<f64>) {
        let Spread { cv, correlation, .. } = self.spread;
        let common: f64 = StandardNormal.sample(rng);
        paces.extend((0..layers).map(|_| {
            let own: f64 = StandardNormal.sample(rng);
            1.0 / lognormal(cv, correlation.sqrt() * common + (1.0 - correlation).sqrt() * own)
        }));
    }

    /// The factors have a summand in common: gammas of one scale add up to a gamma.
    fn gammas(&self, layers: usize, rng: &mut ChaCha8Rng, paces: &mut Vec<f64>) {
        let Spread { cv, correlation, .. } = self.spread;
        let shape = 1.0 / (cv * cv);
        let mut part = |share: f64| match share {
            0.0 => 0.0,
            share => {
                Gamma::new(share * shape, 1.0 / shape).expect("shape and scale are positive").sample(rng)
            }
        };
        let common = part(correlation);
        paces.extend((0..layers).map(|_| 1.0 / (common + part(1.0 - correlation)).max(LEAST)));
    }

    /// Work done per time by a layer of the request at a place in the trace, relative to the cost tables.
    pub fn pace(&self, place: u32, layer: u32, network: u32, accelerator: usize) -> f64 {
        let mut paces = Vec::new();
        self.extend(place, layer as usize + 1, &mut paces);
        paces[layer as usize] * self.bias(network, accelerator)
    }

    /// 1 / Y of a network on an accelerator.
    #[inline]
    pub(super) fn bias(&self, network: u32, accelerator: usize) -> f64 {
        self.paces[network as usize][accelerator]
    }
}

/// The smallest factor. Our choice, because gammas of a large coefficient of variation come arbitrarily close to 0.
const LEAST: f64 = 1e-6;

impl Deref for Variation {
    type Target = Option<Arc<Draws>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl fmt::Debug for Variation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("Variation").field(&self.0.as_ref().map(|draws| (draws.spread, draws.seed))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{layer, platform, world};

    fn draws(distribution: Distribution, cv: f64, correlation: f64) -> Variation {
        let world = world(platform(2, 10.0), &[&[layer(&[], &[(1.0, 0.0); 2])]]);
        Variation::new(Spread { distribution, cv, correlation, bias_cv: 0.0 }, 7, &world)
    }

    fn factors(variation: &Variation, place: u32, layers: usize) -> Vec<f64> {
        let mut paces = Vec::new();
        variation.as_ref().expect("it varies").extend(place, layers, &mut paces);
        paces.iter().map(|pace| 1.0 / pace).collect()
    }

    /// Mean and standard deviation of numbers.
    fn moments(numbers: &[f64]) -> (f64, f64) {
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / numbers.len() as f64;
        (mean, variance.sqrt())
    }

    #[test]
    fn factors_have_the_mean_the_variation_and_the_correlation_that_are_asked_for() {
        for distribution in [Distribution::Lognormal, Distribution::Gamma] {
            for (cv, correlation) in [(0.1, 0.0), (0.5, 0.0), (0.5, 0.6), (0.3, 1.0)] {
                let variation = draws(distribution, cv, correlation);
                let pairs: Vec<Vec<f64>> = (0..40_000).map(|place| factors(&variation, place, 2)).collect();
                let of = |layer: usize| pairs.iter().map(|pair| pair[layer]).collect::<Vec<f64>>();
                let (mean, deviation) = moments(&of(1));
                // Four standard errors of each.
                assert!((mean - 1.0).abs() < 4.0 * cv / 200.0, "{distribution:?} {cv}: mean {mean}");
                assert!((deviation - cv).abs() < 0.04 * cv, "{distribution:?} {cv}: deviation {deviation}");
                let logarithms = |x: Vec<f64>| -> Vec<f64> {
                    match distribution {
                        Distribution::Lognormal => x.into_iter().map(f64::ln).collect(),
                        Distribution::Gamma => x,
                    }
                };
                let (one, other) = (logarithms(of(0)), logarithms(of(1)));
                let ((a, sa), (b, sb)) = (moments(&one), moments(&other));
                let products: Vec<f64> = one.iter().zip(&other).map(|(x, y)| (x - a) * (y - b)).collect();
                let found = moments(&products).0 / (sa * sb);
                assert!((found - correlation).abs() < 0.03, "{distribution:?} {cv}: correlation {found}");
            }
        }
    }

    #[test]
    fn a_layer_takes_the_same_factor_whatever_comes_after_it() {
        for distribution in [Distribution::Lognormal, Distribution::Gamma] {
            let variation = draws(distribution, 0.5, 0.5);
            assert_eq!(factors(&variation, 3, 2), factors(&variation, 3, 9)[..2]);
            assert_ne!(factors(&variation, 3, 2), factors(&variation, 4, 2));
            let pace = variation.as_ref().expect("it varies").pace(3, 1, 0, 1);
            assert_eq!(1.0 / pace, factors(&variation, 3, 2)[1]);
        }
    }

    #[test]
    fn accelerators_of_a_model_have_one_bias() {
        let layers = [layer(&[], &[(1.0, 0.0); 3])];
        let mut world = world(platform(3, 10.0), &[&layers, &layers]);
        (0..3).for_each(|m| world.platform.accelerators[m].model = m / 2);
        let spread = Spread { distribution: Distribution::Gamma, cv: 0.0, correlation: 0.0, bias_cv: 0.5 };
        let bias = |seed, network, accelerator| {
            Variation::new(spread, seed, &world).as_ref().expect("it varies").pace(0, 0, network, accelerator)
        };
        assert_eq!(bias(1, 0, 0), bias(1, 0, 1));
        assert_ne!(bias(1, 0, 0), bias(1, 0, 2));
        assert_ne!(bias(1, 0, 0), bias(2, 0, 0));
        let factors: Vec<f64> = (0..4_000).map(|seed| 1.0 / bias(seed, 0, 0)).collect();
        let (mean, deviation) = moments(&factors);
        assert!((mean - 1.0).abs() < 0.04 && (deviation - 0.5).abs() < 0.05, "{mean} {deviation}");
    }

    #[test]
    fn no_variation_draws_nothing() {
        let world = world(platform(1, 10.0), &[&[layer(&[], &[(1.0, 0.0)])]]);
        let spread = Spread { distribution: Distribution::Gamma, cv: 0.0, correlation: 0.5, bias_cv: 0.0 };
        assert!(Variation::new(spread, 1, &world).is_none());
    }
}
