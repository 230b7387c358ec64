//! What an application asks for in a person's name, and their answer. The request was checked and sealed by the authorization
//! endpoint; nothing in it can be changed in the browser.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use remit_domain::{
    Agent, AgentStatus, Authority, Command, Consent, Delegate, Digest, OperationPattern, Refusal, SignInMethod,
    Timestamp,
};
use remit_identity::code::OneTimeCode;
use remit_identity::consent::ConsentRequest;
use serde::Deserialize;

use crate::errors::PageError;
use crate::headers::FormsTo;
use crate::pages::sign_in::leading_to;
use crate::parts::properties::{properties, row};
use crate::parts::text::shown;
use crate::parts::{time, value};
use crate::session::{SentForm, Viewer};
use crate::{Console, layout, limits};

#[cfg(test)]
mod tests;

/// How long a task may live that a person consents to, as the page offers it: hours, and how it is said.
const LIVES: [(u64, &str); 3] = [(1, "one hour"), (8, "a working day (8 hours)"), (24, "one day")];
/// The purpose that sealed requests are made for; the authorization endpoint uses the same.
const KEY_PURPOSE: &str = "consent";

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    request: String,
}

/// What the form says.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    request: String,
    #[serde(default)]
    agent: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    hours: String,
    #[serde(default)]
    decision: String,
}

/// The page.
pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let request = open(&console, &asked.request)?;
    // Consenting is grave, and its form leads back to somebody else's page: whoever has a passkey shows it before they see the form.
    if viewer.method != SignInMethod::FreshPasskey && console.engine.read(|state| state.has_passkey(viewer.person)) {
        let page = format!("/consent?request={}", asked.request);
        return Ok(Redirect::to(&leading_to("/step-up", &page)).into_response());
    }
    let agents = own_agents(&console, &viewer);
    let page = page(&viewer, &asked.request, &request, &agents, console.engine.now())?;
    let mut response = page.into_response();
    // Answering leads back to the application, which the browser has to be told.
    response.extensions_mut().insert(FormsTo::address(&request.redirect_uri));
    Ok(response)
}

/// The answer: a code for the application, or a no.
pub(crate) async fn answer(State(console): State<Console>, sent: SentForm<Answer>) -> Result<Response, PageError> {
    let Answer { request: sealed, agent, purpose, hours, decision } = sent.fields;
    let request = open(&console, &sealed)?;
    if decision != "allow" {
        let refused = [("error", "access_denied"), ("error_description", "the person said no")];
        return Ok(back(&console, &request, &refused));
    }
    let agent = console.engine.read(|state| state.agent_named(&agent).map(|agent| agent.id))?;
    let hours: u64 = hours.parse().ok().filter(|hours| LIVES.iter().any(|(life, _)| life == hours)).unwrap_or(1);
    let ttl_seconds = (hours * 3600).min(seconds_left(&console, &request)?);
    let code = OneTimeCode::generate("code_").map_err(|_| {
        PageError::Unavailable(
            Refusal::new("no_randomness", "no code could be made now")
                .help("try again; if it stays, look at the machine"),
        )
    })?;
    let consent = Consent {
        code: Digest::of_bytes(code.expose().as_bytes()),
        client: request.client_id.clone(),
        client_name: request.client_name.clone(),
        redirect_uri: request.redirect_uri.clone(),
        agent,
        purpose: purpose.trim().to_owned(),
        scope: scope_of(&request)?,
        authority: authority_of(&request)?,
        resource: request.resource.clone(),
        challenge: request.code_challenge.clone(),
        key: request.jkt.clone(),
        configuration: configuration_of(&request)?,
        ttl_seconds: Some(ttl_seconds),
    };
    console.engine.submit(sent.viewer.actor(), Command::Consent(Box::new(consent))).await?;
    Ok(back(&console, &request, &[("code", code.expose())]))
}

