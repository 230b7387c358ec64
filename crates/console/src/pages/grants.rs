//! Grants: what agents, and people for them, ask to be allowed; who answers; and what is granted now.

pub(crate) mod answer;
mod answer_box;
pub(crate) mod list;
mod operations;
pub(crate) mod show;
#[cfg(test)]
mod tests;

use maud::{Markup, html};
use remit_domain::{Command, GrantId, GrantRequest, OperationPattern, Refusal, State, Task, Timestamp};

use super::control;
use crate::errors::PageError;
use crate::names::Names;
use crate::parts::id;
use crate::parts::text::shown;
use crate::session::Viewer;

/// What one person could answer now, asked of the function that will decide it.
#[derive(Debug)]
struct Answers {
    approve: Result<(), Refusal>,
    deny: Result<(), Refusal>,
}

impl Answers {
    fn of(state: &State, viewer: &Viewer, request: &GrantRequest, now: Timestamp) -> Self {
        let may = |command: &Command| control::may(state, viewer, command, now);
        Self {
            approve: may(&Command::ApproveGrant { grant: request.id }),
            deny: may(&Command::DenyGrant { grant: request.id, note: String::new() }),
        }
    }
}

fn parse(id: &str) -> Result<GrantId, PageError> {
    let unknown = |_| Refusal::unknown("grant", id.chars().take(64).collect::<String>());
    id.parse().map_err(|error| PageError::from(unknown(error)))
}

fn patterns(operations: &[OperationPattern]) -> Markup {
    html! { @for pattern in operations { code { (shown(pattern.as_str())) } " " } }
}

/// Who asked: a person, or the agent itself in its task.
fn asked_by(names: Names<'_>, requested_by: Option<remit_domain::PersonId>, task: Option<&Task>) -> Markup {
    match (requested_by, task) {
        (Some(person), _) => names.person(person),
        (None, Some(task)) => {
            html! { "the agent itself, in " a href={ "/tasks/" (task.id) } { "its task " (id::short(task.id)) } }
        }
        (None, None) => html! { "the agent itself, in a task that has ended" },
    }
}

/// The task that asks, as far as it is known.
fn task_of(state: &State, task: Option<remit_domain::TaskId>) -> Option<&Task> {
    task.and_then(|task| state.tasks.get(&task)).map(AsRef::as_ref)
}
