//! The protobuf bytes of a model without its weights.
//!
//! `rten-onnx` decodes weight data with the rest, trusts the length of every field, takes a message that breaks off
//! for one that ends, never comes to the end of a number of ten bytes that go on, and follows nested sub-graphs to any
//! depth. This pass goes first, in one go over the file: it
//! checks the framing, copies only the fields that the importer reads, and hashes every byte. Of the data of a tensor
//! that is what shapes are made of: a few numbers. Memory is bounded by what is copied, and recursion by
//! [`MAX_DEPTH`], since only graphs contain graphs. What `rten-onnx` has no field for goes where it has one of the
//! same form: see [`renumbered`].

use std::io::BufRead;

use sha2::{Digest, Sha256};

use super::problem::Problem;
use crate::files::hex;

/// Bytes that may be kept, with [`FIELD_BYTES`] for each field: a hundred times the largest reference network.
const MAX_KEPT_BYTES: u64 = 1 << 26;
/// What a field costs in memory besides its bytes, once it is decoded: the header of a `String`.
const FIELD_BYTES: u64 = 24;
/// Longer data of a tensor is dropped: shapes, pads and scales have some ten numbers.
pub(super) const MAX_DATA_BYTES: u64 = 1 << 10;
/// Further data is dropped, too.
pub(super) const MAX_KEPT_DATA_BYTES: u64 = 1 << 24;
/// Messages that may be kept. A message of two bytes grows to some hundred in memory when it is decoded.
const MAX_MESSAGES: u64 = 1 << 20;

/// Graphs inside each other: a branch of an If inside a branch, and so on. Our choice: models have two or three.
const MAX_DEPTH: u64 = 32;

/// A model without weights.
pub(super) struct Skeleton {
    /// A valid `ModelProto`.
    pub(super) bytes: Vec<u8>,
    /// Of the whole file, in hexadecimal.
    pub(super) sha256: String,
}

/// Reads a model to its end and leaves out its weights.
pub(super) fn skeleton(input: impl BufRead) -> Result<Skeleton, Problem> {
    let mut wire = Wire {
        input,
        hasher: Sha256::new(),
        position: 0,
        kept_bytes: 0,
        kept_data_bytes: 0,
        messages: 0,
        depth: 0,
    };
    let mut bytes = Vec::new();
    wire.message(Message::Model, None, &mut bytes)?;
    let sha256 = hex(&wire.hasher.finalize());
    Ok(Skeleton { bytes, sha256 })
}

/// The messages of onnx.proto that the importer looks into.
#[derive(Clone, Copy)]
enum Message {
    Model,
    OperatorSet,
    Function,
    Graph,
    Node,
    Attribute,
    Tensor,
    SparseTensor,
    SparseValues,
    ExternalData,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Dimension,
}

enum Rule {
    Enter(Message),
    /// Enter it, and take what it has for fields of the message around it.
    Merge(Message),
    Keep,
    /// Keep it if it is short and there is not much of its kind.
    KeepShort,
    Drop,
}

