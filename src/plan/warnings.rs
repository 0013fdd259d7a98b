//! Warnings about plans that are valid but probably not meant: loads that no schedule can carry, decision periods in
//! which deadlines pass, deadlines that follow the hardware under comparison.

use std::collections::{BTreeMap, BTreeSet};

use super::case::Case;
use super::prepare::Plan;
use crate::experiment::{SlaReference, TriggerKind, distinct};
use crate::units::Time;
use crate::workload::{Qos, Sla, Tenant};

impl Plan {
    /// Warnings about loads above lambda* among some of the cases, a sentence each.
    pub fn overloads(&self, among: impl Fn(&Case) -> bool) -> Vec<String> {
        let over = self.cases.iter().filter(|case| case.is_overload() && among(case));
        distinct(over.map(|case| {
            format!(
                "scenario `{}` offers `{}` with {} GB/s a load of {:.3}: more than any schedule can carry",
                case.workload.scenario.name,
                case.system,
                case.site.dram.bandwidth_gbps,
                case.nominal_load()
            )
        }))
    }

    /// Warnings about decision periods that are longer than the initial slack of requests, a sentence each.
    pub(super) fn long_periods(&self) -> Vec<String> {
        let mut hurt: BTreeMap<(&str, &str, u64), Vec<String>> = BTreeMap::new();
        for case in self
            .cases
            .iter()
            .filter(|case| case.fleet.is_none() && case.setting.trigger == TriggerKind::Periodic)
        {
            let period = Time::from_us(case.setting.period_us);
            let scenario = &case.workload.scenario;
            for (network, slack) in scenario.tenants.iter().flat_map(|tenant| slacks(case, tenant)) {
                if slack < period {
                    let label = scenario.networks[network as usize].label();
                    let key = (case.system.as_str(), scenario.name.as_str(), period.0);
                    hurt.entry(key).or_default().push(format!("{label} ({:.0} us)", slack.as_us()));
                }
            }
        }
        let sentence = |((system, scenario, period_ps), networks)| {
            format!(
                "`period_us` {} is longer than the slack of networks of scenario `{scenario}` on `{system}`: a \
                 request that arrives just after a decision is late even on an idle system; shorten the period, or \
                 set `trigger = \"on_change\"`: {}",
                Time(period_ps).as_us(),
                distinct(networks).join(", ")
            )
        };
        hurt.into_iter().map(sentence).collect()
    }
}

/// The keys of the hardware, from which isolated latencies follow.
const HARDWARE: [&str; 8] = [
    "system",
    "dram_bandwidth_gbps",
    "dram_efficiency",
    "fusion",
    "precision",
    "objective",
    "max_sub_job_us",
    "phases",
];

/// Deadlines that differ by this factor count as different. Our choice, because the rounding of split layers stays
/// below it.
const MOVED: f64 = 1.01;

/// The range of the isolated latency of a network in a sweep.
#[derive(Clone, Copy)]
struct Range {
    least: Time,
    most: Time,
}

impl Range {
    fn ratio(self) -> f64 {
        self.most.as_ps() / self.least.as_ps()
    }

    fn with(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }
}

impl Plan {
    /// A warning if deadlines follow the swept hardware although the experiment does not ask for it; names the network
    /// with the widest range.
    pub fn moved_deadlines(&self) -> Option<String> {
        if self.experiment.asked.iter().all(|asked| asked.sla_reference.is_some()) {
            return None;
        }
        let mut ranges: BTreeMap<(&str, String), Range> = BTreeMap::new();
        let follow = |case: &&Case| case.setting.sla_reference == SlaReference::Own;
        for case in self.cases.iter().filter(follow) {
            let scenario = &case.workload.scenario;
            for network in scenario.tenants.iter().flat_map(|tenant| relative(case, tenant)) {
                let own = case.reference[network as usize];
                let range = Range { least: own, most: own };
                let key = (scenario.name.as_str(), scenario.networks[network as usize].label());
                ranges.entry(key).and_modify(|all| *all = all.with(range)).or_insert(range);
            }
        }
        let ((scenario, network), range) =
            ranges.into_iter().max_by(|(_, a), (_, b)| a.ratio().total_cmp(&b.ratio()))?;
        if range.ratio() < MOVED {
            return None;
        }
        Some(format!(
            "deadlines follow the hardware ({}): the isolated latency of `{network}` in scenario `{scenario}`, of which they \
             are multiples, is {:.0} to {:.0} us; `sla_reference = \"{}\"` gives every system the same deadlines, \
             `sla_reference = \"own\"` says that this is meant",
            self.swept_hardware().join(", "),
            range.least.as_us(),
            range.most.as_us(),
            self.cases[0].words[0]
        ))
    }

    /// The keys of [`HARDWARE`] that have several values.
    fn swept_hardware(&self) -> Vec<&'static str> {
        let mut values: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for case in &self.cases {
            for (key, value) in case.setting.named().chain([("system", case.system.clone())]) {
                values.entry(key).or_default().insert(value);
            }
        }
        HARDWARE.into_iter().filter(|key| values.get(*key).is_some_and(|all| all.len() > 1)).collect()
    }
}

/// The networks of a tenant whose deadlines are multiples of isolated latencies.
fn relative(case: &Case, tenant: &Tenant) -> Vec<u32> {
    let is_relative = |network: u32| {
        let sla = tenant.terms(network).sla(case.setting.sla, case.setting.deadline_factor);
        matches!(sla, Some(Sla::Factor(_)))
    };
    tenant.mix().map(|(network, _)| network).filter(|&network| is_relative(network)).collect()
}

/// The networks of a tenant with the slack that their tightest deadline leaves after their isolated latency. Networks
/// whose deadline depends on the arrival are left out.
fn slacks(case: &Case, tenant: &Tenant) -> Vec<(u32, Time)> {
    let levels = tenant.qos.iter().map(|level| Qos::ALL[level.value as usize]);
    let tightest = levels.min().unwrap_or(case.qos);
    let slack = |network: u32| {
        let isolated = case.site.world.networks[network as usize].isolated;
        let sla = tenant.terms(network).sla(case.setting.sla, case.setting.deadline_factor)?;
        let within = sla.within(tightest, case.reference[network as usize])?;
        Some((network, within.saturating_sub(isolated)))
    };
    tenant.mix().filter_map(|(network, _)| slack(network)).collect()
}
