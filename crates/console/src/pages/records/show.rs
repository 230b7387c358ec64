//! One record: what it says, the exact bytes, and the proof that it is in the ledger.

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{Actor, Refusal, Right, Timestamp, may};
use remit_engine::Committed;
use serde_json::Value;

use super::contents;
use crate::answers;
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::line::Line;
use crate::parts::properties::{properties, row};
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::parts::value;
use crate::session::Viewer;
use crate::{Console, limits};

#[cfg(test)]
mod tests;

/// A record with its proof, ready to be shown.
struct Proved {
    line: Line,
    /// The ledger entry: the exact bytes that were hashed.
    entry: String,
    size: u64,
    root: String,
    /// The audit path, from the leaf upwards.
    path: Vec<String>,
    checkpoint: String,
}

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(seq): Path<String>,
) -> Result<Markup, PageError> {
    let committed = committed(&console, &viewer, &seq).await?;
    let state = console.engine.state();
    let proof = console.engine.prove(committed.seq).await?;
    let now = console.engine.now();
    let event = &committed.record.event;
    let proved = Proved {
        line: Line::of(committed.seq, committed.at, &committed.record.actor, event, Names(&state)),
        entry: proof.entry,
        size: proof.size,
        root: proof.root.to_string(),
        path: proof.proof.iter().map(ToString::to_string).collect(),
        checkpoint: proof.checkpoint,
    };
    let contents = contents::section(&state, &viewer, committed.seq, event, now);
    let title = format!("Record {}", committed.seq);
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: &title, place: Place::Records, viewer: &viewer, waiting, refreshes: false };
    Ok(layout::page(&frame, &render(&proved, &contents, console.engine.head(), now)))
}

/// The record with this number, if `viewer` may read it.
pub(super) async fn committed(console: &Console, viewer: &Viewer, seq: &str) -> Result<Committed, PageError> {
    let unknown = || Refusal::unknown("record", seq.chars().take(limits::SECRET_BYTES_MAX).collect::<String>());
    let number: u64 = seq.parse().map_err(|_| unknown())?;
    let state = console.engine.state();
    let Some(committed) = console.engine.record(number).await? else {
        // Whoever may not read records is not told either how many there are.
        may(&state, viewer.person, Right::ReadRecords)?;
        return Err(unknown().into());
    };
    let is_theirs = matches!(&committed.record.actor, Actor::Person { person, .. } if *person == viewer.person);
    if !is_theirs {
        may(&state, viewer.person, committed.record.event.agent().map_or(Right::ReadRecords, Right::ReadAgent))?;
    }
    Ok(committed)
}

fn render(proved: &Proved, contents: &Markup, head: u64, now: Timestamp) -> Markup {
    let line = &proved.line;
    let entry: Value = serde_json::from_str(&proved.entry).unwrap_or(Value::Null);
    html! {
        p .crumb { a href="/ledger" { "Ledger" } " / #" (line.seq) }
        h1 { "Record #" (line.seq) }
        p .lead { (line.sentence) ", " (moment(line.at, now)) }
        nav .filter aria-label="Other records" {
            @if let Some(before) = line.seq.checked_sub(1) { a rel="prev" href={ "/records/" (before) } { "Before" } }
            @if line.seq + 1 < head { a rel="next" href={ "/records/" (line.seq + 1) } { "After" } }
        }
        section { h2 { "What it says" } (value::table(&flattened(entry))) }
        (contents)
        section { h2 { "Exact entry" } (value::exact(&proved.entry)) }
        section {
            h2 { "Proof" }
            p .quiet {
                "Whoever has the log's public key can check this without trusting us: the entry hashes to a leaf, the path leads from "
                "the leaf to the root (RFC 6962), and the checkpoint is the log's signature over that root."
            }
            (properties(&html! {
                (row("Path", &html! {
                    @if proved.path.is_empty() { span .quiet { "none needed: the leaf is the root" } }
                    ol .path { @for hash in &proved.path { li { code .whole { (shown(hash)) } } } }
                }))
                (row("Root", &html! { code .whole { (shown(&proved.root)) } " of " (proved.size) " records" }))
                (row("Checkpoint", &value::exact(&proved.checkpoint)))
            }))
            p .quiet { "Offline: " code { "remit ledger prove " (line.seq) } }
        }
    }
}

/// The entry with the members of its event beside its own, as people read it.
fn flattened(entry: Value) -> Value {
    let Value::Object(mut members) = entry else { return entry };
    if let Some(Value::Object(event)) = members.remove("event") {
        for (name, member) in event {
            // Both are shown where an event has a member of the same name as the entry around it.
            let name = if members.contains_key(&name) { format!("event.{name}") } else { name };
            members.insert(name, member);
        }
    }
    Value::Object(members)
}
