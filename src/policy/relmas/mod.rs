//! `relmas`: the reconstruction of the RELMAS policy. An LSTM walks over the open sub-jobs in the order of deadlines;
//! after each it outputs a priority, a score per accelerator and three factors, from -1 to 1, which [`Decoder`] turns into
//! decisions. This file holds the forward pass and the scheduler around it; `train` learns the weights.
//!
//! The tensors, for M accelerators, F features and H hidden units; gates in the order input, forget, cell, output:
//!
//! | name | shape |
//! |---|---|
//! | `lstm.input` | 4H, F |
//! | `lstm.hidden` | 4H, H |
//! | `lstm.bias` | 4H |
//! | `head.weight` | M + 4, H |
//! | `head.bias` | M + 4 |
//!
//! Outputs are bounded, because exploration and the critic need a scale.

mod decode;
pub mod observation;

use pulp::{Arch, Simd, WithSimd};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::dense::{ACTIVATION_MACS, Affine, Matrix, sigmoid, tanh};
use super::explore::{Exploration, Explorer};
use super::weights::{Tensors, WeightsError};
use crate::sim::{Decision, Scheduler, View};
pub use decode::{Decoder, outputs};
pub use observation::{Observation, QUEUE_FEATURES, features};

/// The default number of hidden units. Our choice, because the size of the paper's net is not public, and a decision of
/// twice as many units costs three times as much.
pub const HIDDEN: usize = 32;

/// The version of its observations and actions: weights for another version are refused.
pub const FEATURES: &str = "relmas-3";

/// Names and shapes of the actor's tensors.
pub fn shapes(accelerators: usize, hidden: usize) -> [(&'static str, Vec<usize>); 5] {
    let (features, outputs) = (features(accelerators), outputs(accelerators));
    [
        ("lstm.input", vec![4 * hidden, features]),
        ("lstm.hidden", vec![4 * hidden, hidden]),
        ("lstm.bias", vec![4 * hidden]),
        ("head.weight", vec![outputs, hidden]),
        ("head.bias", vec![outputs]),
    ]
}

/// Random weights: uniform within 1 / sqrt(H), as PyTorch starts its LSTM.
pub fn initial(accelerators: usize, hidden: usize, random: &mut ChaCha8Rng) -> Tensors {
    initial_of(&shapes(accelerators, hidden), hidden, random)
}

/// Weights to start from: random ones with a head of zeros, with which the policy is its rule.
pub fn untrained(accelerators: usize, hidden: usize, random: &mut ChaCha8Rng) -> Tensors {
    let (mut tensors, outputs) = (initial(accelerators, hidden, random), outputs(accelerators));
    tensors.insert("head.weight", &[outputs, hidden], vec![0.0; outputs * hidden]);
    tensors.insert("head.bias", &[outputs], vec![0.0; outputs]);
    tensors
}

/// Initial weights for other tensors around so many hidden units.
pub fn initial_of(shapes: &[(&str, Vec<usize>)], hidden: usize, random: &mut ChaCha8Rng) -> Tensors {
    let bound = 1.0 / (hidden as f32).sqrt();
    let mut tensors = Tensors::default();
    for (name, shape) in shapes {
        let values = (0..shape.iter().product()).map(|_| random.random_range(-bound..bound)).collect();
        tensors.insert(*name, shape, values);
    }
    tensors
}

/// The number of gates computed together: eight vectors of AVX2, which has sixteen registers for sums, weights and
/// inputs.
const GATES: usize = 64;

/// The LSTM and its head; one thread, no allocation once its buffers have grown.
#[derive(Clone, Debug)]
pub struct Actor {
    accelerators: usize,
    hidden: usize,
    input: Affine<GATES>,
    recurrent: Matrix<GATES>,
    head: Affine<8>,
    /// The gates of every sub-job.
    gates: Vec<[f32; GATES]>,
    /// The hidden state h before the first sub-job and after every one.
    states: Vec<f32>,
    /// The cell state c.
    memory: Vec<f32>,
    said: Vec<[f32; 8]>,
}

impl Actor {
    /// An actor for a system of so many accelerators; the shapes of the tensors give the number of hidden units.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn new(tensors: &Tensors, accelerators: usize) -> Result<Self, WeightsError> {
        let (features, outputs) = (features(accelerators), outputs(accelerators));
        let hidden = tensors.get("head.weight")?.shape().last().copied().unwrap_or(0).max(1);
        Ok(Self {
            accelerators,
            hidden,
            input: Affine::new(tensors, "lstm.input", "lstm.bias", 4 * hidden, features)?,
            recurrent: Matrix::new(tensors, "lstm.hidden", 4 * hidden, hidden)?,
            head: Affine::new(tensors, "head.weight", "head.bias", outputs, hidden)?,
            gates: Vec::new(),
            states: Vec::new(),
            memory: vec![0.0; hidden],
            said: Vec::new(),
        })
    }

    /// The action for the rows of an observation.
    pub fn act(&mut self, rows: &[f32], out: &mut Vec<f32>) {
        Arch::new().dispatch(Walk { actor: self, rows, out });
    }

    /// Multiply-accumulates of an action for so many sub-jobs, activations included.
    pub fn macs(&self, sub_jobs: usize) -> u64 {
        let hidden = self.hidden as u64;
        let activations = ACTIVATION_MACS * (5 * hidden + outputs(self.accelerators) as u64);
        let products = self.input.macs() + self.recurrent.macs() + self.head.macs();
        sub_jobs as u64 * (products + 3 * hidden + activations)
    }
}

