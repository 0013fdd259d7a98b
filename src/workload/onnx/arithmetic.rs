//! Element-wise operators as functions of numbers: constants are folded with them (`values`), and what a group of
//! nodes computes is found out with them (`fuse`).

use statrs::function::erf::erf;

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
