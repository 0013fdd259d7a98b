//! What an answer is worth: its quality, from 0 to 1, by the time that it took and the accuracy of the network that gave
//! it.
//!
//! ```toml
//! utility = { delay = { kind = "linear", full_us = 10_000, zero_us = 50_000 }, accuracy = "relative" }
//! ```
//! With d the time from arrival to answer, D the time from arrival to the deadline, A the accuracy of the network that
//! answered, and A_min and A_max the least and the largest accuracy of the tenant's model:
//!
//! | key | value | f or g |
//! |---|---|---|
//! | `delay` | `{ kind = "deadline" }` | f = 1 if d <= D, else 0 |
//! | | `{ kind = "linear", full_us, zero_us }` | f = (zero - d) / (zero - full), within 0 and 1 |
//! | | `{ kind = "exponential", full_us, tau_us }` | f = e^(-(d - full) / tau), at most 1 |
//! | | `{ kind = "sigmoid", mid_us, width_us }` | f = 1 / (1 + e^((d - mid) / width)) |
//! | `accuracy` | `"absolute"` | g = A |
//! | | `"relative"` | g = A / A_max |
//! | | `"range"` | g = (A - A_min) / (A_max - A_min); 1 where all are equal |
//! | `combine` | `"product"` | Q = g f |
//! | | `"weighted"`, with `weight` w | Q = w g + (1 - w) f |
//!
//! What is left out is `deadline`, `absolute` and `product`. A request that is dropped has the quality 0, and one for a
//! network without a model the accuracy 1. Fang et al. (2017) and Chen (2020) judge answers by such a quality of delay and
//! accuracy, but publish no formula that we could read: these are ours.

mod read;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::exp::exp;
use crate::units::Time;

pub(super) use read::RawUtility;

/// How delay and accuracy make the quality of an answer. The default counts an answer in time by its accuracy.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Utility {
    /// g: how accuracy counts.
    pub accuracy: AccuracyTerm,
    /// f: how delay counts.
    pub delay: DelayTerm,
    /// How the two make one number.
    pub combine: Combine,
}

/// How the accuracy of an answer counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccuracyTerm {
    /// As it is.
    #[default]
    Absolute,
    /// Relative to the most accurate variant of the model.
    Relative,
    /// From 0 for the least accurate variant of the model to 1 for the most accurate one.
    Range,
}

/// How the delay of an answer counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum DelayTerm {
    /// In time or not.
    #[default]
    Deadline,
    /// Full up to a delay, then down along a line to zero.
    Linear {
        /// The largest delay that counts fully.
        full: Time,
        /// The smallest delay that counts nothing; longer than `full`.
        zero: Time,
    },
    /// Full up to a delay, then decaying.
    Exponential {
        /// The largest delay that counts fully.
        full: Time,
        /// The time in which the worth falls to 1/e; not zero.
        tau: Time,
    },
    /// A soft step.
    Sigmoid {
        /// The delay that counts one half.
        mid: Time,
        /// The delay beside `mid` at which the worth is 1 / (1 + e) or e / (1 + e); not zero.
        width: Time,
    },
}

/// How the terms of accuracy and delay make a quality.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Combine {
    /// Their product: an answer that comes too late is worth nothing, however accurate.
    #[default]
    Product,
    /// Their mean, with this weight, from 0 to 1, of the accuracy.
    Weighted(f64),
}

/// The least and the largest accuracy of the variants of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AccuracyRange {
    /// The least.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Default for AccuracyRange {
    fn default() -> Self {
        Self::ONE
    }
}

impl AccuracyRange {
    /// That of a network without a model.
    pub const ONE: Self = Self { min: 1.0, max: 1.0 };
}

impl Utility {
    /// The quality of an answer, from 0 to 1: `delay` after the arrival, where `within` after the arrival was the
    /// deadline, by a network of this accuracy, one of a model whose accuracies are `of_model`.
    pub fn quality(&self, delay: Time, within: Time, accuracy: f64, of_model: AccuracyRange) -> f64 {
        let g = self.accuracy.worth(accuracy, of_model);
        let f = self.delay.worth(delay, within);
        match self.combine {
            Combine::Product => g * f,
            Combine::Weighted(weight) => weight * g + (1.0 - weight) * f,
        }
    }
}

impl AccuracyTerm {
    /// g of an accuracy within those of its model.
    pub fn worth(self, accuracy: f64, of_model: AccuracyRange) -> f64 {
        match self {
            Self::Absolute => accuracy,
            Self::Relative => accuracy / of_model.max,
            Self::Range if of_model.min == of_model.max => 1.0,
            Self::Range => (accuracy - of_model.min) / (of_model.max - of_model.min),
        }
    }
}