/// The computation of an action, compiled for several sets of vector instructions; a machine uses the widest set that
/// it has. All do the same operations in the same order, so that the action is the same.
struct Walk<'a> {
    actor: &'a mut Actor,
    rows: &'a [f32],
    out: &'a mut Vec<f32>,
}

impl WithSimd for Walk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { actor, rows, out } = self;
        let Actor { accelerators, hidden, input, recurrent, head, gates, states, memory, said } = actor;
        // Everything that does not depend on the sub-job before is computed for all sub-jobs at once.
        input.apply(rows, gates);
        states.clear();
        states.resize(*hidden, 0.0);
        memory.fill(0.0);
        for (step, gates) in gates.chunks_exact_mut(recurrent.blocks()).enumerate() {
            states.resize((step + 2) * *hidden, 0.0);
            let (before, h) = states[step * *hidden..].split_at_mut(*hidden);
            recurrent.add(before, gates, step % 2 == 1);
            remember(gates.as_flattened_mut(), memory, h);
        }
        head.apply(&states[*hidden..], said);
        each(said.as_flattened_mut(), tanh);
        out.clear();
        let (rows, outputs) = (said.chunks_exact(head.blocks()), outputs(*accelerators));
        rows.for_each(|row| out.extend_from_slice(&row.as_flattened()[..outputs]));
    }
}

/// One step of an LSTM: c = f c + i g, h = o tanh(c). There is a loop for each kind of gate: a processor overlaps many
/// short chains of operations better than one chain that waits for four gates.
#[inline(always)]
fn remember(gates: &mut [f32], memory: &mut [f32], h: &mut [f32]) {
    let hidden = memory.len();
    each(&mut gates[..2 * hidden], sigmoid);
    each(&mut gates[2 * hidden..3 * hidden], tanh);
    each(&mut gates[3 * hidden..4 * hidden], sigmoid);
    let gate = |place: usize| &gates[place * hidden..][..hidden];
    let (input, forget, cell, output) = (gate(0), gate(1), gate(2), gate(3));
    // All slices have the same length, so that the loop needs no bounds checks.
    let h = &mut h[..hidden];
    for k in 0..hidden {
        memory[k] = forget[k] * memory[k] + input[k] * cell[k];
        h[k] = output[k] * tanh(memory[k]);
    }
}

