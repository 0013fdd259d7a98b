//! The precision of a layer: bits per element of each of its tensors, in the field's notation.
//!
//! As text it is a letter per tensor with its bits, such as `w4a8` or `w8i8o16p32`: `w` are weights, `i` inputs, `o` outputs,
//! `a` inputs and outputs (activations), `p` partial sums; `native` sets none.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most bits of an element. Our choice, because no number format of an accelerator is wider.
const MAX_BITS: u8 = 64;

/// `native`, or bits behind letters, such as `w4a8` or `w8i8o16p32`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Precision {
    /// Bits of a weight; in all fields `None` is a word of whatever level of the accelerator holds the element.
    pub weights: Option<u8>,
    /// Bits of an input.
    pub inputs: Option<u8>,
    /// Bits of a complete output.
    pub outputs: Option<u8>,
    /// Bits of a partial sum.
    pub psums: Option<u8>,
}

/// The word for [`Precision::NATIVE`].
const NATIVE: &str = "native";

impl Precision {
    /// Every tensor in the accelerator's words.
    pub const NATIVE: Self = Self { weights: None, inputs: None, outputs: None, psums: None };

    /// This precision, unless it sets nothing.
    pub fn set(self) -> Option<Self> {
        (self != Self::NATIVE).then_some(self)
    }

    /// This precision, and another where it sets nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            weights: self.weights.or(other.weights),
            inputs: self.inputs.or(other.inputs),
            outputs: self.outputs.or(other.outputs),
            psums: self.psums.or(other.psums),
        }
    }

    /// Of a product of two activations, the second of which stands where weights do otherwise.
    #[must_use]
    pub fn of_activations(self) -> Self {
        Self { weights: self.inputs, ..self }
    }

    /// Of an operation on the outputs of a layer of this precision, whose own outputs are like these.
    #[must_use]
    pub fn of_outputs(self) -> Self {
        Self { weights: None, inputs: self.outputs, outputs: self.outputs, psums: None }
    }
}

impl TryFrom<String> for Precision {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::str::FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            Err(format!(
                "`{text}`: {why}; expected `{NATIVE}`, or bits from 1 to {MAX_BITS} behind w (weights), a (inputs and \
                 outputs) or i and o, and p (partial sums), such as w4a8 or w8i8o16p32"
            ))
        };
        if text == NATIVE {
            return Ok(Self::NATIVE);
        }
        let (mut precision, mut rest) = (Self::NATIVE, text);
        while let Some(letter) = rest.chars().next() {
            let behind = &rest[letter.len_utf8()..];
            let digits = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
            let bits = match behind[..digits].parse() {
                Ok(bits) if (1..=MAX_BITS).contains(&bits) => bits,
                _ => return wrong(&format!("`{letter}{}` is no number of bits", &behind[..digits])),
            };
            let Self { weights, inputs, outputs, psums } = &mut precision;
            let tensors = match letter {
                'w' => vec![weights],
                'i' => vec![inputs],
                'o' => vec![outputs],
                'a' => vec![inputs, outputs],
                'p' => vec![psums],
                _ => return wrong(&format!("`{letter}` stands for no tensor")),
            };
            for tensor in tensors {
                if tensor.replace(bits).is_some() {
                    return wrong(&format!("`{letter}` sets a tensor again"));
                }
            }
            rest = &behind[digits..];
        }
        match precision {
            Self::NATIVE => wrong("it sets nothing"),
            _ => Ok(precision),
        }
    }
}

impl From<Precision> for String {
    fn from(precision: Precision) -> Self {
        precision.to_string()
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { weights, inputs, outputs, psums } = *self;
        if *self == Self::NATIVE {
            return f.write_str(NATIVE);
        }
        let (both, inputs, outputs) =
            if inputs == outputs { (inputs, None, None) } else { (None, inputs, outputs) };
        for (letter, bits) in [('w', weights), ('a', both), ('i', inputs), ('o', outputs), ('p', psums)] {
            bits.map_or(Ok(()), |bits| write!(f, "{letter}{bits}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_bits() {
        let some = |weights, inputs, outputs, psums| Precision { weights, inputs, outputs, psums };
        let cases = [
            ("native", Precision::NATIVE),
            ("w4a8", some(Some(4), Some(8), Some(8), None)),
            ("a16", some(None, Some(16), Some(16), None)),
            ("w8i8o16p32", some(Some(8), Some(8), Some(16), Some(32))),
            ("p24", some(None, None, None, Some(24))),
        ];
        for (text, precision) in cases {
            assert_eq!(text.parse(), Ok(precision));
            assert_eq!(precision.to_string(), text);
        }
        assert_eq!("p32o8w4i8".parse::<Precision>().unwrap().to_string(), "w4a8p32");
    }

    #[test]
    fn anything_else_is_an_error_that_says_why() {
        let wrong = [
            ("", "it sets nothing"),
            ("w", "`w` is no number of bits"),
            ("w0", "`w0` is no number of bits"),
            ("w65", "`w65` is no number of bits"),
            ("w999", "`w999` is no number of bits"),
            ("w8x8", "`x` stands for no tensor"),
            ("8", "`8` is no number of bits"),
            ("w8a8o8", "`o` sets a tensor again"),
            ("W8", "`W` stands for no tensor"),
            ("wé", "`w` is no number of bits"),
        ];
        for (text, why) in wrong {
            let error = text.parse::<Precision>().unwrap_err();
            assert!(error.starts_with(&format!("`{text}`: {why}; expected `native`")), "{error}");
        }
    }

    #[test]
    fn the_more_special_precision_counts() {
        let parse = |text: &str| text.parse::<Precision>().unwrap();
        assert_eq!(parse("w4").or(parse("w8a8p32")), parse("w4a8p32"));
        assert_eq!(parse("w4i8o16").of_activations(), parse("w8i8o16"));
        assert_eq!(parse("w4i8o16p32").of_outputs(), parse("a16"));
    }
}
