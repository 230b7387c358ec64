//! Signing in by a passkey or a one-time code, and out again.

use std::net::SocketAddr;

use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, Uri};
use maud::{Markup, html};
use remit_domain::{Actor, Command, Digest, Event, OpenSession, Refusal, SignInMethod};
use remit_engine::SubmitError;
use remit_identity::code::OneTimeCode;
use remit_people::{Ceremony, assertion};
use serde::Deserialize;

use crate::errors::{PageError, status_of};
use crate::home::leading_home;
use crate::parts::passkey;
use crate::parts::text::shown;
use crate::session::{Nothing, SentForm, cookie, form, is_secure, no_cookie};
use crate::{Console, csrf, layout, limits};

#[cfg(test)]
mod tests;

/// A code to use up and where to go on afterwards.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct SignIn {
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// A passkey's answer, and where to go on afterwards.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    #[serde(default)]
    ceremony: String,
    #[serde(default)]
    credential: String,
    #[serde(default)]
    next: String,
}

/// Where to sign in on the way to `next`.
pub(crate) fn address(next: &str) -> String {
    leading_to("/sign-in", next)
}

/// The page `page`, which leads on to `next` if that is one of ours.
pub(crate) fn leading_to(page: &str, next: &str) -> String {
    if !leads_here(next) || next == "/" {
        return page.to_owned();
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let encoded =
        next.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    format!("{page}?next={}", encoded.collect::<String>())
}

/// Whether `next` is an address of this console and of nobody else, in a form that every browser reads alike.
pub(crate) fn leads_here(next: &str) -> bool {
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    next.starts_with('/') && !next.starts_with("//") && plain && next.len() <= limits::NEXT_BYTES_MAX
}

/// The page with one button. Looking at it uses no code up, so that a preview of the link in a chat does no harm.
pub(crate) async fn show(
    State(console): State<Console>,
    uri: Uri,
    headers: HeaderMap,
    given: Result<Query<SignIn>, QueryRejection>,
) -> Result<Response, PageError> {
    // A session belongs to the address at which it began, and a passkey to the name alone: who signs in begins at home.
    let home = console.people.settings().origins.first().and_then(|origin| leading_home(origin, &uri, &headers));
    if let Some(home) = home {
        return Ok(Redirect::to(&home).into_response());
    }
    // A link that was mangled on its way still leads to the field for the code.
    let given = given.map(|Query(given)| given).unwrap_or_default();
    Ok(page(&console, &given, None)?.into_response())
}

/// Opens a session for whoever showed a passkey.
pub(crate) async fn by_passkey(State(console): State<Console>, request: Request) -> Result<Response, PageError> {
    csrf::must_be_ours(request.headers())?;
    let secure = is_secure(request.uri(), request.headers());
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    let sent: Shown = form(request, &console).await?;
    let opened = match assertion(&sent.credential) {
        Ok(assertion) => console.people.sign_in(from, &sent.ceremony, &assertion).await,
        Err(unreadable) => Err(unreadable.into()),
    };
    match opened.map_err(PageError::from) {
        Ok(opened) => Ok(signed_in(&opened.token, secure, if leads_here(&sent.next) { &sent.next } else { "/" })),
        Err(PageError::Refused(refusal)) => {
            let given = SignIn { next: sent.next, ..SignIn::default() };
            Ok((status_of(&refusal), page(&console, &given, Some(&refusal))?).into_response())
        }
        Err(other) => Err(other),
    }
}

fn signed_in(token: &OneTimeCode, secure: bool, next: &str) -> Response {
    (AppendHeaders([(SET_COOKIE, cookie(token.expose(), secure))]), Redirect::to(next)).into_response()
}

/// Uses a code up and opens a session.
pub(crate) async fn open(State(console): State<Console>, request: Request) -> Result<Response, PageError> {
    csrf::must_be_ours(request.headers())?;
    let secure = is_secure(request.uri(), request.headers());
    let sent: SignIn = form(request, &console).await?;
    match exchange(&console, sent.code.trim()).await {
        Ok((token, has_passkey)) => {
            let next = if leads_here(&sent.next) { sent.next.as_str() } else { "/" };
            // Whoever has nothing but a link is led to their first passkey, once; it is on no way to anything.
            let next = if next == "/" && !has_passkey { "/passkeys" } else { next };
            Ok(signed_in(&token, secure, next))
        }
        Err(PageError::Refused(refusal)) => {
            let given = SignIn { code: String::new(), ..sent };
            Ok((status_of(&refusal), page(&console, &given, Some(&refusal))?).into_response())
        }
        Err(other) => Err(other),
    }
}

/// The session's token for the code, and whether its person has a passkey.
async fn exchange(console: &Console, code: &str) -> Result<(OneTimeCode, bool), PageError> {
    if code.is_empty() || code.len() > limits::SECRET_BYTES_MAX {
        return Err(Refusal::new("code_refused", "this is not a sign-in code")
            .help("paste the code exactly as you were given it")
            .into());
    }
    let token = OneTimeCode::generate("ses_").map_err(|_| {
        PageError::Unavailable(
            Refusal::new("no_randomness", "no session could be made now")
                .help("try again; if it stays, look at the machine"),
        )
    })?;
    let open =
        OpenSession { code: Digest::of_bytes(code.as_bytes()), token: Digest::of_bytes(token.expose().as_bytes()) };
    // Nobody is known before the code has been looked at; whose it was is in the event.
    let receipt = console.engine.submit(Actor::Remit, Command::OpenSession(open)).await?;
    let has_passkey = receipt.events.iter().any(|event| match event {
        Event::SessionOpened(opened) => console.engine.read(|state| state.has_passkey(opened.person)),
        _ => false,
    });
    Ok((token, has_passkey))
}

/// Ends the session.
pub(crate) async fn close(State(console): State<Console>, sent: SentForm<Nothing>) -> Result<Response, PageError> {
    let (actor, session) = (sent.viewer.actor(), sent.viewer.session);
    let method = console.engine.read(|state| state.sessions.get(&session).map(|session| session.method));
    let ended = console.engine.submit(actor, Command::EndSession { session }).await;
    if let Err(SubmitError::Unavailable(refusal)) = ended {
        return Err(PageError::Unavailable(refusal));
    }
    let cookies = AppendHeaders([(SET_COOKIE, no_cookie())]);
    if method == Some(SignInMethod::OpenIdConnect)
        && let Some(elsewhere) = console.people.sign_out_elsewhere().await
    {
        let name = console.people.oidc_name().unwrap_or("your organisation");
        return Ok((cookies, signed_out(name, elsewhere.as_str())).into_response());
    }
    Ok((cookies, Redirect::to("/sign-in")).into_response())
}

/// A link, and not the way on by itself: to sign out of everything is for its person to say.
fn signed_out(name: &str, elsewhere: &str) -> Markup {
    layout::bare(
        "Signed out",
        &html! {
            h1 { "You are signed out here" }
            p .lead { "At " (shown(name)) " you are signed in still: whoever uses this browser next could come back without a password." }
            p { a .button href=(elsewhere) { "Sign out at " (shown(name)) " too" } }
            p { a href="/sign-in" { "Sign in again" } }
        },
    )
}

pub(crate) fn page(console: &Console, given: &SignIn, refusal: Option<&Refusal>) -> Result<Markup, PageError> {
    let ceremony = console.people.begin_sign_in()?;
    let elsewhere = console.people.settings().oidc.as_ref().map(|provider| provider.name.as_str());
    Ok(render(&console.engine.realm().trust_domain, given, &ceremony, elsewhere, refusal))
}

fn render(
    realm: &str,
    given: &SignIn,
    ceremony: &Ceremony,
    elsewhere: Option<&str>,
    refusal: Option<&Refusal>,
) -> Markup {
    layout::bare(
        "Sign in",
        &html! {
            h1 { "Sign in" }
            p .lead { "to the realm " strong { (shown(realm)) } }
            @if let Some(refusal) = refusal { (passkey::problem(refusal)) }
            div .panel {
                @if given.code.is_empty() {
                    (with_passkey(given, ceremony))
                    @if let Some(name) = elsewhere {
                        a .button href=(leading_to("/sign-in/oidc", &given.next)) { "Sign in with " (shown(name)) }
                    }
                    p .or { "or" }
                }
                (with_code(given))
            }
        },
    )
}

fn with_passkey(given: &SignIn, ceremony: &Ceremony) -> Markup {
    html! {
        form .stack method="post" action="/sign-in/passkey" data-passkey="get" data-options=(passkey::options(&ceremony.options)) {
            input type="hidden" name="next" value=(given.next);
            (passkey::fields(Some(&ceremony.id)))
            button .primary type="submit" autofocus { "Sign in with a passkey" }
        }
    }
}

fn with_code(given: &SignIn) -> Markup {
    html! {
        form .stack method="post" action="/sign-in" {
            input type="hidden" name="next" value=(given.next);
            @if given.code.is_empty() {
                label for="code" { "One-time code" }
                input #code type="password" name="code" required autocomplete="off" spellcheck="false"
                    maxlength=(limits::SECRET_BYTES_MAX);
                button type="submit" { "Sign in with the code" }
                p .quiet { "An administrator makes one with " code { "remit person sign-in NAME" } ". It works once." }
            } @else {
                input type="hidden" name="code" value=(given.code);
                button .primary type="submit" autofocus { "Sign in with this link" }
                p .quiet { "The link works once. " a href="/sign-in" { "Use a passkey or another code" } }
            }
        }
    }
}
