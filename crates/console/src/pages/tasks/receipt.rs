//! Which record has the receipt of a task's end.

use remit_domain::{EndReason, Event, PersonId, State, Task, lineage, may_read_task};
use remit_engine::Filter;

use crate::Console;
use crate::errors::PageError;
use crate::parts::receipt::Signed;

/// Ends of one agent's runs that are looked through for that of a task, newest first.
const RUNS_LOOKED_AT_MAX: usize = 100;

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
