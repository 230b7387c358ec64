//! Sign-in: one-time codes, passkeys, issuers elsewhere, and the sessions that they open.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::passkey::{OpenPasskeySession, PasskeyUse, must_count};
use crate::{
    Actor, Digest, Event, Moment, PersonId, Refusal, SessionId, SignInMethod, State, Timestamp, limits, passkey,
};

#[cfg(test)]
mod tests;

/// A signed-in person. Kept on the server; the person's side holds only a random token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub person: PersonId,
    pub token: Digest,
    /// How it began.
    pub method: SignInMethod,
    #[serde(default)]
    pub opened_at: Timestamp,
    pub expires_at: Timestamp,
    /// When its person last showed a passkey in it.
    #[serde(default)]
    pub fresh_at: Option<Timestamp>,
    /// The passkey that was shown then: when that is removed, nothing is fresh any more.
    #[serde(default)]
    pub fresh_by: Option<String>,
    /// The passkey that opened it: when that is removed, it ends.
    #[serde(default)]
    pub passkey: Option<String>,
    /// Whether it began with a way in for somebody who had lost every passkey.
    #[serde(default)]
    pub recovery: bool,
}

impl Session {
    /// How strongly its person is authenticated at `now`.
    pub fn method_at(&self, now: Timestamp) -> SignInMethod {
        let fresh = self.fresh_at.is_some_and(|at| now.millis_since(at) < limits::FRESH_SECONDS * 1_000);
        if fresh { SignInMethod::FreshPasskey } else { self.method }
    }
}

/// A one-time code that signs one person in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignInOffered {
    pub person: PersonId,
    pub code: Digest,
    pub expires_at: Timestamp,
    /// Whether it is for somebody who has passkeys and cannot use them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recovery: bool,
}

/// Exchanges a one-time code for a session. Both secrets arrive as digests; the caller made them.
#[derive(Debug, Clone)]
pub struct OpenSession {
    pub code: Digest,
    pub token: Digest,
}

/// Begins a session for whoever an issuer elsewhere says that somebody is. The door has verified what it says.
#[derive(Debug, Clone)]
pub struct OpenForeignSession {
    pub issuer: String,
    pub subject: String,
    pub token: Digest,
}

/// A session has begun; if a code began it, that is used up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionOpened {
    pub session: SessionId,
    pub person: PersonId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Digest>,
    pub token: Digest,
    pub expires_at: Timestamp,
    #[serde(default = "by_link", skip_serializing_if = "is_by_link")]
    pub method: SignInMethod,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey: Option<PasskeyUse>,
    /// Who said that it is this person, where that was not Remit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recovery: bool,
}

/// Before there were passkeys every session began with a link, and its event did not say so.
const fn by_link() -> SignInMethod {
    SignInMethod::OneTimeLink
}

fn is_by_link(method: &SignInMethod) -> bool {
    *method == SignInMethod::OneTimeLink
}

/// Makes a code for a person to sign in with. Who has a passkey signs in with that: a code for them is the way back in of somebody who
/// lost it, and is made on Remit's own machine only.
pub(crate) fn decide_offer(
    state: &State,
    actor: &Actor,
    person: PersonId,
    code: Digest,
    ttl_seconds: u64,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    actor.administrator(state)?;
    let known = state.person(person)?;
    check_ttl(ttl_seconds)?;
    let recovery = state.has_passkey(person);
    if recovery && !matches!(actor, Actor::Person { method: SignInMethod::LocalSocket, .. }) {
        return Err(Refusal::new(
            "has_passkey",
            format!("`{}` signs in with a passkey, and needs no link", known.name),
        )
        .help("if every passkey is lost, run `remit person recover NAME` on the machine that Remit runs on"));
    }
    let expires_at = at.now.plus_seconds(ttl_seconds);
    Ok(vec![Event::SignInOffered(SignInOffered { person, code, expires_at, recovery })])
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
    let person = state.person(offer.person)?;
    if state.has_passkey(offer.person) && !offer.recovery {
        return Err(Refusal::new("has_passkey", format!("`{}` has a passkey since this code was made", person.name))
            .help("sign in with the passkey"));
    }
    let opened = begun(offer.person, open.token, SignInMethod::OneTimeLink, at);
    Ok(vec![Event::SessionOpened(SessionOpened { code: Some(open.code), recovery: offer.recovery, ..opened })])
}

