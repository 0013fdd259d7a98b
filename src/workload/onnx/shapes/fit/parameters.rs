//! Weights, biases, states and windows against the tensors that they work on.

use super::{list, text};
use crate::workload::onnx::operators;
use crate::workload::onnx::shapes::{Operands, axis, broadcast, joins};

/// What does not fit, if anything.
pub(super) fn misfit(operands: &Operands, name: &str) -> Option<String> {
    match name {
        "Conv" => convolution(operands, 2, |weight, _| weight[0]),
        "DeformConv" => convolution(operands, 3, |weight, _| weight[0]),
        "ConvTranspose" => convolution(operands, 2, |weight, groups| weight[1].saturating_mul(groups)),
        "MaxPool" | "AveragePool" | "LpPool" => {
            let dims = operands.dims(0)?;
            let kernel = operators::integers(operands.node, "kernel_shape")?;
            windows(operands, &dims, kernel.len())
        }
        "Gemm" => gemm(operands),
        // Operator sets before 9 could normalize each element alone.
        "BatchNormalization" if operands.integer("spatial", 1) == 0 => None,
        "BatchNormalization" => (1..5).find_map(|i| per_channel(operands, i)),
        "InstanceNormalization" => (1..3).find_map(|i| per_channel(operands, i)),
        "LayerNormalization" | "RMSNormalization" => (1..3).find_map(|i| normalized(operands, i)),
        "RNN" => recurrent(operands, 1),
        "GRU" => recurrent(operands, 3),
        "LSTM" => recurrent(operands, 4),
        _ => None,
    }
}

/// The error of an input that has not the shape that it needs.
fn unlike(operands: &Operands, position: usize, needed: &[u64]) -> Option<String> {
    let (name, dims) = (operands.name(position)?, operands.dims(position)?);
    (dims != needed).then(|| format!("its input `{name}` is {}, and {} is needed", text(&dims), text(needed)))
}

fn convolution(operands: &Operands, bias: usize, channels: fn(&[u64], u64) -> u64) -> Option<String> {
    let (input, weight) = (operands.dims(0)?, operands.dims(1)?);
    if weight.len() != input.len() {
        return Some(format!("an input of {} does not go with weights of {}", text(&input), text(&weight)));
    }
    if input.len() < 3 {
        // Refused where it becomes a layer.
        return None;
    }
    let kernel = operators::integers(operands.node, "kernel_shape").filter(|kernel| !kernel.is_empty());
    if let Some(kernel) =
        kernel.filter(|kernel| !kernel.iter().map(|&k| k as u64).eq(weight[2..].iter().copied()))
    {
        return Some(format!(
            "`kernel_shape` {} is not that of its weights of {}",
            list(kernel),
            text(&weight)
        ));
    }
    let groups = u64::try_from(operands.integer("group", 1)).unwrap_or(0);
    windows(operands, &input, weight.len() - 2)
        .or_else(|| unlike(operands, bias, &[channels(&weight, groups)]))
}

/// Attributes with numbers for each spatial dimension of the input.
fn windows(operands: &Operands, input: &[u64], kernel: usize) -> Option<String> {
    let spatial = input.len().saturating_sub(2);
    if kernel != spatial || spatial == 0 {
        return Some(format!(
            "a kernel of {kernel} dimensions does not go with its input of {}",
            text(input)
        ));
    }
    // Where padding is automatic, the numbers are not read.
    let is_auto = !matches!(operators::text(operands.node, "auto_pad"), None | Some("" | "NOTSET"));
    // ConvTranspose crops what negative padding would add.
    let least = if operators::onnx(operands.node) == Some("ConvTranspose") { i64::MIN } else { 0 };
    let pads = (!is_auto).then_some(("pads", 2 * spatial, least));
    [("strides", spatial, 1), ("dilations", spatial, 1)].into_iter().chain(pads).find_map(
        |(name, count, least)| {
            let given = operators::integers(operands.node, name).filter(|given| !given.is_empty())?;
            let (written, input) = (list(given), text(input));
            if given.len() != count {
                return Some(format!("`{name}` {written}: an input of {input} needs {count} numbers"));
            }
            given
                .iter()
                .any(|&number| number < least)
                .then(|| format!("`{name}` {written}: {least} is the least"))
        },
    )
}

/// The addend of a product broadcasts to it.
fn gemm(operands: &Operands) -> Option<String> {
    let (addend, output) = (operands.dims(2)?, joins::gemm(operands)?);
    let fits = broadcast(&addend, &output).is_some_and(|all| all == output);
    (!fits).then(|| format!("its addend of {} does not broadcast to {}", text(&addend), text(&output)))
}

/// A vector with one number for each channel of the input.
fn per_channel(operands: &Operands, position: usize) -> Option<String> {
    unlike(operands, position, &[*operands.dims(0)?.get(1)?])
}

/// Scale and shift of what is normalized together: the dimensions from an axis on.
fn normalized(operands: &Operands, position: usize) -> Option<String> {
    let (input, dims) = (operands.dims(0)?, operands.dims(position)?);
    let at = operands.integer("axis", -1);
    let Some(from) = axis(at, input.len()) else { return Some(super::bad_axis(at, &input)) };
    let fits = broadcast(&dims, &input[from..]).is_some_and(|all| all == input[from..])
        || broadcast(&dims, &input).is_some_and(|all| all == input);
    let name = operands.name(position).unwrap_or("");
    (!fits).then(|| {
        format!("its input `{name}` is {}, and its input {} from axis {at} on", text(&dims), text(&input))
    })
}

/// Weights, recurrent weights, biases and first states of a recurrent network.
fn recurrent(operands: &Operands, gates: u64) -> Option<String> {
    let (input, state) = (operands.dims(0)?, operands.dims(2)?);
    let (&[first, second, features], &[_, _, hidden]) = (&input[..], &state[..]) else {
        return Some(format!(
            "input and weights of {} and {} need three dimensions",
            text(&input),
            text(&state)
        ));
    };
    let directions = match operators::text(operands.node, "direction") {
        Some("bidirectional") => 2,
        _ => 1,
    };
    let given = u64::try_from(operands.integer("hidden_size", 0)).unwrap_or(0);
    if given != 0 && given != hidden {
        return Some(format!("`hidden_size` is {given}, and its weights are {}", text(&state)));
    }
    let rows = gates.checked_mul(hidden)?;
    let (batch, first_state) = match operands.integer("layout", 0) {
        0 => (second, [directions, second, hidden]),
        _ => (first, [first, directions, hidden]),
    };
    unlike(operands, 1, &[directions, rows, features])
        .or_else(|| unlike(operands, 2, &[directions, rows, hidden]))
        .or_else(|| unlike(operands, 3, &[directions, rows.checked_mul(2)?]))
        .or_else(|| unlike(operands, 4, &[batch]))
        .or_else(|| unlike(operands, 5, &first_state))
        .or_else(|| unlike(operands, 6, &first_state))
}
