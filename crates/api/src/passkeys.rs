//! `/v1/passkeys`: what people sign in, step up and say yes with.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{Command, Event, Passkey, Refusal};
use remit_people::registration;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::{made, recorded};
use crate::{Api, Problem, names};

type Answer = Result<Json<Value>, Problem>;

fn view(state: &remit_domain::State, passkey: &Passkey) -> Value {
    json!({
        "credential": passkey.credential,
        "person": names::of_person(state, passkey.person),
        "label": passkey.label,
        "key": passkey.key,
        "sign_count": passkey.sign_count,
        "backed_up": passkey.backed_up,
        "added_at": passkey.added_at.to_string(),
    })
}

#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    #[serde(flatten)]
    page: PageQuery,
    /// Id or name of a person; the caller unless somebody else is named.
    person: Option<String>,
}

/// The passkeys of the caller; of anybody for an administrator.
pub(crate) async fn list(State(api): State<Api>, by: SignedIn, Ask(query): Ask<ListQuery>) -> Answer {
    let state = api.engine.state();
    let person = match &query.person {
        Some(person) => names::person(&state, person)?.id,
        None => by.person,
    };
    if person != by.person && !state.person(by.person)?.is_administrator() {
        let refusal = Refusal::new("not_permitted", "only an administrator sees the passkeys of others");
        return Err(refusal.help("leave out `person` to see your own").into());
    }
    let own = state.passkeys_of(person).into_iter();
    let rows =
        own.map(|passkey| (format!("{} {}", passkey.added_at, passkey.credential), passkey.as_ref().clone())).collect();
    page(rows, &query.page, |passkey| view(&state, passkey))
}

/// Begins to enrol a passkey of the caller.
pub(crate) async fn begin(State(api): State<Api>, by: SignedIn) -> Answer {
    let ceremony = api.people.begin_enrolment(by.person, by.session)?;
    Ok(Json(json!({"ceremony": ceremony.id, "options": ceremony.options})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrol {
    ceremony: String,
    label: String,
    /// `RegistrationResponseJSON`, as it came from the browser.
    credential: Box<RawValue>,
}

/// Enrols the passkey that the browser made.
pub(crate) async fn enrol(State(api): State<Api>, by: SignedIn, Body(enrol): Body<Enrol>) -> Answer {
    let registration = registration(enrol.credential.get())?;
    let receipt = api.people.enrol(by.actor(), by.session, &enrol.ceremony, &registration, &enrol.label).await?;
    let credential = made(&receipt, |event| match event {
        Event::PasskeyEnrolled(enrolled) => Some(enrolled.credential.clone()),
        _ => None,
    })?;
    let shown = api.engine.read(|state| state.passkey(&credential).map(|passkey| view(state, passkey)))?;
    Ok(recorded(shown, &receipt))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Remove {
    #[serde(default)]
    reason: String,
}

/// Removes a passkey, and ends the sessions that it began.
pub(crate) async fn remove(
    State(api): State<Api>,
    by: SignedIn,
    Path(credential): Path<String>,
    Body(Remove { reason }): Body<Remove>,
) -> Answer {
    let remove = Command::RemovePasskey { credential: credential.clone(), reason };
    let receipt = api.submit(by.actor(), remove).await?;
    Ok(recorded(json!({"credential": credential, "removed": true}), &receipt))
}
