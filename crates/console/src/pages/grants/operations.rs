//! The operations of a grant, with what is known of each.

use std::sync::Arc;

use maud::{Markup, html};
use remit_domain::{Operation, OperationPattern, State};

use crate::parts::pill;
use crate::parts::text::shown;

/// One entry for each operation that is named, and one for all of a connector.
pub(super) fn section(state: &State, operations: &[OperationPattern]) -> Markup {
    html! {
        section {
            h2 { "What" }
            ul .slips {
                @for pattern in operations {
                    li {
                        p .title { code { (shown(pattern.as_str())) } }
                        @match pattern.connector() {
                            Some(connector) => (all_of(state, connector)),
                            None => (one(state, pattern)),
                        }
                    }
                }
            }
        }
    }
}

fn one(state: &State, pattern: &OperationPattern) -> Markup {
    let Some(operation) = state.operations.get(pattern.as_str()) else {
        return html! { p .reason { "This operation is not there any more." } };
    };
    let described = operation.definition.document.get("description").and_then(|text| text.as_str());
    html! {
        p {
            (shown(operation.verb.as_str())) " " (pill::risk(operation.risk)) " "
            span .quiet { "D" (operation.data.level()) " data" }
            @if operation.external { ", reaches outside the organisation" }
            @if operation.irreversible { ", " strong { "cannot be undone" } }
        }
        @if let Some(reason) = &operation.withdrawn { p .reason { "It is withdrawn: " (shown(reason)) } }
        @if let Some(described) = described { p { "Its server says: " span .text { (shown(described)) } } }
        p { a href={ "/connectors/" (operation.name.connector()) "/operations/" (operation.name.tool()) } { "Its definition" } }
    }
}

fn all_of(state: &State, connector: &str) -> Markup {
    let known: Vec<&Arc<Operation>> =
        state.operations_of(connector).filter(|operation| operation.withdrawn.is_none()).collect();
    let riskiest = known.iter().map(|operation| operation.risk).max();
    html! {
        p {
            "All of the connector " a href={ "/connectors/" (connector) } { (shown(connector)) } ", also what it offers later: "
            (known.len()) @if known.len() == 1 { " operation now" } @else { " operations now" }
            @if let Some(risk) = riskiest { ", up to " (pill::risk(risk)) }
        }
    }
}
