//! The key `utility` of a scenario file.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{AccuracyTerm, Combine, DelayTerm, Utility};
use crate::files::{InputError, Microseconds, MicrosecondsOrZero, Share, Source, Spanned};
use crate::units::Time;

/// The key `utility` as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::workload) struct RawUtility {
    /// How the delay of an answer counts; `{ kind = "deadline" }` if left out.
    delay: Option<Spanned<RawDelay>>,
    /// How its accuracy counts.
    #[serde(default)]
    accuracy: AccuracyTerm,
    /// How the two make one number; `product` if left out.
    combine: Option<Spanned<RawCombine>>,
    /// For `combine = "weighted"`: the weight of the accuracy; the delay has the rest.
    weight: Option<Spanned<Share>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RawCombine {
    /// Accuracy times delay.
    Product,
    /// Their mean by `weight`.
    Weighted,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawDelay {
    /// The form of the curve.
    kind: Spanned<DelayKind>,
    /// Of `linear` and `exponential`: the largest delay that counts fully.
    full_us: Option<Spanned<MicrosecondsOrZero>>,
    /// Of `linear`: the smallest delay that counts nothing.
    zero_us: Option<Spanned<Microseconds>>,
    /// Of `exponential`: the time in which the worth falls to 1/e.
    tau_us: Option<Spanned<Microseconds>>,
    /// Of `sigmoid`: the delay that counts one half.
    mid_us: Option<Spanned<MicrosecondsOrZero>>,
    /// Of `sigmoid`: how far from `mid_us` the worth is 1 / (1 + e).
    width_us: Option<Spanned<Microseconds>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DelayKind {
    /// 1 in time, else 0.
    Deadline,
    /// 1 up to `full_us`, then down along a line to 0 at `zero_us`.
    Linear,
    /// 1 up to `full_us`, then e^(-(delay - full_us) / tau_us).
    Exponential,
    /// 1 / (1 + e^((delay - mid_us) / width_us)).
    Sigmoid,
}

impl RawUtility {
    /// Checks what the types alone do not.
    pub(in crate::workload) fn check(&self, source: &Source) -> Result<Utility, InputError> {
        Ok(Utility {
            accuracy: self.accuracy,
            delay: self.delay.as_ref().map_or(Ok(DelayTerm::default()), |delay| delay_term(delay, source))?,
            combine: self.combine(source)?,
        })
    }

    fn combine(&self, source: &Source) -> Result<Combine, InputError> {
        match (&self.combine, &self.weight) {
            (Some(how), Some(weight)) if *how.get_ref() == RawCombine::Weighted => {
                Ok(Combine::Weighted(weight.get_ref().0))
            }
            (Some(how), None) if *how.get_ref() == RawCombine::Weighted => {
                let message =
                    "`combine = \"weighted\"` needs the `weight` of the accuracy: a number from 0 to 1";
                Err(source.error(&how.span(), message))
            }
            (_, Some(weight)) => {
                Err(source.error(&weight.span(), "`weight` has no meaning without `combine = \"weighted\"`"))
            }
            (_, None) => Ok(Combine::Product),
        }
    }
}

fn delay_term(raw: &Spanned<RawDelay>, source: &Source) -> Result<DelayTerm, InputError> {
    let RawDelay { kind, full_us, zero_us, tau_us, mid_us, width_us } = raw.get_ref();
    let own: &[&str] = match kind.get_ref() {
        DelayKind::Deadline => &[],
        DelayKind::Linear => &["full_us", "zero_us"],
        DelayKind::Exponential => &["full_us", "tau_us"],
        DelayKind::Sigmoid => &["mid_us", "width_us"],
    };
    let places = [
        ("full_us", full_us.as_ref().map(Spanned::span)),
        ("zero_us", zero_us.as_ref().map(Spanned::span)),
        ("tau_us", tau_us.as_ref().map(Spanned::span)),
        ("mid_us", mid_us.as_ref().map(Spanned::span)),
        ("width_us", width_us.as_ref().map(Spanned::span)),
    ];
    let name = format!("{:?}", kind.get_ref()).to_lowercase();
    for (key, place) in places {
        match (own.contains(&key), place) {
            (true, None) => {
                return Err(source.error(&raw.span(), format!("a delay of kind `{name}` needs `{key}`")));
            }
            (false, Some(place)) => {
                let keys = if own.is_empty() { "no key".into() } else { own.join(" and ") };
                let message = format!("`{key}` has no meaning here: `{name}` takes {keys}");
                return Err(source.error(&place, message));
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    let or_zero = |key: &Option<Spanned<MicrosecondsOrZero>>| {
        Time::from_us(key.as_ref().expect("it was looked for above").get_ref().0)
    };
    let above_zero = |key: &Option<Spanned<Microseconds>>| {
        Time::from_us(key.as_ref().expect("it was looked for above").get_ref().0)
    };
    Ok(match kind.get_ref() {
        DelayKind::Deadline => DelayTerm::Deadline,
        DelayKind::Linear => {
            let (full, zero) = (or_zero(full_us), above_zero(zero_us));
            if full >= zero {
                let message = format!(
                    "`zero_us` is {}: expected more than `full_us`, which is {}",
                    zero.as_us(),
                    full.as_us()
                );
                return Err(source.error(&zero_us.as_ref().expect("it was looked for above").span(), message));
            }
            DelayTerm::Linear { full, zero }
        }
        DelayKind::Exponential => DelayTerm::Exponential { full: or_zero(full_us), tau: above_zero(tau_us) },
        DelayKind::Sigmoid => DelayTerm::Sigmoid { mid: or_zero(mid_us), width: above_zero(width_us) },
    })
}
