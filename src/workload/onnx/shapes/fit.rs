//! Whether the inputs and attributes of a node fit each other.
//!
//! A shape that cannot be inferred is a gap, which the file may fill; inputs that contradict each other are an error,
//! whatever the file says of the output. Here is the second: each check takes what is known and says what does not fit,
//! in sizes; what is not known fits. Where ONNX is lenient (one element instead of many, tensors without elements, the
//! attribute `axis` by which old operator sets broadcast), so is this.
//!
//! `parameters` has weights, biases and kernels. Left out: ranges of attributes that no shape depends on, and products,
//! whose inner dimensions are compared where they become layers.

mod parameters;

use super::{Operands, axis, broadcast, broadcasts, sizes};
use crate::workload::layer::product;
use crate::workload::onnx::operators;
use crate::workload::onnx::types::{MAX_RANK, told as text};

/// What does not fit, if anything.
pub(in super::super) fn misfit(operands: &Operands) -> Option<String> {
    let name = operators::onnx(operands.node)?;
    if broadcasts(name) {
        return elements(operands);
    }
    match name {
        "MatMul" => stacks(operands),
        "Reshape" => reshape(operands),
        "Expand" => expand(operands),
        "Concat" => concat(operands),
        "Transpose" => transpose(operands),
        "Squeeze" => squeeze(operands),
        "Unsqueeze" => unsqueeze(operands),
        "Slice" => slice(operands),
        "Split" => split(operands),
        "Tile" => tile(operands),
        "Pad" => pad(operands),
        "Gather" => gather(operands),
        "ArgMax" | "ArgMin" | "TopK" | "GatherElements" => axis_of(operands).err(),
        name if name.starts_with("Reduce") => reduce(operands),
        name => parameters::misfit(operands, name),
    }
}

/// Numbers as errors write them: damaged files have long lists.
fn list(numbers: &[i64]) -> String {
    let more = if numbers.len() > 2 * MAX_RANK { ", ..." } else { "" };
    let numbers: Vec<String> = numbers.iter().take(2 * MAX_RANK).map(i64::to_string).collect();
    format!("[{}{more}]", numbers.join(", "))
}

fn bad_axis(axis: i64, dims: &[u64]) -> String {
    format!("axis {axis} is not one of the {} dimensions of its input of {}", dims.len(), text(dims))
}

/// The first of these axes that the input does not have.
fn check_axes(axes: &[i64], dims: &[u64]) -> Option<String> {
    axes.iter().find(|&&at| axis(at, dims.len()).is_none()).map(|&at| bad_axis(at, dims))
}

/// The attribute `axis`, where it is given and the input is known.
fn axis_of(operands: &Operands) -> Result<Option<usize>, String> {
    let given = operators::has(operands.node, "axis").then(|| operands.integer("axis", 0));
    let (Some(at), Some(dims)) = (given, operands.dims(0)) else { return Ok(None) };
    axis(at, dims.len()).map(Some).ok_or_else(|| bad_axis(at, &dims))
}

fn elements(operands: &Operands) -> Option<String> {
    // Operator sets before 7 broadcast from an axis on, and only where they are told to.
    if operators::has(operands.node, "axis") {
        return None;
    }
    let mut all = Vec::new();
    for dims in (0..operands.node.input.len()).filter_map(|i| operands.dims(i)) {
        all = match broadcast(&all, &dims) {
            Some(all) => all,
            None => {
                let (all, dims) = (text(&all), text(&dims));
                return Some(format!(
                    "{all} and {dims} do not broadcast: sizes are equal, or one of them is 1"
                ));
            }
        };
    }
    None
}

/// The dimensions of a matrix product before the last two.
fn stacks(operands: &Operands) -> Option<String> {
    let (a, b) = (operands.dims(0)?, operands.dims(1)?);
    let lead = |dims: &[u64]| dims[..dims.len().saturating_sub(2)].to_vec();
    let fits = !a.is_empty() && !b.is_empty() && broadcast(&lead(&a), &lead(&b)).is_some();
    (!fits).then(|| format!("stacks of matrices of {} and {} do not broadcast", text(&a), text(&b)))
}

fn reshape(operands: &Operands) -> Option<String> {
    let (input, target) = (operands.dims(0)?, operands.integers("shape", 1)??);
    let keeps = operands.integer("allowzero", 0) == 0;
    let size = |(i, &size): (usize, &i64)| match size {
        0 if keeps => input.get(i).copied(),
        // Whatever is left: found below.
        -1 => Some(1),
        _ => u64::try_from(size).ok(),
    };
    let known: Option<Vec<u64>> = target.iter().enumerate().map(size).collect();
    let open = target.iter().filter(|&&size| size == -1).count();
    let (all, rest) = (product(input.iter().copied())?, known.and_then(product));
    let fits = match (open, rest) {
        (0, Some(rest)) => rest == all,
        (1, Some(rest)) => rest == 0 && all == 0 || rest != 0 && all % rest == 0,
        _ => false,
    };
    let wanted = match (open, rest) {
        (0, Some(rest)) => format!(" ({rest} elements)"),
        (1, Some(rest)) => format!(" (a multiple of {rest} elements)"),
        _ => String::new(),
    };
    (!fits).then(|| {
        format!("it cannot give {} ({all} elements) the shape {}{wanted}", text(&input), list(&target))
    })
}

