//! The engine's rules under the setting of a case.

use super::case::Case;
use crate::experiment::{CostKind, TriggerKind};
use crate::sim::{DecisionCost, Host, LateRules, Rules, Trigger};
use crate::units::Time;

/// The engine's rules under the setting of a case.
pub fn rules(case: &Case) -> Rules {
    let setting = &case.setting;
    let host = Host { base: Time::from_us(setting.decision_base_us), ..Host::default() };
    Rules {
        trigger: match setting.trigger {
            TriggerKind::Periodic => Trigger::Periodic(Time::from_us(setting.period_us)),
            TriggerKind::OnIdle => Trigger::OnIdle,
            TriggerKind::OnChange => Trigger::OnChange,
        },
        decision_cost: match setting.decision_cost {
            CostKind::Ideal => DecisionCost::Ideal,
            CostKind::Host => DecisionCost::Host(host),
        },
        late: LateRules {
            rule: setting.late,
            own: case.workload.scenario.tenants.iter().map(|tenant| tenant.late).collect(),
        },
        unassigned: setting.unassigned,
        firm: case.workload.scenario.tenants.iter().map(|tenant| tenant.firm).collect(),
    }
}
