//! Architecture, problem and mapping as YAML for Timeloop v4 (`tl.call_model` of its front end reads all three).
//!
//! - A fan-out `inter_X_spatial`, as the front end calls it, becomes the container `X`; any other keeps its name.
//! - Energies stand in an energy table (ERT) beside the architecture, so that no estimator is asked; areas are zero.
//! - A padded mapping comes with the padded problem, since Timeloop multiplies the factors out; DRAM words then exceed
//!   mascot's, which counts those of the real tensors.
//! - A layer is exported as the accelerator lowers it; words in DRAM per element, and zeros that are skipped, are not.
//! - Left out, because Timeloop has no place for them: array efficiency, DRAM overlap, fill, drain and dispatch cycles.

use crate::cost::lowering::Lowered;
use crate::cost::mapping::{LevelLoops, Loop, Mapping};
use crate::dims::{Dim, PerDim, Tensor};
use crate::hw::{AccelSpec, Level, Storage};
use crate::workload::LoopNest;

/// The text of the three files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Levels, and the energy and area tables of their components.
    pub architecture: String,
    /// The loop nest: its shape, and the sizes of this layer.
    pub problem: String,
    /// The loops of every level.
    pub mapping: String,
}

impl Export {
    /// The files for a mapping of the right shape; the error names what Timeloop cannot express.
    pub fn new(accel: &AccelSpec, nest: &LoopNest, mapping: &Mapping) -> Result<Self, String> {
        let nest = &Lowered::new(accel, nest)?.nest;
        mapping.check_covers(accel, nest)?;
        Ok(Self {
            architecture: architecture(accel) + &tables(accel),
            problem: problem(nest, &mapping.padded_bounds()),
            mapping: directives(accel, mapping)?,
        })
    }
}

/// Any string as a YAML scalar: JSON's quoted strings are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The front end's name of the node of a level, and so the target of directives.
fn target(level: &Level) -> &str {
    let name = level.name();
    match level {
        Level::Storage(_) => name,
        Level::Fanout(_) => {
            let inner = name.strip_prefix("inter_").and_then(|rest| rest.strip_suffix("_spatial"));
            inner.unwrap_or(name)
        }
    }
}

fn architecture(accel: &AccelSpec) -> String {
    let mut text = format!(
        "# {}\narchitecture:\n  version: 0.4\n  nodes:\n  - !Container\n    name: system\n    attributes: \
         {{global_cycle_seconds: {:e}}}\n",
        quoted(&accel.source),
        1.0 / accel.clock_hz
    );
    for (index, level) in accel.levels.iter().enumerate() {
        let name = quoted(target(level));
        text += &match level {
            Level::Storage(storage) => component(&name, index == 0, storage),
            Level::Fanout(fanout) => {
                let [x, y] = fanout.extent;
                format!("  - !Container\n    name: {name}\n    spatial: {{meshX: {x}, meshY: {y}}}\n")
            }
        };
    }
    text + &format!("  - !Component\n    name: {}\n    class: intmac\n", quoted(&accel.mac.name))
}

fn component(name: &str, is_dram: bool, storage: &Storage) -> String {
    let class = if is_dram { "DRAM" } else { "smartbuffer_SRAM" };
    let Storage { word_bits, entry_bits, cluster_size, .. } = storage;
    let mut attributes = format!("width: {entry_bits}, datawidth: {word_bits}, cluster_size: {cluster_size}");
    if let Some(words) = storage.capacity_words {
        attributes += &format!(", depth: {}", (words as f64 / storage.words_per_access()).ceil());
    }
    for (key, bandwidth) in [
        ("read_bandwidth", storage.read_bandwidth_words_per_cycle),
        ("write_bandwidth", storage.write_bandwidth_words_per_cycle),
        ("shared_bandwidth", storage.shared_bandwidth_words_per_cycle),
    ] {
        attributes += &bandwidth.map_or(String::new(), |words| format!(", {key}: {words}"));
    }
    format!("  - !Component\n    name: {name}\n    class: {class}\n    attributes: {{{attributes}}}\n")
}

