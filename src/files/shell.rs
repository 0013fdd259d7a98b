//! Words of commands that mascot prints for a user to repeat.

use std::path::Path;

/// A word for a POSIX shell, quoted if necessary. Every command that mascot prints takes its words from here.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A path as [`quoted`] shows a word; bytes that are not text are escaped as in POSIX 2024.
pub fn quoted_path(path: &Path) -> String {
    if let Some(text) = path.to_str() {
        return quoted(text);
    }
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let escaped = bytes.map(|&byte| match byte {
        byte if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) => char::from(byte).to_string(),
        byte => format!("\\{byte:03o}"),
    });
    format!("$'{}'", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_each_word_as_it_was() {
        for (word, told) in [
            ("results/a-b_1.csv", "results/a-b_1.csv"),
            ("--set", "--set"),
            ("loads=[0.6,0.9]", "'loads=[0.6,0.9]'"),
            ("schedulers=[\"fcfs\"]", "'schedulers=[\"fcfs\"]'"),
            ("my results", "'my results'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), told);
            assert_eq!(quoted_path(Path::new(word)), told);
        }
    }
}
