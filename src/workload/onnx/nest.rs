//! Operators with MACs as loop nests.
//!
//! - Conv: output rows and columns from the file, since padding modes and ceil rounding are the exporter's business.
//!   Padding is what windows cover beyond the input, for the same reason.
//!   A convolution in one dimension runs along P and R. One in three dimensions is as many convolutions in two as it
//!   has output planes, along N, with the planes of the kernel along C: MACs, weights and outputs are exact; an input
//!   plane that two windows share is read for each. What DeformConv samples is not counted.
//! - ConvTranspose: every input pixel times every weight, a 1 x 1 convolution with K x R x S outputs per pixel. Exact
//!   where the stride is not below the kernel; else overlapping outputs count once per contribution.
//! - Gemm, MatMul, Einsum: tokens along P, output features along K, reduction along C. A product of two activations has its
//!   independent products (batch x heads) along G.
//! - RNN, GRU, LSTM: per time step and direction one matrix product of all gates with [input, state].

use rten_onnx::onnx::NodeProto;

use super::einsum::Einsum;
use super::graph::{Kind, Operation, inputs};
use super::operators::{self, Class};
use super::problem::Problem;
use super::tensors::Tensors;
use crate::workload::layer::{LoopNest, Op, product};

/// The work of an operation with MACs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Work {
    /// One step.
    pub(super) op: Op,
    /// Dependent steps, one after the other.
    pub(super) steps: u64,
    /// Independent chains of steps.
    pub(super) directions: u64,
}

impl Work {
    fn once(op: Op) -> Self {
        Self { op, steps: 1, directions: 1 }
    }
}

/// The loop nest of an operation, or `None` for a class without MACs.
pub(super) fn work(operation: &Operation, tensors: &Tensors) -> Result<Option<Work>, Problem> {
    let Kind::Work(class) = operation.kind else { return Ok(None) };
    let shapes = Shapes { node: operation.node, inputs: inputs(operation.node), tensors };
    let work = match class {
        Class::Conv => shapes.conv().map(Work::once),
        Class::ConvTranspose => shapes.conv_transpose().map(Work::once),
        Class::Gemm => shapes.gemm().map(Work::once),
        Class::MatMul => shapes.matmul().map(Work::once),
        Class::Einsum => shapes.einsum().map(Work::once),
        Class::Recurrent(gates) => shapes.recurrent(gates),
        _ => return Ok(None),
    }?;
    work.op.check().map_err(|what| shapes.problem(what))?;
    Ok(Some(work))
}

struct Shapes<'a> {
    node: &'a NodeProto,
    inputs: Vec<&'a str>,
    tensors: &'a Tensors<'a>,
}

