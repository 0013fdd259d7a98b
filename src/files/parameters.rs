//! The TOML parameters of registry entries: their names, and how they are read.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::node::read_table;
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
    read_table(table).map_err(|e| {
        let key = e.key();
        let value = key.as_ref().and_then(|key| table.get(key)).map(ToString::to_string).unwrap_or_default();
        let told = super::told::of_value(e.message(), key.as_deref(), &value);
        told.unwrap_or_else(|| with_suggestion(&e.to_string()))
    })
}
