//! The collector: it plays policies that explore on training traces, on all threads of the rayon pool.

use std::sync::Arc;

use rand::RngExt;
use rayon::prelude::*;

use super::env::Setup;
use super::traces::draw_traces;
use crate::files::{Price, Share};
use crate::plan::Plan;
use crate::policy::{Exploration, Parameters, Tensors, Trained};
use crate::rng;
use crate::sim::{Engine, Origin, Record, Recorder, World, run};
use crate::units::Time;

/// The runs of a step, so many.
pub(super) type Traces<'a> = dyn Fn(u64, usize) -> Vec<Setup> + 'a;

/// The runs on the training traces of a plan.
pub(super) fn training_traces<'a>(plan: &'a Plan, prices: &[Price], seed: u64) -> Box<Traces<'a>> {
    let prices = prices.to_vec();
    Box::new(move |step, count| draw_traces(plan, &prices, seed, step, count))
}

/// How plays explore.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exploring<'a> {
    /// The seed of everything random in this step.
    pub(super) seed: u64,
    /// The standard deviation of the noise.
    pub(super) sigma: f32,
    /// The same for each output of the net, relative to `sigma`; 1 for those that it does not name.
    pub(super) scales: &'a [Share],
    /// Plays of each trace, in antithetic pairs.
    pub(super) plays: usize,
    /// Spells of a request's life with noise of their own.
    pub(super) spells: u32,
    /// Decisions that are kept of a play, besides those at which a request is seen for the first time.
    pub(super) samples: usize,
    /// Parts that the policy is without.
    pub(super) without: &'a [String],
}

/// The standard deviation of the noise on an output, relative to that of all.
pub(super) fn scale_of(scales: &[Share], output: usize) -> f64 {
    scales.get(output).map_or(1.0, |scale| scale.0)
}

/// The end of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fate {
    pub(super) arrival: Time,
    pub(super) deadline: Time,
    pub(super) met: bool,
    /// The dynamic energy of its layers, relative to the least of a request as a mean over the networks.
    pub(super) energy: f64,
    pub(super) measured: bool,
}

/// A play of a policy that explored.
pub(super) struct Play {
    pub(super) exploration: Exploration,
    /// The ends of all requests, by number.
    pub(super) fates: Vec<Fate>,
    pub(super) decisions: u64,
}

impl Play {
    /// The share of measured requests that met their deadline.
    pub(super) fn rate(&self) -> f64 {
        let measured = self.fates.iter().filter(|fate| fate.measured);
        let met = measured.clone().filter(|fate| fate.met).count();
        met as f64 / measured.count().max(1) as f64
    }
}

/// Plays the policy on every trace; returns a group of plays per trace, which face the same arrivals.
pub(super) fn collect(
    kind: &Trained,
    weights: &Tensors,
    traces: &[Setup],
    exploring: Exploring,
) -> Vec<Vec<Play>> {
    let all = (0..traces.len()).flat_map(|trace| (0..exploring.plays).map(move |play| (trace, play)));
    let all: Vec<(usize, usize)> = all.collect();
    let play =
        |(trace, number): (usize, usize)| play(kind, weights, &traces[trace], [trace, number], exploring);
    let plays: Vec<Play> = all.into_par_iter().map(play).collect();
    let mut groups: Vec<Vec<Play>> = Vec::with_capacity(traces.len());
    for (i, play) in plays.into_iter().enumerate() {
        match i % exploring.plays {
            0 => groups.push(vec![play]),
            _ => groups.last_mut().expect("a group was begun").push(play),
        }
    }
    groups
}

fn play(
    kind: &Trained,
    weights: &Tensors,
    setup: &Setup,
    [trace, number]: [usize; 2],
    exploring: Exploring,
) -> Play {
    let accelerators = setup.world.platform.accelerators.len();
    let sigma = if number.is_multiple_of(2) { exploring.sigma } else { -exploring.sigma };
    let seed = rng::stream(exploring.seed, "plays", &format!("{trace} {}", number / 2)).random();
    let scales =
        (0..(kind.ranges)(accelerators).len()).map(|output| scale_of(exploring.scales, output) as f32);
    let exploration = Exploration::new(seed, sigma, scales.collect(), exploring.spells, exploring.samples);
    let with = Parameters {
        energy: Price(setup.price),
        without: exploring.without.to_vec(),
        ..Parameters::default()
    };
    let explorer = (kind.explore)(weights, accelerators, &with, exploration);
    let mut explorer = explorer.expect("the learner's own weights");
    let engine = Engine::new(Arc::clone(&setup.world), Arc::clone(&setup.trace), setup.rules.clone());
    let mut ends = Ends::of(&setup.world);
    // If a policy leaves requests waiting for ever, they are missed.
    let _ = run(engine, &mut *explorer, &mut ends);
    Play { exploration: explorer.exploration(), fates: ends.fates, decisions: ends.decisions }
}

struct Ends {
    /// The energy that counts as 1.
    unit_pj: f64,
    fates: Vec<Fate>,
    decisions: u64,
}

impl Ends {
    fn of(world: &World) -> Self {
        Self { unit_pj: world.least_energy_pj(), fates: Vec::new(), decisions: 0 }
    }
}

impl Recorder for Ends {
    fn record(&mut self, record: &Record, origin: Origin) {
        match *record {
            // Requests are numbered as they arrive.
            Record::Arrival { asked, .. } => self.fates.push(Fate {
                arrival: asked.arrival,
                deadline: asked.deadline,
                met: false,
                energy: 0.0,
                measured: origin.measured,
            }),
            Record::Done { time, request, asked, .. } => {
                self.fates[request.0 as usize].met = asked.is_met_at(time);
            }
            // A job has the number of its request.
            Record::Finish { sub_job, energy, .. } => {
                self.fates[sub_job.job.0 as usize].energy += energy.0 / self.unit_pj;
            }
            Record::Decision { .. } => self.decisions += 1,
            _ => {}
        }
    }
}
