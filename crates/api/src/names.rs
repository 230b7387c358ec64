//! From what people write to what is meant, and back: ids and names are accepted alike.

use std::str::FromStr;
use std::sync::Arc;

use remit_domain::{Agent, AgentId, Connector, ConnectorId, Id, Kind, OperationName, Person, PersonId, Refusal, State};
use serde_json::{Value, json};

use crate::limits;

fn shown(text: &str) -> String {
    text.chars().take(limits::ECHO_CHARACTERS_MAX).collect()
}

/// The person with this id or name.
pub(crate) fn person<'a>(state: &'a State, text: &str) -> Result<&'a Arc<Person>, Refusal> {
    match PersonId::from_str(text) {
        Ok(id) => state.person(id),
        Err(_) => state.person_named(&shown(text)),
    }
}

/// The agent with this id or name.
pub(crate) fn agent<'a>(state: &'a State, text: &str) -> Result<&'a Arc<Agent>, Refusal> {
    match AgentId::from_str(text) {
        Ok(id) => state.agent(id),
        Err(_) => state.agent_named(&shown(text)),
    }
}

/// The connector with this id or name.
pub(crate) fn connector<'a>(state: &'a State, text: &str) -> Result<&'a Arc<Connector>, Refusal> {
    match ConnectorId::from_str(text) {
        Ok(id) => state.connectors.get(&id).ok_or_else(|| Refusal::unknown("connector", id)),
        Err(_) => state.connector_named(&shown(text)),
    }
}

/// The id that a `what` has; whatever is no id names nothing.
pub(crate) fn id<K: Kind>(what: &str, text: &str) -> Result<Id<K>, Refusal> {
    text.parse().map_err(|_| Refusal::unknown(what, shown(text)))
}

/// The operation `connector/tool`.
pub(crate) fn operation(text: &str) -> Result<OperationName, Refusal> {
    let parts = text.split_once('/').filter(|(connector, tool)| !connector.is_empty() && !tool.is_empty());
    let (connector, tool) = parts.ok_or_else(|| {
        Refusal::new("bad_operation", format!("`{}` is not an operation", shown(text))).help("write `connector/tool`")
    })?;
    Ok(OperationName::new(connector, tool))
}

/// A person as answers show them: id, and name while they are known.
pub(crate) fn of_person(state: &State, id: PersonId) -> Value {
    json!({"id": id, "name": state.people.get(&id).map(|person| &person.name)})
}

/// As [`of_person`], where there may be nobody.
pub(crate) fn of_somebody(state: &State, id: Option<PersonId>) -> Value {
    id.map_or(Value::Null, |id| of_person(state, id))
}

/// An agent as answers show it: id and name.
pub(crate) fn of_agent(state: &State, id: AgentId) -> Value {
    json!({"id": id, "name": state.agents.get(&id).map(|agent| &agent.name)})
}
