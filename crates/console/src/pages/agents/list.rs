//! The agents of the realm, as many as somebody looks for.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use remit_domain::{Agent, AgentStatus, PersonId, State as Realm, Timestamp};
use serde::Deserialize;

use super::address;
use super::new::may_register;
use super::profile::{CLASSES, ENVIRONMENTS};
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::pages::control;
use crate::parts::properties::none;
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::parts::{filters, pill};
use crate::session::Viewer;
use crate::{Console, answers, limits};

/// Which agents. All of it is text: an address that says something else than the form finds nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Choice {
    pub(super) text: String,
    pub(super) status: String,
    pub(super) owner: String,
    pub(super) class: String,
    pub(super) environment: String,
    /// What is not as it should be with them.
    pub(super) lacks: String,
    /// The last name of the page before.
    pub(super) after: String,
}

/// What is wanted of their status, as the address says it; nothing: all that have not ended.
const STATUSES: [(&str, &str); 7] = [
    ("", "not ended"),
    ("active", "active"),
    ("draft", "draft"),
    ("quarantined", "quarantined"),
    ("suspended", "suspended"),
    ("decommissioned", "ended for good"),
    ("all", "all"),
];
const LACKS: [(&str, &str); 4] =
    [("", "does not matter"), ("owner", "an owner"), ("review", "a review in time"), ("grant", "a live grant")];

const fn word(status: AgentStatus) -> &'static str {
    match status {
        AgentStatus::Quarantined => "quarantined",
        AgentStatus::Draft => "draft",
        AgentStatus::Active => "active",
        AgentStatus::Suspended => "suspended",
        AgentStatus::Decommissioned => "decommissioned",
    }
}

pub(crate) async fn list(
    State(console): State<Console>,
    viewer: Viewer,
    choice: Result<Query<Choice>, QueryRejection>,
) -> Markup {
    let choice = choice.map(|Query(choice)| choice).unwrap_or_default();
    let (state, now) = (console.engine.state(), console.engine.now());
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Agents", place: Place::Agents, viewer: &viewer, waiting, refreshes: false };
    layout::page(&frame, &render(&state, &viewer, &choice, now))
}

impl Choice {
    fn fields(&self) -> [(&'static str, &str); 6] {
        [
            ("text", &self.text),
            ("status", &self.status),
            ("owner", &self.owner),
            ("class", &self.class),
            ("environment", &self.environment),
            ("lacks", &self.lacks),
        ]
    }

    fn is_filtered(&self) -> bool {
        self.fields().iter().any(|(_, value)| !value.trim().is_empty()) || !self.after.is_empty()
    }

    /// The address of what stands after `name` in the same choice.
    fn after(&self, name: &str) -> String {
        filters::address("/agents", &[&self.fields()[..], &[("after", name)]].concat())
    }
}

/// A choice with its names looked up.
struct Fits<'a> {
    state: &'a Realm,
    choice: &'a Choice,
    text: String,
    owner: Option<PersonId>,
    now: Timestamp,
}

impl<'a> Fits<'a> {
    /// Nothing if an owner is named that is not there.
    fn new(state: &'a Realm, choice: &'a Choice, now: Timestamp) -> Option<Self> {
        let owner = choice.owner.trim();
        let owner = if owner.is_empty() { None } else { Some(*state.people_by_name.get(owner)?) };
        Some(Self { state, choice, text: choice.text.trim().to_lowercase(), owner, now })
    }

    fn agent(&self, agent: &Agent) -> bool {
        let (choice, profile) = (self.choice, &agent.profile);
        let by_status = match choice.status.as_str() {
            "" => !agent.is_gone(),
            "all" => true,
            wanted => word(agent.status) == wanted,
        };
        by_status
            && (self.owner.is_none() || profile.owner == self.owner)
            && (choice.class.is_empty() || profile.class.is_some_and(|class| class.as_str() == choice.class))
            && (choice.environment.is_empty()
                || profile.environment.is_some_and(|environment| environment.as_str() == choice.environment))
            && self.lacks(agent)
            && (self.text.is_empty()
                || agent.name.contains(&self.text)
                || profile.purpose.to_lowercase().contains(&self.text))
    }

    fn lacks(&self, agent: &Agent) -> bool {
        match self.choice.lacks.as_str() {
            "" => true,
            "owner" => agent.profile.owner.is_none(),
            "review" => agent.profile.review_at.is_none_or(|at| at <= self.now),
            "grant" => self.state.grants_of(agent.id).all(|grant| grant.expires_at <= self.now),
            _ => false,
        }
    }
}

/// One page of a list: the agents on it by name, how many fit in all, and whether more come after.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) agents: Vec<&'a Arc<Agent>>,
    pub(super) fitting: usize,
    pub(super) more: bool,
}

