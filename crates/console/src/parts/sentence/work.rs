//! What agents did, and what people answered.

use maud::{Markup, html};
use remit_domain::{EndReason, Event, Outcome};

use super::{approval_link, grant, patterns, saying};
use crate::names::Names;
use crate::parts::id::short;
use crate::parts::text::{shown, told};

pub(super) fn sentence(event: &Event, names: Names<'_>, who: &Markup) -> Option<Markup> {
    action(event, names)
        .or_else(|| approval(event, names))
        .or_else(|| task(event, names, who))
        .or_else(|| grants(event, names, who))
}

fn action(event: &Event, names: Names<'_>) -> Option<Markup> {
    Some(match event {
        Event::ActionAllowed(allowed) => html! {
            (names.agent(allowed.facts.agent)) " was allowed " code { (shown(allowed.facts.operation.as_str())) }
            @if let Some(person) = allowed.facts.acting_for { " for " (names.person(person)) }
            @if let Some(approval) = allowed.approval { ", approved by " (approval_link(approval)) }
        },
        Event::ActionDenied(denied) => html! {
            (names.agent(denied.facts.agent)) " was denied " code { (shown(denied.facts.operation.as_str())) } ": "
            (told(&denied.refusal.sentence))
        },
        Event::OutcomeRecorded(recorded) => html! {
            code { (shown(recorded.operation.as_str())) } " of " (names.agent(recorded.agent)) " " (outcome(&recorded.outcome))
            " after " (recorded.latency_ms) " ms"
        },
        Event::Recovered { actions_unknown } => html! {
            "Remit restarted; the outcome of " (actions_unknown) " allowed action" @if *actions_unknown != 1 { "s" } " is unknown"
        },
        _ => return None,
    })
}

fn outcome(outcome: &Outcome) -> Markup {
    match outcome {
        Outcome::Succeeded => html! { "succeeded" },
        Outcome::ToolError => html! { "reported an error" },
        Outcome::InputRequired => html! { "asked for input" },
        Outcome::NotSent { reason } => html! { "was not sent (" (shown(reason)) ")" },
        Outcome::Failed { reason } => html! { "failed (" (shown(reason)) ")" },
        Outcome::Unknown { reason } => html! { "has an unknown outcome (" (shown(reason)) ")" },
    }
}

fn approval(event: &Event, names: Names<'_>) -> Option<Markup> {
    Some(match event {
        Event::ApprovalRequested(asked) => html! {
            (names.agent(asked.facts.agent)) " asks for " code { (shown(asked.facts.operation.as_str())) }
            @if let Some(person) = asked.facts.acting_for { " for " (names.person(person)) }
            ": " (approval_link(asked.approval)) " waits for a person"
        },
        Event::ApprovalShown(shown) => html! {
            (names.person(shown.person)) " looked at " (approval_link(shown.approval)) " of " (names.agent(shown.agent))
        },
        Event::ApprovalVoted { agent, approval, vote } => html! {
            (names.person(vote.person)) " said yes " @if vote.signed.is_some() { "with a passkey " } "to " (approval_link(*approval))
            " of " (names.agent(*agent)) (saying(&vote.note))
        },
        Event::ApprovalGranted { agent, approval, .. } => html! {
            (approval_link(*approval)) " is approved: " (names.agent(*agent)) " may do exactly this once"
        },
        Event::ApprovalDenied { agent, approval, by, note } => html! {
            (names.person(*by)) " denied " (approval_link(*approval)) " of " (names.agent(*agent)) (saying(note))
        },
        Event::ApprovalExpired { agent, approval } => html! {
            (approval_link(*approval)) " of " (names.agent(*agent)) " expired"
        },
        _ => return None,
    })
}

fn task(event: &Event, names: Names<'_>, who: &Markup) -> Option<Markup> {
    Some(match event {
        Event::TaskStarted(started) => html! {
            (who) " started a task of " (names.agent(started.agent))
            @if let Some(person) = started.acting_for { " for " (names.person(person)) }
            (saying(&started.purpose))
        },
        Event::TokenIssued { agent, task, bound_to, .. } => html! {
            (who) " got a token for a task of " (names.agent(*agent)) " " (short(task))
            @if bound_to.is_some() { ", bound to its key" }
        },
        Event::TaskEnded { agent, task, reason } => html! {
            "a task of " (names.agent(*agent)) " ended, " (end(reason)) " " (short(task))
        },
        Event::ContentRead { agent, task, by, reason, .. } => html! {
            (names.person(*by)) " read content of a task of " (names.agent(*agent)) " " (short(task)) (saying(reason))
        },
        Event::ContentErased { agent, task, reason } => html! {
            (who) " erased the content of a task of " (names.agent(*agent)) " " (short(task)) (saying(reason))
        },
        _ => return None,
    })
}

fn end(reason: &EndReason) -> Markup {
    match reason {
        EndReason::Ended { note } => html! { "done" (saying(note)) },
        EndReason::Expired => html! { "its time being over" },
        EndReason::ParentEnded => html! { "as the task above it ended" },
        EndReason::AgentSuspended => html! { "as its agent was suspended" },
        EndReason::AgentDecommissioned => html! { "as its agent was decommissioned" },
        EndReason::KeyRevoked => html! { "as its key was revoked" },
        EndReason::PersonRemoved => html! { "as its person was removed" },
        EndReason::RunRevoked => html! { "as its run was revoked" },
        EndReason::CodeReused => html! { "as its one-time code was used twice" },
        EndReason::Signal { .. } => html! { "as another system said that its person may not go on" },
    }
}

fn grants(event: &Event, names: Names<'_>, who: &Markup) -> Option<Markup> {
    Some(match event {
        Event::GrantRequested(request) => match (request.requested_by, request.task) {
            (None, Some(id)) => html! {
                (names.agent(request.agent)) " asked for " (patterns(&request.operations)) " for one task, " (short(id))
                (saying(&request.reason))
            },
            (by, _) => html! {
                @match by { Some(by) => { (names.person(by)) }, None => { "somebody" } }
                " asked for " (patterns(&request.operations)) " for " (names.agent(request.agent)) (saying(&request.reason))
            },
        },
        Event::GrantRequestDenied { grant: id, by, note } => {
            html! { (names.person(*by)) " denied the " (grant(*id)) (saying(note)) }
        }
        Event::GrantGiven(given) => html! {
            (names.person(given.approved_by)) " granted " (patterns(&given.operations)) " to " (names.agent(given.agent))
            @if let Some(id) = given.task { " for one task, " (short(id)) }
        },
        Event::GrantRevoked { agent, grant: id, reason } => html! {
            (who) " revoked the " (grant(*id)) " of " (names.agent(*agent)) (saying(reason))
        },
        Event::GrantExpired { agent, grant: id } => {
            html! { "the " (grant(*id)) " of " (names.agent(*agent)) " expired" }
        }
        _ => return None,
    })
}
