//! Operations: the things a connector can do, each pinned to the definition that a person approved.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use remit_policy::{Projection, Shape, Verb};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Actor, ConnectorId, DataClass, Digest, Edit, Event, Feature, Moment, OperationEdit, PersonId, Refusal, State,
    Timestamp, change, limits,
};

#[cfg(test)]
mod tests;

/// `connector/tool`, the tool exactly as its server names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct OperationName(String);

impl OperationName {
    pub fn new(connector: &str, tool: &str) -> Self {
        Self(format!("{connector}/{tool}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn connector(&self) -> &str {
        self.0.split_once('/').map_or("", |(connector, _)| connector)
    }

    pub fn tool(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, tool)| tool)
    }
}

impl fmt::Display for OperationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for OperationName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Which operations: one by name, or all of a connector (`helpdesk/*`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct OperationPattern(String);

impl OperationPattern {
    pub fn covers(&self, operation: &OperationName) -> bool {
        match self.0.strip_suffix("/*") {
            Some(connector) => connector == operation.connector(),
            None => self.0 == operation.0,
        }
    }

    /// Whether everything that `other` covers is covered by this pattern too.
    pub fn contains(&self, other: &Self) -> bool {
        self == other
            || self
                .0
                .strip_suffix("/*")
                .is_some_and(|own| other.0.split_once('/').is_some_and(|(connector, _)| connector == own))
    }

    /// The connector, where this is all of it.
    pub fn connector(&self) -> Option<&str> {
        self.0.strip_suffix("/*")
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for OperationPattern {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for OperationPattern {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let well_formed = text.split_once('/').is_some_and(|(connector, tool)| {
            crate::person::check_name("connector", connector).is_ok()
                && !tool.is_empty()
                && tool.len() <= limits::NAME_BYTES_MAX * 2
                && (tool == "*" || !tool.contains('*'))
        });
        match well_formed {
            true => Ok(Self(text.to_owned())),
            false => Err(Refusal::new(
                "bad_operation",
                format!("`{}` is not an operation", text.chars().take(128).collect::<String>()),
            )
            .help("write `connector/tool`, or `connector/*` for all of a connector")),
        }
    }
}

impl TryFrom<String> for OperationPattern {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        text.parse()
    }
}

impl From<OperationPattern> for String {
    fn from(pattern: OperationPattern) -> Self {
        pattern.0
    }
}

/// What a server says an operation is. The pinned digest is over all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Definition {
    /// The tool's definition exactly as the server lists it (name, description, schemas, annotations).
    pub document: serde_json::Value,
}

impl Definition {
    pub fn digest(&self) -> Digest {
        Digest::of_document(&self.document)
    }

    /// The JSON schema of its arguments; an object that allows nothing if the server gave none.
    pub fn input_schema(&self) -> serde_json::Value {
        let empty = || serde_json::json!({"type": "object", "properties": {}, "additionalProperties": false});
        self.document.get("inputSchema").cloned().unwrap_or_else(empty)
    }
}

/// What a person decided about one operation when approving it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationChoice {
    /// The tool's name as its server lists it.
    pub tool: String,
    #[schemars(schema_with = "crate::schema::verb")]
    pub verb: Verb,
    /// 0 (none) to 3 (high).
    pub risk: u8,
    /// Highest class of data that it reads or discloses.
    pub data: DataClass,
    /// Whether it reaches outside the organisation.
    #[serde(default)]
    pub external: bool,
    /// Whether nobody can undo what it does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
    pub definition: Definition,
    /// What policies are shown of its arguments besides the arguments themselves.
    #[serde(default)]
    #[schemars(schema_with = "crate::schema::projections")]
    pub projections: Vec<Projection>,
}

/// Something that a connector can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    pub name: OperationName,
    pub verb: Verb,
    pub risk: u8,
    pub data: DataClass,
    pub external: bool,
    /// Whether nobody can undo what it does.
    #[serde(default)]
    pub irreversible: bool,
    pub definition: Definition,
    /// Digest of the pinned definition.
    pub digest: Digest,
    /// What policies are shown of its arguments besides the arguments themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projections: Vec<Projection>,
    pub approved_by: PersonId,
    pub approved_at: Timestamp,
    /// Why it is not available now, if it is not. It stays known, so that policies which name it stay valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
}

/// An operation has been approved as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OperationApproved {
    pub connector: ConnectorId,
    pub name: OperationName,
    #[schemars(schema_with = "crate::schema::verb")]
    pub verb: Verb,
    pub risk: u8,
    pub data: DataClass,
    pub external: bool,
    /// Whether nobody can undo what it does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
    pub definition: Definition,
    pub digest: Digest,
    /// What policies are shown of its arguments besides the arguments themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::projections")]
    pub projections: Vec<Projection>,
    pub by: PersonId,
}

impl Operation {
    /// What a person decided when approving it as it is.
    pub fn choice(&self) -> OperationChoice {
        OperationChoice {
            tool: self.name.tool().to_owned(),
            verb: self.verb,
            risk: self.risk,
            data: self.data,
            external: self.external,
            irreversible: self.irreversible,
            definition: self.definition.clone(),
            projections: self.projections.clone(),
        }
    }
}

/// Approves operations of a connector, each pinned to the definition that was shown: at once while the realm is being founded, else
/// as a proposal.
pub(crate) fn decide_approve(
    state: &State,
    actor: &Actor,
    connector: ConnectorId,
    choices: &[OperationChoice],
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let known = state.connectors.get(&connector).ok_or_else(|| Refusal::unknown("connector", connector))?;
    if actor.person()? != known.owner {
        actor.administrator(state)?;
    }
    if choices.is_empty() || choices.len() > limits::CONNECTOR_OPERATIONS_MAX {
        return Err(bad_selection());
    }
    let edit =
        |choice: &OperationChoice| Edit::Operation(Box::new(OperationEdit { connector, choice: choice.clone() }));
    let reason = format!("approve {} operations of the connector `{}`", choices.len(), known.name);
    change::settle(state, actor, choices.iter().map(edit).collect(), &reason, at)
}

