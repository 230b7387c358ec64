//! One question: everything a person needs to see before answering, and nothing that could be mistaken for it.

use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{Approval, ApprovalStatus, Attribution, ContentRef, Operation, Refusal, State as Realm, Timestamp};
use remit_engine::Filter;
use serde_json::Value;

use super::answer::parse;
use super::answer_box::answer_box;
use crate::answers::{self, Answers};
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::line::{Line, lines};
use crate::parts::properties::{none, properties, row};
use crate::parts::text::{shown, told};
use crate::parts::time::{moment, remaining};
use crate::parts::{id, pill, value};
use crate::session::Viewer;
use crate::{Console, limits};

#[cfg(test)]
mod tests;

/// All that the page is made from.
struct Question<'a> {
    state: &'a Realm,
    viewer: &'a Viewer,
    approval: &'a Arc<Approval>,
    answers: Answers,
    /// The exact arguments in canonical form; nothing if they were erased.
    arguments: Option<String>,
    /// What was sent beside them, likewise; nothing also if nothing was.
    beside: Option<String>,
    related: Vec<Line>,
    now: Timestamp,
}

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Markup, PageError> {
    let id = parse(&id)?;
    let state = console.engine.state();
    let now = console.engine.now();
    let approval = state.approval(id)?;
    let task = approval.facts.task;
    let arguments = console.engine.content(&approval.facts.arguments, task).await?;
    let beside = match &approval.facts.beside {
        Some(beside) => console.engine.content(beside, task).await?,
        None => None,
    };
    let text = |kept: Option<Vec<u8>>| kept.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let filter = Filter { approval: Some(id.to_string()), limit: limits::RELATED_RECORDS_MAX, ..Filter::default() };
    let related = crate::pages::lines(&console, filter, &state).await?;
    let actor = viewer.actor();
    let question = Question {
        state: &state,
        viewer: &viewer,
        approval,
        answers: Answers::of(&state, &actor, approval, now),
        arguments: text(arguments),
        beside: text(beside),
        related,
        now,
    };
    let title = approval.facts.operation.as_str();
    let waiting = answers::waiting_count(&state, &actor, now);
    let frame = Frame { title, place: Place::Approvals, viewer: &viewer, waiting, refreshes: false };
    Ok(layout::page(&frame, &render(question)))
}

fn render(mut question: Question<'_>) -> Markup {
    let erased = question.arguments.is_none() || question.approval.facts.beside.is_some() && question.beside.is_none();
    if erased && question.answers.approve.is_ok() {
        // Nobody says yes to what cannot be shown.
        let unseen = Refusal::new(
            "arguments_erased",
            "the exact arguments are no longer kept, so you cannot see what you would approve",
        );
        question.answers.approve = Err(unseen.help("deny it, or let the agent ask again"));
    }
    let Question { state, viewer, approval, answers, now, .. } = &question;
    let names = Names(state);
    html! {
        p .crumb { a href="/approvals" { "Approvals" } " / " (id::short(approval.id)) }
        h1 { code { (shown(approval.facts.operation.as_str())) } }
        p .lead {
            (names.agent(approval.facts.agent)) " asks to do this for "
            @match approval.facts.acting_for { Some(person) => (names.person(person)), None => "nobody" }
            ", " (moment(approval.requested_at, *now))
        }
        div .beside {
            div {
                (what_runs(&question))
                (who(state, approval, *now))
                (operation(state, approval))
                (why(state, approval))
                (denials(state, approval, *now))
                section { h2 { "In the ledger" } (lines(&question.related, *now)) }
            }
            (answer_box(viewer, names, approval, answers, *now))
        }
    }
}

fn what_runs(question: &Question<'_>) -> Markup {
    let facts = &question.approval.facts;
    let arguments = question.arguments.as_deref();
    let parsed = arguments.and_then(|text| serde_json::from_str(text).ok());
    let projected = parsed.map(|parsed| question.state.projected(&facts.operation, &parsed)).unwrap_or_default();
    html! {
        section {
            h2 { "Exact arguments" }
            (content(arguments, &facts.arguments))
            @if !projected.is_empty() {
                h3 { "What policies read out of them" }
                (value::table(&projected.into_iter().collect()))
            }
        }
        @if let Some(beside) = &facts.beside {
            section {
                h2 { "Sent beside the arguments" }
                p .quiet { "Parts of the call that Remit does not know and passes on unchanged." }
                (content(question.beside.as_deref(), beside))
            }
        }
    }
}

/// Content that a yes is bound to, as people read it and as it will be sent.
fn content(text: Option<&str>, reference: &ContentRef) -> Markup {
    let parsed = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    html! {
        @match (text, &parsed) {
            (Some(text), Some(parsed)) => {
                (value::table(parsed))
                h3 { "As they will be sent" }
                (value::exact(text))
            }
            (Some(text), None) => (value::exact(text)),
            (None, _) => p .notice .bad { "They were erased; only the commitment to them is left." },
        }
        p .quiet { (reference.bytes) " bytes, committed to as " (id::digest(&reference.commitment)) }
    }
}

