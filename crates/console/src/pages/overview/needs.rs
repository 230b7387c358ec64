//! What waits for the person looking: questions, changes, requests, findings and reviews.

use std::sync::Arc;

use maud::{Markup, html};
use remit_domain::{Agent, AgentStatus, Change, ChangeStatus, Command, Finding, GrantRequest, State, Timestamp};

use crate::answers::{self, Waiting};
use crate::limits;
use crate::names::Names;
use crate::pages::{changes, control};
use crate::parts::pill::{Tone, pill};
use crate::parts::text::{shown, told};
use crate::parts::time::{moment, remaining};
use crate::session::Viewer;

/// How long before it is due a review is told.
const REVIEW_SECONDS_BEFORE: u64 = 7 * 86_400;

/// All of it, what ends first in front.
pub(super) struct Needs<'a> {
    /// Questions that they may say yes to.
    pub(super) approvals: Vec<Waiting>,
    /// Questions that they may know of, and others answer.
    pub(super) others: Vec<Waiting>,
    changes: Vec<&'a Arc<Change>>,
    requests: Vec<&'a Arc<GrantRequest>>,
    findings: Vec<&'a Arc<Finding>>,
    /// Agents of theirs whose review is due.
    reviews: Vec<&'a Arc<Agent>>,
    /// Agents that arrived by themselves, for who administers the realm.
    arrivals: Vec<&'a Arc<Agent>>,
}

impl<'a> Needs<'a> {
    pub(super) fn of(state: &'a State, viewer: &Viewer, now: Timestamp) -> Self {
        let person = viewer.person;
        let waiting = answers::waiting(state, &viewer.actor(), now);
        let (approvals, others) = waiting.into_iter().partition(|waiting| waiting.answers.approve.is_ok());
        let mut changes: Vec<_> = changes::waiting(state, person).collect();
        // Reviews of what is active already come before what can wait.
        changes.sort_by_key(|change| (change.status == ChangeStatus::Pending, change.proposed_at, change.id));
        let may = |command: &Command| control::may(state, viewer, command, now).is_ok();
        let requests =
            state.grant_requests.values().filter(|request| may(&Command::ApproveGrant { grant: request.id }));
        let mut requests: Vec<_> = requests.collect();
        requests.sort_by_key(|request| (request.requested_at, request.id));
        let administers = state.person(person).is_ok_and(|person| person.is_administrator());
        let owner = |agent| state.agent(agent).ok().and_then(|agent| agent.profile.owner);
        let is_mine = |finding: &&Arc<Finding>| {
            finding.closed.is_none() && owner(finding.agent).map_or(administers, |owner| owner == person)
        };
        let mut findings: Vec<_> = state.findings.values().filter(is_mine).collect();
        findings.sort_by_key(|finding| (finding.opened_at, finding.id));
        let owned = state.agents.values().filter(|agent| agent.profile.owner == Some(person));
        let mut reviews: Vec<_> = owned.filter(|agent| review_is_due(agent, now)).collect();
        reviews.sort_by_key(|agent| (agent.profile.review_at, agent.id));
        let arrived = state.agents.values().filter(|agent| administers && agent.status == AgentStatus::Quarantined);
        let mut arrivals: Vec<_> = arrived.collect();
        arrivals.sort_by_key(|agent| (agent.registered_at, agent.id));
        Self { approvals, others, changes, requests, findings, reviews, arrivals }
    }

    fn is_empty(&self) -> bool {
        self.approvals.is_empty()
            && self.changes.is_empty()
            && self.requests.is_empty()
            && self.findings.is_empty()
            && self.reviews.is_empty()
            && self.arrivals.is_empty()
    }

    pub(super) fn mine(&self, state: &State, now: Timestamp) -> Markup {
        if self.is_empty() {
            return html! {
                p .quiet { "Nothing waits for your answer. Questions, changes and requests appear here by themselves." }
            };
        }
        let names = Names(state);
        html! {
            (cards(&self.approvals, "/approvals", |waiting| question(state, waiting, now)))
            (cards(&self.changes, "/changes", |change| one_change(names, change, now)))
            (cards(&self.requests, "/grants", |request| one_request(names, request, now)))
            (cards(&self.findings, "/agents", |finding| one_finding(state, finding, now)))
            (cards(&self.reviews, "/agents", |agent| one_review(agent, now)))
            (cards(&self.arrivals, "/agents", |agent| one_arrival(agent, now)))
        }
    }

    pub(super) fn others(&self, state: &State, now: Timestamp) -> Markup {
        html! {
            @if !self.others.is_empty() {
                section aria-labelledby="others-head" {
                    h2 #others-head { "Waits for somebody else" }
                    (cards(&self.others, "/approvals", |waiting| question(state, waiting, now)))
                }
            }
        }
    }
}