/// What to do with a field, by the field numbers of
/// [onnx.proto](https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
fn rule(message: Message, field: u64) -> Rule {
    use Rule::{Drop, Enter, Keep, KeepShort, Merge};
    match (message, field) {
        // The version of the format.
        (Message::Model, 1) => Keep,
        (Message::Model, 7) => Enter(Message::Graph),
        (Message::Model, 8) => Enter(Message::OperatorSet),
        (Message::Model, 25) => Enter(Message::Function),
        (Message::Function, 7) => Enter(Message::Node),
        (Message::Function, 11) => Enter(Message::Attribute),
        // Name, inputs, outputs, domain, overload.
        (Message::Function, 1 | 4 | 5 | 10 | 13) => Keep,
        (Message::Graph, 1) => Enter(Message::Node),
        (Message::Graph, 5) => Enter(Message::Tensor),
        (Message::Graph, 15) => Enter(Message::SparseTensor),
        (Message::Graph, 11..=13) => Enter(Message::ValueInfo),
        (Message::Node, 5) => Enter(Message::Attribute),
        (Message::Attribute, 5) => Enter(Message::Tensor),
        (Message::Attribute, 6) => Enter(Message::Graph),
        (Message::Attribute, 22) => Enter(Message::SparseTensor),
        (Message::SparseTensor, 1) => Merge(Message::SparseValues),
        (Message::Tensor, 13) => Enter(Message::ExternalData),
        (Message::ValueInfo, 2) => Enter(Message::Type),
        (Message::Type, 1) => Enter(Message::TensorType),
        (Message::TensorType, 2) => Enter(Message::Shape),
        (Message::Shape, 1) => Enter(Message::Dimension),
        // Inputs, outputs, name, operator, domain.
        (Message::Node, 1..=4 | 7) => Keep,
        // Name, number, integer, string, numbers, integers, type, attribute of the function that is meant.
        (Message::Attribute, 1..=4 | 7 | 8 | 20 | 21) => Keep,
        // Dimensions, element type, name, where the data is.
        (Message::Tensor, 1 | 2 | 8 | 14) => Keep,
        // 32-bit numbers, 32-bit integers, 64-bit integers, bytes, 64-bit numbers, unsigned integers.
        (Message::Tensor, 4 | 5 | 7 | 9..=11) => KeepShort,
        // Key, value.
        (Message::ExternalData, 1 | 2) => Keep,
        // Element type, name.
        (Message::SparseValues, 2 | 8) => Keep,
        // Dimensions.
        (Message::SparseTensor, 3) => Keep,
        (Message::OperatorSet, 1 | 2) => Keep,
        (Message::ValueInfo | Message::TensorType, 1) => Keep,
        (Message::Dimension, 1 | 2) => Keep,
        _ => Drop,
    }
}

/// The number under which a field is kept. A sparse tensor becomes one without data; unsigned integers go to the signed
/// ones, which have the same bytes; and `ref_attr_name`, by which a node in a function takes an attribute of the call,
/// goes to `strings`, which no operator here reads.
fn renumbered(message: Message, field: u64) -> u64 {
    match (message, field) {
        (Message::Graph, 15) => 5,
        (Message::Attribute, 22) => 5,
        (Message::SparseTensor, 3) => 1,
        (Message::Tensor, 11) => 7,
        (Message::Attribute, 21) => 9,
        _ => field,
    }
}

/// Whether a field may be a list of integers, packed into one piece of bytes.
fn has_integers(message: Message, field: u64) -> bool {
    match message {
        Message::Attribute => field == 8,
        Message::Tensor => matches!(field, 1 | 5 | 7 | 11),
        Message::SparseTensor => field == 3,
        _ => false,
    }
}

/// Whether ten bytes in a row say that their number goes on: no 64-bit number does, and `rten-onnx` would never end.
fn has_endless_number(bytes: &[u8]) -> bool {
    bytes.windows(10).any(|ten| ten.iter().all(|byte| byte & 0x80 != 0))
}

struct Wire<R> {
    input: R,
    hasher: Sha256,
    position: u64,
    kept_bytes: u64,
    kept_data_bytes: u64,
    messages: u64,
    depth: u64,
}

impl<R: BufRead> Wire<R> {
    /// Copies a message up to the byte position `end`, or to the end of the file.
    fn message(&mut self, message: Message, end: Option<u64>, out: &mut Vec<u8>) -> Result<(), Problem> {
        self.messages += 1;
        if self.messages > MAX_MESSAGES {
            return Err(Problem::TooLarge { what: "protobuf messages", allowed: MAX_MESSAGES });
        }
        loop {
            let done = match end {
                Some(end) => self.position >= end,
                None => self.input.fill_buf()?.is_empty(),
            };
            if done {
                return Ok(());
            }
            let tag = self.varint()?;
            let field = tag >> 3;
            let kept_tag = renumbered(message, field) << 3 | tag & 7;
            let from = out.len();
            self.field(rule(message, field), kept_tag, end, out)?;
            if has_integers(message, field) && has_endless_number(&out[from..]) {
                return Err(self.malformed("endless number"));
            }
        }
    }

