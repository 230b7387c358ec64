//! Every event as a plain sentence.

mod agents;
mod changes;
mod identity;
mod realm;
mod work;

use maud::{Markup, html};
use remit_domain::{Actor, ApprovalId, Event, GrantId, OperationPattern, Outcome};

use crate::names::Names;
use crate::parts::id::{short, shortened};
use crate::parts::pill::Tone;
use crate::parts::text::shown;

#[cfg(test)]
mod tests;

/// What happened, with links to whom it concerns.
pub(crate) fn sentence(actor: &Actor, event: &Event, names: Names<'_>) -> Markup {
    let who = names.actor(actor);
    let told = work::sentence(event, names, &who)
        .or_else(|| agents::sentence(event, names, &who))
        .or_else(|| identity::sentence(event, names, &who))
        .or_else(|| changes::sentence(event, names))
        .or_else(|| realm::sentence(event, names, &who));
    // A newer event that has no sentence yet is still told, never left out.
    told.unwrap_or_else(|| html! { (who) " caused an event of another kind" })
}

/// How an event feels to a person who skims.
pub(crate) fn tone(event: &Event) -> Tone {
    match event {
        Event::ActionDenied(_)
        | Event::ApprovalDenied { .. }
        | Event::AgentSuspended { .. }
        | Event::AgentDecommissioned { .. }
        | Event::AgentKeyRevoked { .. }
        | Event::OperationWithdrawn { .. }
        | Event::GrantRevoked { .. }
        | Event::RunRevoked { .. }
        | Event::CodeReused { .. }
        | Event::RefreshReused { .. }
        | Event::FindingOpened(_)
        | Event::SignalReceived(_)
        | Event::Recovered { .. } => Tone::Bad,
        Event::ChangeReviewed { upheld: false, .. } | Event::ChangeChecked { passed: false, .. } => Tone::Bad,
        Event::OutcomeRecorded(recorded) if recorded.outcome != Outcome::Succeeded => Tone::Bad,
        Event::ApprovalRequested(_)
        | Event::GrantRequested(_)
        | Event::PolicyProposed(_)
        | Event::ChangeProposed(_)
        | Event::WorkloadArrived(_) => Tone::Waits,
        Event::ActionAllowed(_)
        | Event::ApprovalGranted { .. }
        | Event::GrantGiven(_)
        | Event::ChangeApproved { .. }
        | Event::AgentActivated { .. } => Tone::Good,
        _ => Tone::Quiet,
    }
}

fn approval_link(id: ApprovalId) -> Markup {
    let whole = id.to_string();
    html! { a href={ "/approvals/" (whole) } title=(whole) { code { (shortened(&whole)) } } }
}

fn grant(id: GrantId) -> Markup {
    html! { "grant " (short(id)) }
}

fn patterns(operations: &[OperationPattern]) -> Markup {
    html! {
        @for (index, operation) in operations.iter().enumerate() {
            @if index > 0 { ", " }
            code { (shown(operation.as_str())) }
        }
    }
}

/// A reason or note in quotation marks, or nothing.
fn saying(note: &str) -> Markup {
    html! { @if !note.is_empty() { ": “" (shown(note)) "”" } }
}
