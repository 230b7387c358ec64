//! What a person may reach directly, as far as that is on record: agents that act for them can be bounded by it.

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use remit_domain::{Command, Edit, OperationPattern, Refusal, limits};
use serde::Deserialize;

use super::{About, find, onwards, words};
use crate::errors::PageError;
use crate::pages::control::{self, written};
use crate::parts::text::shown;
use crate::session::SentForm;
use crate::{Console, layout};

pub(super) fn section(about: &About<'_>) -> Markup {
    let operations = about.person.entitlements.clone();
    let known: Vec<&str> = operations.iter().flatten().map(OperationPattern::as_str).collect();
    let edit = Edit::Entitlements { person: about.person.id, operations: operations.clone() };
    let same = Command::ProposeChange { edits: vec![edit], reason: "as it is".to_owned(), revert_of: None };
    let usable = control::may(about.state, about.viewer, &same, about.now);
    html! {
        section {
            h2 { "Entitlements" }
            @match &operations {
                None => p .quiet { "What they may reach directly is not on record here." },
                Some(none) if none.is_empty() => p { "On record: nothing." },
                Some(_) => p { @for operation in &known { code { (shown(operation)) } " " } },
            }
            details {
                summary { "Propose other entitlements" }
                form .stack method="post" action=(about.address("entitlements")) {
                    (layout::token(about.viewer))
                    label for="operations" { "Operations, one a line; " code { "connector/*" } " for all of a connector" }
                    textarea #operations name="operations" rows="4" disabled[usable.is_err()] { (known.join("\n")) }
                    label .check { input type="checkbox" name="unrecorded" value="yes" disabled[usable.is_err()]; "not on record here" }
                    label for="entitle-reason" { "Why" }
                    input #entitle-reason name="reason" required maxlength=(limits::TEXT_BYTES_MAX) disabled[usable.is_err()];
                    button type="submit" disabled[usable.is_err()] aria-describedby="entitle-why" { "Propose" }
                    (control::why("entitle-why", &usable))
                }
            }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Entitled {
    #[serde(default)]
    operations: String,
    /// Absent if the box is not ticked.
    #[serde(default)]
    unrecorded: String,
    #[serde(default)]
    reason: String,
}

impl Entitled {
    fn operations(&self) -> Result<Option<Vec<OperationPattern>>, Refusal> {
        if self.unrecorded == "yes" {
            return Ok(None);
        }
        words(&self.operations).iter().map(|text| text.parse()).collect::<Result<Vec<_>, _>>().map(Some)
    }
}

pub(crate) async fn propose(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Entitled>,
) -> Result<Redirect, PageError> {
    let person = console.engine.read(|state| find(state, &name).cloned())?;
    let edits = vec![Edit::Entitlements { person: person.id, operations: sent.fields.operations()? }];
    let command = Command::ProposeChange { edits, reason: written(&sent.fields.reason), revert_of: None };
    let receipt = console.engine.submit(sent.viewer.actor(), command).await?;
    Ok(onwards(&receipt, &format!("/people/{}", person.name)))
}
