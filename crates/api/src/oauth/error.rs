//! Refusals as OAuth says them (RFC 6749 section 5.2), with our own code beside the few words that the standard has.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use remit_domain::Refusal;
use remit_engine::SubmitError;
use serde_json::{Value, json};

use crate::limits;

#[cfg(test)]
mod tests;

/// A refusal on its way to an OAuth client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OAuthError {
    status: StatusCode,
    /// The standard's word.
    pub error: &'static str,
    refusal: Box<Refusal>,
}

impl OAuthError {
    /// `error` is the standard's word for it, with the status that goes with that.
    pub fn new(error: &'static str, refusal: Refusal) -> Self {
        let status = match error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, error, refusal: Box::new(refusal) }
    }

    pub fn invalid_request(code: &str, sentence: impl Into<String>) -> Self {
        Self::new("invalid_request", Refusal::new(code, sentence))
    }

    /// A parameter that has to be there is not.
    pub fn missing(name: &str) -> Self {
        Self::invalid_request("missing_parameter", format!("the parameter `{name}` is missing"))
    }

    pub fn invalid_client(code: &str, sentence: impl Into<String>, help: &str) -> Self {
        Self::new("invalid_client", Refusal::new(code, sentence).help(help))
    }

    pub fn invalid_grant(code: &str, sentence: impl Into<String>) -> Self {
        Self::new("invalid_grant", Refusal::new(code, sentence))
    }

    /// This kind of client does not ask for this.
    pub fn unauthorized_client(sentence: impl Into<String>) -> Self {
        Self::new("unauthorized_client", Refusal::new("client_unauthorized", sentence))
    }

    /// Something of ours broke; what exactly is in our log.
    pub fn fault(what: &str) -> Self {
        let refusal = Refusal::new("fault", format!("Remit could not {what}")).help("try again");
        Self::new("server_error", refusal)
    }

    /// The sentence and what to do next, in the characters that the standard allows (RFC 6749 appendix A.8).
    pub fn description(&self) -> String {
        let help = self.refusal.help.as_deref().map(|help| format!("; {help}")).unwrap_or_default();
        let whole = format!("{}{help}", self.refusal.sentence);
        let allowed = |character: char| matches!(character, ' '..='~') && !matches!(character, '"' | '\\');
        whole.chars().map(|character| if allowed(character) { character } else { '\'' }).collect()
    }

    /// The same with another of the standard's words.
    pub fn worded(self, error: &'static str) -> Self {
        Self::new(error, *self.refusal)
    }

    /// Our own code for it.
    pub fn code(&self) -> &str {
        &self.refusal.code
    }

    fn body(&self) -> Value {
        json!({"error": self.error, "error_description": self.description(), "code": self.refusal.code})
    }
}

/// The standard's word for a refusal of the domain.
fn word_for(code: &str) -> &'static str {
    match code {
        "actor_unauthorized" => "actor_unauthorized",
        "bad_authority" => "invalid_authorization_details",
        "wider_than_parent" | "scope_too_wide" | "bad_operation" => "invalid_scope",
        "key_needed" | "key_shared" | "key_unknown" => "invalid_dpop_proof",
        "code_refused"
        | "refresh_refused"
        | "task_ended"
        | "budget_spent"
        | "agent_draft"
        | "agent_suspended"
        | "agent_decommissioned"
        | "not_found" => "invalid_grant",
        "agent_quarantined" | "configuration_not_approved" | "token_environment" | "not_permitted" => "access_denied",
        _ => "invalid_request",
    }
}

impl From<Refusal> for OAuthError {
    fn from(refusal: Refusal) -> Self {
        Self::new(word_for(&refusal.code), refusal)
    }
}

impl From<SubmitError> for OAuthError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => refusal.into(),
            SubmitError::Unavailable(refusal) => Self::new("temporarily_unavailable", refusal),
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"remit\""));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(limits::RETRY_AFTER_SECONDS));
            }
            _ => {}
        }
        response
    }
}
