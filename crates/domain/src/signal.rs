//! Signals: what other systems say about people, and what follows from it here (OpenID Shared Signals Framework 1.0, CAEP 1.0,
//! RISC 1.0).

use imbl::{HashMap, Vector};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::agent::{AgentStatus, end_everything};
use crate::cascade::{each_once, end_trees};
use crate::person::check_note;
use crate::{
    Actor, AgentId, Digest, EndReason, Event, External, Moment, PersonId, Refusal, SignInMethod, State, Timestamp,
    limits,
};

#[cfg(test)]
mod tests;

/// What a signal says of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignalKind {
    /// Somebody ended their session (CAEP 1.0 section 3.1).
    SessionRevoked,
    /// Their account is disabled (RISC 1.0 section 2.3).
    AccountDisabled,
    /// Their account is gone for good (RISC 1.0 section 2.2).
    AccountPurged,
}

impl SignalKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionRevoked => "session-revoked",
            Self::AccountDisabled => "account-disabled",
            Self::AccountPurged => "account-purged",
        }
    }
}

/// Acts on a signal whose signature, audience and age the caller has verified.
#[derive(Debug, Clone)]
pub struct ReceiveSignal {
    /// The issuer of the signal.
    pub transmitter: String,
    pub kind: SignalKind,
    /// What the transmitter calls this signal (RFC 7519 section 4.1.7): it is acted on once.
    pub jti: String,
    /// Who it is about, as the subject of an issuer (RFC 9493 section 3.2.3).
    pub issuer: String,
    pub subject: String,
}

/// A signal was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignalReceived {
    pub transmitter: String,
    pub kind: SignalKind,
    pub jti: String,
    pub issuer: String,
    pub subject: String,
    /// The person that it is about, if anybody of this realm is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
}

/// The signals of one transmitter that were acted on a short time ago.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    at: HashMap<Digest, Timestamp>,
    order: Vector<Digest>,
}

impl Seen {
    fn contains(&self, jti: &Digest, now: Timestamp) -> bool {
        self.at.get(jti).is_some_and(|at| now < at.plus_seconds(limits::SIGNAL_SECONDS_KEPT))
    }

    /// Forgets what is too old or too much, and remembers one. To act on an old signal again is no harm; to refuse a new one is.
    fn insert(&mut self, jti: Digest, now: Timestamp) {
        while let Some(oldest) = self.order.front().copied() {
            if self.order.len() < limits::SIGNALS_KEPT_MAX && self.contains(&oldest, now) {
                break;
            }
            self.order.pop_front();
            self.at.remove(&oldest);
        }
        if self.at.insert(jti, now).is_none() {
            self.order.push_back(jti);
        }
    }
}

impl State {
    /// The person that `issuer` calls `subject`.
    pub fn person_of(&self, issuer: &str, subject: &str) -> Option<PersonId> {
        self.people_by_external.get(&External::new(issuer, subject)).copied()
    }
}

/// Says who somebody is at an issuer elsewhere.
pub(crate) fn decide_link(
    state: &State,
    actor: &Actor,
    id: PersonId,
    issuer: &str,
    subject: &str,
) -> Result<Vec<Event>, Refusal> {
    let by = actor.administrator(state)?;
    let person = state.person(id)?;
    if state.has_passkey(id) && by != id && !matches!(actor, Actor::Person { method: SignInMethod::LocalSocket, .. }) {
        // An account elsewhere signs in: to whoever has a passkey that is one more way past it, as a link would be.
        return Err(Refusal::new(
            "has_passkey",
            format!("`{}` signs in with a passkey, and links accounts themself", person.name),
        )
        .help("or run `remit person link` on the machine that Remit runs on"));
    }
    let external = External::checked(issuer, subject)?;
    match state.people_by_external.get(&external) {
        Some(linked) if *linked == id => return Ok(Vec::new()),
        Some(_) => {
            return Err(Refusal::new("subject_taken", format!("`{subject}` of `{issuer}` is somebody else here"))
                .help("an account elsewhere is one person"));
        }
        None => {}
    }
    if state.people_by_external.values().filter(|linked| **linked == id).count() >= limits::PERSON_LINKS_MAX {
        let sentence = format!("`{}` is linked to {} accounts already", person.name, limits::PERSON_LINKS_MAX);
        return Err(Refusal::new("too_many_links", sentence));
    }
    Ok(vec![Event::PersonLinked { person: id, issuer: external.issuer, subject: external.subject }])
}

