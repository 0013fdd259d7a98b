//! A TOML key that takes one value or a list of them; and lists without repetitions.
//!
//! The key is not an untagged enum: serde would forget the line and the reason of a bad element.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{
    BoolDeserializer, F64Deserializer, I64Deserializer, I128Deserializer, MapAccessDeserializer,
    StrDeserializer, U64Deserializer,
};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::files::any_of;

/// At least one value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de> + PartialEq> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(OneOrMany(PhantomData))
    }
}

/// A list of values, or a single value.
impl<T: JsonSchema> JsonSchema for List<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("List_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = T::json_schema(generator);
        let values = json_schema!({ "type": "array", "items": value, "minItems": 1, "uniqueItems": true });
        any_of([value, values])
    }
}

struct OneOrMany<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + PartialEq> Visitor<'de> for OneOrMany<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value or a list of values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            // A cell that is listed twice would count as two seeds.
            if values.contains(&value) {
                return Err(A::Error::custom("a value is listed twice"));
            }
            values.push(value);
        }
        if values.is_empty() {
            return Err(A::Error::custom(
                "the list is empty: expected at least one value; leave the key out to use its default",
            ));
        }
        Ok(List(values))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<List<T>, E> {
        one(StrDeserializer::new(v))
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<List<T>, E> {
        one(BoolDeserializer::new(v))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<List<T>, E> {
        one(I64Deserializer::new(v))
    }

    fn visit_i128<E: Error>(self, v: i128) -> Result<List<T>, E> {
        one(I128Deserializer::new(v))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<List<T>, E> {
        one(U64Deserializer::new(v))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<List<T>, E> {
        one(F64Deserializer::new(v))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<List<T>, A::Error> {
        one(MapAccessDeserializer::new(map))
    }
}

/// Each value once, in order of first appearance.
pub(crate) fn distinct<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

fn one<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<List<T>, D::Error> {
    Ok(List(vec![T::deserialize(d)?]))
}
