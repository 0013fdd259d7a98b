//! A value of a swept key whose default is what the file of the system says: a value, or the word `own`.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{F64Deserializer, StrDeserializer};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::sla_reference::OWN;
use crate::files::any_of;

/// A value, or `None` for the system's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrOwn<T>(pub Option<T>);

impl<T: Serialize> Serialize for OrOwn<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => value.serialize(s),
            None => s.serialize_str(OWN),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrOwn<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(WordOrNumber(PhantomData))
    }
}

struct WordOrNumber<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for WordOrNumber<T> {
    type Value = OrOwn<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "a value, or \"{OWN}\"")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<OrOwn<T>, E> {
        match word == OWN {
            true => Ok(OrOwn(None)),
            false => T::deserialize(StrDeserializer::new(word)).map(|value| OrOwn(Some(value))),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<OrOwn<T>, E> {
        T::deserialize(F64Deserializer::new(number)).map(|value| OrOwn(Some(value)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<OrOwn<T>, E> {
        self.visit_f64(number as f64)
    }
}

impl<T: JsonSchema> JsonSchema for OrOwn<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}_or_own", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        any_of([T::json_schema(generator), json_schema!({ "const": OWN })])
    }
}