#[inline(always)]
fn each(values: &mut [f32], f: impl Fn(f32) -> f32) {
    values.iter_mut().for_each(|value| *value = f(*value));
}

/// The policy as a scheduler, with the same observations, actions and decisions as in training.
#[derive(Debug)]
pub struct Relmas {
    actor: Actor,
    /// The observation, made at the first view.
    observation: Option<Observation>,
    action: Vec<f32>,
    decoder: Decoder,
    exploration: Option<Exploration>,
    /// The spells of the rows, while it explores.
    spells: Vec<u32>,
}

impl Relmas {
    /// A scheduler with an actor, whose number of accelerators must be that of the systems it serves.
    pub fn new(actor: Actor) -> Self {
        Self {
            actor,
            observation: None,
            action: Vec::new(),
            decoder: Decoder::default(),
            exploration: None,
            spells: Vec::new(),
        }
    }

    /// The policy as it explores in training.
    pub fn exploring(actor: Actor, exploration: Exploration) -> Self {
        Self { exploration: Some(exploration), ..Self::new(actor) }
    }

    /// Shifts the action by the noise of each request, and samples it.
    fn explore(&mut self, view: &View) {
        let (Some(exploration), Some(observation)) = (&mut self.exploration, &self.observation) else {
            return;
        };
        exploration.begin(view);
        let wide = outputs(observation.accelerators());
        self.spells.clear();
        for (sub, row) in observation.sub_jobs().zip(self.action.chunks_exact_mut(wide)) {
            let spell = exploration.spell(view, view.job_of(&view.sub_jobs()[sub]));
            row.iter_mut().enumerate().for_each(|(output, said)| *said += exploration.shift(spell, output));
            self.spells.push(spell);
        }
        if let Some(sample) = exploration.sample() {
            sample.rows.extend_from_slice(observation.rows());
            sample.spells.extend_from_slice(&self.spells);
        }
    }
}

impl Explorer for Relmas {
    fn exploration(self: Box<Self>) -> Exploration {
        self.exploration.expect("it was made to explore")
    }
}

