//! A TOML key that takes one value or a list of them; and lists without repetitions.
//!
//! The key is not an untagged enum: serde would forget the line and the reason of a bad element.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::files::{ONE_OR_MANY, any_of};

/// At least one value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de> + PartialEq> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_tuple_struct(ONE_OR_MANY, 1, OneOrMany(PhantomData))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::files::read_toml;
    use crate::workload::Late;

    fn read<T>(text: &str) -> Result<Vec<T>, String>
    where
        for<'de> T: Deserialize<'de> + PartialEq,
    {
        let read = read_toml::<BTreeMap<String, List<T>>>(&format!("key = {text}"));
        let told = |e: crate::files::ReadError| format!("{} at {:?}", e.message(), e.span());
        read.map(|mut keys| keys.remove("key").expect("it is the key").0).map_err(told)
    }

    #[test]
    fn one_value_is_a_list_of_one() {
        assert_eq!(read("7"), Ok(vec![7u8]));
        assert_eq!(read("[7, 8]"), Ok(vec![7u8, 8]));
        assert_eq!(read("'abort'"), Ok(vec![Late::Abort]));
    }

    #[test]
    fn errors_are_at_the_value_and_say_what_it_may_be() {
        let words = "invalid type: value, expected `finish` or `abort` at Some(6..7)";
        assert_eq!(read::<Late>("5"), Err(words.to_string()));
        let words = "invalid type: value, expected `finish` or `abort` at Some(16..17)";
        assert_eq!(read::<Late>("['abort', 5]"), Err(words.to_string()));
        assert!(
            read::<u8>("[]").is_err_and(|e| e.starts_with("the list is empty") && e.ends_with("Some(6..8)"))
        );
        assert!(read::<u8>("[1, 1]").is_err_and(|e| e.starts_with("a value is listed twice")));
    }
}
