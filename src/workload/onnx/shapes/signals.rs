//! Signals: windows, spectra, random numbers.

use super::{Operands, axis, sizes};
use crate::workload::onnx::operators;

/// As many weights as the first input says.
pub(super) fn window(operands: &Operands) -> Option<Vec<u64>> {
    sizes([operands.scalar(0)? as i64])
}

/// A filter for every band of the spectrum.
pub(super) fn mel_weights(operands: &Operands) -> Option<Vec<u64>> {
    sizes([operands.scalar(1)? as i64 / 2 + 1, operands.scalar(0)? as i64])
}

/// Random numbers of a given shape.
pub(super) fn random(operands: &Operands) -> Option<Vec<u64>> {
    sizes(operators::integers(operands.node, "shape")?.iter().copied())
}

/// The spectrum of one axis, whose last dimension has real and imaginary parts.
pub(super) fn spectrum(operands: &Operands) -> Option<Vec<u64>> {
    let mut dims = operands.dims(0)?;
    // Operator set 20 made the axis an input.
    let at = match operands.name(2) {
        Some(_) => operands.scalar(2)? as i64,
        None => operands.integer("axis", 1),
    };
    let at = axis(at, dims.len())?;
    if operands.name(1).is_some() {
        dims[at] = *sizes([operands.scalar(1)? as i64])?.first()?;
    }
    let (is_onesided, is_inverse) =
        (operands.integer("onesided", 0) != 0, operands.integer("inverse", 0) != 0);
    let last = dims.len() - 1;
    match (is_onesided, is_inverse) {
        (true, true) => dims[last] = 1,
        (true, false) => (dims[at], dims[last]) = (dims[at] / 2 + 1, 2),
        _ => dims[last] = 2,
    }
    Some(dims)
}

/// A spectrum for every frame of a signal.
pub(super) fn spectra(operands: &Operands) -> Option<Vec<u64>> {
    let dims = operands.dims(0)?;
    let (&batch, &length) = (dims.first()?, dims.get(1)?);
    let step = *sizes([operands.scalar(1)? as i64])?.first()?;
    let frame = match operands.name(3) {
        Some(_) => *sizes([operands.scalar(3)? as i64])?.first()?,
        None => *operands.dims(2)?.first()?,
    };
    let frames = length.checked_sub(frame)?.checked_div(step)?.checked_add(1)?;
    let bins = if operands.integer("onesided", 1) != 0 { frame / 2 + 1 } else { frame };
    Some(vec![batch, frames, bins, 2])
}
