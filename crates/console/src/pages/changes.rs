//! Changes: what decides about agents, changed only with somebody else's yes.

pub(crate) mod answer;
mod answer_box;
mod compared;
pub(crate) mod list;
pub(crate) mod replay;
pub(crate) mod show;
#[cfg(test)]
mod tests;
pub(crate) mod tried;

use std::sync::Arc;

use maud::{Markup, html};
use remit_domain::{Change, ChangeId, ChangeKind, Command, PersonId, Refusal, State, Timestamp};

use super::control;
use crate::parts::pill::{Tone, pill};
use crate::session::Viewer;

/// What one person could answer now, asked of the function that will decide it.
#[derive(Debug)]
struct Answers {
    approve: Result<(), Refusal>,
    reject: Result<(), Refusal>,
    review: Result<(), Refusal>,
}

impl Answers {
    fn of(state: &State, viewer: &Viewer, change: &Change, now: Timestamp) -> Self {
        let (id, note) = (change.id, String::new());
        let may = |command: &Command| control::may(state, viewer, command, now);
        Self {
            approve: may(&Command::ApproveChange { change: id }),
            reject: may(&Command::RejectChange { change: id, note: note.clone() }),
            review: may(&Command::ReviewChange { change: id, upheld: true, note }),
        }
    }
}

/// Why a change is not for `person` to answer, as far as lists look: whether its policies hold, only its own page asks.
fn not_for(state: &State, person: PersonId, change: &Change) -> Option<&'static str> {
    if change.author == person {
        return Some("you proposed it");
    }
    if change.reviews.iter().any(|review| review.by == person) {
        return Some("you have reviewed it");
    }
    if !change.may_be_approved_by(state, person) {
        return Some("it is for others to answer");
    }
    change.is_stale(state).then_some("what it edits has changed since; it has to be proposed again")
}

/// The changes that wait for this person.
pub(crate) fn waiting(state: &State, person: PersonId) -> impl Iterator<Item = &Arc<Change>> {
    state.changes.values().filter(move |change| not_for(state, person, change).is_none())
}

/// The id in an address, or the refusal for what cannot be one.
fn parse(id: &str) -> Result<ChangeId, Refusal> {
    id.parse().map_err(|_| Refusal::unknown("change", id.chars().take(64).collect::<String>()))
}

fn kind(kind: ChangeKind) -> Markup {
    match kind {
        ChangeKind::Normal => html! {},
        ChangeKind::Emergency => pill(Tone::Bad, "emergency"),
        ChangeKind::Revert { .. } => pill(Tone::Quiet, "revert"),
    }
}
