//! A network: a DAG of layers, read from the reviewed TOML that `mascot import` writes.
//!
//! ```toml
//! name = "tiny"
//! source = "written by hand"
//! layers = [
//!   { name = "conv1", kind = "conv", k = 8, c = 3, p = 16, q = 16, r = 3, s = 3, fused = ["Relu"] },
//!   { name = "fc", kind = "gemm", k = 10, c = 2048, after = ["conv1"] },
//! ]
//! ```
//! Dimensions left out are 1. Layers may come in any order; the parsed network is in topological order.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::layer::{Layer, LoopNest, Op};
use crate::dims::LayerKind;
use crate::files::{InputError, Source};
use crate::units::Macs;

/// A validated network in topological order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The name by which scenarios refer to it.
    pub name: String,
    /// Where its shapes come from.
    pub source: String,
    /// Counts that cannot be recomputed from the layers, as the importer saw them.
    pub totals: Option<Totals>,
    /// Every layer comes after its predecessors.
    pub layers: Vec<Layer>,
}

/// What the importer counted in the original graph, where fused operations were still nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Edges between operations after removing views.
    pub edges: u64,
    /// Elements of all static tensors that are parameters.
    pub weight_elems: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNetwork {
    name: String,
    source: String,
    totals: Option<Totals>,
    layers: Vec<Spanned<RawLayer>>,
}

/// One entry of `layers`; which keys are allowed depends on the kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLayer {
    name: Spanned<String>,
    kind: LayerKind,
    n: Option<u64>,
    g: Option<u64>,
    k: Option<u64>,
    c: Option<u64>,
    p: Option<u64>,
    q: Option<u64>,
    r: Option<u64>,
    s: Option<u64>,
    stride: Option<OneOrTwo>,
    dilation: Option<OneOrTwo>,
    reads: Option<u64>,
    writes: Option<u64>,
    ops: Option<u64>,
    #[serde(default)]
    fused: Vec<String>,
    #[serde(default)]
    after: Vec<Spanned<String>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged, expecting = "expected an integer, or [rows, columns]")]
enum OneOrTwo {
    Both(u64),
    Each([u64; 2]),
}

impl OneOrTwo {
    fn pair(self) -> [u64; 2] {
        match self {
            Self::Both(v) => [v, v],
            Self::Each(pair) => pair,
        }
    }
}

impl RawLayer {
    fn op(&self) -> Result<Op, String> {
        let sizes = [self.reads, self.writes, self.ops];
        let dims = [self.n, self.g, self.k, self.c, self.p, self.q, self.r, self.s];
        let kind = self.kind.name();
        match self.kind {
            LayerKind::Conv | LayerKind::Gemm | LayerKind::Matmul => {
                if sizes.iter().any(Option::is_some) {
                    return Err(format!("a {kind} layer has dimensions, not reads, writes or ops"));
                }
                let nest = LoopNest {
                    bounds: dims.map(|d| d.unwrap_or(1)),
                    stride: self.stride.map_or([1, 1], OneOrTwo::pair),
                    dilation: self.dilation.map_or([1, 1], OneOrTwo::pair),
                };
                let all = nest.bounds.iter().chain(&nest.stride).chain(&nest.dilation);
                if all.clone().any(|&d| d == 0 || d > u32::MAX.into()) {
                    return Err(
                        "every dimension, stride and dilation must be at least 1 and fit 32 bits".into()
                    );
                }
                let product = nest.bounds.iter().try_fold(1u64, |product, &d| product.checked_mul(d));
                if product.is_none_or(|macs| macs > 1 << 50) {
                    return Err("the layer has more than 2^50 MACs".into());
                }
                Ok(match self.kind {
                    LayerKind::Conv => Op::Conv(nest),
                    LayerKind::Gemm => Op::Gemm(nest),
                    _ => Op::Matmul(nest),
                })
            }
            LayerKind::Vector | LayerKind::Lookup => {
                if dims.iter().any(Option::is_some) || self.stride.is_some() || self.dilation.is_some() {
                    return Err(format!("a {kind} layer has reads, writes and ops, not dimensions"));
                }
                if sizes.iter().flatten().any(|&v| v > 1 << 50) {
                    return Err("reads, writes and ops must be at most 2^50 elements".into());
                }
                let [reads, writes, ops] = sizes.map(|v| v.unwrap_or(0));
                if reads + writes == 0 {
                    return Err(format!("a {kind} layer reads or writes something"));
                }
                match self.kind {
                    LayerKind::Vector => Ok(Op::Vector { reads, writes, ops }),
                    _ if self.ops.is_some() => Err("a lookup layer has no ops".into()),
                    _ => Ok(Op::Lookup { reads, writes }),
                }
            }
        }
    }
}

