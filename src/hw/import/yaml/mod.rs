//! YAML as a tree that knows where each value stands, and which keys nobody asked for.
//!
//! The events come from yaml-rust2; `read` builds the tree. A key counts as taken once it was asked for, so that in the
//! end all others can be listed.

mod read;

use std::cell::Cell;
use std::fmt;
use std::path::Path;
use std::rc::Rc;

use crate::files::{InputError, visible_line};

pub(super) use read::read;

/// The most characters of a value that are shown. Our choice, because a line of a terminal has room for it.
const MAX_SHOWN: usize = 60;

/// A file and a line, counted from 1.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: Rc<Path>,
    pub(super) line: usize,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    /// The keys that lead to it; an element of a list goes by its name: `architecture.nodes[DRAM].attributes.width`.
    pub(super) path: String,
    /// Its tag without the exclamation mark.
    pub(super) tag: Option<String>,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Scalar { text: String, is_plain: bool },
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) node: Node,
    is_taken: Cell<bool>,
}

impl Place {
    /// An error at this line.
    pub(super) fn error(&self, message: impl fmt::Display) -> InputError {
        InputError::at_line(&self.file, self.line, message)
    }
}

impl Node {
    /// An error about this value.
    pub(super) fn error(&self, message: impl fmt::Display) -> InputError {
        let path = if self.path.is_empty() { "the file" } else { &self.path };
        self.place.error(format!("{}: {message}", visible_line(path)))
    }

    /// The error that this value is not what is allowed here.
    pub(super) fn expected(&self, expected: impl fmt::Display) -> InputError {
        let path = if self.path.is_empty() { "the file" } else { &self.path };
        self.place.error(format!("`{}` is {}: expected {expected}", visible_line(path), self.shown()))
    }

