//! `/access/v1/requests`: has a person asked about what was denied, and says what they answered (Access Request and Approval
//! Profile).
//!
//! Asking again about the same action leads to the same question, so a request may be repeated without a key for that.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use remit_domain::{ApprovalId, Event, Refusal, Verdict};
use remit_engine::SubmitError;
use serde_json::{Value, json};

use super::attempt::Attempt;
use super::caller::Enforcer;
use super::documents::{self, Unfit};
use super::question::{Asked, BadRequest, Parts, Question, bad_request};
use super::{approvals, meaning};
use crate::{Api, Problem, limits};

/// A refusal in the profile's own words ("Error Responses").
#[derive(Debug)]
pub(crate) enum RequestError {
    Profile {
        status: StatusCode,
        kind: &'static str,
        refusal: Box<Refusal>,
    },
    /// It cannot be read, or nothing can be recorded now.
    Other(Problem),
}

impl RequestError {
    fn profile(status: StatusCode, kind: &'static str, refusal: Refusal) -> Self {
        Self::Profile { status, kind, refusal: Box::new(refusal) }
    }

    fn not_requestable(refusal: Refusal) -> Self {
        Self::profile(StatusCode::BAD_REQUEST, "not_requestable", refusal)
    }

    fn unbound(unfit: Unfit) -> Self {
        let help = "evaluate again, and send what the new answer's `context.access_request` says";
        match unfit {
            Unfit::Expired => {
                let refusal = Refusal::new("expired_denial", "the denial is too old to be asked about").help(help);
                Self::profile(StatusCode::GONE, "expired_denial", refusal)
            }
            Unfit::Forged => {
                let sentence = "the `denial` is not that of exactly this action to this caller";
                let refusal = Refusal::new("invalid_denial_binding", sentence).help(help);
                Self::profile(StatusCode::BAD_REQUEST, "invalid_denial_binding", refusal)
            }
        }
    }

    fn unknown() -> Self {
        let refusal = Refusal::new("unknown_task", "there is no such request, or it is somebody else's")
            .help("what was answered a day ago is in the ledger alone");
        Self::profile(StatusCode::NOT_FOUND, "unknown_task", refusal)
    }
}

impl From<BadRequest> for RequestError {
    fn from(error: BadRequest) -> Self {
        Self::Other(error.into())
    }
}

impl From<SubmitError> for RequestError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => Self::not_requestable(refusal),
            error @ SubmitError::Unavailable(_) => Self::Other(error.into()),
        }
    }
}

impl IntoResponse for RequestError {
    fn into_response(self) -> Response {
        match self {
            Self::Other(problem) => problem.into_response(),
            Self::Profile { status, kind, refusal } => {
                let body = json!({
                    "type": format!("urn:openid:authzen:access-request:error:{kind}"),
                    "title": status.canonical_reason().unwrap_or("Problem"),
                    "status": status.as_u16(),
                    "code": refusal.code,
                    "detail": refusal.sentence,
                    "help": refusal.help,
                });
                let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
                (status, kind, body.to_string()).into_response()
            }
        }
    }
}

/// Has people asked about a denied action.
pub(crate) async fn submit(
    State(api): State<Api>,
    enforcer: Enforcer,
    Asked(members): Asked,
) -> Result<Response, RequestError> {
    let _place = api.enforcers.room.enter(enforcer.agent, 1).map_err(RequestError::Other)?;
    let question = Parts::of(&members).question()?;
    let denial = members.get("denial").ok_or_else(|| bad_request("the member `denial` is missing"))?;
    let text = |name: &str| {
        let text = denial.get(name).and_then(Value::as_str);
        text.ok_or_else(|| bad_request(&format!("the member `denial.{name}` is missing")))
    };
    documents::check_binding(&api, &enforcer, &question, text("binding_token")?, text("expires_at")?)
        .map_err(RequestError::unbound)?;
    let approval = ask(&api, &enforcer, &question).await?;
    let approval = api.engine.read(|state| state.approval(approval).cloned()).map_err(|_| RequestError::unknown())?;
    let body = approvals::shown(&api, &approval);
    let location = body.pointer("/task/status_endpoint").and_then(Value::as_str).unwrap_or_default().to_owned();
    let pending = body.pointer("/task/status").is_some_and(|status| status == "pending");
    let status = if pending { StatusCode::ACCEPTED } else { StatusCode::CREATED };
    Ok((status, [(header::LOCATION, location)], Json(body)).into_response())
}

/// The question to people about exactly this action: the one that is there, or a new one.
async fn ask(api: &Api, enforcer: &Enforcer, question: &Question) -> Result<ApprovalId, RequestError> {
    let meaning = api.engine.read(|state| meaning::of(state, &api.settings, question));
    if let Some(refusal) = meaning.refusal {
        return Err(RequestError::not_requestable(refusal));
    }
    let attempt = Attempt::of(api, enforcer, &meaning).await?.asking();
    // Looked at before it is done: what turned out to be allowed would be on record as such, and nobody would do it.
    let events = attempt.would_be(api, enforcer).map_err(RequestError::not_requestable)?;
    match standing(&events)? {
        Some(approval) => Ok(approval),
        None => {
            let receipt = attempt.submit(api, enforcer).await?;
            match Verdict::among(&receipt.events) {
                Some(Verdict::Asked(asked)) => Ok(asked.approval),
                _ => standing(&receipt.events)?.ok_or_else(RequestError::unknown),
            }
        }
    }
}

/// The question that is there already; nothing where one would be asked now.
fn standing(events: &[Event]) -> Result<Option<ApprovalId>, RequestError> {
    match Verdict::among(events) {
        Some(Verdict::Asked(_)) => Ok(None),
        Some(Verdict::Allowed(allowed)) => allowed.approval.map(Some).ok_or_else(|| {
            RequestError::not_requestable(
                Refusal::new("not_requestable", "this is allowed now, without anybody's approval")
                    .help("evaluate again"),
            )
        }),
        Some(Verdict::Denied(denied)) => match denied.approval {
            Some(approval) => Ok(Some(approval)),
            None => Err(RequestError::not_requestable(denied.refusal.clone())),
        },
        None => Err(RequestError::unknown()),
    }
}

/// Where a request stands, for the agent that made it.
pub(crate) async fn show(
    State(api): State<Api>,
    enforcer: Enforcer,
    Path(request): Path<String>,
) -> Result<Response, RequestError> {
    let id: ApprovalId = request.parse().map_err(|_| RequestError::unknown())?;
    let approval = api.engine.read(|state| state.approval(id).cloned()).map_err(|_| RequestError::unknown())?;
    if approval.facts.enforcer != Some(enforcer.agent) {
        return Err(RequestError::unknown());
    }
    let mut response = Json(approvals::shown(&api, &approval)).into_response();
    if approval.is_pending() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(limits::REQUEST_RETRY_SECONDS));
    }
    Ok(response)
}
