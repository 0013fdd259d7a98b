//! Exploration of a policy in training: noise on what its net says, drawn once per request and held for its life, and
//! samples of its decisions.
//!
//! A request is decided on up to hundreds of times, and requests in flight share their fate. Noise that is new in every
//! decision averages out; noise that is held shows what a shift of the net's outputs for one request is worth, so that
//! requests can be credited one by one.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::rng::stream;
use crate::sim::{JobView, Scheduler, View};

/// A policy that explores, as a scheduler.
pub trait Explorer: Scheduler {
    /// The exploration with all that it kept.
    fn exploration(self: Box<Self>) -> Exploration;
}

/// What a net saw and whom it decided on, at one decision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// The features of each item of the queue, a job or a sub-job, one after the other.
    pub rows: Vec<f32>,
    /// The spell of each item's request: its number times the spells of a life, plus the number of the spell.
    pub spells: Vec<u32>,
}

impl Sample {
    fn clear(&mut self) {
        self.rows.clear();
        self.spells.clear();
    }
}

/// The noise of a play, and the decisions that are kept of it.
#[derive(Debug)]
pub struct Exploration {
    /// The standard deviation of the noise; with a negative one, all noise is that of the antithetic play.
    sigma: f32,
    /// The standard deviation of the noise on each output of the net, relative to `sigma`.
    scales: Vec<f32>,
    /// Spells of a request's life, from its arrival to its deadline, with noise of their own.
    spells: u32,
    random: ChaCha8Rng,
    /// The noise of every spell of every request so far.
    noise: Vec<f32>,
    /// Decisions at which a request was seen for the first time.
    first: Vec<Sample>,
    /// Others: a reservoir of `most`, filled from all that were seen.
    others: Vec<Sample>,
    most: usize,
    seen: usize,
    draws: ChaCha8Rng,
    /// The sample of the present decision, if it is kept.
    now: Option<Place>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    First(usize),
    Other(usize),
}

impl Exploration {
    /// The exploration of a play. Two plays with the same seed, and `sigma` of both signs, are antithetic. There is
    /// a scale for each output of the net.
    pub fn new(seed: u64, sigma: f32, scales: Vec<f32>, spells: u32, most: usize) -> Self {
        Self {
            sigma,
            scales,
            spells,
            random: stream(seed, "explore", "noise"),
            noise: Vec::new(),
            first: Vec::new(),
            others: Vec::new(),
            most,
            seen: 0,
            draws: stream(seed, "explore", "samples"),
            now: None,
        }
    }

    /// Begins a decision: draws noise for new requests, and chooses whether to keep the decision.
    pub(super) fn begin(&mut self, view: &View) {
        let known = self.requests();
        let requests = view.jobs().last().map_or(known, |job| known.max(job.request.0 as usize + 1));
        let random = &mut self.random;
        let scales = self.scales.iter().cycle();
        let count = requests * self.spells as usize * self.scales.len() - self.noise.len();
        let draw = |scale: &f32| -> f32 { scale * Distribution::<f32>::sample(&StandardNormal, random) };
        self.noise.extend(scales.take(count).map(draw));
        self.now = if requests > known {
            self.first.push(Sample::default());
            Some(Place::First(self.first.len() - 1))
        } else if view.jobs().is_empty() {
            None
        } else {
            self.reservoir()
        };
    }

    /// Algorithm R (Vitter 1985): every decision is kept with the same probability.
    fn reservoir(&mut self) -> Option<Place> {
        self.seen += 1;
        if self.others.len() < self.most {
            self.others.push(Sample::default());
            return Some(Place::Other(self.others.len() - 1));
        }
        let drawn = self.draws.random_range(0..self.seen);
        let kept = self.others.get_mut(drawn)?;
        kept.clear();
        Some(Place::Other(drawn))
    }

    /// The sample of the present decision, if it is kept.
    pub(super) fn sample(&mut self) -> Option<&mut Sample> {
        match self.now? {
            Place::First(place) => self.first.get_mut(place),
            Place::Other(place) => self.others.get_mut(place),
        }
    }

    /// The number of requests that were seen.
    fn requests(&self) -> usize {
        self.noise.len() / (self.scales.len() * self.spells as usize)
    }

    /// The present spell of a job's request. What comes after the deadline belongs to the last.
    pub(super) fn spell(&self, view: &View, job: &JobView) -> u32 {
        let (life, age) = (job.deadline.saturating_sub(job.arrival), view.now() - job.arrival);
        let spell = (f64::from(self.spells) * age.as_ps() / life.as_ps().max(1.0)) as u32;
        job.request.0 * self.spells + spell.min(self.spells - 1)
    }

    /// The noise of a spell on an output, in multiples of `sigma`.
    pub fn noise(&self, spell: u32, output: usize) -> f32 {
        self.noise[spell as usize * self.scales.len() + output] * self.sigma.signum()
    }

    /// The shift of an output in a spell.
    pub(super) fn shift(&self, spell: u32, output: usize) -> f32 {
        self.noise[spell as usize * self.scales.len() + output] * self.sigma
    }

    /// The decisions that were kept.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.first.iter().chain(&self.others)
    }
}