    /// Whether it is no value at all: `key:`, `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, is_plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.value, Value::List(_))
    }

    /// Whether it is written in quotes, which makes it a text in formats that evaluate expressions.
    pub(super) fn is_quoted(&self) -> bool {
        matches!(self.value, Value::Scalar { is_plain: false, .. })
    }

    /// The text of a scalar, as written.
    pub(super) fn text(&self) -> Result<&str, InputError> {
        match &self.value {
            Value::Scalar { text, .. } => Ok(text),
            _ => Err(self.expected("a single value")),
        }
    }

    /// The elements of a list.
    pub(super) fn list(&self) -> Result<&[Node], InputError> {
        match &self.value {
            Value::List(nodes) => Ok(nodes),
            Value::Scalar { .. } if self.is_null() => Ok(&[]),
            _ => Err(self.expected("a list")),
        }
    }

    /// The entries of a table.
    pub(super) fn table(&self) -> Result<&[Entry], InputError> {
        match &self.value {
            Value::Table(entries) => Ok(entries),
            Value::Scalar { .. } if self.is_null() => Ok(&[]),
            _ => Err(self.expected("a table of keys and values")),
        }
    }

    /// The value of a key, which may have several names; `None` if the key is missing or has no value. It counts as
    /// taken.
    pub(super) fn find(&self, names: &[&str]) -> Result<Option<&Node>, InputError> {
        let entries = self.table()?;
        let found = names.iter().find_map(|name| entries.iter().find(|entry| entry.key == *name));
        Ok(found.map(Entry::take).filter(|node| !node.is_null()))
    }

    /// Like `find` for a key that must be there.
    pub(super) fn need(&self, names: &[&str]) -> Result<&Node, InputError> {
        let missing = || self.error(format!("`{}` is missing", names[0]));
        self.find(names)?.ok_or_else(missing)
    }

    /// The value of a key, which does not count as taken by this.
    pub(super) fn peek(&self, key: &str) -> Option<&Node> {
        let Value::Table(entries) = &self.value else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// Whether a key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.peek(key).is_some()
    }

    /// Whether the value of a key was asked for.
    pub(super) fn is_taken(&self, key: &str) -> bool {
        matches!(&self.value, Value::Table(entries) if entries.iter().any(|entry| entry.key == key && entry.is_taken.get()))
    }

    /// A decimal number.
    pub(super) fn number(&self) -> Result<f64, InputError> {
        let number = self.text()?.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| self.expected("a number"))
    }

    /// The value in one short line.
    pub(super) fn shown(&self) -> String {
        let mut text = String::new();
        self.show(&mut text);
        match text.char_indices().nth(MAX_SHOWN) {
            Some((cut, _)) => format!("{} ...", visible_line(&text[..cut])),
            None => visible_line(&text).into_owned(),
        }
    }

    fn show(&self, text: &mut String) {
        if text.len() > 4 * MAX_SHOWN {
            return;
        }
        match &self.value {
            Value::Scalar { .. } if self.is_null() => text.push_str("empty"),
            Value::Scalar { text: scalar, is_plain: true } => text.push_str(scalar),
            Value::Scalar { text: scalar, .. } => text.push_str(&format!("{scalar:?}")),
            Value::List(nodes) => {
                text.push('[');
                for (i, node) in nodes.iter().enumerate() {
                    text.push_str(if i == 0 { "" } else { ", " });
                    node.show(text);
                }
                text.push(']');
            }
            Value::Table(entries) => {
                text.push('{');
                for (i, entry) in entries.iter().enumerate() {
                    text.push_str(if i == 0 { "" } else { ", " });
                    text.push_str(&format!("{}: ", entry.key));
                    entry.node.show(text);
                }
                text.push('}');
            }
        }
    }

    /// Gives this value and all inside it their paths.
    fn assign_paths(&mut self, path: String) {
        match &mut self.value {
            Value::Scalar { .. } => {}
            Value::List(nodes) => {
                for (i, node) in nodes.iter_mut().enumerate() {
                    let name = node.own_name().unwrap_or_else(|| i.to_string());
                    node.assign_paths(format!("{path}[{name}]"));
                }
            }
            Value::Table(entries) => {
                for Entry { key, node, .. } in entries {
                    node.assign_paths(if path.is_empty() { key.clone() } else { format!("{path}.{key}") });
                }
            }
        }
        self.path = path;
    }

    /// What an element of a list is called: by its name, or by what it constrains.
    fn own_name(&self) -> Option<String> {
        let Value::Table(entries) = &self.value else { return None };
        let value = |key: &str| match &entries.iter().find(|entry| entry.key == key)?.node.value {
            Value::Scalar { text, .. } => Some(text.as_str()),
            _ => None,
        };
        match (value("target"), value("type")) {
            (Some(target), Some(kind)) => Some(format!("{target} {kind}")),
            _ => value("name").or(value("target")).map(str::to_string),
        }
    }

    /// Calls `left` with each outermost entry that nobody took.
    pub(super) fn untaken<'a>(&'a self, left: &mut impl FnMut(&'a Entry)) {
        match &self.value {
            Value::Scalar { .. } => {}
            Value::List(nodes) => nodes.iter().for_each(|node| node.untaken(left)),
            Value::Table(entries) => {
                for entry in entries {
                    if entry.is_taken.get() { entry.node.untaken(left) } else { left(entry) }
                }
            }
        }
    }

    /// Marks every key inside as taken.
    pub(super) fn take_all(&self) {
        match &self.value {
            Value::Scalar { .. } => {}
            Value::List(nodes) => nodes.iter().for_each(Self::take_all),
            Value::Table(entries) => entries.iter().for_each(|entry| entry.take().take_all()),
        }
    }

    /// Number of values in it, itself included.
    fn count(&self) -> usize {
        1 + match &self.value {
            Value::Scalar { .. } => 0,
            Value::List(nodes) => nodes.iter().map(Self::count).sum(),
            Value::Table(entries) => entries.iter().map(|entry| entry.node.count()).sum(),
        }
    }

    /// How deep its lists and tables are nested.
    fn depth(&self) -> usize {
        1 + match &self.value {
            Value::Scalar { .. } => 0,
            Value::List(nodes) => nodes.iter().map(Self::depth).max().unwrap_or(0),
            Value::Table(entries) => entries.iter().map(|entry| entry.node.depth()).max().unwrap_or(0),
        }
    }
}

impl Entry {
    /// The value, which counts as taken.
    pub(super) fn take(&self) -> &Node {
        self.is_taken.set(true);
        &self.node
    }
}
