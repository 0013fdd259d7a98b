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

    /// Why a file may not name it, if it may not; the sentence goes on after its name.
    fn refusal(&self) -> Option<&'static str> {
        None
    }
}

/// What a file may name.
fn allowed<T: Registered>() -> impl Iterator<Item = &'static T> {
    T::ALL.iter().filter(|entry| entry.refusal().is_none())
}

impl<T: Registered> Named<T> {
    fn name(&self) -> &'static str {
        self.0.told()[0]
    }
}

impl<'de, T: Registered> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known: Vec<&str> = allowed::<T>().map(|entry| entry.told()[0]).collect();
        let found = T::ALL.iter().find(|entry| entry.told()[0] == name);
        match found.map(|entry| (entry, entry.refusal())) {
            Some((entry, None)) => Ok(Self(entry)),
            Some((_, Some(refusal))) => {
                Err(de::Error::custom(format!("`{name}` {refusal}; expected {}", known.join(", "))))
            }
            None => {
                let (noun, hint) = (T::NOUN, did_you_mean(&name, &known));
                Err(de::Error::custom(format!("no {noun} `{name}`{hint}; known: {}", known.join(", "))))
            }
        }
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
        let entries = allowed::<T>().map(T::told);
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
