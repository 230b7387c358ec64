//! The tasks that somebody may see: those that are live, unless they ask for others.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use remit_domain::{AgentId, PersonId, State as Realm, Task, TaskId, Timestamp, may_read_task};
use serde::Deserialize;

use super::{acting_for, budget, labels, status};
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::text::shown;
use crate::parts::time::{moment, remaining};
use crate::parts::{filters, id};
use crate::session::Viewer;
use crate::{Console, answers, limits};

/// Which tasks. All of it is text: an address that says something else finds nothing, or what is live.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Choice {
    status: String,
    agent: String,
    person: String,
    text: String,
    /// The last task of the page before.
    after: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Live,
    Ended,
    All,
}

impl Show {
    const EACH: [(Self, &'static str, &'static str); 3] =
        [(Self::Live, "live", "Live"), (Self::Ended, "ended", "Ended"), (Self::All, "all", "All")];
}

impl Choice {
    fn show(&self) -> Show {
        let named = Show::EACH.into_iter().find(|(_, name, _)| *name == self.status);
        named.map_or(Show::Live, |(show, ..)| show)
    }

    fn is_filtered(&self) -> bool {
        [&self.status, &self.agent, &self.person, &self.text, &self.after].iter().any(|field| !field.trim().is_empty())
    }

    /// The address of what stands after `task` in the same choice.
    fn after(&self, task: TaskId) -> String {
        let (Self { status, agent, person, text, .. }, after) = (self, task.to_string());
        let fields = [("status", status), ("agent", agent), ("person", person), ("text", text), ("after", &after)];
        filters::address("/tasks", &fields.map(|(name, value)| (name, value.as_str())))
    }
}

pub(crate) async fn list(
    State(console): State<Console>,
    viewer: Viewer,
    choice: Result<Query<Choice>, QueryRejection>,
) -> Markup {
    let choice = choice.map(|Query(choice)| choice).unwrap_or_default();
    let state = console.engine.state();
    let now = console.engine.now();
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Tasks", place: Place::Tasks, viewer: &viewer, waiting, refreshes: false };
    layout::page(&frame, &render(&state, viewer.person, &choice, now))
}

/// The tasks that fit, newest first, and whether there are more than a page holds.
fn chosen<'a>(state: &'a Realm, person: PersonId, choice: &Choice) -> (Vec<&'a Arc<Task>>, bool) {
    let Some(fits) = Fits::new(state, choice) else { return (Vec::new(), false) };
    // What is live is found without looking at what has ended.
    let candidates: Vec<&Arc<Task>> = match (fits.show, fits.agent) {
        (Show::Live, Some(agent)) => state.live_tasks_of(agent).collect(),
        (Show::Live, None) => state.live_tasks().collect(),
        (Show::Ended | Show::All, _) => state.tasks.values().collect(),
    };
    let fitting = candidates.into_iter().filter(|task| fits.task(task));
    let mut tasks: Vec<_> = fitting.filter(|task| may_read_task(state, person, task).is_ok()).collect();
    // Ids begin with the time at which they were made.
    tasks.sort_by_key(|task| std::cmp::Reverse(task.id));
    let more = tasks.len() > limits::LIST_ROWS_MAX;
    tasks.truncate(limits::LIST_ROWS_MAX);
    (tasks, more)
}

/// A choice with its names looked up.
struct Fits {
    show: Show,
    agent: Option<AgentId>,
    person: Option<PersonId>,
    text: String,
    after: Option<TaskId>,
}

impl Fits {
    /// Nothing if an agent or a person is named that is not there.
    fn new(state: &Realm, choice: &Choice) -> Option<Self> {
        let (agent, person, after) = (choice.agent.trim(), choice.person.trim(), choice.after.trim());
        Some(Self {
            show: choice.show(),
            agent: if agent.is_empty() { None } else { Some(*state.agents_by_name.get(agent)?) },
            person: if person.is_empty() { None } else { Some(*state.people_by_name.get(person)?) },
            text: choice.text.trim().to_lowercase(),
            after: if after.is_empty() { None } else { Some(after.parse().ok()?) },
        })
    }

    fn task(&self, task: &Task) -> bool {
        let by_status = match self.show {
            Show::Live => task.is_live(),
            Show::Ended => !task.is_live(),
            Show::All => true,
        };
        by_status
            && self.agent.is_none_or(|agent| task.agent == agent)
            && self.person.is_none_or(|person| task.acting_for == Some(person) || task.started_by == Some(person))
            && self.after.is_none_or(|after| task.id < after)
            && (self.text.is_empty() || task.purpose.to_lowercase().contains(&self.text))
    }
}

pub(super) fn render(state: &Realm, person: PersonId, choice: &Choice, now: Timestamp) -> Markup {
    let (tasks, more) = chosen(state, person, choice);
    html! {
        div .page-head {
            div {
                h1 { "Tasks" }
                p { "An agent acts only under a task: one piece of work with a purpose, a time and a budget. When it ends, so does everything under it." }
            }
        }
        (form(choice))
        div #tasks data-live {
            @if tasks.is_empty() { (empty(choice)) } @else { (table(state, "Tasks", &tasks, now)) }
        }
        @if let (true, Some(last)) = (more, tasks.last()) {
            (filters::next(&choice.after(last.id), "Older tasks"))
        }
    }
}

fn form(choice: &Choice) -> Markup {
    let named = Show::EACH.into_iter().find(|(show, ..)| *show == choice.show()).map_or("", |(_, name, _)| name);
    let status = Show::EACH.map(|(_, name, label)| (name, label));
    let fields = html! {
        (filters::select("status", "Status", named, &status))
        (filters::text("agent", "Agent", &choice.agent, "its name"))
        (filters::text("person", "Person", &choice.person, "acted for, or started by"))
        (filters::text("text", "Purpose", &choice.text, "a part of it"))
    };
    filters::form("/tasks", "Which tasks", "Filter", &fields)
}

fn empty(choice: &Choice) -> Markup {
    html! {
        div .empty {
            @if choice.is_filtered() {
                p { "No task that you may see fits." }
                p { "What has ended more than a day ago is in the " a href="/ledger" { "ledger" } ". " a href="/tasks" { "Show what is live" } }
            } @else {
                p { "No task that you may see is live." }
                p { "Without one an agent can do nothing. Start it for one command, or " a href="/connect" { "connect a client" } ":" }
                pre { "remit run --agent NAME --purpose \"answer ticket 17\" -- my-agent" }
            }
        }
    }
}

/// Tasks as rows, under a name for the table.
pub(in crate::pages) fn table(state: &Realm, label: &str, tasks: &[&Arc<Task>], now: Timestamp) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label=(label) {
            table .rows {
                thead { tr {
                    th { "Purpose" } th { "Agent" } th { "For" } th { "Status" } th .number { "Calls" } th { "Labels" } th { "Life" }
                } }
                tbody { @for task in tasks { (row(state, task, now)) } }
            }
        }
    }
}

fn row(state: &Realm, task: &Task, now: Timestamp) -> Markup {
    html! {
        tr {
            td {
                a href={ "/tasks/" (task.id) } { (shown(&task.purpose)) } " " (id::short(task.id))
                @if task.parent.is_some() { " " span .quiet { "sub-task" } }
            }
            td { (Names(state).agent(task.agent)) }
            td data-label="for" { (acting_for(state, task)) }
            td { (status(task, now)) }
            td .number data-label="calls" { (budget(task)) }
            td { (labels(task)) }
            td {
                @match &task.ended {
                    Some((at, _)) => { "ended " (moment(*at, now)) }
                    None => (remaining(task.expires_at, now)),
                }
            }
        }
    }
}