/// Whether its review is overdue or will be soon. What was suspended because nobody looked is overdue still.
fn review_is_due(agent: &Agent, now: Timestamp) -> bool {
    let Some(review_at) = agent.profile.review_at else { return false };
    match agent.status {
        AgentStatus::Active => review_at <= now.plus_seconds(REVIEW_SECONDS_BEFORE),
        AgentStatus::Suspended => review_at <= now,
        AgentStatus::Quarantined | AgentStatus::Draft | AgentStatus::Decommissioned => false,
    }
}

/// A card for each, as far as an overview goes; the rest is at `address`.
fn cards<T>(all: &[T], address: &str, card: impl Fn(&T) -> Markup) -> Markup {
    let beyond = all.len().saturating_sub(limits::OVERVIEW_CARDS_MAX);
    html! {
        @if !all.is_empty() {
            ul .cards { @for one in all.iter().take(limits::OVERVIEW_CARDS_MAX) { li { (card(one)) } } }
        }
        @if beyond > 0 { p .quiet { a href=(address) { "and " (beyond) " more" } } }
    }
}

fn question(state: &State, waiting: &Waiting, now: Timestamp) -> Markup {
    let names = Names(state);
    let approval = &waiting.approval;
    html! {
        a .title href={ "/approvals/" (approval.id) } { code { (shown(approval.facts.operation.as_str())) } }
        span .when { (remaining(approval.expires_at, now)) }
        p {
            (names.agent(approval.facts.agent)) " for "
            @match approval.facts.acting_for { Some(person) => (names.person(person)), None => "nobody" }
            @if let Ok(task) = state.task(approval.facts.task) { ": “" (shown(&task.purpose)) "”" }
        }
        @if let Err(refusal) = &waiting.answers.approve {
            p .reason { "Not for you: " (told(&refusal.sentence)) }
        }
    }
}

fn one_change(names: Names<'_>, change: &Change, now: Timestamp) -> Markup {
    html! {
        a .title href={ "/changes/" (change.id) } { (shown(&change.reason)) }
        @match change.status {
            ChangeStatus::Pending => span .when { "proposed " (moment(change.proposed_at, now)) },
            ChangeStatus::Unreviewed { due_at } => span .when { @if due_at <= now { "overdue, " } (remaining(due_at, now)) },
        }
        p {
            @match change.status {
                ChangeStatus::Pending => "A change, proposed by ",
                ChangeStatus::Unreviewed { .. } => { (pill(Tone::Bad, "emergency")) " Active already; review it. Made by " }
            }
            (names.person(change.author))
        }
    }
}

fn one_request(names: Names<'_>, request: &GrantRequest, now: Timestamp) -> Markup {
    html! {
        a .title href={ "/grants/" (request.id) } {
            @for (place, pattern) in request.operations.iter().take(limits::ARTEFACTS_SHOWN_MAX).enumerate() {
                @if place > 0 { ", " } code { (shown(pattern.as_str())) }
            }
            @if request.operations.len() > limits::ARTEFACTS_SHOWN_MAX { " and more" }
        }
        span .when { "asked " (moment(request.requested_at, now)) }
        p { "A grant for " (names.agent(request.agent)) ": “" (shown(&request.reason)) "”" }
    }
}

fn one_finding(state: &State, finding: &Finding, now: Timestamp) -> Markup {
    let name = state.agents.get(&finding.agent).map_or("an agent", |agent| agent.name.as_str());
    html! {
        a .title href={ "/agents/" (name) "/findings" } { "A credential of " (shown(name)) " was seen in several hands" }
        span .when { (moment(finding.opened_at, now)) }
        p { "A " (finding.kind.as_str()) ", used by " (finding.parties.len()) " different parties. Nobody has dealt with it yet." }
    }
}

fn one_review(agent: &Agent, now: Timestamp) -> Markup {
    html! {
        a .title href={ "/agents/" (agent.name) } { "Review " (shown(&agent.name)) }
        @if let Some(review_at) = agent.profile.review_at {
            span .when { @if review_at <= now { "overdue, due " } @else { "due " } (moment(review_at, now)) }
        }
        p {
            @if agent.status == AgentStatus::Suspended { "It is suspended. Look whether it is still right, then give it a new date and resume it." }
            @else { "Look whether what it may do is still right, then give it a new date. Past the date it is suspended." }
        }
    }
}

fn one_arrival(agent: &Agent, now: Timestamp) -> Markup {
    html! {
        a .title href={ "/agents/" (agent.name) } { (shown(&agent.name)) " arrived by itself" }
        span .when { (moment(agent.registered_at, now)) }
        p { "It is in quarantine and may do nothing: nobody answers for it yet." }
    }
}
