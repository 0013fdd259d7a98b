//! Constraints on the mapping, as far as a level or a fan-out has a key for them.
//!
//! A factor of 1 forbids a dimension and one of 0 makes its level take all that remains; on a fan-out, other factors
//! become its `max_factor`. What has no key (temporal factors, orders of loops) leaves the search free, with a note.

mod factors;

use super::super::notes::Notes;
use super::super::yaml::Node;
use super::{Component, Piece, Spread, tensor};
use crate::dims::{Dim, DimSet, PerDim, Tensor};
use crate::files::{InputError, did_you_mean};
use factors::{Factor, Relation};

/// Top-level sections with constraints, in the words of both versions.
const SECTIONS: [&str; 5] =
    ["constraints", "architecture_constraints", "mapspace_constraints", "mapping_constraints", "mapspace"];

const ALL: DimSet = DimSet::of(&Dim::ALL);

/// All constraints of a specification.
pub(super) struct Constraints<'a> {
    targets: Vec<Target<'a>>,
    /// Whether any of them names the groups of a layer.
    pub(super) groups: Groups,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Groups {
    Named,
    Unnamed,
}

struct Target<'a> {
    name: String,
    kind: &'a str,
    node: &'a Node,
}

/// What a level or a fan-out may do.
pub(super) struct Limits {
    pub(super) allowed: DimSet,
    pub(super) whole: DimSet,
    pub(super) at_most: PerDim<Option<u64>>,
    /// Dimensions that may lie along X and Y.
    pub(super) axes: [DimSet; 2],
    pub(super) remarks: Vec<String>,
}

