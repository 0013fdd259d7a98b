//! Constants whose elements are needed: shapes, axes, scales, and what is computed from them before the network runs.
//!
//! Exporters write sizes that depend on the input as sub-graphs (Shape, Gather, Concat, Reshape, ...). These are
//! evaluated here, on values of at most [`MAX_ELEMENTS`] elements; weights are never among them. Elements are `f64`,
//! in which every size of a tensor is exact.

use ndarray::{ArrayD, Axis, IxDyn};
use rten_onnx::onnx::{NodeProto, TensorProto};

use super::shapes::{self, Operands};
use super::types::MAX_RANK;
use super::{arithmetic, decode, elements, indices, operators};
use crate::workload::layer::product;

/// The elements of a constant.
pub(super) type Value = ArrayD<f64>;

/// Longer constants are not needed for shapes: a shape has 16 elements, a padding 32, a range of positions some hundred.
const MAX_ELEMENTS: usize = 1024;

/// The elements of an initializer or a constant, if the file holds them and they are few.
pub(super) fn of_tensor(tensor: &TensorProto) -> Option<Value> {
    let dims: Vec<u64> = tensor.dims.iter().map(|&size| u64::try_from(size).ok()).collect::<Option<_>>()?;
    shaped(decode::elements(tensor)?, &dims)
}

/// An array of these elements, if there are as many as the shape says, and few.
fn shaped(elements: Vec<f64>, dims: &[u64]) -> Option<Value> {
    ArrayD::from_shape_vec(small(dims)?, elements).ok()
}

/// The shape of a value that may be kept.
fn small(dims: &[u64]) -> Option<IxDyn> {
    let count = product(dims.iter().copied())?;
    let sizes: Vec<usize> = dims.iter().map(|&size| usize::try_from(size).ok()).collect::<Option<_>>()?;
    // A zero among huge sizes would pass the count alone.
    let fits = sizes.len() <= MAX_RANK && sizes.iter().all(|&size| size <= MAX_ELEMENTS);
    (fits && count <= MAX_ELEMENTS as u64).then(|| IxDyn(&sizes))
}

/// What a node writes, if that is known before the network runs; `dims` are the shapes of its outputs.
pub(super) fn fold(operands: &Operands, dims: &[Vec<u64>]) -> Vec<Option<Value>> {
    let node = operands.node;
    if operators::onnx(node) == Some("Split") {
        return split(operands, dims).unwrap_or_default();
    }
    vec![dims.first().and_then(|dims| fold_one(operands, node, dims))]
}

fn fold_one(operands: &Operands, node: &NodeProto, dims: &[u64]) -> Option<Value> {
    let all = |elements: f64| small(dims).map(|dims| ArrayD::from_elem(dims, elements));
    match operators::onnx(node)? {
        "Constant" => constant(node),
        "ConstantOfShape" => all(match operators::tensor(node, "value") {
            Some(fill) => *of_tensor(fill)?.first()?,
            None => 0.0,
        }),
        "Shape" => {
            let sizes = operands.dims(0)?;
            shaped(shapes::shape_range(node, sizes.len()).map(|i| sizes[i] as f64).collect(), dims)
        }
        "Size" => all(product(operands.dims(0)?)? as f64),
        "Identity" => operands.value(0).cloned(),
        "Cast" | "CastLike" => {
            let to = elements::of_output(node, 0, operands.tensors)?;
            Some(operands.value(0)?.mapv(|number| arithmetic::cast(number, to)))
        }
        "DequantizeLinear" => dequantize(operands),
        "Reshape" | "Squeeze" | "Unsqueeze" | "Flatten" => {
            shaped(operands.value(0)?.iter().copied().collect(), dims)
        }
        "Transpose" => {
            let value = operands.value(0)?;
            let order = shapes::permutation(node, value.ndim())?;
            Some(value.view().permuted_axes(order).to_owned())
        }
        "Slice" => {
            let mut value = operands.value(0)?.clone();
            for (axis, steps) in shapes::slices(operands, &operands.dims(0)?)? {
                value = value.select(Axis(axis), &steps.indices());
            }
            Some(value)
        }
        "Gather" => gather(operands, dims),
        "Concat" => {
            let parts: Option<Vec<_>> =
                (0..node.input.len()).map(|i| operands.value(i).map(|value| value.view())).collect();
            let parts = parts?;
            let axis = shapes::axis(operators::integer(node, "axis", 0), parts.first()?.ndim())?;
            small(dims)?;
            ndarray::concatenate(Axis(axis), &parts).ok()
        }
        "Expand" => Some(operands.value(0)?.broadcast(small(dims)?)?.to_owned()),
        "Range" => {
            let (start, step) = (operands.scalar(0)?, operands.scalar(2)?);
            small(dims)?;
            shaped((0..*dims.first()?).map(|i| start + step * i as f64).collect(), dims)
        }
        "Where" => choose(operands, dims),
        "NonZero" => indices::non_zero(operands.value(0)?),
        "CumSum" => indices::running_sums(operands),
        "GatherElements" => indices::elements(operands, None),
        "GatherND" if operators::integer(node, "batch_dims", 0) == 0 => indices::parts(operands, None),
        "ScatterElements" | "Scatter" if !reduces(node) => indices::elements(operands, operands.value(2)),
        "ScatterND" if !reduces(node) => indices::parts(operands, operands.value(2)),
        "ReduceProd" | "ReduceSum" | "ReduceMin" | "ReduceMax" => reduce(operands, dims),
        _ => element_wise(operands, dims),
    }
}

