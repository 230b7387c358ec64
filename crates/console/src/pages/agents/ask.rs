//! A request for a grant, as a form has it.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use remit_domain::{Command, OperationPattern, Refusal, RequestGrant, limits as bounds};
use serde::Deserialize;

use super::{About, grants};
use crate::errors::{PageError, status_of};
use crate::pages::control::{self, written};
use crate::parts::passkey::problem;
use crate::session::SentForm;
use crate::{Console, layout, limits};

/// How long a grant lives, as the page offers it: days, and how it is said.
const LIVES: [(u64, &str); 4] = [(1, "a day"), (7, "a week"), (30, "30 days"), (90, "90 days")];
const DAY_SECONDS: u64 = 24 * 3600;

/// A request as a form has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Ask {
    operations: String,
    reason: String,
    days: String,
}

impl Ask {
    fn request(&self, about: &About<'_>) -> Result<RequestGrant, Refusal> {
        let words = self.operations.split([',', ' ', '\n', '\r', '\t']).filter(|word| !word.is_empty());
        let operations = words.map(str::parse).collect::<Result<Vec<OperationPattern>, _>>()?;
        let life = LIVES.iter().find(|(days, _)| days.to_string() == self.days);
        let (days, _) =
            life.ok_or_else(|| Refusal::new("bad_duration", "a grant lives for one of the times offered"))?;
        Ok(RequestGrant {
            agent: about.agent.id,
            operations,
            reason: written(&self.reason),
            ttl_seconds: days * DAY_SECONDS,
        })
    }
}

/// The form, with what was typed and why it was refused.
pub(super) fn form(about: &About<'_>, typed: &Ask, refused: Option<&Refusal>) -> Markup {
    let mut names: Vec<&str> = about.state.operations.values().map(|operation| operation.name.as_str()).collect();
    names.sort_unstable();
    let usable = match names.first().map(|name| name.parse::<OperationPattern>()) {
        Some(Ok(some)) => about.can(&Command::RequestGrant(RequestGrant {
            agent: about.agent.id,
            operations: vec![some],
            reason: "as asked".to_owned(),
            ttl_seconds: DAY_SECONDS,
        })),
        _ => Err(Refusal::new("no_operations", "no operation is approved yet").help("look at the connectors first")),
    };
    let off = usable.is_err();
    html! {
        section #ask {
            h2 { "Ask for a grant" }
            form .stack method="post" action=(about.address("grants")) {
                (layout::token(about.viewer))
                @if let Some(refused) = refused { (problem(refused)) }
                div .field {
                    label for="operations" { "Operations" }
                    input #operations name="operations" value=(typed.operations) list="known-operations" required autocomplete="off" spellcheck="false"
                        placeholder="helpdesk/lookup" disabled[off];
                    datalist #known-operations { @for name in names.iter().take(limits::LIST_ROWS_MAX) { option value=(name) {} } }
                    p .help { "with commas between them; " code { "helpdesk/*" } " is all of a connector, also what it offers later" }
                }
                div .field {
                    label for="ask-reason" { "Why" }
                    input #ask-reason name="reason" value=(typed.reason) required maxlength=(bounds::TEXT_BYTES_MAX) autocomplete="off" disabled[off];
                }
                div .field {
                    label for="days" { "For" }
                    select #days name="days" disabled[off] {
                        @for (days, words) in LIVES {
                            @let days = days.to_string();
                            option value=(days) selected[days == typed.days] { (words) }
                        }
                    }
                }
                button type="submit" disabled[off] aria-describedby="ask-why" { "Ask" }
                (control::why("ask-why", &usable))
                p .quiet { "Somebody else who approves for the agent agrees to it." }
            }
        }
    }
}

/// Asks for a grant; what was typed stays if it is refused.
pub(crate) async fn ask(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Ask>,
) -> Result<Response, PageError> {
    let (viewer, typed) = (sent.viewer, sent.fields);
    let (state, now) = (console.engine.state(), console.engine.now());
    let about = About::new(&state, &viewer, &name, now)?;
    let submitted = match typed.request(&about) {
        Ok(request) => {
            console.engine.submit(viewer.actor(), Command::RequestGrant(request)).await.map_err(PageError::from)
        }
        Err(refusal) => Err(refusal.into()),
    };
    match submitted {
        Ok(_) => Ok(Redirect::to(&about.address("grants")).into_response()),
        Err(PageError::Refused(refusal)) if refusal.code != "step_up_needed" => {
            let page = grants::page(&console, &viewer, &name, &typed, Some(&refusal)).await?;
            Ok((status_of(&refusal), page).into_response())
        }
        Err(other) => Err(other),
    }
}
