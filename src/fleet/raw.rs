//! A fleet file as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::LinkSharing;
use crate::files::{
    GigabitsPerSecond, KmPerMs, Latitude, Longitude, MicrosecondsOrZero, NonNegative, Positive, Slots,
    Spanned,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "mascot: a fleet: sites at the nodes of a network, and the links between them")]
pub(super) struct RawFleet {
    /// The name by which experiments refer to the fleet; it must be the name of the file.
    pub(super) name: String,
    /// Where nodes, links and sites come from.
    pub(super) source: String,
    /// The speed of light in the links, for delays that follow from coordinates; 200 km/ms in fibre.
    #[serde(default = "in_fibre")]
    pub(super) km_per_ms: KmPerMs,
    /// The age of what is known of a site where requests are dispatched.
    #[serde(default)]
    pub(super) report_us: MicrosecondsOrZero,
    /// How transfers share a link that does not say it itself.
    #[serde(default)]
    pub(super) sharing: LinkSharing,
    /// The energy of a bit on a link that does not say it itself, in picojoules; 0 if left out.
    pub(super) pj_per_bit: Option<NonNegative>,
    /// The nodes: where links end, sites stand and requests arrive.
    pub(super) node: Vec<RawNode>,
    /// The sites, each with a system that serves requests.
    #[serde(default)]
    pub(super) site: Vec<RawSite>,
    /// The links between the nodes, which carry both directions at once.
    #[serde(default)]
    pub(super) link: Vec<RawLink>,
    /// The link of every tenant to its node; none if left out.
    pub(super) access: Option<RawAccess>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNode {
    /// The name of the node, unique in the fleet.
    pub(super) name: Spanned<String>,
    /// Degrees north; with `longitude`.
    pub(super) latitude: Option<Spanned<Latitude>>,
    /// Degrees east; with `latitude`.
    pub(super) longitude: Option<Spanned<Longitude>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSite {
    /// The name of the site, unique in the fleet.
    pub(super) name: Spanned<String>,
    /// The node where it stands.
    pub(super) node: Spanned<String>,
    /// Its system: the name of a file in accel-models/systems/.
    pub(super) system: String,
    /// The scheduler of its layers: a name, or a table with `name` and its parameters; `edf` if left out.
    pub(super) scheduler: Option<Spanned<RawScheduler>>,
    /// Jobs in service at most; the number of accelerators if left out, `inf` for no limit.
    pub(super) slots: Option<Slots>,
    /// The models that are deployed here; all if left out.
    pub(super) models: Option<Spanned<Vec<String>>>,
    /// Memory for the weights of variants in megabytes (10^6 bytes); with `load_bandwidth_gbps`. A variant is loaded
    /// before it is launched, and stays until room is needed. If left out, all weights are always there.
    pub(super) memory_mb: Option<Spanned<Positive>>,
    /// The bandwidth at which weights are loaded, in gigabytes per second.
    pub(super) load_bandwidth_gbps: Option<Spanned<Positive>>,
    /// What a second of the site costs, in any unit.
    pub(super) cost_per_s: Option<NonNegative>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a scheduler's name, or a table with `name` and its parameters")]
pub(super) enum RawScheduler {
    /// The name alone.
    Name(String),
    /// The name beside parameters.
    Table(#[schemars(with = "serde_json::Map<String, serde_json::Value>")] toml::Table),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLink {
    /// The two nodes that it joins.
    pub(super) between: Spanned<Vec<Spanned<String>>>,
    /// Bandwidth each way in gigabits per second (8 Gb/s are 1 GB/s); `inf` is allowed.
    pub(super) gbps: GigabitsPerSecond,
    /// The delay from one end to the other; from the coordinates of the nodes if left out.
    pub(super) delay_us: Option<MicrosecondsOrZero>,
    /// How transfers share it; the fleet's `sharing` if left out.
    pub(super) sharing: Option<LinkSharing>,
    /// The energy of a bit that crosses it, in picojoules; the fleet's `pj_per_bit` if left out.
    pub(super) pj_per_bit: Option<NonNegative>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAccess {
    /// Bandwidth each way in gigabits per second (8 Gb/s are 1 GB/s); `inf` is allowed.
    pub(super) gbps: GigabitsPerSecond,
    /// The delay from the tenant to its node.
    #[serde(default)]
    pub(super) delay_us: MicrosecondsOrZero,
    /// The energy of a bit that crosses it, in picojoules; the fleet's `pj_per_bit` if left out.
    pub(super) pj_per_bit: Option<NonNegative>,
}

/// Light in glass of refractive index 1.5.
fn in_fibre() -> KmPerMs {
    KmPerMs(200.0)
}
