//! Timeloop's architecture (v4 `nodes`, or the v3 `subtree` that its front end writes) with constraints and energies.
//!
//! Both dialects become a list of pieces from the outside in: components, and the fan-outs between them. What a level
//! may loop over follows from the constraints on its name; energies come from the energy reference table (ERT).

mod constraints;
mod energy;
mod storage;
mod v3;
mod v4;

use super::draft::{Draft, Energy, Fanout, Level, Storage};
use super::expression::Scope;
use super::notes::Notes;
use super::technology;
use super::yaml::Node;
use crate::dims::{Dim, DimSet, Tensor};
use crate::files::InputError;
use constraints::{Constraints, Groups};
use energy::EnergyTable;

/// Class names of components, as Timeloop's front end recognises them: by a part of the name.
const COMPUTE: [&str; 2] = ["mac", "compute"];
const NETWORKS: [&str; 4] = ["XY_NoC", "Legacy", "ReductionTree", "SimpleMulticast"];
const BUFFERS: [&str; 7] = ["DRAM", "SRAM", "regfile", "smartbuffer", "storage", "register", "buffer"];

/// What the layers of an architecture are made of, from the outside in.
enum Piece<'a> {
    Component(Component<'a>),
    Fanout(Spread<'a>),
}

struct Component<'a> {
    name: String,
    node: &'a Node,
    /// Its attributes, those of containers around it, and variables.
    scope: Scope<'a>,
    class: String,
    /// Whether siblings stand beside it, each for tensors of its own.
    is_parallel: bool,
    /// Constraints that stand in the component.
    inline: Option<&'a Node>,
}

struct Spread<'a> {
    name: String,
    /// The name by which constraints speak of it.
    target: String,
    node: &'a Node,
    scope: Scope<'a>,
    extent: [u64; 2],
    inline: Option<&'a Node>,
}

/// What becomes of a component.
#[derive(PartialEq)]
enum Kind {
    Compute,
    Storage,
    Network,
}

impl Component<'_> {
    fn kind(&self) -> Result<Kind, InputError> {
        let has = |parts: &[&str]| parts.iter().any(|part| self.class.contains(part));
        match () {
            () if has(&NETWORKS) => Ok(Kind::Network),
            () if has(&COMPUTE) => Ok(Kind::Compute),
            () if has(&BUFFERS) => Ok(Kind::Storage),
            () => Err(self.node.error(format!(
                "the class `{}`: expected a name with {}, {}",
                self.class,
                BUFFERS.join(", "),
                COMPUTE.join(", ")
            ))),
        }
    }
}

/// Whether a document is part of a Timeloop specification that has the architecture.
pub(super) fn is_architecture(document: &Node) -> bool {
    document.has("architecture")
}

/// Reads the documents of a specification; exactly one has the architecture.
pub(super) fn import(documents: &[Node], notes: &Notes) -> Result<Draft, InputError> {
    let mut architecture: Option<&Node> = None;
    let mut variables = vec![];
    for document in documents {
        if let Some(node) = document.find(&["architecture"])? {
            if let Some(first) = architecture {
                let first = format!("{}:{}", first.place.file.display(), first.place.line);
                return Err(node.error(format!("a second architecture (the first: {first})")));
            }
            architecture = Some(node);
        }
        variables.extend(document.find(&["variables"])?);
    }
    let architecture = architecture.ok_or_else(|| documents[0].error("`architecture` is missing"))?;
    variables.iter().try_for_each(|table| table.find(&["version"]).map(|_| ()))?;
    let variables = Scope(variables);
    let version = architecture.find(&["version"])?.map_or("", |node| node.text().unwrap_or_default());
    let pieces = match (architecture.find(&["nodes"])?, architecture.find(&["subtree", "local"])?) {
        (Some(nodes), _) => v4::pieces(nodes, &variables, notes)?,
        (None, Some(_)) => v3::pieces(architecture, &variables, notes)?,
        (None, None) => {
            return Err(architecture.error("expected `nodes` (version 0.4), or `subtree` (version 0.3)"));
        }
    };
    let constraints = Constraints::read(documents, &pieces, notes)?;
    let energies = EnergyTable::read(documents)?;
    let draft = Builder { notes, constraints, energies, levels: vec![], clock: clock(&pieces)? }
        .build(pieces, architecture)?;
    documents.iter().for_each(|document| notes.add_untaken(document, why));
    Ok(Draft { format: format!("Timeloop{}", version_of(version)), ..draft })
}

fn version_of(version: &str) -> String {
    if version.is_empty() { String::new() } else { format!(" v{version}") }
}

/// Clock in MHz, and where it comes from.
fn clock(pieces: &[Piece]) -> Result<(f64, String), InputError> {
    for piece in pieces {
        let Piece::Component(component) = piece else { continue };
        if let Some(node) = component.scope.find(&["global_cycle_seconds"])? {
            let seconds = component.scope.number(node)?;
            // Nanoseconds first: 1e-9 s are exactly 1,000 MHz then.
            let mhz = 1e3 / (seconds * 1e9);
            if !(0.001..=1e5).contains(&mhz) {
                return Err(node.expected("a time from 1e-11 to 1e-3 seconds"));
            }
            return Ok((mhz, format!("global_cycle_seconds = {}.", node.shown())));
        }
    }
    Ok((1000.0, "1 GHz is our choice, because the source has no global_cycle_seconds.".into()))
}

