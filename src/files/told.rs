//! Error messages about a value, in one line: its key, the value as written, and what is allowed. The parser's own
//! messages name no key, print 1e308 with all its digits, and mention Rust types.

/// The most characters of a value that are shown. Our choice, because the longest number of 64 bits fits.
const MAX_SHOWN: usize = 40;

/// Rewrites a message of serde about a value that has the wrong type or is out of its range; `None` for any other
/// message.
pub(super) fn of_value(message: &str, key: Option<&str>, value: &str) -> Option<String> {
    let is_about_value = ["invalid type: ", "invalid value: ", "invalid length "];
    let is_about_value = is_about_value.iter().any(|start| message.starts_with(start));
    let (_, expected) = match message.split_once(" is not allowed here: expected ") {
        Some(parts) => parts,
        None => message.rsplit_once(", expected ").filter(|_| is_about_value)?,
    };
    let value = shown(value);
    let value = key.map_or(value.clone(), |key| format!("`{key}` is {value}"));
    Some(format!("{value}: expected {}", plain(expected)))
}

/// The key of a value, from the text before it.
pub(super) fn key_before(text: &str) -> Option<&str> {
    let line = text.rsplit('\n').next()?;
    let before = line[..line.rfind('=')?].trim_end();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let start = before.rfind(|c| !is_word(c)).map_or(0, |place| place + 1);
    Some(&before[start..]).filter(|key| !key.is_empty())
}

/// What serde expects, in the user's words.
fn plain(expected: &str) -> &str {
    match expected {
        "u64" | "usize" => "a whole number from 0 on",
        "u32" => "a whole number from 0 to 4294967295",
        "i64" => "a whole number",
        "f64" | "f32" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        "any valid TOML value" => "a text, a number of 64 bits, true or false, a list or a table",
        other => other,
    }
}

/// The first line of the value as written, shortened.
fn shown(value: &str) -> String {
    let value = value.lines().next().unwrap_or_default();
    match (value.chars().count() > MAX_SHOWN, value.replace('_', "").parse::<f64>()) {
        (false, _) => value.to_string(),
        (true, Ok(number)) => format!("{number:e}"),
        (true, Err(_)) => format!("{} ...", value.chars().take(MAX_SHOWN).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_before_their_values() {
        for (before, key) in [
            ("a = 1\nseeds = ", Some("seeds")),
            ("loads=[0.5, ", Some("loads")),
            ("[[tenant]]\narrivals = { kind = \"poisson\", rate_per_s = ", Some("rate_per_s")),
            ("a.b = ", Some("a.b")),
            ("loads = [\n  1,\n  ", None),
            ("", None),
        ] {
            assert_eq!(key_before(before), key, "{before}");
        }
    }

    #[test]
    fn messages_are_short_and_name_the_key() {
        let long = format!("1{}", "0".repeat(308));
        let of = |message: &str, value: &str| of_value(message, Some("seeds"), value);
        for (message, value, told) in [
            (
                "invalid type: floating point `1e308`, expected u64",
                "1e308",
                "`seeds` is 1e308: expected a whole number from 0 on",
            ),
            (
                "invalid type: floating point `1`, expected u64",
                &long,
                "`seeds` is 1e308: expected a whole number from 0 on",
            ),
            (
                "invalid value: integer `-1`, expected u32",
                "-1",
                "`seeds` is -1: expected a whole number from 0 to 4294967295",
            ),
            (
                "-1 is not allowed here: expected a number from 0 to 1",
                "-1",
                "`seeds` is -1: expected a number from 0 to 1",
            ),
        ] {
            assert_eq!(of(message, value).as_deref(), Some(told));
        }
        assert_eq!(of("unknown field `x`, expected `y`", ""), None);
        assert!(of("invalid type: string, expected u64", &"x".repeat(99)).unwrap().len() < 110);
    }
}
