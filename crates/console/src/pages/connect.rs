//! How an MCP client reaches tools through Remit as a chosen agent: settings to paste, and where a task's token comes from.

mod settings;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use remit_domain::{Agent, Command, Refusal, StartTask, State as Realm, Timestamp};
use serde::Deserialize;

use self::settings::{Asked, Control, Settings, Way};
use super::control;
use crate::layout::{self, Frame, Place};
use crate::parts::filters;
use crate::parts::text::shown;
use crate::session::Viewer;
use crate::{Console, answers, limits};

/// The name of a connector is in addresses that people paste, so only one that is there is put into them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Choice {
    agent: String,
    connector: String,
    way: String,
}

impl Choice {
    fn way(&self) -> Way {
        let named = Way::EACH.into_iter().find(|(_, name, _)| *name == self.way);
        named.map_or(Way::SignIn, |(way, ..)| way)
    }

    /// The address of the same choice by another way. Names are plain, so they stand in an address as they are.
    fn by(&self, way: &str, agent: Option<&Agent>, connector: Option<&str>) -> String {
        let agent = agent.map(|agent| format!("&agent={}", agent.name)).unwrap_or_default();
        let connector = connector.map(|connector| format!("&connector={connector}")).unwrap_or_default();
        format!("/connect?way={way}{agent}{connector}")
    }
}

pub(crate) async fn connect(
    State(console): State<Console>,
    viewer: Viewer,
    choice: Result<Query<Choice>, QueryRejection>,
) -> Markup {
    let choice = choice.map(|Query(choice)| choice).unwrap_or_default();
    let state = console.engine.state();
    let now = console.engine.now();
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Connect", place: Place::Connect, viewer: &viewer, waiting, refreshes: false };
    let (gateway, directory) = (console.engine.audience(), console.directory.as_deref());
    let page = Page { state: &state, viewer: &viewer, choice: &choice, gateway, directory, now };
    layout::page(&frame, &page.render())
}

struct Page<'a> {
    state: &'a Realm,
    viewer: &'a Viewer,
    choice: &'a Choice,
    /// Where agents find all their tools.
    gateway: &'a str,
    /// Of the realm, where whoever looks is on its machine.
    directory: Option<&'a str>,
    now: Timestamp,
}

