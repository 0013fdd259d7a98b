//! Numbers in CSV files, as people and pandas write them: `100`, `100.0`, `1e3`, `1.0e+05`; a missing value is an empty
//! field or `NaN`. Whole numbers are read from their digits, so that none is rounded on the way.

/// The words that pandas reads as a missing value, except those that nobody writes.
const MISSING: [&str; 15] = [
    "", "NaN", "nan", "-nan", "-NaN", "NA", "N/A", "#N/A", "#NA", "n/a", "<NA>", "NaT", "null", "NULL",
    "None",
];

/// Whether a field is a missing value.
pub fn is_missing(text: &str) -> bool {
    MISSING.contains(&text)
}

/// Whether a field in a column of names is a missing value. Words such as `NA` may be names.
pub fn is_no_name(text: &str) -> bool {
    matches!(text, "" | "NaN" | "nan" | "<NA>")
}

/// Reads a whole number, in any notation.
pub fn whole(text: &str) -> Result<u64, String> {
    let wrong = |why: &str| format!("{}: expected a whole number{why}", told(text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().map_err(|_| wrong(hint(text)))?;
    let (digits, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(is_digits(digits) && is_digits(fraction)) || digits.is_empty() && fraction.is_empty() {
        return Err(wrong(hint(text)));
    }
    let all = format!("{digits}{fraction}");
    let significant = all.trim_end_matches('0');
    let zeros =
        exponent.saturating_sub(fraction.len() as i64).saturating_add((all.len() - significant.len()) as i64);
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    // 2^64 has twenty digits.
    match usize::try_from(zeros) {
        Err(_) => Err(wrong("")),
        Ok(zeros) if zeros > 20 => Err(wrong(" up to 2^64 - 1")),
        Ok(zeros) => {
            let written = format!("{significant}{}", "0".repeat(zeros));
            written.parse().map_err(|_| wrong(" up to 2^64 - 1"))
        }
    }
}

/// Reads a finite number.
pub fn real(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| format!("{}: expected a number{}", told(text), hint(text)))
}

/// How an error quotes the field.
fn told(text: &str) -> String {
    if text.is_empty() { "it is empty".into() } else { format!("`{text}`") }
}

/// A hint for digits that are not a number, such as `1,000`.
fn hint(text: &str) -> &'static str {
    let is_grouped = |c: char| c.is_ascii_digit() || matches!(c, ',' | '_' | '\'' | ' ' | '.');
    let has_separator = text.contains([',', '_', '\'', ' ']);
    if has_separator && text.chars().all(is_grouped) { ", written without separators" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_as_pandas_writes_them() {
        for (text, expected) in [
            ("100", 100),
            ("100.0", 100),
            ("+7", 7),
            ("1e3", 1_000),
            ("1.0e+05", 100_000),
            ("1.25E2", 125),
            ("12500e-2", 125),
            ("0.0", 0),
            ("0e99", 0),
            ("1.", 1),
            ("18446744073709551615", u64::MAX),
            ("18446744073709551615.0", u64::MAX),
            ("9007199254740993.0", 9_007_199_254_740_993),
        ] {
            assert_eq!(whole(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_whole_number_is_refused() {
        for (text, part) in [
            ("100.5", "`100.5`: expected a whole number"),
            ("1e-3", "`1e-3`: expected a whole number"),
            ("-5", "`-5`: expected a whole number"),
            ("", "it is empty: expected a whole number"),
            ("NaN", "`NaN`: expected a whole number"),
            ("inf", "`inf`: expected"),
            (".", "`.`: expected"),
            ("e3", "`e3`: expected"),
            ("1e", "`1e`: expected"),
            ("1e99999999999999999999", "`1e99999999999999999999`: expected"),
            ("1e20", "`1e20`: expected a whole number up to 2^64 - 1"),
            ("1e9223372036854775807", "up to 2^64 - 1"),
            ("1e-9223372036854775808", "expected a whole number"),
            ("18446744073709551616", "up to 2^64 - 1"),
            ("1,000", "`1,000`: expected a whole number, written without separators"),
            ("1_000", "written without separators"),
        ] {
            let error = whole(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn numbers_are_finite() {
        assert_eq!((real("5.5"), real("1e3")), (Ok(5.5), Ok(1_000.0)));
        assert_eq!(real("1e308"), Ok(1e308));
        for text in ["", "NaN", "inf", "1e309", "x"] {
            assert!(real(text).unwrap_err().ends_with("expected a number"), "{text}");
        }
        assert!(real("5,5").unwrap_err().ends_with("written without separators"));
        assert!(is_missing("") && is_missing("NaN") && !is_missing("0"));
    }
}