fn who(state: &Realm, approval: &Approval, now: Timestamp) -> Markup {
    let names = Names(state);
    let facts = &approval.facts;
    let agent = state.agent(facts.agent).ok();
    let profile = agent.map(|agent| &agent.profile);
    let task = state.task(facts.task).ok();
    let started_by = task.and_then(|task| task.started_by);
    let rows = html! {
        (row("Agent", &html! { (names.agent(facts.agent)) " " @if let Some(agent) = agent { (pill::agent(agent.status)) } }))
        @if let Some(profile) = profile {
            (row("Owner", &profile.owner.map_or_else(|| none("nobody"), |owner| names.person(owner))))
            (row("Is", &html! {
                (profile.class.map_or("of no class", |class| class.as_str()))
                ", autonomy A" (profile.autonomy.unwrap_or(0))
                ", " (profile.environment.map_or("no environment", |environment| environment.as_str()))
            }))
        }
        (row("Acts for", &facts.acting_for.map_or_else(|| none("nobody"), |person| names.person(person))))
        (row("Started by", &started_by.map_or_else(|| none("the agent itself"), |person| names.person(person))))
        @if let Some(task) = task {
            (row("Purpose", &html! { span .text { (shown(&task.purpose)) } }))
            (row("Task", &html! { (id::short(facts.task)) ", " (remaining(task.expires_at, now)) ", " (task.calls) " calls so far" }))
        } @else {
            (row("Task", &id::short(facts.task)))
        }
        (row("Run", &html! {
            (id::short(facts.run)) ", "
            @match facts.attribution {
                Attribution::Proven => "proved by the key of the run",
                Attribution::Asserted => "by a bearer token: whoever holds it could have asked",
                Attribution::Shared => "by something that several hold: any of them could have asked",
                Attribution::Unknown => "nothing tells who asked",
            }
        }))
    };
    html! { section { h2 { "Who" } (properties(&rows)) } }
}

fn operation(state: &Realm, approval: &Approval) -> Markup {
    let facts = &approval.facts;
    let known = state.operations.get(&facts.operation);
    let changed =
        known.is_some_and(|operation| Some(operation.digest) != facts.definition || operation.withdrawn.is_some());
    html! {
        section {
            h2 { "What" }
            @if changed { p .notice .bad { "The operation has changed or was withdrawn since this was asked; a yes will not be used." } }
            (properties(&html! {
                (row("Operation", &html! { code { (shown(facts.operation.as_str())) } }))
                @if let Some(operation) = known { (described(operation)) }
                (row("Definition", &facts.definition.as_ref().map_or_else(|| none("not pinned"), id::digest)))
                (row("Action", &html! { (id::digest(&approval.digest)) span .quiet { " what a yes is bound to" } }))
            }))
        }
    }
}

fn described(operation: &Operation) -> Markup {
    let description = operation.definition.document.get("description").and_then(|text| text.as_str());
    html! {
        (row("Effect", &html! {
            (operation.verb) " " (pill::risk(operation.risk)) " " span .quiet { (format!("{:?}", operation.data)) " data" }
            @if operation.external { ", reaches outside the organisation" }
        }))
        @if let Some(description) = description {
            (row("Its server says", &html! { span .text { (shown(description)) } }))
        }
    }
}

/// Each rule that asks, its reason, and the text of the policy as it stands now.
fn why(state: &Realm, approval: &Approval) -> Markup {
    let ask = &approval.ask;
    let paired = ask.policies.len() == approval.reasons.len();
    html! {
        section {
            h2 { "Why you are asked" }
            ul .rules {
                @for (index, policy) in ask.policies.iter().enumerate() {
                    li {
                        @if let Some(reason) = approval.reasons.get(index).filter(|_| paired) { span .text { (shown(reason)) } " " }
                        span .quiet { "rule " code { (shown(policy)) } }
                        @if let Some((name, text)) = source_of(state, policy) {
                            details {
                                summary { "policy " code { (shown(name)) } }
                                (value::exact(text))
                                p { a href={ "/history?artefact=policy:" (name) } { "What was changed of it, by whom" } }
                            }
                        }
                    }
                }
                @if !paired {
                    @for reason in &approval.reasons { li { span .text { (shown(reason)) } } }
                }
            }
            p .quiet {
                "Asks " (told(&ask.in_words())) ", " (ask.quorum.max(1)) " in all. Decided under policies "
                (id::digest(&approval.facts.policies))
                @if approval.facts.policies != state.policies.digest() { ", which have changed since" }
            }
        }
    }
}

/// The active policy text that holds the rule `id`.
fn source_of<'a>(state: &'a Realm, id: &str) -> Option<(&'a str, &'a str)> {
    let mark = format!("@id(\"{id}\")");
    let found = state.policies.sources.iter().find(|(_, text)| text.contains(&mark));
    found.map(|(name, text)| (name.as_str(), text.as_str()))
}

/// What people already said no to in this task: an agent that keeps asking is worth a second look.
fn denials(state: &Realm, approval: &Approval, now: Timestamp) -> Markup {
    let names = Names(state);
    let denied =
        state.approvals.values().filter(|other| other.facts.task == approval.facts.task && other.id != approval.id);
    let mut denied: Vec<_> = denied.filter(|other| matches!(other.status, ApprovalStatus::Denied { .. })).collect();
    denied.sort_by_key(|other| std::cmp::Reverse(other.requested_at));
    html! {
        @if !denied.is_empty() {
            section {
                h2 { "Denied before in this task" }
                ul .rules {
                    @for other in denied.iter().take(limits::RELATED_RECORDS_MAX) {
                        li {
                            a href={ "/approvals/" (other.id) } { code { (shown(other.facts.operation.as_str())) } } " "
                            @if let ApprovalStatus::Denied { by, note } = &other.status {
                                "by " (names.person(*by))
                                @if !note.is_empty() { ": “" (shown(note)) "”" }
                            }
                            ", asked " (moment(other.requested_at, now))
                        }
                    }
                }
            }
        }
    }
}
