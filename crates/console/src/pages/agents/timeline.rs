//! What happened with an agent, in order: questions and answers about it, changes to it, what it used, its runs and tasks.

use std::collections::BTreeSet;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use remit_domain::{Refusal, State as Realm, Timestamp};
use remit_engine::{Committed, Filter};
use serde::Deserialize;

use super::{About, Tab};
use crate::errors::PageError;
use crate::names::Names;
use crate::parts::filters;
use crate::parts::line::{Line, lines};
use crate::parts::time::day;
use crate::session::Viewer;
use crate::{Console, limits};

/// Which part of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Everything,
    Approvals,
    Changes,
    Data,
    Tasks,
}

impl Show {
    const EACH: [(Self, &'static str, &'static str); 5] = [
        (Self::Everything, "", "Everything"),
        (Self::Approvals, "approvals", "Questions and answers"),
        (Self::Changes, "changes", "Changes to it"),
        (Self::Data, "data", "Calls and data"),
        (Self::Tasks, "tasks", "Runs and tasks"),
    ];

    /// The kinds of records, as the ledger names them; none: all of them.
    const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Everything => &[],
            Self::Approvals => &[
                "ApprovalRequested",
                "ApprovalShown",
                "ApprovalVoted",
                "ApprovalGranted",
                "ApprovalDenied",
                "ApprovalExpired",
            ],
            Self::Changes => &[
                "AgentRegistered",
                "AgentDescribed",
                "AgentActivated",
                "AgentSuspended",
                "AgentResumed",
                "AgentDecommissioned",
                "EnrolmentOffered",
                "AgentKeyEnrolled",
                "AgentKeyRevoked",
                "WorkloadArrived",
                "WorkloadBound",
                "WorkloadUnbound",
                "GrantRequested",
                "GrantGiven",
                "GrantRevoked",
                "GrantExpired",
                "ConfigurationApproved",
            ],
            Self::Data => &["ActionAllowed", "ActionDenied", "OutcomeRecorded", "ContentRead", "ContentErased"],
            Self::Tasks => &[
                "TaskStarted",
                "TaskEnded",
                "RunRevoked",
                "TokenRevoked",
                "LaunchAttested",
                "AuthorizationConsented",
                "CodeReused",
                "RefreshReused",
            ],
        }
    }

    /// Whether proposals to change the agent belong to it, which are not yet about the agent itself.
    const fn has_proposals(self) -> bool {
        matches!(self, Self::Everything | Self::Changes)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Choice {
    show: String,
    /// Only records before this one.
    before: String,
}

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
    choice: Result<Query<Choice>, QueryRejection>,
) -> Result<Markup, PageError> {
    let choice = choice.map(|Query(choice)| choice).unwrap_or_default();
    let (state, now) = (console.engine.state(), console.engine.now());
    let about = About::new(&state, &viewer, &name, now)?;
    about.may_read()?;
    let show =
        Show::EACH.into_iter().find(|(_, name, _)| *name == choice.show).map_or(Show::Everything, |(show, ..)| show);
    let before = match choice.before.trim() {
        "" => None,
        seq => Some(seq.parse::<u64>().map_err(|_| {
            Refusal::new("bad_cursor", "this is not where a page ended").help("begin the timeline again")
        })?),
    };
    let found = records(&console, &about, show, before).await?;
    let older = found.last().filter(|_| found.len() == limits::TIMELINE_ROWS_MAX).map(|oldest| oldest.seq);
    let body = html! {
        (choose(&about, show))
        div #timeline data-live[before.is_none()] .stack { (days(&found, &state, now)) }
        @if let Some(seq) = older {
            @let fields = [("show", word(show)), ("before", &seq.to_string())];
            (filters::next(&filters::address(&about.address("timeline"), &fields), "Older"))
        }
    };
    Ok(about.page(Tab::Timeline, &body))
}

fn word(show: Show) -> &'static str {
    Show::EACH.into_iter().find(|(each, ..)| *each == show).map_or("", |(_, word, _)| word)
}

/// The records of the agent, and those that propose to change it, newest first.
async fn records(
    console: &Console,
    about: &About<'_>,
    show: Show,
    before_seq: Option<u64>,
) -> Result<Vec<Committed>, PageError> {
    let limit = limits::TIMELINE_ROWS_MAX;
    let kinds = show.kinds().iter().map(|kind| (*kind).to_owned()).collect();
    let own = Filter { agent: Some(about.agent.id.to_string()), kinds, before_seq, limit, ..Filter::default() };
    let mut found = console.engine.query(own).await?;
    if show.has_proposals() {
        let artefacts = vec![format!("agent:{}", about.agent.id)];
        let seen: BTreeSet<u64> = found.iter().map(|committed| committed.seq).collect();
        let proposed = console.engine.query(Filter { artefacts, before_seq, limit, ..Filter::default() }).await?;
        found.extend(proposed.into_iter().filter(|committed| !seen.contains(&committed.seq)));
        found.sort_by_key(|committed| std::cmp::Reverse(committed.seq));
        found.truncate(limit);
    }
    Ok(found)
}

fn choose(about: &About<'_>, show: Show) -> Markup {
    html! {
        nav .filter aria-label="Which records" {
            @for (each, word, words) in Show::EACH {
                a href=(filters::address(&about.address("timeline"), &[("show", word)])) aria-current=[(each == show).then_some("page")] {
                    (words)
                }
            }
        }
    }
}

/// The records under their days, in UTC.
fn days(found: &[Committed], state: &Realm, now: Timestamp) -> Markup {
    let of_one_day = |one: &Committed, other: &Committed| day(one.at) == day(other.at);
    html! {
        @if found.is_empty() {
            div .empty {
                p { "Nothing of this kind is recorded." }
                p { "What the agent does, and what is done with it, appears here by itself." }
            }
        }
        @for records in found.chunk_by(of_one_day) {
            @if let Some(first) = records.first() {
                section {
                    h2 { (named(first.at, now)) }
                    (lines(&told(records, state), now))
                }
            }
        }
    }
}

fn told(records: &[Committed], state: &Realm) -> Vec<Line> {
    let line = |one: &Committed| Line::of(one.seq, one.at, &one.record.actor, &one.record.event, Names(state));
    records.iter().map(line).collect()
}

fn named(at: Timestamp, now: Timestamp) -> Markup {
    let date = day(at);
    html! {
        time datetime=(date) {
            @if date == day(now) { "Today" }
            @else if date == day(now.minus_seconds(24 * 3600)) { "Yesterday" }
            @else { (date) }
        }
    }
}