    /// A message inside another.
    fn inner(&mut self, message: Message, end: u64) -> Result<Vec<u8>, Problem> {
        let is_graph = u64::from(matches!(message, Message::Graph));
        self.depth += is_graph;
        if self.depth > MAX_DEPTH {
            return Err(Problem::TooLarge { what: "graphs inside each other", allowed: MAX_DEPTH });
        }
        let mut inner = Vec::new();
        self.message(message, Some(end), &mut inner)?;
        self.depth -= is_graph;
        Ok(inner)
    }

    fn field(&mut self, rule: Rule, tag: u64, end: Option<u64>, out: &mut Vec<u8>) -> Result<(), Problem> {
        let (length, prefix) = match tag & 7 {
            0 => (0, Some(self.varint()?)),
            1 => (8, None),
            2 => {
                let length = self.varint()?;
                (length, Some(length))
            }
            5 => (4, None),
            _ => return Err(self.malformed("unknown wire type")),
        };
        let field_end = self.position.checked_add(length);
        let field_end = field_end.ok_or_else(|| self.malformed("impossible length"))?;
        if end.is_some_and(|end| field_end > end) {
            return Err(self.malformed("a field reaches beyond its message"));
        }
        match rule {
            Rule::Drop => self.advance(length, None),
            Rule::KeepShort if length > MAX_DATA_BYTES || self.kept_data_bytes > MAX_KEPT_DATA_BYTES => {
                self.advance(length, None)
            }
            Rule::Keep | Rule::KeepShort => {
                if let Rule::KeepShort = rule {
                    self.kept_data_bytes += length + FIELD_BYTES;
                }
                self.kept_bytes = self.kept_bytes.saturating_add(length).saturating_add(FIELD_BYTES);
                if self.kept_bytes > MAX_KEPT_BYTES {
                    return Err(Problem::TooLarge {
                        what: "bytes beside its weights",
                        allowed: MAX_KEPT_BYTES,
                    });
                }
                put_varint(out, tag);
                prefix.into_iter().for_each(|value| put_varint(out, value));
                self.advance(length, Some(out))
            }
            Rule::Enter(_) | Rule::Merge(_) if tag & 7 != 2 => {
                Err(self.malformed("a number where a message belongs"))
            }
            Rule::Merge(message) => {
                out.extend(self.inner(message, field_end)?);
                Ok(())
            }
            Rule::Enter(message) => {
                let inner = self.inner(message, field_end)?;
                put_varint(out, tag);
                put_varint(out, inner.len() as u64);
                out.extend(inner);
                Ok(())
            }
        }
    }

    fn varint(&mut self) -> Result<u64, Problem> {
        let mut value = 0;
        let mut byte = Vec::with_capacity(1);
        for shift in (0..64).step_by(7) {
            byte.clear();
            self.advance(1, Some(&mut byte))?;
            value |= u64::from(byte[0] & 0x7f) << shift;
            if byte[0] & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.malformed("endless number"))
    }

