//! The side of an approval's page where a person answers, or reads what was answered.

use maud::{Markup, html};
use remit_domain::{Approval, ApprovalStatus, Refusal, Timestamp, limits};
use serde_json::json;

use super::document::canonical;
use super::show::{Question, wait_seconds};
use crate::answers::Answers;
use crate::layout;
use crate::names::Names;
use crate::parts::id::{self, short};
use crate::parts::text::{shown, told};
use crate::parts::time::{moment, remaining, span};
use crate::parts::{passkey, pill};
use crate::session::Viewer;

/// Forms while it waits, the answer afterwards.
pub(super) fn answer_box(question: &Question<'_>, names: Names<'_>) -> Markup {
    let Question { approval, answers, viewer, now, .. } = question;
    html! {
        aside .answer aria-label="Answer" {
            p #standing .state data-live { (pill::approval(&approval.status)) " " (state(names, approval, *now)) }
            @if approval.is_pending() {
                (permits(names, approval, *now))
                (approve_form(question))
                (deny_form(viewer, approval, answers))
            }
            div #votes data-live { (votes(names, approval)) }
        }
    }
}

fn state(names: Names<'_>, approval: &Approval, now: Timestamp) -> Markup {
    html! {
        @match &approval.status {
            ApprovalStatus::Pending => (remaining(approval.expires_at, now)),
            ApprovalStatus::Granted { use_until } => { "may be used once, " (remaining(*use_until, now)) }
            ApprovalStatus::Denied { by, note } => {
                "by " (names.person(*by))
                @if !note.is_empty() { ": “" (shown(note)) "”" }
            }
            ApprovalStatus::Used { action } => { "up by " (short(action)) "; it permits nothing more" }
            ApprovalStatus::Expired => "nobody answered in time, or the answer was not used in time",
            ApprovalStatus::Void { reason } => (shown(reason)),
        }
    }
}

/// What a yes would permit, so that nobody has to guess.
fn permits(names: Names<'_>, approval: &Approval, now: Timestamp) -> Markup {
    let missing = (approval.ask.quorum.max(1) as usize).saturating_sub(approval.votes.len());
    html! {
        p .permits {
            "A yes permits " (names.agent(approval.facts.agent)) " exactly this once: this operation with these arguments, in this run "
            "and task, within " (span(limits::APPROVAL_USE_SECONDS * 1000)) " of the last yes. Anything else is asked anew."
        }
        p .quiet {
            (missing) " more " @if missing == 1 { "person" } @else { "people" } " of " (told(&approval.ask.in_words()))
            " must say yes. Silence is a no " (moment(approval.expires_at, now)) "."
        }
    }
}

fn approve_form(question: &Question<'_>) -> Markup {
    let Question { viewer, approval, answers, sight, .. } = question;
    let wait_seconds = wait_seconds(question.state, approval, viewer.person, question.now);
    let options = sight.options.as_ref().filter(|_| answers.approve.is_ok());
    html! {
        form .stack method="post" action={ "/approvals/" (approval.id) "/approve" } data-passkey=[options.map(|_| "get")]
            data-options=[options.map(passkey::options)] data-answer=[options.and_then(|_| said(question))] {
            (layout::token(viewer))
            input type="hidden" name="digest" value=(approval.digest);
            @if let Some(commitment) = &sight.commitment { input type="hidden" name="shown" value=(commitment); }
            @if answers.approve.is_ok() { (note("approve-note", "Note (optional)")) }
            @if options.is_some() { (passkey::fields(None)) }
            button .primary type="submit" disabled[answers.approve.is_err()] aria-describedby="approve-why" {
                @if options.is_some() { "Approve exactly this, with your passkey" } @else { "Approve exactly this, once" }
            }
            @if answers.approve.is_ok() && wait_seconds > 0 {
                p .dwell data-wait-seconds=(wait_seconds) {
                    "A yes counts in " (wait_seconds) " s, not before: read what is asked first."
                }
            }
            (why("approve-why", answers.approve.as_ref().err()))
            p .quiet {
                "Binds your yes to " (id::digest(&approval.digest))
                @if let Some(commitment) = &sight.commitment { " and to what you are shown, " (id::digest(commitment)) }
            }
            @if answers.approve.is_ok() && options.is_none() {
                p .quiet { a href="/passkeys" { "With a passkey" } ", your yes is a signature that anybody can check." }
            }
        }
    }
}

/// What the passkey signs, but for the note, which is written yet: its members in the order of RFC 8785.
fn said(question: &Question<'_>) -> Option<String> {
    let (approval, shown) = (question.approval, question.sight.commitment?);
    let said = json!({
        "action": approval.digest,
        "answer": "approve",
        "approval": approval.id,
        "note": "",
        "person": question.viewer.person,
        "shown": shown,
        "v": 1,
    });
    Some(canonical(&said))
}

fn deny_form(viewer: &Viewer, approval: &Approval, answers: &Answers) -> Markup {
    html! {
        form .stack method="post" action={ "/approvals/" (approval.id) "/deny" } {
            (layout::token(viewer))
            @if answers.deny.is_ok() { (note("deny-note", "What the agent is told (optional)")) }
            button .danger type="submit" disabled[answers.deny.is_err()] aria-describedby="deny-why" { "Deny" }
            (why("deny-why", answers.deny.as_ref().err()))
        }
    }
}

fn note(id: &str, label: &str) -> Markup {
    html! {
        label for=(id) { (label) }
        textarea id=(id) name="note" rows="2" maxlength=(limits::TEXT_BYTES_MAX) {}
    }
}

/// Why a button cannot be used.
fn why(id: &str, refusal: Option<&Refusal>) -> Markup {
    html! {
        @if let Some(refusal) = refusal {
            p .reason #(id) {
                (told(&refusal.sentence))
                @if let Some(help) = &refusal.help { "; " (told(help)) }
            }
        }
    }
}

fn votes(names: Names<'_>, approval: &Approval) -> Markup {
    html! {
        @if !approval.votes.is_empty() {
            h3 { "Said yes" }
            ul .votes {
                @for vote in &approval.votes {
                    li {
                        (names.person(vote.person)) " " span .quiet { "as " (shown(&vote.roles.join(", "))) }
                        @if vote.signed.is_some() { " " (pill::pill(pill::Tone::Good, "signed")) }
                        @for absent in &vote.deputy_of { " " span .quiet { "for " (names.person(*absent)) } }
                        @if !vote.note.is_empty() { ": “" (shown(&vote.note)) "”" }
                    }
                }
            }
        }
    }
}
