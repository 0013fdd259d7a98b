//! Network TOML -> validated [`Network`]. Every error names the line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::order::topological_order;
use super::{Network, Totals};
use crate::dims::{LayerKind, PostOp};
use crate::files::{InputError, Size, Source, Spanned, did_you_mean, schema_of};
use crate::precision::Precision;
use crate::workload::layer::{Layer, LoopNest, MAX_COUNT, Op};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "mascot: a network, layer by layer")]
struct RawNetwork {
    /// The name by which scenarios refer to the network; it must be the name of the file.
    name: String,
    /// Where the graph comes from.
    source: String,
    /// Counts of the original graph.
    totals: Option<Totals>,
    /// Bits per element of the tensors of all layers that do not say otherwise, such as w4a8; words of the accelerator if
    /// left out.
    precision: Option<Spanned<Precision>>,
    /// The layers, in any order.
    layers: Vec<RawLayer>,
}

/// One entry of `layers`; which keys are allowed depends on the kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawLayer {
    /// The name of the layer, unique in the network.
    name: Spanned<String>,
    /// The kind of work.
    kind: LayerKind,
    /// Batch.
    n: Option<Size>,
    /// Groups.
    g: Option<Size>,
    /// Output channels per group.
    k: Option<Size>,
    /// Input channels per group.
    c: Option<Size>,
    /// Output rows; tokens of a matrix product.
    p: Option<Size>,
    /// Output columns.
    q: Option<Size>,
    /// Kernel rows.
    r: Option<Size>,
    /// Kernel columns.
    s: Option<Size>,
    /// Stride: an integer, or [rows, columns].
    stride: Option<OneOrTwo>,
    /// Dilation: an integer, or [rows, columns].
    dilation: Option<OneOrTwo>,
    /// Rows and columns of the input that are padding, both sides together: an integer, or [rows, columns]. Accelerators
    /// that do not read padding from DRAM leave them out.
    padding: Option<OneOrTwo>,
    /// Elements that a vector or lookup layer reads.
    reads: Option<u64>,
    /// Elements that a vector or lookup layer writes.
    writes: Option<u64>,
    /// Element operations of a vector layer.
    ops: Option<u64>,
    /// Bits per element of its tensors, such as w4a8: weights, inputs and outputs (a, or i and o), partial sums (p).
    precision: Option<Spanned<Precision>>,
    /// What a vector layer does, if it may run at the output of the layer before it; a layer without it never does.
    post_op: Option<PostOp>,
    /// Operations that run as part of the layer.
    #[serde(default)]
    fused: Vec<String>,
    /// Whether the network hands out the output although other layers read it.
    #[serde(default)]
    output: bool,
    /// The layers whose outputs this one reads.
    #[serde(default)]
    after: Vec<Spanned<String>>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
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
        let op = match self.kind {
            LayerKind::Conv => Op::Conv(self.nest()?),
            LayerKind::Gemm => Op::Gemm(self.nest()?),
            LayerKind::Matmul => Op::Matmul(self.nest()?),
            LayerKind::Vector => {
                let [reads, writes, ops] = self.sizes()?;
                Op::Vector { reads, writes, ops }
            }
            LayerKind::Lookup if self.ops.is_some() => return Err("a lookup layer has no ops".into()),
            LayerKind::Lookup => {
                let [reads, writes, _] = self.sizes()?;
                Op::Lookup { reads, writes }
            }
        };
        if let (Some(post_op), false) = (self.post_op, self.kind == LayerKind::Vector) {
            return Err(format!(
                "only a vector layer has a `post_op`: `{}` does not belong to a {} layer",
                post_op.name(),
                self.kind.name()
            ));
        }
        op.check().map(|()| op)
    }

    fn nest(&self) -> Result<LoopNest, String> {
        if [self.reads, self.writes, self.ops].iter().any(Option::is_some) {
            return Err(format!("a {} layer has dimensions, not reads, writes or ops", self.kind.name()));
        }
        Ok(LoopNest {
            bounds: self.dims().map(|size| size.map_or(1, |size| size.0)),
            stride: self.stride.map_or([1, 1], OneOrTwo::pair),
            dilation: self.dilation.map_or([1, 1], OneOrTwo::pair),
            padding: self.padding.map_or([0, 0], OneOrTwo::pair),
        })
    }

    fn sizes(&self) -> Result<[u64; 3], String> {
        let pairs = [self.stride, self.dilation, self.padding];
        if self.dims().iter().any(Option::is_some) || pairs.iter().any(Option::is_some) {
            return Err(format!("a {} layer has reads, writes and ops, not dimensions", self.kind.name()));
        }
        Ok([self.reads, self.writes, self.ops].map(|v| v.unwrap_or(0)))
    }

    fn dims(&self) -> [Option<Size>; 8] {
        [self.n, self.g, self.k, self.c, self.p, self.q, self.r, self.s]
    }
}

