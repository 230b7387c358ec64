//! One connector: how it is reached, and what is pinned of it.

use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{Connector, ConnectorSpec, Operation, Refusal, State as Realm, Timestamp};
use remit_review::{Neighbours, Standing, examine};

use super::{find, list, operation_address};
use crate::Console;
use crate::answers;
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::id;
use crate::parts::pill::{self, Tone};
use crate::parts::properties::{none, properties, row};
use crate::parts::text::{shown, told};
use crate::parts::time::moment;
use crate::session::Viewer;

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let state = console.engine.state();
    let now = console.engine.now();
    let connector = find(&state, &name)?;
    let may_look = remit_review::may_look(&state, viewer.person, connector);
    // What a server writes on its standard error may hold anything, so it is for those who answer for the connector.
    let standing = match &may_look {
        Ok(()) => console.tools.standing(connector.id).await,
        Err(_) => Standing::default(),
    };
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: &connector.name, place: Place::Connectors, viewer: &viewer, waiting, refreshes: false };
    Ok(layout::page(&frame, &render(&state, connector, &may_look, &standing, now)))
}

pub(super) fn render(
    state: &Realm,
    connector: &Connector,
    may_look: &Result<(), Refusal>,
    standing: &Standing,
    now: Timestamp,
) -> Markup {
    let mut operations: Vec<&Arc<Operation>> = state.operations_of(&connector.name).collect();
    operations.sort_by(|one, other| one.name.cmp(&other.name));
    html! {
        p .crumb { a href="/connectors" { "Connectors" } " / " (id::short(connector.id)) }
        h1 { (shown(&connector.name)) @if connector.sandbox { " " (list::sandbox()) } }
        section { h2 { "What it is" } (facts(state, connector, now)) }
        section {
            h2 { "What its server says now" }
            @match may_look {
                Ok(()) => p { a href={ "/connectors/" (connector.name) "/review" } { "Ask the server, and review what it offers" } },
                Err(refusal) => p .reason { (told(&refusal.sentence)) },
            }
            @if !standing.standard_error.is_empty() {
                details {
                    summary { "The last lines of its standard error" }
                    pre { (shown(&standing.standard_error.join("\n"))) }
                }
            }
        }
        section {
            h2 { "What is pinned" }
            @if operations.is_empty() {
                div .empty {
                    p { "Nothing is approved, so nobody can use it." }
                    p { "Review what its server offers: " code { "remit connector tools " (shown(&connector.name)) } }
                }
            } @else {
                (pinned(state, &operations, now))
            }
        }
    }
}

fn facts(state: &Realm, connector: &Connector, now: Timestamp) -> Markup {
    properties(&html! {
        (row("Kind", &html! { (list::kind(&connector.spec)) }))
        @match &connector.spec {
            ConnectorSpec::Http { url } => (row("Address", &html! { code { (shown(url)) } })),
            ConnectorSpec::Stdio { command, arguments, environment } => {
                (row("Command", &html! { code { (shown(command)) @for argument in arguments { " " (shown(argument)) } } }))
                (row("Variables", &html! {
                    @if environment.is_empty() { (none("none of Remit's own")) }
                    @for name in environment { code { (shown(name)) } " " }
                }))
            }
            ConnectorSpec::Elsewhere { subjects, resources, trusts_properties } => {
                (row("Known here", &html! { (subjects.len()) " subjects, " (resources.len()) " resources" }))
                (row("Their properties", &html! {
                    @if *trusts_properties { "as the enforcer says" } @else { "as known here" }
                }))
            }
        }
        (row("Reached by", &html! {
            @if connector.sandbox { "agents of the environment sandbox only" } @else { "agents with a grant" }
        }))
        (row("Owner", &Names(state).person(connector.owner)))
        (row("Added", &moment(connector.added_at, now)))
        (row("History", &html! { a href={ "/history?artefact=connector:" (connector.name) } { "What was changed of it, by whom" } }))
    })
}

/// The operations, each with what a person decided of it and whether there is something to look at.
fn pinned(state: &Realm, operations: &[&Arc<Operation>], now: Timestamp) -> Markup {
    let own = operations.iter().map(|operation| operation.name.tool().to_owned());
    let neighbours = operations.first().map(|first| Neighbours::of(state, first.name.connector(), own));
    let warnings = |operation: &Operation| {
        neighbours.as_ref().map_or(0, |neighbours| examine(&operation.definition.document, neighbours).len())
    };
    html! {
        div .scroll tabindex="0" role="region" aria-label="Operations" {
            table .list {
                thead { tr {
                    th { "Operation" } th { "Effect" } th { "Risk" } th { "Data" } th { "To look at" } th { "Approved" } th { "Definition" }
                } }
                tbody {
                    @for operation in operations {
                        tr {
                            td {
                                a href=(operation_address(&operation.name)) { code { (shown(operation.name.tool())) } }
                                @if let Some(reason) = &operation.withdrawn { " " (pill::pill(Tone::Bad, "not available")) " " span .reason { (shown(reason)) } }
                            }
                            td { (operation.verb) @if operation.external { ", outside" } @if operation.irreversible { ", irreversible" } }
                            td { (pill::risk(operation.risk)) }
                            td { (format!("{:?}", operation.data)) }
                            td { @match warnings(operation) { 0 => (none("nothing")), count => (pill::pill(Tone::Waits, &count.to_string())) } }
                            td { (moment(operation.approved_at, now)) " by " (Names(state).person(operation.approved_by)) }
                            td { (id::digest(&operation.digest)) }
                        }
                    }
                }
            }
        }
    }
}
