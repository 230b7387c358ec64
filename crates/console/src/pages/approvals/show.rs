//! One question: everything a person needs to see before answering, and nothing that could be mistaken for it.

use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{
    Approval, ContentRef, DataClass, Digest, PersonId, Refusal, State as Realm, TaskId, Timestamp, is_concerned,
    limits as rules, may_read_approval, shown as document,
};
use remit_engine::Filter;
use remit_people::{PeopleError, Question as Asked};
use serde_json::Value;

use super::answer::parse;
use super::answer_box::answer_box;
use super::document::{Document, Origin, canonical, denials, operation, origins, what_runs, who, why};
use crate::answers::{self, Answers};
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::line::{Line, lines};
use crate::parts::text::{shown, told};
use crate::parts::time::moment;
use crate::parts::{id, value};
use crate::session::Viewer;
use crate::{Console, limits};

#[cfg(test)]
mod tests;

/// What of a question its viewer sees.
pub(super) struct Sight {
    /// Everything that the page says about it.
    pub(super) document: Value,
    /// What their answer commits to, if they are asked.
    pub(super) commitment: Option<Digest>,
    /// Why the arguments are not in the document, if they are not.
    pub(super) unseen: Option<Refusal>,
    /// What the browser is asked for a signature, where they have a passkey.
    pub(super) options: Option<Value>,
}

/// All that the page is made from.
pub(super) struct Question<'a> {
    pub(super) state: &'a Realm,
    pub(super) viewer: &'a Viewer,
    pub(super) approval: &'a Arc<Approval>,
    pub(super) answers: Answers,
    pub(super) sight: Sight,
    /// The texts that the rules which ask were read from.
    pub(super) origins: Vec<Origin>,
    pub(super) related: Vec<Line>,
    pub(super) now: Timestamp,
}

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Markup, PageError> {
    let id = parse(&id)?;
    let actor = viewer.actor();
    console.engine.read(|state| may_read_approval(state, viewer.person, state.approval(id)?, console.engine.now()))?;
    // Who is asked is shown the question on record, before anything else: what they answer is what that says.
    let asked = console.people.show(actor.clone(), id).await;
    let state = console.engine.state();
    let now = console.engine.now();
    let approval = state.approval(id)?;
    let sight = sight(&console, &state, approval, viewer.person, asked).await?;
    let origins = origins(&console.engine, Document(&sight.document)).await?;
    let filter = Filter { approval: Some(id.to_string()), limit: limits::RELATED_RECORDS_MAX, ..Filter::default() };
    let related = crate::pages::lines(&console, filter, &state).await?;
    let answers = Answers::of(&state, &actor, approval, now);
    let waiting = answers::waiting_count(&state, &actor, now);
    let title = format!("Approval of {}", approval.facts.operation);
    let frame = Frame { title: &title, place: Place::Approvals, viewer: &viewer, waiting, refreshes: false };
    let question = Question { state: &state, viewer: &viewer, approval, answers, sight, origins, related, now };
    Ok(layout::page(&frame, &render(question)))
}

/// What the viewer sees: the question as it was shown to them on record; as they saw it once, after it ended; else all but content.
async fn sight(
    console: &Console,
    state: &Realm,
    approval: &Approval,
    viewer: PersonId,
    asked: Result<Asked, PeopleError>,
) -> Result<Sight, PageError> {
    let unseen = match asked {
        Ok(asked) => {
            let Asked { shown, commitment, digest } = asked;
            let options = state
                .has_passkey(viewer)
                .then(|| console.people.yes_options(viewer, approval.id, digest, commitment, ""));
            return Ok(Sight {
                document: shown,
                commitment: Some(commitment),
                unseen: None,
                options: options.transpose()?,
            });
        }
        Err(PeopleError::Submit(error)) => match PageError::from(error) {
            PageError::Refused(refusal) => refusal,
            unavailable => return Err(unavailable),
        },
        Err(other) => other.refusal(),
    };
    let facts = &approval.facts;
    let (mut arguments, mut beside) = (None, None);
    if approval.seen.contains_key(&viewer) && is_concerned(state, viewer, approval, console.engine.now()) {
        arguments = content(console, &facts.arguments, facts.task).await?;
        if let Some(reference) = &facts.beside {
            beside = content(console, reference, facts.task).await?;
        }
    }
    let unseen = arguments.is_none().then_some(unseen);
    let document = document(state, approval, &arguments.unwrap_or_default(), beside.as_ref());
    Ok(Sight { document, commitment: None, unseen, options: None })
}

