//! A person's approval of one tool, as a form sends it.

use axum::extract::{Path, State};
use axum::response::Redirect;
use remit_domain::{Command, DataClass, Event, Refusal};
use remit_review::{Choice, projections_in};
use serde::Deserialize;

use super::find;
use crate::Console;
use crate::errors::PageError;
use crate::session::SentForm;

/// What the form says, all of it as text.
#[derive(Debug, Deserialize)]
pub(crate) struct Decision {
    #[serde(default)]
    tool: String,
    /// Digest of the definition that the page showed.
    #[serde(default)]
    digest: String,
    #[serde(default)]
    verb: String,
    #[serde(default)]
    risk: String,
    #[serde(default)]
    data: String,
    /// Absent if the box is not ticked.
    #[serde(default)]
    external: String,
    #[serde(default)]
    irreversible: String,
    #[serde(default)]
    projections: String,
}

impl Decision {
    fn choice(self) -> Result<Choice, Refusal> {
        let bad = |what: &str| {
            Refusal::new("bad_form", format!("the form's {what} cannot be used"))
                .help("reload the page and approve again")
        };
        let data = match self.data.as_str() {
            "D0" => DataClass::D0,
            "D1" => DataClass::D1,
            "D2" => DataClass::D2,
            "D3" => DataClass::D3,
            _ => return Err(bad("class of data")),
        };
        Ok(Choice {
            tool: self.tool,
            verb: self.verb.parse().map_err(|_| bad("verb"))?,
            risk: self.risk.parse().map_err(|_| bad("risk"))?,
            data,
            external: self.external == "yes",
            irreversible: self.irreversible == "yes",
            projections: projections_in(&self.projections)?,
            digest: self.digest.parse().map_err(|_| bad("digest"))?,
        })
    }
}

/// Pins one tool to what the page showed, or proposes to where somebody else has to agree; refused if its server says something else by now.
pub(crate) async fn approve(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Decision>,
) -> Result<Redirect, PageError> {
    let state = console.engine.state();
    let connector = find(&state, &name)?;
    remit_review::may_look(&state, sent.viewer.person, connector)?;
    let choice = sent.fields.choice()?;
    let documents = console.tools.definitions(&connector.spec).await?;
    let offered = remit_review::by_name(&connector.name, documents)?;
    let choices = remit_review::pin(&connector.name, offered, vec![choice])?;
    let command = Command::ApproveOperations { connector: connector.id, choices };
    let receipt = console.engine.submit(sent.viewer.actor(), command).await?;
    // Where somebody else has to agree, the page of what was proposed says so.
    let proposed = receipt.events.iter().find_map(|event| match event {
        Event::ChangeProposed(proposed) => Some(proposed.change),
        _ => None,
    });
    Ok(Redirect::to(&match proposed {
        Some(change) => format!("/changes/{change}"),
        None => format!("/connectors/{}/review", connector.name),
    }))
}
