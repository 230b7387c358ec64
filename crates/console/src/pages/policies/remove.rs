//! Proposing that a policy is removed.

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use remit_domain::{Command, Edit, PolicyEdit, limits};
use serde::Deserialize;

use super::{onwards, unknown};
use crate::errors::PageError;
use crate::pages::control::written;
use crate::session::{SentForm, Viewer};
use crate::{Console, layout};

pub(super) fn section(viewer: &Viewer, name: &str) -> Markup {
    html! {
        section {
            h2 { "Remove it" }
            details {
                summary { "Propose to remove this policy" }
                form .stack method="post" action={ "/policies/" (name) "/remove" } {
                    (layout::token(viewer))
                    label for="remove-reason" { "Why it is not needed" }
                    textarea #remove-reason name="reason" rows="2" required maxlength=(limits::TEXT_BYTES_MAX) {}
                    button .danger type="submit" { "Propose to remove it" }
                    p .quiet { "It stays active until somebody else agrees, and its history stays for good." }
                }
            }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Removal {
    #[serde(default)]
    reason: String,
}

pub(crate) async fn propose(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Removal>,
) -> Result<Redirect, PageError> {
    if !console.engine.read(|state| state.policies.sources.contains_key(&name)) {
        return Err(unknown(&name).into());
    }
    let edits = vec![Edit::Policy(PolicyEdit { name, text: None })];
    let command = Command::ProposeChange { edits, reason: written(&sent.fields.reason), revert_of: None };
    let receipt = console.engine.submit(sent.viewer.actor(), command).await?;
    Ok(Redirect::to(&onwards(&receipt, "/policies".to_owned())))
}
