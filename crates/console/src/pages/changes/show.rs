//! One change: who, why, what it does, what was tried with it, and what a yes brings about.

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{Change, ChangeKind, ChangeStatus, Right, State as Realm, Timestamp, may};
use remit_engine::{Filter, HowEnded, KnownChange};
use remit_review::{Comparison, compare_edit};

use super::answer_box::answer_box;
use super::{compared, kind, parse};
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::pages::policies::checks::{Compiled, compile_beside, problems};
use crate::parts::id;
use crate::parts::line::{Line, lines};
use crate::parts::pill::{Tone, pill};
use crate::parts::properties::{properties, row};
use crate::parts::text::{shown, told};
use crate::parts::time::moment;
use crate::session::Viewer;
use crate::{Console, answers, limits};

/// All that the page is made from.
pub(super) struct Shown<'a> {
    pub(super) state: &'a Realm,
    pub(super) viewer: &'a Viewer,
    pub(super) known: &'a KnownChange,
    pub(super) compared: Vec<Comparison>,
    /// What its policies would come to now, while it waits.
    /// What its policies would come to, while it waits; nothing inside where that could not be found out now.
    pub(super) compiled: Option<Option<Compiled>>,
    pub(super) related: Vec<Line>,
    pub(super) now: Timestamp,
}

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Markup, PageError> {
    let id = parse(&id)?;
    let known = console.engine.change(id).await?.ok_or_else(|| remit_domain::Refusal::unknown("change", id))?;
    let before = console.engine.before_change(&known).await.map_err(|error| error.refusal())?;
    let compared = known.change.edits.iter().map(|one| compare_edit(&before, &one.edit)).collect();
    let state = console.engine.state();
    let now = console.engine.now();
    let policies = if known.end.is_none() { known.change.policy_edits() } else { Vec::new() };
    let waits = known.change.status == ChangeStatus::Pending && !policies.is_empty();
    // The page stands without it, and says so; whoever approves has it looked through again.
    let compiled = if waits { Some(compile_beside(&console, &viewer, policies).await.ok()) } else { None };
    let artefacts = vec![format!("change:{id}")];
    let filter = Filter { artefacts, limit: limits::RELATED_RECORDS_MAX, ..Filter::default() };
    let related = crate::pages::lines(&console, filter, &state).await?;
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let title = format!("Change {id}");
    let frame = Frame { title: &title, place: Place::Changes, viewer: &viewer, waiting, refreshes: false };
    let shown = Shown { state: &state, viewer: &viewer, known: &known, compared, compiled, related, now };
    Ok(layout::page(&frame, &render(&shown)))
}

pub(super) fn render(page: &Shown<'_>) -> Markup {
    let Shown { state, known, now, .. } = page;
    let change = &known.change;
    html! {
        p .crumb { a href="/changes" { "Changes" } " / " (id::short(change.id)) }
        h1 { (shown(&change.reason)) }
        p .lead {
            (Names(state).person(change.author)) " proposed this " (moment(change.proposed_at, *now)) " " (kind(change.kind))
            @if let ChangeKind::Revert { of } = change.kind { " of " a href={ "/changes/" (of) } { (id::short(of)) } }
        }
        div .beside {
            div {
                section {
                    h2 { "What it changes" }
                    @for one in page.compared.iter().take(limits::EDITS_SHOWN_MAX) { (compared::comparison(one)) }
                    @if page.compared.len() > limits::EDITS_SHOWN_MAX {
                        p .notice .bad {
                            (page.compared.len() - limits::EDITS_SHOWN_MAX) " more: " code { "remit change show " (change.id) }
                        }
                    }
                }
                (checks(page))
                (reviews(state, change, *now))
                (ended(page))
                section { h2 { "In the ledger" } (lines(&page.related, *now)) }
            }
            (answer_box(page))
        }
    }
}

/// What is known of what it would do: what is suspicious about its policies, and what was tried with them.
fn checks(page: &Shown<'_>) -> Markup {
    let Shown { state, viewer, now, .. } = page;
    let change = &page.known.change;
    let may_replay = may(state, viewer.person, Right::ReadRecords);
    html! {
        @if let Some(compiled) = &page.compiled {
            section {
                h2 { "What is found about its policies" }
                @match compiled {
                    Some(compiled) => (problems(compiled, &change.policy_edits())),
                    None => p .quiet { "Not looked through now: other changes are being tried. Reload the page for it." },
                }
            }
        }
        section {
            h2 { "What was tried with it" }
            @if change.checks.is_empty() { p .quiet { "Nothing is on record." } }
            ul .rules {
                @for check in &change.checks {
                    li {
                        @if check.passed { (pill(Tone::Good, "passed")) } @else { (pill(Tone::Bad, "did not pass")) }
                        " " code { (shown(&check.check)) } ": " (shown(&check.summary)) ", " (moment(check.at, *now))
                    }
                }
            }
            @if page.compiled.is_some() {
                @match &may_replay {
                    Ok(()) => p {
                        a .button href={ "/changes/" (change.id) "/replay" } { "Try it on the calls of the last day" }
                    },
                    Err(refusal) => p .reason { "Trying it on recorded calls: " (told(&refusal.sentence)) },
                }
                p .quiet { "To have what comes out recorded here: " code { "remit policy replay " (change.id) } }
            }
        }
    }
}

fn reviews(state: &Realm, change: &Change, now: Timestamp) -> Markup {
    html! {
        @if !change.reviews.is_empty() {
            section {
                h2 { "What others said of it afterwards" }
                ul .rules {
                    @for review in &change.reviews {
                        li {
                            @if review.upheld { (pill(Tone::Good, "upheld")) } @else { (pill(Tone::Bad, "not upheld")) }
                            " by " (Names(state).person(review.by)) " " (moment(review.at, now))
                            @if !review.note.is_empty() { ": “" (shown(&review.note)) "”" }
                        }
                    }
                }
            }
        }
    }
}

fn ended(page: &Shown<'_>) -> Markup {
    let Some(end) = &page.known.end else { return html! {} };
    let how = match end.how {
        HowEnded::Active => pill(Tone::Good, "approved"),
        HowEnded::Rejected => pill(Tone::Bad, "rejected"),
        HowEnded::Reviewed => pill(Tone::Good, "reviewed by two people"),
    };
    html! {
        section {
            h2 { "How it ended" }
            (properties(&html! {
                (row("Answer", &how))
                (row("By", &Names(page.state).person(end.by)))
                (row("When", &moment(end.at, page.now)))
                @if !end.note.is_empty() { (row("Note", &html! { span .text { (shown(&end.note)) } })) }
            }))
        }
    }
}
