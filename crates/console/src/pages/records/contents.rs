//! What a record refers to: what an agent sent or was answered, for who may read it, each time for a reason that is recorded.

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{AgentId, Command, Event, Refusal, Right, State as Realm, Timestamp, may, referred};
use serde::Deserialize;
use serde_json::Value;

use super::show::committed;
use crate::Console;
use crate::answers;
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::pages::control::{self, written};
use crate::parts::text::shown;
use crate::parts::{id, value};
use crate::session::{SentForm, Viewer};

#[cfg(test)]
mod tests;

/// What the record refers to, and the way to read it; nothing where it refers to nothing.
pub(super) fn section(state: &Realm, viewer: &Viewer, seq: u64, event: &Event, now: Timestamp) -> Markup {
    let (referred, Some(agent)) = (referred(event), event.agent()) else { return html! {} };
    let Some(first) = referred.first() else { return html! {} };
    let reading = Command::ReadContent {
        agent,
        task: first.task,
        content: first.content.commitment,
        reason: "to see whether it can be read".to_owned(),
    };
    let usable = control::may(state, viewer, &reading, now);
    html! {
        section #contents aria-labelledby="contents-title" {
            h2 #contents-title { "What was sent and answered" }
            ul {
                @for one in &referred {
                    li { (one.what) ", " (one.content.bytes) " bytes: " (id::short(one.content.commitment)) }
                }
            }
            p .quiet { "The ledger holds commitments only. The content is kept apart and can be erased; whoever reads it stands on record with why." }
            form method="post" action={ "/records/" (seq) "/contents" } {
                (layout::token(viewer))
                label for="reason" { "Why you read it" }
                textarea #reason name="reason" rows="2" required disabled[usable.is_err()] {}
                button type="submit" disabled[usable.is_err()] aria-describedby="reason-why" { "Read it" }
                (control::why("reason-why", &usable))
            }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Why {
    #[serde(default)]
    reason: String,
}

/// One content: what it is, and its text if it is still kept.
struct Content {
    what: &'static str,
    text: Option<String>,
}

/// Shows all that one record refers to. INVARIANT: nothing is shown before it is on record who reads it, and why.
pub(crate) async fn read(
    State(console): State<Console>,
    Path(seq): Path<String>,
    sent: SentForm<Why>,
) -> Result<Markup, PageError> {
    let viewer = &sent.viewer;
    let state = console.engine.state();
    // Before anything is looked for: nobody else learns what is kept.
    may(&state, viewer.person, Right::ReadContent)?;
    let record = committed(&console, viewer, &seq).await?;
    let event = &record.record.event;
    let Some(agent) = event.agent().filter(|_| !referred(event).is_empty()) else {
        return Err(Refusal::new("not_found", format!("the record {} refers to no content", record.seq))
            .help("records of calls, questions and outcomes do")
            .into());
    };
    let contents = kept(&console, viewer, agent, event, &written(&sent.fields.reason)).await?;
    let title = format!("What record {} refers to", record.seq);
    let waiting = answers::waiting_count(&state, &viewer.actor(), console.engine.now());
    let frame = Frame { title: &title, place: Place::Records, viewer, waiting, refreshes: false };
    Ok(layout::page(&frame, &render(record.seq, &contents)))
}

async fn kept(
    console: &Console,
    viewer: &Viewer,
    agent: AgentId,
    event: &Event,
    reason: &str,
) -> Result<Vec<Content>, PageError> {
    let mut contents = Vec::new();
    for one in referred(event) {
        let bytes = console.engine.content(one.content, one.task).await?;
        let text = match bytes {
            None => None,
            Some(bytes) => {
                let content = one.content.commitment;
                let command = Command::ReadContent { agent, task: one.task, content, reason: reason.to_owned() };
                console.engine.submit(viewer.actor(), command).await?;
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
        };
        contents.push(Content { what: one.what, text });
    }
    Ok(contents)
}

fn render(seq: u64, contents: &[Content]) -> Markup {
    html! {
        p .crumb { a href="/ledger" { "Ledger" } " / " a href={ "/records/" (seq) } { "#" (seq) } }
        h1 { "What record #" (seq) " refers to" }
        p .notice { "That you read this, and why, is on record." }
        @for content in contents {
            section {
                h2 { (content.what) }
                @match &content.text {
                    None => { p .quiet { "Erased, or never kept. The commitment in the ledger stands." } }
                    Some(text) => {
                        // It was kept as canonical JSON; whatever else it is, is shown as text.
                        @if let Ok(parsed) = serde_json::from_str::<Value>(text) { (value::table(&parsed)) }
                        @else { p .text { (shown(text)) } }
                        details { summary { "Exact bytes" } (value::exact(text)) }
                    }
                }
            }
        }
    }
}
