//! How wide terminals are, and prose that breaks at spaces to fit them.

use terminal_size::{Width, terminal_size_of};

/// The columns of lists where standard output is no terminal. Our choice, because help texts have as many.
const PIPED: usize = 100;

/// The most columns of a message. Our choice, because longer lines are hard to read.
const MOST: usize = 120;

/// The columns of standard output.
pub(super) fn output_width() -> usize {
    terminal_size_of(std::io::stdout()).map_or(PIPED, |(Width(columns), _)| columns.into())
}

/// A message for standard error: wrapped if that is a terminal. A script that searches messages finds them in one piece.
pub(super) fn message(text: &str) -> String {
    match terminal_size_of(std::io::stderr()) {
        Some((Width(columns), _)) => wrapped(text, usize::from(columns).min(MOST), "  "),
        None => text.to_string(),
    }
}

/// Breaks lines at spaces, so that they fit a width; what continues a line begins with `indent`. A quoted word and what
/// stands between backticks stay in one piece. Lines of a user's file, and commands and entries to copy, which have lines
/// of their own, stay as they are.
pub(super) fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let is_kept = line.chars().count() <= width || is_excerpt(line) || is_to_copy(line);
        if is_kept { line.to_string() } else { broken(line, width, indent) }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether this is a line of a file as errors quote it, or the line with the carets below.
fn is_excerpt(line: &str) -> bool {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    rest.starts_with("| ") && rest.len() < line.len()
}

/// Whether this is a command, or so far indented that it is something to copy.
fn is_to_copy(line: &str) -> bool {
    line.starts_with("    ") || line.trim_start().starts_with("mascot ")
}

fn broken(line: &str, width: usize, indent: &str) -> String {
    let (mut text, mut length) = (String::new(), 0);
    for word in words(line) {
        let longer = word.chars().count();
        if length > 0 && length + 1 + longer > width {
            text.push('\n');
            text += indent;
            length = indent.chars().count();
        } else if !text.is_empty() {
            text.push(' ');
            length += 1;
        }
        text += &word;
        length += longer;
    }
    text
}

/// The words of a line, with everything in one that must not be broken.
fn words(line: &str) -> Vec<String> {
    let has_spans = line.matches('`').count().is_multiple_of(2);
    let (mut words, mut open) = (Vec::<String>::new(), None);
    for word in line.split(' ') {
        match (open, words.last_mut()) {
            (Some(_), Some(last)) => *last = format!("{last} {word}"),
            _ => words.push(word.to_string()),
        }
        let last = words.last().expect("a word was just added");
        open = match open {
            Some('\'') if !word.ends_with('\'') => open,
            None if word.starts_with('\'') && !word[1..].contains('\'') => Some('\''),
            _ if has_spans && last.matches('`').count() % 2 == 1 => Some('`'),
            _ => None,
        };
    }
    words
}

/// The text, or as much of it as fits, with dots in place of the rest.
pub(super) fn shortened(text: &str, width: usize) -> String {
    const REST: &str = " ...";
    if text.chars().count() <= width {
        return text.to_string();
    }
    let room: String = text.chars().take(width.saturating_sub(REST.len() - 1)).collect();
    let fits = room.rfind(' ').map_or("", |end| &room[..end]);
    // The end of a clause, unless most of the text would go with it.
    let clause = ["; ", ": ", ". ", ", "].iter().filter_map(|mark| fits.rfind(mark)).max();
    let end = clause.filter(|end| 2 * end > fits.len()).unwrap_or(fits.len());
    fits[..end].trim_end_matches([',', ';', ':', '.']).to_string() + REST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_words_stay_whole() {
        assert_eq!(wrapped("one two three", 9, "  "), "one two\n  three");
        assert_eq!(wrapped("one two three", 13, "  "), "one two three");
        assert_eq!(wrapped("a/very/long/path of", 6, "  "), "a/very/long/path\n  of");
        assert_eq!(wrapped("one\ntwo three", 5, ""), "one\ntwo\nthree");
    }

    #[test]
    fn commands_and_quoted_words_stay_whole() {
        assert_eq!(wrapped("try (`mascot list x`) again", 12, ""), "try\n(`mascot list x`)\nagain");
        assert_eq!(wrapped("with 'my results' now", 8, ""), "with\n'my results'\nnow");
        for line in ["  mascot run a b c d", "    { name = \"a\", policy = \"b\" }"] {
            assert_eq!(wrapped(line, 8, ""), line);
        }
        // An apostrophe or a backtick without a partner opens nothing.
        assert_eq!(wrapped("a system's `own value", 9, ""), "a\nsystem's\n`own\nvalue");
    }

    #[test]
    fn lines_of_a_file_stay_as_they_are() {
        let excerpt = "a.toml:12: too many words here\n12 | loads = [1, 2, 3, 4]\n   |          ^^^^^^^^^";
        let wrapped = wrapped(excerpt, 16, "  ");
        assert_eq!(
            wrapped,
            "a.toml:12: too\n  many words\n  here\n12 | loads = [1, 2, 3, 4]\n   |          ^^^^^^^^^"
        );
    }

    #[test]
    fn what_is_cut_ends_with_a_clause_or_a_word() {
        assert_eq!(shortened("first come", 10), "first come");
        assert_eq!(shortened("smallest first; the rest later", 20), "smallest first ...");
        assert_eq!(shortened("smallest deadline first", 21), "smallest deadline ...");
        assert_eq!(shortened("a; smallest deadline first", 20), "a; smallest ...");
        for width in 4..30 {
            assert!(shortened("one two, three four; five six", width).chars().count() <= width, "{width}");
        }
    }
}
