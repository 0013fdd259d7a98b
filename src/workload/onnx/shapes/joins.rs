//! What combines or reduces elements: products, joins, reductions, recurrent networks.

use super::{Operands, axis, broadcast};
use crate::workload::onnx::einsum::Einsum;
use crate::workload::onnx::types::MAX_RANK;

/// All inputs in one shape.
pub(super) fn broadcast_inputs(operands: &Operands) -> Option<Vec<u64>> {
    let positions = 0..operands.node.input.len();
    positions.map(|i| operands.dims(i)).try_fold(Vec::new(), |all, dims| broadcast(&all, &dims?))
}

pub(super) fn gemm(operands: &Operands) -> Option<Vec<u64>> {
    let (&[mut rows, inner], &[inner_b, mut columns]) = (&operands.dims(0)?[..], &operands.dims(1)?[..])
    else {
        return None;
    };
    if operands.integer("transA", 0) != 0 {
        rows = inner;
    }
    if operands.integer("transB", 0) != 0 {
        columns = inner_b;
    }
    Some(vec![rows, columns])
}

/// As numpy does: a vector is a matrix whose extra dimension goes away again, and leading dimensions broadcast.
pub(super) fn matmul(operands: &Operands) -> Option<Vec<u64>> {
    let (a, b) = (operands.dims(0)?, operands.dims(1)?);
    let (a_lead, rows) = match &a[..] {
        [] => return None,
        [_] => (&[][..], None),
        [lead @ .., rows, _] => (lead, Some(*rows)),
    };
    let (b_lead, columns) = match &b[..] {
        [] => return None,
        [_] => (&[][..], None),
        [lead @ .., _, columns] => (lead, Some(*columns)),
    };
    let mut dims = broadcast(a_lead, b_lead)?;
    dims.extend(rows);
    dims.extend(columns);
    Some(dims)
}

pub(super) fn einsum(operands: &Operands) -> Option<Vec<u64>> {
    let inputs = (0..operands.node.input.len()).map(|i| operands.dims(i)).collect::<Option<Vec<_>>>()?;
    Some(Einsum::new(operands.node, &inputs).ok()?.shape())
}

/// Sequence, last state and, for an LSTM, last cell.
pub(super) fn recurrent(operands: &Operands) -> Option<Vec<Vec<u64>>> {
    let (&[first, second, _], &[directions, _, hidden]) = (&operands.dims(0)?[..], &operands.dims(2)?[..])
    else {
        return None;
    };
    Some(match operands.integer("layout", 0) {
        0 => {
            let state = vec![directions, second, hidden];
            vec![vec![first, directions, second, hidden], state.clone(), state]
        }
        _ => {
            let state = vec![first, directions, hidden];
            vec![vec![first, second, directions, hidden], state.clone(), state]
        }
    })
}

pub(super) fn concat(operands: &Operands) -> Option<Vec<u64>> {
    let mut all = operands.dims(0)?;
    // Operator sets before 4 had a default axis of 1.
    let axis = axis(operands.integer("axis", 1), all.len())?;
    for position in 1..operands.node.input.len() {
        let dims = operands.dims(position)?;
        let fits = dims.len() == all.len() && (0..all.len()).all(|i| i == axis || dims[i] == all[i]);
        all[axis] = all[axis].checked_add(*dims.get(axis).filter(|_| fits)?)?;
    }
    Some(all)
}

pub(super) fn reduce(operands: &Operands) -> Option<Vec<u64>> {
    Some(without(operands, &operands.dims(0)?, &reduced_axes(operands)?))
}

/// The axes along which a reduction goes.
pub(in crate::workload::onnx) fn reduced_axes(operands: &Operands) -> Option<Vec<usize>> {
    let rank = operands.dims(0)?.len();
    match operands.integers("axes", 1)?.filter(|axes| !axes.is_empty()) {
        Some(axes) if axes.len() <= MAX_RANK => axes.into_iter().map(|a| axis(a, rank)).collect(),
        Some(_) => None,
        None if operands.integer("noop_with_empty_axes", 0) != 0 => Some(Vec::new()),
        None => Some((0..rank).collect()),
    }
}

pub(super) fn arg(operands: &Operands) -> Option<Vec<u64>> {
    let input = operands.dims(0)?;
    let axis = axis(operands.integer("axis", 0), input.len())?;
    Some(without(operands, &input, &[axis]))
}

fn without(operands: &Operands, input: &[u64], axes: &[usize]) -> Vec<u64> {
    let keeps = operands.integer("keepdims", 1) != 0;
    let kept = |(i, &size): (usize, &u64)| match axes.contains(&i) {
        true => keeps.then_some(1),
        false => Some(size),
    };
    input.iter().enumerate().filter_map(kept).collect()
}
