//! A key that names an entry of a registry. It is read, described in the JSON Schema and compared by the name of the
//! entry.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::files::{any_of, did_you_mean};

/// An entry of a registry that a file names.
pub struct Named<T: 'static>(pub &'static T);

/// A type whose values are entries of a registry.
pub trait Registered: Sized + 'static {
    /// The noun for an entry, used in errors.
    const NOUN: &'static str;
    /// All entries.
    const ALL: &'static [Self];
    /// The name of the entry, and its description in one sentence.
    fn told(&self) -> [&'static str; 2];
}

impl<T: Registered> Named<T> {
    fn name(&self) -> &'static str {
        self.0.told()[0]
    }
}

impl<'de, T: Registered> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        T::ALL.iter().find(|entry| entry.told()[0] == name).map(Self).ok_or_else(|| {
            let known: Vec<&str> = T::ALL.iter().map(|entry| entry.told()[0]).collect();
            let (noun, hint) = (T::NOUN, did_you_mean(&name, &known));
            de::Error::custom(format!("no {noun} `{name}`{hint}; known: {}", known.join(", ")))
        })
    }
}

impl<T: Registered> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::NOUN.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let entries = T::ALL.iter().map(T::told);
        any_of(entries.map(|[name, doc]| json_schema!({ "const": name, "description": doc })))
    }
}

impl<T> Clone for Named<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Named<T> {}

impl<T: Registered> PartialEq for Named<T> {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl<T: Registered> fmt::Debug for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}
