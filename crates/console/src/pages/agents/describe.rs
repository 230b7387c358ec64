//! An agent's record, changed in a form.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use remit_domain::{AgentStatus, Command, Refusal};

use super::profile::{Form, Typed};
use super::{About, Tab, address};
use crate::Console;
use crate::errors::{PageError, status_of};
use crate::layout;
use crate::pages::control;
use crate::pages::people::onwards;
use crate::session::{SentForm, Viewer};

pub(crate) async fn form(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let about = About::new(&state, &viewer, &name, now)?;
    let typed = Typed::of(&state, &about.agent.name, &about.agent.profile);
    Ok(page(&about, &typed, None))
}

pub(crate) async fn describe(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Typed>,
) -> Result<Response, PageError> {
    let (viewer, typed) = (sent.viewer, sent.fields);
    let (state, now) = (console.engine.state(), console.engine.now());
    let about = About::new(&state, &viewer, &name, now)?;
    let submitted = match typed.profile(&state, &about.agent.profile) {
        Ok(profile) => {
            let command = Command::DescribeAgent { agent: about.agent.id, profile: Box::new(profile) };
            console.engine.submit(viewer.actor(), command).await.map_err(PageError::from)
        }
        Err(refusal) => Err(refusal.into()),
    };
    match submitted {
        Ok(receipt) => Ok(onwards(&receipt, &address(about.agent)).into_response()),
        Err(PageError::Refused(refusal)) if refusal.code != "step_up_needed" => {
            Ok((status_of(&refusal), page(&about, &typed, Some(&refusal))).into_response())
        }
        Err(other) => Err(other),
    }
}

fn page(about: &About<'_>, typed: &Typed, problem: Option<&Refusal>) -> Markup {
    let (agent, profile) = (about.agent.id, Box::new(about.agent.profile.clone()));
    let usable = match about.can(&Command::DescribeAgent { agent, profile }) {
        // It is this that the form is there to mend.
        Err(refusal) if refusal.code == "agent_incomplete" => Ok(()),
        other => other,
    };
    let form = Form { typed, problem, is_usable: usable.is_ok() };
    let is_draft = about.agent.status == AgentStatus::Draft;
    about.page(
        Tab::Beside("Its record"),
        &html! {
            form .stack method="post" action=(about.address("describe")) {
                (layout::token(about.viewer))
                (form.problem())
                (form.record())
                button .primary type="submit" disabled[usable.is_err()] aria-describedby="describe-why" { "Keep this" }
                (control::why("describe-why", &usable))
                @if !is_draft {
                    p .quiet {
                        "What widens an agent needs an administrator. Another owner, or a further approver, somebody else agrees to: it is proposed "
                        "as a change, and all else is done at once."
                    }
                }
            }
        },
    )
}