/// The energy and the area table; the front end hands on the first only beside the second.
fn tables(accel: &AccelSpec) -> String {
    let component =
        |name: &str, level| quoted(&format!("system_top_level.{name}[1..{}]", accel.instances_below(level)));
    let mut energies = "ERT:\n  version: 0.4\n  tables:\n".to_string();
    let mut areas = "ART:\n  version: 0.4\n  tables:\n".to_string();
    let mut add = |name: String, actions: &[(&str, f64)]| {
        energies += &format!("  - name: {name}\n    actions:\n");
        for (action, pj) in actions {
            energies += &format!("    - {{name: {action}, arguments: {{}}, energy: {pj}}}\n");
        }
        areas += &format!("  - {{name: {name}, area: 0}}\n");
    };
    for (level, storage) in accel.storages() {
        let actions = [
            ("read", storage.read_pj_per_access),
            ("write", storage.write_pj_per_access),
            ("update", storage.update_pj_per_access),
            ("leak", storage.leak_pj_per_cycle),
        ];
        add(component(&storage.name, level), &actions);
    }
    let mac = component(&accel.mac.name, accel.levels.len());
    add(mac, &[("compute", accel.mac.energy_pj), ("leak", 0.0)]);
    energies + &areas
}

/// The nest that every layer shares; coefficients carry stride and dilation.
const SHAPE: &str = "\
problem:
  version: 0.4
  shape:
    name: layer
    dimensions: [N, G, K, C, P, Q, R, S]
    coefficients:
    - {name: Pstride, default: 1}
    - {name: Qstride, default: 1}
    - {name: Rdilation, default: 1}
    - {name: Sdilation, default: 1}
    data_spaces:
    - name: Weights
      projection: [[[G]], [[K]], [[C]], [[R]], [[S]]]
    - name: Inputs
      projection: [[[N]], [[G]], [[C]], [[P, Pstride], [R, Rdilation]], [[Q, Qstride], [S, Sdilation]]]
    - name: Outputs
      projection: [[[N]], [[G]], [[K]], [[P]], [[Q]]]
      read_write: true
";

fn problem(nest: &LoopNest, padded: &PerDim<u64>) -> String {
    let sizes = |bounds: &PerDim<u64>| {
        let sizes = Dim::ALL.map(|dim| format!("{dim:?}: {}", bounds[dim as usize]));
        sizes.join(", ")
    };
    let real = match *padded == nest.bounds {
        true => String::new(),
        false => format!("# Padded to the mapping; the layer itself is {}\n", sizes(&nest.bounds)),
    };
    let ([p, q], [r, s]) = (nest.stride, nest.dilation);
    let steps = format!("Pstride: {p}, Qstride: {q}, Rdilation: {r}, Sdilation: {s}");
    format!("{real}{SHAPE}  instance: {{{}, {steps}}}\n", sizes(padded))
}

fn directives(accel: &AccelSpec, mapping: &Mapping) -> Result<String, String> {
    let mut text = "mapping:\n".to_string();
    for (level, loops) in accel.levels.iter().zip(&mapping.levels) {
        let target = quoted(target(level));
        let order =
            inner_to_outer(loops).map_err(|message| format!("level `{}`: {message}", level.name()))?;
        let directive = match level {
            Level::Storage(storage) => {
                text += &format!("- {{target: {target}, type: dataspace, {}}}\n", kept(storage));
                "type: temporal".to_string()
            }
            Level::Fanout(_) => format!("type: spatial, split: {}", loops.spatial[0].len()),
        };
        let factors: Vec<String> =
            order.iter().map(|each| format!("{:?}={}", each.dim, each.bound)).collect();
        let dims: Vec<String> = order.iter().map(|each| format!("{:?}", each.dim)).collect();
        let (factors, dims) = (factors.join(", "), dims.join(", "));
        text +=
            &format!("- {{target: {target}, {directive}, factors: [{factors}], permutation: [{dims}]}}\n");
    }
    Ok(text)
}

fn kept(storage: &Storage) -> String {
    let names = |keep: bool| {
        let tensors = Tensor::ALL.into_iter().filter(|&tensor| storage.keeps[tensor as usize] == keep);
        tensors.map(|tensor| format!("{tensor:?}")).collect::<Vec<_>>().join(", ")
    };
    format!("keep: [{}], bypass: [{}]", names(true), names(false))
}

/// The loops of a level as Timeloop counts them: exactly one per dimension, those along X first, then Y or time, then
/// the dimensions that are not looped.
fn inner_to_outer(loops: &LevelLoops) -> Result<Vec<Loop>, String> {
    let [x, y] = &loops.spatial;
    let mut order: Vec<Loop> =
        [x, y, &loops.temporal].into_iter().flat_map(|l| l.iter().rev().copied()).collect();
    for dim in Dim::ALL {
        match order.iter().filter(|each| each.dim == dim).count() {
            0 => order.push(Loop { dim, bound: 1 }),
            1 => {}
            _ => return Err(format!("Timeloop has one loop over {dim:?}, the mapping several")),
        }
    }
    Ok(order)
}
