//! What moves elements without computing: reshaping, slicing, gathering, padding.

use rten_onnx::onnx::NodeProto;

use super::{MAX_SIZE, Operands, axis, broadcast, numbers, sizes};
use crate::workload::layer::product;
use crate::workload::onnx::operators;
use crate::workload::onnx::types::MAX_RANK;

/// 0 keeps a size, -1 takes what is left.
pub(super) fn reshape(operands: &Operands) -> Option<Vec<u64>> {
    let target = operands.integers("shape", 1)??;
    let keeps = operands.integer("allowzero", 0) == 0;
    if target.len() > MAX_RANK {
        return None;
    }
    if target.iter().all(|&size| size > 0) {
        return sizes(target);
    }
    let input = operands.dims(0)?;
    let mut output = Vec::with_capacity(target.len());
    let mut open = None;
    for (i, &size) in target.iter().enumerate() {
        match size {
            0 if keeps => output.push(*input.get(i)?),
            -1 if open.is_none() => {
                open = Some(i);
                output.push(1);
            }
            _ => output.push(u64::try_from(size).ok()?),
        }
    }
    if let Some(open) = open {
        let (all, rest) = (product(input)?, product(output.iter().copied())?);
        output[open] = all.checked_div(rest).filter(|size| size * rest == all)?;
    }
    Some(output)
}

pub(super) fn flatten(operands: &Operands) -> Option<Vec<u64>> {
    let input = operands.dims(0)?;
    let at = operands.integer("axis", 1);
    let at = if at == input.len() as i64 { input.len() } else { axis(at, input.len())? };
    Some(vec![product(input[..at].iter().copied())?, product(input[at..].iter().copied())?])
}

/// The order of a Transpose's dimensions; reversed by default.
pub(in super::super) fn permutation(node: &NodeProto, rank: usize) -> Option<Vec<usize>> {
    let Some(order) = operators::integers(node, "perm") else { return Some((0..rank).rev().collect()) };
    let order: Vec<usize> = order.iter().map(|&i| usize::try_from(i).ok()).collect::<Option<_>>()?;
    let mut sorted = order.clone();
    sorted.sort_unstable();
    sorted.into_iter().eq(0..rank).then_some(order)
}

pub(super) fn transpose(operands: &Operands) -> Option<Vec<u64>> {
    let input = operands.dims(0)?;
    Some(permutation(operands.node, input.len())?.into_iter().map(|i| input[i]).collect())
}

pub(super) fn squeeze(operands: &Operands) -> Option<Vec<u64>> {
    let input = operands.dims(0)?;
    let axes = match operands.integers("axes", 1)? {
        Some(axes) => axes.into_iter().map(|a| axis(a, input.len())).collect::<Option<Vec<_>>>()?,
        None => (0..input.len()).filter(|&i| input[i] == 1).collect(),
    };
    Some((0..input.len()).filter(|i| !axes.contains(i)).map(|i| input[i]).collect())
}

pub(super) fn unsqueeze(operands: &Operands) -> Option<Vec<u64>> {
    let input = operands.dims(0)?;
    let axes = operands.integers("axes", 1)??;
    let rank = input.len() + axes.len();
    if rank > MAX_RANK {
        return None;
    }
    let axes: Vec<usize> = axes.into_iter().map(|a| axis(a, rank)).collect::<Option<_>>()?;
    let mut rest = input.into_iter();
    let output: Vec<u64> =
        (0..rank).map(|i| if axes.contains(&i) { Some(1) } else { rest.next() }).collect::<Option<_>>()?;
    rest.next().is_none().then_some(output)
}

/// The elements that a Slice takes along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Steps {
    start: i64,
    step: i64,
    count: u64,
}

impl Steps {
    /// `start..end` by `step` in a dimension of `size`; bounds count from the end where they are negative, and are
    /// clamped.
    fn new(size: i64, start: i64, end: i64, step: i64) -> Option<Self> {
        let from_end = |bound: i64| if bound < 0 { bound.saturating_add(size) } else { bound };
        let (low, high) = if step > 0 { (0, size) } else { (-1, size - 1) };
        let start = from_end(start).clamp(low.max(0), high.max(0));
        let end = from_end(end).clamp(low, high);
        let span = if step > 0 { end - start } else { start - end };
        let length = i64::try_from(step.unsigned_abs()).ok().filter(|&length| length > 0)?;
        let count = if span > 0 && size > 0 { (span - 1) / length + 1 } else { 0 };
        Some(Self { start, step, count: u64::try_from(count).ok()? })
    }

