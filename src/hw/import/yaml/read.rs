//! From the text of a file to trees, one per document: aliases and merge keys are resolved here.
//!
//! An alias is copied, so that each use has its own marks of what was taken; limits on size and depth keep a small file
//! from becoming a large tree. Beside YAML's `<<` there is Timeloop's `<<<`, which merges nested tables and appends
//! lists unless they are tagged `!nomerge`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::TScalarStyle;

use super::{Entry, Node, Place, Value};
use crate::files::{InputError, Source};

/// The most values of a file. Our choice, because a description of an accelerator has a few thousand.
const MAX_VALUES: usize = 200_000;
/// The deepest nesting. Our choice, because that of the public descriptions is about ten.
const MAX_DEPTH: usize = 64;

/// Reads the documents of a file.
pub(in super::super) fn read(source: &Source) -> Result<Vec<Node>, InputError> {
    let file: Rc<Path> = source.path.as_path().into();
    if let Some(line) = template_line(&source.text) {
        let place = Place { file, line };
        return Err(place.error(
            "this is a Jinja template, not YAML: render it first, or import the parsed-processed-input.yaml that \
             Timeloop's front end writes",
        ));
    }
    let mut builder = Builder { file, stack: vec![], anchors: BTreeMap::new(), values: 0, documents: vec![] };
    let mut parser = Parser::new_from_str(&source.text);
    loop {
        let (event, mark) = parser.next_token().map_err(|error| {
            builder.place(error.marker().line()).error(format!("this is not YAML: {}", error.info()))
        })?;
        if event == Event::StreamEnd {
            break;
        }
        builder.take(event, mark.line())?;
    }
    builder.documents.iter_mut().for_each(|document| document.assign_paths(String::new()));
    Ok(builder.documents)
}

/// The first line with a Jinja expression or statement outside comments.
fn template_line(text: &str) -> Option<usize> {
    let is_template = |line: &str| {
        let code = match line.trim_start().starts_with('#') {
            true => "",
            false => line.split(" #").next().unwrap_or_default(),
        };
        code.contains("{{") || code.contains("{%")
    };
    text.lines().position(is_template).map(|index| index + 1)
}

struct Builder {
    file: Rc<Path>,
    /// Lists and tables that are not complete.
    stack: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    /// Values so far, with those of aliases.
    values: usize,
    documents: Vec<Node>,
}

struct Open {
    line: usize,
    tag: Option<String>,
    anchor: usize,
    value: Inside,
}

enum Inside {
    List(Vec<Node>),
    Table {
        entries: Vec<Entry>,
        /// Tables to merge in, each with whether nested tables are merged, too.
        merged: Vec<(bool, Node)>,
        key: Option<(String, usize)>,
    },
}

impl Builder {
    fn place(&self, line: usize) -> Place {
        Place { file: self.file.clone(), line }
    }

