//! Deadlines of requests.
//!
//! The experiment or the tenant picks one of three deadline rules: a multiple of the network's isolated latency, on the
//! system that serves it or on the reference of the experiment (`sla_reference`); an absolute target, as applications
//! have; or the next frame of periodic arrivals. All deadlines are scaled by the QoS level. (m,k)-firm terms belong to a
//! stream of requests: they move no deadline, but their violations are counted. What an answer is worth by its delay is
//! the tenant's `utility` (`workload::utility`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stream::Arrival;
use crate::units::Time;

/// QoS level: how strict deadlines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
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

    /// The place in [`Self::ALL`].
    pub const fn index(&self) -> u32 {
        *self as u32
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

impl std::fmt::Display for Qos {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The deadline rule that an experiment applies to all tenants, or a tenant to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlaRule {
    /// A multiple of the isolated latency.
    Factor,
    /// The target that the scenario gives.
    Absolute,
    /// The next frame.
    Period,
}

/// What happens to a request whose deadline passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Late {
    /// The request runs to its end.
    Finish,
    /// The request is dropped, because a late answer is worth nothing.
    Abort,
}

/// (m,k)-firm: of any k requests of a tenant in a row, at least m are met (Hamdaoui and Ramanathan, IEEE Transactions
/// on Computers 44(12), 1995).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Firm {
    /// m: how many requests have to be met.
    pub m: usize,
    /// k: out of how many consecutive requests.
    pub k: usize,
}

impl Firm {
    /// The terms, if they can be both kept and broken.
    pub fn check(self) -> Result<Self, String> {
        if 1 <= self.m && self.m <= self.k {
            return Ok(self);
        }
        Err(format!("m = {} of k = {}: expected 1 <= m <= k", self.m, self.k))
    }
}

/// The terms of a scenario file for the deadlines of one tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SlaTerms {
    /// Replaces the experiment's rule for this tenant.
    pub rule: Option<SlaRule>,
    /// Replaces the experiment's deadline factor for this tenant.
    pub deadline_factor: Option<f64>,
    /// The absolute target at QoS level M, from arrival to finish.
    pub target: Option<Time>,
}

impl SlaTerms {
    /// The SLA under the experiment's rule; `None` where the rule is absolute and the tenant has no target.
    pub fn sla(&self, rule: SlaRule, deadline_factor: f64) -> Option<Sla> {
        match self.rule.unwrap_or(rule) {
            SlaRule::Factor => Some(Sla::Factor(self.deadline_factor.unwrap_or(deadline_factor))),
            SlaRule::Absolute => self.target.map(|target| Sla::Absolute { target }),
            SlaRule::Period => Some(Sla::Period),
        }
    }
}

/// The deadline rule of one tenant in one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sla {
    /// Arrival + QoS scale x factor x isolated latency of the network, on the system or its reference.
    Factor(f64),
    /// Arrival + QoS scale x target.
    Absolute {
        /// Time from arrival to deadline at QoS level M.
        target: Time,
    },
    /// Arrival + QoS scale x (next frame - arrival).
    Period,
}

impl Sla {
    /// When a request is due; `isolated` is its network's best isolated latency. Without frames, the rule `Period` has
    /// no deadline.
    pub fn deadline(self, arrival: &Arrival, qos: Qos, isolated: Time) -> Time {
        Time(arrival.time.0.saturating_add(self.allowed(arrival, qos, isolated).0))
    }

    /// The time from arrival to deadline.
    pub fn allowed(self, arrival: &Arrival, qos: Qos, isolated: Time) -> Time {
        let Arrival { time, next_frame, .. } = *arrival;
        let to_next_frame = || next_frame.unwrap_or(Time::MAX).saturating_sub(time).scale(qos.scale());
        self.within(qos, isolated).unwrap_or_else(to_next_frame)
    }

    /// The time from arrival to deadline, if it is the same for all arrivals.
    pub fn within(self, qos: Qos, isolated: Time) -> Option<Time> {
        match self {
            Self::Factor(factor) => Some(isolated.scale(qos.scale() * factor)),
            Self::Absolute { target } => Some(target.scale(qos.scale())),
            Self::Period => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISOLATED: Time = Time(500);

    fn arrival() -> Arrival {
        Arrival {
            time: Time(1_000),
            tenant: 0,
            network: 0,
            priority: 1,
            qos: None,
            next_frame: Some(Time(11_000)),
            within: None,
        }
    }

    #[test]
    fn the_portable_rule_scales_the_isolated_latency() {
        let due = |qos| Sla::Factor(4.0).deadline(&arrival(), qos, ISOLATED);
        assert_eq!(Qos::ALL.map(due), [Time(2_600), Time(3_000), Time(3_400)]);
    }

    #[test]
    fn the_absolute_rule_ignores_the_system() {
        let sla = Sla::Absolute { target: Time(10_000) };
        assert_eq!(sla.deadline(&arrival(), Qos::H, ISOLATED), Time(9_000));
        assert_eq!(sla.deadline(&arrival(), Qos::H, Time(7)), Time(9_000));
    }

    #[test]
    fn the_period_rule_ends_with_the_next_frame_at_the_middle_level() {
        let due = |qos| Sla::Period.deadline(&arrival(), qos, ISOLATED);
        assert_eq!(Qos::ALL.map(due), [Time(9_000), Time(11_000), Time(13_000)]);
        let no_frame = Arrival { next_frame: None, ..arrival() };
        assert!(Sla::Period.deadline(&no_frame, Qos::L, ISOLATED) > Time(u64::MAX / 2));
    }

    #[test]
    fn a_tenant_overrides_rule_and_factor_and_needs_a_target_for_the_absolute_rule() {
        let terms = SlaTerms { deadline_factor: Some(7.0), ..SlaTerms::default() };
        assert_eq!(terms.sla(SlaRule::Factor, 4.0), Some(Sla::Factor(7.0)));
        assert_eq!(SlaTerms::default().sla(SlaRule::Factor, 4.0), Some(Sla::Factor(4.0)));
        assert_eq!(terms.sla(SlaRule::Absolute, 4.0), None);
        let period = SlaTerms { rule: Some(SlaRule::Period), ..terms };
        assert_eq!(period.sla(SlaRule::Absolute, 4.0), Some(Sla::Period));
    }

    #[test]
    fn a_target_beyond_the_clock_is_never_missed() {
        let sla = Sla::Absolute { target: Time::from_us(1e300) };
        assert_eq!(sla.deadline(&arrival(), Qos::L, ISOLATED), Time::MAX);
    }

    #[test]
    fn firm_terms_are_those_that_can_be_kept_and_broken() {
        assert!(Firm { m: 3, k: 3 }.check().is_ok());
        assert!(Firm { m: 0, k: 3 }.check().is_err() && Firm { m: 4, k: 3 }.check().is_err());
    }
}
