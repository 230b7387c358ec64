//! The JSON schema of the ledger's events, for whoever reads a ledger without Remit.

use remit_policy::Verb;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use crate::Event;

#[cfg(test)]
mod tests;

/// The JSON schema (2020-12) of an [`Event`] as it is written. Every build gives the same document, its members sorted.
pub fn event_schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<Event>().to_value();
    // Without this the order would depend on what other crates ask of the JSON library.
    schema.sort_all_objects();
    schema
}

/// The schema of projections, as they are written.
pub(crate) fn projections(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"type": "string", "pattern": r"^[a-z][a-z0-9_]* = [a-z_]+\(.+\)$"}})
}

/// The schema of a [`Verb`]: `remit-policy` knows nothing of schemas.
pub(crate) fn verb(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": Verb::ALL.map(Verb::as_str)})
}