fn expand(operands: &Operands) -> Option<String> {
    let (input, target) = (operands.dims(0)?, operands.input_integers(1)??);
    let fits = broadcast(&input, &sizes(target.iter().copied())?).is_some();
    (!fits).then(|| format!("it cannot expand {} to {}", text(&input), list(&target)))
}

fn concat(operands: &Operands) -> Option<String> {
    let axis = match axis_of(operands) {
        Ok(axis) => axis?,
        Err(what) => return Some(what),
    };
    // Some exporters begin an empty list with a tensor without elements, whose rank is another.
    let known = (0..operands.node.input.len()).filter_map(|i| operands.dims(i));
    let mut filled = known.filter(|dims| !dims.contains(&0));
    let first = filled.next()?;
    let fits = |dims: &Vec<u64>| {
        dims.len() == first.len() && (0..dims.len()).all(|i| i == axis || dims[i] == first[i])
    };
    let other = filled.find(|dims| !fits(dims))?;
    Some(format!(
        "{} and {} cannot be joined along axis {axis}: the other sizes differ",
        text(&first),
        text(&other)
    ))
}

fn transpose(operands: &Operands) -> Option<String> {
    let dims = operands.dims(0)?;
    let fits = super::permutation(operands.node, dims.len()).is_some();
    (!fits).then(|| {
        let order = list(operators::integers(operands.node, "perm").unwrap_or_default());
        format!("`perm` {order} is no order of the {} dimensions of its input of {}", dims.len(), text(&dims))
    })
}

fn squeeze(operands: &Operands) -> Option<String> {
    let (dims, axes) = (operands.dims(0)?, operands.integers("axes", 1)??);
    let long = || {
        let at = axes.iter().find(|&&at| axis(at, dims.len()).is_some_and(|at| dims[at] != 1))?;
        Some(format!("axis {at} of its input of {} is not 1 long", text(&dims)))
    };
    check_axes(&axes, &dims).or_else(long)
}

fn unsqueeze(operands: &Operands) -> Option<String> {
    let (dims, axes) = (operands.dims(0)?, operands.integers("axes", 1)??);
    let rank = dims.len() + axes.len();
    let mut places: Vec<_> = axes.iter().filter_map(|&at| axis(at, rank)).collect();
    places.sort_unstable();
    places.dedup();
    (places.len() != axes.len()).then(|| {
        format!("`axes` {} are not different ones of the {rank} dimensions of its output", list(&axes))
    })
}

fn slice(operands: &Operands) -> Option<String> {
    let dims = operands.dims(0)?;
    let (starts, ends) = (operands.integers("starts", 1)??, operands.integers("ends", 2)??);
    let (axes, steps) = (operands.integers("axes", 3)?, operands.input_integers(4)?);
    let lengths = [Some(&ends), axes.as_ref(), steps.as_ref()];
    if lengths.into_iter().flatten().any(|list| list.len() != starts.len()) {
        return Some(format!("`starts` {} and its ends, axes or steps are not equally many", list(&starts)));
    }
    if steps.is_some_and(|steps| steps.contains(&0)) {
        return Some("a step of 0".into());
    }
    check_axes(&axes.unwrap_or_else(|| (0..starts.len() as i64).collect()), &dims)
}

fn split(operands: &Operands) -> Option<String> {
    let dims = operands.dims(0)?;
    let at = operands.integer("axis", 0);
    let Some(axis) = axis(at, dims.len()) else { return Some(bad_axis(at, &dims)) };
    let parts = operands.integers("split", 1)??;
    let outputs = operands.node.output.len();
    let sum = sizes(parts.iter().copied())
        .and_then(|parts| parts.into_iter().try_fold(0u64, |sum, part| sum.checked_add(part)));
    (parts.len() != outputs || sum != Some(dims[axis])).then(|| {
        let (parts, dims) = (list(&parts), text(&dims));
        format!("parts of {parts} are not the {outputs} outputs that axis {at} of {dims} is split into")
    })
}

fn tile(operands: &Operands) -> Option<String> {
    let (dims, repeats) = (operands.dims(0)?, operands.input_integers(1)??);
    // Operator sets before 6 had one number of tiles and one axis.
    let fits = dims.len() == repeats.len() || operands.node.input.len() > 2;
    (!fits).then(|| format!("repeats of {} for its input of {}", list(&repeats), text(&dims)))
}

fn pad(operands: &Operands) -> Option<String> {
    let (dims, pads) = (operands.dims(0)?, operands.integers("pads", 1)??);
    let count = 2 * operands.input_integers(3)?.map_or(dims.len(), |axes| axes.len());
    (pads.len() != count)
        .then(|| format!("`pads` {}: an input of {} needs {count} numbers", list(&pads), text(&dims)))
}

fn gather(operands: &Operands) -> Option<String> {
    let dims = operands.dims(0)?;
    let at = operands.integer("axis", 0);
    let Some(axis) = axis(at, dims.len()) else { return Some(bad_axis(at, &dims)) };
    let size = dims[axis] as f64;
    let is_outside = |&&index: &&f64| index < -size || index >= size;
    let outside = operands.value(1)?.iter().find(is_outside)?;
    Some(format!("index {outside} lies outside axis {at} of its input of {}", text(&dims)))
}

fn reduce(operands: &Operands) -> Option<String> {
    check_axes(&operands.integers("axes", 1)??, &operands.dims(0)?)
}
