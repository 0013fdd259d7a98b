//! The exponential function with the same bits on every machine: additions and multiplications only, which IEEE 754
//! rounds one way, where the `exp` of a system's library differs in its last digit from one library to the next. (The
//! nets of policies have a faster one of `f32` in `policy::dense`.)

/// e^x with a relative error below 1e-15; zero below -708, where the exact value is below the smallest normal number, and
/// infinite above 709.
///
/// x = k ln 2 + r with |r| <= (ln 2) / 2: 2^k is an exponent's bits, and e^r its series. ln 2 is taken in two parts, of
/// which k times the first is exact (Cody and Waite, Software Manual for the Elementary Functions, 1980); the parts are
/// those of FreeBSD's e_exp.c.
pub fn exp(x: f64) -> f64 {
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    /// A number whose addition leaves the nearest whole number in the last bits.
    const ROUND: f64 = 1.5 * (1u64 << 52) as f64;
    /// The series ends where the next term is below 1e-17: (ln 2 / 2)^15 / 15! = 1e-19.
    const TERMS: u32 = 14;
    if x < -708.0 {
        return 0.0;
    }
    if x > 709.0 {
        return f64::INFINITY;
    }
    let k = (x * std::f64::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    // Horner's rule over 1 + r (1 + r/2 (1 + r/3 (...))).
    let series = (1..=TERMS).rev().fold(1.0, |tail, n| 1.0 + r / f64::from(n) * tail);
    // The exponents of 2^k, which lie within -1022..=1023; NaN ends up in `series`.
    series * f64::from_bits(((k as i64 + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::exp;

    #[test]
    fn it_is_as_exact_as_it_says() {
        for i in -70_800..=70_900 {
            let x = f64::from(i) * 1e-2;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-15, "exp({x}): {} for {}", exp(x), x.exp());
        }
        for i in -20_000..=20_000 {
            let x = f64::from(i) * 1e-4;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-15, "exp({x})");
        }
    }

    /// e, 1/e, the square root of e, and e^10.
    #[test]
    fn known_values_come_out() {
        assert_eq!(exp(0.0), 1.0);
        assert!((exp(1.0) - std::f64::consts::E).abs() < 1e-15);
        assert!((exp(-1.0) - 0.367_879_441_171_442_3).abs() < 1e-16);
        assert!((exp(0.5) - 1.648_721_270_700_128_2).abs() < 3e-16);
        assert!((exp(10.0) - 22_026.465_794_806_718).abs() < 1e-11);
    }

    #[test]
    fn the_ends_are_zero_infinite_and_nan() {
        assert_eq!([exp(-709.0), exp(f64::NEG_INFINITY)], [0.0, 0.0]);
        assert_eq!([exp(710.0), exp(f64::INFINITY)], [f64::INFINITY; 2]);
        assert!(exp(-708.0) > 0.0 && exp(709.0).is_finite() && exp(f64::NAN).is_nan());
    }
}