impl Network {
    /// Reads and validates a network file.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let source = Source::read(path)?;
        let raw: RawNetwork = source.parse()?;
        if raw.layers.is_empty() {
            return Err(source.error_at_top("`layers` is empty: a network has at least one layer"));
        }
        let mut index = BTreeMap::new();
        for (i, layer) in raw.layers.iter().enumerate() {
            let name = &layer.get_ref().name;
            if index.insert(name.get_ref().as_str(), i).is_some() {
                return Err(source.error(&name.span(), format!("two layers are named `{}`", name.get_ref())));
            }
        }
        let mut after = Vec::with_capacity(raw.layers.len());
        for layer in &raw.layers {
            let indices = layer.get_ref().after.iter().map(|name| {
                index.get(name.get_ref().as_str()).copied().ok_or_else(|| {
                    source.error(
                        &name.span(),
                        format!("no layer is named `{}` in this network", name.get_ref()),
                    )
                })
            });
            after.push(indices.collect::<Result<Vec<_>, _>>()?);
        }
        let order = topological_order(&after).map_err(|stuck| {
            let layer = raw.layers[stuck].get_ref();
            let message = format!("layer `{}` depends on itself through `after`", layer.name.get_ref());
            source.error(&layer.name.span(), message)
        })?;
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(new, &old)| place[old] = new);
        let layers = order.iter().map(|&old| {
            let layer = &raw.layers[old];
            let op = layer.get_ref().op().map_err(|message| {
                source.error(
                    &layer.get_ref().name.span(),
                    format!("layer `{}`: {message}", layer.get_ref().name.get_ref()),
                )
            })?;
            let mut after: Vec<usize> = after[old].iter().map(|&i| place[i]).collect();
            after.sort_unstable();
            after.dedup();
            Ok(Layer {
                name: layer.get_ref().name.get_ref().clone(),
                op,
                fused: layer.get_ref().fused.clone(),
                after,
            })
        });
        let layers = layers.collect::<Result<Vec<_>, InputError>>()?;
        Ok(Self { name: raw.name, source: raw.source, totals: raw.totals, layers })
    }

    /// Multiply-accumulates of one inference.
    pub fn macs(&self) -> Macs {
        self.layers.iter().map(|layer| layer.op.macs()).sum()
    }

    /// How many layers have MACs.
    pub fn mac_layers(&self) -> usize {
        self.layers.iter().filter(|layer| layer.op.nest().is_some()).count()
    }
}

/// Kahn's algorithm, smallest original index first; the error is a node on or behind a cycle.
fn topological_order(after: &[Vec<usize>]) -> Result<Vec<usize>, usize> {
    let mut waiting: Vec<usize> = after.iter().map(Vec::len).collect();
    let mut successors = vec![Vec::new(); after.len()];
    for (node, predecessors) in after.iter().enumerate() {
        predecessors.iter().for_each(|&p| successors[p].push(node));
    }
    let mut ready: std::collections::BTreeSet<usize> =
        (0..after.len()).filter(|&i| waiting[i] == 0).collect();
    let mut order = Vec::with_capacity(after.len());
    while let Some(node) = ready.pop_first() {
        order.push(node);
        for &next in &successors[node] {
            waiting[next] -= 1;
            if waiting[next] == 0 {
                ready.insert(next);
            }
        }
    }
    match waiting.iter().position(|&w| w > 0) {
        Some(stuck) => Err(stuck),
        None => Ok(order),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topological_order_keeps_file_order_where_it_can() {
        assert_eq!(topological_order(&[vec![2], vec![], vec![1]]), Ok(vec![1, 2, 0]));
        assert_eq!(topological_order(&[vec![1], vec![0], vec![]]), Err(0));
    }
}
