//! The receipt of an end: what ended, where that has taken effect, and what could not be called back.

use maud::{Markup, html};
use remit_domain::{EndReason, Event, PersonId, State, Task, Timestamp, lineage, may_read_task};
use remit_engine::{Filter, RevocationReceipt};

use crate::Console;
use crate::errors::PageError;
use crate::names::Names;
use crate::parts::properties::{none, properties, row};
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::parts::value;

/// Ends of one agent's runs that are looked through for that of a task, newest first.
const RUNS_LOOKED_AT_MAX: usize = 100;

/// A receipt and the same, signed by the realm.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) receipt: RevocationReceipt,
    pub(super) compact: String,
}

/// The task with which `task` ended: itself, or the one above it that somebody ended and `person` may read.
fn ended_first<'a>(state: &'a State, person: PersonId, task: &'a Task) -> Option<&'a Task> {
    let first = lineage(state, task).find(|above| !matches!(above.ended, Some((_, EndReason::ParentEnded))))?;
    may_read_task(state, person, first).is_ok().then_some(first)
}

/// Whether there is a receipt of the end of `task` alone; if it ended with its agent, key or person, that has the receipt.
pub(super) fn is_there(state: &State, person: PersonId, task: &Task) -> bool {
    use EndReason::{Ended, Expired, RunRevoked};
    let first = ended_first(state, person, task);
    first.is_some_and(|first| matches!(first.ended, Some((_, Ended { .. } | Expired | RunRevoked))))
}

/// The receipt of the end of `task`; nothing while it lives, or if it ended as a part of something larger.
pub(super) async fn of(
    console: &Console,
    state: &State,
    person: PersonId,
    task: &Task,
) -> Result<Option<Signed>, PageError> {
    let Some(task) = ended_first(state, person, task) else { return Ok(None) };
    let Some((_, reason)) = &task.ended else { return Ok(None) };
    let filter = match reason {
        EndReason::Ended { .. } | EndReason::Expired => Filter {
            kind: Some("TaskEnded".to_owned()),
            task: Some(task.id.to_string()),
            limit: 1,
            ..Filter::default()
        },
        EndReason::RunRevoked => Filter {
            kind: Some("RunRevoked".to_owned()),
            agent: Some(task.agent.to_string()),
            limit: RUNS_LOOKED_AT_MAX,
            ..Filter::default()
        },
        _ => return Ok(None),
    };
    let found = console.engine.query(filter).await?;
    let cause = found.iter().find(|committed| match &committed.record.event {
        Event::RunRevoked { run, .. } => *run == task.run,
        _ => true,
    });
    let Some(cause) = cause else { return Ok(None) };
    let receipt = console.engine.revocation_receipt(cause.seq).await?;
    let compact = console.engine.sign_receipt(&receipt)?;
    Ok(Some(Signed { receipt, compact }))
}

pub(super) fn render(state: &State, signed: &Signed, now: Timestamp) -> Markup {
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
                (row("Ended with it", &html! { (receipt.ended.tasks) @if receipt.ended.tasks == 1 { " task" } @else { " tasks" } }))
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
