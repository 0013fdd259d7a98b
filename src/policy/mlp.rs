//! `mlp`: a feed-forward net over the open sub-jobs, learned by any program and exported to files
//! (`mascot.export_policy` of the Python package).
//!
//! The net sees the row of a sub-job with the features of the queue at its end ([`relmas::observation`]), 3M + 10 numbers for
//! M accelerators, and outputs M + 1 scores: one per accelerator, and last one for holding the request. All sub-jobs share the
//! net, so that neither their number nor padding matters. The sub-job gets the accelerator with the highest score of those
//! that can run it, or its request is held ([`act`], as in the environment `mascot/Layers-v0`); of equal scores the first.
//!
//! The tensors of layer i, counted from 0, are `i.weight` \[outputs, inputs\] and `i.bias` \[outputs\]; the manifest names the
//! [`Activation`] of each.
//!
//! [`relmas::observation`]: super::relmas::observation

use pulp::{Arch, Simd, WithSimd};
use serde::{Deserialize, Serialize};

use super::dense::{ACTIVATION_MACS, Affine, tanh};
use super::manifest::{Manifest, system_sha256, trained_for};
use super::registry::Policy;
use super::relmas::{Observation, features};
use super::weights::{Tensors, WeightsError};
use crate::hw::SystemSpec;
use crate::sim::{Decision, Scheduler, SubJobView, View};

/// The version of its observations and actions: weights for another version are refused.
pub const FEATURES: &str = "layers-0";

/// The number of units computed together: four vectors of AVX2, so that no sum waits for another.
const UNITS: usize = 32;

/// What a layer does to each of its sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// Nothing.
    Linear,
    /// max(x, 0).
    Relu,
    /// x / (1 + |x|).
    Softsign,
    /// The hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// All activations.
    pub const ALL: [Self; 4] = [Self::Linear, Self::Relu, Self::Softsign, Self::Tanh];

    /// The name in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Relu => "relu",
            Self::Softsign => "softsign",
            Self::Tanh => "tanh",
        }
    }

    /// The operations that it is charged for per unit: a comparison, a sum and a division, or those of a polynomial.
    fn macs(self) -> u64 {
        match self {
            Self::Linear => 0,
            Self::Relu => 1,
            Self::Softsign => 2,
            Self::Tanh => ACTIVATION_MACS,
        }
    }

    #[inline(always)]
    fn apply(self, sums: &mut [f32]) {
        match self {
            Self::Linear => {}
            Self::Relu => sums.iter_mut().for_each(|x| *x = x.max(0.0)),
            Self::Softsign => sums.iter_mut().for_each(|x| *x /= 1.0 + x.abs()),
            Self::Tanh => sums.iter_mut().for_each(|x| *x = tanh(*x)),
        }
    }
}

/// A fully connected layer.
#[derive(Clone, Debug)]
struct Layer {
    map: Affine<UNITS>,
    outputs: usize,
    activation: Activation,
}

/// The net; one thread, no allocation once its buffers have grown.
#[derive(Clone, Debug)]
pub struct Net {
    layers: Vec<Layer>,
    sums: Vec<[f32; UNITS]>,
    /// What goes into the next layer; after the last one the scores.
    values: Vec<f32>,
}

impl Net {
    /// The net of these tensors and activations on a system of so many accelerators.
    ///
    /// # Errors
    /// A tensor is missing or has another shape than its neighbours, or the system needs.
    pub fn new(
        tensors: &Tensors,
        activations: &[Activation],
        accelerators: usize,
    ) -> Result<Self, WeightsError> {
        let (mut inputs, last) = (features(accelerators), activations.len().saturating_sub(1));
        let mut layers = Vec::new();
        for (number, &activation) in activations.iter().enumerate() {
            let [weight, bias] = ["weight", "bias"].map(|of| format!("{number}.{of}"));
            let known = tensors.get(&weight)?.shape().first().copied().unwrap_or(0).max(1);
            let outputs = if number == last { accelerators + 1 } else { known };
            layers.push(Layer {
                map: Affine::new(tensors, &weight, &bias, outputs, inputs)?,
                outputs,
                activation,
            });
            inputs = outputs;
        }
        if layers.is_empty() || tensors.0.len() != 2 * layers.len() {
            return Err(WeightsError::Layers { tensors: tensors.0.len(), activations: activations.len() });
        }
        Ok(Self { layers, sums: Vec::new(), values: Vec::new() })
    }

