//! Trains a policy by evolution strategies over its weights. All candidates of a generation are scored on the
//! same traces, which are new in every generation.

use rayon::prelude::*;

use super::evolve::State;
use super::learner::{From, Learner, LogRow, Start};
use super::traces::{accelerators, draw_traces};
use super::validation::{Met, Validation, mean, play};
use crate::experiment::{Evolution, Training};
use crate::files::Price;
use crate::plan::Plan;
use crate::policy::{Parameters, Tensors, Trained, WeightsError};

pub(super) const START: Option<Start> =
    Some(|plan, training, from| Ok(Box::new(Evolving::new(plan, training, from)?)));

struct Evolving<'a> {
    plan: &'a Plan,
    evolution: Evolution,
    /// The number of traces of a generation.
    traces: usize,
    kind: &'static Trained,
    /// The parameters of a candidate: the parts that it is without.
    with: Parameters,
    accelerators: usize,
    /// The weights before training, which have the names and shapes of all others.
    untrained: Tensors,
    /// The weights that are trained, as indices.
    learns: Vec<usize>,
    /// The search over them.
    state: State,
}

impl<'a> Evolving<'a> {
    /// A learner at its start, or in a stored state.
    fn new(plan: &'a Plan, training: &Training, from: From) -> Result<Self, WeightsError> {
        let (evolution, kind) = (training.evolution_parameters(), training.trained());
        let accelerators = accelerators(plan);
        let untrained = || (kind.untrained)(evolution.seed, accelerators);
        let untrained = from.initial.cloned().unwrap_or_else(untrained);
        let before = untrained.flat();
        let learns = match &training.only {
            Some(only) => kind.weights_of(only.get_ref(), &untrained)?,
            None => (0..before.len()).collect(),
        };
        let mean: Vec<f32> = learns.iter().map(|&weight| before[weight]).collect();
        let state = match from.state {
            Some(state) => State::from_tensors(state, mean.len())?,
            None => State::new(mean),
        };
        let with = Parameters { without: training.without(), ..Parameters::default() };
        Ok(Self {
            plan,
            evolution,
            traces: training.traces,
            kind,
            with,
            accelerators,
            untrained,
            learns,
            state,
        })
    }

    /// All weights, with these in place of those that are trained.
    fn policy(&self, trained: &[f32]) -> Tensors {
        let mut all = self.untrained.flat();
        self.learns.iter().zip(trained).for_each(|(&weight, &value)| all[weight] = value);
        self.untrained.with_flat(&all)
    }
}

impl Learner for Evolving<'_> {
    fn done(&self) -> u64 {
        self.state.generation
    }

    fn step(&mut self, validation: &Validation) -> LogRow {
        let Self { evolution, ref state, .. } = *self;
        let (kind, accelerators) = (self.kind, self.accelerators);
        let traces = draw_traces(self.plan, &[Price(0.0)], evolution.seed, state.generation, self.traces);
        let candidate = |i| self.policy(&state.candidate(&evolution, i));
        let candidates: Vec<Tensors> = (0..evolution.population).into_par_iter().map(candidate).collect();
        let to_pass = validation.to_pass_on(&traces);
        let plays: Vec<(usize, usize)> =
            (0..candidates.len()).flat_map(|i| (0..traces.len()).map(move |j| (i, j))).collect();
        let outcomes: Vec<Met> = plays
            .into_par_iter()
            .map(|(i, j)| {
                let candidate = (kind.build)(&candidates[i], accelerators, &self.with);
                play(&traces[j], candidate.expect("the learner's own weights").as_mut())
            })
            .collect();
        let rates: Vec<f64> = outcomes.iter().map(Met::rate).collect();
        let fitness: Vec<f64> =
            rates.chunks(to_pass.len()).map(|rates| validation.fitness(rates, &to_pass)).collect();
        self.state.advance(&evolution, &fitness);
        LogRow {
            step: self.state.generation,
            plays: self.state.generation * (evolution.population * self.traces) as u64,
            decisions: outcomes.iter().map(|met| met.decisions).sum(),
            mean_rate: Some(mean(&rates)),
            mean_fitness: Some(mean(&fitness)),
            best_candidate_fitness: Some(fitness.iter().copied().fold(f64::MIN, f64::max)),
            ..LogRow::default()
        }
    }

    fn weights(&self) -> Tensors {
        let weights = self.policy(&self.state.mean);
        (self.kind.without)(&self.with.without, &weights).expect("the learner's own weights")
    }

    fn state(&self) -> Tensors {
        self.state.to_tensors()
    }
}
