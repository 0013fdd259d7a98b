//! When a request is due.
//!
//! Two rules for a deadline, one of which the experiment picks: a multiple of the network's isolated latency on the
//! system at hand, which means the same on every system, or an absolute target, which is what applications have.
//! Both are scaled by the QoS level. (m,k)-firm streams and utilities of delay are not modelled.

use serde::{Deserialize, Serialize};

use crate::units::Time;

/// How strict deadlines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Qos {
    /// High: the tightest deadlines.
    H,
    /// Medium: the deadlines as they are written.
    M,
    /// Low: the loosest deadlines.
    L,
}

impl Qos {
    /// All levels, tightest first.
    pub const ALL: [Self; 3] = [Self::H, Self::M, Self::L];

    /// The factor on every deadline: the QoS-H, -M and -L of the artefact of MoCA (Kim et al., HPCA 2023). AuRORA
    /// (Kim et al., MICRO 2023) has 0.83 for H.
    pub const fn scale(self) -> f64 {
        match self {
            Self::H => 0.8,
            Self::M => 1.0,
            Self::L => 1.2,
        }
    }

    /// The name used in data files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::H => "H",
            Self::M => "M",
            Self::L => "L",
        }
    }
}

/// Which of the two deadline rules an experiment applies to all tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlaRule {
    /// A multiple of the isolated latency.
    Factor,
    /// The target that the scenario gives.
    Absolute,
}

/// What a scenario file says about the deadlines of one tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SlaTerms {
    /// Replaces the experiment's deadline factor for this tenant.
    pub deadline_factor: Option<f64>,
    /// The absolute target at QoS level M, from arrival to finish.
    pub target: Option<Time>,
}

impl SlaTerms {
    /// The SLA under `rule`; `None` where the rule is absolute and the tenant has no target.
    pub fn sla(&self, rule: SlaRule, deadline_factor: f64) -> Option<Sla> {
        match rule {
            SlaRule::Factor => Some(Sla::Factor(self.deadline_factor.unwrap_or(deadline_factor))),
            SlaRule::Absolute => self.target.map(|target| Sla::Absolute { target }),
        }
    }
}

/// The deadline rule of one tenant in one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sla {
    /// Arrival + QoS scale x factor x best isolated latency of the network on this system.
    Factor(f64),
    /// Arrival + QoS scale x target.
    Absolute {
        /// From arrival to finish, at QoS level M.
        target: Time,
    },
}

impl Sla {
    /// When a request that arrives at `arrival` is due; `isolated` is its network's best isolated latency.
    pub fn deadline(self, arrival: Time, qos: Qos, isolated: Time) -> Time {
        let allowed = match self {
            Self::Factor(factor) => isolated.scale(qos.scale() * factor),
            Self::Absolute { target } => target.scale(qos.scale()),
        };
        Time(arrival.0.saturating_add(allowed.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARRIVAL: Time = Time(1_000);
    const ISOLATED: Time = Time(500);

    #[test]
    fn the_portable_rule_scales_the_isolated_latency() {
        let due = |qos| Sla::Factor(4.0).deadline(ARRIVAL, qos, ISOLATED);
        assert_eq!(Qos::ALL.map(due), [Time(2_600), Time(3_000), Time(3_400)]);
    }

    #[test]
    fn the_absolute_rule_ignores_the_system() {
        let sla = Sla::Absolute { target: Time(10_000) };
        assert_eq!(sla.deadline(ARRIVAL, Qos::H, ISOLATED), Time(9_000));
        assert_eq!(sla.deadline(ARRIVAL, Qos::H, Time(7)), Time(9_000));
    }

    #[test]
    fn a_tenant_overrides_the_factor_and_needs_a_target_for_the_absolute_rule() {
        let terms = SlaTerms { deadline_factor: Some(7.0), target: None };
        assert_eq!(terms.sla(SlaRule::Factor, 4.0), Some(Sla::Factor(7.0)));
        assert_eq!(SlaTerms::default().sla(SlaRule::Factor, 4.0), Some(Sla::Factor(4.0)));
        assert_eq!(terms.sla(SlaRule::Absolute, 4.0), None);
    }

    #[test]
    fn a_target_beyond_the_clock_is_never_missed() {
        let sla = Sla::Absolute { target: Time::from_us(1e300) };
        assert_eq!(sla.deadline(ARRIVAL, Qos::L, ISOLATED), Time::MAX);
    }
}
