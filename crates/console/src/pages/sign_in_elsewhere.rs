//! Signing in at the organisation's identity provider: the way there, and the way back.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::header::{COOKIE, HOST, SET_COOKIE};
use http::{HeaderMap, Uri};
use remit_domain::Refusal;
use remit_people::oidc::{Answer, CALLBACK_PATH, limits};
use serde::Deserialize;

use crate::errors::{PageError, status_of};
use crate::pages::sign_in::{self, SignIn, leads_here};
use crate::session::{cookie, is_secure};
use crate::{Console, layout};

#[cfg(test)]
mod tests;

const COOKIE_NAME: &str = "remit_sign_in";

/// Where to go on afterwards.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Start {
    #[serde(default)]
    next: String,
}

/// The parameters of the provider's answer. Others are passed over; one that comes twice refuses all of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Answered {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// Leads to the provider.
pub(crate) async fn start(
    State(console): State<Console>,
    uri: Uri,
    headers: HeaderMap,
    given: Result<Query<Start>, QueryRejection>,
) -> Result<Response, PageError> {
    let next = given.map(|Query(given)| given.next).unwrap_or_default();
    let next = if leads_here(&next) { next.as_str() } else { "/" };
    // A link on another site signs nobody in: it leads to the page with the button.
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Ok(Redirect::to(&sign_in::address(next)).into_response());
    }
    // The provider answers at one address only, and the browser's cookie has to be there.
    if let Some(origin) = console.people.settings().origins.first()
        && !is_at(origin, &uri, &headers)
    {
        return Ok(Redirect::to(&format!("{origin}{}", sign_in::address(next))).into_response());
    }
    let leading = console.people.begin_elsewhere(next).await?;
    let kept = binding_cookie(&leading.binding, is_secure(&uri, &headers));
    Ok((AppendHeaders([(SET_COOKIE, kept)]), Redirect::to(leading.address.as_str())).into_response())
}

/// Takes the provider's answer, and opens a session.
pub(crate) async fn callback(
    State(console): State<Console>,
    uri: Uri,
    headers: HeaderMap,
    given: Result<Query<Answered>, QueryRejection>,
) -> Result<Response, PageError> {
    let Ok(Query(given)) = given else {
        return Err(PageError::Malformed(
            Refusal::new("bad_answer", "the identity provider's answer could not be read")
                .help("begin at the sign-in page"),
        ));
    };
    let answer = Answer { code: given.code, state: given.state, issuer: given.iss, error: given.error };
    match console.people.finish_elsewhere(&answer, binding(&headers)).await.map_err(PageError::from) {
        Ok(signed_in) => {
            let secure = is_secure(&uri, &headers);
            let cookies = [cookie(signed_in.token.expose(), secure), no_binding_cookie()];
            let next = if leads_here(&signed_in.next) { signed_in.next.as_str() } else { "/" };
            // A page and no redirect: the browser still goes by the provider's site, and would hold the session back.
            Ok((AppendHeaders(cookies.map(|cookie| (SET_COOKIE, cookie))), layout::onwards(next)).into_response())
        }
        Err(PageError::Refused(refusal)) => {
            let page = sign_in::page(&console, &SignIn::default(), Some(&refusal))?;
            Ok((status_of(&refusal), page).into_response())
        }
        Err(other) => Err(other),
    }
}

/// Whether the request came to `origin`, as far as its host says.
fn is_at(origin: &str, uri: &Uri, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(http::uri::Authority::as_str));
    origin.split_once("://").map(|(_, authority)| authority) == host
}

/// What the browser kept, if that is one thing.
fn binding(headers: &HeaderMap) -> Option<&str> {
    let cookies =
        headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|line| line.split(';'));
    let mut ours = cookies.filter_map(|cookie| cookie.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='));
    match (ours.next(), ours.next()) {
        (Some(binding), None) => Some(binding),
        // Somebody planted one of them, and nobody knows which.
        _ => None,
    }
}

/// The answer comes from another site, so this cookie is `Lax` where the session's is `Strict`; it goes to the callback alone.
fn binding_cookie(binding: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    let life_seconds = limits::SIGN_IN_SECONDS_MAX;
    format!("{COOKIE_NAME}={binding}; HttpOnly; SameSite=Lax; Path={CALLBACK_PATH}; Max-Age={life_seconds}{secure}")
}

fn no_binding_cookie() -> String {
    format!("{COOKIE_NAME}=; HttpOnly; SameSite=Lax; Path={CALLBACK_PATH}; Max-Age=0")
}
