//! Numbers as a file holds them: every numeric element type of ONNX, in the bytes of `raw_data` or in a list of its own.
//!
//! Elements are read as `f64`, in which every size of a tensor is exact. Left out: text and complex numbers.

use rten_onnx::onnx::{DataType, TensorProto};

use crate::workload::layer::product;

/// How the bits of an element are read.
#[derive(Clone, Copy)]
enum Form {
    Unsigned,
    Signed,
    /// Sign, exponent, fraction.
    Float {
        fraction: u32,
        bias: i32,
        has_infinity: bool,
    },
    /// A power of two.
    Exponent {
        bias: i32,
    },
}

/// Bits and form of an element type.
fn form(ty: DataType) -> Option<(u32, Form)> {
    let float = |fraction, bias, has_infinity| Form::Float { fraction, bias, has_infinity };
    Some(match ty {
        DataType::BOOL | DataType::UINT8 => (8, Form::Unsigned),
        DataType::UINT16 => (16, Form::Unsigned),
        DataType::UINT32 => (32, Form::Unsigned),
        DataType::UINT64 => (64, Form::Unsigned),
        DataType::UINT4 => (4, Form::Unsigned),
        // ONNX 1.20 added integers of two bits.
        DataType(25) => (2, Form::Unsigned),
        DataType(26) => (2, Form::Signed),
        DataType::INT4 => (4, Form::Signed),
        DataType::INT8 => (8, Form::Signed),
        DataType::INT16 => (16, Form::Signed),
        DataType::INT32 => (32, Form::Signed),
        DataType::INT64 => (64, Form::Signed),
        DataType::DOUBLE => (64, float(52, 1023, true)),
        DataType::FLOAT => (32, float(23, 127, true)),
        DataType::FLOAT16 => (16, float(10, 15, true)),
        DataType::BFLOAT16 => (16, float(7, 127, true)),
        DataType::FLOAT8E4M3FN => (8, float(3, 7, false)),
        DataType::FLOAT8E4M3FNUZ => (8, float(3, 8, false)),
        DataType::FLOAT8E5M2 => (8, float(2, 15, true)),
        DataType::FLOAT8E5M2FNUZ => (8, float(2, 16, false)),
        DataType::FLOAT4E2M1 => (4, float(1, 1, false)),
        DataType::FLOAT8E8M0 => (8, Form::Exponent { bias: 127 }),
        _ => return None,
    })
}

/// How many bits an element has.
pub(super) fn bits(ty: DataType) -> Option<u64> {
    form(ty).map(|(bits, _)| bits.into())
}

/// The elements of a tensor, if the file holds them.
pub(super) fn elements(tensor: &TensorProto) -> Option<Vec<f64>> {
    let ty = tensor.data_type?;
    let (bits, form) = form(ty)?;
    let raw = tensor.raw_data.as_ref().map(|data| data.borrow());
    if let Some(raw) = raw.as_deref().filter(|raw| !raw.is_empty()) {
        return unpacked(raw, bits, form, tensor);
    }
    let read = |word: u64| number(word, bits, form);
    Some(match ty {
        DataType::FLOAT => tensor.float_data.iter().map(|&v| f64::from(v)).collect(),
        DataType::DOUBLE => tensor.double_data.clone(),
        DataType::INT64 | DataType::UINT64 | DataType::UINT32 => {
            tensor.int64_data.iter().map(|&v| read(v as u64)).collect()
        }
        _ if bits < 8 => {
            let bytes: Vec<u8> = tensor.int32_data.iter().map(|&v| v as u8).collect();
            return unpacked(&bytes, bits, form, tensor);
        }
        _ => tensor.int32_data.iter().map(|&v| read(v as u32 as u64)).collect(),
    })
}

/// Elements side by side, the lowest bits first; what is left of the last byte is padding.
fn unpacked(bytes: &[u8], bits: u32, form: Form, tensor: &TensorProto) -> Option<Vec<f64>> {
    let read = |word| number(word, bits, form);
    if bits >= 8 {
        let words = bytes.chunks_exact(bits as usize / 8);
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        return Some(words.map(|bytes| read(word(bytes))).collect());
    }
    let count = product(tensor.dims.iter().map(|&size| u64::try_from(size).unwrap_or(0)))?;
    let parts = |&byte: &u8| (0..8 / bits).map(move |place| u64::from(byte) >> (place * bits));
    Some(bytes.iter().flat_map(parts).take(usize::try_from(count).ok()?).map(read).collect())
}

/// The number in the lowest bits of a word.
fn number(word: u64, bits: u32, form: Form) -> f64 {
    let shift = 64 - bits;
    match form {
        Form::Unsigned => (word << shift >> shift) as f64,
        Form::Signed => ((word << shift) as i64 >> shift) as f64,
        Form::Exponent { bias } => 2f64.powi((word & 0xff) as i32 - bias),
        Form::Float { fraction, bias, has_infinity } => {
            let largest = (1 << (bits - 1 - fraction)) - 1;
            let sign = if word >> (bits - 1) & 1 == 1 { -1.0 } else { 1.0 };
            let (exponent, rest) = (word >> fraction & largest, word & ((1 << fraction) - 1));
            let scaled = rest as f64 / 2f64.powi(fraction as i32);
            sign * match exponent {
                _ if has_infinity && exponent == largest && rest > 0 => f64::NAN,
                _ if has_infinity && exponent == largest => f64::INFINITY,
                0 => scaled * 2f64.powi(1 - bias),
                _ => (1.0 + scaled) * 2f64.powi(exponent as i32 - bias),
            }
        }
    }
}

