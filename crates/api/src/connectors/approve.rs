//! Approving tools: each is pinned to the definition that the person was shown.

use axum::extract::{Path, State};
use remit_domain::Command;
use remit_review::Choice;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, tools};
use crate::auth::SignedIn;
use crate::input::Body;
use crate::receipts::recorded;
use crate::{Api, operations};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choices {
    choices: Vec<Choice>,
}

pub(crate) async fn approve_tools(
    State(api): State<Api>,
    by: SignedIn,
    Path(connector): Path<String>,
    Body(Choices { choices }): Body<Choices>,
) -> Answer {
    let (connector, offered) = tools::offered(&api, by, &connector).await?;
    let choices = remit_review::pin(&connector.name, offered, choices)?;
    let command = Command::ApproveOperations { connector: connector.id, choices };
    let receipt = api.submit(by.actor(), command).await?;
    let state = api.engine.state();
    let mut items: Vec<(&str, Value)> = state
        .operations_of(&connector.name)
        .map(|operation| (operation.name.as_str(), operations::view(&state, operation)))
        .collect();
    items.sort_by_key(|(name, _)| *name);
    let items: Vec<Value> = items.into_iter().map(|(_, view)| view).collect();
    Ok(recorded(json!({"connector": {"id": connector.id, "name": connector.name}, "items": items}), &receipt))
}
