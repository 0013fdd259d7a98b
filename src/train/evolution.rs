//! Trains `learned_gate` by evolution strategies over its weights. All candidates of a generation are scored on the
//! same traces, which are new in every generation.

use std::sync::Arc;

use rand::RngExt;
use rayon::prelude::*;

use super::evolve::State;
use super::learner::{Learner, LogRow, Start};
use super::validation::{Met, Validation, draw, mean, play};
use crate::experiment::{Evolution, Experiment};
use crate::plan::{Case, Plan};
use crate::policy::{LearnedGate, Tensors, WeightsError, learned_gate};
use crate::rng;
use crate::sim::Trace;

pub(super) const START: Option<Start> = Some(|plan, training, state| {
    Ok(Box::new(Evolving::new(plan, training.evolution_parameters(), training.traces, state)?))
});

struct Evolving<'a> {
    plan: &'a Plan,
    evolution: Evolution,
    /// The number of traces of a generation.
    traces: usize,
    state: State,
}

impl<'a> Evolving<'a> {
    /// A learner at its start, or in a stored state.
    fn new(
        plan: &'a Plan,
        evolution: Evolution,
        traces: usize,
        state: Option<&Tensors>,
    ) -> Result<Self, WeightsError> {
        let state = match state {
            Some(state) => State::from_tensors(state, learned_gate::WEIGHTS)?,
            None => State::new(learned_gate::untrained(evolution.seed)),
        };
        Ok(Self { plan, evolution, traces, state })
    }

    /// Draws the traces of a generation: cases spread over the list, so that a generation sees most of them, each with
    /// a seed of its own.
    fn draw_traces(&self) -> Vec<(&'a Case, Arc<Trace>)> {
        let Experiment { first_seed, seeds, .. } = self.plan.experiment;
        let mut rng = rng::stream(self.evolution.seed, "traces", &self.state.generation.to_string());
        let cases = &self.plan.cases;
        let drawn: Vec<(&Case, u64)> = (0..self.traces)
            .map(|i| {
                // One case from each stretch of the list, which is in the order of the keys.
                let place = (i as f64 + rng.random::<f64>()) / self.traces as f64 * cases.len() as f64;
                let seed = first_seed + rng.random_range(0..seeds);
                (&cases[(place as usize).min(cases.len() - 1)], seed)
            })
            .collect();
        drawn.into_par_iter().map(|(case, seed)| (case, draw(case, seed))).collect()
    }
}

impl Learner for Evolving<'_> {
    fn done(&self) -> u64 {
        self.state.generation
    }

    fn step(&mut self, validation: &Validation) -> LogRow {
        let Self { evolution, ref state, .. } = *self;
        let traces = self.draw_traces();
        let candidates: Vec<Vec<f32>> =
            (0..evolution.population).into_par_iter().map(|i| state.candidate(&evolution, i)).collect();
        let to_pass = validation.to_pass_on(&traces);
        let plays: Vec<(usize, usize)> =
            (0..candidates.len()).flat_map(|i| (0..traces.len()).map(move |j| (i, j))).collect();
        let outcomes: Vec<Met> = plays
            .into_par_iter()
            .map(|(i, j)| play(traces[j].0, &traces[j].1, &mut LearnedGate::new(&candidates[i])))
            .collect();
        let rates: Vec<f64> = outcomes.iter().map(Met::rate).collect();
        let fitness: Vec<f64> =
            rates.chunks(to_pass.len()).map(|rates| validation.fitness(rates, &to_pass)).collect();
        self.state.advance(&evolution, &fitness);
        LogRow {
            step: self.state.generation,
            decisions: outcomes.iter().map(|met| met.decisions).sum(),
            mean_rate: Some(mean(&rates)),
            mean_fitness: Some(mean(&fitness)),
            best_candidate_fitness: Some(fitness.iter().copied().fold(f64::MIN, f64::max)),
            ..LogRow::default()
        }
    }

    fn weights(&self) -> Tensors {
        learned_gate::tensors(self.state.mean.clone())
    }

    fn state(&self) -> Tensors {
        self.state.to_tensors()
    }
}
