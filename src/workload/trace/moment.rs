//! Times of a trace in picoseconds: decimal seconds, and dates with or without an offset from UTC.

use jiff::Timestamp;
use jiff::civil::{DateTime, date};

const PS_PER_S: i128 = 1_000_000_000_000;

/// The finest decimal of a second that is read; finer digits are cut.
const DIGITS: usize = 12;

/// The largest offset from UTC in hours. Our choice, because time zones reach only 14 (java.time has the same limit).
const MAX_OFFSET_H: u8 = 18;

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) ps: i128,
    /// Whether the time has an offset from UTC.
    pub(super) is_zoned: bool,
}

/// Reads decimal seconds, exactly if they are written without an exponent.
pub(super) fn seconds(text: &str) -> Result<Moment, String> {
    let wrong = || format!("`{text}` is not a time: expected seconds from 0 on");
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if is_digits(whole) && is_digits(fraction) && !whole.is_empty() {
        let whole: i128 = whole.parse::<u64>().map_err(|_| wrong())?.into();
        return Ok(Moment { ps: whole * PS_PER_S + fraction_ps(fraction), is_zoned: false });
    }
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    // Times above the clock's end saturate and are refused with it.
    let is_time = seconds >= 0.0 && seconds.is_finite();
    is_time.then_some(Moment { ps: (seconds * PS_PER_S as f64) as i128, is_zoned: false }).ok_or_else(wrong)
}

/// A date with a time of day, and an offset from UTC (`+02:00`, `-0530`, `+02`, `Z`, `UTC`) or none.
pub(super) fn date_time(text: &str) -> Result<Moment, String> {
    let wrong =
        || format!("`{text}` is not a date: expected one like 2023-11-16 18:17:03.9799600, or with +02:00");
    let (whole, fraction, zone) = parts(text);
    let whole_s = if zone.is_empty() {
        let civil: DateTime = whole.parse().map_err(|_| wrong())?;
        civil.duration_since(date(1970, 1, 1).at(0, 0, 0, 0)).as_secs()
    } else {
        let zone = if ["UTC", "GMT"].contains(&zone) { "Z" } else { zone };
        let hours = zone.get(1..3).and_then(|hours| hours.parse::<u8>().ok());
        if hours.is_some_and(|hours| hours > MAX_OFFSET_H) {
            return Err(format!("`{text}`: no place is more than {MAX_OFFSET_H} hours from UTC"));
        }
        let zoned: Timestamp = format!("{whole}{zone}").parse().map_err(|_| wrong())?;
        zoned.as_second()
    };
    let ps = i128::from(whole_s) * PS_PER_S + fraction_ps(fraction);
    Ok(Moment { ps, is_zoned: !zone.is_empty() })
}

/// Date and time to the second, the digits after it, and the offset. The library reads nine digits only.
fn parts(text: &str) -> (&str, &str, &str) {
    // Behind the date, in which a minus is a hyphen.
    let time = text.find([' ', 'T', 't']).map_or(text.len(), |place| place + 1);
    let zone = text[time..]
        .find(['+', '-', '\u{2212}', 'Z', 'z', 'U', 'G'])
        .map_or(text.len(), |place| time + place);
    let (moment, zone) = (text[..zone].trim_end(), &text[zone..]);
    match moment.split_once(['.', ',']) {
        Some((whole, fraction)) if fraction.bytes().all(|byte| byte.is_ascii_digit()) => {
            (whole, fraction, zone)
        }
        _ => (moment, "", zone),
    }
}

/// Decimals of a second.
fn fraction_ps(digits: &str) -> i128 {
    let cut = &digits[..digits.len().min(DIGITS)];
    format!("{cut:0<DIGITS$}").parse().expect("twelve digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ps(text: &str) -> i128 {
        date_time(text).unwrap().ps
    }

    #[test]
    fn offsets_from_utc_are_honoured() {
        let noon = ps("2024-05-10 12:00:00Z");
        for text in [
            "2024-05-10T12:00:00z",
            "2024-05-10t12:00:00.000Z",
            "2024-05-10 14:00:00+02:00",
            "2024-05-10 14:00:00+0200",
            "2024-05-10T14:00:00.0+02",
            "2024-05-10 14:00:00 +02:00",
            "2024-05-10 06:30:00-0530",
            "2024-05-10 06:30:00.000000000000000-05:30",
            "2024-05-11 02:00:00+14:00",
            "2024-05-09 23:00:00-13",
            "2024-05-10 12:00:00 UTC",
            "2024-05-10T12:00+00:00",
        ] {
            assert_eq!(date_time(text), Ok(Moment { ps: noon, is_zoned: true }), "{text}");
        }
        assert_eq!(date_time("2024-05-10 12:00:00"), Ok(Moment { ps: noon, is_zoned: false }));
    }

    #[test]
    fn fractions_have_any_number_of_digits() {
        let base = ps("2024-05-10 00:00:00Z");
        for (fraction, expected) in [
            ("5", 500_000_000_000),
            ("009930", 9_930_000_000),
            ("9799600", 979_960_000_000),
            ("123456789012", 123_456_789_012),
            ("1234567890129999", 123_456_789_012),
        ] {
            assert_eq!(ps(&format!("2024-05-10 00:00:00.{fraction}+00:00")) - base, expected, "{fraction}");
            assert_eq!(ps(&format!("2024-05-10T00:00:00.{fraction}")) - base, expected, "{fraction}");
        }
        assert_eq!(seconds("1.5").unwrap().ps, 1_500_000_000_000);
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "later",
            "2024-05-10 00:00:00+99:00",
            "2024-05-10 00:00:00+25:00",
            "2024-05-10 00:00:00-1900",
            "2024-05-10 25:00:00",
            "2024-02-30 00:00:00Z",
            "12:00",
            "2024-05-10 00:00:00.5.5",
            "2024-05-10 00:00:00 Z Z",
            "1715299200",
        ] {
            assert!(date_time(text).is_err(), "{text}");
        }
    }
}
