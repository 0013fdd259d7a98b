//! What is read from TOML: the values of a file with their places, or tables that were read before.
//!
//! `toml` has a deserializer for each of these, and others inside them for places and dates. Every type that is read is compiled
//! for every deserializer that it might meet, which was a fifth of this crate. Here is one for all.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

/// The name under which [`Spanned`](super::Spanned) asks for the start and the end of a value, and for the value.
pub(super) const SPANNED: &str = "$mascot::Spanned";

/// The name under which a key that takes one value or a list asks for a list.
pub const ONE_OR_MANY: &str = "$mascot::OneOrMany";

/// Why a text or a table is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    message: String,
    span: Option<Range<usize>>,
    /// The keys that lead to the value, outermost first.
    keys: Vec<String>,
}

impl ReadError {
    /// What is wrong, in serde's words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The place in the text, if it has one.
    pub fn span(&self) -> Option<Range<usize>> {
        self.span.clone()
    }

    /// The keys that lead to the value, joined by dots; `None` for what is not below a key.
    pub(super) fn key(&self) -> Option<String> {
        (!self.keys.is_empty()).then(|| self.keys.join("."))
    }

    /// Puts an error that has no place yet at this one.
    fn at(self, span: &Range<usize>) -> Self {
        Self { span: self.span.or_else(|| Some(span.clone())), ..self }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)?;
        self.key().map_or(Ok(()), |key| write!(f, " in `{key}`"))
    }
}

impl std::error::Error for ReadError {}

impl serde::de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), span: None, keys: Vec::new() }
    }
}

/// Reads a text as TOML.
///
/// # Errors
/// The text is no TOML, or has unknown keys or values of a wrong type.
pub fn read_toml<T: DeserializeOwned>(text: &str) -> Result<T, ReadError> {
    let table = DeTable::parse(text).map_err(|e| ReadError {
        message: e.message().to_string(),
        span: e.span(),
        keys: Vec::new(),
    })?;
    T::deserialize(Node { at: table.span(), value: Content::Table(Entries::File(table.get_ref().iter())) })
}

/// Reads a value that has no text.
///
/// # Errors
/// The value has unknown keys or values of a wrong type.
pub fn read_value<T: DeserializeOwned>(value: &Value) -> Result<T, ReadError> {
    T::deserialize(Node::of_value(value))
}

/// Reads a table that has no text.
///
/// # Errors
/// The table has unknown keys or values of a wrong type.
pub(super) fn read_table<T: DeserializeOwned>(table: &Table) -> Result<T, ReadError> {
    T::deserialize(Node { at: NOWHERE, value: Content::Table(Entries::Values(table.iter())) })
}

/// The place of what has no text.
const NOWHERE: Range<usize> = 0..0;

/// A value and its place.
struct Node<'a> {
    at: Range<usize>,
    value: Content<'a>,
}

