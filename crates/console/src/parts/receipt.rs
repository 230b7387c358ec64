//! The receipt of an end: what ended, where that has taken effect, and what could not be called back.

use maud::{Markup, html};
use remit_domain::{State, TaskId, Timestamp};
use remit_engine::RevocationReceipt;

use super::id::short;
use super::properties::{none, properties, row};
use super::text::shown;
use super::time::moment;
use super::value;
use crate::names::Names;

/// A receipt and the same, signed by the realm.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) receipt: RevocationReceipt,
    pub(crate) compact: String,
}

/// The receipt as a section. `approvals` is how many questions to people ended with it, where that is still known.
pub(crate) fn render(state: &State, signed: &Signed, approvals: Option<usize>, now: Timestamp) -> Markup {
    let receipt = &signed.receipt;
    let committed = receipt.cause.at;
    html! {
        section #receipt data-live[!receipt.pending.is_empty()] aria-labelledby="receipt-head" {
            h2 #receipt-head { "Receipt of the end" }
            (properties(&html! {
                (row("Record", &html! {
                    a href={ "/records/" (receipt.cause.seq) } { "#" (receipt.cause.seq) } ", " (moment(committed, now))
                    ", by " (Names(state).actor(&receipt.cause.by))
                }))
                (row("Ended with it", &ended(receipt, approvals)))
                (row("Accepted since", &match receipt.accepted_after {
                    Some(after) => html! { (after) @if after == 1 { " call" } @else { " calls" } ", counted" },
                    None => none("cannot be counted"),
                }))
                (row("Last accepted call", &match &receipt.last_accepted {
                    Some(last) => html! {
                        code { (shown(&last.operation)) } " " (moment(last.at, now)) ", "
                        a href={ "/records/" (last.seq) } { "#" (last.seq) }
                    },
                    None => none("none"),
                }))
            }))
            h3 { "Where it took effect" }
            (points(receipt, committed))
            @if !receipt.not_revoked.is_empty() {
                h3 { "What could not be called back" }
                ul .rules { @for sentence in &receipt.not_revoked { li .text { (shown(sentence)) } } }
            }
            details {
                summary { "Signed by the realm, for others to check" }
                (value::exact(&signed.compact))
            }
        }
    }
}

/// How many things ended: always the tasks, with their tokens; of all else what there was.
fn ended(receipt: &RevocationReceipt, approvals: Option<usize>) -> Markup {
    let ended = &receipt.ended;
    let questions = approvals.and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
    let others = [
        (ended.grants, "grant", "grants"),
        (ended.keys, "key", "keys"),
        (ended.sessions, "session", "sessions"),
        (questions, "question to people", "questions to people"),
    ];
    html! {
        (ended.tasks) @if ended.tasks == 1 { " task" } @else { " tasks" } " with all tokens"
        @for (count, one, several) in others.into_iter().filter(|(count, ..)| *count > 0) {
            ", " (count) " " (if count == 1 { one } else { several })
        }
        @if !ended.task_ids.is_empty() { (tasks(&ended.task_ids, ended.tasks)) }
    }
}

fn tasks(named: &[TaskId], all: u64) -> Markup {
    let beyond = all.saturating_sub(u64::try_from(named.len()).unwrap_or(all));
    html! {
        details {
            summary { "Which tasks" }
            p {
                @for task in named { a href={ "/tasks/" (task) } { (short(task)) } " " }
                @if beyond > 0 { "and " (beyond) " more" }
            }
        }
    }
}

fn points(receipt: &RevocationReceipt, committed: Timestamp) -> Markup {
    html! {
        table .rows {
            thead { tr { th { "Where" } th { "Took effect" } th .number { "Ended there" } } }
            tbody {
                @for point in &receipt.took_effect {
                    tr {
                        td { (shown(&point.point)) }
                        td {
                            @match point.at {
                                Some(at) => { (at.millis_since(committed)) " ms after the commit" }
                                None => (none("nothing was open there")),
                            }
                        }
                        td .number { (point.ended) }
                    }
                }
                @for point in &receipt.pending {
                    tr { td { (shown(point)) } td { "not reported yet" } td {} }
                }
            }
        }
    }
}
