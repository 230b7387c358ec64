//! What a connector's server offers now, beside what people have approved of it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{Connector, Definition, Operation, Refusal};
use serde_json::{Value, json};

use super::Answer;
use super::proposal::propose;
use crate::auth::SignedIn;
use crate::{Api, Problem, names};

/// The tools that the server of `connector` offers, by name. Asked for a person who may decide about them.
///
/// # Errors
/// If the caller is neither the connector's owner nor an administrator, or if the server cannot be asked.
pub(super) async fn offered(
    api: &Api,
    by: SignedIn,
    connector: &str,
) -> Result<(std::sync::Arc<Connector>, BTreeMap<String, Definition>), Problem> {
    let connector = api.engine.read(|state| {
        let connector = names::connector(state, connector)?.clone();
        // Asking a server may start its process, so it is for those who answer for the connector.
        if connector.owner == by.person || state.person(by.person)?.is_administrator() {
            return Ok(connector);
        }
        Err(Refusal::new("not_permitted", "only the connector's owner or an administrator may look at what it offers")
            .help("`remit connector show` names the owner"))
    })?;
    let mut tools = BTreeMap::new();
    for document in api.tools.definitions(&connector.spec).await? {
        let Some(name) = document.get("name").and_then(Value::as_str).map(str::to_owned) else { continue };
        if tools.insert(name.clone(), Definition { document }).is_some() {
            let sentence = format!("the server of `{}` lists the tool `{name}` twice", connector.name);
            return Err(Refusal::new("bad_tools", sentence)
                .help("nothing of it can be told apart; ask the server's maker")
                .into());
        }
    }
    Ok((connector, tools))
}

pub(crate) async fn tools(State(api): State<Api>, by: SignedIn, Path(connector): Path<String>) -> Answer {
    let (connector, offered) = offered(&api, by, &connector).await?;
    let state = api.engine.state();
    let pinned: BTreeMap<&str, &Operation> =
        state.operations_of(&connector.name).map(|operation| (operation.name.tool(), operation.as_ref())).collect();
    let mut items: Vec<Value> = offered
        .iter()
        .map(|(name, definition)| view(name, Some(definition), pinned.get(name.as_str()).copied()))
        .collect();
    let gone = pinned.iter().filter(|(name, _)| !offered.contains_key(**name));
    items.extend(gone.map(|(name, operation)| view(name, None, Some(operation))));
    Ok(Json(json!({"connector": {"id": connector.id, "name": connector.name}, "items": items})))
}

fn view(name: &str, offered: Option<&Definition>, pinned: Option<&Operation>) -> Value {
    let digest = offered.map(Definition::digest);
    let status = match (digest, pinned) {
        (None, _) => "gone",
        (Some(_), None) => "new",
        (Some(digest), Some(pinned)) if digest != pinned.digest => "changed",
        (Some(_), Some(pinned)) if pinned.withdrawn.is_some() => "withdrawn",
        (Some(_), Some(_)) => "pinned",
    };
    let document = offered.map(|definition| &definition.document);
    let text = |member: &str| document.and_then(|document| document.get(member)).and_then(Value::as_str);
    let proposed = document.map(propose).map(|proposal| {
        json!({"verb": proposal.verb, "risk": proposal.risk, "data": proposal.data, "external": proposal.external})
    });
    let decided = pinned.map(
        |pinned| json!({"verb": pinned.verb, "risk": pinned.risk, "data": pinned.data, "external": pinned.external}),
    );
    json!({
        "tool": name,
        "status": status,
        "title": text("title"),
        "description": text("description"),
        "digest": digest,
        "definition": document,
        "proposed": proposed,
        "approved": decided,
        "approved_digest": pinned.map(|pinned| pinned.digest),
        "approved_definition": pinned.filter(|_| status == "changed").map(|pinned| &pinned.definition.document),
        "withdrawn": pinned.and_then(|pinned| pinned.withdrawn.as_ref()),
    })
}
