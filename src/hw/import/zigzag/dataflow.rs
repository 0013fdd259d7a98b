//! What the dimensions of the array unroll, and which operand holds which tensor.

use super::super::expression::Scope;
use super::super::notes::Notes;
use super::super::yaml::Node;
use super::Axis;
use crate::dims::{Dim, DimSet, PerDim, Tensor};
use crate::files::InputError;

/// The dataflow of the array.
pub(super) struct Dataflow {
    /// By axis.
    pub(super) unrolled: Vec<Unrolled>,
    /// The tensors in I1, I2 and O.
    pub(super) operands: [Tensor; 3],
    pub(super) remarks: Vec<String>,
}

/// What an axis may unroll.
#[derive(Clone)]
pub(super) struct Unrolled {
    pub(super) dims: DimSet,
    pub(super) at_most: PerDim<Option<u64>>,
}

const NOTHING: Unrolled = Unrolled { dims: DimSet::EMPTY, at_most: [None; 8] };

impl Dataflow {
    /// From the accelerator if it has one, otherwise from the default of a mapping file.
    pub(super) fn read(
        core: &Node,
        mappings: &[&Node],
        axes: &[Axis],
        notes: &Notes,
    ) -> Result<Self, InputError> {
        let default = default_of(mappings, notes)?;
        let operands = match default.map(|node| node.find(&["memory_operand_links"])).transpose()?.flatten() {
            Some(links) => operands(links)?,
            None => [Tensor::Inputs, Tensor::Weights, Tensor::Outputs],
        };
        let own = core.find(&["dataflows"])?;
        let mapped = default.map(|node| node.find(&["spatial_mapping"])).transpose()?.flatten();
        let hint = default.map(|node| node.find(&["spatial_mapping_hint"])).transpose()?.flatten();
        if let (Some(_), Some(node)) = (own, mapped) {
            notes.add_whole(node, "the accelerator's own `dataflows` count");
        }
        if let (true, Some(node)) = (own.is_some() || mapped.is_some(), hint) {
            notes.add_whole(node, "the dataflow is given");
        }
        let Some(node) = own.or(mapped).or(hint) else {
            let free = Unrolled { dims: DimSet::of(&Dim::ALL), ..NOTHING };
            let remark = "The source has no dataflow (neither `dataflows` nor a mapping file with a default \
                          `spatial_mapping`): each dimension of the array may unroll every dimension of a layer."
                .into();
            return Ok(Self { unrolled: vec![free; axes.len()], operands, remarks: vec![remark] });
        };
        let unrolled = unrolled(node, axes)?;
        let names_groups = unrolled.iter().any(|axis| axis.dims.has(Dim::G));
        let remark =
            "No dataflow names the groups G: grouped and depthwise layers unroll other dimensions only.";
        let remarks = if names_groups { vec![] } else { vec![remark.into()] };
        Ok(Self { unrolled, operands, remarks })
    }
}

/// The default of mapping files; notes the entries of other operators.
fn default_of<'a>(mappings: &[&'a Node], notes: &Notes) -> Result<Option<&'a Node>, InputError> {
    let mut default: Option<&Node> = None;
    for mapping in mappings {
        if !mapping.is_list() {
            return Err(
                mapping.error("neither an accelerator (`memories`) nor a mapping (a list of operators)")
            );
        }
        for entry in mapping.list()? {
            match entry.need(&["name"])?.text()? {
                "default" if default.is_some() => return Err(entry.error("a second default")),
                "default" => default = Some(entry),
                _ => notes.add_whole(entry, "an accelerator has one dataflow for all layers, the default"),
            }
        }
    }
    Ok(default)
}

fn unrolled(node: &Node, axes: &[Axis]) -> Result<Vec<Unrolled>, InputError> {
    let mut unrolled = vec![NOTHING; axes.len()];
    for entry in node.table()? {
        let list = entry.take();
        let Some(place) = axes.iter().position(|axis| axis.name == entry.key) else {
            let names: Vec<&str> = axes.iter().map(|axis| axis.name.as_str()).collect();
            return Err(list.error(format!("the array has no such dimension: it has {}", names.join(", "))));
        };
        let axis = &mut unrolled[place];
        for item in list.list()? {
            let (name, factor) = pair(item)?;
            let dim = dim(&name, item)?;
            axis.dims = axis.dims.with(dim);
            axis.at_most[dim as usize] = factor.filter(|&factor| factor < axes[place].size);
        }
    }
    Ok(unrolled)
}

/// `K, 32`, `[K, 32]`, or `K` alone.
fn pair(item: &Node) -> Result<(String, Option<u64>), InputError> {
    let expected = || item.expected("a dimension and its unrolling such as `K, 32`");
    if item.is_list() {
        let [name, factor] = item.list()? else { return Err(expected()) };
        return Ok((name.text()?.to_string(), Some(Scope::default().whole(factor, 1..=1 << 20)?)));
    }
    let text = item.text()?;
    let Some((name, factor)) = text.split_once(',') else { return Ok((text.trim().to_string(), None)) };
    let factor = factor.trim().parse().ok().filter(|&factor| (1..=1 << 20).contains(&factor));
    Ok((name.trim().to_string(), Some(factor.ok_or_else(expected)?)))
}

fn dim(name: &str, node: &Node) -> Result<Dim, InputError> {
    Ok(match name {
        "B" => Dim::N,
        "G" => Dim::G,
        "K" => Dim::K,
        "C" => Dim::C,
        "OY" => Dim::P,
        "OX" => Dim::Q,
        "FY" => Dim::R,
        "FX" => Dim::S,
        _ => return Err(node.error(format!("the dimension `{name}`: expected B, G, K, C, OY, OX, FY or FX"))),
    })
}

/// The tensors that I1, I2 and O stand for.
fn operands(links: &Node) -> Result<[Tensor; 3], InputError> {
    let mut operands = [None; 3];
    for (key, tensor) in [("I", Tensor::Inputs), ("W", Tensor::Weights), ("O", Tensor::Outputs)] {
        let node = links.need(&[key])?;
        let operand = operand(node.text()?, node)?;
        if operands[operand].replace(tensor).is_some() {
            return Err(node.error("two tensors in one operand"));
        }
    }
    Ok(operands.map(|tensor| tensor.expect("three tensors in three operands, none twice")))
}

/// The place of an operand by its name.
pub(super) fn operand(name: &str, node: &Node) -> Result<usize, InputError> {
    let known = ["I1", "I2", "O"];
    known.iter().position(|known| *known == name).ok_or_else(|| node.expected("I1, I2 or O"))
}
