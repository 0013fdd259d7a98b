//! Formats numbers and notes for tables and pictures.

/// A number with so many decimals, but no more digits than a reader can take in; a dash if there is no value.
pub fn number(value: Option<f64>, decimals: usize) -> String {
    let Some(value) = value.filter(|v| v.is_finite()) else { return "-".into() };
    let text = format!("{value:.decimals$}");
    // A number that rounds to zero is shown without a sign.
    let is_zero = text.chars().all(|c| "-0.".contains(c));
    if is_zero { text.trim_start_matches('-').into() } else { text }
}

/// The distances from the mean to the ends of an interval: one number if they are equal, two if the interval is cut.
pub fn spread(mean: Option<f64>, interval: Option<[f64; 2]>, decimals: usize) -> String {
    let Some((mean, [low, high])) = mean.zip(interval) else { return number(None, decimals) };
    let [below, above] = [mean - low, high - mean].map(|side| number(Some(side), decimals));
    if below == above { below } else { format!("-{below} +{above}") }
}

/// A note on rows that are copies of others; `None` if there are none.
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
