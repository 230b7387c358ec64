//! The prompt, the model and the tools that an agent is approved with, and how they became so.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{Configuration, Edit, Event};
use remit_engine::{Committed, Filter};

use super::{About, Tab};
use crate::errors::PageError;
use crate::names::Names;
use crate::parts::id;
use crate::parts::line::{Line, lines};
use crate::parts::pill::{Tone, pill};
use crate::parts::properties::{none, properties, row};
use crate::parts::text::shown;
use crate::session::Viewer;
use crate::{Console, limits};

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let about = About::new(&state, &viewer, &name, now)?;
    let history = match about.may_read() {
        Ok(()) => Some(history(&console, &about).await?),
        Err(_) => None,
    };
    Ok(about.page(Tab::Configuration, &render(&about, history.as_deref())))
}

/// What was approved, and what was proposed, newest first.
async fn history(console: &Console, about: &About<'_>) -> Result<Vec<Line>, PageError> {
    let (agent, limit) = (about.agent.id, limits::LIST_ROWS_MAX);
    let kinds = vec!["ConfigurationApproved".to_owned()];
    let approved = Filter { agent: Some(agent.to_string()), kinds, limit, ..Filter::default() };
    let proposed = Filter {
        kinds: vec!["EditProposed".to_owned()],
        artefacts: vec![format!("agent:{agent}")],
        limit,
        ..Filter::default()
    };
    let mut found = console.engine.query(approved).await?;
    found.extend(console.engine.query(proposed).await?.into_iter().filter(is_about_configuration));
    let mut seen = BTreeSet::new();
    found.retain(|committed| seen.insert(committed.seq));
    found.sort_by_key(|committed| std::cmp::Reverse(committed.seq));
    let names = Names(about.state);
    let line = |one: &Committed| Line::of(one.seq, one.at, &one.record.actor, &one.record.event, names);
    Ok(found.iter().map(line).collect())
}

fn is_about_configuration(committed: &Committed) -> bool {
    match &committed.record.event {
        Event::EditProposed(proposed) => matches!(proposed.edit, Edit::Configuration { .. }),
        _ => false,
    }
}

fn render(about: &About<'_>, history: Option<&[Line]>) -> Markup {
    let name = &about.agent.name;
    html! {
        section {
            h2 { "What it may run with" }
            @match &about.agent.configuration {
                Some(configuration) => (approved(about, configuration)),
                None => {
                    div .empty {
                        p { "No configuration is bound: it may run with any prompt, model and tools." }
                        p { "Once one is approved, its tasks begin only with exactly that, and every change is agreed to by somebody else." }
                        pre { "remit agent configure " (shown(name)) " --prompt prompt.md --model MODEL --tools CONNECTOR/*" }
                    }
                }
            }
        }
        @if about.agent.configuration.is_some() {
            p .quiet { "Propose another one: " code { "remit agent configure " (shown(name)) " --prompt prompt.md --model MODEL --tools CONNECTOR/*" } }
        }
        @if let Some(history) = history.filter(|history| !history.is_empty()) { section { h2 { "How it came about" } (lines(history, about.now)) } }
    }
}

fn approved(about: &About<'_>, configuration: &Configuration) -> Markup {
    let digest = configuration.digest();
    let runs_with = |wanted: bool| {
        let live = about.state.live_tasks_of(about.agent.id);
        live.filter(|task| (task.configuration == Some(digest)) == wanted).count()
    };
    let (with, without) = (runs_with(true), runs_with(false));
    html! {
        (properties(&html! {
            (row("Digest", &html! { code .whole { (digest) } }))
            (row("Prompt", &match &configuration.prompt {
                Some(prompt) => html! { "the text with the digest " code .whole { (prompt) } },
                None => none("not bound"),
            }))
            (row("Model", &match &configuration.model {
                Some(model) => html! { code { (shown(model)) } },
                None => none("not bound"),
            }))
            (row("Tools", &html! {
                @if configuration.tools.is_empty() { (none("not bound: grants and rules say")) }
                @for tool in &configuration.tools { code { (shown(tool.as_str())) } " " }
            }))
            @if about.may_read().is_ok() {
                (row("Live tasks", &html! {
                    (with) " with it"
                    @if without > 0 { ", " (pill(Tone::Bad, &format!("{without} with another"))) " refused at their next call" }
                }))
            }
        }))
        p .quiet { "A run presents the digest of what it really uses: " code { "remit run --configuration FILE" } ". In records it stands as " (id::digest(&digest)) }
    }
}
