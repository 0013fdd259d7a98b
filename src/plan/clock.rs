//! Estimates before a run by number of requests starts whether it ends before the 64-bit clock overflows.
//!
//! After the last arrival a run takes at most twice the time of all requests served one after the other: as long as the
//! DRAM is the bottleneck, moving all bytes takes the same time in parallel as in sequence. If late requests are
//! aborted, the run ends with the last deadline. Each layer may wait for a decision, with all jobs waiting in parallel;
//! a closed loop, whose jobs wait one after the other, is not estimated.

use super::workload::Workload;
use crate::experiment::{CostKind, Error, Setting, TriggerKind, Window};
use crate::hw::SystemSpec;
use crate::sim::{NetworkModel, World};
use crate::units::Time;
use crate::workload::{Extent, Late, Tenant};

/// The longest time in seconds from the last arrival to the end: what the clock holds besides the arrivals (`pace.rs`).
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

/// The time of all layers of a network one after the other, each on its slowest accelerator.
fn work_s(network: &NetworkModel) -> f64 {
    let slowest_s = |layer: usize| {
        let possible = network.alone(layer as u32).iter().filter(|&&alone| alone < Time::MAX);
        possible.max().map_or(0.0, |alone| alone.as_s())
    };
    (0..network.layers.len()).map(slowest_s).sum()
}

/// The longest time from arrival to deadline, if every tenant aborts late requests.
fn patience_s(tenants: &[Tenant], setting: &Setting, longest_s: f64) -> f64 {
    let lives_on = |tenant: &Tenant| tenant.late.unwrap_or(setting.late) == Late::Finish;
    if tenants.iter().any(lives_on) {
        return f64::INFINITY;
    }
    let factors = tenants.iter().filter_map(|tenant| tenant.sla.deadline_factor);
    // The loosest QoS level is less than 2, and targets are less than a million seconds.
    2.0 * (factors.fold(setting.deadline_factor, f64::max) * longest_s + 1e6)
}

/// The longest time that a layer may wait for a decision.
fn wait_s(setting: &Setting) -> f64 {
    let period_us = if setting.trigger == TriggerKind::Periodic { setting.period_us } else { 0.0 };
    let base_us = if setting.decision_cost == CostKind::Host { setting.decision_base_us } else { 0.0 };
    (period_us + base_us) / 1e6
}