    /// Multiply-accumulates for a sub-job, activations included.
    pub fn macs(&self) -> u64 {
        let of = |layer: &Layer| layer.map.macs() + layer.outputs as u64 * layer.activation.macs();
        self.layers.iter().map(of).sum()
    }

    /// The scores of the sub-jobs of an observation, a row each.
    pub fn scores(&mut self, rows: &[f32]) -> &[f32] {
        Arch::new().dispatch(Pass { net: self, rows });
        &self.values
    }
}

/// A pass, compiled for several sets of vector instructions; all do the same operations in the same order.
struct Pass<'a> {
    net: &'a mut Net,
    rows: &'a [f32],
}

impl WithSimd for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Net { layers, sums, values } = self.net;
        for (number, Layer { map, outputs, activation }) in layers.iter().enumerate() {
            map.apply(if number == 0 { self.rows } else { values }, sums);
            activation.apply(sums.as_flattened_mut());
            values.clear();
            for row in sums.chunks_exact(map.blocks()) {
                values.extend_from_slice(&row.as_flattened()[..*outputs]);
            }
        }
    }
}

/// Carries out a choice for each sub-job of an observation: the number of an accelerator, or any larger one to hold its
/// request. Requests of sub-jobs that no accelerator gets are held, then the others are assigned, earlier deadlines first.
/// A sub-job that cannot run where it is sent is held; those beyond the choices stay as they are.
pub fn act(
    view: &View,
    observation: &Observation,
    choices: impl Iterator<Item = usize> + Clone,
    out: &mut Decision,
) {
    let chosen = || observation.sub_jobs().map(|place| &view.sub_jobs()[place]).zip(choices.clone());
    for (sub, choice) in chosen() {
        if !runs(view, sub, choice) {
            out.hold(view.job_of(sub).id);
        }
    }
    for (rank, (sub, choice)) in chosen().enumerate() {
        if runs(view, sub, choice) {
            out.assign(sub.id, choice, -(rank as f64));
        }
    }
}

fn runs(view: &View, sub: &SubJobView, accelerator: usize) -> bool {
    accelerator < view.accelerators().len() && view.alone(sub, accelerator).is_some()
}

/// The policy of these tensors and activations for a system, as files hold it.
///
/// # Errors
/// A tensor does not fit, or a number is not finite.
pub fn policy(
    weights: Tensors,
    activations: Vec<Activation>,
    system: &SystemSpec,
) -> Result<Policy, WeightsError> {
    Net::new(&weights, &activations, system.accelerators.len())?;
    weights.to_bytes()?;
    let manifest = Manifest {
        kind: "mlp".into(),
        features: FEATURES.into(),
        system: system.name.clone(),
        system_sha256: system_sha256(system),
        trained_for: trained_for(system),
        version: env!("CARGO_PKG_VERSION").into(),
        activations,
        tensors: weights.shapes(),
        ..Manifest::default()
    };
    Ok(Policy { manifest, weights })
}

/// The policy as a scheduler.
#[derive(Debug)]
pub struct Mlp {
    net: Net,
    /// The observation, made at the first view.
    observation: Option<Observation>,
    choices: Vec<usize>,
}

impl Mlp {
    /// A scheduler with a net, on systems of so many accelerators as it was made for.
    pub fn new(net: Net) -> Self {
        Self { net, observation: None, choices: Vec::new() }
    }

    /// The scheduler of a policy on a system of so many accelerators.
    ///
    /// # Errors
    /// The weights are for another number.
    pub(super) fn of(policy: &Policy, accelerators: usize) -> Result<Box<dyn Scheduler>, WeightsError> {
        Ok(Box::new(Self::new(Net::new(&policy.weights, &policy.manifest.activations, accelerators)?)))
    }
}

impl Scheduler for Mlp {
    fn decide(&mut self, view: &View, out: &mut Decision) {
        let Self { net, observation, choices } = self;
        let observation = observation.get_or_insert_with(|| Observation::new(view.world()));
        observation.observe(view);
        let (accelerators, wide) = (observation.accelerators(), features(observation.accelerators()));
        let scores = net.scores(observation.rows()).chunks_exact(accelerators + 1);
        choices.clear();
        choices.extend(scores.zip(observation.rows().chunks_exact(wide)).map(|(scores, row)| {
            // The first features of a row are negative where the layer cannot run.
            let allowed = (0..accelerators).filter(|&m| row[m] >= 0.0).chain([accelerators]);
            best(scores, allowed)
        }));
        let n = choices.len() as u64;
        out.operations.macs += n * net.macs();
        out.operations.comparisons +=
            n * (accelerators as u64 + 1) + n * u64::from(n.next_power_of_two().ilog2());
        act(view, observation, choices.iter().copied(), out);
    }
}

