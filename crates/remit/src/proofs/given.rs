//! What a proof is made of, as one process gives it to another: policies, operations, invariants.

use std::collections::BTreeMap;
use std::io::Read;

use remit_domain::{Definition, Operation, State};
use remit_policy::{OperationShape, PolicySource, Projection, Shape, Verb};
use remit_prove::Invariant;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Bytes of all that is given. A realm's definitions take most of it.
const GIVEN_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// What is to be proved of what.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The policies: texts by name.
    policies: BTreeMap<String, String>,
    operations: Vec<GivenOperation>,
    /// A text of invariants, of which one is to be proved.
    invariants: String,
}

/// An operation, as far as policies see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenOperation {
    /// `connector/tool`.
    pub name: String,
    pub verb: Verb,
    pub definition: Definition,
    pub projections: Vec<Projection>,
}

/// An operation as `/v1/operations` lists it.
#[derive(Deserialize)]
struct Listed {
    name: String,
    verb: Verb,
    definition: Value,
    #[serde(default)]
    projections: Vec<Projection>,
}

/// What a proposal makes of an operation, as `/v1/changes/CHANGE` shows it.
#[derive(Deserialize)]
struct Chosen {
    verb: Verb,
    definition: Definition,
    #[serde(default)]
    projections: Vec<Projection>,
}

impl Given {
    /// The text `invariants`, of which one is to be proved of the policies and operations of `state`.
    pub fn of(state: &State, invariants: &str) -> Self {
        let mut operations: Vec<GivenOperation> =
            state.operations.values().map(|operation| GivenOperation::from(&**operation)).collect();
        operations.sort_by(|one, other| one.name.cmp(&other.name));
        Self { policies: BTreeMap::clone(&state.policies.sources), operations, invariants: invariants.to_owned() }
    }

    /// As [`Given::read`] takes it: the same for every invariant.
    ///
    /// # Errors
    /// If it is longer than that would read.
    pub fn written(&self) -> Result<Vec<u8>, String> {
        let written = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        if written.len() as u64 > GIVEN_BYTES_MAX {
            return Err(format!("policies and operations have more than {GIVEN_BYTES_MAX} bytes"));
        }
        Ok(written)
    }

    /// What `source` says, to its end.
    ///
    /// # Errors
    /// If it is too long, or not such a document.
    pub fn read(source: impl Read) -> Result<Self, String> {
        let mut text = String::new();
        source.take(GIVEN_BYTES_MAX).read_to_string(&mut text).map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    /// The invariant named `only`, the policies, and the operations that there are.
    ///
    /// # Errors
    /// If there is no such invariant, or if an operation's schema gives no shape.
    pub fn parts(self, only: &str) -> Result<(Invariant, Vec<PolicySource>, Vec<OperationShape>), String> {
        let invariants = Invariant::parse_all(&self.invariants).map_err(|error| error.to_string())?;
        let one = invariants.into_iter().find(|invariant| invariant.name == only);
        let one = one.ok_or_else(|| format!("there is no invariant `{only}`"))?;
        let sources = self.policies.into_iter().map(|(name, text)| PolicySource { name, text }).collect();
        let shapes = self.operations.iter().map(GivenOperation::shape).collect::<Result<_, _>>()?;
        Ok((one, sources, shapes))
    }
}

impl From<&Operation> for GivenOperation {
    fn from(operation: &Operation) -> Self {
        Self {
            name: operation.name.as_str().to_owned(),
            verb: operation.verb,
            definition: operation.definition.clone(),
            projections: operation.projections.clone(),
        }
    }
}

impl GivenOperation {
    /// The operation that is a row of `/v1/operations`.
    ///
    /// # Errors
    /// If the row says something else: one that is left out would be missing in a proof.
    pub fn listed(row: &Value) -> Result<Self, serde_json::Error> {
        let Listed { name, verb, definition, projections } = Listed::deserialize(row)?;
        Ok(Self { name, verb, definition: Definition { document: definition }, projections })
    }

    /// The operation `name` as an edit of it would leave it.
    ///
    /// # Errors
    /// If the edit says something else.
    pub fn chosen(name: &str, choice: &Value) -> Result<Self, serde_json::Error> {
        let Chosen { verb, definition, projections } = Chosen::deserialize(choice)?;
        Ok(Self { name: name.to_owned(), verb, definition, projections })
    }

    /// What policies see of it.
    ///
    /// # Errors
    /// If its schema cannot be used.
    pub fn shape(&self) -> Result<OperationShape, String> {
        let failed = |error: &dyn std::fmt::Display| format!("the operation `{}`: {error}", self.name);
        let schema = self.definition.input_schema();
        let shape = Shape::from_json_schema(&schema).map_err(|error| failed(&error))?;
        let arguments = shape.projecting(&schema, &self.projections).map_err(|error| failed(&error))?;
        let (connector, _) = self.name.split_once('/').ok_or_else(|| failed(&"its name has no connector"))?;
        Ok(OperationShape { id: self.name.clone(), connector: connector.to_owned(), verb: self.verb, arguments })
    }
}
