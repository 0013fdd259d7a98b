//! Finds out what a group of nodes computes, by computing it on some numbers.
//!
//! Input and result of the group are twelve samples of six elements; where the group reduces, these stand for the
//! elements along the axes of the reduction, and a sum counts them as often as makes the true number. Constants of one
//! element have their value, and so have those that the graph fills with one number; all others stand for parameters
//! that were trained, and get a number of their own per element. All reductions of a group must go along the same axes,
//! and nothing in it may repeat elements other than what a reduction left.

use std::collections::BTreeMap;

use rten_onnx::onnx::{DataType, NodeProto};

use super::members::{is_kept, is_reduction, is_view, reduced};
use super::norms::standardised;
use crate::workload::layer::product;
use crate::workload::onnx::arithmetic::{cast, element};
use crate::workload::onnx::graph::inputs;
use crate::workload::onnx::operators::integer;
use crate::workload::onnx::shapes::{Operands, reduced_axes};
use crate::workload::onnx::tensors::{Origin, Tensors};

/// Elements of one sample.
pub(super) const ELEMENTS: usize = 6;
/// Half of the numbers that every group is tried on; the other half are the same times [`FAR`]. Our choice: between
/// and beyond the bends of all activations (0, 1, 3, 6), of both signs at every place, with means other than zero.
const NEAR: [[f64; ELEMENTS]; 6] = [
    [0.0, 0.25, 1.0, -1.0, -0.25, 3.5],
    [-2.2, -0.6, -3.7, 2.4, 0.7, -1.4],
    [5.1, -4.6, 0.4, 0.05, -5.3, 2.9],
    [1.8, 2.7, -0.05, -2.6, 3.2, -0.9],
    [-1.7, 0.9, 4.3, -3.3, 1.3, -4.1],
    [0.6, -9.3, -2.1, 8.6, -0.4, 1.1],
];
/// Numbers of this size show limits, and beside their squares no epsilon counts.
pub(super) const FAR: f64 = 1e4;

/// The outputs of a group of nodes for the samples.
pub(super) struct Response<'m> {
    /// The samples, near and far.
    pub(super) input: Vec<f64>,
    pub(super) output: Vec<f64>,
    /// The parameters in the order of their use.
    pub(super) parameters: Vec<Parameter<'m>>,
    /// The axes of the reductions; none in a group that works on each element alone.
    pub(super) axes: Vec<usize>,
    /// How many elements are reduced to one.
    pub(super) reduced: f64,
    /// Whether what is reduced has another shape than input and output.
    pub(super) is_regrouped: bool,
    /// The tolerance for the effect of rounded constants.
    pub(super) tolerance: f64,
}

/// A trained constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parameter<'m> {
    pub(super) tensor: &'m str,
    /// The axes along which it has more than one element.
    pub(super) along: Vec<usize>,
    pub(super) elements: f64,
}

/// The numbers of near samples.
pub(super) fn near(all: &[f64]) -> &[f64] {
    &all[..NEAR.as_flattened().len()]
}

/// The numbers of far samples.
pub(super) fn far(all: &[f64]) -> &[f64] {
    &all[NEAR.as_flattened().len()..]
}

/// A tensor on the samples.
#[derive(Clone)]
struct Signal {
    form: Form,
    dims: Vec<u64>,
    elements: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As many elements as the input.
    Full,
    /// Reduced along the axes, which stay with a size of 1.
    Reduced,
    /// Reduced along the axes, which are gone.
    Collapsed,
    Constant,
}

struct Probe<'m> {
    tensors: &'m Tensors<'m>,
    axes: Vec<usize>,
    /// The shape of what is reduced.
    space: Vec<u64>,
    signals: BTreeMap<&'m str, Signal>,
    parameters: Vec<Parameter<'m>>,
}

/// Computes a group of nodes, given in topological order, on the samples; `None` if it is not a function of one
/// tensor, element by element or along some axes.
pub(super) fn respond<'m>(
    nodes: &[&'m NodeProto],
    input: &'m str,
    tensors: &'m Tensors<'m>,
) -> Option<Response<'m>> {
    let (axes, space) = reductions(nodes, tensors)?;
    let samples: Vec<f64> =
        [1.0, FAR].iter().flat_map(|by| NEAR.iter().flatten().map(move |x| x * by)).collect();
    // Integers are divided otherwise.
    let dims = tensors.known_dims(input).filter(|_| tensors.is_float(input))?;
    let reduced = axes.iter().map(|&axis| space[axis] as f64).product();
    let signal = Signal { form: Form::Full, dims: dims.clone(), elements: samples.clone() };
    let signals = BTreeMap::from([(input, signal)]);
    let mut probe = Probe { tensors, axes, space, signals, parameters: Vec::new() };
    for node in nodes {
        let signal = probe.compute(node)?;
        probe.signals.insert(output(node)?, signal);
    }
    let result = probe.signals.remove(output(nodes.last()?)?)?;
    (result.form == Form::Full && result.dims == dims).then(|| Response {
        input: samples,
        output: result.elements,
        is_regrouped: probe.space != dims,
        parameters: probe.parameters,
        axes: probe.axes,
        reduced,
        tolerance: tolerance(nodes, tensors),
    })
}

