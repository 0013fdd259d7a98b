//! The Graph Modelling Language (Himsolt, 1997): keys, each with a number, a text or a list in brackets of the same kind.
//! Written here because the one crate that we know of for it, `gml-parser`, tells no lines and brings a parser generator.

use std::fmt;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use crate::files::{InputError, Source, visible_line};

/// The deepest list that is read. Our choice, because a graph needs three levels.
const MAX_DEPTH: usize = 32;

/// A list: the keys in their order; keys may repeat.
#[derive(Clone, Debug)]
pub(super) struct List {
    path: PathBuf,
    /// The line on which the list begins.
    line: usize,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    key: String,
    line: usize,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Number(f64),
    Text(String),
    List(List),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
}

type Tokens = Peekable<IntoIter<(usize, Token)>>;

/// Reads a file.
pub(super) fn read(source: &Source) -> Result<List, InputError> {
    let mut tokens = tokens(source)?.into_iter().peekable();
    list(&mut tokens, &source.path, 1, 0)
}

fn tokens(source: &Source) -> Result<Vec<(usize, Token)>, InputError> {
    let text = &source.text;
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (length, token) = match c {
            '[' => (1, Some(Token::Open)),
            ']' => (1, Some(Token::Close)),
            '"' => {
                let Some(end) = rest[1..].find('"') else {
                    return Err(InputError::at_line(
                        &source.path,
                        line,
                        "the text that begins here has no end",
                    ));
                };
                (end + 2, Some(Token::Text(unescaped(&rest[1..=end]))))
            }
            '#' => (rest.find('\n').unwrap_or(rest.len()), None),
            c if c.is_whitespace() => (c.len_utf8(), None),
            _ => {
                let ends = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"' | '#');
                let end = rest.find(ends).unwrap_or(rest.len());
                (end, Some(Token::Word(rest[..end].to_string())))
            }
        };
        tokens.extend(token.map(|token| (line, token)));
        line += rest[..length].matches('\n').count();
        at += length;
    }
    Ok(tokens)
}

/// The characters that GML writes as entities of HTML, as far as files use them.
fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&apos;", "'").replace("&#39;", "'").replace("&amp;", "&")
}

/// The entries up to the closing bracket, or at depth 0 up to the end of the file.
fn list(tokens: &mut Tokens, path: &Path, line: usize, depth: usize) -> Result<List, InputError> {
    let wrong = |line: usize, message: String| Err(InputError::at_line(path, line, message));
    let mut entries = Vec::new();
    loop {
        let (line, key) = match tokens.next() {
            None if depth == 0 => break,
            None => return wrong(line, "the list that begins here has no end: expected `]`".into()),
            Some((_, Token::Close)) if depth > 0 => break,
            Some((line, Token::Word(word))) if word.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                (line, word)
            }
            Some((line, other)) => return wrong(line, format!("{other} where a key should be")),
        };
        let value = match tokens.next() {
            Some((line, Token::Open)) if depth == MAX_DEPTH => {
                return wrong(line, format!("lists more than {MAX_DEPTH} deep"));
            }
            Some((line, Token::Open)) => Value::List(list(tokens, path, line, depth + 1)?),
            Some((_, Token::Text(text))) => Value::Text(text),
            Some((line, Token::Word(word))) => {
                match word.parse().ok().filter(|value: &f64| value.is_finite()) {
                    Some(number) => Value::Number(number),
                    None => {
                        let word = visible_line(&word).to_string();
                        return wrong(
                            line,
                            format!("`{key}` is `{word}`: expected a number, a text or a list"),
                        );
                    }
                }
            }
            Some((line, Token::Close)) => return wrong(line, format!("`{key}` has no value")),
            None => return wrong(line, format!("`{key}` has no value")),
        };
        entries.push(Entry { key, line, value });
    }
    Ok(List { path: path.to_path_buf(), line, entries })
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{}`", visible_line(word)),
            Self::Text(text) => write!(f, "the text `{}`", visible_line(text)),
            Self::Open => f.write_str("`[`"),
            Self::Close => f.write_str("`]`"),
        }
    }
}

impl List {
    /// An error about the list as a whole.
    pub(super) fn error(&self, message: impl fmt::Display) -> InputError {
        InputError::at_line(&self.path, self.line, message)
    }

    /// The lists under a key.
    pub(super) fn lists<'a>(&'a self, key: &str) -> Result<Vec<&'a Self>, InputError> {
        let entries = self.entries.iter().filter(|entry| entry.key == key);
        entries
            .map(|entry| match &entry.value {
                Value::List(list) => Ok(list),
                _ => Err(self.at(entry, "expected a list in brackets")),
            })
            .collect()
    }

    /// The number under a key, if there is one.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, InputError> {
        self.entry(key).map_or(Ok(None), |entry| match &entry.value {
            Value::Number(number) => Ok(Some(*number)),
            _ => Err(self.at(entry, "expected a number")),
        })
    }

    /// The text under a key, if there is one; a number counts as its digits.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, InputError> {
        self.entry(key).map_or(Ok(None), |entry| match &entry.value {
            Value::Text(text) => Ok(Some(text.clone())),
            Value::Number(number) => Ok(Some(number.to_string())),
            Value::List(_) => Err(self.at(entry, "expected a text")),
        })
    }

    /// An error about the value of a key; about the list where it has none.
    pub(super) fn error_at(&self, key: &str, message: impl fmt::Display) -> InputError {
        let line = self.entry(key).map_or(self.line, |entry| entry.line);
        InputError::at_line(&self.path, line, message)
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    fn at(&self, entry: &Entry, message: &str) -> InputError {
        InputError::at_line(&self.path, entry.line, format!("`{}`: {message}", entry.key))
    }
}
