//! Progress per tenant, which STP and fairness are made of: the mean over its counted requests of isolated latency /
//! latency, 0 for a request that was dropped or did not finish.

use super::Context;
use crate::sim::{Origin, Record, Recorder};

/// Sums over the counted requests of one tenant.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tenant {
    requests: u64,
    priority_sum: u64,
    progress_sum: f64,
}

impl Tenant {
    /// In (0, 1] where every request was finished; `None` without counted requests.
    pub(super) fn progress(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.progress_sum / self.requests as f64)
    }

    /// Mean priority, since priorities are drawn per request; `None` without counted requests.
    pub(super) fn priority(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.priority_sum as f64 / self.requests as f64)
    }
}

/// The fold, by tenant.
pub(super) struct Progress<'a> {
    context: Context<'a>,
    pub(super) tenants: Vec<Tenant>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(context: Context<'a>) -> Self {
        Self { context, tenants: vec![Tenant::default(); context.tenants()] }
    }
}

impl Recorder for Progress<'_> {
    fn record(&mut self, record: &Record, origin: Origin) {
        if let Some(request) = self.context.arrived(record, origin) {
            let tenant = &mut self.tenants[request.tenant as usize];
            tenant.requests += 1;
            tenant.priority_sum += u64::from(request.priority);
        }
        if let Some(finished) = self.context.finished(record, origin) {
            let tenant = &mut self.tenants[finished.request.tenant as usize];
            tenant.progress_sum += 1.0 / finished.ntt(&self.context);
        }
    }
}
