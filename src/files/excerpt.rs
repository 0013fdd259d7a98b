//! The line of a file that an error is about, as shown below its message.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// What is shown of a line, in characters. Chosen here: about a terminal's width.
const MAX_SHOWN: usize = 120;

/// The line with its number, and carets below the part of `width` characters from `column` on.
pub(super) fn marked(number: usize, line: &str, column: usize, width: usize) -> String {
    let (shown, cut) = window(line, column);
    let below: String = shown.chars().take(column - cut).map(|c| if c == '\t' { c } else { ' ' }).collect();
    let width = width.min(shown.chars().count().saturating_sub(column - cut)).max(1);
    let margin = " ".repeat(number.to_string().len());
    format!("{number} | {shown}\n{margin} | {below}{}", "^".repeat(width))
}

/// A line of a file as it is on disk, with its number; nothing where it cannot be read a second time.
pub(super) fn quoted(path: &Path, number: usize) -> Option<String> {
    // A pipe could block for ever.
    let file = File::open(path).ok().filter(|_| path.is_file())?;
    let mut lines = BufReader::new(file.take(super::MAX_SOURCE_BYTES)).split(b'\n');
    let line = lines.nth(number.checked_sub(1)?)?.ok()?;
    let text = String::from_utf8_lossy(&line);
    Some(format!("{number} | {}", window(text.trim_end(), 0).0))
}

/// The part of a line around a column that is shown, and how many characters before it are not.
fn window(line: &str, column: usize) -> (String, usize) {
    // What a file holds must not steer the terminal.
    let shown = |c: char| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
    let start = column.saturating_sub(MAX_SHOWN / 2);
    let end = start + MAX_SHOWN;
    let length = line.chars().count();
    if length <= MAX_SHOWN {
        return (line.chars().map(shown).collect(), 0);
    }
    let mut text: String = line.chars().skip(start).take(MAX_SHOWN).map(shown).collect();
    if end < length {
        text.push_str(" ...");
    }
    if start == 0 {
        return (text, 0);
    }
    const CUT: &str = "... ";
    // Those in place of what is cut count as shown, so that carets stay below their characters.
    (format!("{CUT}{}", text.chars().skip(CUT.len()).collect::<String>()), start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_below_their_part() {
        assert_eq!(marked(7, "\ta = -1", 5, 2), "7 | \ta = -1\n  | \t    ^^");
        assert_eq!(marked(10, "a", 1, 4), "10 | a\n   |  ^", "the end of a line");
    }

    #[test]
    fn of_a_long_line_the_part_is_shown() {
        let line = format!("{}!{}", "a".repeat(300), "b".repeat(300));
        let text = marked(1, &line, 300, 1);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0].find('!'), lines[1].find('^'));
        assert!(lines[0].starts_with("1 | ... aaa") && lines[0].ends_with("bbb ..."), "{text}");
        assert!(lines[0].len() < 140, "{text}");
        assert_eq!(window(&line, 0), (format!("{} ...", "a".repeat(120)), 0));
    }

    #[test]
    fn a_line_does_not_steer_the_terminal() {
        assert_eq!(window("a\u{1b}[31mb", 0).0, "a\u{fffd}[31mb");
    }
}