fn open(console: &Console, sealed: &str) -> Result<ConsentRequest, Refusal> {
    let now = console.engine.now().as_seconds();
    ConsentRequest::open(&console.engine.key_for(KEY_PURPOSE), sealed, now)
        .map_err(|error| Refusal::new("consent_request_refused", error.to_string()).help(error.help()))
}

/// For how long whatever is consented to may live at most, by what the application itself said of its end.
fn seconds_left(console: &Console, request: &ConsentRequest) -> Result<u64, Refusal> {
    let Some(ends_at) = request.ends_at else { return Ok(u64::MAX) };
    let left = ends_at.saturating_sub(console.engine.now().as_seconds());
    u64::try_from(left).ok().filter(|left| *left > 0).ok_or_else(|| {
        Refusal::new("mission_over", "what the application asked for is over already")
            .help("go back to the application and start again")
    })
}

fn damaged() -> Refusal {
    Refusal::new("consent_request_refused", "the request says something that this version does not understand")
        .help("go back to the application and start again")
}

fn scope_of(request: &ConsentRequest) -> Result<Vec<OperationPattern>, Refusal> {
    request.scope.iter().map(|text| text.parse()).collect()
}

fn authority_of(request: &ConsentRequest) -> Result<Vec<Authority>, Refusal> {
    if request.authority.is_null() {
        // Never less than was asked about: bounds that are not understood must not become none.
        return if request.authorization_details.is_empty() { Ok(Vec::new()) } else { Err(damaged()) };
    }
    serde_json::from_value(request.authority.clone()).map_err(|_| damaged())
}

fn configuration_of(request: &ConsentRequest) -> Result<Option<Digest>, Refusal> {
    request.configuration.as_deref().map(|text| text.parse().map_err(|_| damaged())).transpose()
}

/// Back to the application with `pairs`, its `state`, and who answers (RFC 9207).
fn back(console: &Console, request: &ConsentRequest, pairs: &[(&str, &str)]) -> Response {
    let issuer = console.engine.realm().issuer;
    let state = request.state.as_deref().map(|state| ("state", state));
    let mut address = request.redirect_uri.clone();
    let mut mark = if address.contains('?') { '&' } else { '?' };
    for (name, value) in pairs.iter().copied().chain(state).chain([("iss", issuer.as_str())]) {
        address.push(mark);
        address.push_str(name);
        address.push('=');
        address.push_str(&encoded(value));
        mark = '&';
    }
    let mut response = Redirect::to(&address).into_response();
    response.extensions_mut().insert(FormsTo::address(&request.redirect_uri));
    response
}

/// As a value in a query (RFC 3986 section 2.1).
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Agents for which this person may say yes: their own, or every one for an administrator.
fn own_agents(console: &Console, viewer: &Viewer) -> Vec<std::sync::Arc<Agent>> {
    let state = console.engine.state();
    let everybody = state.person(viewer.person).is_ok_and(|person| person.is_administrator());
    let may = |agent: &&std::sync::Arc<Agent>| {
        agent.status == AgentStatus::Active
            && agent.name != remit_domain::SANDBOX
            && (everybody || agent.profile.owner == Some(viewer.person))
    };
    let mut agents: Vec<_> = state.agents.values().filter(may).cloned().collect();
    agents.sort_by(|a, b| a.name.cmp(&b.name));
    agents
}

