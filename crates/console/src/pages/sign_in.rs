//! Signing in by a one-time code, and out again.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use maud::{Markup, html};
use remit_domain::{Actor, Command, Digest, OpenSession, Refusal};
use remit_engine::SubmitError;
use remit_identity::code::OneTimeCode;
use serde::Deserialize;

use crate::errors::{PageError, status_of};
use crate::parts::text::{shown, told};
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

/// Where to sign in on the way to `next`.
pub(crate) fn address(next: &str) -> String {
    if !leads_here(next) || next == "/" {
        return "/sign-in".to_owned();
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let encoded =
        next.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    format!("/sign-in?next={}", encoded.collect::<String>())
}

/// Whether `next` is an address of this console and of nobody else, in a form that every browser reads alike.
fn leads_here(next: &str) -> bool {
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    next.starts_with('/') && !next.starts_with("//") && plain && next.len() <= limits::NEXT_BYTES_MAX
}

/// The page with one button. Looking at it uses no code up, so that a preview of the link in a chat does no harm.
pub(crate) async fn show(State(console): State<Console>, given: Result<Query<SignIn>, QueryRejection>) -> Markup {
    // A link that was mangled on its way still leads to the field for the code.
    let given = given.map(|Query(given)| given).unwrap_or_default();
    page(&console.engine.realm().trust_domain, &given, None)
}

/// Uses a code up and opens a session.
pub(crate) async fn open(State(console): State<Console>, request: Request) -> Result<Response, PageError> {
    csrf::must_be_ours(request.headers())?;
    let secure = is_secure(request.uri(), request.headers());
    let sent: SignIn = form(request, &console).await?;
    match exchange(&console, sent.code.trim()).await {
        Ok(token) => {
            let next = if leads_here(&sent.next) { sent.next.as_str() } else { "/" };
            Ok((AppendHeaders([(SET_COOKIE, cookie(token.expose(), secure))]), Redirect::to(next)).into_response())
        }
        Err(PageError::Refused(refusal)) => {
            let page =
                page(&console.engine.realm().trust_domain, &SignIn { code: String::new(), ..sent }, Some(&refusal));
            Ok((status_of(&refusal), page).into_response())
        }
        Err(other) => Err(other),
    }
}

async fn exchange(console: &Console, code: &str) -> Result<OneTimeCode, PageError> {
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
    console.engine.submit(Actor::Remit, Command::OpenSession(open)).await?;
    Ok(token)
}

/// Ends the session.
pub(crate) async fn close(State(console): State<Console>, sent: SentForm<Nothing>) -> Result<Response, PageError> {
    let (actor, session) = (sent.viewer.actor(), sent.viewer.session);
    let ended = console.engine.submit(actor, Command::EndSession { session }).await;
    if let Err(SubmitError::Unavailable(refusal)) = ended {
        return Err(PageError::Unavailable(refusal));
    }
    Ok((AppendHeaders([(SET_COOKIE, no_cookie())]), Redirect::to("/sign-in")).into_response())
}

fn page(realm: &str, given: &SignIn, refusal: Option<&Refusal>) -> Markup {
    layout::bare(
        "Sign in",
        &html! {
            h1 { "Sign in" }
            p .lead { "to the realm " strong { (shown(realm)) } }
            @if let Some(refusal) = refusal {
                div .notice .bad role="alert" {
                    p .sentence { (told(&refusal.sentence)) }
                    @if let Some(help) = &refusal.help { p .help { (told(help)) } }
                }
            }
            form method="post" action="/sign-in" .stack {
                input type="hidden" name="next" value=(given.next);
                @if given.code.is_empty() {
                    label for="code" { "One-time code" }
                    input #code type="password" name="code" required autocomplete="off" spellcheck="false" autofocus
                        maxlength=(limits::SECRET_BYTES_MAX);
                    button .primary type="submit" { "Sign in" }
                    p .quiet { "An administrator makes one with " code { "remit person sign-in NAME" } ". It works once." }
                } @else {
                    input type="hidden" name="code" value=(given.code);
                    button .primary type="submit" autofocus { "Sign in with this link" }
                    p .quiet { "The link works once. " a href="/sign-in" { "Use another code" } }
                }
            }
        },
    )
}
