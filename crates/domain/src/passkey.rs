//! Passkeys: what a person signs in, steps up and says yes with (W3C Web Authentication, level 3).

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::person::{check_note, check_text};
use crate::{
    Actor, Command, Digest, Event, Moment, PersonId, Refusal, Session, SessionId, SignInMethod, State, Timestamp,
    limits,
};

#[cfg(test)]
mod tests;

/// A key that a person holds and nobody else, and that wants to see them each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// The credential's id, base64url.
    pub credential: String,
    pub person: PersonId,
    /// The public key as a JWK (RFC 7517).
    pub key: serde_json::Value,
    /// What its person calls it.
    pub label: String,
    /// The newest count that its authenticator gave; many give none and stay at zero.
    pub sign_count: u32,
    /// Whether its maker keeps a copy, so that it is as safe as an account there.
    pub backed_up: bool,
    pub added_at: Timestamp,
}

/// Adds a passkey to a person. The door has checked that whoever asks holds it.
#[derive(Debug, Clone)]
pub struct EnrolPasskey {
    pub credential: String,
    pub key: serde_json::Value,
    pub label: String,
    pub sign_count: u32,
    pub backed_up: bool,
    /// The name for which its authenticator made it: that of the console's host.
    pub rp_id: String,
    /// The session in which the person enrols it.
    pub session: Option<SessionId>,
}

/// A person has a passkey more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PasskeyEnrolled {
    pub person: PersonId,
    pub credential: String,
    /// The public key as a JWK (RFC 7517): what signed answers are verified with, also offline.
    pub key: serde_json::Value,
    pub label: String,
    pub sign_count: u32,
    pub backed_up: bool,
    pub method: SignInMethod,
    /// The relying party for which it was made (section 5.4.2): what it signs, it signs for that one. Records of before do not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rp_id: String,
    /// Whether a recovery led here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recovery: bool,
}

/// That a passkey was shown, as its authenticator counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PasskeyUse {
    pub credential: String,
    pub sign_count: u32,
}

/// Begins a session for whoever showed a passkey. The door has verified the assertion.
#[derive(Debug, Clone)]
pub struct OpenPasskeySession {
    pub shown: PasskeyUse,
    pub token: Digest,
}

impl State {
    /// # Errors
    /// If nobody has this passkey.
    pub fn passkey(&self, credential: &str) -> Result<&Arc<Passkey>, Refusal> {
        self.passkeys.get(credential).ok_or_else(|| {
            Refusal::new("passkey_unknown", "this passkey is not one of this realm, or was removed")
                .help("use another one, or ask an administrator for a way in: `remit person recover NAME`")
        })
    }

    /// The passkeys of a person, oldest first.
    pub fn passkeys_of(&self, person: PersonId) -> Vec<&Arc<Passkey>> {
        let mut own: Vec<_> = self.passkeys.values().filter(|passkey| passkey.person == person).collect();
        own.sort_by(|one, other| (one.added_at, &one.credential).cmp(&(other.added_at, &other.credential)));
        own
    }

    pub fn has_passkey(&self, person: PersonId) -> bool {
        self.passkeys.values().any(|passkey| passkey.person == person)
    }
}

