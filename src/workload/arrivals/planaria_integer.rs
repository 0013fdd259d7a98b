//! `planaria_integer`: gaps are Poisson-distributed whole numbers of milliseconds.
//!
//! This is what Planaria's code draws under the name of a Poisson process (`np.random.poisson` as the gap), kept to
//! repeat its experiments: gaps vary by 1 / sqrt(mean gap in steps) only, and several requests share an instant where
//! the mean gap is short.

use rand_distr::{Distribution, Poisson};
use serde::Deserialize;

use super::gaps::Gaps;
use super::{ArrivalKind, Law, Process, Rate, Setting};
use crate::files::{Microseconds, Parameter, parse_parameters};

pub(super) const ENTRY: ArrivalKind = ArrivalKind {
    name: "planaria_integer",
    doc: "gaps are Poisson-distributed multiples of a step",
    source: "Planaria (Ghodrati et al., MICRO 2020), scheduler/generator.py",
    rate: Rate::Given,
    parameters: &[Parameter { name: "step_us", default: "1000", doc: "the unit of the gaps" }],
    read: |table| Ok(Box::new(parse_parameters::<IntegerGaps>(table)?)),
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IntegerGaps {
    #[serde(default = "millisecond")]
    step_us: Microseconds,
}

fn millisecond() -> Microseconds {
    Microseconds(1_000.0)
}

/// rand_distr's bound on the mean of a Poisson law; so many steps are beyond the clock.
const MAX_STEPS: f64 = 1e18;

impl Law for IntegerGaps {
    fn start(&self, setting: &Setting) -> Box<dyn Process> {
        let step_s = self.step_us.0 / 1e6;
        let steps = (1.0 / (setting.rate_per_s * step_s)).min(MAX_STEPS);
        let steps = Poisson::new(steps).expect("the mean is above zero and finite");
        Gaps::process(move |rng| steps.sample(rng) * step_s)
    }
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{Discrete, Poisson};

    use crate::workload::arrivals::testing::{Sample, assert_near, estimate};

    /// 4 steps of a millisecond in the mean.
    fn sample(seed: u64) -> Sample {
        Sample::of("kind = 'planaria_integer'", 250.0, 20_000, seed)
    }

    #[test]
    fn gaps_are_whole_milliseconds_that_vary_less_than_poisson() {
        assert!(sample(1).times().iter().all(|time| time.0.is_multiple_of(1_000_000_000)));
        assert_near("mean gap", estimate(20, |seed| sample(seed).mean_gap_s()), 0.004, 0.01);
        // Standard deviation sqrt(4) steps on a mean of 4.
        assert_near("gap CV", estimate(20, |seed| sample(seed).gap_cv()), 0.5, 0.01);
        // Independent gaps: CV^2 over long windows.
        assert_near("dispersion", estimate(40, |seed| sample(seed).dispersion(1.0)), 0.25, 0.1);
    }

    #[test]
    fn gaps_pass_a_chi_square_test_against_the_poisson_law() {
        let gaps_s = sample(2).gaps_s();
        let law = Poisson::new(4.0).expect("valid");
        let chi_square: f64 = (0..=10)
            .map(|steps| {
                let expected = law.pmf(steps) * gaps_s.len() as f64;
                let found = gaps_s.iter().filter(|gap_s| (*gap_s * 1e3).round() == steps as f64).count();
                (found as f64 - expected).powi(2) / expected
            })
            .sum();
        // 0.1 % critical value at 11 degrees of freedom (the tail above 10 is left out).
        assert!(chi_square < 31.3, "{chi_square}");
    }
}
