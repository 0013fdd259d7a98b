//! Progress of tenants or networks that run side by side, on which STP and the measures of fairness are based: the mean
//! over measured requests of isolated latency / latency, with 0 for a request that was dropped or did not finish. The
//! progress of a group of requests is a column.
//!
//! The sources differ in whose progress they mean. PREMA, MoCA and Eyerman and Eeckhout speak of co-running tasks or
//! programs, each of which is one network: here a tenant's requests for one network. So a tenant with several networks
//! counts several times, and two tenants of one network count as two. Jain speaks of users: here tenants.

use std::sync::Arc;

use super::context::{arrived, finished};
use super::{Column, Metric, Value};
use crate::sim::{Origin, Record, Recorder, Request, World};

pub(super) const ENTRY: Metric<Mean> = Metric {
    name: "progress",
    doc: "Progress of the requests of a tenant, network, QoS level or priority",
    columns: &[],
    of_groups: &[Column::higher(
        "progress",
        "Mean isolated latency / latency over all requests, 0 for those not finished; jain uses that of tenants, stp and \
         fairness use that of tenants' networks",
        |mean: &Mean| Value::per(mean.sum, mean.requests as f64),
    )
    .share()],
    hears_layers: false,
    new: |context| Mean { world: Arc::clone(&context.world), sum: 0.0, requests: 0 },
};

/// The progress of all requests together.
pub(super) struct Mean {
    world: Arc<World>,
    sum: f64,
    requests: u64,
}

impl Recorder for Mean {
    fn record(&mut self, record: &Record, origin: Origin) {
        self.requests += u64::from(arrived(record, origin).is_some());
        if let Some(finished) = finished(record, origin) {
            self.sum += finished.isolated(&self.world).as_ps() / finished.latency().as_ps();
        }
    }
}

/// Sums over the measured requests of one program or tenant.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Part {
    requests: u64,
    priority_sum: u64,
    progress_sum: f64,
}

impl Part {
    /// Progress, in (0, 1] if every request was finished; `None` without measured requests.
    pub(super) fn progress(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.progress_sum / self.requests as f64)
    }

    /// Mean priority, since priorities are drawn per request; `None` without measured requests.
    pub(super) fn priority(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.priority_sum as f64 / self.requests as f64)
    }
}

/// The fold behind STP and the measures of fairness.
pub(super) struct Progress {
    world: Arc<World>,
    /// Number of parts per tenant: that of the networks, or 1.
    of_tenant: usize,
    /// The parts by tenant, up to the last one that has sent requests.
    pub(super) parts: Vec<Part>,
}

impl Progress {
    /// Progress by tenant and network.
    pub(super) fn of_programs(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), of_tenant: world.networks.len(), parts: Vec::new() }
    }

    pub(super) fn of_tenants(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), of_tenant: 1, parts: Vec::new() }
    }

    fn part(&mut self, asked: &Request) -> &mut Part {
        let within = if self.of_tenant > 1 { asked.network as usize } else { 0 };
        let place = asked.tenant as usize * self.of_tenant + within;
        if place >= self.parts.len() {
            self.parts.resize(place + 1, Part::default());
        }
        &mut self.parts[place]
    }
}

impl Recorder for Progress {
    fn record(&mut self, record: &Record, origin: Origin) {
        if let Some(asked) = arrived(record, origin) {
            let part = self.part(asked);
            part.requests += 1;
            part.priority_sum += u64::from(asked.priority);
        }
        if let Some(finished) = finished(record, origin) {
            let progress = 1.0 / finished.ntt(&self.world);
            self.part(&finished.asked).progress_sum += progress;
        }
    }
}
