//! The access card: what an agent may do, under what conditions, for how long, and the rule that says so.

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{ASSUMPTION, AgentStatus, Explained, Foreseen, Foresight, Grant, GrantId, Refusal, foresee};
use remit_engine::Filter;

use super::{About, Tab};
use crate::errors::PageError;
use crate::names::Names;
use crate::parts::id;
use crate::parts::line::{Line, lines};
use crate::parts::passkey::problem;
use crate::parts::pill::{Tone, pill};
use crate::parts::properties::{none, properties, row};
use crate::parts::text::{shown, told};
use crate::parts::time::{moment, remaining};
use crate::session::Viewer;
use crate::{Console, limits};

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let about = About::new(&state, &viewer, &name, now)?;
    let filter =
        Filter { agent: Some(about.agent.id.to_string()), limit: limits::CARD_RECORDS_MAX, ..Filter::default() };
    // What it may do is for everybody; what it did is not.
    let latest = match about.may_read() {
        Ok(()) => Some(crate::pages::lines(&console, filter, &state).await?),
        Err(_) => None,
    };
    let (ahead, agent) = (state.clone(), about.agent.id);
    // Some hundred operations put to all rules take milliseconds: not on a thread that others wait for.
    let foreseen = tokio::task::spawn_blocking(move || foresee(&ahead, agent, now)).await;
    let foreseen = foreseen
        .map_err(|_| PageError::Unavailable(Refusal::new("fault", "Remit failed while it looked at the rules")))?;
    let body = html! {
        div .split {
            div {
                (access(&about, &foreseen))
                @if let Some(latest) = latest { (happened(&about, &latest)) }
            }
            div { (facts(&about)) }
        }
    };
    Ok(about.page(Tab::Access, &body))
}

fn access(about: &About<'_>, foreseen: &Result<Vec<Foreseen>, Refusal>) -> Markup {
    html! {
        section {
            h2 { "What it may use" }
            @match foreseen {
                Err(refusal) => (problem(refusal)),
                Ok(foreseen) => (operations(about, foreseen)),
            }
        }
    }
}

/// What is allowed or asked, then what a grant covers and a rule denies; all else is counted.
fn operations(about: &About<'_>, foreseen: &[Foreseen]) -> Markup {
    let of = |wanted: Foresight| foreseen.iter().filter(move |one| one.foresight == wanted);
    let held = of(Foresight::Deny).filter(|one| one.grant.is_some());
    let told: Vec<&Foreseen> = of(Foresight::Allow).chain(of(Foresight::Ask)).chain(held).collect();
    let beyond = foreseen.len() - told.len().min(limits::LIST_ROWS_MAX);
    let preview = format!("/preview?agent={}", about.agent.name);
    html! {
        @if about.agent.status != AgentStatus::Active && !told.is_empty() {
            p .notice { "It is not active: now every call of it is denied. This is what would be said if it were." }
        }
        @if told.is_empty() {
            div .empty {
                p { "It may use nothing." }
                p { "A grant names what it may use, and until when; rules may narrow that, or ask a person first." }
                p { a .button href={ (about.address("grants")) "#ask" } { "Ask for a grant" } }
            }
        } @else {
            div .scroll tabindex="0" role="region" aria-label="What it may use" {
                table .rows {
                    thead { tr { th { "Operation" } th { "Answer" } th { "How long" } th { "Because" } } }
                    tbody { @for one in told.iter().take(limits::LIST_ROWS_MAX) { (operation(about, one)) } }
                }
            }
        }
        @if beyond > 0 {
            p .quiet { (beyond) @if beyond == 1 { " other operation is" } @else { " other operations are" } " on the " a href=(preview) { "preview" } ", each with the line that says why." }
        }
        @if about.may_read().is_ok() {
            p { a href={ "/who?ask=agent&about=" (about.agent.name) } { "Who reaches what through it, as a picture" } }
        }
        @if !told.is_empty() { (assumption()) }
    }
}

fn assumption() -> Markup {
    html! { p .quiet { "About " (told(ASSUMPTION)) "." } }
}

