//! `/oauth/introspect`: whether a token holds at this moment, and what it says (RFC 7662).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use remit_domain::{AgentStatus, Task};
use serde_json::{Value, json};

use super::Asked;
use super::client::{self, Client, Proved};
use super::error::OAuthError;
use super::form::Form;
use super::presented::{self, Alive};
use crate::auth::{Perhaps, SignedIn};
use crate::{Api, Problem};

/// Answers to whoever has proved who they are: a person, an agent, or a client with keys. It tells nothing to others, so that
/// nobody tries tokens here that they found (RFC 7662 section 4).
pub(crate) async fn introspect(
    State(api): State<Api>,
    person: Result<Perhaps, Problem>,
    asked: Asked,
    form: Form,
) -> Result<Response, OAuthError> {
    let asker = match person_of(person)? {
        Some(_) => None,
        None => Some(client::authenticate(&api, &asked, &form).await?),
    };
    match &asker {
        None => {}
        Some(Client::Agent(proved)) => must_be_active(&api, proved)?,
        Some(Client::App(app)) if app.proved => {}
        Some(Client::App(_)) => {
            return Err(client::refused("client_unproved", "a client that proves nothing learns nothing"));
        }
    }
    Ok(Json(described(&api, asker.as_ref(), form.text("token")?)).into_response())
}

/// An agent that may not act is told nothing either.
fn must_be_active(api: &Api, proved: &Proved) -> Result<(), OAuthError> {
    let status = api.engine.read(|state| state.agent(proved.agent).map(|agent| agent.status))?;
    if status == AgentStatus::Active {
        return Ok(());
    }
    Err(client::refused("agent_inactive", "this agent may not act at the moment, so it learns nothing"))
}

/// Whether `asker` may know of the tokens of `task`: an application, which anybody can be, of those that were given to it; a run
/// of its own; everybody else of all.
fn may_know(asker: Option<&Client>, task: &Task) -> bool {
    match asker {
        None => true,
        Some(Client::Agent(proved)) => proved.run.is_none_or(|run| run == task.run),
        Some(Client::App(app)) => task.client.as_ref() == Some(&app.id),
    }
}

/// The person who asks, or nobody; a credential that is there and is refused makes the client a wrong one.
pub(super) fn person_of(person: Result<Perhaps, Problem>) -> Result<Option<SignedIn>, OAuthError> {
    let refused = |problem: Problem| OAuthError::new("invalid_client", problem.refusal().clone());
    person.map(|Perhaps(person)| person).map_err(refused)
}

/// What a token says if it holds and `asker`, who is a person where there is none, may know of it; that it does not hold, and
/// nothing more, in every other case.
fn described(api: &Api, asker: Option<&Client>, token: &str) -> Value {
    let inactive = || json!({"active": false});
    let Ok(claims) = presented::claims(api, token) else { return inactive() };
    let known = |alive: Alive<'_>| may_know(asker, alive.task);
    // The state is the word on it, and so it holds no longer from the commit on that ended it.
    if !api.engine.read(|state| Alive::of(api, state, &claims).is_some_and(known)) {
        return inactive();
    }
    let scheme = if claims.cnf.as_ref().is_some_and(|bound| bound.key().is_some()) { "DPoP" } else { "Bearer" };
    let Ok(Value::Object(mut members)) = serde_json::to_value(&claims) else { return inactive() };
    members.insert("active".to_owned(), true.into());
    members.insert("token_type".to_owned(), scheme.into());
    Value::Object(members)
}
