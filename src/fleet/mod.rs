//! A fleet: sites that serve requests, at the nodes of a network, and the links between the nodes. Data only.
//!
//! ```toml
//! name = "pair"
//! source = "written by hand"
//! report_us = 10_000                # how old a site's report is where decisions are taken; left out: 0
//! sharing = "ps"                    # how transfers share a link: "ps", "fifo" or "none"; left out: "ps"
//! pj_per_bit = 10                   # energy of a bit that crosses a link, in picojoules; left out: 0
//!
//! [[node]]
//! name = "Madrid"
//! latitude = 40.4165                # degrees; needed only where a link has no delay_us
//! longitude = -3.70256
//! [[node]]
//! name = "Bilbao"
//! latitude = 43.26271
//! longitude = -2.92528
//!
//! [[link]]
//! between = ["Madrid", "Bilbao"]
//! gbps = 2.5                        # gigaBITS per second, each way; inf is allowed
//! delay_us = 1_800                  # left out: the great circle at km_per_ms, which is 200 if left out
//!
//! [[site]]
//! name = "madrid"
//! node = "Madrid"
//! system = "hetero-8"               # a file in accel-models/systems/
//! scheduler = { name = "edf_drop" } # of the layers; left out: edf
//! slots = 4                         # jobs in service at most; left out: one per accelerator; inf is allowed
//! models = ["classify_resnet"]      # deployed here; left out: all
//! memory_mb = 512                   # room for weights, which are loaded before a launch; left out: no limit
//! load_bandwidth_gbps = 2           # gigaBYTES per second, with memory_mb
//! cost_per_s = 1.0                  # what the site costs, in any unit
//!
//! [access]                          # every tenant's own link to its node; left out: no delay, no limit
//! gbps = 0.1
//! delay_us = 2_000
//! ```
//! Bandwidths of links are in **gigabits** per second, as in every data sheet of a network: 8 Gb/s are 1 GB/s. (Those of
//! memories, `dram_bandwidth_gbps`, are in gigabytes.) Links carry both directions at once, each at full bandwidth. A
//! tenant of a scenario names the node at which its requests arrive (`node`).

mod distance;
mod import;
mod raw;
mod read;
mod routes;

pub use import::{ImportedFleet, Options as ImportOptions, Summary as FleetSummary, import_gml};
pub use routes::Routes;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::units::Time;

/// A validated fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetSpec {
    /// The name by which experiments refer to it.
    pub name: String,
    /// Where nodes, links and sites come from.
    pub source: String,
    /// The age of what is known of a site where requests are dispatched, beside the delay of the way; zero: it is always
    /// up to date.
    pub report: Time,
    /// The nodes in file order, at least one.
    pub nodes: Vec<NodeSpec>,
    /// The sites in file order. A fleet without one is a topology, to which sites are yet to be added.
    pub sites: Vec<SiteSpec>,
    /// The links in file order.
    pub links: Vec<LinkSpec>,
    /// The link of every tenant to its node; `None`: tenants are at their nodes.
    pub access: Option<AccessSpec>,
}

/// A node: where links end, sites stand and requests arrive.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSpec {
    /// The name, unique in the fleet.
    pub name: String,
    /// Where it is.
    pub place: Option<Coordinates>,
}

/// A place on the earth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coordinates {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// A site: one system that serves requests.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteSpec {
    /// The name, unique in the fleet.
    pub name: String,
    /// Index into [`FleetSpec::nodes`].
    pub node: u32,
    /// The name of its system.
    pub system: String,
    /// The scheduler of its layers: `name` and parameters, as in an experiment; `None`: `edf`.
    pub scheduler: Option<toml::Table>,
    /// Jobs in service at most, [`u32::MAX`] for no limit; `None`: as many as the system has accelerators.
    pub slots: Option<u32>,
    /// The models that are deployed, by name; `None`: all.
    pub models: Option<Vec<String>>,
    /// The memory for the weights of variants; `None`: all weights are always there.
    pub memory: Option<MemorySpec>,
    /// What a second of the site costs, in any unit.
    pub cost_per_s: Option<f64>,
}

/// The memory of a site for the weights of variants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemorySpec {
    /// Its size in bytes.
    pub bytes: f64,
    /// The bandwidth at which weights are loaded into it, in bytes per second.
    pub load_bytes_per_s: f64,
}

/// A link between two nodes, the same both ways.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkSpec {
    /// The nodes that it joins: two indices into [`FleetSpec::nodes`].
    pub between: [u32; 2],
    /// Bytes per second each way; may be infinite.
    pub bytes_per_s: f64,
    /// From one end to the other, for the first bit.
    pub delay: Time,
    /// How transfers share it.
    pub sharing: LinkSharing,
    /// The energy of a bit that crosses it, in picojoules; 0 if it is not known.
    pub pj_per_bit: f64,
}

/// The link of each tenant to its node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AccessSpec {
    /// Bytes per second each way; may be infinite.
    pub bytes_per_s: f64,
    /// From one end to the other, for the first bit.
    pub delay: Time,
    /// The energy of a bit that crosses it, in picojoules; 0 if it is not known.
    pub pj_per_bit: f64,
}

/// How transfers of one direction share a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkSharing {
    /// Processor sharing: all at once, each with an equal share of the bandwidth, as long-lived flows of TCP tend to.
    #[default]
    Ps,
    /// One after the other, in the order of their start.
    Fifo,
    /// Not at all: each has the full bandwidth to itself.
    None,
}

impl LinkSpec {
    /// The node at the other end; panics if `node` is at neither.
    pub fn other_end(&self, node: u32) -> u32 {
        let [one, other] = self.between;
        assert!(node == one || node == other, "node {node} is at no end of {:?}", self.between);
        if node == one { other } else { one }
    }
}

impl FleetSpec {
    /// The index of a node by its name.
    pub fn node(&self, name: &str) -> Option<u32> {
        self.nodes.iter().position(|node| node.name == name).map(|index| index as u32)
    }

    /// The shortest ways between all nodes.
    pub fn routes(&self) -> Routes {
        Routes::new(self.nodes.len(), &self.links)
    }
}
