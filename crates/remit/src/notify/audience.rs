//! Whom a notice is for: who can do something about it.

use remit_domain::{
    Actor, Approval, Approve, Change, Command, GrantRequest, Moment, Person, PersonId, SignInMethod, State, Timestamp,
    decide, must_be_able_to_answer,
};
use serde::Serialize;

/// Why a yes is refused that its person may give all the same: later, or signed.
const NOT_YET: [&str; 4] = ["signature_needed", "approval_shown", "too_soon", "too_many_answers"];

/// Somebody whom a notice is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recipient {
    pub person: PersonId,
    pub name: String,
}

/// Who may say yes to `approval`: asked of the function that will decide it, so that nobody is told who could not answer, and nobody
/// forgotten who answers in another's place.
pub fn of_approval(state: &State, approval: &Approval, now: Timestamp) -> Vec<Recipient> {
    let may = |person: &Person| {
        // As if their passkey had just been shown: that is for the page to ask.
        let actor = Actor::Person { person: person.id, method: SignInMethod::FreshPasskey };
        let yes = Command::Approve(Approve::unsigned(approval.id, approval.digest, String::new()));
        // The ids that this moment makes are thrown away with the events.
        match decide(state, &actor, &yes, &Moment::new(now, 0)) {
            Ok(_) => true,
            Err(refusal) => NOT_YET.contains(&refusal.code.as_str()),
        }
    };
    named(state, may)
}

/// Who may say yes to `request`.
pub fn of_grant(state: &State, request: &GrantRequest) -> Vec<Recipient> {
    named(state, |person| must_be_able_to_answer(state, request, person.id).is_ok())
}

/// Who may approve or review `change`.
pub fn of_change(state: &State, change: &Change) -> Vec<Recipient> {
    named(state, |person| change.may_be_approved_by(state, person.id))
}

/// Who may review an emergency change, and every administrator but its author.
pub fn of_emergency(state: &State, change: &Change) -> Vec<Recipient> {
    let concerned = |person: &Person| person.is_administrator() && person.id != change.author;
    named(state, |person| concerned(person) || change.may_be_approved_by(state, person.id))
}

/// The person themselves.
pub fn of_person(state: &State, id: PersonId) -> Vec<Recipient> {
    named(state, |person| person.id == id)
}

/// The person themselves and every administrator.
pub fn of_person_and_administrators(state: &State, id: PersonId) -> Vec<Recipient> {
    named(state, |person| person.id == id || person.is_administrator())
}

fn named(state: &State, is_told: impl Fn(&Person) -> bool) -> Vec<Recipient> {
    let told = state.people.values().filter(|person| is_told(person));
    let mut told: Vec<_> = told.map(|person| Recipient { person: person.id, name: person.name.clone() }).collect();
    told.sort_by(|one, other| one.name.cmp(&other.name));
    told
}
