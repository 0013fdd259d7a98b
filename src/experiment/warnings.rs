//! What is right in a plan and seldom meant: loads that no schedule carries, periods in which deadlines pass.

use std::collections::BTreeMap;

use super::config::TriggerKind;
use super::list::distinct;
use super::plan::{Case, Plan};
use crate::units::Time;
use crate::workload::{Qos, Tenant};

impl Plan {
    /// What is above lambda* among some of the cases, in a sentence each.
    pub fn overloads(&self, among: impl Fn(&Case) -> bool) -> Vec<String> {
        let over = self.cases.iter().filter(|case| case.offered_load() > 1.0 && among(case));
        distinct(over.map(|case| {
            format!(
                "scenario `{}` offers `{}` with {} GB/s a load of {:.3}: more than any schedule can carry",
                case.workload.scenario.name,
                case.system,
                case.site.dram.bandwidth_gbps,
                case.offered_load()
            )
        }))
    }

    /// Where periods of decisions are longer than the slack that requests begin with, in a sentence each.
    pub(super) fn long_periods(&self) -> Vec<String> {
        let mut hurt: BTreeMap<(&str, &str, u64), Vec<String>> = BTreeMap::new();
        for case in self.cases.iter().filter(|case| case.setting.trigger == TriggerKind::Periodic) {
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
                "`period_us` {} is longer than the slack of networks of scenario `{scenario}` on `{system}`: a request that \
                 comes just after a decision is late on an idle system; shorten it, or set `trigger = \"on_change\"`: {}",
                Time(period_ps).as_us(),
                distinct(networks).join(", ")
            )
        };
        hurt.into_iter().map(sentence).collect()
    }
}

/// The networks of a tenant with what is left of their tightest deadline after their isolated latency; without those whose
/// deadline depends on the arrival.
fn slacks(case: &Case, tenant: &Tenant) -> Vec<(u32, Time)> {
    let levels = tenant.qos.iter().map(|level| Qos::ALL[level.value as usize]);
    let tightest = levels.min().unwrap_or(case.qos);
    let slack = |network: u32| {
        let isolated = case.site.world.networks[network as usize].isolated;
        let sla = tenant.terms(network).sla(case.setting.sla, case.setting.deadline_factor)?;
        Some((network, sla.within(tightest, isolated)?.saturating_sub(isolated)))
    };
    tenant.mix().filter_map(|(network, _)| slack(network)).collect()
}
