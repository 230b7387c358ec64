//! Connectors: what can be reached.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::person::check_name;
use crate::{Actor, ConnectorId, Edit, Event, Moment, PersonId, Refusal, State, Timestamp, change, limits};

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
    /// What somebody else enforces, another gateway or an application: Remit decides and records, and nothing is called through it.
    ///
    /// Its operations are `RESOURCE-TYPE/ACTION`, with the connector's name as the type (OpenID AuthZEN 1.0 section 5).
    Elsewhere {
        /// What is known of those who ask, besides the people of the realm.
        #[serde(default)]
        subjects: Vec<Thing>,
        /// What is known of what they ask for.
        #[serde(default)]
        resources: Vec<Thing>,
        /// Whether what the enforcer says of a subject or resource counts more than what is known here.
        #[serde(default)]
        trusts_properties: bool,
    },
}

/// A subject or a resource of what is enforced elsewhere, with what policies may read of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Thing {
    pub id: String,
    #[serde(default)]
    pub properties: serde_json::Map<String, serde_json::Value>,
}

impl ConnectorSpec {
    /// Whether somebody else enforces what Remit decides about it.
    pub fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Elsewhere { .. })
    }
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddConnector {
    pub name: String,
    pub owner: Option<PersonId>,
    pub spec: ConnectorSpec,
    /// Whether it is for experiments: only agents of the environment `sandbox` reach it.
    #[serde(default)]
    pub sandbox: bool,
}

/// What Remit offers agents itself stands under this name where connectors are joined: see
/// [`RequestAccess`](crate::RequestAccess). No connector is added by it.
const RESERVED: &str = "remit";

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

/// Adds a connector: at once while the realm is being founded, else as a proposal.
pub(crate) fn decide_add(state: &State, actor: &Actor, add: &AddConnector, at: &Moment) -> Result<Vec<Event>, Refusal> {
    let person = actor.administrator(state)?;
    if state.connectors_by_name.contains_key(&add.name) {
        return Err(Refusal::new("name_taken", format!("there is already a connector `{}`", add.name))
            .help("`remit change propose` changes how it is reached"));
    }
    let add = AddConnector { owner: Some(add.owner.unwrap_or(person)), ..add.clone() };
    let reason = format!("add the connector `{}`", add.name);
    change::settle(state, actor, vec![Edit::Connector(Box::new(add))], &reason, at)
}

/// What happens if `add` comes about: a connector more, or the one of this name reached in another way.
pub(crate) fn added(state: &State, add: &AddConnector, by: PersonId, at: &Moment) -> Result<Vec<Event>, Refusal> {
    check_name("connector", &add.name)?;
    if add.name == RESERVED {
        return Err(Refusal::new("reserved_name", format!("the name `{RESERVED}` is for what Remit offers itself"))
            .help("choose another name for the connector"));
    }
    let known = state.connector_named(&add.name).ok();
    let owner = add.owner.or(known.map(|known| known.owner)).unwrap_or(by);
    state.person(owner)?;
    if let Some(known) = known {
        // What was approved of the one would be used of the other.
        let same_sort = std::mem::discriminant(&known.spec) == std::mem::discriminant(&add.spec);
        if !same_sort || known.sandbox != add.sandbox {
            let sentence = format!("the connector `{}` cannot become one of another sort", add.name);
            return Err(Refusal::new("bad_connector", sentence).help("remove it, and add the other as a new one"));
        }
    }
    // Another way to it is another connector of the same name, so that nobody goes on with a connection to the former one. What was
    // approved of it stays approved, and is compared with what the new one offers before the first call.
    let mut events: Vec<Event> =
        known.map(|known| Event::ConnectorRemoved { connector: known.id }).into_iter().collect();
    events.push(Event::ConnectorAdded(Box::new(ConnectorAdded {
        connector: at.fresh_id(),
        name: add.name.clone(),
        owner,
        spec: add.spec.clone(),
        sandbox: add.sandbox,
    })));
    Ok(events)
}

pub(crate) fn check_spec(actor: &Actor, spec: &ConnectorSpec) -> Result<(), Refusal> {
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
        ConnectorSpec::Elsewhere { subjects, resources, .. } => {
            check_catalogue("subject", subjects)?;
            check_catalogue("resource", resources)?;
        }
    }
    Ok(())
}

fn check_catalogue(what: &str, things: &[Thing]) -> Result<(), Refusal> {
    let bytes = serde_json::to_vec(things).map_or(usize::MAX, |bytes| bytes.len());
    if things.len() > limits::CATALOGUE_MAX || bytes > limits::CATALOGUE_BYTES_MAX {
        let sentence = format!("at most {} {what}s in {} bytes", limits::CATALOGUE_MAX, limits::CATALOGUE_BYTES_MAX);
        return Err(Refusal::new("bad_connector", sentence).help("have the enforcer send properties with its requests"));
    }
    let mut ids = BTreeSet::new();
    let wrong = things.iter().find(|thing| {
        thing.id.is_empty() || thing.id.contains(crate::refusal::is_unsafe_to_show) || !ids.insert(thing.id.as_str())
    });
    match wrong {
        None => Ok(()),
        Some(thing) => {
            let sentence =
                format!("the {what} `{}` has no name that can be shown, or is there twice", thing.id.escape_debug());
            Err(Refusal::new("bad_connector", sentence))
        }
    }
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