    /// The places of the elements; to be asked of short dimensions only.
    pub(in super::super) fn indices(&self) -> Vec<usize> {
        let place = |i: u64| usize::try_from(self.start + self.step * i as i64);
        (0..self.count).map(|i| place(i).expect("steps stay inside the dimension")).collect()
    }
}

/// What a Slice takes along each axis that it names.
pub(in super::super) fn slices(operands: &Operands, input: &[u64]) -> Option<Vec<(usize, Steps)>> {
    let extents = numbers(input)?;
    let (starts, ends) = (operands.integers("starts", 1)??, operands.integers("ends", 2)??);
    let axes = operands.integers("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = operands.input_integers(4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] || starts.len() > MAX_RANK {
        return None;
    }
    let one = |i: usize| {
        let axis = axis(axes[i], extents.len())?;
        Some((axis, Steps::new(extents[axis], starts[i], ends[i], steps[i])?))
    };
    (0..starts.len()).map(one).collect()
}

pub(super) fn slice(operands: &Operands) -> Option<Vec<u64>> {
    let mut dims = operands.dims(0)?;
    for (axis, steps) in slices(operands, &dims)? {
        dims[axis] = steps.count;
    }
    Some(dims)
}

/// By given sizes, or into as many parts as there are outputs, the last of which may be smaller.
pub(super) fn split(operands: &Operands) -> Option<Vec<Vec<u64>>> {
    let input = operands.dims(0)?;
    let axis = axis(operands.integer("axis", 0), input.len())?;
    let outputs = operands.node.output.len() as u64;
    let parts = match operands.integers("split", 1)? {
        Some(parts) => sizes(parts)?,
        None => {
            let part = input[axis].div_ceil(outputs.max(1));
            (0..outputs).map(|i| input[axis].saturating_sub(i * part).min(part)).collect()
        }
    };
    let sized = |part: u64| {
        let mut dims = input.clone();
        dims[axis] = part;
        dims
    };
    // More parts than outputs would have no bound.
    (parts.len() as u64 == outputs).then(|| parts.into_iter().map(sized).collect())
}

pub(super) fn expand(operands: &Operands) -> Option<Vec<u64>> {
    broadcast(&operands.dims(0)?, &sizes(operands.input_integers(1)??)?)
}

pub(super) fn tile(operands: &Operands) -> Option<Vec<u64>> {
    let (input, repeats) = (operands.dims(0)?, sizes(operands.input_integers(1)??)?);
    let same_rank = input.len() == repeats.len();
    same_rank.then(|| input.iter().zip(repeats).map(|(&size, n)| size.checked_mul(n)).collect())?
}

pub(super) fn pad(operands: &Operands) -> Option<Vec<u64>> {
    let mut dims = numbers(&operands.dims(0)?)?;
    let pads = operands.integers("pads", 1)??;
    let axes = match operands.input_integers(3)? {
        Some(axes) => axes.into_iter().map(|a| axis(a, dims.len())).collect::<Option<Vec<_>>>()?,
        None => (0..dims.len()).collect(),
    };
    if pads.len() != 2 * axes.len() || pads.iter().any(|&pad| pad.saturating_abs() > MAX_SIZE) {
        return None;
    }
    let (before, after) = pads.split_at(axes.len());
    for ((&axis, before), after) in axes.iter().zip(before).zip(after) {
        dims[axis] = dims[axis].checked_add(before + after)?;
    }
    sizes(dims)
}

pub(super) fn gather(operands: &Operands) -> Option<Vec<u64>> {
    let (data, indices) = (operands.dims(0)?, operands.dims(1)?);
    let axis = axis(operands.integer("axis", 0), data.len())?;
    Some([&data[..axis], &indices[..], &data[axis + 1..]].concat())
}

pub(super) fn gather_nd(operands: &Operands) -> Option<Vec<u64>> {
    let (data, indices) = (operands.dims(0)?, operands.dims(1)?);
    let (&depth, rest) = indices.split_last()?;
    let batch = usize::try_from(operands.integer("batch_dims", 0)).ok()?;
    let taken = batch.checked_add(usize::try_from(depth).ok()?)?;
    Some([rest, data.get(taken..)?].concat())
}

