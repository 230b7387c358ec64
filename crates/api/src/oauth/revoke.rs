//! `/oauth/revoke`: ends one token, or, with its refresh token, everything that a person consented to (RFC 7009).

use axum::extract::State;
use http::StatusCode;
use remit_domain::{Actor, Command, Task, TaskId, Timestamp};

use super::client::{self, Client};
use super::error::OAuthError;
use super::form::Form;
use super::introspect::person_of;
use super::{Asked, presented, token};
use crate::auth::{Perhaps, SignedIn};
use crate::{Api, Problem};

/// Who revokes.
enum Who {
    Person(SignedIn),
    Client(Client),
}

/// Ends what `token` is. One that is unknown, or has ended, is as good as revoked (RFC 7009 section 2.2).
pub(crate) async fn revoke(
    State(api): State<Api>,
    person: Result<Perhaps, Problem>,
    asked: Asked,
    form: Form,
) -> Result<StatusCode, OAuthError> {
    let who = match person_of(person)? {
        Some(person) => Who::Person(person),
        None => Who::Client(client::authenticate(&api, &asked, &form).await?),
    };
    let token = form.text("token")?;
    let state = api.engine.state();
    let refresh = token::refresh_digest(token).and_then(|digest| state.task_of_refresh(&digest));
    let (actor, command) = if let Some(task) = refresh {
        if !task.is_live() {
            return Ok(StatusCode::OK);
        }
        let note = "its refresh token was revoked".to_owned();
        (actor(&who, task)?, Command::EndTask { task: task.id, note })
    } else {
        let Ok(claims) = presented::claims(&api, token) else { return Ok(StatusCode::OK) };
        let id: Option<TaskId> = claims.task.parse().ok();
        let Some(task) = id.and_then(|id| state.tasks.get(&id)) else { return Ok(StatusCode::OK) };
        let expires_at = Timestamp::from_millis(claims.exp.saturating_mul(1000));
        (actor(&who, task)?, Command::RevokeToken { task: task.id, token: claims.jti, expires_at })
    };
    api.engine.submit(actor, command).await?;
    Ok(StatusCode::OK)
}

/// As whom the token of `task` is ended: only whoever it was given to, and people who may end the task, end it.
fn actor(who: &Who, task: &Task) -> Result<Actor, OAuthError> {
    match who {
        Who::Person(person) => Ok(person.actor()),
        // A run ends what is its own, and nothing of another run of its agent.
        Who::Client(Client::Agent(proved))
            if proved.agent == task.agent && proved.run.is_none_or(|run| run == task.run) =>
        {
            Ok(Actor::Agent { agent: proved.agent, task: None })
        }
        Who::Client(Client::App(app)) if task.client.as_ref() == Some(&app.id) => Ok(Actor::Remit),
        Who::Client(_) => Err(OAuthError::unauthorized_client("this token was given to somebody else")),
    }
}
