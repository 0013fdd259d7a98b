//! Physical units as newtypes, so that a cycle count is never added to a byte count.
//!
//! Time is an integer number of picoseconds: exact, totally ordered, and wide enough for 213 days in a `u64`.
//! Work and energy that accumulate fractions are `f64`. There is no logic here beyond unit arithmetic.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub, SubAssign};

/// A point in simulated time, or a duration, in picoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

/// Clock cycles of one accelerator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cycles(pub u64);

/// Bytes moved or stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

/// Multiply-accumulate operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Macs(pub u64);

/// Energy in picojoules.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Picojoules(pub f64);

macro_rules! additive {
    ($($unit:ident),*) => {$(
        impl Add for $unit {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl Sub for $unit {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl AddAssign for $unit {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }
        impl SubAssign for $unit {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }
        impl Sum for $unit {
            fn sum<I: Iterator<Item = Self>>(units: I) -> Self {
                units.fold(Self::default(), Add::add)
            }
        }
    )*};
}
additive!(Time, Cycles, Bytes, Macs, Picojoules);

impl Mul<f64> for Picojoules {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self(self.0 * factor)
    }
}

impl Time {
    /// The start of every simulation.
    pub const ZERO: Self = Self(0);
    /// Later than every event.
    pub const MAX: Self = Self(u64::MAX);

    /// 2^62: below it, a time fits a signed integer.
    const SIGNED: f64 = (1u64 << 62) as f64;

    /// Picoseconds rounded up, so that an end never comes before the work is done. A value that exceeds an integer only
    /// by the rounding noise of `f64` (relative 1e-12, a thousandth of what the engine tolerates) is not rounded up. A
    /// time beyond the clock is [`Time::MAX`].
    #[inline]
    pub fn from_ps_ceil(ps: f64) -> Self {
        // `ceil` is a library call on the x86-64 baseline.
        let ps = ps * (1.0 - 1e-12);
        // So are conversions of `u64`, in effect.
        if (0.0..Self::SIGNED).contains(&ps) {
            let floor = ps as i64;
            return Self((floor + i64::from((floor as f64) < ps)) as u64);
        }
        let floor = ps as u64;
        Self(floor.saturating_add(u64::from((floor as f64) < ps)))
    }

    /// Microseconds, rounded to the nearest picosecond.
    pub fn from_us(us: f64) -> Self {
        Self((us * 1e6).round() as u64)
    }

    /// Seconds, rounded to the nearest picosecond.
    pub fn from_s(s: f64) -> Self {
        Self((s * 1e12).round() as u64)
    }

    /// This time in picoseconds as `f64`, for arithmetic with fractions.
    pub fn as_ps(self) -> f64 {
        self.0 as f64
    }

    /// This time in microseconds.
    pub fn as_us(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// This time in seconds.
    pub fn as_s(self) -> f64 {
        self.0 as f64 / 1e12
    }

    /// `self + other`, or [`Time::MAX`] if the sum does not fit the clock.
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// `self - other`, or zero if `other` is later.
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// This duration times a non-negative factor, rounded to the nearest picosecond.
    pub fn scale(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_round_up_and_conversions_round_to_nearest() {
        assert_eq!(Time::from_ps_ceil(10.000001), Time(11));
        assert_eq!(Time::from_ps_ceil(10_000.0 / (10.0 / 3.0 / 4.0)), Time(12_000));
        assert_eq!(Time::from_ps_ceil(1e30), Time::MAX);
        assert_eq!(Time::from_us(0.1), Time(100_000));
        assert_eq!(Time(1_500_000).as_us(), 1.5);
        assert_eq!(Time(3).saturating_sub(Time(5)), Time::ZERO);
    }
}