impl<'a> Constraints<'a> {
    /// Finds the constraints in the documents; the targets must be pieces of the architecture.
    pub(super) fn read(
        documents: &'a [Node],
        pieces: &[Piece<'a>],
        notes: &Notes,
    ) -> Result<Self, InputError> {
        let mut targets = vec![];
        for document in documents {
            for section in SECTIONS.into_iter().filter(|section| document.has(section)) {
                // Beside constraints, `mapspace` may only have settings of the search.
                let holds =
                    |node: &&Node| section != "mapspace" || node.has("constraints") || node.has("targets");
                let Some(node) = document.peek(section).filter(holds) else { continue };
                document.find(&[section])?;
                let list = if node.is_list() { Some(node) } else { node.find(&["targets", "constraints"])? };
                if !node.is_list() {
                    node.find(&["version"])?;
                }
                for node in list.map(Node::list).transpose()?.unwrap_or_default() {
                    let name = super::energy::plain_name(node.need(&["target"])?.text()?);
                    let kind = kind(node.need(&["type"])?)?;
                    check_name(&name, node, pieces)?;
                    match kind {
                        "temporal" | "spatial" | "dataspace" => targets.push(Target { name, kind, node }),
                        _ => notes.add_whole(node, "a level has no key for it"),
                    }
                }
            }
        }
        let inline = pieces.iter().filter_map(|piece| match piece {
            Piece::Component(component) => component.inline,
            Piece::Fanout(spread) => spread.inline,
        });
        let nodes = targets.iter().map(|target| target.node).chain(inline);
        let groups =
            if nodes.into_iter().any(factors::name_groups) { Groups::Named } else { Groups::Unnamed };
        Ok(Self { targets, groups })
    }

    /// The constraints of a kind on a target: those that stand in it, then those of the sections.
    fn on(&self, target: &str, kind: &str, inline: Option<&'a Node>) -> Result<Vec<&'a Node>, InputError> {
        let inline = inline.map(|node| node.find(&[kind])).transpose()?.flatten();
        let listed = self.targets.iter().filter(|listed| listed.name == target && listed.kind == kind);
        Ok(inline.into_iter().chain(listed.map(|listed| listed.node)).collect())
    }

    /// Which tensors a storage component keeps.
    pub(super) fn keeps(&self, component: &Component<'a>, notes: &Notes) -> Result<[bool; 3], InputError> {
        let mut keeps: [Option<bool>; 3] = [None; 3];
        let nodes = self.on(&component.name, "dataspace", component.inline)?;
        for node in &nodes {
            for (key, kept) in
                [("keep", true), ("bypass", false), ("keep_only", true), ("bypass_only", false)]
            {
                let Some(list) = node.find(&[key])? else { continue };
                let named = tensors(list)?;
                for tensor in Tensor::ALL {
                    let keep = &mut keeps[tensor as usize];
                    let told = if named.contains(&tensor) { kept } else { !kept };
                    if !named.contains(&tensor) && !key.ends_with("_only") {
                        continue;
                    }
                    if keep.is_some_and(|keep| keep != told) {
                        return Err(list.error(format!("{tensor:?} are both kept and bypassed")));
                    }
                    *keep = Some(told);
                }
            }
        }
        let open: Vec<String> =
            Tensor::ALL.iter().filter(|&&t| keeps[t as usize].is_none()).map(|t| format!("{t:?}")).collect();
        if !open.is_empty() && !component.is_parallel && !nodes.is_empty() {
            notes.add(
                nodes[0],
                format!("{} are not named: kept here; Timeloop would try both", open.join(", ")),
            );
        }
        Ok(keeps.map(|keep| keep.unwrap_or(!component.is_parallel)))
    }

    /// Whether no constraint names the tensors of a storage component.
    pub(super) fn says_nothing_of_tensors(&self, component: &Component<'a>) -> Result<bool, InputError> {
        Ok(self.on(&component.name, "dataspace", component.inline)?.is_empty())
    }

    /// What a storage component may loop over.
    pub(super) fn temporal(&self, component: &Component<'a>, notes: &Notes) -> Result<Limits, InputError> {
        let mut limits = Limits::new();
        for node in self.on(&component.name, "temporal", component.inline)? {
            if let Some(order) = node.find(&["permutation"])? {
                notes.add(order, "the order of loops is searched");
            }
            for factor in factors::of(node, &component.scope)? {
                limits.apply(&factor);
                let why = match (factor.relation, factor.value) {
                    (Relation::Equal | Relation::AtMost, 1)
                    | (Relation::Equal, 0)
                    | (Relation::AtLeast, 1) => continue,
                    _ => "a level has no key for the number of iterations: free here",
                };
                notes.add(factor.node, format!("{factor}: {why}"));
            }
            note_search(node, notes)?;
        }
        limits.at_most = [None; 8];
        Ok(limits)
    }

    /// What a fan-out may unroll.
    pub(super) fn spatial(&self, spread: &Spread<'a>, notes: &Notes) -> Result<Limits, InputError> {
        let mut limits = Limits::new();
        let mut is_split = false;
        let nodes = self.on(&spread.target, "spatial", spread.inline)?;
        if spread.extent == [1, 1] {
            // Without a fan-out they mean nothing.
            nodes.into_iter().for_each(Node::take_all);
            return Ok(limits);
        }
        for node in nodes {
            for factor in factors::of(node, &spread.scope)? {
                limits.apply(&factor);
                let why = match (factor.relation, factor.value) {
                    (Relation::AtMost, _) | (Relation::Equal, 0 | 1) | (Relation::AtLeast, 1) => continue,
                    (Relation::Equal, _) => "taken as at most",
                    (Relation::AtLeast, _) => "a fan-out has no key for a lower limit: free here",
                };
                notes.add(factor.node, format!("{factor}: {why}"));
            }
            is_split |= limits.split(node, notes)?;
            note_search(node, notes)?;
        }
        match spread.extent {
            [_, 1] if !is_split => limits.axes = [ALL, DimSet::EMPTY],
            [1, _] if !is_split => limits.axes = [DimSet::EMPTY, ALL],
            [x, y] => {
                if !is_split {
                    limits
                        .remarks
                        .push("No split in the source: a dimension may lie along either axis.".into());
                }
                for (axis, extent) in limits.axes.iter_mut().zip([x, y]) {
                    *axis = if extent == 1 { DimSet::EMPTY } else { *axis };
                }
            }
        }
        // What no axis may unroll cannot be unrolled whole.
        let unrolled =
            limits.axes[0].iter().chain(limits.axes[1].iter()).collect::<DimSet>().and(limits.allowed);
        if let Some(dim) = limits.whole.iter().find(|&dim| !unrolled.has(dim)) {
            return Err(spread
                .node
                .error(format!("{dim:?} must be unrolled whole, but the axes leave no place for it")));
        }
        for dim in Dim::ALL.into_iter().filter(|&dim| !unrolled.has(dim)) {
            limits.at_most[dim as usize] = None;
        }
        Ok(limits)
    }
}

impl Limits {
    fn new() -> Self {
        Self { allowed: ALL, whole: DimSet::EMPTY, at_most: [None; 8], axes: [ALL; 2], remarks: vec![] }
    }

    fn apply(&mut self, factor: &Factor) {
        let at_most = &mut self.at_most[factor.dim as usize];
        match (factor.relation, factor.value) {
            (Relation::Equal | Relation::AtMost, 1) => {
                self.allowed = self.allowed.without(DimSet::of(&[factor.dim]))
            }
            (Relation::Equal, 0) => self.whole = self.whole.with(factor.dim),
            (Relation::Equal | Relation::AtMost, most) => {
                *at_most = Some(at_most.map_or(most, |old| old.min(most)))
            }
            (Relation::AtLeast, _) => {}
        }
    }

    /// Reads which dimensions lie along X: the first ones of the permutation, as many as the split says.
    fn split(&mut self, node: &Node, notes: &Notes) -> Result<bool, InputError> {
        let order = node.find(&["permutation"])?;
        let Some(split) = node.find(&["split"])? else {
            order.iter().for_each(|order| notes.add(order, "without a split it changes no cost"));
            return Ok(false);
        };
        let Some(order) = order else {
            notes.add(split, "without a permutation it says nothing");
            return Ok(false);
        };
        let first = super::super::expression::Scope::default().whole(split, 0..=1_000_000)? as usize;
        let order = factors::permutation(order)?;
        let x: DimSet = order.iter().copied().take(first).collect();
        // Dimensions that the permutation does not name come after those that it names.
        let unnamed = ALL.without(order.iter().copied().collect());
        let y: DimSet = order.iter().copied().skip(first).collect();
        let add =
            |set: DimSet, with: bool| if with { set.iter().chain(unnamed.iter()).collect() } else { set };
        self.axes = [add(x, first > order.len()), add(y, first < Dim::ALL.len())];
        Ok(true)
    }
}

/// Notes what only steers a search.
fn note_search(node: &Node, notes: &Notes) -> Result<(), InputError> {
    if let Some(dims) = node.find(&["maximize_dims"])? {
        notes.add(dims, "a preference: the search weighs all dimensions that are allowed");
    }
    Ok(())
}

fn tensors(list: &Node) -> Result<Vec<Tensor>, InputError> {
    let of = |node: &Node| tensor(node.text()?, node);
    match list.is_list() {
        true => Ok(list.list()?.iter().map(of).collect::<Result<Vec<_>, _>>()?.concat()),
        false => of(list),
    }
}

/// The kind of a constraint, in the words of both versions.
fn kind(node: &Node) -> Result<&'static str, InputError> {
    match node.text()? {
        "temporal" => Ok("temporal"),
        "spatial" => Ok("spatial"),
        "dataspace" | "bypass" | "bypassing" | "datatype" => Ok("dataspace"),
        "utilization" => Ok("utilization"),
        "max_overbooked_proportion" => Ok("max_overbooked_proportion"),
        _ => Err(node
            .expected("temporal, spatial, dataspace (or bypass), utilization or max_overbooked_proportion")),
    }
}

fn check_name(name: &str, node: &Node, pieces: &[Piece]) -> Result<(), InputError> {
    let mut names: Vec<&str> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Component(component) => component.name.as_str(),
            Piece::Fanout(spread) => spread.target.as_str(),
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    match names.contains(&name) {
        true => Ok(()),
        false => {
            let hint = did_you_mean(name, &names);
            Err(node.error(format!("the architecture has no `{name}`{hint}")))
        }
    }
}
