//! Showing a passkey once more, on the way to something grave.

pub(crate) mod resume;
mod words;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::{Method, Uri};
use maud::{Markup, html};
use remit_domain::limits::FRESH_SECONDS;
use remit_people::{Ceremony, assertion};
use serde::Deserialize;

use super::sign_in::{leading_to, leads_here};
use crate::errors::{PageError, StepUpNeeded};
use crate::kept_forms::{Kept, Sent, Slot};
use crate::parts::passkey;
use crate::parts::text::shown;
use crate::session::{SentForm, Viewer};
use crate::{Console, layout};

#[cfg(test)]
mod tests;

/// Where to go on afterwards, and the form that was refused, if it is kept.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Way {
    #[serde(default)]
    next: String,
    #[serde(default)]
    form: String,
}

/// A passkey's answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    #[serde(default)]
    ceremony: String,
    #[serde(default)]
    credential: String,
    #[serde(default)]
    next: String,
    #[serde(default)]
    form: String,
}

/// Leads whoever was refused for want of a passkey to where they show it. What they wrote is kept meanwhile; afterwards they go on from
/// there, or from the page that their form was on.
pub(crate) async fn lead_there(State(console): State<Console>, mut request: Request, next: Next) -> Response {
    let (method, asked, slot) = (request.method().clone(), request.uri().clone(), Slot::default());
    request.extensions_mut().insert(slot.clone());
    let response = next.run(request).await;
    if response.extensions().get::<StepUpNeeded>().is_none() {
        return response;
    }
    let page = page_of(&method, &asked);
    let way = match slot.sent() {
        // It leads to somebody else's page, of which only its own page may tell the browser.
        Some(sent) if asked.path() == "/consent" => leading_to("/step-up", &consent_of(sent)),
        Some(sent) => {
            let address = asked.path_and_query().map_or("/", |path| path.as_str());
            with_form("/step-up", &page, console.forms.keep(sent, address, console.engine.now()).as_deref())
        }
        None => leading_to("/step-up", &page),
    };
    Redirect::to(&way).into_response()
}

/// The page of consent with the request that was answered.
fn consent_of(sent: &Sent) -> String {
    let request = sent.fields.iter().find(|(name, _)| name == "request").map_or("", |(_, request)| request.as_str());
    format!("/consent?request={request}")
}

/// The page `page`, which leads on to `next`, and to the form that is kept as `form`. The name of a form is base64url.
fn with_form(page: &str, next: &str, form: Option<&str>) -> String {
    let way = leading_to(page, next);
    match form {
        Some(form) => format!("{way}{}form={form}", if way.contains('?') { '&' } else { '?' }),
        None => way,
    }
}

/// The page that a form stands on: a verb's address is that of its thing and the verb.
fn page_of(method: &Method, asked: &Uri) -> String {
    if method.is_safe() {
        return asked.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    }
    match asked.path().rsplit_once('/') {
        Some((thing, _)) if !thing.is_empty() => thing.to_owned(),
        _ => asked.path().to_owned(),
    }
}

/// Where the way back leads: here, whatever was asked for.
fn back_of(next: &str) -> &str {
    if leads_here(next) { next } else { "/" }
}

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    way: Result<Query<Way>, QueryRejection>,
) -> Result<Response, PageError> {
    let way = way.map(|Query(way)| way).unwrap_or_default();
    if !console.engine.read(|state| state.has_passkey(viewer.person)) {
        // There is nothing to show yet, and for the same reason nothing asks for it.
        return Ok(Redirect::to("/passkeys").into_response());
    }
    let ceremony = console.people.begin_step_up(viewer.person)?;
    let kept = console.forms.find(&way.form, viewer.session, console.engine.now());
    Ok(page(&viewer, &ceremony, &way, kept.as_deref()).into_response())
}

pub(crate) async fn step_up(State(console): State<Console>, sent: SentForm<Shown>) -> Result<Redirect, PageError> {
    let Shown { ceremony, credential, next, form } = &sent.fields;
    let shown = assertion(credential).map_err(remit_people::PeopleError::from)?;
    console.people.step_up(sent.viewer.actor(), sent.viewer.session, ceremony, &shown).await?;
    let kept = console.forms.find(form, sent.viewer.session, console.engine.now());
    Ok(Redirect::to(&match kept {
        Some(_) => with_form("/step-up/continue", next, Some(form)),
        None => back_of(next).to_owned(),
    }))
}

fn page(viewer: &Viewer, ceremony: &Ceremony, way: &Way, kept: Option<&Kept>) -> Markup {
    let back = back_of(&way.next);
    layout::bare(
        "Confirm with your passkey",
        &html! {
            h1 { "Confirm with your passkey" }
            p .lead { "What you want to do changes who may do what, or ends something. Nothing has been done yet." }
            form .panel method="post" action="/step-up" data-passkey="get" data-options=(passkey::options(&ceremony.options)) {
                (layout::token(viewer))
                input type="hidden" name="next" value=(back);
                p { "Signed in as " strong { (shown(&viewer.name)) } "." }
                @if let Some(kept) = kept {
                    input type="hidden" name="form" value=(way.form);
                    p { "You asked to " strong { (shown(&words::words(&kept.address))) } "." }
                }
                (passkey::fields(Some(&ceremony.id)))
                button .primary type="submit" autofocus { "Confirm" }
                p .quiet {
                    "It holds for " (FRESH_SECONDS / 60) " minutes. "
                    @if kept.is_some() { "What you wrote is kept: you send it on with one more click." }
                    @else { "Afterwards you are back where you were: do it again there." }
                }
            }
            p { a href=(back) { "Back without confirming" } }
        },
    )
}