impl Shapes<'_> {
    fn problem(&self, what: impl Into<String>) -> Problem {
        Problem::node(operators::label(self.node), what)
    }

    fn require(&self, holds: bool, what: &str) -> Result<(), Problem> {
        if holds { Ok(()) } else { Err(self.problem(what)) }
    }

    fn input(&self, index: usize) -> Result<Vec<u64>, Problem> {
        let tensor = self.inputs.get(index).ok_or_else(|| self.problem("an input is missing"))?;
        self.tensors.dims(tensor, || operators::label(self.node))
    }

    fn output(&self) -> Result<Vec<u64>, Problem> {
        let tensor = self.node.output.first().ok_or_else(|| self.problem("the output is missing"))?;
        self.tensors.dims(tensor, || operators::label(self.node))
    }

    fn is_static(&self, index: usize) -> bool {
        let origin = self.inputs.get(index).and_then(|tensor| self.tensors.origin(tensor));
        origin.is_some_and(|origin| origin.is_static())
    }

    /// A matrix product of independent groups; a weight is static, so that it is a Gemm.
    fn product(&self, [g, p, k, c]: [u64; 4]) -> Op {
        let nest =
            LoopNest { bounds: [1, g, k, c, p, 1, 1, 1], stride: [1, 1], dilation: [1, 1], padding: [0; 2] };
        match self.is_static(0) || self.is_static(1) {
            true => Op::Gemm(nest),
            false => Op::Matmul(nest),
        }
    }

    /// Input, weight and the number of groups of a convolution in one or two dimensions.
    fn conv_operands(&self) -> Result<(Vec<u64>, Vec<u64>, u64), Problem> {
        let (input, weight) = (self.input(0)?, self.input(1)?);
        self.require(self.is_static(1), "the weights are computed at run time")?;
        self.require(
            matches!(input.len(), 3..=5) && weight.len() == input.len(),
            "only convolutions in one, two and three dimensions are supported",
        )?;
        let groups = u64::try_from(operators::integer(self.node, "group", 1)).unwrap_or(0);
        self.require(groups > 0 && weight[0] % groups == 0, "`group` does not divide the channels")?;
        Ok((input, weight, groups))
    }

    fn conv(&self) -> Result<Op, Problem> {
        let (input, weight, groups) = self.conv_operands()?;
        let output = self.output()?;
        self.require(
            output.len() == input.len()
                && (output[0], output[1]) == (input[0], weight[0])
                && Some(input[1]) == weight[1].checked_mul(groups),
            "the shapes of input, weight and output do not fit each other",
        )?;
        let ([planes, p, q], [depth, r, s]) = (spatial(&output[2..]), spatial(&weight[2..]));
        let folded = input[0].checked_mul(planes).zip(weight[1].checked_mul(depth));
        let (batch, channels) = folded.ok_or_else(|| self.problem("the planes are too many"))?;
        let mut nest = LoopNest {
            bounds: [batch, groups, weight[0] / groups, channels, p, q, r, s],
            stride: self.pair("strides", input.len() - 2)?,
            dilation: self.pair("dilations", input.len() - 2)?,
            padding: [0; 2],
        };
        // Sizes that do not fit are found when the work is checked.
        if nest.check().is_ok() {
            let [_, rows, columns] = spatial(&input[2..]);
            let beyond =
                |axis: usize, size: u64| nest.window(axis).map_or(0, |window| window.saturating_sub(size));
            nest.padding = [beyond(0, rows), beyond(1, columns)];
        }
        Ok(Op::Conv(nest))
    }

    fn conv_transpose(&self) -> Result<Op, Problem> {
        let (input, weight, groups) = self.conv_operands()?;
        self.require(input[1] == weight[0], "the shapes of input and weight do not fit each other")?;
        let [planes, p, q] = spatial(&input[2..]);
        let p = planes.checked_mul(p).ok_or_else(|| self.problem("the planes are too many"))?;
        let outputs = product(weight[1..].iter().copied());
        let outputs = outputs.ok_or_else(|| self.problem("the weights are too large"))?;
        let bounds = [input[0], groups, outputs, input[1] / groups, p, q, 1, 1];
        Ok(Op::Conv(LoopNest { bounds, stride: [1, 1], dilation: [1, 1], padding: [0; 2] }))
    }

    /// A list attribute with one number per spatial dimension.
    fn pair(&self, attribute: &str, rank: usize) -> Result<[u64; 2], Problem> {
        match operators::integers(self.node, attribute) {
            None | Some([]) => Ok([1, 1]),
            Some(values) => {
                self.require(values.len() == rank, &format!("`{attribute}` needs {rank} numbers"))?;
                let sizes: Vec<u64> = values.iter().map(|&v| u64::try_from(v).unwrap_or(0)).collect();
                let [_, rows, columns] = spatial(&sizes);
                Ok([rows, columns])
            }
        }
    }

    fn gemm(&self) -> Result<Op, Problem> {
        let (mut a, mut b) = (self.input(0)?, self.input(1)?);
        self.require(a.len() == 2 && b.len() == 2, "Gemm multiplies matrices")?;
        if operators::integer(self.node, "transA", 0) != 0 {
            a.reverse();
        }
        if operators::integer(self.node, "transB", 0) != 0 {
            b.reverse();
        }
        self.require(a[1] == b[0], "the inner dimensions differ")?;
        Ok(match self.is_static(0) {
            // Weights x activations: the activation's columns are the tokens.
            true => self.product([1, b[1], a[0], a[1]]),
            false => self.product([1, a[0], b[1], a[1]]),
        })
    }

    fn matmul(&self) -> Result<Op, Problem> {
        let (mut a, mut b) = (self.input(0)?, self.input(1)?);
        self.require(!a.is_empty() && !b.is_empty(), "MatMul multiplies matrices")?;
        if a.len() == 1 {
            a.insert(0, 1);
        }
        if b.len() == 1 {
            b.push(1);
        }
        let ([rows, inner], [inner_b, columns]) = (last_two(&a), last_two(&b));
        self.require(inner == inner_b, "the inner dimensions differ")?;
        let outputs = product(self.output()?).ok_or_else(|| self.problem("the output is too large"))?;
        // The operand that is weights, or the second of two activations, is shared by all tokens of its group.
        let (shared, k) = if self.is_static(0) { (&a, rows) } else { (&b, columns) };
        let groups = product(shared[..shared.len() - 2].iter().copied());
        let per_token = groups.and_then(|groups| groups.checked_mul(k)).unwrap_or(0);
        self.require(
            per_token > 0 && outputs % per_token == 0,
            "the shapes of operands and output do not fit each other",
        )?;
        Ok(self.product([groups.unwrap_or(1), outputs / per_token, k, inner]))
    }

    fn einsum(&self) -> Result<Op, Problem> {
        let inputs = (0..self.inputs.len()).map(|i| self.input(i)).collect::<Result<Vec<_>, _>>()?;
        let einsum = Einsum::new(self.node, &inputs).map_err(|what| self.problem(what))?;
        let sizes = einsum.product().ok_or_else(|| self.problem("the product is too large"))?;
        let [groups, rows, columns, inner] = sizes;
        Ok(match self.is_static(0) {
            true => self.product([groups, columns, rows, inner]),
            false => self.product([groups, rows, columns, inner]),
        })
    }

    fn recurrent(&self, gates: u64) -> Result<Work, Problem> {
        let (input, weight, state) = (self.input(0)?, self.input(1)?, self.input(2)?);
        self.require(self.is_static(1) && self.is_static(2), "the weights are computed at run time")?;
        let (&[seq, batch, features], &[directions, rows, columns], &[_, _, hidden]) =
            (&input[..], &weight[..], &state[..])
        else {
            return Err(self.problem("input and weights need three dimensions"));
        };
        self.require(
            columns == features && state[..2] == weight[..2] && Some(rows) == hidden.checked_mul(gates),
            "the shapes of input and weights do not fit each other",
        )?;
        let (steps, batch) = match operators::integer(self.node, "layout", 0) {
            0 => (seq, batch),
            _ => (batch, seq),
        };
        let bounds = [batch, 1, rows, features + hidden, 1, 1, 1, 1];
        let op = Op::Gemm(LoopNest { bounds, stride: [1, 1], dilation: [1, 1], padding: [0; 2] });
        self.require(steps > 0 && matches!(directions, 1 | 2), "no time step, or not one or two directions")?;
        Ok(Work { op, steps, directions })
    }
}

/// One to three spatial sizes as planes, rows and columns.
fn spatial(sizes: &[u64]) -> [u64; 3] {
    match *sizes {
        [rows] => [1, rows, 1],
        [rows, columns] => [1, rows, columns],
        [planes, rows, columns, ..] => [planes, rows, columns],
        [] => [1, 1, 1],
    }
}

fn last_two(dims: &[u64]) -> [u64; 2] {
    [dims[dims.len() - 2], dims[dims.len() - 1]]
}
