//! Element-wise operators as functions of numbers: constants are folded with them (`values`), and what a group of
//! nodes computes is found out with them (`fuse`).

use rten_onnx::onnx::{DataType, NodeProto};
use statrs::function::erf::erf;

use super::operators::float;

/// An operator of one operand without attributes.
pub(super) fn unary(op: &str) -> Option<fn(f64) -> f64> {
    Some(match op {
        "Identity" => |a| a,
        "Neg" => |a: f64| -a,
        "Abs" => f64::abs,
        "Floor" => f64::floor,
        "Ceil" => f64::ceil,
        "Round" => f64::round_ties_even,
        "Sign" => |a| if a == 0.0 { 0.0 } else { f64::signum(a) },
        "Sqrt" => f64::sqrt,
        "Reciprocal" => f64::recip,
        "Exp" => f64::exp,
        "Log" => f64::ln,
        "Erf" => erf,
        "Tanh" => f64::tanh,
        "Sigmoid" => sigmoid,
        "Relu" => |a| f64::max(a, 0.0),
        "Softplus" => softplus,
        "Softsign" => |a| a / (1.0 + a.abs()),
        "Not" => |a| truth(a == 0.0),
        _ => return None,
    })
}

/// An operator of two operands; those that take any number of operands go from left to right.
pub(super) fn binary(op: &str) -> Option<fn(f64, f64) -> f64> {
    Some(match op {
        "Add" | "Sum" => |a, b| a + b,
        "Sub" => |a, b| a - b,
        "Mul" => |a, b| a * b,
        "Div" => |a, b| a / b,
        // Of integers: the sign is that of the divisor.
        "Mod" => |a, b| a - b * (a / b).floor(),
        "Pow" => f64::powf,
        "Min" => f64::min,
        "Max" => f64::max,
        "Equal" => |a, b| truth(a == b),
        "Less" => |a, b| truth(a < b),
        "LessOrEqual" => |a, b| truth(a <= b),
        "Greater" => |a, b| truth(a > b),
        "GreaterOrEqual" => |a, b| truth(a >= b),
        "And" => |a, b| truth(a != 0.0 && b != 0.0),
        "Or" => |a, b| truth(a != 0.0 || b != 0.0),
        _ => return None,
    })
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// 1 / (1 + e^-x)
pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// ln(1 + e^x), without overflow.
pub(super) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// A number as another type has it.
pub(super) fn cast(x: f64, to: DataType) -> f64 {
    match to {
        DataType::FLOAT | DataType::DOUBLE | DataType::FLOAT16 | DataType::BFLOAT16 => x,
        DataType::BOOL => truth(x != 0.0),
        _ => x.trunc(),
    }
}

/// One element of what an element-wise node writes.
pub(super) fn element(node: &NodeProto, operands: &[Option<f64>]) -> Option<f64> {
    let op = node.op_type.as_deref()?;
    let x = (*operands.first()?)?;
    let operand = |position: usize| operands.get(position).copied().flatten();
    let attribute = |name, default| float(node, name, default);
    Some(match op {
        "Clip" => {
            let least = operand(1).unwrap_or(attribute("min", f64::NEG_INFINITY));
            x.max(least).min(operand(2).unwrap_or(attribute("max", f64::INFINITY)))
        }
        "LeakyRelu" if x < 0.0 => attribute("alpha", 0.01) * x,
        "Elu" if x < 0.0 => attribute("alpha", 1.0) * x.exp_m1(),
        "LeakyRelu" | "Elu" => x,
        "HardSigmoid" => (attribute("alpha", 0.2) * x + attribute("beta", 0.5)).clamp(0.0, 1.0),
        "Where" => operand(if x != 0.0 { 1 } else { 2 })?,
        _ => match (unary(op), binary(op)) {
            (Some(unary), _) => unary(x),
            (_, Some(binary)) => operands.iter().skip(1).try_fold(x, |all, &y| Some(binary(all, y?)))?,
            (None, None) => return None,
        },
    })
}
