//! Constants by index, as shape arithmetic uses them: a size of a shape is replaced, sizes are picked or counted.
//! Reductions while scattering and batches of indices are left out.

use ndarray::{ArrayD, ArrayView1, Axis, IxDyn};

use super::operators;
use super::shapes::{self, Operands};
use super::values::Value;

/// The places of what is not zero, a column each.
pub(super) fn non_zero(value: &Value) -> Option<Value> {
    let places: Vec<_> = value.indexed_iter().filter(|(_, v)| **v != 0.0).map(|(place, _)| place).collect();
    let coordinates = (0..value.ndim()).flat_map(|axis| places.iter().map(move |place| place[axis] as f64));
    ArrayD::from_shape_vec(IxDyn(&[value.ndim(), places.len()]), coordinates.collect()).ok()
}

/// A place along an axis of `size`, which may count from its end.
fn place(index: f64, size: usize) -> Option<usize> {
    shapes::axis(index as i64, size)
}

/// For each index the element there, or, with `updates`, the data with these elements there.
pub(super) fn elements(operands: &Operands, updates: Option<&Value>) -> Option<Value> {
    let (data, indices) = (operands.value(0)?, operands.value(1)?);
    let axis = shapes::axis(operators::integer(operands.node, "axis", 0), data.ndim())?;
    if indices.ndim() != data.ndim() || updates.is_some_and(|updates| updates.shape() != indices.shape()) {
        return None;
    }
    let mut result = if updates.is_some() { data.clone() } else { indices.clone() };
    for (at, &index) in indices.indexed_iter() {
        let mut there = at.clone();
        there[axis] = place(index, data.shape()[axis])?;
        match updates {
            Some(updates) => *result.get_mut(there)? = updates[at],
            None => result[at] = *data.get(there)?,
        }
    }
    Some(result)
}

/// For each row of indices the part of the data there, or, with `updates`, the data with these parts there.
pub(super) fn parts(operands: &Operands, updates: Option<&Value>) -> Option<Value> {
    let (data, indices) = (operands.value(0)?, operands.value(1)?);
    let depth = *indices.shape().last()?;
    let shape = [indices.shape().split_last()?.1, data.shape().get(depth..)?].concat();
    let starts = indices.rows().into_iter().map(|row| start(row, data.shape()));
    let starts = starts.collect::<Option<Vec<_>>>()?;
    let part: usize = data.shape()[depth..].iter().product();
    let mut flat: Vec<f64> = data.iter().copied().collect();
    let Some(updates) = updates else {
        let parts = starts.into_iter().flat_map(|start| flat[start..start + part].iter().copied());
        return ArrayD::from_shape_vec(shape, parts.collect()).ok();
    };
    if updates.shape() != shape {
        return None;
    }
    let new: Vec<f64> = updates.iter().copied().collect();
    for (start, new) in starts.into_iter().zip(new.chunks(part.max(1))) {
        flat[start..start + part].copy_from_slice(new);
    }
    ArrayD::from_shape_vec(data.raw_dim(), flat).ok()
}

/// Where the part of an array at some first coordinates begins.
fn start(coordinates: ArrayView1<f64>, shape: &[usize]) -> Option<usize> {
    let mut start = 0;
    for (axis, &size) in shape.iter().enumerate() {
        start *= size;
        start += coordinates.get(axis).map_or(Some(0), |&index| place(index, size))?;
    }
    Some(start)
}

/// Sums up to each place along an axis.
pub(super) fn running_sums(operands: &Operands) -> Option<Value> {
    let data = operands.value(0)?;
    let axis = Axis(shapes::axis(operands.scalar(1)? as i64, data.ndim())?);
    let is_reverse = operators::integer(operands.node, "reverse", 0) != 0;
    let mut sums = data.clone();
    if is_reverse {
        sums.invert_axis(axis);
    }
    sums.accumulate_axis_inplace(axis, |&before, sum| *sum += before);
    if is_reverse {
        sums.invert_axis(axis);
    }
    let is_exclusive = operators::integer(operands.node, "exclusive", 0) != 0;
    Some(if is_exclusive { sums - data } else { sums })
}
