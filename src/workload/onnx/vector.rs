//! Operations without MACs: elements read and written, and element operations by the table in `operators`.

use super::graph::{Kind, Operation, inputs, streams};
use super::operators::{self, Class, Cost};
use super::parameters::is_setting;
use super::problem::Problem;
use super::tensors::{Origin, Tensors};
use crate::workload::layer::{Op, product};

/// The vector or look-up layer of an operation that has no loop nest.
pub(super) fn op(operation: &Operation, tensors: &Tensors) -> Result<Op, Problem> {
    let node = operation.node;
    let label = || operators::label(node);
    let writes = match node.output.first() {
        Some(output) => tensors.elements(output, label)?,
        None => return Err(Problem::node(label(), "the output is missing")),
    };
    if writes == 0 {
        return Err(Problem::node(label(), "the output has no elements"));
    }
    let op = match operation.kind {
        Kind::Unknown => {
            Op::Vector { reads: reads(operation, tensors)?, writes: all_outputs(operation, tensors)?, ops: 0 }
        }
        // A look-up touches the rows that it returns, not the table.
        Kind::Lookup | Kind::Select => Op::Lookup { reads: writes, writes },
        Kind::Work(class) => {
            let ops = element_operations(operation, class, writes, tensors)?;
            Op::Vector { reads: reads(operation, tensors)?, writes, ops }
        }
    };
    op.check().map_err(|what| Problem::node(label(), what)).map(|()| op)
}

/// What an unknown operator writes: every output that somebody may read.
fn all_outputs(operation: &Operation, tensors: &Tensors) -> Result<u64, Problem> {
    let outputs = operation.node.output.iter().filter(|output| !output.is_empty());
    sum(outputs.map(String::as_str), operation, tensors)
}

fn reads(operation: &Operation, tensors: &Tensors) -> Result<u64, Problem> {
    let is_data = |tensor: &&str| match tensors.origin(tensor) {
        Some(Origin::Activation) => true,
        // A single number is part of the instruction: some exporters write it as an attribute, others as a tensor. What
        // the integers of an unknown operator are is not known: weights, perhaps.
        Some(Origin::Static { .. }) | None => {
            let is_single = tensors.known_dims(tensor).and_then(product) == Some(1);
            let is_number = is_single || tensors.fill(tensor).is_some();
            tensors.is_float(tensor) && !is_number || operation.kind == Kind::Unknown
        }
    };
    let node = operation.node;
    let is_setting =
        |tensor: &str| (0..).zip(&node.input).any(|(at, input)| input == tensor && is_setting(node, at));
    let read = streams(node).into_iter().filter(|tensor| !is_setting(tensor));
    sum(read.filter(is_data), operation, tensors)
}

fn sum<'t>(
    names: impl Iterator<Item = &'t str>,
    operation: &Operation,
    tensors: &Tensors,
) -> Result<u64, Problem> {
    let mut sum = 0u64;
    for tensor in names {
        let elements = tensors.elements(tensor, || operators::label(operation.node))?;
        sum = sum.checked_add(elements).ok_or_else(|| Problem::HugeTensor { tensor: tensor.into() })?;
    }
    Ok(sum)
}

fn element_operations(
    operation: &Operation,
    class: Class,
    outputs: u64,
    tensors: &Tensors,
) -> Result<u64, Problem> {
    let node = operation.node;
    let (Class::Pointwise(cost) | Class::Vector(cost)) = class else { return Ok(0) };
    let per_output = match cost {
        Cost::Operands => (inputs(node).len() as u64).saturating_sub(1).max(1),
        Cost::PerOutput(count) => count,
        Cost::PerInput => return tensors.elements(inputs(node)[0], || operators::label(node)),
        Cost::Window => u64::try_from(operators::integer(node, "size", 1)).unwrap_or(0).saturating_add(3),
        Cost::Kernel => {
            let kernel = operators::integers(node, "kernel_shape").unwrap_or(&[]);
            let sizes = kernel.iter().map(|&size| u64::try_from(size).unwrap_or(0));
            match product(sizes) {
                Some(taps) if taps > 0 && !kernel.is_empty() => taps,
                _ => return Err(Problem::node(operators::label(node), "`kernel_shape` is missing or wrong")),
            }
        }
        Cost::Interpolation => match operators::text(node, "mode") {
            // Without a mode, GridSample and RoiAlign interpolate.
            None if matches!(operators::onnx(node), Some("GridSample" | "RoiAlign")) => 4,
            None | Some("nearest") => 0,
            Some("cubic" | "bicubic") => 16,
            Some(_) => 4,
        },
    };
    let count = outputs.checked_mul(per_output);
    count.ok_or_else(|| Problem::node(operators::label(node), "more than 2^64 element operations"))
}
