//! Connectors: what can be reached.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::person::check_name;
use crate::{Actor, ConnectorId, Event, Moment, PersonId, Refusal, State, Timestamp};

#[cfg(test)]
mod tests;

/// How a connector is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConnectorSpec {
    /// An MCP server that Remit starts and speaks to over its standard input and output.
    ///
    /// INVARIANT: a spec that starts a process is accepted only from an administrator on the data directory's socket.
    Stdio {
        command: String,
        #[serde(default)]
        arguments: Vec<String>,
        /// Names of variables of Remit's own environment that the process gets, besides `PATH`, `HOME` and the locale.
        ///
        /// INVARIANT: names, never values: a value may be a secret, and the ledger is for others to read.
        #[serde(default)]
        environment: Vec<String>,
    },
    /// An MCP server over Streamable HTTP.
    Http { url: String },
}

/// Something that agents may reach, with an owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connector {
    pub id: ConnectorId,
    pub name: String,
    pub owner: PersonId,
    pub spec: ConnectorSpec,
    /// Whether it is for experiments: only agents of the environment `sandbox` reach it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sandbox: bool,
    pub added_at: Timestamp,
}

/// Makes a connector known. Nothing of it can be used until its operations are approved.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddConnector {
    pub name: String,
    pub owner: Option<PersonId>,
    pub spec: ConnectorSpec,
    /// Whether it is for experiments: only agents of the environment `sandbox` reach it.
    #[serde(default)]
    pub sandbox: bool,
}

/// A connector has been added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorAdded {
    pub connector: ConnectorId,
    pub name: String,
    pub owner: PersonId,
    pub spec: ConnectorSpec,
    /// Whether it is for experiments: only agents of the environment `sandbox` reach it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sandbox: bool,
}

pub(crate) fn decide_add(state: &State, actor: &Actor, add: &AddConnector, at: &Moment) -> Result<Vec<Event>, Refusal> {
    let person = actor.administrator(state)?;
    check_name("connector", &add.name)?;
    if state.connectors_by_name.contains_key(&add.name) {
        return Err(Refusal::new("name_taken", format!("there is already a connector `{}`", add.name)));
    }
    let owner = add.owner.unwrap_or(person);
    state.person(owner)?;
    check_spec(actor, &add.spec)?;
    Ok(vec![Event::ConnectorAdded(Box::new(ConnectorAdded {
        connector: at.fresh_id(),
        name: add.name.clone(),
        owner,
        spec: add.spec.clone(),
        sandbox: add.sandbox,
    }))])
}

fn check_spec(actor: &Actor, spec: &ConnectorSpec) -> Result<(), Refusal> {
    match spec {
        ConnectorSpec::Stdio { command, environment, .. } => {
            if !matches!(actor, Actor::Person { method: crate::SignInMethod::LocalSocket, .. }) {
                return Err(Refusal::new(
                    "local_only",
                    "a connector that starts a process can only be added on the machine itself",
                )
                .help("run `remit connector add` there, as the user that runs Remit"));
            }
            if command.trim().is_empty() {
                return Err(Refusal::new("bad_connector", "the command to start is empty"));
            }
            if let Some(wrong) = environment.iter().find(|name| !is_variable(name)) {
                return Err(Refusal::new("bad_connector", format!("`{wrong}` is not the name of a variable"))
                    .help("give the value to Remit in its own environment, and name the variable here"));
            }
        }
        ConnectorSpec::Http { url } => {
            let plain = url.starts_with("http://") || url.starts_with("https://");
            if !plain || url.contains('@') || url.contains('#') {
                return Err(Refusal::new(
                    "bad_connector",
                    format!("`{url}` is not an address of the form `https://host/path`"),
                )
                .help("credentials do not belong in the address"));
            }
        }
    }
    Ok(())
}

fn is_variable(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.len() <= crate::limits::NAME_BYTES_MAX && name.bytes().all(plain)
}

/// Removes a connector; its operations go with it.
pub(crate) fn decide_remove(state: &State, actor: &Actor, id: ConnectorId) -> Result<Vec<Event>, Refusal> {
    actor.administrator(state)?;
    let Some(connector) = state.connectors.get(&id) else { return Ok(Vec::new()) };
    let available = state.operations_of(&connector.name).filter(|operation| operation.withdrawn.is_none());
    let mut available: Vec<_> = available.map(|operation| operation.name.clone()).collect();
    available.sort();
    let reason = "the connector was removed";
    let withdrawn = |operation| Event::OperationWithdrawn { operation, reason: reason.to_owned() };
    let mut events: Vec<Event> = available.into_iter().map(withdrawn).collect();
    events.push(Event::ConnectorRemoved { connector: id });
    Ok(events)
}

pub(crate) fn apply_added(state: &mut State, added: &ConnectorAdded, at: Timestamp) {
    state.connectors_by_name.insert(added.name.clone(), added.connector);
    let connector = Connector {
        id: added.connector,
        name: added.name.clone(),
        owner: added.owner,
        spec: added.spec.clone(),
        sandbox: added.sandbox,
        added_at: at,
    };
    state.connectors.insert(added.connector, Arc::new(connector));
}

pub(crate) fn apply_removed(state: &mut State, id: ConnectorId) {
    if let Some(connector) = state.connectors.remove(&id) {
        state.connectors_by_name.remove(&connector.name);
    }
}
