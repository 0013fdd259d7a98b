//! `gamma`: independent gaps with a chosen coefficient of variation, burstier than `poisson` above 1, more regular
//! below. Shape 1 / cv^2, mean 1 / rate; over long windows the index of dispersion tends to cv^2.

use rand_distr::{Distribution, Gamma};
use serde::Deserialize;

use super::gaps::Gaps;
use super::{ArrivalKind, Law, Process, Rate, Setting};
use crate::files::{Parameter, Variation, parse_parameters};

pub(super) const ENTRY: ArrivalKind = ArrivalKind {
    name: "gamma",
    doc: "independent gamma-distributed gaps with coefficient of variation `cv`",
    source: "textbook; BurstGPT (Wang et al., 2024) models bursts of requests this way",
    rate: Rate::Given,
    parameters: &[Parameter {
        name: "cv",
        default: "",
        doc: "standard deviation / mean of the gaps; 1 is poisson",
    }],
    read: |table| Ok(Box::new(parse_parameters::<GammaGaps>(table)?)),
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GammaGaps {
    cv: Variation,
}

impl Law for GammaGaps {
    fn start(&self, setting: &Setting) -> Box<dyn Process> {
        let shape = self.cv.0.powi(-2);
        let gaps_s = Gamma::new(shape, 1.0 / (shape * setting.rate_per_s));
        let gaps_s = gaps_s.expect("shape and scale are above zero and finite");
        Gaps::process(move |rng| gaps_s.sample(rng))
    }
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ContinuousCDF, Gamma};

    use crate::workload::arrivals::testing::{KS_CRITICAL, Sample, assert_near, estimate, ks_distance};

    fn sample(cv: f64, seed: u64) -> Sample {
        Sample::of(&format!("kind = 'gamma'\ncv = {cv}"), 40.0, 50_000, seed)
    }

    #[test]
    fn gaps_have_the_mean_and_the_variation_asked_for() {
        for cv in [0.5, 2.0] {
            assert_near("mean gap", estimate(20, |seed| sample(cv, seed).mean_gap_s()), 0.025, 0.01);
            assert_near("gap CV", estimate(20, |seed| sample(cv, seed).gap_cv()), cv, 0.01);
            // The next term of Var N(t) / E N(t) is below 1 % at 500 mean gaps.
            let long = estimate(20, |seed| sample(cv, seed).dispersion(500.0 * 0.025));
            assert_near("dispersion", long, cv * cv, 0.05);
        }
    }

    #[test]
    fn gaps_are_gamma_distributed() {
        for cv in [0.5, 2.0] {
            let law = Gamma::new(1.0 / (cv * cv), 40.0 / (cv * cv)).expect("valid");
            let gaps_s = sample(cv, 3).gaps_s();
            let distance = ks_distance(&gaps_s, |gap_s| law.cdf(gap_s));
            assert!(distance < KS_CRITICAL / (gaps_s.len() as f64).sqrt(), "cv {cv}: {distance}");
        }
    }
}
