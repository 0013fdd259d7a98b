//! The engine's rules under a setting.

use crate::experiment::{CostKind, Setting, TriggerKind};
use crate::sim::{DecisionCost, Drift, Host, LateRules, Rules, Spread, Trigger, Variation};
use crate::units::Time;
use crate::workload::Scenario;

/// What a decision costs under a setting.
pub(super) fn decision_cost(setting: &Setting) -> DecisionCost {
    let host = Host { base: Time::from_us(setting.decision_base_us), ..Host::default() };
    match setting.decision_cost {
        CostKind::Ideal => DecisionCost::Ideal,
        CostKind::Host => DecisionCost::Host(host),
    }
}

/// The engine's rules under a setting, for the tenants of a scenario.
pub(super) fn rules_on(setting: &Setting, scenario: &Scenario) -> Rules {
    Rules {
        trigger: match setting.trigger {
            TriggerKind::Periodic => Trigger::Periodic(Time::from_us(setting.period_us)),
            TriggerKind::OnIdle => Trigger::OnIdle,
            TriggerKind::OnChange => Trigger::OnChange,
        },
        decision_cost: decision_cost(setting),
        late: LateRules {
            rule: setting.late,
            own: scenario.tenants.iter().map(|tenant| tenant.late).collect(),
        },
        unassigned: setting.unassigned,
        firm: scenario.tenants.iter().map(|tenant| tenant.firm).collect(),
        drift: Drift::NONE,
        variation: Variation::NONE,
    }
}

/// How execution times differ from the cost tables under a setting.
pub(super) fn spread(setting: &Setting) -> Spread {
    Spread {
        distribution: setting.execution_distribution,
        cv: setting.execution_cv,
        correlation: setting.execution_correlation,
        bias_cv: setting.execution_bias_cv,
    }
}