fn operation(about: &About<'_>, one: &Foreseen) -> Markup {
    let known = about.state.operations.get(&one.operation);
    let grant = one.grant.and_then(|grant| about.state.grants.get(&grant));
    html! {
        tr {
            td {
                code { (shown(one.operation.as_str())) }
                @if let Some(known) = known {
                    p .quiet { (known.verb) ", risk " (known.risk) ", " (format!("{:?}", known.data)) }
                }
            }
            td {
                @match one.foresight {
                    Foresight::Allow => (pill(Tone::Good, "allow")),
                    Foresight::Ask => (pill(Tone::Waits, "ask")),
                    Foresight::Deny => (pill(Tone::Bad, "deny")),
                }
                @for ask in &one.asks { " " span .quiet { (told(&ask.in_words())) } }
                @if let Some(condition) = &one.condition { (under(one.foresight, condition)) }
                @if let Some(reason) = &one.reason { p .quiet { (told(reason)) } }
            }
            td {
                (how_long(about, one.foresight, grant.map(AsRef::as_ref)))
                @if let Some(grant) = one.grant { p .quiet { "grant " (grant_link(about, grant)) } }
            }
            td { ul .plain { @for rule in &one.rules { li { (place(rule)) } } } }
        }
    }
}

/// Under which condition on the call, in Cedar. Where a person is asked, it is mostly their answer.
fn under(foresight: Foresight, condition: &str) -> Markup {
    html! {
        @if foresight == Foresight::Ask {
            details { summary .quiet { "the exact condition" } code .text { (shown(condition)) } }
        } @else {
            p .quiet { "if " code .text { (shown(condition)) } }
        }
    }
}

fn how_long(about: &About<'_>, foresight: Foresight, grant: Option<&Grant>) -> Markup {
    match (foresight, grant) {
        (Foresight::Deny, _) => none("not now"),
        (_, Some(grant)) => remaining(grant.expires_at, about.now),
        (_, None) => none("as long as the rule stands"),
    }
}

fn grant_link(about: &About<'_>, grant: GrantId) -> Markup {
    html! { a href={ (about.address("grants")) "#" (grant) } { (id::short(grant)) } }
}

/// A rule, with the line of its policy that it begins at.
fn place(rule: &Explained) -> Markup {
    let line = rule.line.unwrap_or(1);
    html! {
        a href={ "/policies/" (rule.source) "#line-" (line) } title=(rule.reason.as_deref().unwrap_or(&rule.id)) {
            (shown(&rule.source)) ":" (line)
        }
    }
}

fn happened(about: &About<'_>, latest: &[Line]) -> Markup {
    html! {
        section #happened data-live {
            h2 { "What happened last" }
            (lines(latest, about.now))
            p .quiet { a href=(about.address("timeline")) { "The whole timeline" } }
        }
    }
}

fn facts(about: &About<'_>) -> Markup {
    let (state, agent, names) = (about.state, about.agent, Names(about.state));
    let profile = &agent.profile;
    let domain = state.realm.as_ref().map_or("", |realm| realm.trust_domain.as_str());
    let data: Vec<String> = profile.data_classes.iter().map(|class| format!("{class:?}")).collect();
    html! {
        section {
            h2 { "What it is" }
            (properties(&html! {
                (row("Identity", &html! { code .whole { (shown(&agent.spiffe_id(domain))) } }))
                (row("Owner", &profile.owner.map_or_else(|| none("nobody"), |owner| names.person(owner))))
                (row("Approvers", &html! {
                    @if profile.approvers.is_empty() { (none("nobody")) }
                    @for (index, approver) in profile.approvers.iter().enumerate() {
                        @if index > 0 { ", " }
                        (names.person(*approver))
                    }
                }))
                (row("Class", &html! {
                    (profile.class.map_or("none", |class| class.as_str())) ", autonomy "
                    @match profile.autonomy { Some(autonomy) => { "A" (autonomy) } None => "not set" }
                }))
                (row("Environment", &html! { (profile.environment.map_or("none", |environment| environment.as_str())) }))
                (row("Data", &html! { @if data.is_empty() { (none("none")) } @else { (data.join(", ")) } }))
                @if profile.enforcer { (row("Enforcer", &html! { "enforces elsewhere, and may ask about what others do" })) }
                (row("Review", &match profile.review_at { Some(at) => moment(at, about.now), None => none("none") }))
                (row("Keys", &keys(about)))
                // What it is doing is more than what it may do.
                @if about.may_read().is_ok() {
                    (row("Live tasks", &html! { a href=(about.address("tasks")) { (state.live_tasks_of(agent.id).count()) } }))
                }
                (row("Registered", &moment(agent.registered_at, about.now)))
            }))
        }
    }
}

fn keys(about: &About<'_>) -> Markup {
    html! {
        @if about.agent.keys.is_empty() { (none("none: its tasks use bearer tokens")) }
        @for key in &about.agent.keys { code .id .whole { (shown(&key.thumbprint)) } " " }
    }
}
