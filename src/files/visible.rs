//! Users' names and paths on terminals and pages: control characters are shown escaped and have no effect.

use std::borrow::Cow;

/// Escapes control characters in a text of several lines.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c.is_control() && c != '\n' && c != '\t')
}

/// Escapes control characters, line ends included, in a text of one line.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    escaped(text, char::is_control)
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| if is_escaped(c) { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(shown).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(visible("a\tb\n\u{1b}[31m\u{9b}\r"), "a\tb\n\\u{1b}[31m\\u{9b}\\r");
        assert_eq!(visible_line("a\nb\u{7}"), "a\\nb\\u{7}");
        assert!(matches!(visible("naïve, \"quoted\"\n"), Cow::Borrowed(_)));
    }
}
