//! `/v1/connectors`: what can be reached, and which of its tools are approved.

pub(crate) mod approve;
pub(crate) mod tools;

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{AddConnector, Command, Connector, ConnectorSpec, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::as_of::AsOf;
use crate::auth::SignedIn;
use crate::changes::{Settled, settled};
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::recorded;
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
        ConnectorSpec::Elsewhere { subjects, resources, trusts_properties } => json!({
            "kind": "elsewhere",
            "subjects": subjects,
            "resources": resources,
            "trusts_properties": trusts_properties,
        }),
    }
}

pub(crate) async fn list(_: SignedIn, AsOf { state, .. }: AsOf, Ask(query): Ask<PageQuery>) -> Answer {
    let connectors = state.connectors.values();
    let rows = connectors.map(|connector| (connector.name.clone(), connector.clone())).collect();
    page(rows, &query, |connector| view(&state, connector))
}

pub(crate) async fn show(
    State(api): State<Api>,
    by: SignedIn,
    AsOf { state, .. }: AsOf,
    Path(connector): Path<String>,
) -> Answer {
    let connector = names::connector(&state, &connector)?;
    let mut body = view(&state, connector);
    // What a server writes on its standard error may hold anything, so it is for those who answer for the connector.
    // Who that is, is asked of the state as it is now, of whenever the answer is.
    if api.engine.read(|now| remit_review::may_look(now, by.person, connector)).is_ok()
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

impl Add {
    /// With the id of the person who is named.
    pub(crate) fn resolve(self, state: &remit_domain::State) -> Result<AddConnector, Refusal> {
        let owner = self.owner.as_deref().map(|owner| names::person(state, owner).map(|person| person.id));
        Ok(AddConnector { name: self.name, owner: owner.transpose()?, spec: self.spec, sandbox: self.sandbox })
    }
}

pub(crate) async fn add(State(api): State<Api>, by: SignedIn, Body(add): Body<Add>) -> Settled {
    let command = api.engine.read(|state| add.resolve(state))?;
    let name = command.name.clone();
    let receipt = api.submit(by.actor(), Command::AddConnector(Box::new(command))).await?;
    settled(&api, &receipt, None, |state| Ok(view(state, state.connector_named(&name)?)))
}

pub(crate) async fn remove(State(api): State<Api>, by: SignedIn, Path(connector): Path<String>) -> Answer {
    let connector = api.engine.read(|state| names::connector(state, &connector).map(|connector| connector.id))?;
    let receipt = api.submit(by.actor(), Command::RemoveConnector { connector }).await?;
    Ok(recorded(json!({"id": connector, "removed": true}), &receipt))
}