/// The allowed place of the highest score; of equal ones the first, and the last place if there is none.
fn best(scores: &[f32], allowed: impl Iterator<Item = usize>) -> usize {
    let mut best = (f32::NEG_INFINITY, scores.len() - 1);
    for place in allowed {
        if scores[place] > best.0 {
            best = (scores[place], place);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::check::{any_case, layer, plain_rules, platform, records, request, world};
    use crate::rng::stream;
    use crate::sim::{Action, Record, run};
    use proptest::prelude::*;

    /// Random weights for layers of these sizes, the inputs first.
    fn tensors(seed: u64, sizes: &[usize]) -> Tensors {
        let (mut random, mut tensors) = (stream(seed, "test", "mlp"), Tensors::default());
        for (number, pair) in sizes.windows(2).enumerate() {
            let mut draw = |count: usize| (0..count).map(|_| random.random_range(-0.5..0.5)).collect();
            tensors.insert(format!("{number}.weight"), &[pair[1], pair[0]], draw(pair[0] * pair[1]));
            tensors.insert(format!("{number}.bias"), &[pair[1]], draw(pair[1]));
        }
        tensors
    }

    /// The same computation by its definition, in `f64`.
    fn twin(tensors: &Tensors, activations: &[Activation], row: &[f32]) -> Vec<f64> {
        let mut x: Vec<f64> = row.iter().map(|&x| f64::from(x)).collect();
        for (number, activation) in activations.iter().enumerate() {
            let of = |name: &str| tensors.get(&format!("{number}.{name}")).expect("there").values().to_vec();
            let (weight, bias) = (of("weight"), of("bias"));
            let sum = |(row, bias): (&[f32], &f32)| {
                row.iter().zip(&x).map(|(w, x)| f64::from(*w) * x).sum::<f64>() + f64::from(*bias)
            };
            let sums = weight.chunks(x.len()).zip(&bias).map(sum);
            let function = |x: f64| match activation {
                Activation::Linear => x,
                Activation::Relu => x.max(0.0),
                Activation::Softsign => x / (1.0 + x.abs()),
                Activation::Tanh => x.tanh(),
            };
            x = sums.map(function).collect();
        }
        x
    }

    #[test]
    fn it_scores_as_its_definition() {
        for (seed, accelerators, hidden) in [(1, 1, vec![5]), (2, 6, vec![64, 33]), (3, 3, vec![])] {
            let sizes = [vec![features(accelerators)], hidden, vec![accelerators + 1]].concat();
            for activation in Activation::ALL {
                let mut activations = vec![activation; sizes.len() - 1];
                *activations.last_mut().expect("a layer") = Activation::Linear;
                let tensors = tensors(seed, &sizes);
                let mut net = Net::new(&tensors, &activations, accelerators).expect("all tensors");
                let mut random = stream(seed, "test", "rows");
                let rows: Vec<f32> = (0..7 * sizes[0]).map(|_| random.random_range(-3.0..3.0)).collect();
                // Twice, as earlier observations must leave no trace.
                net.scores(&rows);
                let scores = net.scores(&rows).to_vec();
                let expected: Vec<f64> =
                    rows.chunks(sizes[0]).flat_map(|row| twin(&tensors, &activations, row)).collect();
                assert_eq!(scores.len(), expected.len());
                for (score, expected) in scores.iter().zip(&expected) {
                    assert!((f64::from(*score) - expected).abs() < 1e-4, "{activation:?} {score} {expected}");
                }
            }
        }
    }

    /// Two accelerators, of which the second cannot run network 1; the scores are the biases.
    fn first(bias: [f32; 3]) -> Vec<Action> {
        let mut only = layer(&[], &[(10.0, 0.0), (1.0, 0.0)]);
        only.costs[1] = None;
        let world = world(platform(2, 10.0), &[&[layer(&[], &[(10.0, 0.0), (12.0, 0.0)])], &[only]]);
        let mut tensors = Tensors::default();
        tensors.insert("0.weight", &[3, 16], vec![0.0; 48]);
        tensors.insert("0.bias", &[3], bias.to_vec());
        let mut mlp = Mlp::new(Net::new(&tensors, &[Activation::Linear], 2).expect("all tensors"));
        let mut seen = None;
        records(&world, &[request(0, 0.0), request(1, 0.0)], plain_rules(), |view, out| {
            mlp.decide(view, out);
            seen.get_or_insert_with(|| out.actions.clone());
            // Whatever is held would wait for ever.
            view.sub_jobs().iter().for_each(|sub| out.assign(sub.id, 0, 0.0));
        });
        seen.expect("there is a decision")
    }

    /// The jobs that are held, and those that are assigned, each with its accelerator.
    fn told(actions: &[Action]) -> (Vec<u32>, Vec<(u32, usize)>) {
        let held = actions.iter().filter_map(|action| match action {
            Action::Hold { job } => Some(job.0),
            _ => None,
        });
        let assigned = actions.iter().filter_map(|action| match *action {
            Action::Assign { sub_job, accelerator, .. } => Some((sub_job.job.0, accelerator)),
            _ => None,
        });
        (held.collect(), assigned.collect())
    }

    #[test]
    fn the_highest_score_wins_among_what_is_possible() {
        assert_eq!(told(&first([1.0, 2.0, 0.0])), (vec![], vec![(0, 1), (1, 0)]));
        assert_eq!(told(&first([0.0, 2.0, 1.0])), (vec![1], vec![(0, 1)]));
        assert_eq!(told(&first([0.0, 0.0, 0.0])), (vec![], vec![(0, 0), (1, 0)]));
        assert_eq!(told(&first([0.0, 1.0, 2.0])), (vec![0, 1], vec![]));
    }

    #[test]
    fn what_it_computes_is_charged() {
        let sizes = [features(2), 8, 5, 3];
        let activations = [Activation::Tanh, Activation::Relu, Activation::Linear];
        let net = Net::new(&tensors(1, &sizes), &activations, 2).expect("all tensors");
        // 16 x 8 + 8 x 12, 8 x 5 + 5, 5 x 3.
        assert_eq!(net.macs(), 224 + 45 + 15);
        let world = world(platform(2, 10.0), &[&[layer(&[], &[(10.0, 0.0), (12.0, 0.0)])]]);
        let mut mlp = Mlp::new(net);
        records(&world, &[request(0, 0.0), request(0, 0.0)], plain_rules(), |view, out| {
            mlp.decide(view, out);
            let open = view.sub_jobs().len() as u64;
            let sort = open * u64::from(open.next_power_of_two().ilog2());
            assert_eq!((out.operations.macs, out.operations.comparisons), (284 * open, 3 * open + sort));
            view.sub_jobs().iter().for_each(|sub| out.assign(sub.id, 0, 0.0));
        });
    }

    #[test]
    fn nets_that_do_not_fit_are_errors() {
        let sizes = [features(2), 8, 3];
        let error = |sizes: &[usize], layers: usize, accelerators: usize| {
            let activations = vec![Activation::Relu; layers];
            Net::new(&tensors(1, sizes), &activations, accelerators).unwrap_err().to_string()
        };
        assert_eq!(error(&sizes, 2, 3), "tensor `0.weight` has the shape [8, 16]; expected [8, 19]");
        assert_eq!(
            error(&[16, 8, 4], 2, 2),
            "tensor `1.weight` has the shape [4, 8]; expected [3, 8]",
            "a score too many"
        );
        assert!(error(&sizes, 3, 2).starts_with("there is no tensor `2.weight`"));
        for layers in [0, 1] {
            let sizes = [features(2), 3, 3];
            let expected = format!(
                "4 tensors and {layers} activations: expected a weight and a bias for each activation"
            );
            assert_eq!(error(&sizes, layers, 2), expected);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        /// Its decisions are legal and reproducible, whatever the net.
        #[test]
        fn it_schedules_any_case(case in any_case(1..=4)) {
            let accelerators = case.platform.accelerators.len();
            let mut tensors = tensors(case.seed, &[features(accelerators), 8, accelerators + 1]);
            // It never holds, so that no request waits for ever.
            let bias = tensors.0.get_mut("1.bias").expect("there");
            let mut values = bias.values().to_vec();
            values[accelerators] = -1e6;
            *bias = super::super::weights::Tensor::new(&[accelerators + 1], values);
            let once = || {
                let net = Net::new(&tensors, &[Activation::Tanh, Activation::Linear], accelerators);
                let mut mlp = Mlp::new(net.expect("all tensors"));
                let mut records: Vec<Record> = Vec::new();
                run(case.engine(), &mut mlp, &mut records).expect("everything is assigned");
                records
            };
            prop_assert_eq!(once(), once());
        }
    }
}
