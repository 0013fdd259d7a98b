//! `poisson`: independent exponential gaps, as from many independent users.

use rand_distr::{Distribution, Exp1};

use super::gaps::Gaps;
use super::{ArrivalKind, Law, Process, Rate, Setting};
use crate::files::{NoParameters, parse_parameters};

pub(super) const ENTRY: ArrivalKind = ArrivalKind {
    name: "poisson",
    doc: "independent exponential gaps",
    source: "textbook; the usual assumption of the literature",
    rate: Rate::Given,
    parameters: &[],
    read: |table| Ok(Box::new(parse_parameters::<NoParameters>(table).map(|_| Poisson)?)),
};

#[derive(Debug)]
struct Poisson;

impl Law for Poisson {
    fn start(&self, setting: &Setting) -> Box<dyn Process> {
        let rate_per_s = setting.rate_per_s;
        Gaps::process(move |rng| {
            let gap: f64 = Exp1.sample(rng);
            gap / rate_per_s
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::workload::arrivals::testing::{KS_CRITICAL, Sample, assert_near, estimate, ks_distance};

    const RATE_PER_S: f64 = 250.0;

    fn sample(seed: u64) -> Sample {
        Sample::of("kind = 'poisson'", RATE_PER_S, 20_000, seed)
    }

    #[test]
    fn gaps_and_counts_vary_as_those_of_a_poisson_process() {
        assert_near("mean gap", estimate(20, |seed| sample(seed).mean_gap_s()), 1.0 / RATE_PER_S, 0.01);
        assert_near("gap CV", estimate(20, |seed| sample(seed).gap_cv()), 1.0, 0.01);
        for window_s in [0.02, 0.4] {
            assert_near("dispersion", estimate(20, |seed| sample(seed).dispersion(window_s)), 1.0, 0.05);
        }
    }

    #[test]
    fn gaps_are_exponential() {
        let law = |gap_s: f64| 1.0 - (-gap_s * RATE_PER_S).exp();
        let gaps_s = sample(7).gaps_s();
        assert!(ks_distance(&gaps_s, law) < KS_CRITICAL / (gaps_s.len() as f64).sqrt());
    }
}
