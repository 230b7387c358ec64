//! Approving tools: each is pinned to the definition that the person was shown.

use axum::extract::{Path, State};
use remit_domain::{Command, DataClass, Definition, Digest, OperationChoice, Projection, Refusal, Verb};
use remit_review::Choice;
use serde::Deserialize;
use serde_json::{Value, json};

use super::tools;
use crate::auth::SignedIn;
use crate::changes::{Settled, settled};
use crate::input::Body;
use crate::{Api, names, operations};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choices {
    choices: Vec<ToolChoice>,
}

/// What a person decided about one tool.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolChoice {
    tool: String,
    verb: Verb,
    /// 0 (none) to 3 (high).
    risk: u8,
    data: DataClass,
    #[serde(default)]
    external: bool,
    /// Whether nobody can undo what it does.
    #[serde(default)]
    irreversible: bool,
    #[serde(default)]
    projections: Vec<Projection>,
    /// Digest of the definition that the person was shown, of a tool that a server lists.
    digest: Option<Digest>,
    /// The definition itself, of an operation that is enforced elsewhere: no server lists it.
    definition: Option<Definition>,
}

impl ToolChoice {
    fn listed(self) -> Result<Choice, Refusal> {
        let Self { tool, verb, risk, data, external, irreversible, projections, digest, definition } = self;
        match (digest, definition) {
            (Some(digest), None) => Ok(Choice { tool, verb, risk, data, external, irreversible, projections, digest }),
            _ => Err(Refusal::new(
                "bad_request",
                format!("`{tool}` needs the `digest` of what its server says, and no more"),
            )
            .help("`remit connector tools` shows it")),
        }
    }

    fn given(self) -> Result<OperationChoice, Refusal> {
        let Self { tool, verb, risk, data, external, irreversible, projections, digest, definition } = self;
        match (digest, definition) {
            (None, Some(definition)) => {
                Ok(OperationChoice { tool, verb, risk, data, external, irreversible, definition, projections })
            }
            _ => {
                let sentence = format!("`{tool}` needs its `definition`, since no server lists it, and no digest");
                Err(Refusal::new("bad_request", sentence)
                    .help("send `{\"document\": {\"name\": …, \"inputSchema\": …}}`"))
            }
        }
    }
}

pub(crate) async fn approve_tools(
    State(api): State<Api>,
    by: SignedIn,
    Path(connector): Path<String>,
    Body(Choices { choices }): Body<Choices>,
) -> Settled {
    let known = api.engine.read(|state| names::connector(state, &connector).cloned())?;
    let choices = if known.spec.is_elsewhere() {
        choices.into_iter().map(ToolChoice::given).collect::<Result<Vec<_>, _>>()?
    } else {
        let choices = choices.into_iter().map(ToolChoice::listed).collect::<Result<Vec<_>, _>>()?;
        let (connector, offered) = tools::offered(&api, by, &connector).await?;
        remit_review::pin(&connector.name, offered, choices)?
    };
    let command = Command::ApproveOperations { connector: known.id, choices };
    let receipt = api.submit(by.actor(), command).await?;
    settled(&api, &receipt, None, |state| {
        let connector = json!({"id": known.id, "name": known.name});
        let of_it = state.operations_of(&known.name);
        let mut items: Vec<(&str, Value)> =
            of_it.map(|operation| (operation.name.as_str(), operations::view(state, operation))).collect();
        items.sort_by_key(|(name, _)| *name);
        let items: Vec<Value> = items.into_iter().map(|(_, view)| view).collect();
        Ok(json!({"connector": connector, "items": items}))
    })
}
