//! What an agent is at work on, and what it was: its runs, and the tasks of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{RunId, Task, may_read_task};

use super::{About, Tab};
use crate::errors::PageError;
use crate::pages::tasks::list::table;
use crate::parts::id;
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::session::Viewer;
use crate::{Console, limits};

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let about = About::new(&state, &viewer, &name, now)?;
    Ok(about.page(Tab::Tasks, &render(&about)))
}

fn render(about: &About<'_>) -> Markup {
    let (state, agent) = (about.state, about.agent.id);
    let readable = |task: &&Arc<Task>| may_read_task(state, about.viewer.person, task).is_ok();
    let mut live: Vec<&Arc<Task>> = state.live_tasks_of(agent).filter(readable).collect();
    live.sort_by_key(|task| std::cmp::Reverse(task.id));
    let ended = state.tasks.values().filter(|task| task.agent == agent && !task.is_live());
    let mut ended: Vec<&Arc<Task>> = ended.filter(readable).collect();
    ended.sort_by_key(|task| std::cmp::Reverse(task.id));
    let all = format!("/tasks?status=all&agent={}", about.agent.name);
    html! {
        section #live data-live {
            h2 { "At work now" }
            @if live.is_empty() {
                div .empty {
                    p { "No task of it that you may see is live." }
                    p { "Without one it can do nothing. Start one for a command:" }
                    pre { "remit run --agent " (shown(&about.agent.name)) " --purpose \"answer ticket 17\" -- my-agent" }
                }
            } @else { (some(about, "At work now", &live)) }
        }
        @if !live.is_empty() || !ended.is_empty() { section { h2 { "Runs" } (runs(about, live.iter().chain(&ended))) } }
        @if !ended.is_empty() { section { h2 { "Ended within a day" } (some(about, "Ended within a day", &ended)) } }
        p .quiet {
            a href=(all) { "All of them, with filters" }
            @if about.may_read().is_ok() { "; older ones are in the " a href={ (about.address("timeline")) "?show=tasks" } { "timeline" } }
            "."
        }
    }
}

fn some(about: &About<'_>, label: &str, tasks: &[&Arc<Task>]) -> Markup {
    let (shown, beyond) = tasks.split_at(tasks.len().min(limits::LIST_ROWS_MAX));
    html! {
        (table(about.state, label, shown, about.now))
        @if !beyond.is_empty() { p .quiet { "and " (beyond.len()) " more" } }
    }
}

/// One piece of work with all its sub-tasks.
struct Run<'a> {
    first: &'a Task,
    tasks: usize,
    live: usize,
    calls: u64,
}

fn runs<'a>(about: &About<'_>, tasks: impl Iterator<Item = &'a &'a Arc<Task>>) -> Markup {
    let mut runs: BTreeMap<std::cmp::Reverse<RunId>, Run<'a>> = BTreeMap::new();
    for task in tasks {
        let run = runs.entry(std::cmp::Reverse(task.run)).or_insert(Run { first: task, tasks: 0, live: 0, calls: 0 });
        run.first = if task.id < run.first.id { task } else { run.first };
        run.tasks += 1;
        run.live += usize::from(task.is_live());
        run.calls += task.calls;
    }
    let beyond = runs.len().saturating_sub(limits::LIST_ROWS_MAX);
    html! {
        div .scroll tabindex="0" role="region" aria-label="Runs" {
            table .rows {
                thead { tr { th { "Run" } th { "Began with" } th { "Began" } th .number { "Tasks" } th .number { "Live" } th .number { "Calls" } } }
                tbody {
                    @for (std::cmp::Reverse(run), of) in runs.iter().take(limits::LIST_ROWS_MAX) {
                        tr {
                            td { (id::short(run)) }
                            td { a href={ "/tasks/" (of.first.id) } { (shown(&of.first.purpose)) } }
                            td { (moment(of.first.started_at, about.now)) }
                            td .number { (of.tasks) }
                            td .number { (of.live) }
                            td .number { (of.calls) }
                        }
                    }
                }
            }
        }
        @if beyond > 0 { p .quiet { "and " (beyond) " more" } }
    }
}
