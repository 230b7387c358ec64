//! What somebody else enforces, as a file: what is known of those who ask and of what they ask for, and the operations.

use std::path::Path;

use remit_domain::{ConnectorSpec, DataClass, Definition, Projection, Refusal, Thing, Verb};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Failure;

#[cfg(test)]
mod tests;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elsewhere {
    /// Whether what the enforcer says of a subject or resource counts more than what stands here.
    #[serde(default)]
    trusts_properties: bool,
    #[serde(default)]
    subject: Vec<Thing>,
    #[serde(default)]
    resource: Vec<Thing>,
    #[serde(default)]
    operation: Vec<Operation>,
}

/// One action on resources of the connector's type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    /// The action's name.
    name: String,
    #[serde(default)]
    description: String,
    verb: Verb,
    risk: u8,
    data: DataClass,
    #[serde(default)]
    external: bool,
    #[serde(default)]
    irreversible: bool,
    #[serde(default)]
    projections: Vec<Projection>,
    /// JSON schema of what policies may read: `subject`, `action`, `resource` and `context`.
    input_schema: Option<Map<String, Value>>,
}

/// Reads the file.
///
/// # Errors
/// If it cannot be read or used.
pub fn read(path: &Path) -> Result<Elsewhere, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    Ok(toml::from_str(&text).map_err(|error| {
        Refusal::new("bad_file", format!("`{}` cannot be used: {}", path.display(), error.to_string().trim_end()))
            .help("docs/guide/changes.md shows such a file")
    })?)
}

impl Elsewhere {
    /// How the connector is reached: not at all.
    pub fn spec(&self) -> ConnectorSpec {
        ConnectorSpec::Elsewhere {
            subjects: self.subject.clone(),
            resources: self.resource.clone(),
            trusts_properties: self.trusts_properties,
        }
    }

    /// The choices for `approve-tools`, each with its definition.
    pub fn choices(&self) -> Vec<Value> {
        self.operation.iter().map(Operation::choice).collect()
    }
}

impl Operation {
    fn choice(&self) -> Value {
        let schema = self.input_schema.clone().unwrap_or_else(nothing);
        let document = json!({"name": self.name, "description": self.description, "inputSchema": schema});
        json!({
            "tool": self.name,
            "verb": self.verb,
            "risk": self.risk,
            "data": self.data,
            "external": self.external,
            "irreversible": self.irreversible,
            "projections": self.projections,
            "definition": Definition { document },
        })
    }
}

/// Of an operation without a schema, policies see that it was asked for, and by whom.
fn nothing() -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), json!({}));
    schema
}
