//! What would be said to one agent, operation by operation, with the line that says so.

use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use remit_domain::{ASSUMPTION, AgentStatus, Explained, Foreseen, Foresight, Refusal, State as Realm, foresee};
use serde::Deserialize;

use super::place;
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::pages::connectors::{encoded, operation_address};
use crate::parts::id;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::{shown, told};
use crate::session::Viewer;
use crate::{Console, answers, limits};

/// The answers that the page can be narrowed to, as the address says them and as people do.
const ANSWERS: [(&str, &str, Foresight); 3] =
    [("allow", "Allowed", Foresight::Allow), ("ask", "Asked", Foresight::Ask), ("deny", "Denied", Foresight::Deny)];

/// For whom, and which of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Preview {
    agent: String,
    /// One of [`ANSWERS`]; all if none.
    answer: String,
    /// What occurs in the operation's name, a rule or a reason.
    text: String,
}

impl Preview {
    /// Whether `one` has everything that was looked for besides its answer.
    fn finds(&self, one: &Foreseen) -> bool {
        let text = self.text.to_lowercase();
        let has = |part: &str| part.to_lowercase().contains(&text);
        text.is_empty()
            || has(one.operation.as_str())
            || one.reason.as_deref().is_some_and(has)
            || one.rules.iter().any(|rule| has(&rule.id) || has(&rule.source))
    }

    /// The same question, narrowed to `answer`.
    fn address(&self, answer: &str) -> String {
        let mut address = format!("/preview?agent={}", encoded(&self.agent));
        for (name, value) in [("answer", answer), ("text", self.text.as_str())] {
            if !value.is_empty() {
                address.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        address
    }
}

pub(crate) async fn preview(
    State(console): State<Console>,
    viewer: Viewer,
    asked: Result<Query<Preview>, QueryRejection>,
) -> Result<Markup, PageError> {
    let Query(asked) = asked.map_err(|_| Refusal::new("bad_query", "this is not a question of this page"))?;
    let asked = Preview { agent: asked.agent.trim().to_owned(), text: asked.text.trim().to_owned(), ..asked };
    let (state, now) = (console.engine.state(), console.engine.now());
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let foreseen =
        match asked.agent.as_str() {
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
            (form(&state, &asked))
            @match &foreseen {
                None => p .quiet { "Choose an agent to see every operation: allowed, asked or denied, and the line that says so." },
                Some(foreseen) => (found(&state, &asked, foreseen)),
            }
        },
    ))
}

fn form(state: &Realm, asked: &Preview) -> Markup {
    let mut names: Vec<&String> =
        state.agents.values().filter(|agent| !agent.is_gone()).map(|agent| &agent.name).collect();
    names.sort();
    names.truncate(limits::LIST_ROWS_MAX);
    html! {
        form .filters method="get" action="/preview" {
            div .field {
                label for="agent" { "Agent" }
                input #agent name="agent" value=(asked.agent) list="agents" required maxlength="64" autocomplete="off" spellcheck="false";
            }
            datalist #agents { @for name in names { option value=(name) {} } }
            div .field {
                label for="containing" { "Containing" }
                input #containing name="text" value=(asked.text) maxlength="128" placeholder="operation, rule or reason" autocomplete="off" spellcheck="false";
            }
            div .field {
                label for="answer" { "Answer" }
                select #answer name="answer" {
                    option value="" { "any" }
                    @for (word, words, _) in ANSWERS { option value=(word) selected[asked.answer == word] { (words) } }
                }
            }
            button type="submit" { "Look ahead" }
        }
    }
}

fn found(state: &Realm, asked: &Preview, foreseen: &[Foreseen]) -> Markup {
    let found: Vec<&Foreseen> = foreseen.iter().filter(|one| asked.finds(one)).collect();
    let count = |wanted: Foresight| found.iter().filter(|one| one.foresight == wanted).count();
    let chosen = ANSWERS.iter().find(|(word, ..)| *word == asked.answer).map(|(.., foresight)| *foresight);
    let rows: Vec<&Foreseen> =
        found.iter().copied().filter(|one| chosen.is_none_or(|chosen| one.foresight == chosen)).collect();
    html! {
        @if state.agent_named(&asked.agent).is_ok_and(|agent| agent.status != AgentStatus::Active) {
            p .notice { "This agent is not active: now every call of it is denied. This is what would be said if it were." }
        }
        @if foreseen.is_empty() {
            div .empty {
                p { "No operation is approved yet." }
                p { a href="/connectors" { "Look at the connectors" } ", or add one: " code { "remit connector add" } }
            }
        } @else {
            nav .tabs aria-label="Answers" {
                a href=(asked.address("")) aria-current=[chosen.is_none().then_some("page")] { "All " (found.len()) }
                @for (word, words, foresight) in ANSWERS {
                    a href=(asked.address(word)) aria-current=[(chosen == Some(foresight)).then_some("page")] { (words) " " (count(foresight)) }
                }
            }
            (table(asked, &rows))
            p .quiet { "About " (told(ASSUMPTION)) "." }
        }
    }
}

fn table(asked: &Preview, rows: &[&Foreseen]) -> Markup {
    let mut by_connector: BTreeMap<&str, Vec<&Foreseen>> = BTreeMap::new();
    for one in rows.iter().take(limits::PREVIEW_ROWS_MAX) {
        by_connector.entry(one.operation.connector()).or_default().push(one);
    }
    let beyond = rows.len().saturating_sub(limits::PREVIEW_ROWS_MAX);
    html! {
        @if rows.is_empty() {
            div .empty {
                p { "No operation fits what you look for." }
                p { a href={ "/preview?agent=" (encoded(&asked.agent)) } { "Show all of them" } }
            }
        }
        @for (connector, rows) in &by_connector {
            section {
                h2 { a href={ "/connectors/" (connector) } { (shown(connector)) } " " span .quiet { (rows.len()) } }
                div .scroll tabindex="0" role="region" aria-label={ "Operations of " (connector) } {
                    table .list .rows {
                        thead { tr { th { "Operation" } th { "Answer" } th { "If" } th { "Line" } } }
                        tbody { @for one in rows { (row(one)) } }
                    }
                }
            }
        }
        @if beyond > 0 { p .quiet { "and " (beyond) " more: say what their names contain" } }
    }
}

fn row(one: &Foreseen) -> Markup {
    html! {
        tr {
            td { a href=(operation_address(&one.operation)) { code { (shown(one.operation.tool())) } } }
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
            td { ul .plain { @for rule in &one.rules { li { (line(rule)) } } } }
        }
    }
}

fn line(rule: &Explained) -> Markup {
    html! {
        a href=(place(&rule.source, rule.line)) title=(rule.reason.as_deref().unwrap_or(&rule.id)) {
            (shown(&rule.source)) ":" (rule.line.unwrap_or(1))
        }
        " " code { (shown(&rule.id)) }
    }
}
