//! What would be said to one agent, operation by operation, with the line that says so.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use remit_domain::{ASSUMPTION, Explained, Foreseen, Foresight, Refusal, State as Realm, foresee};
use serde::Deserialize;

use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::parts::id;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::{shown, told};
use crate::session::Viewer;
use crate::{Console, answers, limits};

/// For whom.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Preview {
    #[serde(default)]
    agent: String,
}

pub(crate) async fn preview(
    State(console): State<Console>,
    viewer: Viewer,
    asked: Result<Query<Preview>, QueryRejection>,
) -> Result<Markup, PageError> {
    let Query(Preview { agent }) =
        asked.map_err(|_| Refusal::new("bad_query", "this is not a question of this page"))?;
    let (state, now) = (console.engine.state(), console.engine.now());
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let agent = agent.trim();
    let foreseen =
        match agent {
            "" => None,
            name => {
                let id = state.agent_named(name)?.id;
                let state = state.clone();
                // Some hundred operations put to all rules take milliseconds: not on a thread that others wait for.
                let foreseen = tokio::task::spawn_blocking(move || foresee(&state, id, now)).await;
                Some(foreseen.map_err(|_| {
                    PageError::Unavailable(Refusal::new("fault", "Remit failed while it looked ahead"))
                })??)
            }
        };
    let frame = Frame { title: "Preview", place: Place::Policies, viewer: &viewer, waiting, refreshes: false };
    Ok(layout::page(
        &frame,
        &html! {
            p .crumb { a href="/policies" { "Policies" } " / preview" }
            h1 { "What would be said" }
            (form(&state, agent))
            @match &foreseen {
                None => p .quiet { "Choose an agent to see every operation: allowed, asked or denied, and the line that says so." },
                Some(foreseen) => (table(&state, agent, foreseen)),
            }
        },
    ))
}

fn form(state: &Realm, chosen: &str) -> Markup {
    let mut names: Vec<&String> =
        state.agents.values().filter(|agent| !agent.is_gone()).map(|agent| &agent.name).collect();
    names.sort();
    names.truncate(limits::LIST_ROWS_MAX);
    html! {
        form .filters method="get" action="/preview" {
            div .field {
                label for="agent" { "Agent" }
                input #agent name="agent" value=(chosen) list="agents" required maxlength="64" autocomplete="off" spellcheck="false";
            }
            datalist #agents { @for name in names { option value=(name) {} } }
            button type="submit" { "Look ahead" }
        }
    }
}

fn table(state: &Realm, agent: &str, foreseen: &[Foreseen]) -> Markup {
    let count = |wanted: Foresight| foreseen.iter().filter(|one| one.foresight == wanted).count();
    html! {
        @if state.agent_named(agent).is_ok_and(|agent| agent.status != remit_domain::AgentStatus::Active) {
            p .notice { "This agent is not active: now every call of it is denied. This is what would be said if it were." }
        }
        @if foreseen.is_empty() {
            div .empty { p { "No operation is approved yet." } p { a href="/connectors" { "Look at the connectors" } } }
        } @else {
            p .lead { (count(Foresight::Allow)) " allowed, " (count(Foresight::Ask)) " asked, " (count(Foresight::Deny)) " denied" }
            div .scroll {
                table .list .rows {
                    thead { tr { th { "Operation" } th { "Answer" } th { "If" } th { "Line" } } }
                    tbody { @for one in foreseen { (row(one)) } }
                }
            }
            p .quiet { "About " (told(ASSUMPTION)) "." }
        }
    }
}

fn row(one: &Foreseen) -> Markup {
    html! {
        tr {
            td { code { (shown(one.operation.as_str())) } }
            td {
                @match one.foresight {
                    Foresight::Allow => (pill(Tone::Good, "allow")),
                    Foresight::Ask => (pill(Tone::Waits, "ask")),
                    Foresight::Deny => (pill(Tone::Bad, "deny")),
                }
                @for ask in &one.asks { " " span .quiet { (told(&ask.in_words())) } }
            }
            td {
                @if let Some(condition) = &one.condition { code .text { (shown(condition)) } }
                @if let Some(reason) = &one.reason { (told(reason)) }
                @if let Some(grant) = one.grant { " " span .quiet { "grant " (id::short(grant)) } }
            }
            td { ul .plain { @for rule in &one.rules { li { (place(rule)) } } } }
        }
    }
}

fn place(rule: &Explained) -> Markup {
    let line = rule.line.unwrap_or(1);
    html! {
        a href={ "/policies/" (rule.source) "#line-" (line) } title=(rule.reason.as_deref().unwrap_or(&rule.id)) {
            (shown(&rule.source)) ":" (line)
        }
        " " code { (shown(&rule.id)) }
    }
}