enum Content<'a> {
    Text(&'a str),
    Whole(i64),
    /// A whole number that is not an `i64`.
    Beyond(u64),
    Real(f64),
    Bool(bool),
    /// What no key takes: a date, or a number beyond what its type holds.
    Other(&'static str),
    List(Items<'a>),
    Table(Entries<'a>),
}

/// The entries of a list.
enum Items<'a> {
    File(std::slice::Iter<'a, toml::Spanned<DeValue<'a>>>),
    Values(std::slice::Iter<'a, Value>),
    /// Others, last first.
    Nodes(Vec<Node<'a>>),
}

/// The entries of a table.
enum Entries<'a> {
    File(toml::map::Iter<'a, toml::Spanned<Cow<'a, str>>, toml::Spanned<DeValue<'a>>>),
    Values(toml::map::Iter<'a, String, Value>),
}

impl<'a> Node<'a> {
    fn of_file(value: &'a toml::Spanned<DeValue<'a>>) -> Self {
        let content = match value.get_ref() {
            DeValue::String(text) => Content::Text(text),
            DeValue::Integer(number) => {
                let (digits, radix) = (number.as_str(), number.radix());
                match (i64::from_str_radix(digits, radix), u64::from_str_radix(digits, radix)) {
                    (Ok(whole), _) => Content::Whole(whole),
                    (_, Ok(beyond)) => Content::Beyond(beyond),
                    _ => Content::Other("integer"),
                }
            }
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(real) if real.is_finite() || number.as_str().contains("inf") || real.is_nan() => {
                    Content::Real(real)
                }
                _ => Content::Other("floating point"),
            },
            &DeValue::Boolean(is) => Content::Bool(is),
            DeValue::Datetime(_) => Content::Other("date"),
            DeValue::Array(list) => Content::List(Items::File(list.iter())),
            DeValue::Table(table) => Content::Table(Entries::File(table.iter())),
        };
        Self { at: value.span(), value: content }
    }

    fn of_value(value: &'a Value) -> Self {
        let content = match value {
            Value::String(text) => Content::Text(text),
            &Value::Integer(whole) => Content::Whole(whole),
            &Value::Float(real) => Content::Real(real),
            &Value::Boolean(is) => Content::Bool(is),
            Value::Datetime(_) => Content::Other("date"),
            Value::Array(list) => Content::List(Items::Values(list.iter())),
            Value::Table(table) => Content::Table(Entries::Values(table.iter())),
        };
        Self { at: NOWHERE, value: content }
    }

    fn place(place: usize) -> Self {
        Self { at: NOWHERE, value: Content::Beyond(place as u64) }
    }

    /// The value, with its place before it.
    fn spanned(self) -> Items<'a> {
        let Range { start, end } = self.at;
        Items::Nodes(vec![self, Self::place(end), Self::place(start)])
    }
}

impl<'a> Entries<'a> {
    fn len(&self) -> usize {
        match self {
            Self::File(entries) => entries.len(),
            Self::Values(entries) => entries.len(),
        }
    }

    fn next(&mut self) -> Option<(Node<'a>, Node<'a>)> {
        match self {
            Self::File(entries) => entries.next().map(|(key, value)| {
                (Node { at: key.span(), value: Content::Text(key.get_ref()) }, Node::of_file(value))
            }),
            Self::Values(entries) => entries
                .next()
                .map(|(key, value)| (Node { at: NOWHERE, value: Content::Text(key) }, Node::of_value(value))),
        }
    }
}

impl<'a> Items<'a> {
    fn len(&self) -> usize {
        match self {
            Self::File(items) => items.len(),
            Self::Values(items) => items.len(),
            Self::Nodes(items) => items.len(),
        }
    }

    fn next(&mut self) -> Option<Node<'a>> {
        match self {
            Self::File(items) => items.next().map(Node::of_file),
            Self::Values(items) => items.next().map(Node::of_value),
            Self::Nodes(items) => items.pop(),
        }
    }
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let at = self.at;
        let read = match self.value {
            Content::Text(text) => visitor.visit_str(text),
            Content::Whole(number) => visitor.visit_i64(number),
            Content::Beyond(number) => visitor.visit_u64(number),
            Content::Real(number) => visitor.visit_f64(number),
            Content::Bool(is) => visitor.visit_bool(is),
            Content::Other(what) => Err(ReadError::invalid_type(Unexpected::Other(what), &visitor)),
            Content::List(items) => {
                let (length, mut list) = (items.len(), List(items));
                let read = visitor.visit_seq(&mut list);
                // A pair of three is an error, which serde leaves to its formats.
                read.and_then(|read| match list.0.len() {
                    0 => Ok(read),
                    _ => Err(ReadError::invalid_length(length, &"fewer elements in array")),
                })
            }
            Content::Table(entries) => visitor.visit_map(Map { entries, value: None }),
        };
        read.map_err(|e| e.at(&at))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let at = self.at.clone();
        visitor.visit_some(self).map_err(|e| e.at(&at))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let at = self.at.clone();
        visitor.visit_newtype_struct(self).map_err(|e| e.at(&at))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let is_list = matches!(self.value, Content::List(_));
        match name {
            SPANNED => visitor.visit_seq(&mut List(self.spanned())),
            ONE_OR_MANY if !is_list => visitor.visit_seq(&mut List(Items::Nodes(vec![self]))),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let at = self.at.clone();
        let (name, value) = match self.value {
            Content::Text(_) => (self, None),
            Content::Table(mut entries) => match (entries.len(), entries.next()) {
                (1, Some((name, value))) => (name, Some(value)),
                (0, _) => return Err(ReadError::custom("wanted exactly 1 element, found 0 elements").at(&at)),
                _ => return Err(ReadError::custom("wanted exactly 1 element, more than 1 element").at(&at)),
            },
            _ => {
                let words: Vec<String> = variants.iter().map(|word| format!("`{word}`")).collect();
                let expected = words.join(" or ");
                return Err(ReadError::invalid_type(Unexpected::Other("value"), &&expected[..]).at(&at));
            }
        };
        visitor.visit_enum(Variant { name, value }).map_err(|e| e.at(&at))
    }

    forward_to_deserialize_any! {
        bool u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 f32 f64 char str string seq bytes byte_buf map unit ignored_any
        unit_struct struct tuple identifier
    }
}

/// The entries of a list that are not read yet.
struct List<'a>(Items<'a>);

impl<'de> SeqAccess<'de> for List<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        self.0.next().map(|item| seed.deserialize(item)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// The entries of a table that are not read yet.
struct Map<'a> {
    entries: Entries<'a>,
    /// The last key that was read, and its value until that is.
    value: Option<(&'a str, Node<'a>)>,
}

impl<'de> MapAccess<'de> for Map<'_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        let at = key.at.clone();
        if let Content::Text(name) = key.value {
            self.value = Some((name, value));
        }
        seed.deserialize(key).map(Some).map_err(|e| e.at(&at))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let (key, value) = self.value.take().expect("serde asks for a value after its key");
        let at = value.at.clone();
        seed.deserialize(value).map_err(|e| {
            let mut e = e.at(&at);
            e.keys.insert(0, key.to_string());
            e
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// A variant: a word, or a table with one key.
struct Variant<'a> {
    name: Node<'a>,
    value: Option<Node<'a>>,
}

impl<'a, 'de> EnumAccess<'de> for Variant<'a> {
    type Error = ReadError;
    type Variant = OfVariant<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, OfVariant<'a>), ReadError> {
        let at = self.name.at.clone();
        let variant = seed.deserialize(self.name).map_err(|e| e.at(&at))?;
        Ok((variant, OfVariant(self.value)))
    }
}

/// What a variant holds.
struct OfVariant<'a>(Option<Node<'a>>);

impl<'a> OfVariant<'a> {
    /// The value of a variant that must have one.
    fn value(self, expected: &str) -> Result<Node<'a>, ReadError> {
        self.0.ok_or_else(|| ReadError::invalid_type(Unexpected::UnitVariant, &expected))
    }
}

impl<'de> VariantAccess<'de> for OfVariant<'_> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        match self.0 {
            None => Ok(()),
            Some(Node { value: Content::Table(entries), .. }) if entries.len() == 0 => Ok(()),
            Some(Node { at, .. }) => Err(ReadError::custom("expected empty table").at(&at)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, ReadError> {
        seed.deserialize(self.value("newtype variant")?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.value("tuple variant")?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.value("struct variant")?.deserialize_any(visitor)
    }
}