fn output(node: &NodeProto) -> Option<&str> {
    node.output.first().map(String::as_str)
}

/// The axes of all reductions, and the shape that they reduce; `None` if two differ.
fn reductions(nodes: &[&NodeProto], tensors: &Tensors) -> Option<(Vec<usize>, Vec<u64>)> {
    let mut all = None;
    for node in nodes {
        let op = node.op_type.as_deref()?;
        let operands = Operands { node, tensors };
        let axes = match op {
            "InstanceNormalization" => (2..operands.dims(0)?.len()).collect(),
            _ if is_reduction(op) => {
                let mut axes = reduced_axes(&operands)?;
                axes.sort_unstable();
                axes
            }
            _ => continue,
        };
        if axes.is_empty() {
            return None;
        }
        let this = (axes, operands.dims(0)?);
        if all.get_or_insert_with(|| this.clone()) != &this {
            return None;
        }
    }
    Some(all.unwrap_or_default())
}

/// What rounding in the coarsest format of a group may change: constants have about 7, 3 and 2 digits.
fn tolerance(nodes: &[&NodeProto], tensors: &Tensors) -> f64 {
    let types = || nodes.iter().flat_map(|node| inputs(node)).filter_map(|t| tensors.elements_type(t));
    match types().collect::<Vec<_>>() {
        types if types.contains(&DataType::BFLOAT16) => 1e-2,
        types if types.contains(&DataType::FLOAT16) => 2e-3,
        _ => 1e-5,
    }
}

impl<'m> Probe<'m> {
    fn compute(&mut self, node: &'m NodeProto) -> Option<Signal> {
        let dims = self.tensors.known_dims(output(node)?)?;
        match node.op_type.as_deref()? {
            op if is_reduction(op) => self.reduce(node, op, dims),
            op if is_kept(op) => self.signals.get(operand(node, 0)?).cloned(),
            "Cast" | "CastLike" => {
                let signal = self.signals.get(operand(node, 0)?)?.clone();
                let to = self.tensors.elements_type(output(node)?)?;
                Some(Signal { elements: signal.elements.iter().map(|&x| cast(x, to)).collect(), ..signal })
            }
            "InstanceNormalization" => self.normalise(node),
            _ if is_view(node) => self.reshape(node, dims),
            _ => self.element_wise(node, dims),
        }
    }

    fn reduce(&self, node: &NodeProto, op: &str, dims: Vec<u64>) -> Option<Signal> {
        let signal = self.signals.get(operand(node, 0)?)?;
        let form = if integer(node, "keepdims", 1) != 0 { Form::Reduced } else { Form::Collapsed };
        let count: f64 = self.axes.iter().map(|&axis| self.space[axis] as f64).product();
        let mut elements = Vec::with_capacity(signal.elements.len());
        for sample in signal.elements.chunks(ELEMENTS) {
            elements.extend([reduced(op, sample, count)?; ELEMENTS]);
        }
        (signal.form == Form::Full).then_some(Signal { form, dims, elements })
    }

    /// Instance normalisation whose scale and shift do nothing: how exporters write the core of a group normalisation.
    fn normalise(&self, node: &NodeProto) -> Option<Signal> {
        let signal = self.signals.get(operand(node, 0)?)?;
        let is_all = |position, value: f64| {
            let parameter = self.tensors.value(operand(node, position)?)?;
            parameter.iter().all(|&v| v == value).then_some(())
        };
        is_all(1, 1.0)?;
        is_all(2, 0.0)?;
        let elements = signal.elements.chunks(ELEMENTS).flat_map(standardised).collect();
        (signal.form == Form::Full).then(|| Signal { elements, ..signal.clone() })
    }