    /// Goes `length` bytes forward and appends them to `keep`, where there is one.
    fn advance(&mut self, length: u64, mut keep: Option<&mut Vec<u8>>) -> Result<(), Problem> {
        let mut left = length;
        while left > 0 {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                return Err(Problem::Truncated { at: self.position });
            }
            let size = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.hasher.update(&chunk[..size]);
            if let Some(keep) = &mut keep {
                keep.extend(&chunk[..size]);
            }
            self.input.consume(size);
            self.position += size as u64;
            left -= size as u64;
        }
        Ok(())
    }

    fn malformed(&self, what: &'static str) -> Problem {
        Problem::Malformed { at: self.position, what }
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A length-delimited field.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, content.len() as u8], content].concat()
    }

    #[test]
    fn weights_are_dropped_and_dimensions_and_short_data_kept() {
        let dims = [0x08, 0x03];
        let long = [&[0x4a, 0x81, 0x08][..], &[7; 1025]].concat();
        let tensor = [&dims[..], &field(9, &[1, 2, 3]), &long].concat();
        let graph = [&[0x2a, 0x8b, 0x08][..], &tensor].concat();
        let model = [&[0x3a, 0x8e, 0x08][..], &graph].concat();
        let skeleton = skeleton(&model[..]).unwrap();
        assert_eq!(skeleton.bytes, field(7, &field(5, &[&dims[..], &field(9, &[1, 2, 3])].concat())));
        assert_eq!(skeleton.sha256.len(), 64);
    }

    #[test]
    fn fields_without_bytes_count_too() {
        // A graph of one node with four million empty names.
        let names = [0x0a, 0x00].repeat(1 << 22);
        let node = [&[0x0a, 0x80, 0x80, 0x80, 0x04][..], &names].concat();
        let many_empty_names = [&[0x3a, 0x85, 0x80, 0x80, 0x04][..], &node].concat();
        assert!(matches!(skeleton(&many_empty_names[..]), Err(Problem::TooLarge { .. })));
    }

    #[test]
    fn every_cut_inside_a_field_is_noticed() {
        let model = field(7, &field(1, &field(4, b"Conv")));
        for length in 1..model.len() {
            assert!(matches!(skeleton(&model[..length]), Err(Problem::Truncated { .. })), "{length}");
        }
    }

    #[test]
    fn lists_of_integers_have_no_endless_ones() {
        let endless = [0x80; 10];
        let longest = [&[0x80; 9][..], &[0x01]].concat();
        // Dimensions of a tensor; integers of an attribute of a node.
        let tensor = |numbers: &[u8]| field(7, &field(5, &field(1, numbers)));
        let attribute = |numbers: &[u8]| field(7, &field(1, &field(5, &field(8, numbers))));
        for of in [tensor, attribute] {
            assert!(matches!(skeleton(&of(&endless)[..]), Err(Problem::Malformed { .. })));
            let bytes = of(&longest);
            assert_eq!(skeleton(&bytes[..]).unwrap().bytes, bytes);
        }
    }

    #[test]
    fn lengths_that_reach_too_far_are_errors_and_cost_no_memory() {
        let beyond_message = [0x3a, 0x02, 0x0a, 0x05];
        assert!(matches!(skeleton(&beyond_message[..]), Err(Problem::Malformed { .. })));
        let two_to_the_63 = [&[0x3a][..], &[0x80; 9], &[0x01]].concat();
        assert!(matches!(skeleton(&two_to_the_63[..]), Err(Problem::Truncated { .. })));
        let name_of_one_gib = [0x3a, 0x87, 0x80, 0x80, 0x80, 0x04, 0x0a, 0x81, 0x80, 0x80, 0x80, 0x04, 0x1a];
        assert!(skeleton(&name_of_one_gib[..]).is_err());
    }

    #[test]
    fn graphs_inside_each_other_have_a_bound() {
        let long_field = |number: u64, content: &[u8]| {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, number << 3 | 2);
            put_varint(&mut bytes, content.len() as u64);
            [bytes, content.to_vec()].concat()
        };
        let model = |depth: u64| {
            let node_with = |graph: Vec<u8>, _| long_field(1, &long_field(5, &long_field(6, &graph)));
            long_field(7, &(1..depth).fold(Vec::new(), node_with))
        };
        assert!(skeleton(&model(MAX_DEPTH)[..]).is_ok());
        assert!(matches!(skeleton(&model(MAX_DEPTH + 1)[..]), Err(Problem::TooLarge { .. })));
    }

    #[test]
    fn a_sparse_tensor_becomes_one_without_data() {
        let values = [&[0x08, 0x02][..], &[0x10, 0x01], &field(8, b"w"), &field(9, &[1; 8])].concat();
        let sparse = [&field(1, &values)[..], &field(2, &[0x08, 0x02]), &[0x18, 0x05]].concat();
        let tensor = [&[0x10, 0x01][..], &field(8, b"w"), &[0x08, 0x05]].concat();
        let kept = skeleton(&field(7, &field(15, &sparse))[..]).unwrap().bytes;
        assert_eq!(kept, field(7, &field(5, &tensor)));
    }
}
