//! `/v1/people`: the humans of the realm.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{AddPerson, Command, Digest, Event, External, Person, Right, Timestamp};
use remit_identity::code::OneTimeCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::as_of::AsOf;
use crate::auth::SignedIn;
use crate::changes::{Settled, settled};
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::{made, recorded};
use crate::{Api, Problem, limits, names};

type Answer = Result<Json<Value>, Problem>;

/// A person as `by` sees them: the names and groups of all, and the rest of themselves or where they may read everybody's records.
fn seen(at: &AsOf, person: &Person, by: &SignedIn) -> Value {
    let mut seen = view(&at.state, person);
    let may_see_all = by.person == person.id || by.has(&at.today, Right::ReadRecords);
    if let (false, Some(members)) = (may_see_all, seen.as_object_mut()) {
        members.retain(|name, _| matches!(name.as_str(), "id" | "name" | "groups"));
    }
    seen
}

fn view(state: &remit_domain::State, person: &Person) -> Value {
    let accounts = state.people_by_external.iter().filter(|(_, linked)| **linked == person.id);
    let accounts: BTreeSet<_> = accounts.map(|(account, _)| account).collect();
    let shown = |account: &External| json!({"issuer": account.issuer, "subject": account.subject});
    json!({
        "id": person.id,
        "name": person.name,
        "groups": person.groups,
        "entitlements": person.entitlements,
        "uid": person.uid,
        "links": accounts.into_iter().map(shown).collect::<Vec<_>>(),
        "added_at": person.added_at.to_string(),
    })
}

pub(crate) async fn list(by: SignedIn, at: AsOf, Ask(query): Ask<PageQuery>) -> Answer {
    let people = at.state.people.values().map(|person| (person.name.clone(), person.clone())).collect();
    page(people, &query, |person| seen(&at, person, &by))
}

pub(crate) async fn show(by: SignedIn, at: AsOf, Path(person): Path<String>) -> Answer {
    Ok(Json(names::person(&at.state, &person).map(|person| seen(&at, person, &by))?))
}

pub(crate) async fn add(State(api): State<Api>, by: SignedIn, Body(add): Body<AddPerson>) -> Settled {
    let receipt = api.submit(by.actor(), Command::AddPerson(add)).await?;
    let id = made(&receipt, |event| match event {
        Event::PersonAdded(added) => Some(added.person),
        _ => None,
    })?;
    settled(&api, &receipt, Some("person"), |state| Ok(view(state, state.person(id)?)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Groups {
    groups: Vec<String>,
}

pub(crate) async fn set_groups(
    State(api): State<Api>,
    by: SignedIn,
    Path(person): Path<String>,
    Body(Groups { groups }): Body<Groups>,
) -> Settled {
    let person = api.engine.read(|state| names::person(state, &person).map(|person| person.id))?;
    let receipt = api.submit(by.actor(), Command::SetPersonGroups { person, groups }).await?;
    settled(&api, &receipt, Some("person"), |state| Ok(view(state, state.person(person)?)))
}

pub(crate) async fn remove(State(api): State<Api>, by: SignedIn, Path(person): Path<String>) -> Answer {
    let person = api.engine.read(|state| names::person(state, &person).map(|person| person.id))?;
    let receipt = api.submit(by.actor(), Command::RemovePerson { person }).await?;
    Ok(recorded(json!({"id": person, "removed": true}), &receipt))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    issuer: String,
    subject: String,
}

/// Says who somebody is at an issuer elsewhere, so that its signals about them are heeded.
pub(crate) async fn link(
    State(api): State<Api>,
    by: SignedIn,
    Path(person): Path<String>,
    Body(Account { issuer, subject }): Body<Account>,
) -> Answer {
    let person = api.engine.read(|state| names::person(state, &person).map(|person| person.id))?;
    let receipt = api.submit(by.actor(), Command::LinkPerson { person, issuer, subject }).await?;
    Ok(recorded(api.engine.read(|state| state.person(person).map(|person| view(state, person)))?, &receipt))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    ttl_seconds: Option<u64>,
}

/// Makes a one-time code. It is shown once, here; only its digest is kept.
pub(crate) async fn sign_in(
    State(api): State<Api>,
    by: SignedIn,
    Path(person): Path<String>,
    Body(SignIn { ttl_seconds }): Body<SignIn>,
) -> Answer {
    let person = api.engine.read(|state| names::person(state, &person).cloned())?;
    let code = OneTimeCode::generate("signin_").map_err(|_| Problem::fault("make a code"))?;
    let ttl_seconds = ttl_seconds.unwrap_or(limits::SIGN_IN_SECONDS_DEFAULT);
    let digest = Digest::of_bytes(code.expose().as_bytes());
    let receipt = api.submit(by.actor(), Command::OfferSignIn { person: person.id, code: digest, ttl_seconds }).await?;
    let (expires_at, recovery): (Timestamp, bool) = made(&receipt, |event| match event {
        Event::SignInOffered(offered) => Some((offered.expires_at, offered.recovery)),
        _ => None,
    })?;
    let body = json!({
        "person": {"id": person.id, "name": person.name},
        "code": code.expose(),
        "recovery": recovery,
        "link": format!("{}/sign-in?code={}", api.people.settings().console_url, code.expose()),
        "expires_at": expires_at.to_string(),
    });
    Ok(recorded(body, &receipt))
}
