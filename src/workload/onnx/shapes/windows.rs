//! Convolution, pooling, resizing: output sizes along the spatial dimensions.

use super::{MAX_SIZE, Operands, numbers, sizes};
use crate::workload::layer::product;
use crate::workload::onnx::operators;

/// Batch, then output channels, then windows over the rest.
pub(super) fn conv(operands: &Operands) -> Option<Vec<u64>> {
    let (input, weight) = (operands.dims(0)?, operands.dims(1)?);
    if input.len() < 3 || weight.len() != input.len() {
        return None;
    }
    let spatial = windows(operands, &input[2..], &weight[2..])?;
    Some([&[input[0], weight[0]], &spatial[..]].concat())
}

/// Batch and channels stay.
pub(super) fn pool(operands: &Operands) -> Option<Vec<u64>> {
    let input = operands.dims(0)?;
    let kernel = sizes(operators::integers(operands.node, "kernel_shape")?.iter().copied())?;
    if input.len() < 3 || kernel.len() != input.len() - 2 {
        return None;
    }
    let spatial = windows(operands, &input[2..], &kernel)?;
    Some([&input[..2], &spatial[..]].concat())
}

pub(super) fn global_pool(operands: &Operands) -> Option<Vec<u64>> {
    let input = operands.dims(0)?;
    (input.len() >= 2)
        .then(|| input.iter().enumerate().map(|(i, &size)| if i < 2 { size } else { 1 }).collect())
}

/// One number per spatial dimension, or the default for each.
fn spatial(operands: &Operands, attribute: &str, count: usize, default: i64) -> Option<Vec<i64>> {
    let list = match operators::integers(operands.node, attribute) {
        None | Some([]) => return Some(vec![default; count]),
        Some(list) => list,
    };
    (list.len() == count && list.iter().all(|&v| v.abs() <= MAX_SIZE)).then(|| list.to_vec())
}

/// How many windows there are along each spatial dimension.
fn windows(operands: &Operands, input: &[u64], kernel: &[u64]) -> Option<Vec<u64>> {
    let (input, kernel) = (numbers(input)?, numbers(kernel)?);
    let count = input.len();
    let strides = spatial(operands, "strides", count, 1)?;
    let dilations = spatial(operands, "dilations", count, 1)?;
    let pads = spatial(operands, "pads", 2 * count, 0)?;
    let ceil = operands.integer("ceil_mode", 0) != 0;
    let mode = operators::text(operands.node, "auto_pad");
    let along = |i: usize| {
        let (stride, reach) = (strides[i], (kernel[i] - 1).checked_mul(dilations[i])?);
        if stride < 1 {
            return None;
        }
        if let Some("SAME_UPPER" | "SAME_LOWER") = mode {
            return Some(input[i].div_euclid(stride) + i64::from(input[i] % stride != 0));
        }
        let (before, after) = if mode == Some("VALID") { (0, 0) } else { (pads[i], pads[count + i]) };
        let room = input[i] + before + after - reach - 1;
        if room < 0 {
            return None;
        }
        let windows = room / stride + 1;
        // A window that would start beyond the input, in the padding at its end, does not count.
        let more = ceil && room % stride != 0 && windows * stride < input[i] + before;
        Some(windows + i64::from(more))
    };
    sizes((0..count).map(along).collect::<Option<Vec<_>>>()?)
}

/// Whether a window of a convolution or pooling is longer than its padded input; `None` if that is not known.
pub(super) fn is_too_small(operands: &Operands) -> Option<bool> {
    let input = operands.dims(0)?;
    let kernel = match operators::onnx(operands.node)? {
        "Conv" | "DeformConv" => operands.dims(1)?.split_off(2),
        "MaxPool" | "AveragePool" | "LpPool" => {
            sizes(operators::integers(operands.node, "kernel_shape")?.iter().copied())?
        }
        _ => return None,
    };
    let (input, kernel) = (numbers(input.get(2..)?)?, numbers(&kernel)?);
    let count = input.len();
    let (dilations, pads) =
        (spatial(operands, "dilations", count, 1)?, spatial(operands, "pads", 2 * count, 0)?);
    let is_longer = |i: usize| {
        let reach = (kernel[i] - 1).saturating_mul(dilations[i]).saturating_add(1);
        reach > input[i] + pads[i] + pads[count + i]
    };
    (kernel.len() == count).then(|| (0..count).any(is_longer))
}

