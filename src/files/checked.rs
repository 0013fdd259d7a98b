//! Numbers with a range, as read from TOML and from the command line, and as described to editors.
//!
//! Ranges keep times within the 64-bit clock and sums finite. Ranges that do not follow from physics are our choice,
//! because they are far wider than any use.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

use super::schema;

/// Reads a number and checks its range, so that the error carries the line of the value.
struct Checked {
    allowed: &'static str,
    ok: fn(f64) -> bool,
}

impl Visitor<'_> for Checked {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}, in the unit that the key ends with", self.allowed)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<f64, E> {
        match (self.ok)(value) {
            true => Ok(value),
            false => Err(E::custom(format!("{value} is not allowed here: expected {}", self.allowed))),
        }
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<f64, E> {
        self.visit_f64(value as f64)
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<f64, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<f64, E> {
        self.visit_f64(value as f64)
    }
}

/// Reads a plain number through a type with a range, as the `deserialize_with` of a field.
pub fn within<'de, D: Deserializer<'de>, Range: Deserialize<'de> + Into<T>, T>(d: D) -> Result<T, D::Error> {
    Range::deserialize(d).map(Into::into)
}

macro_rules! checked_number {
    ($(#[$doc:meta])* $name:ident, $allowed:literal, $ok:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize)]
        pub struct $name(pub f64);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                d.deserialize_f64(Checked { allowed: $allowed, ok: $ok }).map(Self)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                schema::number($allowed, $ok)
            }
        }

        impl From<$name> for f64 {
            fn from(number: $name) -> Self {
                number.0
            }
        }

        /// Parses the value of a command-line option.
        impl FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let ok: fn(f64) -> bool = $ok;
                text.parse().ok().filter(|&value| ok(value)).map(Self).ok_or(concat!("expected ", $allowed))
            }
        }
    };
}
checked_number!(
    /// A number above zero.
    Positive, "a number from 1e-9 to 1e12", |v| (1e-9..=1e12).contains(&v)
);
checked_number!(
    /// A number, zero included.
    #[derive(Default)]
    NonNegative, "a number from 0 to 1e12", |v| (0.0..=1e12).contains(&v)
);
checked_number!(
    /// A share of a whole, zero excluded.
    Fraction, "a number from 1e-6 to 1", |v| (1e-6..=1.0).contains(&v)
);
checked_number!(
    /// A share of a whole, zero included.
    Share, "a number from 0 to 1", |v| (0.0..=1.0).contains(&v)
);
checked_number!(
    /// A price of energy: what the least energy of a mean request costs in deadlines met. The range is our choice, because
    /// not even the least energy is worth a deadline long before its end.
    #[derive(Default)]
    Price, "a number from 0 to 10", |v| (0.0..=10.0).contains(&v)
);
checked_number!(
    /// A coefficient of variation. The range is our choice, because execution times that vary tenfold are beyond any
    /// measurement of DNNs.
    Variability, "a number from 0 to 10", |v| (0.0..=10.0).contains(&v)
);
checked_number!(
    /// A relative frequency. The range is our choice, because every sum stays finite and no
    /// share falls below what a run could show.
    Weight, "a weight from 1e-6 to 1e6", |v| (1e-6..=1e6).contains(&v)
);
checked_number!(
    /// A bandwidth in GB/s. The floor is our choice, because times stay within the 64-bit clock.
    Gbps, "a number from 0.001 to 1e9, or inf", |v| (0.001..=1e9).contains(&v) || v == f64::INFINITY
);
checked_number!(
    /// A duration in microseconds. The range is our choice, because no use needs less than 10 ns or more than 1,000 s.
    Microseconds, "a number from 0.01 to 1e9", |v| (0.01..=1e9).contains(&v)
);
checked_number!(
    /// A duration in microseconds that `inf` turns off.
    MicrosecondsOrInf, "a number from 0.01 to 1e9, or inf", |v| (0.01..=1e9).contains(&v) || v == f64::INFINITY
);
checked_number!(
    /// A latency in microseconds, zero included.
    #[derive(Default)]
    MicrosecondsOrZero, "a number from 0 to 1e9", |v| (0.0..=1e9).contains(&v)
);
checked_number!(
    /// A load relative to lambda*. The range is our choice, because it is wider than any experiment's.
    Load, "a number from 0.001 to 1000", |v| (0.001..=1e3).contains(&v)
);
checked_number!(
    /// A rate or frequency per second. The range is our choice, because it is far wider than any arrival process's.
    PerSecond, "a number from 1e-6 to 1e9", |v| (1e-6..=1e9).contains(&v)
);
checked_number!(
    /// A rate per second that may be zero.
    PerSecondOrZero, "0, or a number from 1e-6 to 1e9", |v| v == 0.0 || (1e-6..=1e9).contains(&v)
);
checked_number!(
    /// An amplitude or a standard deviation in the logarithm of a rate. The range is our choice, because a rate of
    /// 20 times its mean or a twentieth is beyond any recording's.
    LogSwing, "a number from 0 to 3", |v| (0.0..=3.0).contains(&v)
);
checked_number!(
    /// A duration in seconds. The range is our choice, because no simulation lasts longer, and none less than a
    /// microsecond.
    Seconds, "a number from 1e-6 to 1e6", |v| (1e-6..=1e6).contains(&v)
);
checked_number!(
    /// A relative frequency that may be zero.
    WeightOrZero, "0, or a weight from 1e-6 to 1e6", |v| v == 0.0 || (1e-6..=1e6).contains(&v)
);
checked_number!(
    /// A time relative to the mean gap of arrivals. The range is our choice, because at its ends jumps
    /// outnumber requests a thousand times, and no run sees one.
    MeanGaps, "a number from 1e-3 to 1e9", |v| (1e-3..=1e9).contains(&v)
);
checked_number!(
    /// A speed-up of a recording. The range is our choice, because at its end a day becomes less than a millisecond.
    Factor, "a number from 1e-9 to 1e9", |v| (1e-9..=1e9).contains(&v)
);
checked_number!(
    /// A coefficient of variation. The range is our choice, because beyond it all gaps would be equal or nearly all
    /// zero.
    Variation, "a number from 0.01 to 100", |v| (0.01..=1e2).contains(&v)
);
checked_number!(
    /// A bandwidth of a network in gigabits per second. The range is our choice, because it is wider than any link's, and
    /// times stay within the 64-bit clock.
    GigabitsPerSecond, "a number from 1e-6 to 1e9, or inf", |v| (1e-6..=1e9).contains(&v) || v == f64::INFINITY
);
checked_number!(
    /// A speed of signals in kilometres per millisecond. Light in vacuum has 299.8; the least is our choice, because no
    /// medium is slower.
    KmPerMs, "a number from 1 to 300", |v| (1.0..=300.0).contains(&v)
);
checked_number!(
    /// Degrees north.
    Latitude, "a number from -90 to 90", |v| (-90.0..=90.0).contains(&v)
);
checked_number!(
    /// Degrees east.
    Longitude, "a number from -180 to 180", |v| (-180.0..=180.0).contains(&v)
);
checked_number!(
    /// A number of jobs in service, which `inf` does not limit. The largest is our choice, because it limits nothing.
    Slots, "a whole number from 1 to 1000000, or inf",
    |v| v == f64::INFINITY || (1.0..=1e6).contains(&v) && v.fract() == 0.0
);
checked_number!(
    /// A clock in MHz, from 1 kHz to 100 GHz.
    Megahertz, "a number from 0.001 to 1e5", |v| (0.001..=1e5).contains(&v)
);
checked_number!(
    /// A learning rate or a standard deviation of weights. The range is our choice, because weights stay within `f32`
    /// during training.
    Stride, "a number from 1e-9 to 1e6", |v| (1e-9..=1e6).contains(&v)
);
checked_number!(
    /// A number of candidates in pairs, up to three hundred times the default. Our choice, because more is a typing
    /// error.
    Pairs, "an even number from 2 to 10000", |v| (2.0..=1e4).contains(&v) && v % 2.0 == 0.0
);

