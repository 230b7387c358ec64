//! Tasks: what agents are at work on, under whose name and within which bounds, and how it ends.

pub(crate) mod end;
pub(crate) mod list;
mod receipt;
pub(crate) mod show;
#[cfg(test)]
mod tests;
mod tree;

use maud::{Markup, html};
use remit_domain::{EndReason, Refusal, State, Task, TaskId, Timestamp};

use crate::names::Names;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::shown;

/// The id in an address, or the refusal for what cannot be one.
fn parse(id: &str) -> Result<TaskId, Refusal> {
    id.parse().map_err(|_| Refusal::unknown("task", id.chars().take(64).collect::<String>()))
}

fn status(task: &Task, now: Timestamp) -> Markup {
    match &task.ended {
        None if now < task.expires_at => pill(Tone::Good, "live"),
        None => pill(Tone::Quiet, "out of time"),
        Some((_, EndReason::Ended { .. } | EndReason::Expired | EndReason::ParentEnded)) => pill(Tone::Quiet, "ended"),
        // Somebody or something took it away.
        Some(_) => pill(Tone::Bad, "revoked"),
    }
}

/// Why a task ended, in words.
fn reason(reason: &EndReason) -> Markup {
    match reason {
        EndReason::Ended { note } if note.is_empty() => html! { "its work was done, or whoever ran it said so" },
        EndReason::Ended { note } => html! { "“" (shown(note)) "”" },
        EndReason::Expired => html! { "its time was over" },
        EndReason::ParentEnded => html! { "the task above it ended" },
        EndReason::AgentSuspended => html! { "its agent was suspended" },
        EndReason::AgentDecommissioned => html! { "its agent was decommissioned" },
        EndReason::KeyRevoked => html! { "its key was revoked" },
        EndReason::PersonRemoved => html! { "its person was removed" },
        EndReason::RunRevoked => html! { "its whole run was ended" },
        EndReason::CodeReused => html! { "its one-time code or refresh token was used twice" },
        EndReason::Signal { signal } => {
            html! { "another system said that its person may not go on: " code { (shown(signal)) } }
        }
    }
}

/// For whom it acts.
fn acting_for(state: &State, task: &Task) -> Markup {
    match task.acting_for {
        Some(person) => Names(state).person(person),
        None => html! { span .quiet { "nobody" } },
    }
}

/// How much of its calls are used.
fn budget(task: &Task) -> Markup {
    let max = task.budget.calls_max;
    html! { (task.calls) " of " (max) }
}

/// What has come into a task, as words.
fn labels(task: &Task) -> Markup {
    html! { @for label in &task.labels { (pill(Tone::Waits, label)) " " } }
}