pub(super) fn conv_transpose(operands: &Operands) -> Option<Vec<u64>> {
    let (input, weight) = (operands.dims(0)?, operands.dims(1)?);
    if input.len() < 3 || weight.len() != input.len() {
        return None;
    }
    let channels = weight[1].checked_mul(u64::try_from(operands.integer("group", 1)).ok()?)?;
    let (extents, kernel) = (numbers(&input[2..])?, numbers(&weight[2..])?);
    let count = extents.len();
    let strides = spatial(operands, "strides", count, 1)?;
    let dilations = spatial(operands, "dilations", count, 1)?;
    let pads = spatial(operands, "pads", 2 * count, 0)?;
    let extra = spatial(operands, "output_padding", count, 0)?;
    let mode = operators::text(operands.node, "auto_pad");
    let along = |i: usize| {
        let scattered = (extents[i] - 1).checked_mul(strides[i])?;
        let reach = (kernel[i] - 1).checked_mul(dilations[i])?;
        match mode {
            Some("SAME_UPPER" | "SAME_LOWER") => extents[i].checked_mul(strides[i]),
            Some("VALID") => scattered.checked_add(reach + 1 + extra[i]),
            _ => scattered.checked_add(reach + 1 + extra[i] - pads[i] - pads[count + i]),
        }
    };
    let spatial = match operators::integers(operands.node, "output_shape") {
        Some(given) if given.len() == count => given.to_vec(),
        Some(_) => return None,
        None => (0..count).map(along).collect::<Option<Vec<_>>>()?,
    };
    Some([&[input[0], channels], &sizes(spatial)?[..]].concat())
}

/// By sizes or by scales: an attribute (operator set 7), the second input (9, 10), or the third and fourth (11).
pub(super) fn resize(operands: &Operands) -> Option<Vec<u64>> {
    let input = operands.dims(0)?;
    if operators::text(operands.node, "keep_aspect_ratio_policy").is_some_and(|policy| policy != "stretch") {
        return None;
    }
    let axes = match operators::integers(operands.node, "axes") {
        Some(axes) => axes.iter().map(|&axis| super::axis(axis, input.len())).collect::<Option<Vec<_>>>()?,
        None => (0..input.len()).collect(),
    };
    let mut output = input.clone();
    let scales_at = if operands.node.input.len() > 2 { 2 } else { 1 };
    if let Some(Some(given)) = operands.input_integers(3) {
        let given = sizes(given)?;
        if given.len() != axes.len() {
            return None;
        }
        axes.iter().zip(given).for_each(|(&axis, size)| output[axis] = size);
        return Some(output);
    }
    let scales: Vec<f64> = match operators::floats(operands.node, "scales") {
        Some(scales) => scales.iter().map(|&scale| f64::from(scale)).collect(),
        None => operands.value(scales_at)?.iter().copied().collect(),
    };
    if scales.len() != axes.len() {
        return None;
    }
    // A scale is stored with 32 bits: what it was meant to give may be missed by that much.
    let scaled =
        |size: u64, scale: f64| (size as f64 * scale * (1.0 + f64::from(f32::EPSILON))).floor() as u64;
    axes.iter().zip(scales).for_each(|(&axis, scale)| output[axis] = scaled(input[axis], scale));
    Some(output)
}

/// Samples of every channel at the places that a grid gives.
pub(super) fn grid_sample(operands: &Operands) -> Option<Vec<u64>> {
    let (input, grid) = (operands.dims(0)?, operands.dims(1)?);
    let (_, places) = grid.get(1..)?.split_last()?;
    (input.len() == grid.len()).then(|| [&input[..2], places].concat())
}

/// A place for every pixel of an image of the given size.
pub(super) fn affine_grid(operands: &Operands) -> Option<Vec<u64>> {
    let size = sizes(operands.input_integers(1)??)?;
    let [batch, _, spatial @ ..] = &size[..] else { return None };
    Some([&[*batch], spatial, &[spatial.len() as u64]].concat())
}

pub(super) fn roi_align(operands: &Operands) -> Option<Vec<u64>> {
    let (input, regions) = (operands.dims(0)?, operands.dims(1)?);
    let [height, width] =
        ["output_height", "output_width"].map(|name| u64::try_from(operands.integer(name, 1)).ok());
    Some(vec![*regions.first()?, *input.get(1)?, height?, width?])
}

/// Columns of blocks, added up to an image.
pub(super) fn columns_to_image(operands: &Operands) -> Option<Vec<u64>> {
    let &[batch, rows, _] = &operands.dims(0)?[..] else { return None };
    let (image, block) = (sizes(operands.input_integers(1)??)?, sizes(operands.input_integers(2)??)?);
    let channels = rows.checked_div(product(block)?)?;
    Some([&[batch, channels], &image[..]].concat())
}
