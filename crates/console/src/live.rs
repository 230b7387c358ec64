//! `/live`: that something happened, as server-sent events, so that an open page looks again.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, future};
use remit_domain::{Approval, ApprovalId, Event, PersonId, State as Realm, may_read_records};
use remit_engine::change_of;

use crate::session::Viewer;
use crate::{Console, limits};

#[cfg(test)]
mod tests;

/// The names of what happens from now on, to whom it concerns. The page itself asks what it was, and is told only what its person may
/// see.
pub(crate) async fn live(
    State(console): State<Console>,
    viewer: Viewer,
) -> Sse<impl Stream<Item = Result<Message, Infallible>>> {
    let (engine, about) = (console.engine.clone(), console.engine.clone());
    let Viewer { person, session, .. } = viewer;
    let messages = console
        .engine
        .watch(console.engine.head())
        // Who signs out, or is removed, hears nothing more.
        .take_while(move |_| future::ready(engine.read(|state| holds(state, session, person, engine.now()))))
        .filter(move |committed| future::ready(about.read(|state| concerns(state, person, &committed.record.event))))
        .map(|committed| Ok(Message::default().event("record").data(name(&committed.record.event))));
    let quiet = Duration::from_secs(limits::LIVE_QUIET_SECONDS);
    Sse::new(messages).keep_alive(KeepAlive::new().interval(quiet))
}

/// Whether the session that opened the stream is still one of this person.
fn holds(state: &Realm, session: remit_domain::SessionId, person: PersonId, now: remit_domain::Timestamp) -> bool {
    state.people.contains_key(&person) && state.sessions.get(&session).is_some_and(|session| now < session.expires_at)
}

/// Whether `person` may hear that `event` happened: who reads every record, who answers for the agent, who is asked, and whose
/// change it is or who may answer it.
fn concerns(state: &Realm, person: PersonId, event: &Event) -> bool {
    let answers_for = || {
        let profile = event.agent().and_then(|agent| state.agent(agent).ok()).map(|agent| &agent.profile);
        profile.is_some_and(|profile| profile.owner == Some(person) || profile.approvers.contains(&person))
    };
    let is_asked = || {
        let approval = approval_of(event).and_then(|id| state.approval(id).ok());
        approval.is_some_and(|approval| asks(state, person, approval))
    };
    let has_change = || {
        let change = change_of(event).and_then(|id| state.changes.get(&id));
        change.is_some_and(|change| change.author == person || change.may_be_approved_by(state, person))
    };
    may_read_records(state, person).is_ok() || answers_for() || is_asked() || has_change()
}

/// Whether the question is one for a group of this person, or for somebody whom they stand in for, or about what is done for them.
fn asks(state: &Realm, person: PersonId, approval: &Approval) -> bool {
    let groups = state.people.get(&person).map(|person| person.groups.as_slice()).unwrap_or_default();
    let is_of = approval.ask.approvers.iter().flatten().any(|role| groups.contains(role));
    is_of || approval.seen.contains_key(&person) || approval.facts.acting_for == Some(person)
}

fn approval_of(event: &Event) -> Option<ApprovalId> {
    match event {
        Event::ApprovalRequested(requested) => Some(requested.approval),
        Event::ApprovalVoted { approval, .. }
        | Event::ApprovalGranted { approval, .. }
        | Event::ApprovalDenied { approval, .. } => Some(*approval),
        _ => None,
    }
}

/// What kind of event it was, and nothing of what is in it.
fn name(event: &Event) -> String {
    let document = serde_json::to_value(event).unwrap_or_default();
    document.get("type").and_then(serde_json::Value::as_str).unwrap_or("Event").to_owned()
}
