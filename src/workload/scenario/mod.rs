//! A scenario: which tenants share the system, read from TOML.
//!
//! ```toml
//! name = "pair"
//! source = "written by hand"
//! priorities = [{ level = 1 }, { level = 3 }, { level = 9 }]  # drawn per request; tenants may have their own
//! qos_levels = [{ level = "H" }, { level = "L", weight = 3 }] # drawn per request; left out: the experiment's level
//! arrivals = { kind = "poisson" }                             # of tenants that have none; left out: poisson
//!
//! [[tenant]]
//! name = "camera"
//! network = "yolov2"
//! batch = 2                         # inputs that one request brings; left out: 1
//! arrivals = { kind = "periodic", fps = 30, jitter_us = 500 } # `mascot list arrivals` shows the kinds
//! sla = "period"                    # due with the next frame; left out: the experiment's rule
//! priority = 9
//! qos = "H"
//! late = "finish"                   # what becomes of its late requests; left out: the experiment's rule
//! pin_weights = true                # where weights stay on chip (`residency`), these stay for good
//! target_hit_rate = 0.95            # reported as reached or not
//! firm = { m = 9, k = 10 }          # of any 10 requests in a row 9 are met; violations are counted
//!
//! [[tenant]]
//! name = "assistant"
//! networks = [{ name = "kws_res26", weight = 9 }, { name = "bert_base_s128", batch = 4 }]
//! arrivals = { kind = "gamma", cv = 3, rate_per_s = 20 }
//! deadline_factor = 7               # in place of the experiment's
//! target_us = 16_700                # for sla = "absolute"; an entry of `networks` may have its own
//!
//! [[tenant]]
//! name = "faces"                    # looks at half of the camera's frames, once those are done
//! network = "squeezenet1_0"
//! arrivals = { kind = "cascade", after = "camera", probability = 0.5 }
//! sla = "period"                    # due with the camera's next frame
//!
//! [[tenant]]
//! name = "batch jobs"               # keeps 4 requests in flight
//! network = "resnet50"
//! arrivals = { kind = "closed_loop", in_flight = 4, think_us = 1000, think = "exponential" }
//!
//! [[tenant]]
//! name = "doorbell"                 # any variant of the model may answer
//! model = "classify_resnet"         # a file in workloads/models/, in place of `network`
//! node = "Madrid"                   # where its requests enter the fleet
//! input_kb = 150                    # what a request brings, in kB (1,000 bytes)
//! output_kb = 1                     # what the answer brings back
//! min_accuracy = 0.7                # below it an answer does not count as served
//! utility = { delay = { kind = "linear", full_us = 10_000, zero_us = 50_000 }, accuracy = "relative" }
//! ```
//! Weights left out are 1. A `utility` of the scenario is that of all tenants that have none.
//!
//! A tenant with a `model` counts as one that asks for the most accurate variant of it (the first of several) at batch 1:
//! that is what a plain run on one system executes, and what deadlines are multiples of. Smaller variants and larger
//! batches are chosen only where requests are dispatched.
//!
//! Arrival rates are set in one of two ways. Either the scenario fixes absolute arrival rates: every tenant's arrivals
//! have fixed times or a `rate_per_s`, and the experiment gives no `loads`. Or the experiment's `loads` set the total
//! rate, relative to what the system can carry: then no tenant has a rate, and a tenant's `weight` is its share of all
//! requests. Cascades go with both: a cascade sends the rate of the tenant before it x probability, if no request is
//! dropped. A closed loop counts as an absolute rate, which is that at which it is served.

mod raw;
mod read;
mod service;

use super::model::Model;
use super::tenant::Tenant;

/// A validated scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The name by which experiments refer to it.
    pub name: String,
    /// Where the numbers come from, and what was changed.
    pub source: String,
    /// The networks that requests may ask for, distinct and in order of first mention.
    pub networks: Vec<Variant>,
    /// The models that requests may ask for, distinct and in order of first mention. The most accurate variant of each is
    /// one of [`Self::networks`].
    pub models: Vec<Model>,
    /// The tenants in file order, at least one.
    pub tenants: Vec<Tenant>,
    /// Tenants whose requests follow those of others, each after the tenant that it follows.
    pub stages: Vec<Stage>,
}