    fn take(&mut self, event: Event, line: usize) -> Result<(), InputError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == TScalarStyle::Plain;
                let node = self.node(line, name_of(tag), Value::Scalar { text, is_plain });
                self.complete(anchor, node)
            }
            Event::SequenceStart(anchor, tag) => self.open(line, anchor, tag, Inside::List(vec![])),
            Event::MappingStart(anchor, tag) => {
                let table = Inside::Table { entries: vec![], merged: vec![], key: None };
                self.open(line, anchor, tag, table)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { line, tag, anchor, value }) = self.stack.pop() else { return Ok(()) };
                let value = match value {
                    Inside::List(nodes) => Value::List(nodes),
                    Inside::Table { mut entries, merged, .. } => {
                        merged.into_iter().try_for_each(|(deep, node)| merge(&mut entries, node, deep))?;
                        Value::Table(entries)
                    }
                };
                let node = self.node(line, tag, value);
                self.complete(anchor, node)
            }
            Event::Alias(anchor) => {
                let inside = "an alias inside what it stands for";
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(self.place(line).error(inside));
                };
                let mut node = node.clone();
                node.place.line = line;
                if node.depth() + self.stack.len() > MAX_DEPTH {
                    return Err(self.too_deep(line));
                }
                self.count(node.count(), line)?;
                self.complete(0, node)
            }
            Event::DocumentStart
            | Event::DocumentEnd
            | Event::StreamStart
            | Event::StreamEnd
            | Event::Nothing => Ok(()),
        }
    }

    fn node(&self, line: usize, tag: Option<String>, value: Value) -> Node {
        Node { place: self.place(line), path: String::new(), tag, value }
    }

    fn count(&mut self, values: usize, line: usize) -> Result<(), InputError> {
        self.values += values;
        match self.values > MAX_VALUES {
            true => {
                Err(self.place(line).error(format!("more than {MAX_VALUES} values, with those of aliases")))
            }
            false => Ok(()),
        }
    }

    fn too_deep(&self, line: usize) -> InputError {
        self.place(line).error(format!("nested more than {MAX_DEPTH} deep"))
    }

    fn open(
        &mut self,
        line: usize,
        anchor: usize,
        tag: Option<Tag>,
        value: Inside,
    ) -> Result<(), InputError> {
        if self.stack.len() == MAX_DEPTH {
            return Err(self.too_deep(line));
        }
        self.stack.push(Open { line, tag: name_of(tag), anchor, value });
        Ok(())
    }

    /// Puts a complete value where it belongs.
    fn complete(&mut self, anchor: usize, node: Node) -> Result<(), InputError> {
        self.count(1, node.place.line)?;
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut().map(|open| &mut open.value) {
            None => self.documents.push(node),
            Some(Inside::List(nodes)) => nodes.push(node),
            Some(Inside::Table { key: key @ None, .. }) => match node.value {
                Value::Scalar { text, .. } => *key = Some((text, node.place.line)),
                _ => return Err(node.place.error("a list or a table as a key: expected a name")),
            },
            Some(Inside::Table { entries, merged, key }) => {
                let (key, line) = key.take().expect("the arm above has the case without a key");
                if key == "<<" || key == "<<<" {
                    merged.push((key == "<<<", node));
                    return Ok(());
                }
                if let Some(first) = entries.iter().find(|entry| entry.key == key) {
                    let place = Place { line, ..node.place };
                    let first = first.node.place.line;
                    return Err(
                        place.error(format!("the key `{key}` is here a second time (first: line {first})"))
                    );
                }
                entries.push(Entry { key, node, is_taken: Cell::new(false) });
            }
        }
        Ok(())
    }
}

/// The name of a tag without its exclamation mark.
fn name_of(tag: Option<Tag>) -> Option<String> {
    tag.map(|Tag { handle, suffix }| if handle == "!" { suffix } else { format!("{handle}{suffix}") })
}

/// Adds the entries of a table, or of each table of a list, that are not there yet.
fn merge(entries: &mut Vec<Entry>, node: Node, deep: bool) -> Result<(), InputError> {
    match node.value {
        Value::List(nodes) => nodes.into_iter().try_for_each(|node| merge(entries, node, deep)),
        Value::Table(others) => {
            for other in others {
                match entries.iter_mut().find(|entry| entry.key == other.key) {
                    None => entries.push(other),
                    Some(own) if deep => deepen(&mut own.node, other.node)?,
                    Some(_) => {}
                }
            }
            Ok(())
        }
        Value::Scalar { .. } => Err(node.expected("a table to merge, or a list of tables")),
    }
}

fn deepen(own: &mut Node, other: Node) -> Result<(), InputError> {
    if own.tag.as_deref() == Some("nomerge") {
        return Ok(());
    }
    match (&mut own.value, other.value) {
        (Value::Table(entries), value @ Value::Table(_)) => merge(entries, Node { value, ..other }, true),
        (Value::List(nodes), Value::List(others)) => {
            nodes.extend(others);
            Ok(())
        }
        _ => Ok(()),
    }
}
