//! Version 0.3, and what the front end of version 0.4 writes: nested subtrees with components that occur several times.
//!
//! The fan-out to a component is the ratio of its instances to those of the component before it; its width along X is
//! the ratio of their `meshX`.

use super::super::expression::Scope;
use super::super::notes::Notes;
use super::super::yaml::Node;
use super::{Component, Kind, Piece, Spread};
use crate::files::InputError;

/// A component with its instances in all, and its extent along X if the source has it.
struct Leaf<'a> {
    component: Component<'a>,
    instances: u64,
    mesh_x: Option<u64>,
}

/// The pieces of an architecture.
pub(super) fn pieces<'a>(
    architecture: &'a Node,
    variables: &Scope<'a>,
    notes: &Notes,
) -> Result<Vec<Piece<'a>>, InputError> {
    let mut leaves = vec![];
    subtree(architecture, variables, 1, &mut leaves)?;
    let mut pieces: Vec<Piece> = vec![];
    let mut last: Option<Leaf> = None;
    for leaf in leaves {
        if leaf.component.kind()? == Kind::Network {
            notes.add_whole(leaf.component.node, "networks cost nothing here");
            continue;
        }
        match last.take() {
            Some(outer) => {
                let spread = between(&outer, &leaf)?;
                pieces.extend([Piece::Component(outer.component), spread]);
            }
            None if leaf.instances != 1 => {
                return Err(leaf
                    .component
                    .node
                    .error("the outermost component occurs several times: expected one DRAM"));
            }
            None => {}
        }
        last = Some(leaf);
    }
    pieces.extend(last.map(|leaf| Piece::Component(leaf.component)));
    Ok(pieces)
}

fn subtree<'a>(
    node: &'a Node,
    scope: &Scope<'a>,
    instances: u64,
    leaves: &mut Vec<Leaf<'a>>,
) -> Result<(), InputError> {
    if let Some(local) = node.find(&["local"])? {
        for node in local.list()? {
            let (name, times) = name_and_instances(node)?;
            let mut scope = scope.clone();
            if let Some(attributes) = node.find(&["attributes"])? {
                scope.0.insert(0, attributes);
            }
            let class = node.need(&["class"])?.text()?;
            let subclass = node.find(&["subclass"])?.map(Node::text).transpose()?;
            let mesh_x = match node.find(&["attributes"])? {
                Some(attributes) => attributes.find(&["meshX"])?,
                None => None,
            };
            let mesh_x = mesh_x.map(|node| scope.whole(node, 1..=1 << 20)).transpose()?;
            let class = [class, subclass.unwrap_or_default()].join(" ");
            let component = Component { name, node, scope, class, is_parallel: false, inline: None };
            leaves.push(Leaf { component, instances: product(instances, times, node)?, mesh_x });
        }
    }
    let Some(trees) = node.find(&["subtree"])? else { return Ok(()) };
    match trees.list()? {
        [] => Ok(()),
        [tree] => {
            let (_, times) = name_and_instances(tree)?;
            let mut scope = scope.clone();
            if let Some(attributes) = tree.find(&["attributes"])? {
                scope.0.insert(0, attributes);
            }
            subtree(tree, &scope, product(instances, times, tree)?, leaves)
        }
        [_, second, ..] => {
            Err(second.error("a second branch of the tree: expected one chain from DRAM to the MACs"))
        }
    }
}

/// `PE[0..15]`: the name, and that it occurs 16 times.
fn name_and_instances(node: &Node) -> Result<(String, u64), InputError> {
    let name = node.need(&["name"])?;
    let text = name.text()?;
    let Some((plain, range)) = text.split_once('[') else { return Ok((text.to_string(), 1)) };
    let ends = range.strip_suffix(']').and_then(|range| range.split_once(".."));
    let ends =
        ends.and_then(|(from, to)| Some((from.trim().parse::<u64>().ok()?, to.trim().parse::<u64>().ok()?)));
    match ends {
        Some((from, to)) if from <= to && to - from < 1 << 20 => Ok((plain.to_string(), to - from + 1)),
        _ => Err(name.expected("a name, or a name with its instances such as PE[0..15]")),
    }
}

fn product(a: u64, b: u64, node: &Node) -> Result<u64, InputError> {
    a.checked_mul(b).filter(|&all| all <= 1 << 40).ok_or_else(|| node.error("more than 2^40 instances"))
}

/// The fan-out from a component to the next.
fn between<'a>(outer: &Leaf<'a>, inner: &Leaf<'a>) -> Result<Piece<'a>, InputError> {
    let (name, node) = (&inner.component.name, inner.component.node);
    let uneven = |what: &str, of: u64, per: u64| {
        let outer = &outer.component.name;
        node.error(format!("{of} {what} of `{name}` are no multiple of the {per} of `{outer}` around it"))
    };
    if !inner.instances.is_multiple_of(outer.instances) {
        return Err(uneven("instances", inner.instances, outer.instances));
    }
    let fanout = inner.instances / outer.instances;
    // Like Timeloop, which takes all instances along X unless told otherwise.
    let [outer_x, inner_x] = [outer, inner].map(|leaf| leaf.mesh_x.unwrap_or(leaf.instances));
    if !inner_x.is_multiple_of(outer_x) || !fanout.is_multiple_of(inner_x / outer_x) {
        return Err(uneven("columns (meshX)", inner_x, outer_x));
    }
    let x = inner_x / outer_x;
    let name = match outer.component.class.contains("dummy") {
        true => outer.component.name.clone(),
        false => format!("inter_{name}_spatial"),
    };
    let extent = [x, fanout / x];
    if extent.iter().any(|&extent| extent > 1 << 20) {
        return Err(node.error("more than 1048576 instances along one axis"));
    }
    let (target, scope) = (outer.component.name.clone(), outer.component.scope.clone());
    Ok(Piece::Fanout(Spread { name, target, node, scope, extent, inline: None }))
}