struct Builder<'a> {
    notes: &'a Notes,
    constraints: Constraints<'a>,
    energies: EnergyTable<'a>,
    levels: Vec<Level>,
    clock: (f64, String),
}

impl<'a> Builder<'a> {
    fn build(mut self, pieces: Vec<Piece<'a>>, architecture: &Node) -> Result<Draft, InputError> {
        let mut mac: Option<(String, f64, bool, String)> = None;
        for piece in &pieces {
            if let (
                Some((name, ..)),
                Piece::Component(Component { node, .. }) | Piece::Fanout(Spread { node, .. }),
            ) = (&mac, piece)
            {
                return Err(node.error(format!(
                    "it stands inside the compute unit `{name}`, which must be the innermost"
                )));
            }
            match piece {
                Piece::Fanout(spread) => self.fanout(spread)?,
                Piece::Component(component) => match component.kind()? {
                    Kind::Network => self.notes.add_whole(component.node, "networks cost nothing here"),
                    Kind::Compute => mac = Some(self.mac(component)?),
                    Kind::Storage => self.storage(component)?,
                },
            }
        }
        let (mac_name, mac_pj, mac_is_ours, mac_remark) = mac.ok_or_else(|| {
            architecture
                .error("no compute unit: expected a component of a class such as intmac, mac or compute")
        })?;
        if self.levels.is_empty() {
            return Err(architecture.error("no storage: expected a component of the class DRAM, outermost"));
        }
        self.energies.note_unused(self.notes)?;
        let remarks = self.share_groups();
        let (clock_mhz, clock_remark) = self.clock;
        let format = String::new();
        let levels = self.levels;
        Ok(Draft {
            format,
            clock_mhz,
            clock_remark,
            levels,
            mac_name,
            mac_pj,
            mac_is_ours,
            mac_remark,
            remarks,
        })
    }

    fn fanout(&mut self, spread: &Spread<'a>) -> Result<(), InputError> {
        let limits = self.constraints.spatial(spread, self.notes)?;
        if spread.extent == [1, 1] {
            return Ok(());
        }
        if self.levels.is_empty() {
            return Err(spread.node.error("a fan-out outside DRAM: expected one DRAM, outermost"));
        }
        self.levels.push(Level::Fanout(Fanout {
            name: spread.name.clone(),
            extent: spread.extent,
            spatial: limits.axes.map(|axis| axis.and(limits.allowed)),
            whole: limits.whole,
            max_factor: limits.at_most,
            remarks: limits.remarks,
        }));
        Ok(())
    }

    fn storage(&mut self, component: &Component<'a>) -> Result<(), InputError> {
        let keeps = self.constraints.keeps(component, self.notes)?;
        let mut limits = self.constraints.temporal(component, self.notes)?;
        if keeps == [false; 3] {
            if !component.class.contains("dummy") {
                self.notes.add_whole(component.node, "it keeps no tensor, so it is no level here");
            }
            return Ok(());
        }
        let is_outermost = self.levels.is_empty();
        if !is_outermost && !component.is_parallel && self.constraints.says_nothing_of_tensors(component)? {
            limits.remarks.push(
                "The source does not say which tensors it keeps: all; Timeloop would try all ways.".into(),
            );
        }
        let size = storage::size(component, is_outermost, self.notes)?;
        if is_outermost && keeps != [true; 3] {
            return Err(component
                .node
                .error("the outermost storage is DRAM here, which keeps all three tensors"));
        }
        let energy = self.energy(component, &size, is_outermost)?;
        self.levels.push(Level::Storage(Storage {
            name: component.name.clone(),
            word_bits: size.word_bits,
            entry_bits: size.entry_bits,
            cluster_size: size.cluster_size,
            capacity_words: size.capacity_words,
            size_remark: size.remark,
            keeps,
            bandwidth: size.bandwidth,
            energy,
            temporal: limits.allowed,
            temporal_whole: limits.whole,
            remarks: limits.remarks,
        }));
        Ok(())
    }

    fn energy(
        &self,
        component: &Component,
        size: &storage::Size,
        is_dram: bool,
    ) -> Result<Energy, InputError> {
        if let Some(energy) = self.energies.storage(&component.name)? {
            return Ok(energy);
        }
        let names = ["vector-access-energy", "vector_access_energy"];
        if let Some(node) = component.scope.find(&names)? {
            let pj = energy::pj(component.scope.number(node)?, node)?;
            let remark = format!("{} of the source for all accesses; it has no leakage.", names[0]);
            return Ok(Energy { read: pj, write: pj, update: pj, leak: 0.0, remark, is_ours: false });
        }
        Ok(match size.capacity_words.filter(|_| !is_dram) {
            Some(words) => {
                let kib = (words * size.word_bits * size.cluster_size) as f64 / 8192.0;
                Energy::of_buffer(kib, size.entry_bits, self.clock.0)
            }
            None => Energy::of_dram(size.entry_bits),
        })
    }

