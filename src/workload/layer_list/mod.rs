//! Layer lists of other tools -> [`Network`]: MAESTRO's `.m` files and SCALE-Sim's topology CSV.
//!
//! Both list layers with MACs and no edges, so the network is a chain in the order of the list: branches that could run
//! side by side run one after the other, and joins, pooling and activations are missing. Sizes of feature maps are
//! those of inputs. Both tools expect them with the padding included, and count windows that lie inside (`valid`). Many
//! published lists leave the padding out; for these, `same` counts one window per stride of the input.

mod columns;
mod maestro;
mod scale_sim;

use std::path::Path;

use super::imported::{Imported, Summary};
use super::layer::{Layer, LoopNest, MAX_COUNT, MAX_LAYERS, Op};
use super::names::Names;
use super::network::Network;
use crate::files::{InputError, Source, quoted, sha256};

/// Options for what a list leaves open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The network to take from a file that has several.
    pub network: Option<String>,
    /// How the windows of a feature map are counted.
    pub padding: Padding,
}

/// How the windows of a feature map are counted along one dimension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// Windows inside the feature map, as the tools count: the list includes padding.
    #[default]
    Valid,
    /// One window per stride: the list leaves out a padding that keeps the size.
    Same,
}

/// A layer of a list and its line.
struct Entry {
    line: usize,
    name: String,
    op: Op,
}

/// One network of a file.
struct List {
    name: String,
    entries: Vec<Entry>,
}

/// Imports a MAESTRO network (`.m`).
pub fn import_maestro(path: &Path, options: &Options) -> Result<Imported, InputError> {
    let source = Source::read(path)?;
    let lists = maestro::parse(&source, options.padding)?;
    let known = lists.iter().map(|list| list.name.as_str()).collect::<Vec<_>>().join(", ");
    let wrong =
        |what: &str| source.error_at_top(format!("{what}: the file has {known}; choose with --network"));
    let mut chosen = match &options.network {
        Some(name) => lists.into_iter().filter(|list| list.name == *name).collect::<Vec<_>>(),
        None => lists,
    };
    match (chosen.pop(), chosen.is_empty()) {
        (Some(list), true) => build(&source, list, options),
        (Some(_), false) => Err(wrong("more than one network")),
        (None, _) if known.is_empty() => Err(source.error_at_top("no `Network NAME { ... }` in this file")),
        (None, _) => Err(wrong("no such network")),
    }
}

/// Imports a SCALE-Sim topology (CSV of convolutions, or of M, N, K).
pub fn import_scale_sim(path: &Path, options: &Options) -> Result<Imported, InputError> {
    let source = Source::read(path)?;
    if options.network.is_some() {
        return Err(source.error_at_top("--network: a topology file has one network"));
    }
    let entries = scale_sim::parse(&source, options.padding)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    build(&source, List { name, entries }, options)
}

fn build(source: &Source, list: List, options: &Options) -> Result<Imported, InputError> {
    if list.entries.is_empty() {
        return Err(source.error_at_top(format!("network `{}` has no layers", list.name)));
    }
    if list.entries.len() as u64 > MAX_LAYERS {
        return Err(source.error_at_top(format!("more than {MAX_LAYERS} layers")));
    }
    let (mut names, mut layers, mut macs) = (Names::default(), Vec::new(), 0);
    for (index, entry) in list.entries.into_iter().enumerate() {
        entry.op.check().map_err(|what| at(source, entry.line, format!("layer `{}`: {what}", entry.name)))?;
        // Both are at most 2^50.
        macs += entry.op.macs().0;
        if macs > MAX_COUNT {
            return Err(source.error_at_top("the network has more than 2^50 MACs"));
        }
        let after = index.checked_sub(1).into_iter().collect();
        layers.push(Layer::new(names.unique(entry.name), entry.op, after));
    }
    let file = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let sha256 = sha256(source.text.as_bytes());
    let network = Network {
        name: list.name.clone(),
        source: format!("{file}, network {}, a layer list without edges, sha256 {sha256}", list.name),
        totals: None,
        layers,
    };
    Ok(Imported {
        summary: Summary {
            model: list.name,
            mac_layers: network.layers.len() as u64,
            edges: network.layers.len() as u64 - 1,
            macs,
            weight_elems: network.parameters(),
        },
        command: command(&file, options),
        note: "A layer list has no edges: the layers are a chain, without joins, pooling and activations."
            .into(),
        notes: Vec::new(),
        network,
    })
}

fn command(file: &str, options: &Options) -> String {
    let network =
        options.network.iter().map(|name| format!(" --network {}", quoted(name))).collect::<String>();
    let padding = if options.padding == Padding::Same { " --padding same" } else { "" };
    format!("mascot import {}{network}{padding}", quoted(file))
}

fn at(source: &Source, line: usize, message: String) -> InputError {
    InputError::at_line(&source.path, line, message)
}

/// The sizes of a convolution as the lists give them: feature map, kernel and stride by rows and columns.
struct Windows {
    input: [u64; 2],
    kernel: [u64; 2],
    stride: [u64; 2],
}

impl Windows {
    /// How many windows there are by rows and columns. SCALE-Sim rounds the last stride up.
    fn count(&self, padding: Padding, rounds_up: bool) -> Result<[u64; 2], String> {
        let along = |i: usize| {
            let (input, kernel, stride) = (self.input[i], self.kernel[i], self.stride[i]);
            if stride == 0 || kernel == 0 {
                return Err("strides and kernels are at least 1".to_owned());
            }
            match padding {
                Padding::Same => Ok(input.div_ceil(stride)),
                Padding::Valid if input < kernel => Err(format!(
                    "the kernel ({kernel}) is larger than the feature map ({input}): the list leaves out the padding, \
                     see --padding same"
                )),
                Padding::Valid if rounds_up => Ok((input - kernel).div_ceil(stride) + 1),
                Padding::Valid => Ok((input - kernel) / stride + 1),
            }
        };
        Ok([along(0)?, along(1)?])
    }

    /// The loop nest with `g` groups of `k` outputs and `c` inputs.
    fn nest(&self, [n, g, k, c]: [u64; 4], [p, q]: [u64; 2]) -> LoopNest {
        let [r, s] = self.kernel;
        LoopNest { bounds: [n, g, k, c, p, q, r, s], stride: self.stride, dilation: [1, 1], padding: [0; 2] }
    }
}

/// A matrix product of M x K and K x N, `groups` times.
fn product([groups, m, n, k]: [u64; 4]) -> LoopNest {
    LoopNest { bounds: [1, groups, n, k, m, 1, 1, 1], stride: [1, 1], dilation: [1, 1], padding: [0; 2] }
}