/// Signs in whoever showed a passkey.
pub(crate) fn decide_open_passkey(
    state: &State,
    actor: &Actor,
    open: &OpenPasskeySession,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    actor.remit("signs people in")?;
    let passkey = state.passkey(&open.shown.credential)?;
    must_count(passkey, open.shown.sign_count)?;
    let opened = begun(passkey.person, open.token, SignInMethod::Passkey, at);
    Ok(vec![Event::SessionOpened(SessionOpened { passkey: Some(open.shown.clone()), ..opened })])
}

/// Signs in whom an issuer elsewhere vouches for.
pub(crate) fn decide_open_foreign(
    state: &State,
    actor: &Actor,
    open: &OpenForeignSession,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    actor.remit("signs people in")?;
    let person = state.person_of(&open.issuer, &open.subject).ok_or_else(|| {
        Refusal::new("person_unlinked", "you are known there, and nobody in this realm").help(
            "an administrator can say who you are here: `remit person link NAME --issuer ISSUER --subject SUBJECT`",
        )
    })?;
    let opened = begun(person, open.token, SignInMethod::OpenIdConnect, at);
    Ok(vec![Event::SessionOpened(SessionOpened { issuer: Some(open.issuer.clone()), ..opened })])
}

fn begun(person: PersonId, token: Digest, method: SignInMethod, at: &Moment) -> SessionOpened {
    SessionOpened {
        session: at.fresh_id(),
        person,
        code: None,
        token,
        expires_at: at.now.plus_seconds(limits::SESSION_SECONDS_MAX),
        method,
        passkey: None,
        issuer: None,
        recovery: false,
    }
}

/// Ends a session: by its own person, or by an administrator.
pub(crate) fn decide_end(state: &State, actor: &Actor, id: SessionId) -> Result<Vec<Event>, Refusal> {
    let Some(session) = state.sessions.get(&id) else { return Ok(Vec::new()) };
    if actor.person()? != session.person {
        actor.administrator(state)?;
        // Leaving is never grave; putting somebody else out is.
        actor.must_be_fresh(state)?;
    }
    Ok(vec![Event::SessionEnded { session: id }])
}

pub(crate) fn apply_offered(state: &mut State, offered: &SignInOffered) {
    state.sign_ins.insert(offered.code, offered.clone());
    state.forget_sign_in_at(offered.expires_at, offered.code);
}

pub(crate) fn apply_opened(state: &mut State, opened: &SessionOpened, at: Timestamp) {
    if let Some(code) = opened.code {
        state.sign_ins.remove(&code);
    }
    let session = Session {
        id: opened.session,
        person: opened.person,
        token: opened.token,
        method: opened.method,
        opened_at: at,
        expires_at: opened.expires_at,
        fresh_at: opened.passkey.is_some().then_some(at),
        fresh_by: opened.passkey.as_ref().map(|shown| shown.credential.clone()),
        passkey: opened.passkey.as_ref().map(|shown| shown.credential.clone()),
        recovery: opened.recovery,
    };
    if let Some(shown) = &opened.passkey {
        passkey::apply_used(state, shown);
    }
    state.sessions_by_token.insert(opened.token, opened.session);
    state.sessions.insert(opened.session, session);
    state.forget_session_at(opened.expires_at, opened.session);
}

pub(crate) fn apply_raised(state: &mut State, id: SessionId, shown: &PasskeyUse, at: Timestamp) {
    if let Some(session) = state.sessions.get_mut(&id) {
        session.fresh_at = Some(at);
        session.fresh_by = Some(shown.credential.clone());
    }
    passkey::apply_used(state, shown);
}

pub(crate) fn apply_ended(state: &mut State, id: SessionId) {
    if let Some(session) = state.sessions.remove(&id) {
        state.sessions_by_token.remove(&session.token);
    }
}
