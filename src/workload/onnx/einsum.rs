//! Einsum: sums of products in index notation, such as `bhid,bhjd->bhij`.
//!
//! Two operands are a batched matrix product. An index that one operand alone has and that is summed is added up
//! first: additions, no MACs. More operands are contracted from the left to the right, as onnxruntime does: the first
//! two, then their product and the third, and so on (`pairs`). A product in which nothing is summed and one operand has
//! every index is element-wise. One operand alone is a view (transposed, a diagonal, all of it), or a sum where an
//! index is missing in the output.
//!
//! As in numpy, an ellipsis stands for leading dimensions that broadcast, a size of 1 repeats, and an equation without
//! an output has the indices that occur once, in their order.

use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::NodeProto;

use super::operators::{self, Class, Cost};
use crate::workload::layer::product;

/// An index of an equation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Index {
    /// A dimension that the ellipsis stands for, counted from the last one.
    Ellipsis(usize),
    Letter(char),
}

/// The index that stands for a whole ellipsis in an equation whose shapes are not known.
const ELLIPSIS: Index = Index::Ellipsis(0);

/// An equation: the indices of every operand, and of the output.
#[derive(Debug, PartialEq, Eq)]
struct Equation {
    operands: Vec<Vec<Index>>,
    output: Vec<Index>,
}

impl Equation {
    fn of(node: &NodeProto) -> Result<Self, String> {
        let text = operators::text(node, "equation").ok_or("`equation` is missing")?;
        let text: String = text.split_whitespace().collect();
        let (inputs, output) = match text.split_once("->") {
            Some((inputs, output)) => (inputs, Some(output)),
            None => (&text[..], None),
        };
        let operands = inputs.split(',').map(indices).collect::<Result<Vec<_>, _>>()?;
        let output = match output {
            Some(output) => indices(output)?,
            None => implied(&operands),
        };
        let equation = Self { operands, output };
        equation.check().map(|()| equation)
    }

    fn check(&self) -> Result<(), String> {
        let all: BTreeSet<&Index> = self.operands.iter().flatten().collect();
        let repeated =
            |(at, index): (usize, &Index)| self.output[..at].contains(index) || !all.contains(index);
        if self.output.iter().enumerate().any(repeated) {
            return Err("an index of the output of `equation` is there twice, or in no operand".into());
        }
        if all.contains(&ELLIPSIS) && !self.output.contains(&ELLIPSIS) {
            return Err("the output of `equation` has no ellipsis, an operand has one".into());
        }
        Ok(())
    }

    fn class(&self) -> Class {
        let is_output = |index: &Index| self.output.contains(index);
        let has_all = |operand: &Vec<Index>| self.output.iter().all(|index| operand.contains(index));
        let sums = !self.operands.iter().flatten().all(is_output);
        match &self.operands[..] {
            [_] if sums => Class::Vector(Cost::PerInput),
            [_] => Class::View,
            operands if !sums && operands.iter().any(has_all) => Class::Pointwise(Cost::Operands),
            _ => Class::Einsum,
        }
    }
}

/// Letters, and at most one ellipsis.
fn indices(text: &str) -> Result<Vec<Index>, String> {
    let mut indices = Vec::new();
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        indices.push(match next {
            letter if letter.is_ascii_alphabetic() => Index::Letter(letter),
            '.' if (rest.next(), rest.next()) == (Some('.'), Some('.')) && !indices.contains(&ELLIPSIS) => {
                ELLIPSIS
            }
            _ => return Err(format!("`equation` has `{text}`: letters and one ellipsis are allowed")),
        });
    }
    Ok(indices)
}

/// The output of an equation that has none.
fn implied(operands: &[Vec<Index>]) -> Vec<Index> {
    let mut count: BTreeMap<Index, usize> = BTreeMap::new();
    operands.iter().flatten().for_each(|&index| *count.entry(index).or_default() += 1);
    let stays = |(index, count): (Index, usize)| (index == ELLIPSIS || count == 1).then_some(index);
    count.into_iter().filter_map(stays).collect()
}

/// What an Einsum is, by its equation alone; one whose equation is wrong is refused when its shape is asked for.
pub(super) fn class(node: &NodeProto) -> Class {
    Equation::of(node).map_or(Class::Einsum, |equation| equation.class())
}

/// The indices of an Einsum with their sizes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Einsum {
    sizes: BTreeMap<Index, u64>,
    /// For every operand the indices along which it is longer than 1, or that nobody has longer.
    operands: Vec<BTreeSet<Index>>,
    output: Vec<Index>,
}

