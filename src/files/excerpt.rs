//! The line of a file that an error is about, as shown below its message.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;

/// The most characters of a line that are shown. Our choice, because it is about a terminal's width.
pub(super) const MAX_SHOWN: usize = 120;

/// The line with its number, and carets below the part of `width` characters from `column` on.
pub(super) fn marked(number: usize, line: &str, column: usize, width: usize) -> String {
    let (shown, cut) = window(line, column);
    let below: String = shown.chars().take(column - cut).map(|c| if c == '\t' { c } else { ' ' }).collect();
    let width = width.min(shown.chars().count().saturating_sub(column - cut)).max(1);
    let margin = " ".repeat(number.to_string().len());
    format!("{number} | {shown}\n{margin} | {below}{}", "^".repeat(width))
}

/// A line of a file as it is on disk, with its number; `None` if it cannot be read a second time.
pub(super) fn quoted(path: &Path, number: usize) -> Option<String> {
    Some(format!("{number} | {}", window(&line_of(path, number)?, 0).0))
}

/// Like [`quoted`], with carets below a field of a CSV record, unless the record spans several lines.
pub(super) fn quoted_field(path: &Path, number: usize, place: usize) -> Option<String> {
    let line = line_of(path, number)?;
    match field(&line, place) {
        Some(Range { start, end }) => Some(marked(number, &line, start, end - start)),
        None => quoted(path, number),
    }
}

fn line_of(path: &Path, number: usize) -> Option<String> {
    // A pipe could block forever.
    let file = File::open(path).ok().filter(|_| path.is_file())?;
    let (mut file, mut line) = (BufReader::new(file), Vec::new());
    for _ in 1..number {
        file.skip_until(b'\n').ok()?;
    }
    file.take(self::MAX_SOURCE_BYTES).read_until(b'\n', &mut line).ok()?;
    Some(String::from_utf8_lossy(&line).trim_end().to_string())
}

/// The characters of a CSV field in its line, without the blanks around it.
fn field(line: &str, place: usize) -> Option<Range<usize>> {
    let mut is_quoted = false;
    let ends_field = |c: char| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    };
    let fields: Vec<&str> = line.split(ends_field).collect();
    let (before, field) = (&fields[..place.min(fields.len())], fields.get(place)?);
    let blanks = field.chars().take_while(|c| c.is_whitespace()).count();
    let start = before.iter().map(|field| field.chars().count() + 1).sum::<usize>() + blanks;
    (!is_quoted).then_some(start..start + field.trim().chars().count())
}

/// The shown part of a line around a column, and the number of characters cut off before it.
fn window(line: &str, column: usize) -> (String, usize) {
    // The contents of a file must not control the terminal.
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
    // The marks of the cut count as shown characters, so that carets stay below their characters.
    (format!("{CUT}{}", text.chars().skip(CUT.len()).collect::<String>()), start)
}

/// A bound on memory: a thousand times the largest data file that ships.
pub(super) const MAX_SOURCE_BYTES: u64 = 1 << 26;

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
    fn fields_are_found_behind_quoted_commas() {
        assert_eq!(field("a,\"b,c\",d", 2), Some(8..9));
        assert_eq!((field("a,,b", 0), field("a,,b", 1)), (Some(0..1), Some(2..2)));
        assert_eq!((field("a, b ,c", 1), field("a,b", 1)), (Some(3..4), Some(2..3)));
        assert_eq!((field("a,b", 2), field("a,\"b", 1)), (None, None));
    }

    #[test]
    fn a_line_does_not_steer_the_terminal() {
        assert_eq!(window("a\u{1b}[31mb", 0).0, "a\u{fffd}[31mb");
    }
}