impl DelayTerm {
    /// f of a delay, where the deadline was `within` after the arrival.
    pub fn worth(self, delay: Time, within: Time) -> f64 {
        /// a - b, which may be negative.
        fn difference(a: Time, b: Time) -> f64 {
            a.as_ps() - b.as_ps()
        }
        match self {
            Self::Deadline => f64::from(u8::from(delay <= within)),
            Self::Linear { full, zero } => (difference(zero, delay) / difference(zero, full)).clamp(0.0, 1.0),
            Self::Exponential { full, tau } => exp(-difference(delay, full) / tau.as_ps()).min(1.0),
            Self::Sigmoid { mid, width } => 1.0 / (1.0 + exp(difference(delay, mid) / width.as_ps())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us(us: f64) -> Time {
        Time::from_us(us)
    }

    const MODEL: AccuracyRange = AccuracyRange { min: 0.6, max: 0.8 };

    #[test]
    fn delays_count_as_computed_by_hand() {
        let f = |term: DelayTerm, delay_us: f64| term.worth(us(delay_us), us(20.0));
        let linear = DelayTerm::Linear { full: us(10.0), zero: us(50.0) };
        let exponential = DelayTerm::Exponential { full: us(10.0), tau: us(20.0) };
        let sigmoid = DelayTerm::Sigmoid { mid: us(30.0), width: us(5.0) };
        for (term, delay_us, expected) in [
            (DelayTerm::Deadline, 0.0, 1.0),
            (DelayTerm::Deadline, 20.0, 1.0),
            (DelayTerm::Deadline, 20.000_001, 0.0),
            (linear, 0.0, 1.0),
            (linear, 10.0, 1.0),
            (linear, 20.0, 0.75),
            (linear, 40.0, 0.25),
            (linear, 50.0, 0.0),
            (linear, 1e6, 0.0),
            (exponential, 0.0, 1.0),
            (exponential, 10.0, 1.0),
            // e^-0.5, e^-1 and e^-2.
            (exponential, 20.0, 0.606_530_659_712_633_4),
            (exponential, 30.0, 0.367_879_441_171_442_33),
            (exponential, 50.0, 0.135_335_283_236_612_7),
            (sigmoid, 30.0, 0.5),
            // 1 / (1 + e), e / (1 + e) and 1 / (1 + e^-6).
            (sigmoid, 35.0, 0.268_941_421_369_995_1),
            (sigmoid, 25.0, 0.731_058_578_630_004_9),
            (sigmoid, 0.0, 0.997_527_376_843_365_2),
            (sigmoid, 1e7, 0.0),
        ] {
            let found = f(term, delay_us);
            assert!((found - expected).abs() < 1e-15, "{term:?} at {delay_us} us: {found} for {expected}");
        }
    }

    #[test]
    fn accuracies_count_as_computed_by_hand() {
        for (term, accuracy, expected) in [
            (AccuracyTerm::Absolute, 0.7, 0.7),
            (AccuracyTerm::Relative, 0.6, 0.75),
            (AccuracyTerm::Relative, 0.8, 1.0),
            (AccuracyTerm::Range, 0.6, 0.0),
            (AccuracyTerm::Range, 0.65, 0.25),
            (AccuracyTerm::Range, 0.8, 1.0),
        ] {
            let found = term.worth(accuracy, MODEL);
            assert!((found - expected).abs() < 1e-12, "{term:?} of {accuracy}: {found} for {expected}");
        }
        let only = AccuracyRange { min: 0.7, max: 0.7 };
        assert_eq!(AccuracyTerm::Range.worth(0.7, only), 1.0);
        for term in [AccuracyTerm::Absolute, AccuracyTerm::Relative, AccuracyTerm::Range] {
            assert_eq!(term.worth(1.0, AccuracyRange::ONE), 1.0);
        }
    }

    /// A = 0.7 of 0.6 to 0.8 after 20 of 10 to 50 us: g = 0.875 (relative) and f = 0.75.
    #[test]
    fn qualities_are_products_or_means() {
        let utility = |combine| Utility {
            accuracy: AccuracyTerm::Relative,
            delay: DelayTerm::Linear { full: us(10.0), zero: us(50.0) },
            combine,
        };
        for (combine, expected) in [
            (Combine::Product, 0.656_25),
            (Combine::Weighted(0.0), 0.75),
            (Combine::Weighted(0.2), 0.775),
            (Combine::Weighted(1.0), 0.875),
        ] {
            let found = utility(combine).quality(us(20.0), us(1.0), 0.7, MODEL);
            assert!((found - expected).abs() < 1e-12, "{combine:?}: {found} for {expected}");
        }
        let default = Utility::default();
        assert_eq!(default.quality(us(5.0), us(5.0), 0.7, MODEL), 0.7);
        assert_eq!(default.quality(us(5.1), us(5.0), 0.7, MODEL), 0.0);
    }
}
