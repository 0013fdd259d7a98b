//! Einsum of two operands: a batched matrix product in index notation, such as `bhid,bhjd->bhij`.
//!
//! Left out: an ellipsis, an index twice in one operand, an index of one operand that is summed alone, one or more than
//! two operands.

use std::collections::BTreeMap;

use rten_onnx::onnx::NodeProto;

use super::operators;
use crate::workload::layer::product;

/// The indices of an Einsum with their sizes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Einsum {
    sizes: BTreeMap<char, u64>,
    operands: [Vec<char>; 2],
    output: Vec<char>,
}

impl Einsum {
    /// The equation of a node with the shapes of its operands, unless it is of another form.
    pub(super) fn new(node: &NodeProto, shapes: [&[u64]; 2]) -> Option<Self> {
        let equation: String = operators::text(node, "equation")?.split_whitespace().collect();
        let (inputs, output) = equation.split_once("->")?;
        let (a, b) = inputs.split_once(',')?;
        let indices = |text: &str| -> Option<Vec<char>> {
            let indices: Vec<char> = text.chars().collect();
            let is_plain = |(i, c): (usize, &char)| c.is_ascii_alphabetic() && !indices[..i].contains(c);
            indices.iter().enumerate().all(is_plain).then_some(indices)
        };
        let (operands, output) = ([indices(a)?, indices(b)?], indices(output)?);
        let mut sizes = BTreeMap::new();
        for (indices, shape) in operands.iter().zip(shapes) {
            if indices.len() != shape.len() {
                return None;
            }
            for (&index, &size) in indices.iter().zip(shape) {
                if *sizes.entry(index).or_insert(size) != size {
                    return None;
                }
            }
        }
        let in_all = |index: &char| operands.iter().all(|operand| operand.contains(index));
        let is_used = |index: &char| output.contains(index) || in_all(index);
        let fits = output.iter().all(|index| sizes.contains_key(index)) && sizes.keys().all(is_used);
        fits.then_some(Self { sizes, operands, output })
    }

    /// The shape of the output.
    pub(super) fn shape(&self) -> Vec<u64> {
        self.output.iter().map(|index| self.sizes[index]).collect()
    }

    /// Products, rows of the first operand, columns of the second, length of the sums.
    pub(super) fn product(&self) -> Option<[u64; 4]> {
        let [a, b] = &self.operands;
        let over = |is_in: &dyn Fn(&char) -> bool| {
            product(self.sizes.iter().filter(|(index, _)| is_in(index)).map(|(_, &size)| size))
        };
        let is_output = |index: &char| self.output.contains(index);
        Some([
            over(&|i| a.contains(i) && b.contains(i) && is_output(i))?,
            over(&|i| a.contains(i) && !b.contains(i))?,
            over(&|i| b.contains(i) && !a.contains(i))?,
            over(&|i| !is_output(i))?,
        ])
    }
}

#[cfg(test)]
mod tests {
    use rten_onnx::onnx::AttributeProto;

    use super::*;

    fn einsum(equation: &str, a: &[u64], b: &[u64]) -> Option<Einsum> {
        let equation =
            AttributeProto { name: Some("equation".into()), s: Some(equation.into()), ..Default::default() };
        Einsum::new(&NodeProto { attribute: vec![equation], ..Default::default() }, [a, b])
    }

    #[test]
    fn attention_scores_and_a_projection() {
        let scores = einsum("b h i d, b h j d -> b h i j", &[2, 4, 9, 8], &[2, 4, 7, 8]).unwrap();
        assert_eq!((scores.shape(), scores.product()), (vec![2, 4, 9, 7], Some([8, 9, 7, 8])));
        let projection = einsum("bsd,dhk->bshk", &[1, 9, 16], &[16, 4, 8]).unwrap();
        assert_eq!((projection.shape(), projection.product()), (vec![1, 9, 4, 8], Some([1, 9, 32, 16])));
    }

    #[test]
    fn other_forms_are_refused() {
        for equation in
            ["ij,jk", "ii,ij->j", "...ij,jk->...ik", "ij->ji", "ij,kj->k", "ij,jk->iz", "ij,jk,kl->il"]
        {
            assert_eq!(einsum(equation, &[3, 3], &[3, 3]), None, "{equation}");
        }
        assert_eq!(einsum("ij,jk->ik", &[3, 4], &[5, 6]), None);
    }
}