/// The number of an element type that is next to another: what computing in this type gives.
pub(super) fn rounded(number: f64, ty: DataType) -> f64 {
    match ty {
        DataType::FLOAT => f64::from(number as f32),
        DataType::FLOAT16 => nearest(number, 10, -14, 65504.0),
        DataType::BFLOAT16 => nearest(number, 7, -126, f64::from(f32::MAX)),
        _ => number,
    }
}

/// The nearest number with a fraction of so many bits, an exponent that is not smaller and a size that is not larger.
fn nearest(number: f64, fraction: i32, least_exponent: i32, largest: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    let exponent = (number.to_bits() >> 52 & 0x7ff) as i32 - 1023;
    let step = 2f64.powi(exponent.max(least_exponent) - fraction);
    let nearest = (number / step).round_ties_even() * step;
    if nearest.abs() > largest { f64::INFINITY.copysign(number) } else { nearest }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn raw(ty: DataType, dims: &[i64], bytes: &[u8]) -> Vec<f64> {
        let raw_data = Some(RefCell::new(bytes.to_vec()));
        let tensor = TensorProto { data_type: Some(ty), dims: dims.to_vec(), raw_data, ..Default::default() };
        elements(&tensor).unwrap()
    }

    #[test]
    fn every_numeric_type_is_read_from_its_bytes() {
        for (ty, bytes, expected) in [
            (DataType::BOOL, &[1][..], 1.0),
            (DataType::UINT8, &[200], 200.0),
            (DataType::INT8, &[200], -56.0),
            (DataType::UINT16, &[0xff, 0xff], 65535.0),
            (DataType::INT16, &[0xfe, 0xff], -2.0),
            (DataType::UINT32, &[0xff; 4], 4294967295.0),
            (DataType::INT32, &[0xff; 4], -1.0),
            (DataType::UINT64, &[3, 0, 0, 0, 0, 0, 0, 0x80], 9223372036854775808.0),
            (DataType::INT64, &[0xff; 8], -1.0),
            (DataType::FLOAT16, &[0x00, 0x3c], 1.0),
            (DataType::FLOAT16, &[0x00, 0xc1], -2.5),
            (DataType::FLOAT16, &[0x01, 0x00], 2f64.powi(-24)),
            (DataType::FLOAT16, &[0x00, 0x7c], f64::INFINITY),
            (DataType::BFLOAT16, &[0xc0, 0x3f], 1.5),
            (DataType::FLOAT, &1.25f32.to_le_bytes(), 1.25),
            (DataType::DOUBLE, &(-0.1f64).to_le_bytes(), -0.1),
            (DataType::FLOAT8E4M3FN, &[0x38], 1.0),
            (DataType::FLOAT8E4M3FNUZ, &[0x38], 0.5),
            (DataType::FLOAT8E5M2, &[0xc0], -2.0),
            (DataType::FLOAT8E5M2FNUZ, &[0x40], 1.0),
            (DataType::FLOAT8E8M0, &[130], 8.0),
        ] {
            assert_eq!(raw(ty, &[1], bytes), [expected], "{ty}");
        }
        assert_eq!(raw(DataType::UINT4, &[3], &[0xf1, 0x02]), [1.0, 15.0, 2.0]);
        assert_eq!(raw(DataType::INT4, &[3], &[0xf1, 0x02]), [1.0, -1.0, 2.0]);
        assert_eq!(raw(DataType::FLOAT4E2M1, &[2], &[0x72]), [1.0, 6.0]);
        assert_eq!(raw(DataType(26), &[4], &[0b11_10_01_00]), [0.0, 1.0, -2.0, -1.0]);
    }

    #[test]
    fn short_types_lie_in_lists_of_longer_ones() {
        let list = |ty, list: &[i32]| {
            let (dims, int32_data) = (vec![2], list.to_vec());
            elements(&TensorProto { data_type: Some(ty), dims, int32_data, ..Default::default() }).unwrap()
        };
        assert_eq!(list(DataType::FLOAT16, &[0x3c00, 0x4000]), [1.0, 2.0]);
        assert_eq!(list(DataType::BFLOAT16, &[0x3f80, 0xc000]), [1.0, -2.0]);
        assert_eq!(list(DataType::UINT16, &[65535, 1]), [65535.0, 1.0]);
        assert_eq!(list(DataType::INT16, &[-3, 1]), [-3.0, 1.0]);
        assert_eq!(list(DataType::INT4, &[0x2f]), [-1.0, 2.0]);
    }

    #[test]
    fn arithmetic_rounds_as_its_type_does() {
        assert_eq!(rounded(2049.0, DataType::FLOAT16), 2048.0);
        assert_eq!(rounded(2051.0, DataType::FLOAT16), 2052.0);
        assert_eq!(rounded(65519.0, DataType::FLOAT16), 65504.0);
        assert_eq!(rounded(-65520.0, DataType::FLOAT16), f64::NEG_INFINITY);
        assert_eq!(rounded(257.0, DataType::BFLOAT16), 256.0);
        assert_eq!(rounded(16_777_217.0, DataType::FLOAT), 16_777_216.0);
        assert_eq!(rounded(16_777_217.0, DataType::INT64), 16_777_217.0);
    }
}
