//! Showing a passkey once more, on the way to something grave.

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
use crate::parts::passkey;
use crate::parts::text::shown;
use crate::session::{SentForm, Viewer};
use crate::{Console, layout};

#[cfg(test)]
mod tests;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Way {
    #[serde(default)]
    next: String,
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
}

/// Leads whoever was refused for want of a passkey to where they show it, and back to the page that their form was on.
pub(crate) async fn lead_there(request: Request, next: Next) -> Response {
    let page = page_of(request.method(), request.uri());
    let response = next.run(request).await;
    match response.extensions().get::<StepUpNeeded>() {
        Some(_) => Redirect::to(&leading_to("/step-up", &page)).into_response(),
        None => response,
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

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    way: Result<Query<Way>, QueryRejection>,
) -> Result<Response, PageError> {
    let next = way.map(|Query(way)| way.next).unwrap_or_default();
    if !console.engine.read(|state| state.has_passkey(viewer.person)) {
        // There is nothing to show yet, and for the same reason nothing asks for it.
        return Ok(Redirect::to("/passkeys").into_response());
    }
    let ceremony = console.people.begin_step_up(viewer.person)?;
    Ok(page(&viewer, &ceremony, &next).into_response())
}

pub(crate) async fn step_up(State(console): State<Console>, sent: SentForm<Shown>) -> Result<Redirect, PageError> {
    let Shown { ceremony, credential, next } = &sent.fields;
    let shown = assertion(credential).map_err(remit_people::PeopleError::from)?;
    console.people.step_up(sent.viewer.actor(), sent.viewer.session, ceremony, &shown).await?;
    Ok(Redirect::to(if leads_here(next) { next } else { "/" }))
}

fn page(viewer: &Viewer, ceremony: &Ceremony, next: &str) -> Markup {
    let back = if leads_here(next) { next } else { "/" };
    layout::bare(
        "Confirm with your passkey",
        &html! {
            h1 { "Confirm with your passkey" }
            p .lead { "What you want to do changes who may do what, or ends something. Nothing has been done yet." }
            form .panel method="post" action="/step-up" data-passkey="get" data-options=(passkey::options(&ceremony.options)) {
                (layout::token(viewer))
                input type="hidden" name="next" value=(back);
                p { "Signed in as " strong { (shown(&viewer.name)) } "." }
                (passkey::fields(Some(&ceremony.id)))
                button .primary type="submit" autofocus { "Confirm" }
                p .quiet { "It holds for " (FRESH_SECONDS / 60) " minutes. Afterwards you are back where you were: do it again there." }
            }
            p { a href=(back) { "Back without confirming" } }
        },
    )
}
