//! `/v1/connectors`: what can be reached, and which of its tools are approved.

pub(crate) mod approve;
pub(crate) mod tools;

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{AddConnector, Command, Connector, ConnectorId, ConnectorSpec, Event};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::{made, recorded};
use crate::{Api, Problem, names};

pub(crate) type Answer = Result<Json<Value>, Problem>;

fn view(state: &remit_domain::State, connector: &Connector) -> Value {
    let of_it = || state.operations_of(&connector.name);
    json!({
        "id": connector.id,
        "name": connector.name,
        "owner": names::of_person(state, connector.owner),
        "spec": view_spec(&connector.spec),
        "sandbox": connector.sandbox,
        "operations": of_it().filter(|operation| operation.withdrawn.is_none()).count(),
        "withdrawn": of_it().filter(|operation| operation.withdrawn.is_some()).count(),
        "added_at": connector.added_at.to_string(),
    })
}

fn view_spec(spec: &ConnectorSpec) -> Value {
    match spec {
        ConnectorSpec::Stdio { command, arguments, environment } => json!({
            "kind": "stdio",
            "command": command,
            "arguments": arguments,
            "environment": environment,
        }),
        ConnectorSpec::Http { url } => json!({"kind": "http", "url": url}),
    }
}

pub(crate) async fn list(State(api): State<Api>, _: SignedIn, Ask(query): Ask<PageQuery>) -> Answer {
    let state = api.engine.state();
    let connectors = state.connectors.values();
    let rows = connectors.map(|connector| (connector.name.clone(), connector.clone())).collect();
    page(rows, &query, |connector| view(&state, connector))
}

pub(crate) async fn show(State(api): State<Api>, by: SignedIn, Path(connector): Path<String>) -> Answer {
    let state = api.engine.state();
    let connector = names::connector(&state, &connector)?;
    let mut body = view(&state, connector);
    // What a server writes on its standard error may hold anything, so it is for those who answer for the connector.
    if remit_review::may_look(&state, by.person, connector).is_ok()
        && let Some(members) = body.as_object_mut()
    {
        members.insert("standing".to_owned(), json!(api.tools.standing(connector.id).await));
    }
    Ok(Json(body))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Add {
    name: String,
    /// Id or name of a person; whoever adds it if nobody is named.
    owner: Option<String>,
    spec: ConnectorSpec,
    /// Whether it is for experiments: only agents of the environment `sandbox` reach it.
    #[serde(default)]
    sandbox: bool,
}

pub(crate) async fn add(State(api): State<Api>, by: SignedIn, Body(add): Body<Add>) -> Answer {
    let owner = api.engine.read(|state| {
        add.owner.as_deref().map(|owner| names::person(state, owner).map(|person| person.id)).transpose()
    })?;
    let command = AddConnector { name: add.name, owner, spec: add.spec, sandbox: add.sandbox };
    let receipt = api.submit(by.actor(), Command::AddConnector(Box::new(command))).await?;
    let id: ConnectorId = made(&receipt, |event| match event {
        Event::ConnectorAdded(added) => Some(added.connector),
        _ => None,
    })?;
    let body = api.engine.read(|state| state.connectors.get(&id).map(|connector| view(state, connector)));
    Ok(recorded(body.unwrap_or_default(), &receipt))
}

pub(crate) async fn remove(State(api): State<Api>, by: SignedIn, Path(connector): Path<String>) -> Answer {
    let connector = api.engine.read(|state| names::connector(state, &connector).map(|connector| connector.id))?;
    let receipt = api.submit(by.actor(), Command::RemoveConnector { connector }).await?;
    Ok(recorded(json!({"id": connector, "removed": true}), &receipt))
}