impl From<Stride> for f32 {
    fn from(stride: Stride) -> Self {
        stride.0 as Self
    }
}

impl From<Pairs> for usize {
    fn from(pairs: Pairs) -> Self {
        pairs.0 as Self
    }
}

macro_rules! checked_whole {
    ($(#[$doc:meta])* $name:ident, $allowed:literal, $range:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        pub struct $name(pub u64);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let ok = |v: f64| v.fract() == 0.0 && ($range).contains(&(v as u64)) && v >= 0.0;
                d.deserialize_i64(Checked { allowed: $allowed, ok }).map(|v| Self(v as u64))
            }
        }

        impl From<$name> for u64 {
            fn from(number: $name) -> Self {
                number.0
            }
        }

        impl From<$name> for usize {
            fn from(number: $name) -> Self {
                number.0 as Self
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                u64::json_schema(generator)
            }
        }
    };
}
checked_whole!(
    /// A number of cycles or words.
    #[derive(Default)]
    Count, "a whole number from 0 to 1e12", 0..=1_000_000_000_000
);
checked_whole!(
    /// The width of a memory.
    Bits, "a whole number from 1 to 4096", 1..=4096
);
checked_whole!(
    /// A dimension of a layer, or a stride.
    Size, "a whole number from 1 to 4294967295", 1..=4_294_967_295
);
checked_whole!(
    /// A batch size: the number of requests that are executed as one.
    Batch, "a whole number from 1 to 1024", 1..=1_024
);
checked_whole!(
    /// A number of instances along one axis of a fan-out. Our choice, because it is a thousand times the shipped
    /// arrays, and products stay far from overflow.
    Instances, "a whole number from 1 to 1048576", 1..=1_048_576
);
checked_whole!(
    /// A number of seeds. The limit is our choice, because more is a typing error.
    Seeds, "a whole number from 1 to 100000", 1..=100_000
);
checked_whole!(
    /// A seed. Above 2^53 it would not be exact in readers that take all numbers for `f64`.
    Seed, "a whole number from 0 to 9007199254740992", 0..=9_007_199_254_740_992
);
checked_whole!(
    /// A number of requests of a run (at most [`crate::workload::MAX_REQUESTS`]).
    Requests, "a whole number from 1 to 10000000", 1..=10_000_000
);
checked_whole!(
    /// A number of requests beside the measured ones of a run, zero included.
    RequestsOrNone, "a whole number from 0 to 10000000", 0..=10_000_000
);
checked_whole!(
    /// A number of traces, runs or seeds of a training, up to a hundred times the default. Our choice, because more is
    /// a typing error.
    Draws, "a whole number from 1 to 1000", 1..=1_000
);
checked_whole!(
    /// A number of training steps. A larger one would not be exact in a checkpoint, whose numbers are `f32`.
    Steps, "a whole number from 1 to 16777216", 1..=1 << 24
);
checked_whole!(
    /// A number of hidden units, or of sub-jobs that a net sees. The limit is our choice, because the number of weights
    /// grows with its square, and a checkpoint has to fit 2 GiB.
    Width, "a whole number from 1 to 1024", 1..=1_024
);
checked_whole!(
    /// A batch size of a training update, in decisions. The limit is our choice, because all of them are in memory with
    /// everything that a gradient needs.
    Sample, "a whole number from 1 to 65536", 1..=65_536
);
checked_whole!(
    /// A number of decisions, of a run or in the replay buffer. The limit is our choice, because twenty times the
    /// default is more than any use.
    Decisions, "a whole number from 1 to 1000000", 1..=1_000_000
);
checked_whole!(
    /// Critics that learn side by side: one, or twins.
    Critics, "1 or 2", 1..=2
);
checked_whole!(
    /// Spells of a request's life with noise of their own. The limit is our choice, because noise that is held shorter
    /// teaches nothing.
    Spells, "a whole number from 1 to 100", 1..=100
);