fn bad_selection() -> Refusal {
    let sentence = format!("a connector has between 1 and {} operations", limits::CONNECTOR_OPERATIONS_MAX);
    Refusal::new("bad_selection", sentence)
}

/// What happens if `edit` comes about.
pub(crate) fn approved(state: &State, edit: &OperationEdit, by: PersonId) -> Result<Event, Refusal> {
    let connector = state.connectors.get(&edit.connector);
    let connector = connector.ok_or_else(|| Refusal::unknown("connector", edit.connector))?;
    let approved = approve_one(connector.id, &connector.name, &edit.choice, by)?;
    // Approving again what is there adds nothing.
    let is_new = !state.operations.contains_key(&approved.name);
    if is_new && state.operations_of(&connector.name).count() >= limits::CONNECTOR_OPERATIONS_MAX {
        return Err(bad_selection());
    }
    Ok(Event::OperationApproved(Box::new(approved)))
}

fn approve_one(
    connector: ConnectorId,
    connector_name: &str,
    choice: &OperationChoice,
    by: PersonId,
) -> Result<OperationApproved, Refusal> {
    let name: OperationPattern = format!("{connector_name}/{}", choice.tool).parse()?;
    if choice.tool == "*" || choice.risk > 3 {
        return Err(Refusal::new(
            "bad_operation",
            format!("`{}` needs a tool's name and a risk from 0 to 3", choice.tool),
        ));
    }
    let size = serde_json::to_vec(&choice.definition).map_or(usize::MAX, |bytes| bytes.len());
    if size > limits::DEFINITION_BYTES_MAX {
        let sentence = format!(
            "the definition of `{}` has {size} bytes; the limit is {}",
            choice.tool,
            limits::DEFINITION_BYTES_MAX
        );
        return Err(Refusal::new("definition_too_large", sentence).help("ask the server's maker for a shorter schema"));
    }
    if choice.definition.document.get("name").and_then(serde_json::Value::as_str) != Some(choice.tool.as_str()) {
        return Err(Refusal::new("bad_operation", format!("the definition of `{}` names another tool", choice.tool)));
    }
    must_be_built_in(choice)?;
    shape_of(&choice.tool, &choice.definition, &choice.projections)?;
    Ok(OperationApproved {
        connector,
        name: OperationName(name.0),
        verb: choice.verb,
        risk: choice.risk,
        data: choice.data,
        external: choice.external,
        irreversible: choice.irreversible,
        digest: choice.definition.digest(),
        definition: choice.definition.clone(),
        projections: choice.projections.clone(),
        by,
    })
}

/// What the policies know of a definition's arguments, with what is projected from them.
pub(crate) fn shape_of(name: &str, definition: &Definition, projections: &[Projection]) -> Result<Shape, Refusal> {
    let schema = definition.input_schema();
    let shape = Shape::from_json_schema(&schema)
        .map_err(|error| Refusal::new("bad_schema", format!("the schema of `{name}` cannot be used: {error}")))?;
    shape.projecting(&schema, projections).map_err(|error| {
        let refusal = Refusal::new("bad_projection", format!("`{name}`: {error}"));
        error.help().into_iter().fold(refusal, Refusal::help)
    })
}

/// A reserved name means one of Remit's own definitions: no server can have a tool of that name approved, whatever it says.
fn must_be_built_in(choice: &OperationChoice) -> Result<(), Refusal> {
    if !Feature::is_reserved(&choice.tool) {
        return Ok(());
    }
    match Feature::of_tool(&choice.tool) {
        Some(feature) if choice.definition.digest() == feature.digest() => Ok(()),
        Some(_) => {
            Err(Refusal::new("bad_operation", format!("the definition of `{}` is not Remit's own", choice.tool))
                .help("approve it as `remit connector tools` shows it"))
        }
        None => Err(Refusal::new("bad_operation", format!("no tool may have the reserved name `{}`", choice.tool))
            .help("names that begin with `@` are Remit's own; the server's maker has to rename the tool")),
    }
}

/// Makes an operation unavailable, for example because its server now says something else about it.
pub(crate) fn decide_withdraw(
    state: &State,
    actor: &Actor,
    name: &OperationName,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    if *actor != Actor::Remit {
        actor.administrator(state)?;
    }
    crate::person::check_text("reason", reason)?;
    let available = state.operations.get(name).filter(|operation| operation.withdrawn.is_none());
    let withdrawn = |_| Event::OperationWithdrawn { operation: name.clone(), reason: reason.to_owned() };
    Ok(available.map(withdrawn).into_iter().collect())
}

pub(crate) fn apply_approved(state: &mut State, approved: &OperationApproved, at: Timestamp) {
    let operation = Operation {
        name: approved.name.clone(),
        verb: approved.verb,
        risk: approved.risk,
        data: approved.data,
        external: approved.external,
        irreversible: approved.irreversible,
        definition: approved.definition.clone(),
        digest: approved.digest,
        projections: approved.projections.clone(),
        approved_by: approved.by,
        approved_at: at,
        withdrawn: None,
    };
    state.operations.insert(operation.name.clone(), Arc::new(operation));
    state.policies.changed();
}

pub(crate) fn apply_withdrawn(state: &mut State, name: &OperationName, reason: &str) {
    if let Some(operation) = state.operations.get_mut(name) {
        Arc::make_mut(operation).withdrawn = Some(reason.to_owned());
    }
}
