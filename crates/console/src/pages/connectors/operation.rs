//! One operation: the definition that it is pinned to, what people decided of it, who may call it, and what was called.

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{
    Change, ChangeStatus, Connector, Edit, Operation, OperationName, Refusal, Right, State as Realm, Timestamp, may,
    may_read_history,
};
use remit_engine::Filter;
use remit_review::{Neighbours, examine};
use serde_json::Value;

use super::reviewed::warnings;
use super::{classify, encoded, find, schema};
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::line::{Line, lines};
use crate::parts::pill::{self, Tone};
use crate::parts::properties::{none, properties, row};
use crate::parts::text::{shown, told};
use crate::parts::time::moment;
use crate::parts::value;
use crate::session::Viewer;
use crate::{Console, answers, limits};

/// The operation of `connector` that its server calls `tool`.
pub(super) fn known<'a>(state: &'a Realm, connector: &Connector, tool: &str) -> Result<&'a Operation, Refusal> {
    let name = OperationName::new(&connector.name, tool);
    let unknown =
        || Refusal::unknown("operation", name.as_str().chars().take(limits::SECRET_BYTES_MAX).collect::<String>());
    state.operations.get(name.as_str()).map(AsRef::as_ref).ok_or_else(unknown)
}

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path((name, tool)): Path<(String, String)>,
) -> Result<Markup, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let connector = find(&state, &name)?;
    let operation = known(&state, connector, &tool)?;
    // What an operation is stands open to everybody; what was called is for those who read records.
    let calls = match may(&state, viewer.person, Right::ReadRecords) {
        Ok(()) => {
            let operation = Some(operation.name.to_string());
            let filter = Filter { operation, limit: limits::RELATED_RECORDS_MAX, ..Filter::default() };
            Ok(crate::pages::lines(&console, filter, &state).await?)
        }
        Err(refusal) => Err(refusal),
    };
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let title = operation.name.as_str();
    let frame = Frame { title, place: Place::Connectors, viewer: &viewer, waiting, refreshes: false };
    let body = html! {
        p .crumb { a href="/connectors" { "Connectors" } " / " a href={ "/connectors/" (connector.name) } { (shown(&connector.name)) } " / " (shown(&tool)) }
        h1 { code { (shown(&tool)) } " " (standing(operation)) }
        @if let Some(reason) = &operation.withdrawn { p .notice .bad { "It is not available: " (shown(reason)) } }
        (pending(&state, connector, operation, now))
        section { h2 { "What was decided of it" } (facts(&state, operation, now)) }
        section { h2 { "Who may use it" } (who(&state, &viewer, operation)) }
        (words(&state, operation))
        section { h2 { "Arguments" } (schema::arguments(operation.definition.document.get("inputSchema").unwrap_or(&Value::Null))) }
        section {
            h2 { "Definition" }
            details { summary { "everything that its server said when it was approved" } (value::table(&operation.definition.document)) }
        }
        section { h2 { "Last calls" } (called(&calls, operation, now)) }
        (classify::section(&state, &viewer, connector, operation, now))
    };
    Ok(layout::page(&frame, &body))
}

fn standing(operation: &Operation) -> Markup {
    match operation.withdrawn {
        Some(_) => pill::pill(Tone::Bad, "not available"),
        None => pill::pill(Tone::Good, "pinned"),
    }
}

/// Proposals that would make something else of it.
fn pending(state: &Realm, connector: &Connector, operation: &Operation, now: Timestamp) -> Markup {
    let is_about = |change: &Change| {
        change.status == ChangeStatus::Pending
            && change.edits.iter().any(|one| match &one.edit {
                Edit::Operation(edit) => edit.connector == connector.id && edit.choice.tool == operation.name.tool(),
                _ => false,
            })
    };
    let mut waiting: Vec<_> = state.changes.values().filter(|change| is_about(change)).collect();
    waiting.sort_by_key(|change| (change.proposed_at, change.id));
    html! {
        @for change in waiting {
            p .notice {
                a href={ "/changes/" (change.id) } { (shown(&change.reason)) } " by " (Names(state).person(change.author))
                " waits for a yes, " (moment(change.proposed_at, now))
            }
        }
    }
}

fn facts(state: &Realm, operation: &Operation, now: Timestamp) -> Markup {
    properties(&html! {
        (row("Effect", &html! {
            (operation.verb) " " (pill::risk(operation.risk))
            @if operation.external { ", reaches outside the organisation" }
            @if operation.irreversible { ", " strong { "cannot be undone" } }
        }))
        (row("Data", &html! { (format!("{:?}", operation.data)) }))
        (row("Policies see", &html! {
            @if operation.projections.is_empty() { (none("the arguments themselves, and nothing read out of them")) }
            @for projection in &operation.projections { code { (shown(&projection.to_string())) } " " }
        }))
        (row("Approved by", &html! { (Names(state).person(operation.approved_by)) ", " (moment(operation.approved_at, now)) }))
        (row("Pinned to", &html! { code .id .whole { (operation.digest) } }))
    })
}

fn who(state: &Realm, viewer: &Viewer, operation: &Operation) -> Markup {
    let name = operation.name.as_str();
    let (who, history) = (encoded(name), encoded(&format!("operation:{name}")));
    let may_ask = may(state, viewer.person, Right::ReadRecords);
    let may_read = may_read_history(state, viewer.person, &format!("operation:{name}"));
    html! {
        @match &may_ask {
            Ok(()) => p { a href={ "/who?ask=call&about=" (who) } { "Every agent and person that can call it" } ", through which grants" },
            Err(refusal) => p .reason { (told(&refusal.sentence)) },
        }
        @if may_read.is_ok() { p { a href={ "/history?artefact=" (history) } { "What was changed of it, by whom" } } }
    }
}

/// What its server says in words, which go to models, and what to look at in them.
fn words(state: &Realm, operation: &Operation) -> Markup {
    let description = operation.definition.document.get("description").and_then(Value::as_str);
    let connector = operation.name.connector();
    let own = state.operations_of(connector).map(|operation| operation.name.tool().to_owned());
    html! {
        section {
            h2 { "What its server says" }
            @match description {
                Some(description) => p .text { (shown(description)) },
                None => p .quiet { "Nothing." },
            }
            (warnings(&examine(&operation.definition.document, &Neighbours::of(state, connector, own))))
        }
    }
}

fn called(calls: &Result<Vec<Line>, Refusal>, operation: &Operation, now: Timestamp) -> Markup {
    html! {
        @match calls {
            Err(refusal) => p .reason { (told(&refusal.sentence)) @if let Some(help) = &refusal.help { "; " (told(help)) } },
            Ok(calls) if calls.is_empty() => p .quiet { "Nobody has called it yet. An agent needs a grant for it: " code { "remit grant request" } },
            Ok(calls) => {
                (lines(calls, now))
                p { a href={ "/ledger?operation=" (encoded(operation.name.as_str())) } { "All of them" } }
            }
        }
    }
}
