//! What the tokens of a Rust file tell of imports: its `use` lines, the paths in its code, and the names of its items.
//!
//! Macros are read like other code, as far as their tokens are paths. Bodies of `#[cfg(test)]` modules and the files of such
//! modules are left out.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

use crate::graph::Segments;

/// One name that a `use` line brings in.
#[derive(Debug)]
pub(crate) struct Used {
    /// The path as it is written.
    pub(crate) path: Segments,
    /// What it is called here: `*` for all that is below the path.
    pub(crate) name: String,
    /// Whether it is a re-export.
    pub(crate) is_public: bool,
}

/// A file.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Its imports and re-exports.
    pub(crate) uses: Vec<Used>,
    /// Paths of two and more segments in its code.
    pub(crate) paths: BTreeSet<Segments>,
    /// Names that it defines.
    pub(crate) items: BTreeSet<String>,
    /// All identifiers in it.
    pub(crate) words: BTreeSet<String>,
    /// Modules below it that are compiled for tests only.
    pub(crate) test_modules: BTreeSet<String>,
}

/// What stands before the name of an item.
const DEFINES: [&str; 8] = ["struct", "enum", "trait", "fn", "type", "const", "static", "union"];

/// Reads the tokens of a file.
pub(crate) fn scan(tokens: TokenStream) -> Scan {
    let mut scan = Scan::default();
    scan.file(&tokens.into_iter().collect::<Vec<_>>());
    scan
}

impl Scan {
    /// What a file defines.
    fn file(&mut self, tokens: &[TokenTree]) {
        for at in 0..tokens.len() {
            match word(tokens, at).as_deref() {
                Some("mod") if is_for_tests(tokens, at) => self.test_modules.extend(word(tokens, at + 1)),
                Some(keyword) if DEFINES.contains(&keyword) => self.items.extend(word(tokens, at + 1)),
                Some("macro_rules") => self.items.extend(word(tokens, at + 2)),
                _ => {}
            }
        }
        self.code(tokens);
    }

    /// Paths and words, at any depth.
    fn code(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while at < tokens.len() {
            if word(tokens, at).as_deref() == Some("use") {
                let end = end_of(tokens, at);
                self.leaves(&tokens[at + 1..end], &[], at > 0 && is_visibility(tokens, at - 1));
                at = end;
            } else if word(tokens, at).as_deref() == Some("mod") && is_for_tests(tokens, at) {
                at += 2;
            } else if let Some(first) = word(tokens, at) {
                let mut path = vec![first];
                while is_path_separator(tokens, at + 1) && word(tokens, at + 3).is_some() {
                    path.extend(word(tokens, at + 3));
                    at += 3;
                }
                self.words.extend(path.iter().cloned());
                if path.len() > 1 {
                    self.paths.insert(path);
                }
            } else if let TokenTree::Group(group) = &tokens[at] {
                self.code(&group.stream().into_iter().collect::<Vec<_>>());
            }
            at += 1;
        }
    }

    /// The names of a tree of imports.
    fn leaves(&mut self, tree: &[TokenTree], prefix: &[String], is_public: bool) {
        for branch in tree.split(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == ',')) {
            let (mut path, mut name, mut at) = (prefix.to_vec(), None, 0);
            while at < branch.len() {
                match (&branch[at], word(branch, at)) {
                    (TokenTree::Group(group), _) => {
                        self.leaves(&group.stream().into_iter().collect::<Vec<_>>(), &path, is_public);
                        path.clear();
                    }
                    (TokenTree::Punct(punct), _) if punct.as_char() == '*' => name = Some("*".to_string()),
                    (_, Some(as_)) if as_ == "as" => {
                        name = word(branch, at + 1);
                        at += 1;
                    }
                    (_, Some(own)) if own == "self" && !path.is_empty() => {}
                    (_, segment) => path.extend(segment),
                }
                at += 1;
            }
            if let Some(last) = path.last().cloned() {
                self.uses.push(Used { name: name.unwrap_or(last), path, is_public });
            }
        }
    }
}

/// Whether the module that begins at its `mod` is compiled for tests only.
fn is_for_tests(tokens: &[TokenTree], at: usize) -> bool {
    let visibility = (0..at).rev().take_while(|&before| is_visibility(tokens, before)).count();
    let attribute = tokens[..at - visibility].last().map(ToString::to_string).unwrap_or_default();
    attribute.replace(' ', "") == "[cfg(test)]"
}

fn word(tokens: &[TokenTree], at: usize) -> Option<String> {
    match tokens.get(at) {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
        _ => None,
    }
}

fn is_punct(tokens: &[TokenTree], at: usize, wanted: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens, at, ':') && is_punct(tokens, at + 1, ':')
}

/// `pub`, or the parentheses behind it.
fn is_visibility(tokens: &[TokenTree], at: usize) -> bool {
    word(tokens, at).as_deref() == Some("pub") || at > 0 && word(tokens, at - 1).as_deref() == Some("pub")
}

/// Where the semicolon is.
fn end_of(tokens: &[TokenTree], from: usize) -> usize {
    (from..tokens.len()).find(|&at| is_punct(tokens, at, ';')).unwrap_or(tokens.len())
}
