//! The one place where refusals and faults become HTTP answers: problem documents (RFC 9457).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use remit_domain::{FieldProblem, Refusal};
use remit_engine::SubmitError;
use remit_identity::json::JsonError;
use remit_people::PeopleError;
use serde_json::json;

use crate::limits;

#[cfg(test)]
mod tests;

/// A refusal or a fault on its way out.
#[derive(Debug, Clone)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    status: StatusCode,
    refusal: Refusal,
    retry_after_seconds: Option<u64>,
}

impl Problem {
    /// A problem with a status of its own.
    pub(crate) fn new(status: StatusCode, refusal: Refusal) -> Self {
        Self(Box::new(Inner { status, refusal, retry_after_seconds: None }))
    }

    /// Nobody is signed in: there is no default principal.
    pub(crate) fn not_signed_in() -> Self {
        let refusal = Refusal::new("not_signed_in", "nobody is signed in").help(
            "sign in with `remit login --code CODE`; an administrator makes the code with `remit person sign-in NAME`",
        );
        Self::new(StatusCode::UNAUTHORIZED, refusal)
    }

    /// The credential that came is not one.
    pub(crate) fn credential_refused() -> Self {
        let refusal = Refusal::new("credential_refused", "the session is unknown or has ended").help("sign in again");
        Self::new(StatusCode::UNAUTHORIZED, refusal)
    }

    /// Something of ours broke. What exactly is in our log, not in the answer.
    pub(crate) fn fault(what: &str) -> Self {
        let refusal = Refusal::new("fault", format!("Remit could not {what}"))
            .help("try again; if it stays, an operator finds the cause in Remit's log");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, refusal)
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What it says.
    pub fn refusal(&self) -> &Refusal {
        &self.0.refusal
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(status_of(&refusal.code, &refusal.fields), refusal)
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => refusal.into(),
            SubmitError::Unavailable(refusal) => {
                let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, refusal);
                problem.0.retry_after_seconds = Some(limits::RETRY_AFTER_SECONDS);
                problem
            }
        }
    }
}

/// The status that a refusal's code stands for; 409 unless something else says more.
fn status_of(code: &str, fields: &[FieldProblem]) -> StatusCode {
    match code {
        "not_found" => StatusCode::NOT_FOUND,
        "not_signed_in" | "credential_refused" | "code_refused" | "enrolment_refused" => StatusCode::UNAUTHORIZED,
        "not_permitted"
        | "person_needed"
        | "local_only"
        | "not_an_approver"
        | "self_approval"
        | "approver_is_acted_for"
        | "step_up_needed"
        | "passkey_required"
        | "signature_needed"
        | "socket_needed" => StatusCode::FORBIDDEN,
        "too_many_tasks" | "too_many_keys" | "too_many_policies" => StatusCode::CONFLICT,
        "policy_invalid" | "reserved_group" | "other_agent" => StatusCode::UNPROCESSABLE_ENTITY,
        _ if !fields.is_empty() => StatusCode::UNPROCESSABLE_ENTITY,
        _ if ["bad_", "missing_", "too_many_"].iter().any(|prefix| code.starts_with(prefix)) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        _ if ["_too_long", "_too_large", "_too_wide"].iter().any(|suffix| code.ends_with(suffix)) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        _ => StatusCode::CONFLICT,
    }
}

impl From<PeopleError> for Problem {
    fn from(error: PeopleError) -> Self {
        let status = match &error {
            PeopleError::Submit(error) => return error.clone().into(),
            PeopleError::Passkey(_) => StatusCode::UNAUTHORIZED,
            PeopleError::Ceremony => StatusCode::CONFLICT,
            PeopleError::Credential(_) => StatusCode::UNPROCESSABLE_ENTITY,
            PeopleError::Wait { .. } => StatusCode::TOO_MANY_REQUESTS,
            PeopleError::Randomness => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut problem = Self::new(status, error.refusal());
        if let PeopleError::Wait { seconds } = error {
            problem.0.retry_after_seconds = Some(seconds);
        }
        problem
    }
}

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Self {
        PeopleError::Credential(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Inner { status, refusal, retry_after_seconds } = *self.0;
        let mut body = json!({
            "type": format!("urn:remit:problem:{}", refusal.code),
            "title": status.canonical_reason().unwrap_or("Problem"),
            "status": status.as_u16(),
            "code": refusal.code,
            "detail": refusal.sentence,
        });
        if let Some(members) = body.as_object_mut() {
            members.extend(refusal.help.map(|help| ("help".to_owned(), help.into())));
            if !refusal.fields.is_empty() {
                members.insert("fields".to_owned(), json!(refusal.fields));
            }
        }
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"remit\""));
        }
        response
    }
}
