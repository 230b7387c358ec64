//! Changes: what decides about agents, changed only with somebody else's yes.

pub(crate) mod answer;
mod answer_box;
mod compared;
pub(crate) mod list;
pub(crate) mod show;
#[cfg(test)]
mod tests;

use maud::{Markup, html};
use remit_domain::{Actor, Change, ChangeId, ChangeKind, Command, Moment, PersonId, Refusal, State, Timestamp, decide};

use crate::parts::pill::{Tone, pill};

/// What one person could answer now, asked of the function that will decide it.
#[derive(Debug)]
struct Answers {
    approve: Result<(), Refusal>,
    reject: Result<(), Refusal>,
    review: Result<(), Refusal>,
}

impl Answers {
    fn of(state: &State, actor: &Actor, change: &Change, now: Timestamp) -> Self {
        let (id, note) = (change.id, String::new());
        let may = |command: &Command| decide(state, actor, command, &Moment::new(now, 0)).map(|_| ());
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

/// How many changes wait for this person.
pub(crate) fn waiting_count(state: &State, person: PersonId) -> usize {
    state.changes.values().filter(|change| not_for(state, person, change).is_none()).count()
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
