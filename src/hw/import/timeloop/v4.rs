//! Version 0.4: a list of tagged nodes, from the outside in.

use super::super::expression::Scope;
use super::super::notes::Notes;
use super::super::yaml::Node;
use super::{Component, Piece, Spread};
use crate::files::InputError;

const TAGS: &str = "a node tagged !Container, !Component, !Hierarchical, !Parallel, !Pipelined or !Nothing";

/// The pieces of a list of nodes.
pub(super) fn pieces<'a>(
    nodes: &'a Node,
    variables: &Scope<'a>,
    notes: &'a Notes,
) -> Result<Vec<Piece<'a>>, InputError> {
    let mut walk = Walk { pieces: vec![], containers: variables.clone(), notes };
    walk.nodes(nodes, false)?;
    Ok(walk.pieces)
}

struct Walk<'a> {
    pieces: Vec<Piece<'a>>,
    /// Attributes of the containers so far, innermost first, and variables.
    containers: Scope<'a>,
    notes: &'a Notes,
}

impl<'a> Walk<'a> {
    fn nodes(&mut self, nodes: &'a Node, is_parallel: bool) -> Result<(), InputError> {
        nodes.list()?.iter().try_for_each(|node| self.node(node, is_parallel))
    }

    fn node(&mut self, node: &'a Node, is_parallel: bool) -> Result<(), InputError> {
        match node.tag.as_deref() {
            // It says that its tensors skip the parallel components, which they do anyway.
            Some("Nothing") => {
                node.take_all();
                Ok(())
            }
            Some("Parallel") => self.nodes(node.need(&["nodes"])?, true),
            Some("Hierarchical" | "Pipelined") => self.nodes(node.need(&["nodes"])?, is_parallel),
            Some("Container") => {
                self.spread(node, is_parallel)?;
                if let Some(attributes) = node.find(&["attributes"])? {
                    self.containers.0.insert(0, attributes);
                }
                Ok(())
            }
            // `Element` is the tag of the first versions.
            Some("Component" | "Element") => self.component(node, is_parallel),
            Some("include" | "include_all") => {
                Err(node.error("an include: give the included file as a further argument instead"))
            }
            _ => Err(node.error(format!("expected {TAGS}"))),
        }
    }

    fn component(&mut self, node: &'a Node, is_parallel: bool) -> Result<(), InputError> {
        let is_off = |enabled: &Node| enabled.text().map(|text| text.eq_ignore_ascii_case("false"));
        if node.find(&["enabled"])?.map(is_off).transpose()?.unwrap_or(false) {
            self.notes.add_whole(node, "it is not enabled");
            return Ok(());
        }
        self.spread(node, is_parallel)?;
        let mut scope = self.containers.clone();
        if let Some(attributes) = node.find(&["attributes"])? {
            scope.0.insert(0, attributes);
        }
        let class = node.need(&["class"])?.text()?;
        let subclass = node.find(&["subclass"])?.map(Node::text).transpose()?;
        self.pieces.push(Piece::Component(Component {
            name: node.need(&["name"])?.text()?.to_string(),
            node,
            scope,
            class: [class, subclass.unwrap_or_default()].join(" "),
            is_parallel,
            inline: node.find(&["constraints"])?,
        }));
        Ok(())
    }

    /// The fan-out to a node, if it has one.
    fn spread(&mut self, node: &'a Node, is_parallel: bool) -> Result<(), InputError> {
        let name = node.need(&["name"])?.text()?;
        let mut scope = self.containers.clone();
        if let Some(attributes) = node.find(&["attributes"])? {
            scope.0.insert(0, attributes);
        }
        let mut extent = [1, 1];
        if let Some(spatial) = node.find(&["spatial"])? {
            for (axis, extent) in ["meshX", "meshY"].into_iter().zip(&mut extent) {
                if let Some(node) = spatial.find(&[axis])? {
                    *extent = scope.whole(node, 1..=1 << 20)?;
                }
            }
        }
        if is_parallel && extent != [1, 1] {
            return Err(node.error("a fan-out inside !Parallel, which Timeloop does not have either"));
        }
        let inline = node.find(&["constraints"])?;
        // Timeloop's front end gives its fan-outs such names.
        let name = (format!("inter_{name}_spatial"), name.to_string());
        self.pieces.push(Piece::Fanout(Spread { name: name.0, target: name.1, node, scope, extent, inline }));
        Ok(())
    }
}