/// Channels become blocks of pixels.
pub(super) fn depth_to_space(operands: &Operands) -> Option<Vec<u64>> {
    let &[n, c, h, w] = &operands.dims(0)?[..] else { return None };
    let block = u64::try_from(operands.integer("blocksize", 0)).ok().filter(|&block| block > 0)?;
    let channels = c.checked_div(block.checked_mul(block)?)?;
    Some(vec![n, channels, h.checked_mul(block)?, w.checked_mul(block)?])
}

/// Blocks of pixels become channels.
pub(super) fn space_to_depth(operands: &Operands) -> Option<Vec<u64>> {
    let &[n, c, h, w] = &operands.dims(0)?[..] else { return None };
    let block = u64::try_from(operands.integer("blocksize", 0)).ok().filter(|&block| block > 0)?;
    Some(vec![n, c.checked_mul(block.checked_mul(block)?)?, h / block, w / block])
}

pub(super) fn one_hot(operands: &Operands) -> Option<Vec<u64>> {
    let mut dims = operands.dims(0)?;
    let depth = u64::try_from(operands.scalar(1)? as i64).ok()?;
    let at = axis(operands.integer("axis", -1), dims.len() + 1)?;
    dims.insert(at, depth);
    Some(dims)
}

/// The dimensions that a Shape node reads.
pub(in super::super) fn shape_range(node: &NodeProto, rank: usize) -> std::ops::Range<usize> {
    let clamp = |bound: i64| {
        let bound = if bound < 0 { bound.saturating_add(rank as i64) } else { bound };
        bound.clamp(0, rank as i64) as usize
    };
    let start = clamp(operators::integer(node, "start", 0));
    start..clamp(operators::integer(node, "end", i64::MAX)).max(start)
}

pub(super) fn constant(node: &NodeProto) -> Option<Vec<u64>> {
    let attribute = node.attribute.first()?;
    match attribute.name.as_deref()? {
        "value" => sizes(attribute.t.as_ref()?.dims.iter().copied()),
        "value_int" | "value_float" => Some(Vec::new()),
        "value_ints" => Some(vec![attribute.ints.len() as u64]),
        "value_floats" => Some(vec![attribute.floats.len() as u64]),
        _ => None,
    }
}

pub(super) fn range(operands: &Operands) -> Option<Vec<u64>> {
    let [start, limit, step] = [operands.scalar(0)?, operands.scalar(1)?, operands.scalar(2)?];
    let count = ((limit - start) / step).ceil();
    (count.is_finite() && count <= MAX_SIZE as f64).then(|| vec![count.max(0.0) as u64])
}

/// The largest elements along an axis, and their places.
pub(super) fn top_k(operands: &Operands) -> Option<Vec<Vec<u64>>> {
    let mut dims = operands.dims(0)?;
    let axis = axis(operands.integer("axis", -1), dims.len())?;
    // Operator sets before 10 had an attribute.
    let count = match operands.input_integers(1)? {
        Some(list) => *list.first()?,
        None => operands.integer("k", -1),
    };
    dims[axis] = u64::try_from(count).ok()?;
    Some(vec![dims.clone(), dims])
}

/// As many boxes as may be left: how many there are depends on data.
pub(super) fn most_boxes(operands: &Operands) -> Option<Vec<u64>> {
    let (&[batch, boxes, _], &[_, classes, _]) = (&operands.dims(0)?[..], &operands.dims(1)?[..]) else {
        return None;
    };
    let most = match operands.input_integers(2)? {
        Some(list) => u64::try_from(*list.first()?).ok()?,
        None => 0,
    };
    Some(vec![batch.checked_mul(classes)?.checked_mul(most.min(boxes))?, 3])
}

pub(super) fn center_crop_pad(operands: &Operands) -> Option<Vec<u64>> {
    let mut dims = operands.dims(0)?;
    let given = sizes(operands.input_integers(1)??)?;
    let axes = match operators::integers(operands.node, "axes") {
        Some(axes) => axes.iter().map(|&a| axis(a, dims.len())).collect::<Option<Vec<_>>>()?,
        None => (0..dims.len()).collect(),
    };
    (axes.len() == given.len()).then_some(())?;
    axes.into_iter().zip(given).for_each(|(axis, size)| dims[axis] = size);
    Some(dims)
}

/// Channels rounded up to whole blocks.
pub(super) fn in_blocks(operands: &Operands) -> Option<Vec<u64>> {
    let mut dims = operands.dims(0)?;
    let block = u64::try_from(operands.integer("block", 0)).ok()?;
    let channels = dims.get_mut(1)?;
    *channels = channels.checked_next_multiple_of(block)?;
    Some(dims)
}
