//! Who is looking: the session cookie, and forms that a signed-in person sent.

use axum::Form;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::header::COOKIE;
use http::request::Parts;
use http::{HeaderMap, Uri};
use remit_domain::{Actor, Digest, PersonId, Refusal, SessionId, SignInMethod};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::errors::PageError;
use crate::kept_forms::{Sent, Slot};
use crate::{Console, csrf, limits};

#[cfg(test)]
mod tests;

const COOKIE_NAME: &str = "remit_session";

/// A signed-in person, for the length of one request.
#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    pub(crate) person: PersonId,
    pub(crate) name: String,
    pub(crate) method: SignInMethod,
    pub(crate) session: SessionId,
    /// Goes into every form of the page.
    pub(crate) form_token: String,
}

impl Viewer {
    pub(crate) fn actor(&self) -> Actor {
        Actor::Person { person: self.person, method: self.method }
    }
}

/// The digest of what the cookie holds, if there is a cookie.
fn presented(headers: &HeaderMap) -> Option<Digest> {
    let cookies =
        headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|line| line.split(';'));
    let mut ours = cookies.filter_map(|cookie| cookie.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='));
    match (ours.next(), ours.next()) {
        (Some(token), None) if !token.is_empty() && token.len() <= limits::SECRET_BYTES_MAX => {
            Some(Digest::of_bytes(token.as_bytes()))
        }
        // Two cookies of one name: somebody planted one of them, and nobody knows which.
        _ => None,
    }
}

/// The cookie that holds `token`. Never sent along from another site, never shown to a script.
pub(crate) fn cookie(token: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    let life_seconds = remit_domain::limits::SESSION_SECONDS_MAX;
    format!("{COOKIE_NAME}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={life_seconds}{secure}")
}

/// The cookie that takes the session from the browser.
pub(crate) fn no_cookie() -> String {
    format!("{COOKIE_NAME}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0")
}

/// Whether the request came by https, as far as it or a proxy in front says. Whoever lies about it only makes their own
/// cookie stricter.
pub(crate) fn is_secure(uri: &Uri, headers: &HeaderMap) -> bool {
    uri.scheme_str() == Some("https") || headers.get("x-forwarded-proto").is_some_and(|value| value == "https")
}

impl FromRequestParts<Console> for Viewer {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, PageError> {
        let signed_out = || {
            let here = parts.uri.path_and_query().filter(|_| parts.method.is_safe());
            PageError::SignedOut { next: here.map_or("/", |path| path.as_str()).to_owned() }
        };
        let Some(token) = presented(&parts.headers) else {
            // A link on another site brings no cookie along; the same address asked for from here does.
            let from_elsewhere = parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
            return Err(match signed_out() {
                PageError::SignedOut { next } if from_elsewhere => PageError::FromElsewhere { next },
                other => other,
            });
        };
        let now = console.engine.now();
        let found = console.engine.read(|state| {
            let session = state.session_of(&token, now)?;
            let person = state.person(session.person).ok()?;
            Some((session.person, person.name.clone(), session.method_at(now), session.id))
        });
        let (person, name, method, session) = found.ok_or_else(signed_out)?;
        Ok(Self { person, name, method, session, form_token: console.tokens.token(&token) })
    }
}

/// A form that a signed-in person sent from a page of ours: the only way in which the console submits anything for them.
#[derive(Debug)]
pub(crate) struct SentForm<T> {
    pub(crate) viewer: Viewer,
    pub(crate) fields: T,
}

#[derive(Deserialize)]
struct WithToken<T> {
    /// Absent is as good as wrong.
    #[serde(default)]
    form_token: String,
    #[serde(flatten)]
    fields: T,
}

/// The form without fields.
#[derive(Debug, Deserialize)]
pub(crate) struct Nothing {}

impl<T: DeserializeOwned + Send> FromRequest<Console> for SentForm<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, console: &Console) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        csrf::must_be_ours(&parts.headers)?;
        let viewer = Viewer::from_request_parts(&mut parts, console).await?;
        let token = presented(&parts.headers).ok_or(PageError::SignedOut { next: "/".to_owned() })?;
        let slot = parts.extensions.get::<Slot>().cloned();
        let bytes = bytes(Request::from_parts(parts.clone(), body), console).await?;
        let again = || Request::from_parts(parts.clone(), Body::from(bytes.clone()));
        let sent: WithToken<T> = form(again(), console).await?;
        console.tokens.check(&token, &sent.form_token)?;
        if let Some(slot) = slot {
            // Found to be ours: whoever has to show a passkey first need not write it again.
            let mut fields: Vec<(String, String)> = form(again(), console).await?;
            fields.retain(|(name, _)| name != "form_token");
            slot.put(Sent { session: viewer.session, fields });
        }
        Ok(Self { viewer, fields: sent.fields })
    }
}

/// The whole body of a form, up to the limit of its route.
async fn bytes(request: Request, console: &Console) -> Result<Bytes, PageError> {
    Bytes::from_request(request, console).await.map_err(|problem| malformed(&problem.body_text()))
}

/// The fields of a form, or the refusal that says what is wrong with them.
pub(crate) async fn form<T: DeserializeOwned>(request: Request, console: &Console) -> Result<T, PageError> {
    let read = Form::<T>::from_request(request, console).await;
    read.map(|Form(fields)| fields).map_err(|problem| malformed(&problem.body_text()))
}

fn malformed(problem: &str) -> PageError {
    PageError::Malformed(
        Refusal::new("bad_form", format!("the form could not be read: {}", problem.to_lowercase()))
            .help("reload the page it was on and send it again"),
    )
}
