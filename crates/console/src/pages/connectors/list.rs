//! All connectors.

use std::sync::Arc;

use axum::extract::State;
use maud::{Markup, html};
use remit_domain::{Connector, ConnectorSpec, State as Realm, Timestamp};

use crate::answers;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::session::Viewer;
use crate::{Console, limits};

pub(crate) async fn list(State(console): State<Console>, viewer: Viewer) -> Markup {
    let state = console.engine.state();
    let now = console.engine.now();
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Connectors", place: Place::Connectors, viewer: &viewer, waiting, refreshes: true };
    layout::page(&frame, &render(&state, now))
}

pub(super) fn render(state: &Realm, now: Timestamp) -> Markup {
    let mut connectors: Vec<&Arc<Connector>> = state.connectors.values().collect();
    connectors.sort_by(|one, other| one.name.cmp(&other.name));
    let beyond = connectors.len().saturating_sub(limits::LIST_ROWS_MAX);
    html! {
        h1 { "Connectors" }
        @if connectors.is_empty() {
            div .empty {
                p { "Nothing can be reached yet." }
                p { "Add what agents are to reach: " code { "remit connector add NAME" } }
            }
        } @else {
            div .scroll tabindex="0" role="region" aria-label="Connectors" {
                table .list {
                    thead { tr {
                        th { "Connector" } th { "Kind" } th { "Owner" } th .number { "Pinned" } th .number { "Not available" } th { "Added" }
                    } }
                    tbody { @for connector in connectors.iter().take(limits::LIST_ROWS_MAX) { (row(state, connector, now)) } }
                }
            }
            @if beyond > 0 { p .quiet { "and " (beyond) " more: " code { "remit connector list" } } }
        }
    }
}

fn row(state: &Realm, connector: &Connector, now: Timestamp) -> Markup {
    let (withdrawn, available): (Vec<_>, Vec<_>) =
        state.operations_of(&connector.name).partition(|operation| operation.withdrawn.is_some());
    html! {
        tr {
            td {
                a href={ "/connectors/" (connector.name) } { (shown(&connector.name)) }
                @if connector.sandbox { " " (sandbox()) }
            }
            td { (kind(&connector.spec)) }
            td { (Names(state).person(connector.owner)) }
            td .number { (available.len()) }
            td .number { @if withdrawn.is_empty() { "0" } @else { (pill(Tone::Waits, &withdrawn.len().to_string())) } }
            td { (moment(connector.added_at, now)) }
        }
    }
}

pub(super) fn sandbox() -> Markup {
    pill(Tone::Quiet, "sandbox")
}

pub(super) const fn kind(spec: &ConnectorSpec) -> &'static str {
    match spec {
        ConnectorSpec::Stdio { .. } => "process",
        ConnectorSpec::Http { .. } => "HTTP",
        ConnectorSpec::Elsewhere { .. } => "enforced elsewhere",
    }
}
