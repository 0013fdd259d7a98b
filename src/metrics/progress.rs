//! Progress of what runs side by side, which STP and the measures of fairness are made of: the mean over counted requests of
//! isolated latency / latency, 0 for a request that was dropped or did not finish.
//!
//! Whose progress is the source's to say. PREMA, MoCA and Eyerman and Eeckhout speak of co-running tasks or programs,
//! each one network that somebody runs: here a tenant's requests for one network, so that a tenant of several networks
//! counts several times, and two tenants of one network are two. Jain speaks of users: here tenants.

use super::Context;
use crate::sim::{Origin, Record, Recorder, Request};

/// Sums over the counted requests of one program or tenant.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Part {
    requests: u64,
    priority_sum: u64,
    progress_sum: f64,
}

impl Part {
    /// In (0, 1] where every request was finished; `None` without counted requests.
    pub(super) fn progress(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.progress_sum / self.requests as f64)
    }

    /// Mean priority, since priorities are drawn per request; `None` without counted requests.
    pub(super) fn priority(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.priority_sum as f64 / self.requests as f64)
    }
}

/// The fold.
pub(super) struct Progress<'a> {
    context: Context<'a>,
    /// Parts per tenant: its networks, or 1.
    of_tenant: usize,
    pub(super) parts: Vec<Part>,
}

impl<'a> Progress<'a> {
    /// By tenant and network.
    pub(super) fn of_programs(context: Context<'a>) -> Self {
        Self::new(context, context.world.networks.len())
    }

    pub(super) fn of_tenants(context: Context<'a>) -> Self {
        Self::new(context, 1)
    }

    fn new(context: Context<'a>, of_tenant: usize) -> Self {
        Self { context, of_tenant, parts: vec![Part::default(); context.tenants() * of_tenant] }
    }

    fn part(&mut self, request: &Request) -> &mut Part {
        let within = if self.of_tenant > 1 { request.network as usize } else { 0 };
        &mut self.parts[request.tenant as usize * self.of_tenant + within]
    }
}

impl Recorder for Progress<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        if let Some(request) = self.context.arrived(record, origin) {
            let part = self.part(&request);
            part.requests += 1;
            part.priority_sum += u64::from(request.priority);
        }
        if let Some(finished) = self.context.finished(record, origin) {
            let progress = 1.0 / finished.ntt(&self.context);
            self.part(&finished.request).progress_sum += progress;
        }
    }
}