impl Einsum {
    /// The equation of a node with the shapes of its operands, or what is wrong with it.
    pub(super) fn new(node: &NodeProto, shapes: &[Vec<u64>]) -> Result<Self, String> {
        let equation = Equation::of(node)?;
        if equation.operands.len() != shapes.len() {
            let (terms, inputs) = (equation.operands.len(), shapes.len());
            return Err(format!("`equation` has {terms} operands, the node {inputs} inputs"));
        }
        let mut sizes = BTreeMap::new();
        let mut operands = Vec::new();
        for (term, shape) in equation.operands.iter().zip(shapes) {
            let indices = expand(term, shape.len())?;
            for (&index, &size) in indices.iter().zip(shape) {
                let known = sizes.entry(index).or_insert(size);
                match (*known, size) {
                    (1, size) => *known = size,
                    (known, size) if known == size || size == 1 => {}
                    (known, size) => {
                        return Err(format!("an index of `equation` is both {known} and {size} long"));
                    }
                }
            }
            operands.push(indices.into_iter().zip(shape.iter().copied()).collect::<Vec<_>>());
        }
        let repeats = |&(index, size): &(Index, u64)| size == sizes[&index];
        let long = |operand: Vec<(Index, u64)>| {
            operand.into_iter().filter(repeats).map(|(index, _)| index).collect()
        };
        let operands = operands.into_iter().map(long).collect();
        let rank = sizes.keys().filter(|index| matches!(index, Index::Ellipsis(_))).count();
        let output = equation.output.iter().flat_map(|&index| spread(index, rank)).collect();
        Ok(Self { sizes, operands, output })
    }

    /// The shape of the output.
    pub(super) fn shape(&self) -> Vec<u64> {
        self.output.iter().map(|index| self.sizes[index]).collect()
    }

    /// Of two operands: products, rows of the first, columns of the second, length of the sums. `None` of another
    /// number of operands, and where a size exceeds 64 bits.
    pub(super) fn product(&self) -> Option<[u64; 4]> {
        let [a, b] = &self.operands[..] else { return None };
        let over = |in_a: bool, in_b: bool, in_output: bool| {
            let is_in = |(index, _): &(&Index, &u64)| {
                (a.contains(index), b.contains(index), self.output.contains(index)) == (in_a, in_b, in_output)
            };
            product(self.sizes.iter().filter(is_in).map(|(_, &size)| size))
        };
        Some([
            over(true, true, true)?,
            over(true, false, true)?,
            over(false, true, true)?,
            over(true, true, false)?,
        ])
    }
}

/// The equations of two operands each that give one of three or more, from the left; empty for another one.
pub(super) fn pairs(node: &NodeProto) -> Vec<String> {
    let Ok(Equation { operands, output }) = Equation::of(node) else { return Vec::new() };
    let mut equations = Vec::new();
    let Some((mut left, rest)) = operands.split_first().map(|(first, rest)| (first.clone(), rest)) else {
        return equations;
    };
    if rest.len() < 2 {
        return equations;
    }
    for (at, right) in rest.iter().enumerate() {
        let later: BTreeSet<Index> = rest[at + 1..].iter().flatten().chain(&output).copied().collect();
        let union: BTreeSet<Index> = left.iter().chain(right).copied().collect();
        let result = match at + 1 == rest.len() {
            true => output.clone(),
            false => union.intersection(&later).copied().collect(),
        };
        equations.push(format!("{},{}->{}", text(&left), text(right), text(&result)));
        left = result;
    }
    equations
}

fn text(indices: &[Index]) -> String {
    let one = |index: &Index| match index {
        Index::Letter(letter) => letter.to_string(),
        Index::Ellipsis(_) => "...".to_owned(),
    };
    indices.iter().map(one).collect()
}

/// The indices of an operand of this rank.
fn expand(term: &[Index], rank: usize) -> Result<Vec<Index>, String> {
    let letters = term.iter().filter(|&&index| index != ELLIPSIS).count();
    let fits = if term.contains(&ELLIPSIS) { rank >= letters } else { rank == letters };
    if !fits {
        return Err(format!("an operand of `equation` has {letters} indices, its input {rank} dimensions"));
    }
    Ok(term.iter().flat_map(|&index| spread(index, rank - letters)).collect())
}

/// The dimensions that an index stands for, where an ellipsis stands for `rank`.
fn spread(index: Index, rank: usize) -> Vec<Index> {
    match index {
        Index::Letter(_) => vec![index],
        Index::Ellipsis(_) => (0..rank).rev().map(Index::Ellipsis).collect(),
    }
}

#[cfg(test)]
mod tests {
    use rten_onnx::onnx::AttributeProto;

    use super::*;

    fn node(equation: &str) -> NodeProto {
        let equation =
            AttributeProto { name: Some("equation".into()), s: Some(equation.into()), ..Default::default() };
        NodeProto { attribute: vec![equation], ..Default::default() }
    }

