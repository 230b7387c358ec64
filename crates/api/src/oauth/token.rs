//! `/oauth/token`: what somebody may have becomes a task, and a token for it.

mod assertion;
mod client_credentials;
mod code;
mod exchange;
mod refresh;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use remit_domain::{Actor, Command, Event, TaskId};
use remit_engine::{Entries, IssueToken, Receipt, TOKEN_SECONDS_DEFAULT};
use serde_json::{Map, Value, json};

use super::client::Proved;
use super::error::OAuthError;
use super::form::Form;
use super::target::Target;
use super::{Asked, proof, scope};
use crate::Api;

pub(super) use self::refresh::digest_of as refresh_digest;

pub(crate) const PATH: &str = "/oauth/token";
/// Every grant, as `grant_types_supported` lists them.
pub(crate) const GRANTS: [&str; 5] = [
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
];

/// Exchanges whatever `grant_type` says for a token.
pub(crate) async fn token(State(api): State<Api>, asked: Asked, form: Form) -> Result<Response, OAuthError> {
    let grant = form.text("grant_type")?;
    // In the order of `GRANTS`.
    match GRANTS.iter().position(|known| *known == grant) {
        Some(0) => code::grant(&api, &asked, &form).await,
        Some(1) => refresh::grant(&api, &asked, &form).await,
        Some(2) => client_credentials::grant(&api, &asked, &form).await,
        Some(3) => exchange::grant(&api, &asked, &form).await,
        Some(4) => assertion::grant(&api, &asked, &form).await,
        _ => {
            let refusal = remit_domain::Refusal::new("grant_unknown", "this grant type is not known here");
            Err(OAuthError::new("unsupported_grant_type", refusal.help(format!("it is one of {}", GRANTS.join(", ")))))
        }
    }
}

/// What a task will be bound to, as proved with this request.
#[derive(Debug, Clone, Default)]
struct Bound {
    /// As [`remit_domain::Task::key`].
    key: Option<String>,
    /// Whether `key` is that of a `DPoP` proof.
    by_proof: bool,
    /// The certificate of the connection, for tokens of a task that is bound to it.
    certificate: Option<String>,
}

/// A proof of a key, else the certificate of the connection, else nothing.
fn bound_to(api: &Api, asked: &Asked, proved: &Proved) -> Result<Bound, OAuthError> {
    let certificate = proved.certificate.clone();
    match proof::proved_key(api, asked, PATH)? {
        Some(key) => Ok(Bound { key: Some(key), by_proof: true, certificate }),
        // A certificate of a run is for that run, and not for what it starts beside itself.
        None if certificate.is_some() => Ok(Bound { key: Some(proved.id.clone()), by_proof: false, certificate }),
        None => Ok(Bound::default()),
    }
}

/// A task of which a token is to be given.
struct Given {
    actor: Actor,
    task: TaskId,
    target: Target,
    certificate: Option<String>,
    /// What the answer says besides the token.
    more: Map<String, Value>,
}

impl Given {
    /// The answer with a fresh token.
    async fn answer(self, api: &Api) -> Result<Response, OAuthError> {
        let Self { actor, task, target, certificate, more } = self;
        let audience = Some(target.address().to_owned());
        let wanted = IssueToken { ttl_seconds: TOKEN_SECONDS_DEFAULT, audience, certificate };
        let issued = api.engine.issue_token(actor, task, wanted).await?;
        let expires_in = issued.expires_at.as_seconds().saturating_sub(api.engine.now().as_seconds());
        let mut body = json!({"access_token": issued.token, "token_type": issued.scheme, "expires_in": expires_in});
        api.engine.read(|state| {
            let (Ok(task), Some(members)) = (state.task(task), body.as_object_mut()) else { return };
            members.extend(scope::text(&task.scope).map(|text| ("scope".to_owned(), text.into())));
            // What was granted, which may be less than what was asked for (RFC 9396 section 7).
            let details = Entries { state, audience: api.engine.audience() }.of_parts(&task.authority);
            if !details.is_empty() {
                members.insert("authorization_details".to_owned(), details.into());
            }
            members.extend(more);
        });
        Ok(Json(body).into_response())
    }

    /// As [`Given::answer`], for a task that was begun only for this token: without it, the task ends.
    async fn first_answer(self, api: &Api) -> Result<Response, OAuthError> {
        let (actor, task) = (self.actor.clone(), self.task);
        let outcome = self.answer(api).await;
        if outcome.is_err() {
            let note = "its token could not be issued".to_owned();
            if let Err(error) = api.engine.submit(actor, Command::EndTask { task, note }).await {
                tracing::warn!(%task, error = %error.refusal(), "a task without a token could not be ended");
            }
        }
        outcome
    }
}

/// The task that a command began.
fn begun(receipt: &Receipt) -> Result<TaskId, OAuthError> {
    let started = receipt.events.iter().find_map(|event| match event {
        Event::TaskStarted(started) => Some(started.task),
        _ => None,
    });
    started.ok_or_else(|| OAuthError::fault("tell what was recorded"))
}