async fn content(console: &Console, reference: &ContentRef, task: TaskId) -> Result<Option<Value>, PageError> {
    let bytes = console.engine.content(reference, task).await?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

fn render(mut question: Question<'_>) -> Markup {
    if question.answers.approve.is_ok()
        && let Some(unseen) = &question.sight.unseen
    {
        // Nobody says yes to what cannot be shown.
        question.answers.approve = Err(unseen.clone());
    }
    let Question { state, approval, sight, now, .. } = &question;
    let (names, document) = (Names(state), Document(&sight.document));
    html! {
        p .crumb { a href="/approvals" { "Approvals" } " / " (id::short(approval.id)) }
        div .page-head {
            div {
                h1 { code { (shown(document.text("/operation/name").unwrap_or_default())) } }
                p {
                    (document.agent("/agent")) " asks to do this for " (document.acting_for())
                    ", " (moment(approval.requested_at, *now))
                }
            }
        }
        div .beside {
            div {
                @match &sight.unseen {
                    None => (what_runs(document)),
                    Some(refusal) => (not_shown(refusal)),
                }
                (changed_since(state, approval))
                (who(document))
                (operation(document))
                (why(document, &question.origins, state))
                (denials(document))
                (whole(sight))
                section { h2 { "In the ledger" } (lines(&question.related, *now)) }
            }
            (answer_box(&question, names))
        }
    }
}

fn not_shown(refusal: &Refusal) -> Markup {
    html! {
        section {
            h2 { "Exact arguments" }
            div .notice {
                p .sentence { "The exact arguments are not shown to you." }
                p { (told(&refusal.sentence)) @if let Some(help) = &refusal.help { "; " (told(help)) } }
            }
        }
    }
}

fn changed_since(state: &Realm, approval: &Approval) -> Markup {
    let known = state.operations.get(&approval.facts.operation);
    let changed = known
        .is_some_and(|operation| Some(operation.digest) != approval.facts.definition || operation.withdrawn.is_some());
    html! {
        @if changed { p .notice .bad { "The operation has changed or was withdrawn since this was asked; a yes will not be used." } }
    }
}

/// The document itself, which is kept with the answer.
fn whole(sight: &Sight) -> Markup {
    html! {
        @if let Some(commitment) = &sight.commitment {
            section {
                h2 { "What is on record as shown to you" }
                details {
                    summary { "everything above, as one document, committed to as " (id::digest(commitment)) }
                    (value::exact(&canonical(&sight.document)))
                }
            }
        }
    }
}

/// How long somebody has to look before a yes of theirs counts, in seconds from `now`.
pub(super) fn wait_seconds(state: &Realm, approval: &Approval, person: PersonId, now: Timestamp) -> u64 {
    let data = state.operations.get(&approval.facts.operation).map_or(DataClass::D3, |operation| operation.data);
    let dwell_seconds = match data {
        DataClass::D0 | DataClass::D1 => return 0,
        DataClass::D2 => rules::DWELL_SECONDS_D2,
        DataClass::D3 => rules::DWELL_SECONDS_D3,
    };
    let since = approval.seen.get(&person).map_or(approval.requested_at, |seen| seen.at);
    (dwell_seconds * 1_000).saturating_sub(now.millis_since(since)).div_ceil(1_000)
}
