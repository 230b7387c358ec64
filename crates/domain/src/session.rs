//! Local sign-in: one-time codes and the sessions that they open.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Actor, Digest, Event, Moment, PersonId, Refusal, SessionId, SignInMethod, State, Timestamp, limits};

#[cfg(test)]
mod tests;

/// A signed-in person. Kept on the server; the person's side holds only a random token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub person: PersonId,
    pub token: Digest,
    pub method: SignInMethod,
    pub expires_at: Timestamp,
}

/// A one-time code that signs one person in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignInOffered {
    pub person: PersonId,
    pub code: Digest,
    pub expires_at: Timestamp,
}

/// Exchanges a one-time code for a session. Both secrets arrive as digests; the caller made them.
#[derive(Debug, Clone)]
pub struct OpenSession {
    pub code: Digest,
    pub token: Digest,
}

/// A session has begun and its code is used up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionOpened {
    pub session: SessionId,
    pub person: PersonId,
    pub code: Digest,
    pub token: Digest,
    pub expires_at: Timestamp,
}

pub(crate) fn decide_offer(
    state: &State,
    actor: &Actor,
    person: PersonId,
    code: Digest,
    ttl_seconds: u64,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    actor.administrator(state)?;
    state.person(person)?;
    check_ttl(ttl_seconds)?;
    Ok(vec![Event::SignInOffered(SignInOffered { person, code, expires_at: at.now.plus_seconds(ttl_seconds) })])
}

pub(crate) fn check_ttl(ttl_seconds: u64) -> Result<(), Refusal> {
    if (1..=limits::CODE_SECONDS_MAX).contains(&ttl_seconds) {
        return Ok(());
    }
    Err(Refusal::new(
        "bad_duration",
        format!("a one-time code lives between 1 second and {} hours", limits::CODE_SECONDS_MAX / 3600),
    ))
}

pub(crate) fn decide_open(state: &State, open: &OpenSession, at: &Moment) -> Result<Vec<Event>, Refusal> {
    let offer = state.sign_ins.get(&open.code).filter(|offer| at.now < offer.expires_at);
    let offer = offer.ok_or_else(|| {
        Refusal::new("code_refused", "this sign-in code is unknown, used or expired")
            .help("ask an administrator for a new one: `remit person sign-in NAME`")
    })?;
    state.person(offer.person)?;
    Ok(vec![Event::SessionOpened(SessionOpened {
        session: at.fresh_id(),
        person: offer.person,
        code: open.code,
        token: open.token,
        expires_at: at.now.plus_seconds(limits::SESSION_SECONDS_MAX),
    })])
}

/// Ends a session: by its own person, or by an administrator.
pub(crate) fn decide_end(state: &State, actor: &Actor, id: SessionId) -> Result<Vec<Event>, Refusal> {
    let Some(session) = state.sessions.get(&id) else { return Ok(Vec::new()) };
    if actor.person()? != session.person {
        actor.administrator(state)?;
    }
    Ok(vec![Event::SessionEnded { session: id }])
}

pub(crate) fn apply_offered(state: &mut State, offered: &SignInOffered) {
    state.sign_ins.insert(offered.code, offered.clone());
    state.forget_sign_in_at(offered.expires_at, offered.code);
}

pub(crate) fn apply_opened(state: &mut State, opened: &SessionOpened) {
    state.sign_ins.remove(&opened.code);
    let session = Session {
        id: opened.session,
        person: opened.person,
        token: opened.token,
        method: SignInMethod::OneTimeLink,
        expires_at: opened.expires_at,
    };
    state.sessions_by_token.insert(opened.token, opened.session);
    state.sessions.insert(opened.session, session);
    state.forget_session_at(opened.expires_at, opened.session);
}

pub(crate) fn apply_ended(state: &mut State, id: SessionId) {
    if let Some(session) = state.sessions.remove(&id) {
        state.sessions_by_token.remove(&session.token);
    }
}
