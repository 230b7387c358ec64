//! Approving tools: each is pinned to the definition that the person was shown.

use axum::extract::{Path, State};
use remit_domain::{Command, DataClass, Digest, OperationChoice, Refusal, Verb};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, tools};
use crate::auth::SignedIn;
use crate::input::Body;
use crate::receipts::recorded;
use crate::{Api, operations};

/// What a person decided about one tool.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    tool: String,
    verb: Verb,
    risk: u8,
    data: DataClass,
    #[serde(default)]
    external: bool,
    /// Digest of the definition that the person was shown.
    digest: Digest,
}

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
    let (connector, mut offered) = tools::offered(&api, by, &connector).await?;
    let mut decided = Vec::with_capacity(choices.len());
    for choice in choices {
        let definition = offered.remove(&choice.tool).ok_or_else(|| {
            Refusal::unknown("tool", &choice.tool).help(format!(
                "`remit connector tools {}` shows what it offers; each tool is named once",
                connector.name
            ))
        })?;
        // INVARIANT: what is pinned is what was shown, and it is what the server says now.
        if definition.digest() != choice.digest {
            let sentence = format!("the definition of `{}` is not the one that you were shown", choice.tool);
            return Err(Refusal::new("definition_changed", sentence)
                .help("look at it again before approving it")
                .into());
        }
        decided.push(OperationChoice {
            tool: choice.tool,
            verb: choice.verb,
            risk: choice.risk,
            data: choice.data,
            external: choice.external,
            definition,
        });
    }
    let command = Command::ApproveOperations { connector: connector.id, choices: decided };
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
