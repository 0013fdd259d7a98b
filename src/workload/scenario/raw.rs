//! A scenario file as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::files::{Batch, Fraction, Microseconds, NonNegative, Positive, Spanned, Weight};
use crate::workload::arrivals;
use crate::workload::sla::{Firm, Late, Qos, SlaRule};
use crate::workload::utility::RawUtility;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "mascot: a scenario: who sends requests for what")]
pub(super) struct RawScenario {
    /// The name by which experiments refer to the scenario; it must be the name of the file.
    pub(super) name: String,
    /// Where the scenario comes from, and what was changed.
    pub(super) source: String,
    /// The arrival process of tenants that have none of their own.
    #[serde(default)]
    #[schemars(schema_with = "arrivals::schema")]
    pub(super) arrivals: Option<Spanned<toml::Table>>,
    /// Priorities and their relative frequencies, for tenants that have none of their own.
    pub(super) priorities: Option<Spanned<Vec<RawLevel<u32>>>>,
    /// QoS levels and their relative frequencies, for tenants that have none of their own.
    pub(super) qos_levels: Option<Spanned<Vec<RawLevel<Qos>>>>,
    /// What an answer is worth to tenants that do not say it themselves.
    pub(super) utility: Option<RawUtility>,
    /// The tenants, which send requests.
    pub(super) tenant: Vec<RawTenant>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTenant {
    /// The name of the tenant, unique in the scenario.
    pub(super) name: Spanned<String>,
    /// The network that the tenant requests; or `networks` or `model`.
    pub(super) network: Option<Spanned<String>>,
    /// Batch size: the inputs in a request.
    pub(super) batch: Option<Spanned<Batch>>,
    /// The model that the tenant requests, any variant of which may answer: the name of a file in workloads/models/; or
    /// `network` or `networks`.
    pub(super) model: Option<Spanned<String>>,
    /// The networks that the tenant requests and their relative frequencies; or `network` or `model`.
    pub(super) networks: Option<Spanned<Vec<RawNetwork>>>,
    /// The tenant's share of the load, relative to the other tenants.
    pub(super) weight: Option<Spanned<Weight>>,
    /// The arrival process of the tenant's requests.
    #[serde(default)]
    #[schemars(schema_with = "arrivals::schema")]
    pub(super) arrivals: Option<Spanned<toml::Table>>,
    /// The priority of the tenant's requests; or `priorities`.
    pub(super) priority: Option<u32>,
    /// Priorities and their relative frequencies; or `priority`.
    pub(super) priorities: Option<Spanned<Vec<RawLevel<u32>>>>,
    /// The QoS level of the tenant's requests; or `qos_levels`.
    pub(super) qos: Option<Qos>,
    /// QoS levels and their relative frequencies; or `qos`.
    pub(super) qos_levels: Option<Spanned<Vec<RawLevel<Qos>>>>,
    /// The deadline rule of the tenant, in place of the experiment's.
    pub(super) sla: Option<Spanned<SlaRule>>,
    /// Deadline as a multiple of the isolated latency, in place of the experiment's factor.
    pub(super) deadline_factor: Option<Positive>,
    /// The absolute deadline in microseconds.
    pub(super) target_us: Option<Microseconds>,
    /// What happens to the tenant's late requests, in place of the experiment's rule.
    pub(super) late: Option<Late>,
    /// Whether the weights of its networks stay on chip for good, where weights stay on chip at all (`residency`). First
    /// come, first served: where pinned weights leave no room, others do not stay.
    #[serde(default)]
    pub(super) pin_weights: bool,
    /// The target SLA rate: the share of requests that should be met.
    pub(super) target_hit_rate: Option<Fraction>,
    /// Of any k requests in a row, m have to be met.
    pub(super) firm: Option<Spanned<Firm>>,
    /// The node of the fleet at which the tenant's requests arrive.
    pub(super) node: Option<String>,
    /// What a request brings, in kB (1,000 bytes).
    #[serde(default)]
    pub(super) input_kb: NonNegative,
    /// What an answer brings back, in kB (1,000 bytes).
    #[serde(default)]
    pub(super) output_kb: NonNegative,
    /// What an answer is worth, by delay and accuracy.
    pub(super) utility: Option<RawUtility>,
    /// The least accuracy at which an answer counts as served.
    pub(super) min_accuracy: Option<Spanned<Fraction>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNetwork {
    /// A network: the name of a file in workloads/networks/.
    pub(super) name: Spanned<String>,
    /// Batch size: the inputs in a request.
    pub(super) batch: Option<Spanned<Batch>>,
    /// The relative frequency.
    #[serde(default = "one")]
    pub(super) weight: Weight,
    /// The absolute deadline in microseconds.
    pub(super) target_us: Option<Microseconds>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLevel<T> {
    /// The level: a priority, or a QoS level.
    pub(super) level: Spanned<T>,
    /// The relative frequency.
    #[serde(default = "one")]
    pub(super) weight: Weight,
}

fn one() -> Weight {
    Weight(1.0)
}