impl Page<'_> {
    fn render(&self) -> Markup {
        let agents = self.own_agents();
        let chosen = self.state.agent_named(self.choice.agent.trim()).ok();
        let connector = self.state.connector_named(self.choice.connector.trim()).ok();
        let connector = connector.map(|connector| connector.name.as_str());
        html! {
            div .page-head {
                div {
                    h1 { "Connect a client" }
                    p { "A client reaches tools through Remit as it would reach any MCP server. It becomes known by a task, and no token stands in what you paste." }
                }
            }
            @if agents.is_empty() && chosen.is_none() {
                (empty())
            } @else {
                (self.choose(&agents, chosen, connector))
                @match chosen {
                    Some(agent) => (self.ways(agent, connector)),
                    None => {
                        div .notice {
                            @if self.choice.agent.trim().is_empty() { p { "Choose the agent that the client is to be." } }
                            @else { p { "There is no agent `" (shown(self.choice.agent.trim())) "`. Choose one that is there." } }
                        }
                    }
                }
            }
        }
    }

    /// The active agents for which this person may start a task, as far as a list goes.
    fn own_agents(&self) -> Vec<&Arc<Agent>> {
        let administers = self.state.person(self.viewer.person).is_ok_and(|person| person.is_administrator());
        let owns =
            |agent: &&Arc<Agent>| !agent.is_gone() && (administers || agent.profile.owner == Some(self.viewer.person));
        let mut own: Vec<_> = self.state.agents.values().filter(owns).collect();
        own.sort_by(|one, other| one.name.cmp(&other.name));
        own.truncate(limits::LIST_ROWS_MAX);
        own
    }

    fn choose(&self, agents: &[&Arc<Agent>], chosen: Option<&Arc<Agent>>, connector: Option<&str>) -> Markup {
        let mut connectors: Vec<&str> = self.state.connectors.values().map(|known| known.name.as_str()).collect();
        connectors.sort_unstable();
        html! {
            (filters::form("/connect", "For which agent", "Show", &html! {
                input type="hidden" name="way" value=(self.choice.way().name());
                label {
                    "Agent"
                    input type="text" name="agent" list="agents" required autocomplete="off" placeholder="its name"
                        value=(chosen.map_or("", |agent| agent.name.as_str()));
                }
                datalist #agents { @for agent in agents { option value=(agent.name) {} } }
                label {
                    "Tools"
                    select name="connector" {
                        option value="" { "all that it may reach" }
                        @for name in connectors.iter().take(limits::LIST_ROWS_MAX) {
                            option value=(name) selected[connector == Some(*name)] { "only " (shown(name)) }
                        }
                    }
                }
            }))
        }
    }

    fn ways(&self, agent: &Agent, connector: Option<&str>) -> Markup {
        let way = self.choice.way();
        let asked = Asked {
            agent: &agent.name,
            address: connector.map_or_else(|| self.gateway.to_owned(), |name| format!("{}/{name}", self.gateway)),
            server: connector.map_or_else(|| "remit".to_owned(), |name| format!("remit-{name}")),
            control: match self.directory {
                Some(directory) => Control::Directory(directory),
                None => Control::Address(self.state.realm.as_ref().map_or("", |realm| realm.issuer.as_str())),
            },
            way,
        };
        let usable = self.may_start(agent);
        html! {
            @if usable.is_err() {
                div .notice .bad { p { "These settings would not work for you now." } (control::why("start-why", &usable)) }
            }
            nav .tabs aria-label="How the client becomes known" {
                @for (each, name, words) in Way::EACH {
                    a href=(self.choice.by(name, Some(agent), connector)) aria-current=[(each == way).then_some("page")] { (words) }
                }
            }
            p { (way.means()) }
            section {
                h2 { "The address" }
                (pasted("address", &asked.address))
            }
            @if way == Way::Token { (token(agent)) }
            @for (place, one) in settings::of(&asked).iter().enumerate() { (block(place, one)) }
            p .quiet {
                "On the command line: " code { "remit connect --agent " (shown(&agent.name)) }
                ". What was approved for the agent is on " a href={ "/agents/" (agent.name) } { "its page" } "."
            }
        }
    }

    /// Whether this person could start a task of `agent`, as each of the ways does.
    fn may_start(&self, agent: &Agent) -> Result<(), Refusal> {
        let start = StartTask {
            agent: agent.id,
            purpose: "work with a person in an MCP client".to_owned(),
            acting_for: None,
            scope: Vec::new(),
            ttl_seconds: None,
            budget: None,
            parent: None,
            key: None,
            authority: Vec::new(),
            delegation: None,
            configuration: agent.configuration.as_ref().map(|configuration| configuration.digest()),
        };
        control::may(self.state, self.viewer, &Command::StartTask(Box::new(start)), self.now)
    }
}

fn empty() -> Markup {
    html! {
        div .empty {
            p { "You own no agent yet." }
            p { "A client works as an agent: something with a name, an owner and grants. Register one, then come back." }
            pre { "remit agent register NAME --owner YOU --purpose \"answer customers\"" }
            p { a .button href="/agents" { "Agents" } }
        }
    }
}

/// Where a token comes from: it is never shown in the console, so that no page holds one.
fn token(agent: &Agent) -> Markup {
    let start = format!(
        "export REMIT_TASK_TOKEN=$(remit task start {} --purpose \"answer ticket 17\" --ttl 1h --json | jq -r .token)",
        agent.name
    );
    html! {
        section {
            h2 { "Get a task's token" }
            p {
                "A token is good for one task and never outlives it. " code { "remit run" }
                " starts the task, keeps its token fresh and ends it with the command, so prefer that where you can."
            }
            h3 { "A task by hand" }
            (pasted("token", &start))
            p .quiet { "By the API: " code { "POST /v1/tasks" } ", then " code { "POST /v1/tasks/{task}/token" } " for a fresh one." }
        }
    }
}

/// Text that one press copies.
fn pasted(id: &str, text: &str) -> Markup {
    html! {
        div .paste { button type="button" data-copy data-copy-from=(id) { "Copy" } pre #(id) { (shown(text)) } }
    }
}

fn block(place: usize, one: &Settings) -> Markup {
    let id = format!("settings-{place}");
    html! {
        section {
            h2 { (one.client) }
            p .quiet { (one.place) @if !one.note.is_empty() { "; " (one.note) } }
            (pasted(&id, &one.text))
        }
    }
}