/// Records a signal, and ends in the same commit what it says has ended: sessions of the person, tasks that act for them or that
/// they started and, with the account, the agents that they own. A signal about nobody here is recorded and does nothing.
pub(crate) fn decide_receive(
    state: &State,
    actor: &Actor,
    signal: &ReceiveSignal,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    actor.remit("receives signals")?;
    let texts = [&signal.transmitter, &signal.jti, &signal.issuer, &signal.subject];
    for text in texts {
        check_note("signal", text)?;
    }
    if signal.transmitter.is_empty() || signal.jti.is_empty() {
        return Err(Refusal::new("bad_signal", "a signal has a transmitter and an id"));
    }
    if state.signals.get(&signal.transmitter).is_some_and(|seen| seen.contains(&name(&signal.jti), at.now)) {
        return Ok(Vec::new());
    }
    let person = state.person_of(&signal.issuer, &signal.subject);
    let mut events = vec![Event::SignalReceived(Box::new(SignalReceived {
        transmitter: signal.transmitter.clone(),
        kind: signal.kind,
        jti: signal.jti.clone(),
        issuer: signal.issuer.clone(),
        subject: signal.subject.clone(),
        person,
    }))];
    if let Some(person) = person {
        events.extend(consequences(state, person, signal.kind));
    }
    Ok(events)
}

fn name(jti: &str) -> Digest {
    Digest::of_bytes(jti.as_bytes())
}

fn consequences(state: &State, person: PersonId, kind: SignalKind) -> Vec<Event> {
    let sessions = state.sessions.values().filter(|session| session.person == person).map(|session| session.id);
    let mut sessions: Vec<_> = sessions.collect();
    sessions.sort();
    let mut events: Vec<Event> = sessions.into_iter().map(|session| Event::SessionEnded { session }).collect();
    let reason = EndReason::Signal { signal: kind.as_str().to_owned() };
    let concerned =
        state.live_tasks().filter(|task| task.acting_for == Some(person) || task.started_by == Some(person));
    events.extend(end_trees(state, concerned.map(|task| task.id), &reason));
    if kind == SignalKind::SessionRevoked {
        return events;
    }
    let owned = state
        .agents
        .values()
        .filter(|agent| agent.profile.owner == Some(person) && agent.status == AgentStatus::Active);
    let mut owned: Vec<AgentId> = owned.map(|agent| agent.id).collect();
    owned.sort();
    for agent in owned {
        let reason = format!("the account of its owner has ended elsewhere (`{}`)", kind.as_str());
        let suspended = Event::AgentSuspended { agent, reason };
        events.extend(end_everything(state, agent, &EndReason::AgentSuspended, suspended));
    }
    each_once(events)
}

pub(crate) fn apply_linked(state: &mut State, person: PersonId, issuer: &str, subject: &str) {
    state.people_by_external.insert(External::new(issuer, subject), person);
}

/// Nobody else is ever taken for somebody who was removed.
pub(crate) fn apply_person_removed(state: &mut State, person: PersonId) {
    state.people_by_external.retain(|_, linked| *linked != person);
}

pub(crate) fn apply_received(state: &mut State, received: &SignalReceived, at: Timestamp) {
    state.signals.entry(received.transmitter.clone()).or_default().insert(name(&received.jti), at);
    if let Some(person) = received.person {
        crate::authorization::void_open_codes(state, person);
    }
}