impl Scheduler for Relmas {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let Self { actor, observation, action, .. } = self;
        let observation = observation.get_or_insert_with(|| Observation::new(view.world()));
        assert_eq!(
            observation.accelerators(),
            actor.accelerators,
            "a policy runs on the system it was made for"
        );
        observation.observe(view);
        actor.act(observation.rows(), action);
        out.operations.macs += actor.macs(view.sub_jobs().len());
        self.explore(view);
        let observation = self.observation.as_ref().expect("it was made above");
        self.decoder.decode(view, observation.sub_jobs(), &self.action, out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check::{any_case, cases, records};
    use crate::rng::stream;
    use crate::sim::{DecisionCost, Host, Record, run};

    /// The same computation by its definition, in `f64`.
    fn twin(tensors: &Tensors, accelerators: usize, hidden: usize, rows: &[f32]) -> Vec<f64> {
        let tensor = |name: &str| -> Vec<f64> {
            tensors.get(name).expect("there").values().iter().map(|&value| f64::from(value)).collect()
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let (wi, wh, b) = (tensor("lstm.input"), tensor("lstm.hidden"), tensor("lstm.bias"));
        let (wo, bo) = (tensor("head.weight"), tensor("head.bias"));
        let (mut h, mut c) = (vec![0.0; hidden], vec![0.0; hidden]);
        let mut said = Vec::new();
        for row in rows.chunks(features(accelerators)) {
            let x: Vec<f64> = row.iter().map(|&x| f64::from(x)).collect();
            let gate = |place: usize, k: usize, h: &[f64]| {
                let at = place * hidden + k;
                let from_input = dot(&wi[at * x.len()..][..x.len()], &x);
                from_input + dot(&wh[at * hidden..][..hidden], h) + b[at]
            };
            let before = h.clone();
            for k in 0..hidden {
                let [i, f, g, o] = [0, 1, 2, 3].map(|place| gate(place, k, &before));
                c[k] = sigmoid(f) * c[k] + sigmoid(i) * g.tanh();
                h[k] = sigmoid(o) * c[k].tanh();
            }
            let raw = |m: usize| (dot(&wo[m * hidden..][..hidden], &h) + bo[m]).tanh();
            said.extend((0..outputs(accelerators)).map(raw));
        }
        said
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn it_answers_as_its_definition(
            seed: u64, accelerators in 1..9usize, hidden in 1..80usize, sub_jobs in 1..=128usize
        ) {
            let mut random = stream(seed, "test", "relmas");
            let tensors = initial(accelerators, hidden, &mut random);
            let mut actor = Actor::new(&tensors, accelerators).expect("all tensors");
            let rows = |random: &mut ChaCha8Rng| -> Vec<f32> {
                (0..sub_jobs * features(accelerators)).map(|_| random.random_range(-3.0..3.0)).collect()
            };
            let mut out = Vec::new();
            // Twice, as earlier observations must leave no trace.
            for rows in [rows(&mut random), rows(&mut random)] {
                actor.act(&rows, &mut out);
                let expected = twin(&tensors, accelerators, hidden, &rows);
                prop_assert_eq!(out.len(), expected.len());
                for (said, expected) in out.iter().zip(&expected) {
                    prop_assert!((f64::from(*said) - expected).abs() < 1e-5, "{} {}", said, expected);
                }
            }
        }

        /// Its decisions are legal, never get stuck, and are reproducible.
        #[test]
        fn it_schedules_any_case(case in any_case(1..=4)) {
            let accelerators = case.platform.accelerators.len();
            let tensors = initial(accelerators, 8, &mut stream(case.seed, "test", "relmas"));
            let once = || {
                let mut relmas = Relmas::new(Actor::new(&tensors, accelerators).expect("all tensors"));
                let mut records: Vec<Record> = Vec::new();
                run(case.engine(), &mut relmas, &mut records).expect("everything is assigned");
                records
            };
            prop_assert_eq!(once(), once());
        }
    }

    #[test]
    fn what_it_computes_is_charged() {
        let case = cases::Case::new(3, cases::Size { accelerators: 2, networks: 1, layers: 2, requests: 4 });
        let tensors = initial(2, 16, &mut stream(1, "test", "relmas"));
        let actor = Actor::new(&tensors, 2).expect("all tensors");
        // 4 x 16 x (16 + 16) + 6 x 16 + 3 x 16, and 86 activations of 12.
        assert_eq!((actor.macs(1), actor.macs(10)), (3_224, 32_240));
        let mut relmas = Relmas::new(actor);
        let mut rules = crate::check::plain_rules();
        rules.decision_cost = DecisionCost::Host(Host::default());
        let made = records(&case.world(), &case.trace.requests, rules, |view, out| {
            relmas.decide(view, out);
            // Eight more activations for what becomes of the outputs, and a sort.
            let open = view.sub_jobs().len() as u64;
            let sort = open * u64::from(open.next_power_of_two().ilog2());
            assert_eq!((out.operations.macs, out.operations.comparisons), (3_320 * open, 6 * open + sort));
        });
        assert!(made.iter().any(|record| matches!(record, Record::Done { .. })));
    }

    #[test]
    fn weights_of_another_system_are_an_error() {
        let tensors = initial(4, 16, &mut stream(1, "test", "relmas"));
        let error = Actor::new(&tensors, 6).unwrap_err().to_string();
        assert_eq!(error, "tensor `lstm.input` has the shape [64, 22]; expected [64, 28]");
        let error = Actor::new(&Tensors::default(), 6).unwrap_err().to_string();
        assert!(error.starts_with("there is no tensor `head.weight`"), "{error}");
    }
}
