//! Factors and permutations of loops, in the spellings of all versions: `[N=1, C<=8]`, `N=1 C=1`, `N1 C1 R0`, `NCPQRS`.

use std::fmt;

use super::super::super::expression::Scope;
use super::super::super::yaml::Node;
use crate::dims::{Dim, Tensor};
use crate::files::InputError;

/// A limit on the iterations over a dimension; 0 stands for all that remain.
pub(super) struct Factor<'a> {
    pub(super) dim: Dim,
    pub(super) relation: Relation,
    pub(super) value: u64,
    pub(super) node: &'a Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    AtMost,
    AtLeast,
}

impl fmt::Display for Factor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let sign = match self.relation {
            Relation::Equal => "=",
            Relation::AtMost => "<=",
            Relation::AtLeast => ">=",
        };
        write!(f, "{:?}{sign}{}", self.dim, self.value)
    }
}

/// All factors of a constraint, those of Timeloop's macros included.
pub(super) fn of<'a>(node: &'a Node, scope: &Scope) -> Result<Vec<Factor<'a>>, InputError> {
    let mut all = vec![];
    let fixed = |dim: Dim, node: &'a Node| Factor { dim, relation: Relation::Equal, value: 1, node };
    for key in ["factors", "factors_only"] {
        let Some(list) = node.find(&[key])? else { continue };
        for (text, node) in tokens(list)? {
            all.push(factor(&text, node, scope)?);
        }
        if key == "factors_only" {
            let others = Dim::ALL.into_iter().filter(|&dim| all.iter().all(|factor| factor.dim != dim));
            let others: Vec<Factor> = others.map(|dim| fixed(dim, list)).collect();
            all.extend(others);
        }
    }
    for (key, is_only) in [("no_iteration_over_dataspaces", false), ("must_iterate_over_dataspaces", true)] {
        let Some(list) = node.find(&[key])? else { continue };
        let named = super::tensors(list)?;
        let of_named = |dim: &Dim| named.iter().any(|tensor: &Tensor| tensor.dims().has(*dim));
        all.extend(Dim::ALL.into_iter().filter(|dim| of_named(dim) != is_only).map(|dim| fixed(dim, list)));
    }
    for (key, relation) in
        [("default_max_factor", Relation::AtMost), ("default_min_factor", Relation::AtLeast)]
    {
        let Some(node) = node.find(&[key])? else { continue };
        let value = scope.whole(node, 1..=1_000_000_000_000)?;
        let others = Dim::ALL.into_iter().filter(|&dim| all.iter().all(|factor| factor.dim != dim));
        let others: Vec<Factor> = others.map(|dim| Factor { dim, relation, value, node }).collect();
        all.extend(others);
    }
    Ok(all)
}

/// Whether a constraint, or one inside it, names the groups of a layer.
pub(super) fn name_groups(node: &Node) -> bool {
    let factors = ["factors", "factors_only"].into_iter().filter_map(|key| node.peek(key));
    let mut named = factors.filter_map(|list| tokens(list).ok()).flatten();
    named.any(|(text, _)| text.starts_with('G'))
        || ["temporal", "spatial"].into_iter().filter_map(|key| node.peek(key)).any(name_groups)
}

/// The dimensions of a permutation in their order.
pub(super) fn permutation(node: &Node) -> Result<Vec<Dim>, InputError> {
    let letters = |node: &Node| -> Result<Vec<Dim>, InputError> {
        let letters = node.text()?.chars().filter(|c| !c.is_whitespace() && *c != ',');
        letters.map(|letter| dim(letter.encode_utf8(&mut [0; 4]), node)).collect()
    };
    match node.is_list() {
        true => Ok(node.list()?.iter().map(letters).collect::<Result<Vec<_>, _>>()?.concat()),
        false => letters(node),
    }
}

/// The words of a list of factors, without blanks inside, each with the value that it stands in.
fn tokens(list: &Node) -> Result<Vec<(String, &Node)>, InputError> {
    let nodes: Vec<&Node> = if list.is_list() { list.list()?.iter().collect() } else { vec![list] };
    let mut words = vec![];
    for node in nodes {
        let mut text = node.text()?.to_string();
        for (loose, tight) in ["<", "=", ">"]
            .into_iter()
            .flat_map(|sign| [(format!(" {sign}"), sign), (format!("{sign} "), sign)])
        {
            while text.contains(&loose) {
                text = text.replace(&loose, tight);
            }
        }
        let split = text.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty());
        words.extend(split.map(|word| (word.to_string(), node)));
    }
    Ok(words)
}

fn factor<'a>(text: &str, node: &'a Node, scope: &Scope) -> Result<Factor<'a>, InputError> {
    const SIGNS: [(&str, Relation); 6] = [
        ("<=", Relation::AtMost),
        (">=", Relation::AtLeast),
        ("==", Relation::Equal),
        ("=", Relation::Equal),
        ("<", Relation::AtMost),
        (">", Relation::AtLeast),
    ];
    let found = SIGNS.iter().find_map(|(sign, relation)| Some((text.split_once(sign)?, *sign, *relation)));
    let ((name, value), sign, relation) = match found {
        Some(found) => found,
        // The oldest spelling: `R0` for all that remains of R.
        None => {
            let at = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
            (text.split_at(at), "=", Relation::Equal)
        }
    };
    let dim = dim(name, node)?;
    let expected = || {
        node.error(format!("`{text}`: expected a factor such as M=1, M<=8, M>=2 or M=0 (all that remains)"))
    };
    if value.is_empty() {
        return Err(expected());
    }
    let value = scope.number_in(value, node)?;
    let value = match sign {
        "<" => value - 1.0,
        ">" => value + 1.0,
        _ => value,
    };
    let least = if relation == Relation::Equal { 0.0 } else { 1.0 };
    match value.fract() == 0.0 && (least..=1e12).contains(&value) {
        true => Ok(Factor { dim, relation, value: value as u64, node }),
        false => Err(expected()),
    }
}

/// A dimension by Timeloop's letter, whose M (K in its first versions) are our output channels K.
fn dim(name: &str, node: &Node) -> Result<Dim, InputError> {
    Ok(match name {
        "N" => Dim::N,
        "G" => Dim::G,
        "M" | "K" => Dim::K,
        "C" => Dim::C,
        "P" => Dim::P,
        "Q" => Dim::Q,
        "R" => Dim::R,
        "S" => Dim::S,
        _ => {
            return Err(node
                .error(format!("the dimension `{name}`: expected N, G, M, C, P, Q, R or S of a CNN layer")));
        }
    })
}