    /// Name and energy of the compute unit, whether it is ours, and where it comes from.
    fn mac(&self, component: &Component) -> Result<(String, f64, bool, String), InputError> {
        let name = component.name.clone();
        if let Some((pj, remark)) = self.energies.compute(&name)? {
            return Ok((name, pj, false, remark));
        }
        if let Some(node) = component.scope.find(&["energy", "energy_per_op", "energy-per-op"])? {
            let pj = energy::pj(component.scope.number(node)?, node)?;
            return Ok((name, pj, false, "The source's energy per operation.".into()));
        }
        let node = component.scope.find(&["multiplier_width", "datawidth", "word-bits", "word_bits"])?;
        let bits =
            node.map(|node| component.scope.whole(node, 1..=4096)).transpose()?.unwrap_or(storage::WORD_BITS);
        Ok((
            name,
            technology::mac_pj(bits),
            true,
            format!("No energy in the source: our technology basis, {bits} bits."),
        ))
    }

    /// Where groups (G) may be looped and unrolled if no constraint names them: the exercises' layers have none.
    fn share_groups(&mut self) -> Vec<String> {
        if self.constraints.groups == Groups::Named {
            return vec![];
        }
        let set = |dims: DimSet, with: bool| {
            let dims = dims.without(DimSet::of(&[Dim::G]));
            if with { dims.with(Dim::G) } else { dims }
        };
        let (mut is_spread, mut is_inside) = (false, false);
        for level in &mut self.levels {
            match level {
                Level::Storage(storage) => {
                    is_inside |= is_spread;
                    storage.temporal = set(storage.temporal, storage.temporal.has(Dim::N));
                }
                Level::Fanout(fanout) => {
                    is_spread = true;
                    fanout.spatial = fanout.spatial.map(|axis| set(axis, axis.has(Dim::K) && !is_inside));
                }
            }
        }
        vec![
            "No constraint names the groups G of grouped and depthwise layers. Our choice: they may be looped where \
             the batch N may, and unrolled where output channels may, between PEs but not inside one."
                .into(),
        ]
    }
}

/// Why a key is not taken.
fn why(key: &str) -> &'static str {
    match key {
        "problem" => "layers come from networks",
        "mapper" | "mapspace" => "the search is mascot's own, see `mascot cost table --objective`",
        "mapping" => "the mapping is searched",
        "components" | "compound_components" | "classes" => {
            "only Accelergy needs it, to estimate energies: give its ERT file, too"
        }
        "ART" | "ART_summary" | "area_share" | "area" => "areas are not modelled",
        "ERT_summary" => "give the ERT itself",
        "sparse_optimizations" => "all tensors are dense here",
        "globals" | "environment_variables" => "it steers Timeloop's front end",
        "technology" | "n_banks" | "num_banks" | "num-banks" | "n_ports" | "nports" | "num_ports"
        | "num-ports" | "n_rdwr_ports" | "n_rd_ports" | "n_wr_ports" | "type" | "adder_width"
        | "multiplier_width" | "update_fifo_depth" | "latency" => {
            "it only matters to estimates of energy and area"
        }
        "min_utilization" | "min-utilization" => "a level may be as empty as the mapping leaves it",
        "network_fill_latency" | "network_drain_latency" => {
            "networks cost nothing here; see fill_drain_cycles"
        }
        "networks" | "network_read" | "network_fill" | "network_drain" | "network_update" => {
            "networks cost nothing here"
        }
        "has_power_gating" | "power_gated_at" => "a level leaks as long as the accelerator is on",
        "reduction_supported" => "every level adds partial sums",
        "allow_overbooking" | "max_overbooked_proportion" => "a tile never exceeds its level",
        "required_actions" => "the ERT has the actions",
        "dumped_by_timeloop_front_end" | "version" => "it changes no cost",
        "meshX" | "meshY" => "its fan-out stands before it",
        "no_reuse" | "no_link_transfer" | "no_coalesce" | "rmw_first_update" => {
            "reuse follows from the mapping alone"
        }
        "remainders" | "maximize_dims_capacity" => "factors need not divide here",
        "utilization" => "the search decides",
        _ => "not known to the importer",
    }
}

/// The tensors, by the names of Timeloop's CNN layer.
fn tensor(text: &str, node: &Node) -> Result<Vec<Tensor>, InputError> {
    match text {
        "*" => Ok(Tensor::ALL.to_vec()),
        "Weights" => Ok(vec![Tensor::Weights]),
        "Inputs" => Ok(vec![Tensor::Inputs]),
        "Outputs" => Ok(vec![Tensor::Outputs]),
        _ => Err(node
            .error(format!("the data space `{text}`: expected Weights, Inputs or Outputs of a CNN layer"))),
    }
}