/// The agents that fit and come after where the page before ended. Only those on the page are put in order.
pub(super) fn chosen<'a>(state: &'a Realm, choice: &Choice, now: Timestamp) -> Page<'a> {
    let Some(fits) = Fits::new(state, choice, now) else {
        return Page { agents: Vec::new(), fitting: 0, more: false };
    };
    let (mut fitting, mut agents) = (0, Vec::new());
    for agent in state.agents.values().filter(|agent| fits.agent(agent)) {
        fitting += 1;
        if agent.name.as_str() > choice.after.as_str() {
            agents.push(agent);
        }
    }
    let more = agents.len() > limits::LIST_ROWS_MAX;
    if more {
        agents.select_nth_unstable_by(limits::LIST_ROWS_MAX, |one, other| one.name.cmp(&other.name));
        agents.truncate(limits::LIST_ROWS_MAX);
    }
    agents.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Page { agents, fitting, more }
}

fn render(state: &Realm, viewer: &Viewer, choice: &Choice, now: Timestamp) -> Markup {
    let page = chosen(state, choice, now);
    let usable = may_register(state, viewer, now);
    html! {
        div .page-head {
            div {
                h1 { "Agents" }
                p { "Each has a name of its own, somebody who answers for it, and bounds. It acts only under a task." }
            }
            div .actions {
                @if usable.is_ok() { a .button .primary href="/agents/new" { "Register an agent" } }
                @else { button type="button" disabled aria-describedby="register-why" { "Register an agent" } }
            }
        }
        (control::why("register-why", &usable))
        (form(choice))
        div #agents data-live .stack {
            @if page.agents.is_empty() { (empty(choice)) } @else {
                p .quiet role="status" { (page.fitting) @if page.fitting == 1 { " agent" } @else { " agents" } }
                (table(state, &page.agents, now))
            }
        }
        @if let (true, Some(last)) = (page.more, page.agents.last()) {
            (filters::next(&choice.after(&last.name), "More agents"))
        }
    }
}

fn form(choice: &Choice) -> Markup {
    let any = [("", "any")];
    let classes: Vec<(&str, &str)> =
        any.into_iter().chain(CLASSES.map(|(class, _)| (class.as_str(), class.as_str()))).collect();
    let environments: Vec<(&str, &str)> =
        any.into_iter().chain(ENVIRONMENTS.map(|environment| (environment.as_str(), environment.as_str()))).collect();
    let fields = html! {
        (filters::text("text", "Name or purpose", &choice.text, "a part of it"))
        (filters::select("status", "Status", &choice.status, &STATUSES))
        (filters::text("owner", "Owner", &choice.owner, "their name"))
        (filters::select("class", "Class", &choice.class, &classes))
        (filters::select("environment", "Environment", &choice.environment, &environments))
        (filters::select("lacks", "Without", &choice.lacks, &LACKS))
    };
    filters::form("/agents", "Which agents", "Filter", &fields)
}

fn empty(choice: &Choice) -> Markup {
    html! {
        div .empty {
            @if choice.is_filtered() {
                p { "No agent fits." }
                p { a href="/agents" { "Show all that have not ended" } }
            } @else {
                p { "No agent is registered yet." }
                p { "Register one, say who answers for it, and give it what it needs." }
                pre { "remit agent register NAME --owner YOU --purpose \"answer customers\"" }
                p { a .button .primary href="/agents/new" { "Register an agent" } }
            }
        }
    }
}

fn table(state: &Realm, agents: &[&Arc<Agent>], now: Timestamp) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label="Agents" {
            table .rows {
                thead { tr {
                    th { "Agent" } th { "Status" } th { "Owner" } th { "Class" } th { "Environment" }
                    th .number { "Live grants" } th .number { "Live tasks" } th { "Review" }
                } }
                tbody { @for agent in agents { (row(state, agent, now)) } }
            }
        }
    }
}

fn row(state: &Realm, agent: &Agent, now: Timestamp) -> Markup {
    let profile = &agent.profile;
    let grants = state.grants_of(agent.id).filter(|grant| now < grant.expires_at).count();
    html! {
        tr {
            td { a .agent href=(address(agent)) { (shown(&agent.name)) } }
            td { (pill::agent(agent.status)) }
            td { (profile.owner.map_or_else(|| none("nobody"), |owner| Names(state).person(owner))) }
            td {
                (profile.class.map_or("none", |class| class.as_str()))
                @if let Some(autonomy) = profile.autonomy { " A" (autonomy) }
            }
            td { (profile.environment.map_or("none", |environment| environment.as_str())) }
            td .number { (grants) }
            td .number { (state.live_tasks_of(agent.id).count()) }
            td { (review(agent, now)) }
        }
    }
}

fn review(agent: &Agent, now: Timestamp) -> Markup {
    match agent.profile.review_at {
        None => none("none"),
        Some(at) if at <= now && !agent.is_gone() => {
            html! { (pill::pill(pill::Tone::Bad, "overdue")) " " (moment(at, now)) }
        }
        Some(at) => moment(at, now),
    }
}
