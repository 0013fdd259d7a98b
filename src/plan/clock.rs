//! Whether a run by number of requests ends before the 64-bit clock does, estimated before it starts.
//!
//! After the last arrival a run takes at most the work of all requests one after the other, half as fast: while DRAM is the
//! bound, the bytes of all together take as long as those of one after the other. Where late requests are aborted, it is over
//! with the last deadline. Layers may wait for a decision each, all jobs side by side; jobs of a closed loop that wait for
//! decisions one after the other are not estimated.

use super::workload::Workload;
use crate::experiment::{CostKind, Error, Setting, TriggerKind, Window};
use crate::hw::SystemSpec;
use crate::sim::{NetworkModel, World};
use crate::units::Time;
use crate::workload::{Extent, Late, Tenant};

/// The longest time in seconds from the last arrival to the end: what the clock holds beside the arrivals (`pace.rs`).
const MAX_BUSY_S: f64 = 1.5e7;

pub(super) fn check(
    world: &World,
    window: &Window,
    workload: &Workload,
    setting: &Setting,
    system: &SystemSpec,
) -> Result<(), Error> {
    let Extent::Requests(requests) = window.extent() else { return Ok(()) };
    let scenario = &workload.scenario;
    let longest_s = world.networks.iter().map(work_s).fold(0.0, f64::max);
    let layers = world.networks.iter().map(|network| network.layers.len()).max().unwrap_or(0);
    let all_s = 2.0 * (requests * (1 + scenario.stages.len())) as f64 * longest_s;
    let busy_s =
        all_s.min(patience_s(&scenario.tenants, setting, longest_s)) + layers as f64 * wait_s(setting);
    if busy_s <= MAX_BUSY_S {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "the {requests} requests of scenario `{}` may keep `{}` busy for {busy_s:.1e} s of simulated time: expected at most \
         {MAX_BUSY_S:.1e} s, so set `requests` or `duration_s`",
        scenario.name, system.name
    )))
}

/// All layers of a network one after the other, each where it is slowest.
fn work_s(network: &NetworkModel) -> f64 {
    let slowest_s = |layer: usize| {
        let possible = network.alone(layer as u32).iter().filter(|&&alone| alone < Time::MAX);
        possible.max().map_or(0.0, |alone| alone.as_s())
    };
    (0..network.layers.len()).map(slowest_s).sum()
}

/// How long after its arrival a request is due at the latest, if none lives on.
fn patience_s(tenants: &[Tenant], setting: &Setting, longest_s: f64) -> f64 {
    let lives_on = |tenant: &Tenant| tenant.late.unwrap_or(setting.late) == Late::Finish;
    if tenants.iter().any(lives_on) {
        return f64::INFINITY;
    }
    let factors = tenants.iter().filter_map(|tenant| tenant.sla.deadline_factor);
    // The loosest level of QoS, and targets, are less than twice and a million seconds.
    2.0 * (factors.fold(setting.deadline_factor, f64::max) * longest_s + 1e6)
}

/// How long a layer may wait for a decision.
fn wait_s(setting: &Setting) -> f64 {
    let period_us = if setting.trigger == TriggerKind::Periodic { setting.period_us } else { 0.0 };
    let base_us = if setting.decision_cost == CostKind::Host { setting.decision_base_us } else { 0.0 };
    (period_us + base_us) / 1e6
}
