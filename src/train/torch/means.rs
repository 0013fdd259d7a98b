//! The nets of policies in tch, for whole batches of decisions. Each has the tensors of its policy in
//! [`crate::policy`] and gives the same outputs, before exploration shifts them.

use tch::{Device, Tensor, no_grad};

use super::{Parameters, lstm};
use crate::policy::{LEARNED_GATE_NET, SPLIT_GATE_NET, Sample, THRIFTY_GATE_NET};

/// Decisions side by side.
pub(super) struct Batch {
    /// The features of all items of all decisions: \[items, features\].
    pub(super) rows: Tensor,
    /// The number of items of each decision.
    pub(super) lengths: Vec<i64>,
}

impl Batch {
    /// The batch of some decisions, each with at least one item, on a device.
    pub(super) fn new(samples: &[&Sample], features: usize, device: Device) -> Self {
        let rows: Vec<f32> = samples.iter().flat_map(|sample| &sample.rows).copied().collect();
        let rows = Tensor::from_slice(&rows).reshape([-1, features as i64]).to_device(device);
        Self { rows, lengths: samples.iter().map(|sample| sample.spells.len() as i64).collect() }
    }
}

/// A net in tch: its outputs, \[items, outputs\]. Without `learns_hidden` only what belongs to single outputs has a gradient.
pub(super) type Net = fn(&Parameters, &Batch, learns_hidden: bool) -> Tensor;

/// The net of a policy.
pub(super) fn net(policy: &str) -> Net {
    match policy {
        "learned_gate" => learned_gate,
        "thrifty_gate" => thrifty_gate,
        "split_gate" => split_gate,
        "relmas" => lstm::said,
        other => panic!("no net of `{other}`"),
    }
}

/// The net of `learned_gate`.
fn learned_gate(parameters: &Parameters, batch: &Batch, learns_hidden: bool) -> Tensor {
    one_hidden_layer(parameters.get("weights"), LEARNED_GATE_NET, &batch.rows, learns_hidden)
}

/// The nets of `thrifty_gate`: that of `learned_gate`, which is held, and what the second one adds.
fn thrifty_gate(parameters: &Parameters, batch: &Batch, learns_hidden: bool) -> Tensor {
    let seen = batch.rows.narrow(1, 0, LEARNED_GATE_NET[0] as i64);
    let first = no_grad(|| one_hidden_layer(parameters.get("weights"), LEARNED_GATE_NET, &seen, false));
    // The first says nothing of energy.
    let missing = (THRIFTY_GATE_NET[2] - LEARNED_GATE_NET[2]) as i64;
    let first = first.constant_pad_nd([0, missing]);
    first + one_hidden_layer(parameters.get("price"), THRIFTY_GATE_NET, &batch.rows, learns_hidden)
}

/// The nets of `split_gate`: that of `learned_gate`, and the one that says where layers are cut.
fn split_gate(parameters: &Parameters, batch: &Batch, learns_hidden: bool) -> Tensor {
    let seen = batch.rows.narrow(1, 0, LEARNED_GATE_NET[0] as i64);
    let first = one_hidden_layer(parameters.get("weights"), LEARNED_GATE_NET, &seen, learns_hidden);
    let cuts = one_hidden_layer(parameters.get("cuts"), SPLIT_GATE_NET, &batch.rows, learns_hidden);
    Tensor::cat(&[first, cuts], 1)
}

/// The net of `policy/net.rs`: W2 s(W1 x + b1) + S x + b2, with all weights in one tensor.
fn one_hidden_layer(
    weights: &Tensor,
    [inputs, units, outputs]: [usize; 3],
    x: &Tensor,
    learns_hidden: bool,
) -> Tensor {
    let mut rest = weights.shallow_clone();
    let mut take = |rows: usize, columns: usize| {
        let count = (rows * columns) as i64;
        let taken = rest.narrow(0, 0, count).reshape([rows as i64, columns as i64]);
        rest = rest.narrow(0, count, rest.size()[0] - count);
        taken
    };
    let (first, first_bias) = (take(inputs, units), take(1, units));
    let (second, skip, bias) = (take(units, outputs), take(inputs, outputs), take(1, outputs));
    let hidden = x.matmul(&first) + first_bias;
    let hidden = &hidden / (hidden.abs() + 1.0);
    let hidden = if learns_hidden { hidden } else { hidden.detach() };
    hidden.matmul(&second) + x.matmul(&skip) + bias
}