impl Network {
    /// The JSON Schema of a network file.
    pub fn schema() -> Schema {
        schema_of::<RawNetwork>()
    }

    /// Reads and validates a network file.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let source = Source::read(path)?;
        let raw: RawNetwork = source.parse()?;
        if raw.layers.is_empty() {
            return Err(source.error_at_top("`layers` is empty: a network has at least one layer"));
        }
        let after = predecessors(&source, &raw.layers)?;
        let common = given(&source, raw.precision.as_ref())?;
        let order = topological_order(&after).map_err(|stuck| {
            let name = &raw.layers[stuck].name;
            let message = format!("layer `{}` depends on itself through `after`", name.get_ref());
            source.error(&name.span(), message)
        })?;
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(new, &old)| place[old] = new);
        let layers = order.iter().map(|&old| {
            let layer = &raw.layers[old];
            let op = layer.op().map_err(|message| {
                source.error(&layer.name.span(), format!("layer `{}`: {message}", layer.name.get_ref()))
            })?;
            let after: BTreeSet<usize> = after[old].iter().map(|&i| place[i]).collect();
            Ok(Layer {
                name: layer.name.get_ref().clone(),
                op,
                precision: given(&source, layer.precision.as_ref())?.or(common),
                post_op: layer.post_op,
                fused: layer.fused.clone(),
                post: Vec::new(),
                is_output: layer.output,
                after: after.into_iter().collect(),
            })
        });
        let layers = layers.collect::<Result<Vec<_>, InputError>>()?;
        let macs = layers.iter().try_fold(0u64, |sum, layer| sum.checked_add(layer.op.macs().0));
        if macs.is_none_or(|macs| macs > MAX_COUNT) {
            return Err(source.error_at_top("the network has more than 2^50 MACs"));
        }
        Ok(Self { name: raw.name, source: raw.source, totals: raw.totals, layers })
    }
}

/// A precision that a file gives. `native` would be overruled by whoever runs the network, and so is refused.
fn given(source: &Source, precision: Option<&Spanned<Precision>>) -> Result<Precision, InputError> {
    match precision {
        Some(given) if *given.get_ref() == Precision::NATIVE => {
            let message = "`precision = \"native\"` says nothing: leave it out, or give bits, such as w8a8";
            Err(source.error(&given.span(), message))
        }
        given => Ok(given.map_or(Precision::NATIVE, |given| *given.get_ref())),
    }
}

/// Resolves the names in `after` to indices in file order.
fn predecessors(source: &Source, layers: &[RawLayer]) -> Result<Vec<Vec<usize>>, InputError> {
    let mut index = BTreeMap::new();
    for (i, layer) in layers.iter().enumerate() {
        let name = layer.name.get_ref();
        if index.insert(name.as_str(), i).is_some() {
            return Err(source.error(&layer.name.span(), format!("two layers are named `{name}`")));
        }
    }
    let resolve = |name: &Spanned<String>| {
        index.get(name.get_ref().as_str()).copied().ok_or_else(|| {
            let hint = did_you_mean(name.get_ref(), index.keys());
            let message = format!("no layer is named `{}`{hint} in this network", name.get_ref());
            source.error(&name.span(), message)
        })
    };
    layers.iter().map(|layer| layer.after.iter().map(resolve).collect()).collect()
}