    fn einsum(equation: &str, shapes: &[&[u64]]) -> Result<Einsum, String> {
        let shapes: Vec<Vec<u64>> = shapes.iter().map(|shape| shape.to_vec()).collect();
        Einsum::new(&node(equation), &shapes)
    }

    fn product(equation: &str, shapes: [&[u64]; 2]) -> (Vec<u64>, [u64; 4]) {
        let einsum = einsum(equation, &shapes).unwrap();
        (einsum.shape(), einsum.product().unwrap())
    }

    #[test]
    fn attention_scores_and_a_projection() {
        let scores = product("b h i d, b h j d -> b h i j", [&[2, 4, 9, 8], &[2, 4, 7, 8]]);
        assert_eq!(scores, (vec![2, 4, 9, 7], [8, 9, 7, 8]));
        let projection = product("bsd,dhk->bshk", [&[1, 9, 16], &[16, 4, 8]]);
        assert_eq!(projection, (vec![1, 9, 4, 8], [1, 9, 32, 16]));
    }

    #[test]
    fn an_ellipsis_stands_for_leading_dimensions_that_broadcast() {
        let rows = product("...ij,jk->...ik", [&[1, 4, 5, 6], &[6, 7]]);
        assert_eq!(rows, (vec![1, 4, 5, 7], [1, 20, 7, 6]));
        let both = product("...ij,...jk->...ik", [&[3, 2, 5, 6], &[2, 6, 7]]);
        assert_eq!(both, (vec![3, 2, 5, 7], [2, 15, 7, 6]));
        let repeated = product("...ij,...jk->...ik", [&[3, 5, 6], &[1, 6, 7]]);
        assert_eq!(repeated, (vec![3, 5, 7], [1, 15, 7, 6]));
        assert_eq!(product("i...,j...->ij...", [&[3, 4], &[5, 4]]), (vec![3, 5, 4], [4, 3, 5, 1]));
    }

    #[test]
    fn an_implied_output_has_what_occurs_once_in_order() {
        assert_eq!(product("kj,ji", [&[4, 3], &[3, 5]]), (vec![5, 4], [1, 4, 5, 3]));
        assert_eq!(product("i,i", [&[5], &[5]]), (vec![], [1, 1, 1, 5]));
        assert_eq!(einsum("j...i", &[&[2, 3, 4]]).unwrap().shape(), [3, 4, 2]);
    }

    #[test]
    fn an_index_summed_alone_is_added_up_first_and_a_diagonal_is_short() {
        assert_eq!(product("ij,kj->k", [&[3, 4], &[5, 4]]), (vec![5], [1, 1, 5, 4]));
        assert_eq!(product("bii,ij->bj", [&[2, 3, 3], &[3, 4]]), (vec![2, 4], [1, 2, 4, 3]));
    }

    #[test]
    fn more_operands_are_products_of_two_from_the_left() {
        assert_eq!(pairs(&node("ij,jk,kl->il")), ["ij,jk->ik", "ik,kl->il"]);
        assert_eq!(pairs(&node("...i,jz,ik,k")), ["...i,jz->...ijz", "...ijz,ik->...jkz", "...jkz,k->...jz"]);
        assert!(pairs(&node("ij,jk->ik")).is_empty());
    }

    #[test]
    fn the_equation_says_what_it_is() {
        for (equation, class) in [
            ("ij->ji", Class::View),
            ("...ii->...i", Class::View),
            ("ij->i", Class::Vector(Cost::PerInput)),
            ("ii", Class::Vector(Cost::PerInput)),
            ("bhw,b->bhw", Class::Pointwise(Cost::Operands)),
            ("i,j->ij", Class::Einsum),
            ("ij,jk", Class::Einsum),
            ("ij,ij->", Class::Einsum),
        ] {
            assert_eq!(super::class(&node(equation)), class, "{equation}");
        }
    }

    #[test]
    fn wrong_equations_are_refused_with_their_cause() {
        for (equation, cause) in [
            ("ij,j1->i", "`j1`: letters and one ellipsis are allowed"),
            ("ij,jk->iz", "in no operand"),
            ("ij,jk->ii", "there twice"),
            ("...j,jk->k", "has no ellipsis"),
            ("i..j,jk->k", "one ellipsis"),
            ("ijk,jk->i", "has 3 indices, its input 2 dimensions"),
            ("...ijk,jk->...i", "has 3 indices, its input 2 dimensions"),
            ("ij,jk,kl->il", "has 3 operands, the node 2 inputs"),
            ("ij,ik->jk", "both 3 and 4 long"),
        ] {
            let message = einsum(equation, &[&[3, 4], &[4, 5]]).unwrap_err();
            assert!(message.contains(cause), "{equation}: {message}");
        }
    }
}
