//! The schema of edits: one form for each sort of artefact.

use serde_json::{Map, Value, json};

/// A member's name (with `?` where it may be left out) and its kind.
type Member = (&'static str, &'static str);

/// What each artefact takes.
const EDITS: &[(&str, &[Member])] = &[
    ("policy", &[("name", "string"), ("text?", "string")]),
    ("connector", &[("name", "string"), ("owner?", "string"), ("spec", "ConnectorSpec"), ("sandbox?", "boolean")]),
    (
        "operation",
        &[
            ("operation", "string"),
            ("verb?", "string"),
            ("risk?", "integer"),
            ("data?", "string"),
            ("external?", "boolean"),
            ("irreversible?", "boolean"),
            ("projections?", "strings"),
            ("definition?", "object"),
        ],
    ),
    ("groups", &[("person", "string"), ("groups", "strings")]),
    ("approvers", &[("agent", "string"), ("owner?", "string"), ("approvers?", "strings")]),
    ("entitlements", &[("person", "string"), ("operations?", "strings")]),
    ("configuration", &[("agent", "string"), ("configuration?", "Configuration")]),
];

/// `Edit`, and what only edits have.
pub(super) fn schemas() -> Map<String, Value> {
    let forms: Vec<Value> = EDITS.iter().map(|(artefact, members)| form(artefact, members)).collect();
    let mut schemas = Map::new();
    schemas.insert("Edit".to_owned(), json!({"oneOf": forms}));
    schemas.insert("Configuration".to_owned(), super::requests::schema("Configuration", CONFIGURATION));
    schemas
}

const CONFIGURATION: &[Member] = &[("prompt?", "string"), ("model?", "string"), ("tools?", "strings")];

fn form(artefact: &str, members: &[Member]) -> Value {
    let mut schema = super::requests::schema("Edit", members);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("artefact".to_owned(), json!({"const": artefact}));
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.push("artefact".into());
    }
    schema
}