    /// The same elements in another shape: a full tensor in any, what a reduction left with or without its axes.
    fn reshape(&self, node: &NodeProto, dims: Vec<u64>) -> Option<Signal> {
        let signal = self.signals.get(operand(node, 0)?)?;
        let form = match signal.form {
            Form::Full if product(dims.clone()) == product(signal.dims.clone()) => Form::Full,
            Form::Reduced | Form::Collapsed if dims == self.kept() => Form::Reduced,
            Form::Reduced | Form::Collapsed if dims == self.collapsed() => Form::Collapsed,
            Form::Reduced if dims == self.space => Form::Full,
            _ => return None,
        };
        Some(Signal { form, dims, elements: signal.elements.clone() })
    }

    /// The shape of what a reduction leaves, with its axes.
    fn kept(&self) -> Vec<u64> {
        let size = |(axis, &size): (usize, &u64)| if self.axes.contains(&axis) { 1 } else { size };
        self.space.iter().enumerate().map(size).collect()
    }

    /// The same without its axes.
    fn collapsed(&self) -> Vec<u64> {
        let others = self.space.iter().enumerate().filter(|(axis, _)| !self.axes.contains(axis));
        others.map(|(_, &size)| size).collect()
    }

    fn element_wise(&mut self, node: &'m NodeProto, dims: Vec<u64>) -> Option<Signal> {
        let mut operands = Vec::new();
        for tensor in node.input.iter().map(String::as_str) {
            operands.push(match self.signals.get(tensor) {
                Some(signal) => Some(signal.clone()),
                None if tensor.is_empty() => None,
                None => Some(self.constant(tensor, &dims)?),
            });
        }
        let form = self.form(operands.iter().flatten(), &dims)?;
        let count = self.signals.values().next()?.elements.len();
        let one = |i: usize| {
            let operands: Vec<_> = operands.iter().map(|o| o.as_ref().map(|o| o.elements[i])).collect();
            element(node, &operands)
        };
        let elements = (0..count).map(one).collect::<Option<_>>()?;
        Some(Signal { form, dims, elements })
    }

    /// The form of what an element-wise node writes; `None` if operands meet that do not belong to each other.
    fn form<'s>(&self, operands: impl Iterator<Item = &'s Signal>, dims: &[u64]) -> Option<Form> {
        let operands: Vec<&Signal> = operands.filter(|operand| operand.form != Form::Constant).collect();
        let all = |form| operands.iter().all(|operand| operand.form == form);
        if all(Form::Collapsed) {
            return (dims == self.collapsed()).then_some(Form::Collapsed);
        }
        if all(Form::Reduced) && dims == self.kept() {
            return Some(Form::Reduced);
        }
        let fits = |operand: &&Signal| match operand.form {
            Form::Full => operand.dims == dims,
            Form::Reduced => dims == self.space,
            Form::Collapsed | Form::Constant => false,
        };
        operands.iter().all(fits).then_some(Form::Full)
    }

    /// A constant operand of a node whose output has these sizes.
    fn constant(&mut self, tensor: &'m str, dims: &[u64]) -> Option<Signal> {
        let count = self.signals.values().next()?.elements.len();
        let signal = |elements| Signal { form: Form::Constant, dims: Vec::new(), elements };
        let single = || self.tensors.value(tensor).filter(|value| value.len() == 1)?.first().copied();
        if let Some(number) = self.tensors.fill(tensor).or_else(single) {
            return Some(signal(vec![number; count]));
        }
        // Scales of quantization and rows of a table are no trained parameters.
        if let Some(Origin::Static { from_table: true, .. }) = self.tensors.origin(tensor) {
            return None;
        }
        let sizes = self.tensors.known_dims(tensor)?;
        let lead = dims.len().checked_sub(sizes.len())?;
        let along: Vec<usize> = (lead..dims.len()).filter(|&axis| sizes[axis - lead] != 1).collect();
        let is_reduced_shape = !self.axes.is_empty() && (dims == self.space || dims == self.kept());
        let within = is_reduced_shape && along.iter().all(|axis| self.axes.contains(axis));
        if along.len() > 1 && !within {
            return None;
        }
        let varies = !is_reduced_shape || along.iter().any(|axis| self.axes.contains(axis));
        let varies = varies && !along.is_empty();
        let number = self.parameters.len();
        let elements = sizes.iter().map(|&size| size as f64).product();
        self.parameters.push(Parameter { tensor, along, elements });
        let element = |i: usize| stand_in(number, if varies { i % ELEMENTS } else { 0 });
        Some(signal((0..count).map(element).collect()))
    }
}

fn operand(node: &NodeProto, position: usize) -> Option<&str> {
    node.input.get(position).map(String::as_str)
}

/// A number between 0.5 and 1.5 for an element of a parameter; multiples of the golden ratio spread evenly.
fn stand_in(parameter: usize, element: usize) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    0.5 + ((parameter * ELEMENTS + element + 1) as f64 * GOLDEN).fract()
}