/// Whether elements that are scattered to one place are added up, or the like.
fn reduces(node: &NodeProto) -> bool {
    operators::text(node, "reduction").is_some_and(|reduction| reduction != "none")
}

fn constant(node: &NodeProto) -> Option<Value> {
    let attribute = node.attribute.first()?;
    let floats = |list: &[f32]| list.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
    match attribute.name.as_deref()? {
        "value" => of_tensor(attribute.t.as_ref()?),
        "value_int" => shaped(vec![attribute.i? as f64], &[]),
        "value_float" => shaped(vec![f64::from(attribute.f?)], &[]),
        "value_ints" => {
            shaped(attribute.ints.iter().map(|&v| v as f64).collect(), &[attribute.ints.len() as u64])
        }
        "value_floats" => shaped(floats(&attribute.floats), &[attribute.floats.len() as u64]),
        _ => None,
    }
}

/// Numbers with one scale for all, as quantized scalars have it.
fn dequantize(operands: &Operands) -> Option<Value> {
    let number = |position| operands.value(position).filter(|value| value.len() == 1)?.first().copied();
    let scale = number(1)?;
    let zero = if operands.node.input.len() > 2 { number(2)? } else { 0.0 };
    Some(operands.value(0)?.mapv(|v| (v - zero) * scale))
}

fn gather(operands: &Operands, dims: &[u64]) -> Option<Value> {
    let (value, indices) = (operands.value(0)?, operands.value(1)?);
    let axis = shapes::axis(operators::integer(operands.node, "axis", 0), value.ndim())?;
    let size = value.shape()[axis] as i64;
    let index = |&index: &f64| {
        let index = index as i64;
        let index = if index < 0 { index.checked_add(size)? } else { index };
        usize::try_from(index).ok().filter(|_| index < size)
    };
    let indices: Vec<usize> = indices.iter().map(index).collect::<Option<_>>()?;
    small(dims)?;
    shaped(value.select(Axis(axis), &indices).iter().copied().collect(), dims)
}

fn split(operands: &Operands, dims: &[Vec<u64>]) -> Option<Vec<Option<Value>>> {
    let value = operands.value(0)?;
    let axis = shapes::axis(operators::integer(operands.node, "axis", 0), value.ndim())?;
    let mut start = 0;
    let mut parts = Vec::new();
    for dims in dims {
        let end = start + usize::try_from(*dims.get(axis)?).ok()?;
        if end > value.shape()[axis] {
            return None;
        }
        parts.push(Some(value.select(Axis(axis), &(start..end).collect::<Vec<_>>())));
        start = end;
    }
    Some(parts)
}

/// A reduction of all elements to one; others do not occur in shape arithmetic.
fn reduce(operands: &Operands, dims: &[u64]) -> Option<Value> {
    let value = operands.value(0)?;
    if value.is_empty() || product(dims.iter().copied())? != 1 {
        return None;
    }
    let elements = value.iter().copied();
    let result = match operators::onnx(operands.node)? {
        "ReduceProd" => elements.product(),
        "ReduceSum" => elements.sum(),
        "ReduceMin" => elements.fold(f64::INFINITY, f64::min),
        _ => elements.fold(f64::NEG_INFINITY, f64::max),
    };
    shaped(vec![result], dims)
}

fn choose(operands: &Operands, dims: &[u64]) -> Option<Value> {
    let shape = small(dims)?;
    let operand = |i: usize| operands.value(i)?.broadcast(shape.clone());
    let (test, no) = (operand(0)?, operand(2)?);
    let mut chosen = operand(1)?.to_owned();
    ndarray::Zip::from(&mut chosen).and(&test).and(&no).for_each(|chosen, &test, &no| {
        if test == 0.0 {
            *chosen = no;
        }
    });
    Some(chosen)
}

fn element_wise(operands: &Operands, dims: &[u64]) -> Option<Value> {
    let op = operators::onnx(operands.node)?;
    let shape = small(dims)?;
    let operand = |i: usize| Some(operands.value(i)?.broadcast(shape.clone())?.to_owned());
    if let Some(unary) = arithmetic::unary(op) {
        return Some(operand(0)?.mapv(unary));
    }
    let binary = match op {
        "Div" if operands.value_is_integer(0) => |a: f64, b: f64| (a / b).trunc(),
        "Mod" if operators::integer(operands.node, "fmod", 0) != 0 => |a, b| a % b,
        _ => arithmetic::binary(op)?,
    };
    let mut all = operand(0)?;
    for position in 1..operands.node.input.len() {
        all.zip_mut_with(&operand(position)?, |a, &b| *a = binary(*a, b));
    }
    Some(all)
}