impl Actor {
    /// Refuses a person who could have shown a passkey just now, and has not.
    ///
    /// INVARIANT: whoever steals a session of somebody with a passkey changes nothing with it. The data directory's socket stands for the
    /// operating system's user, whom Remit cannot keep out, and is how a person gets back in who has lost every passkey.
    pub(crate) fn must_be_fresh(&self, state: &State) -> Result<(), Refusal> {
        match self {
            Self::Person { person, method } if !method.is_fresh() && state.has_passkey(*person) => {
                Err(Refusal::new("step_up_needed", "this needs your passkey, shown within the last five minutes")
                    .help("confirm with your passkey in the console and do it again"))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses what is grave, and any yes, from somebody of whom nothing but a link says who they are: for realms whose operator wants
/// passkeys of everybody. They enrol one, look, and leave; what is theirs to do comes after.
///
/// # Errors
/// `passkey_required`.
pub fn must_have_passkey(state: &State, actor: &Actor, command: &Command) -> Result<(), Refusal> {
    let Actor::Person { person, method: SignInMethod::OneTimeLink } = actor else { return Ok(()) };
    let weighs = command.is_grave() || matches!(command, Command::Approve(_));
    if !weighs || state.has_passkey(*person) {
        return Ok(());
    }
    Err(Refusal::new(
        "passkey_required",
        "whoever was let in by a link does this only with a passkey, and you have none yet",
    )
    .help("enrol one on the console's page of passkeys, then do it again"))
}

/// Why a recovery takes away what it replaces.
const REPLACED: &str = "replaced by a recovery";

/// Adds a passkey. One that a recovery led to replaces all others: whoever holds what was lost, or a session of that time, holds
/// nothing any more.
pub(crate) fn decide_enrol(
    state: &State,
    actor: &Actor,
    enrol: &EnrolPasskey,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let Actor::Person { person, method } = actor else {
        return Err(Refusal::new("person_needed", "a passkey is a person's"));
    };
    check_text("name of the passkey", &enrol.label)?;
    if enrol.credential.is_empty() || enrol.credential.len() > limits::CREDENTIAL_BYTES_MAX {
        return Err(Refusal::new("bad_passkey", "the id of this passkey is empty or too long"));
    }
    if enrol.rp_id.len() > limits::FACT_BYTES_MAX {
        return Err(Refusal::new("bad_passkey", "the name for which this passkey was made is too long"));
    }
    if state.passkeys.contains_key(&enrol.credential) {
        return Err(Refusal::new("passkey_known", "this passkey is enrolled already"));
    }
    let recovery = enrol
        .session
        .and_then(|id| state.sessions.get(&id))
        .is_some_and(|session| session.person == *person && session.recovery && at.now < session.expires_at);
    let own = state.passkeys_of(*person);
    if own.len() >= limits::PASSKEYS_MAX && !recovery {
        let sentence = format!("a person has at most {} passkeys", limits::PASSKEYS_MAX);
        return Err(Refusal::new("too_many_passkeys", sentence).help("remove one that is not used any more"));
    }
    if *method == SignInMethod::LocalSocket {
        return Err(Refusal::new("browser_needed", "a passkey is enrolled in a browser")
            .help("sign in there: `remit person sign-in NAME` makes a link"));
    }
    if !recovery {
        actor.must_be_fresh(state)?;
    }
    let mut events = vec![Event::PasskeyEnrolled(Box::new(PasskeyEnrolled {
        person: *person,
        credential: enrol.credential.clone(),
        key: enrol.key.clone(),
        label: enrol.label.clone(),
        sign_count: enrol.sign_count,
        backed_up: enrol.backed_up,
        method: *method,
        rp_id: enrol.rp_id.clone(),
        recovery,
    }))];
    if recovery {
        events.extend(own.iter().map(|lost| Event::PasskeyRemoved {
            person: *person,
            credential: lost.credential.clone(),
            by: *person,
            reason: REPLACED.to_owned(),
        }));
        events.extend(ended(state, |session| session.person == *person && Some(session.id) != enrol.session));
    }
    Ok(events)
}

/// The ends of the sessions that `ends` names, in a fixed order.
fn ended(state: &State, ends: impl Fn(&Session) -> bool) -> impl Iterator<Item = Event> {
    let mut sessions: Vec<_> =
        state.sessions.values().filter(|session| ends(session)).map(|session| session.id).collect();
    sessions.sort();
    sessions.into_iter().map(|session| Event::SessionEnded { session })
}

/// Removes a passkey: its own person, or an administrator on the machine itself. What it opened ends with it; with the last one every
/// session of its person ends, since none of them would have to show a passkey any more.
pub(crate) fn decide_remove(
    state: &State,
    actor: &Actor,
    credential: &str,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    let by = actor.person()?;
    check_note("reason", reason)?;
    let passkey = state.passkey(credential)?;
    if passkey.person != by {
        actor.administrator(state)?;
        if !matches!(actor, Actor::Person { method: SignInMethod::LocalSocket, .. }) {
            return Err(Refusal::new(
                "socket_needed",
                "a passkey of somebody else is removed on Remit's own machine only",
            )
            .help("`remit person passkey remove` there, or let its person do it"));
        }
    }
    let removed = Event::PasskeyRemoved {
        person: passkey.person,
        credential: credential.to_owned(),
        by,
        reason: reason.to_owned(),
    };
    let is_last = state.passkeys_of(passkey.person).len() == 1;
    let ends = |session: &Session| {
        session.passkey.as_deref() == Some(credential) || (is_last && session.person == passkey.person)
    };
    Ok(std::iter::once(removed).chain(ended(state, ends)).collect())
}

/// Refuses a passkey whose count did not grow: somebody has a copy of it (level 3, section 6.1.1).
pub(crate) fn must_count(passkey: &Passkey, sign_count: u32) -> Result<(), Refusal> {
    if (passkey.sign_count > 0 || sign_count > 0) && sign_count <= passkey.sign_count {
        return Err(Refusal::new(
            "passkey_cloned",
            format!("the passkey `{}` counts backwards, as a copy would", passkey.label),
        )
        .help("remove it and enrol another one"));
    }
    Ok(())
}

/// Shows a passkey in a session that is under way.
pub(crate) fn decide_raise(
    state: &State,
    actor: &Actor,
    session: SessionId,
    shown: &PasskeyUse,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let person = actor.person()?;
    let known = state.sessions.get(&session).filter(|known| known.person == person && at.now < known.expires_at);
    if known.is_none() {
        return Err(Refusal::new("session_ended", "this session has ended").help("sign in again"));
    }
    let passkey = state.passkey(&shown.credential)?;
    if passkey.person != person {
        return Err(Refusal::new("passkey_unknown", "this is the passkey of somebody else").help("use your own"));
    }
    must_count(passkey, shown.sign_count)?;
    Ok(vec![Event::SessionRaised { session, person, shown: shown.clone() }])
}

pub(crate) fn apply_enrolled(state: &mut State, enrolled: &PasskeyEnrolled, at: Timestamp) {
    let passkey = Passkey {
        credential: enrolled.credential.clone(),
        person: enrolled.person,
        key: enrolled.key.clone(),
        label: enrolled.label.clone(),
        sign_count: enrolled.sign_count,
        backed_up: enrolled.backed_up,
        added_at: at,
    };
    state.passkeys.insert(enrolled.credential.clone(), Arc::new(passkey));
    if enrolled.recovery {
        // A recovery replaces once; after it a passkey is there to be shown.
        let (person, change) = (enrolled.person, |session: &mut Session| session.recovery = false);
        change_sessions(state, |session| session.person == person && session.recovery, change);
        state.sign_ins.retain(|_, offer| offer.person != enrolled.person);
    }
}

pub(crate) fn apply_removed(state: &mut State, credential: &str) {
    state.passkeys.remove(credential);
    // What was shown last in a session is gone, so nothing is fresh there.
    let forget = |session: &mut Session| (session.fresh_at, session.fresh_by) = (None, None);
    change_sessions(state, |session| session.fresh_by.as_deref() == Some(credential), forget);
}

fn change_sessions(state: &mut State, concerns: impl Fn(&Session) -> bool, change: impl Fn(&mut Session)) {
    let sessions: Vec<_> =
        state.sessions.values().filter(|session| concerns(session)).map(|session| session.id).collect();
    for session in sessions {
        if let Some(session) = state.sessions.get_mut(&session) {
            change(session);
        }
    }
}

pub(crate) fn apply_used(state: &mut State, shown: &PasskeyUse) {
    if let Some(passkey) = state.passkeys.get_mut(&shown.credential) {
        Arc::make_mut(passkey).sign_count = shown.sign_count;
    }
}

pub(crate) fn apply_person_removed(state: &mut State, person: PersonId) {
    state.passkeys.retain(|_, passkey| passkey.person != person);
}
