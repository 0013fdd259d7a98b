//! The TOML parameters of registry entries: their names, and how they are read.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::suggest::with_suggestion;

/// A TOML parameter of a registry entry, such as a scheduler or an arrival process.
#[derive(Debug)]
pub struct Parameter {
    /// The key.
    pub name: &'static str,
    /// The default value as in TOML; empty if the parameter is required.
    pub default: &'static str,
    /// What the parameter does.
    pub doc: &'static str,
}

/// The parameters of an entry that takes none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParameters {}

/// Reads the parameters of one entry of a registry into its own struct; the error names the key.
pub fn parse_parameters<T: DeserializeOwned>(table: &toml::Table) -> Result<T, String> {
    let read: Result<T, toml::de::Error> = table.clone().try_into();
    read.map_err(|e| {
        let whole = e.to_string();
        let key = whole.rsplit_once("in `").and_then(|(_, rest)| rest.split('`').next());
        let value = key.and_then(|key| table.get(key)).map(ToString::to_string).unwrap_or_default();
        let told = super::told::of_value(e.message(), key, &value);
        told.unwrap_or_else(|| with_suggestion(whole.trim_end()).replace('\n', " "))
    })
}