fn page(
    viewer: &Viewer,
    sealed: &str,
    request: &ConsentRequest,
    agents: &[std::sync::Arc<Agent>],
    now: Timestamp,
) -> Result<Markup, PageError> {
    let (scope, authority) = (scope_of(request)?, authority_of(request)?);
    let purpose = request.goal.as_deref().or(request.purpose.as_deref());
    let purpose =
        purpose.map_or_else(|| format!("work with {} for {}", request.client_name, viewer.name), str::to_owned);
    let hint = request.agent_hint.as_deref().unwrap_or_default();
    Ok(layout::bare(
        "Consent",
        &html! {
            h1 { (shown(&request.client_name)) " wants to work in your name" }
            p .lead { "You are " strong { (shown(&viewer.name)) } ". A yes starts one task of one of your agents, and gives this application its token." }
            (properties(&html! {
                (row("Application", &html! { (shown(&request.client_name)) " " span .quiet { "as it calls itself" } }))
                (row("Known as", &html! { code { (shown(&request.client_id)) } }))
                (row("The answer goes to", &html! { code { (shown(&request.redirect_uri)) } }))
                (row("For use at", &html! { code { (shown(&request.resource)) } }))
                (reasons(request, now))
            }))
            (asked_for(&scope, &authority))
            @if agents.is_empty() {
                div .notice .bad role="alert" {
                    p .sentence { "You own no active agent, so there is nobody to work in your name." }
                    p .help { "Register one with " code { "remit agent register" } ", or ask an administrator." }
                }
            }
            form .stack method="post" action="/consent" {
                (layout::token(viewer))
                input type="hidden" name="request" value=(sealed);
                label for="agent" { "Which agent it works as" }
                select #agent name="agent" required disabled[agents.is_empty()] {
                    @if agents.len() > 1 { option value="" { "choose one" } }
                    @for agent in agents {
                        option value=(agent.name) selected[agent.name == hint] { (shown(&agent.name)) }
                    }
                }
                label for="purpose" { "What for, as the record will say" }
                input #purpose type="text" name="purpose" required value=(purpose) maxlength=(limits::PURPOSE_CHARACTERS_MAX);
                label for="hours" { "For how long at most" }
                select #hours name="hours" {
                    @for (hours, words) in LIVES { option value=(hours) { (words) } }
                }
                button .primary type="submit" name="decision" value="allow" disabled[agents.is_empty()] { "Allow" }
                button .danger type="submit" name="decision" value="deny" formnovalidate { "Deny" }
                p .quiet {
                    "Every call is still decided by policy, recorded, and asked about where a rule says so. "
                    "End it at any time with " code { "remit task end" } "."
                }
            }
        },
    ))
}

/// What the application says of itself: what for, what else holds, and when it ends.
fn reasons(request: &ConsentRequest, now: Timestamp) -> Markup {
    html! {
        @if let Some(goal) = &request.goal {
            (row("Goal", &html! { (shown(goal)) " " span .quiet { "as it says" } }))
        }
        @if let Some(purpose) = &request.purpose {
            (row("Purpose and limits", &html! { (shown(purpose)) " " span .quiet { "as it says" } }))
        }
        @if let Some(configuration) = &request.configuration {
            (row("Configuration", &html! { code { (shown(configuration)) } " " span .quiet { "as it says" } }))
        }
        @if let Some(ends_at) = request.ends_at {
            (row("Ends at the latest", &html! { (time::moment(Timestamp::from_millis(ends_at.saturating_mul(1000)), now)) }))
        }
    }
}

/// To whom it may be passed on.
fn delegate(delegate: &Delegate) -> Markup {
    match delegate {
        Delegate::Agent(name) => html! { code { (shown(name)) } },
        Delegate::AnyAgent => html! { strong { "any agent" } },
    }
}

/// What it could use, in full.
fn asked_for(scope: &[OperationPattern], authority: &[Authority]) -> Markup {
    html! {
        h2 { "What it could use" }
        @if scope.is_empty() && authority.is_empty() {
            p { "Everything that the agent was granted." }
        }
        @if !scope.is_empty() {
            ul { @for pattern in scope { li { code { (shown(pattern.as_str())) } } } }
        }
        @for part in authority {
            div .card {
                ul { @for pattern in &part.operations { li { code { (shown(pattern.as_str())) } } } }
                @if !part.constraints.is_empty() {
                    p { "within these bounds:" }
                    (value::table(&serde_json::json!(part.constraints)))
                }
                @if let Some(delegation) = &part.delegation {
                    p { "It may pass this on, " (delegation.depth_max) " deep, to:" }
                    ul { @for one in &delegation.delegates { li { (delegate(one)) } } }
                } @else {
                    p .quiet { "It may not pass this on to other agents." }
                }
            }
        }
    }
}
