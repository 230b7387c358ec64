//! `/v1/sessions`: signing in with a one-time code or a passkey, showing it again, and out.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{Actor, Command, Digest, Event, OpenSession, Refusal, Session, SessionId, Timestamp};
use remit_identity::code::OneTimeCode;
use remit_people::assertion;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::auth::{CameFrom, SignedIn};
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::{made, recorded};
use crate::{Api, Problem, names};

type Answer = Result<Json<Value>, Problem>;

fn view(state: &remit_domain::State, session: &Session, now: Timestamp) -> Value {
    json!({
        "id": session.id,
        "person": names::of_person(state, session.person),
        "method": session.method_at(now),
        "passkey": session.passkey,
        "recovery": session.recovery,
        "opened_at": session.opened_at.to_string(),
        "expires_at": session.expires_at.to_string(),
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Open {
    code: String,
}

/// Exchanges a one-time code for a session's token.
pub(crate) async fn open(State(api): State<Api>, Body(Open { code }): Body<Open>) -> Answer {
    let token = OneTimeCode::generate("ses_").map_err(|_| Problem::fault("make a session"))?;
    let code = Digest::of_bytes(code.trim().as_bytes());
    let open = OpenSession { code, token: Digest::of_bytes(token.expose().as_bytes()) };
    // The code says who it is; until it is accepted there is nobody to name, so the realm itself records the exchange.
    let receipt = api.submit(Actor::Remit, Command::OpenSession(open)).await?;
    let (person, expires_at) = made(&receipt, |event| match event {
        Event::SessionOpened(opened) => Some((opened.person, opened.expires_at)),
        _ => None,
    })?;
    let person = api.engine.read(|state| names::of_person(state, person));
    let body = json!({"token": token.expose(), "person": person, "expires_at": expires_at.to_string()});
    Ok(recorded(body, &receipt))
}

/// What a browser answered in a ceremony.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shown {
    ceremony: String,
    /// `AuthenticationResponseJSON`, as it came from the browser.
    credential: Box<RawValue>,
}

/// Begins to sign somebody in with a passkey: with which, the browser asks them.
pub(crate) async fn begin_passkey(State(api): State<Api>) -> Answer {
    let ceremony = api.people.begin_sign_in()?;
    Ok(Json(json!({"ceremony": ceremony.id, "options": ceremony.options})))
}

/// Exchanges the assertion of a passkey for a session's token.
pub(crate) async fn open_passkey(
    State(api): State<Api>,
    CameFrom(address): CameFrom,
    Body(shown): Body<Shown>,
) -> Answer {
    let assertion = assertion(shown.credential.get())?;
    let opened = api.people.sign_in(address, &shown.ceremony, &assertion).await?;
    let person = api.engine.read(|state| names::of_person(state, opened.person));
    let body = json!({"token": opened.token.expose(), "person": person, "expires_at": opened.expires_at.to_string()});
    Ok(recorded(body, &opened.receipt))
}

/// Begins to have the caller show one of their passkeys.
pub(crate) async fn begin_step_up(State(api): State<Api>, by: SignedIn) -> Answer {
    session_of(&by)?;
    let ceremony = api.people.begin_step_up(by.person)?;
    Ok(Json(json!({"ceremony": ceremony.id, "options": ceremony.options})))
}

/// Makes the caller's session fresh for a while.
pub(crate) async fn step_up(State(api): State<Api>, by: SignedIn, Body(shown): Body<Shown>) -> Answer {
    let session = session_of(&by)?;
    let assertion = assertion(shown.credential.get())?;
    let receipt = api.people.step_up(by.actor(), session, &shown.ceremony, &assertion).await?;
    let (state, now) = (api.engine.state(), api.engine.now());
    let known = state.sessions.get(&session).map(|session| view(&state, session, now));
    Ok(recorded(known.ok_or_else(Problem::credential_refused)?, &receipt))
}

fn session_of(by: &SignedIn) -> Result<SessionId, Problem> {
    by.session.ok_or_else(|| {
        Refusal::new("no_session", "this connection is trusted by the operating system and has no session").into()
    })
}

/// The sessions of the caller; of everybody for an administrator.
pub(crate) async fn list(State(api): State<Api>, by: SignedIn, Ask(query): Ask<PageQuery>) -> Answer {
    let (state, now) = (api.engine.state(), api.engine.now());
    let all = state.person(by.person)?.is_administrator();
    let live = state.sessions.values().filter(|session| now < session.expires_at);
    let own = live.filter(|session| all || session.person == by.person);
    let rows = own.map(|session| (session.id.to_string(), session.clone())).collect();
    page(rows, &query, |session| view(&state, session, now))
}

/// Who the caller is.
pub(crate) async fn current(State(api): State<Api>, by: SignedIn) -> Answer {
    let state = api.engine.state();
    let person = state.person(by.person)?;
    Ok(Json(json!({
        "person": {"id": person.id, "name": person.name},
        "groups": person.groups,
        "administrator": person.is_administrator(),
        "method": by.method,
        "session": by.session,
    })))
}

pub(crate) async fn end_current(State(api): State<Api>, by: SignedIn) -> Answer {
    let session = session_of(&by)?;
    end_one(&api, by, session).await
}

pub(crate) async fn end(State(api): State<Api>, by: SignedIn, Path(session): Path<String>) -> Answer {
    end_one(&api, by, names::id("session", &session)?).await
}

async fn end_one(api: &Api, by: SignedIn, session: SessionId) -> Answer {
    let receipt = api.submit(by.actor(), Command::EndSession { session }).await?;
    Ok(recorded(json!({"id": session, "ended": true}), &receipt))
}
