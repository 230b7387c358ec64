//! What went otherwise, as pages: the one place where a refusal gets its HTTP status here.

use axum::response::{IntoResponse, Redirect, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use maud::html;
use remit_domain::Refusal;
use remit_engine::SubmitError;
use remit_people::PeopleError;

use crate::layout;
use crate::pages::sign_in;
use crate::parts::text::{shown, told};

#[cfg(test)]
mod tests;

/// Why a page is not what was asked for.
#[derive(Debug)]
pub(crate) enum PageError {
    /// Nobody is signed in; `next` is where to go on afterwards.
    SignedOut { next: String },
    /// A link on another site led here, so the browser held the session back; asking again from here brings it.
    FromElsewhere { next: String },
    /// The answer is no.
    Refused(Refusal),
    /// There is no answer now.
    Unavailable(Refusal),
    /// What was sent is not what the form sends.
    Malformed(Refusal),
}

/// Marks an answer that a passkey, shown now, would change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepUpNeeded;

impl From<SubmitError> for PageError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => Self::Refused(refusal),
            SubmitError::Unavailable(refusal) => Self::Unavailable(refusal),
        }
    }
}

impl From<PeopleError> for PageError {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Submit(error) => error.into(),
            other => Self::Refused(other.refusal()),
        }
    }
}

impl From<Refusal> for PageError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self {
            Self::SignedOut { next } => Redirect::to(&sign_in::address(&next)).into_response(),
            Self::FromElsewhere { next } => layout::onwards(&next).into_response(),
            Self::Refused(refusal) => {
                let mut response = refused(status_of(&refusal), &refusal);
                if refusal.code == "step_up_needed" {
                    response.extensions_mut().insert(StepUpNeeded);
                }
                response
            }
            Self::Malformed(refusal) => refused(StatusCode::BAD_REQUEST, &refusal),
            Self::Unavailable(refusal) => {
                let mut response = refused(StatusCode::SERVICE_UNAVAILABLE, &refusal);
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
                response
            }
        }
    }
}

/// The status that says who has to act: nobody (404), somebody else (403), the person after another look (409), or the
/// person with other input (422).
pub(crate) fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal.code.as_str() {
        "not_found" => StatusCode::NOT_FOUND,
        "not_permitted"
        | "person_needed"
        | "not_an_approver"
        | "self_approval"
        | "approver_is_acted_for"
        | "form_refused"
        | "foreign_form"
        | "step_up_needed"
        | "passkey_required"
        | "signature_needed"
        | "passkey_refused"
        | "passkey_unknown"
        | "passkey_cloned"
        | "has_passkey"
        | "sign_in_refused"
        | "person_unlinked"
        | "code_refused" => StatusCode::FORBIDDEN,
        "wait" => StatusCode::TOO_MANY_REQUESTS,
        "missing_text" | "text_too_long" => StatusCode::UNPROCESSABLE_ENTITY,
        code if code.starts_with("bad_") || !refusal.fields.is_empty() => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::CONFLICT,
    }
}

fn refused(status: StatusCode, refusal: &Refusal) -> Response {
    let title = match status {
        StatusCode::NOT_FOUND => "Not there",
        StatusCode::SERVICE_UNAVAILABLE => "Not now",
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => "Not understood",
        _ => "Refused",
    };
    let body = html! {
        h1 { (title) }
        div .notice .bad role="alert" {
            p .sentence { (told(&refusal.sentence)) }
            @for field in &refusal.fields {
                p { code { (shown(&field.field)) } ": " (told(&field.sentence)) }
            }
            @if let Some(help) = &refusal.help {
                p .help { (told(help)) }
            }
            p .quiet { "code " code { (shown(&refusal.code)) } }
        }
        @if refusal.code == "passkey_required" { p { a .button href="/passkeys" { "Enrol a passkey" } } }
        p { a href="/" { "Back to the overview" } }
    };
    (status, layout::bare(title, &body)).into_response()
}
