//! A value with its place in the file.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::node::SPANNED;

/// A value and its place in the text of a [`super::source::Source`]. Only what is read as TOML has places.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spanned<T> {
    value: T,
    start: usize,
    end: usize,
}

impl<T> Spanned<T> {
    /// A value without a place, for a key that the file leaves out.
    pub fn nowhere(value: T) -> Self {
        Self { value, start: 0, end: 0 }
    }

    /// The place of the value.
    pub fn span(&self) -> Range<usize> {
        self.start..self.end
    }

    /// The value.
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The value without its place.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Parts<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Parts<T> {
            type Value = Spanned<T>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a value with its place")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Spanned<T>, A::Error> {
                let (start, end) = (parts.next_element()?, parts.next_element()?);
                match (start, end, parts.next_element()?) {
                    (Some(start), Some(end), Some(value)) => Ok(Spanned { value, start, end }),
                    _ => Err(A::Error::custom("a value without its place")),
                }
            }
        }

        d.deserialize_tuple_struct(SPANNED, 3, Parts(PhantomData))
    }
}

/// The schema of the value alone.
impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
