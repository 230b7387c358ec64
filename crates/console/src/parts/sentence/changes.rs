//! Changes: what decides about agents, proposed by one person and approved by another.

use maud::{Markup, html};
use remit_domain::{ChangeId, ChangeKind, Edit, Event};

use super::{patterns, saying};
use crate::names::Names;
use crate::parts::id::{digest, shortened};
use crate::parts::text::shown;

pub(super) fn sentence(event: &Event, names: Names<'_>) -> Option<Markup> {
    Some(match event {
        Event::ChangeProposed(proposed) => html! {
            (names.person(proposed.author))
            @match proposed.kind {
                ChangeKind::Normal => " proposed ",
                ChangeKind::Emergency => " made the emergency change ",
                ChangeKind::Revert { .. } => " proposed to revert, as ",
            }
            (link(proposed.change)) ", " (proposed.edits) @if proposed.edits == 1 { " edit" } @else { " edits" }
            (saying(&proposed.reason))
        },
        Event::EditProposed(proposed) => html! { (edit(&proposed.edit, names)) " is part of " (link(proposed.change)) },
        Event::ChangeApproved { change, by } => html! { (names.person(*by)) " approved " (link(*change)) },
        Event::ChangeRejected { change, by, note } => {
            html! { (names.person(*by)) " rejected " (link(*change)) (saying(note)) }
        }
        Event::ChangeReviewed { change, by, upheld, note } => html! {
            (names.person(*by)) @if *upheld { " upheld " } @else { " did not uphold " } (link(*change)) (saying(note))
        },
        Event::ChangeChecked { change, check, passed, summary } => html! {
            code { (shown(check)) } @if *passed { " passed for " } @else { " did not pass for " } (link(*change)) (saying(summary))
        },
        Event::PersonEntitled { person, operations, by } => html! {
            (names.person(*by)) " set what " (names.person(*person)) " may reach directly: "
            @match operations.as_deref() {
                None => "that is not on record here",
                Some([]) => "nothing",
                Some(operations) => (patterns(operations)),
            }
        },
        Event::ConfigurationApproved { agent, configuration, by } => html! {
            (names.person(*by))
            @match configuration {
                Some(configuration) => { " approved " (names.agent(*agent)) " with the configuration " (digest(&configuration.digest())) }
                None => { " let " (names.agent(*agent)) " run with any configuration" }
            }
        },
        _ => return None,
    })
}

fn link(change: ChangeId) -> Markup {
    let whole = change.to_string();
    html! { "the change " a href={ "/changes/" (whole) } title=(whole) { code { (shortened(&whole)) } } }
}

fn edit(edit: &Edit, names: Names<'_>) -> Markup {
    html! { code { (shown(&edit.artefact(names.0))) } }
}
