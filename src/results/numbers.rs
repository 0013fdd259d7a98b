//! Numbers and notes as tables and pictures show them.

/// Digits that a reader can take in; a dash where there is no value.
pub fn number(value: Option<f64>, decimals: usize) -> String {
    let Some(value) = value.filter(|v| v.is_finite()) else { return "-".into() };
    let text = format!("{value:.decimals$}");
    // What rounds to zero has no sign.
    let is_zero = text.chars().all(|c| "-0.".contains(c));
    if is_zero { text.trim_start_matches('-').into() } else { text }
}

/// How far the ends of an interval are from the mean: one number where they are equally far, two where it is cut.
pub fn spread(mean: Option<f64>, interval: Option<[f64; 2]>, decimals: usize) -> String {
    let Some((mean, [low, high])) = mean.zip(interval) else { return number(None, decimals) };
    let [below, above] = [mean - low, high - mean].map(|side| number(Some(side), decimals));
    if below == above { below } else { format!("-{below} +{above}") }
}

/// What there is to say about rows that are no runs of their own.
pub fn copies(rows: usize) -> Option<String> {
    match rows {
        0 => None,
        1 => Some("1 row is a copy of another and does not count".into()),
        _ => Some(format!("{rows} rows are copies of others and do not count")),
    }
}

#[cfg(test)]
mod tests {
    use super::{number, spread};

    #[test]
    fn what_rounds_to_zero_has_no_sign() {
        let rounded = [-0.0004, -0.04, 0.0, 1.25, -7.0, f64::NAN].map(|value| number(Some(value), 2));
        assert_eq!(rounded, ["0.00", "-0.04", "0.00", "1.25", "-7.00", "-"]);
        assert_eq!((number(None, 1), number(Some(-0.4), 0)), ("-".into(), "0".into()));
    }

    #[test]
    fn an_interval_that_is_cut_has_two_sides() {
        assert_eq!(spread(Some(0.5), Some([0.25, 0.75]), 2), "0.25");
        assert_eq!(spread(Some(0.99), Some([0.9265, 1.0]), 4), "-0.0635 +0.0100");
        assert_eq!([spread(None, Some([0.0, 1.0]), 2), spread(Some(1.0), None, 2)], ["-", "-"]);
    }
}
