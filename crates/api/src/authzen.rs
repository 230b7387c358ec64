//! Decisions for others who enforce them: OpenID AuthZEN Authorization API 1.0, with the Access Request and Approval Profile.
//!
//! INVARIANT: an answer is given only after its decision is recorded; searching decides the same way and records nothing, as
//! listing tools does. Nothing here decides: a question becomes an attempt, and the domain says what it comes to.

mod answer;
mod approvals;
mod attempt;
mod caller;
mod catalogue;
mod documents;
mod evaluation;
mod evaluations;
mod meaning;
pub(crate) mod metadata;
mod question;
mod requests;
mod room;
mod search;
#[cfg(test)]
mod tests;
mod tokens;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(crate) use self::caller::Worker;
pub(crate) use self::evaluation::evaluation;
pub(crate) use self::evaluations::evaluations;
pub(crate) use self::requests::{show as request_status, submit as request_access};
pub(crate) use self::search::{actions as search_actions, resources as search_resources, subjects as search_subjects};

use crate::Api;

/// The client's own name for a request, given back as it came (section 10.1.4).
const REQUEST_ID: &str = "x-request-id";

/// What is remembered of enforcers between requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Enforcers {
    tokens: Arc<tokens::Tokens>,
    room: Arc<room::Room>,
}

/// Lets a request through only with a live token of a task.
pub(crate) async fn require_worker(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match caller::worker(&api, &parts).await {
        Ok(worker) => {
            parts.extensions.insert(worker);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Lets a request through only with a live token of the agent that asks, and only if somebody has described that agent as one that
/// enforces elsewhere. Whatever the answer, it carries the request's own name.
pub(crate) async fn require_enforcer(State(api): State<Api>, request: Request, next: Next) -> Response {
    let request_id = request.headers().get(REQUEST_ID).cloned();
    let (mut parts, body) = request.into_parts();
    let mut response = match caller::identify(&api, &parts).await {
        Ok(enforcer) => {
            parts.extensions.insert(enforcer);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => problem.into_response(),
    };
    if let Some(request_id) = request_id {
        response.headers_mut().insert(REQUEST_ID, request_id);
    }
    response
}