/// A tenant whose requests follow those of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// Index into [`Scenario::tenants`].
    pub tenant: u32,
    /// The tenant that it follows.
    pub after: u32,
    /// Mean number of its requests per request of the other tenant, if none is dropped.
    pub probability: f64,
}

/// A network at a batch size, for which a request may ask.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variant {
    /// The network's name.
    pub network: String,
    /// The batch size.
    pub batch: u64,
}

impl Variant {
    /// The name in tables and traces: that of the network, and @batch where the batch is not 1.
    pub fn label(&self) -> String {
        if self.batch == 1 { self.network.clone() } else { format!("{}@{}", self.network, self.batch) }
    }
}

impl Scenario {
    /// Whether the scenario fixes absolute arrival rates; otherwise the experiment's load sets them.
    pub fn has_own_pace(&self) -> bool {
        self.tenants.iter().all(|tenant| tenant.arrivals.has_own_pace())
    }

    /// The tenant at the source of a tenant's requests: the first of its cascade, or itself.
    pub fn source_of(&self, tenant: usize) -> usize {
        // Every stage is listed after the one that it follows.
        let up = |at, stage: &Stage| if stage.tenant as usize == at { stage.after as usize } else { at };
        self.stages.iter().rev().fold(tenant, up)
    }

    /// Whether the requests of a tenant come in frames, either its own or those at the source of its cascade.
    pub fn has_frames(&self, tenant: usize) -> bool {
        self.tenants[self.source_of(tenant)].arrivals.has_frames()
    }

    /// Whether some tenant pins the weights of a network, an index into [`Self::networks`].
    pub fn pins_weights(&self, network: u32) -> bool {
        let uses = |tenant: &Tenant| tenant.networks.iter().any(|choice| choice.value == network);
        self.tenants.iter().any(|tenant| tenant.pin_weights && uses(tenant))
    }

    /// Whether some tenant is a closed loop.
    pub fn has_loops(&self) -> bool {
        self.tenants.iter().any(|tenant| tenant.arrivals.closed_loop().is_some())
    }

    /// Whether some requests follow others, so that their arrival depends on the schedule.
    pub fn has_followers(&self) -> bool {
        self.has_loops() || !self.stages.is_empty()
    }

    /// Number of requests that follow no others; `None` if they never end.
    pub fn total(&self) -> Option<usize> {
        self.tenants.iter().map(|tenant| tenant.arrivals.total()).sum()
    }

    /// The index of a network by its label.
    pub fn network(&self, label: &str) -> Option<u32> {
        self.networks.iter().position(|network| network.label() == label).map(|index| index as u32)
    }

    /// The fraction of all requests that each tenant sends, by weight, if none is dropped.
    pub fn tenant_shares(&self) -> Vec<f64> {
        shares(&self.with_stages(self.tenants.iter().map(|tenant| tenant.weight).collect()))
    }

    /// Turns the requests of tenants that follow no other into those of all tenants, if none is dropped.
    pub fn with_stages(&self, mut requests: Vec<f64>) -> Vec<f64> {
        for stage in &self.stages {
            requests[stage.tenant as usize] = stage.probability * requests[stage.after as usize];
        }
        requests
    }

    /// The fraction of all requests that each network serves, by weight.
    pub fn network_shares(&self) -> Vec<f64> {
        let mut total = vec![0.0; self.networks.len()];
        for (tenant, share) in self.tenants.iter().zip(self.tenant_shares()) {
            for (network, within) in tenant.mix() {
                total[network as usize] += share * within;
            }
        }
        total
    }

    /// The mean rate of each tenant if all tenants without a fixed rate share `requests_per_s` by weight.
    pub fn rates_per_s(&self, requests_per_s: f64) -> Vec<f64> {
        let shared = self.tenants.iter().zip(self.tenant_shares());
        let rates =
            shared.map(|(tenant, share)| tenant.arrivals.rate_per_s().unwrap_or(share * requests_per_s));
        self.with_stages(rates.collect())
    }
}

fn shares(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}
