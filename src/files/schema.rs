//! JSON Schemas of the TOML files, so that editors complete keys and explain them. They are generated from the structs
//! that read the files and from the registries. Rules that depend on several keys are checked only when the file is
//! read.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::{Map, Value, json};

use super::parameters::Parameter;

/// The schema of a kind of file. Draft 7 without references: what every editor understands.
pub fn schema_of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>()
}

/// The schema of a number that is accepted if `ok` holds.
pub(super) fn number(allowed: &str, ok: fn(f64) -> bool) -> Schema {
    // Editors pass on TOML's inf as null.
    let types = if ok(f64::INFINITY) { json!(["number", "null"]) } else { json!("number") };
    let mut schema = json_schema!({ "type": types, "description": allowed });
    let bound = if ok(0.0) { "minimum" } else { "exclusiveMinimum" };
    // No number in a file may be negative, except for coordinates.
    if !ok(-1.0) {
        schema.insert(bound.into(), json!(0));
    }
    if ok(1.0) && !ok(1.0 + f64::EPSILON) {
        schema.insert("maximum".into(), json!(1));
    }
    schema
}

/// The schema of the table of one registry entry: `key` holds its name, beside its parameters and those of `more`, each
/// with a sentence. Values have no schema, because a registry has no types.
pub fn entry_table(
    key: &str,
    name: &str,
    doc: &str,
    parameters: &[Parameter],
    more: &[(&str, &str)],
) -> Schema {
    let described = |doc: &str| json!({ "description": doc });
    let mut properties = Map::new();
    properties.insert(key.into(), json!({ "const": name, "description": doc }));
    properties.extend(more.iter().map(|(name, doc)| (name.to_string(), described(doc))));
    let with_default = |p: &Parameter| match p.default {
        "" => described(p.doc),
        default => described(&format!("{} [default: {default}]", p.doc)),
    };
    properties.extend(parameters.iter().map(|p| (p.name.to_string(), with_default(p))));
    let given = parameters.iter().filter(|p| p.default.is_empty()).map(|p| p.name);
    let required: Vec<&str> = [key].into_iter().chain(given).collect();
    json_schema!({
        "type": "object",
        "description": doc,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// The schema of a value that matches any of the given schemas.
pub fn any_of(schemas: impl IntoIterator<Item = Schema>) -> Schema {
    json_schema!({ "anyOf": schemas.into_iter().map(Value::from).collect::<Vec<_>>() })
}
