//! Agents: what they are, what they may do, what they did, and how they begin and end.

mod actions;
pub(crate) mod ask;
pub(crate) mod card;
pub(crate) mod configuration;
pub(crate) mod describe;
pub(crate) mod enrolment;
pub(crate) mod findings;
pub(crate) mod grants;
pub(crate) mod life;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod people;
mod profile;
pub(crate) mod receipt;
pub(crate) mod tasks;
#[cfg(test)]
mod tests;
pub(crate) mod timeline;

use std::sync::Arc;

use maud::{Markup, html};
use remit_domain::{Agent, AgentId, Command, Refusal, Right, State, Timestamp, may};

use crate::layout::{self, Frame, Place};
use crate::pages::control;
use crate::parts::pill::{self, Tone};
use crate::parts::text::shown;
use crate::parts::{id, pill::pill};
use crate::session::Viewer;
use crate::{Console, answers};

/// What the pages of one agent are made from.
struct About<'a> {
    state: &'a State,
    viewer: &'a Viewer,
    agent: &'a Arc<Agent>,
    now: Timestamp,
}

/// The pages of one agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Access,
    Timeline,
    Tasks,
    Grants,
    Configuration,
    People,
    Findings,
    /// What is reached from the others: no tab is current there.
    Beside(&'static str),
}

impl Tab {
    const RECEIPT: Self = Self::Beside("Receipt");
    const EACH: [(Self, &'static str, &'static str); 7] = [
        (Self::Access, "", "Access"),
        (Self::Timeline, "/timeline", "Timeline"),
        (Self::Tasks, "/tasks", "Tasks"),
        (Self::Grants, "/grants", "Grants"),
        (Self::Configuration, "/configuration", "Configuration"),
        (Self::People, "/people", "People"),
        (Self::Findings, "/findings", "Findings"),
    ];

    /// Whether it tells what the agent did, and so is not for everybody.
    const fn is_for_readers(self) -> bool {
        matches!(self, Self::Timeline | Self::Findings)
    }

    /// What the page is called after the agent's name; nothing for the first.
    fn words(self) -> Option<&'static str> {
        match self {
            Self::Access => None,
            Self::Beside(words) => Some(words),
            _ => Self::EACH.into_iter().find(|(tab, ..)| *tab == self).map(|(_, _, words)| words),
        }
    }
}

/// The agent by its name, or by its id.
fn find<'a>(state: &'a State, name: &str) -> Result<&'a Arc<Agent>, Refusal> {
    match name.parse::<AgentId>() {
        Ok(id) => state.agent(id),
        Err(_) if name.len() > remit_domain::limits::NAME_BYTES_MAX => {
            Err(Refusal::unknown("agent", "of such a long name"))
        }
        Err(_) => state.agent_named(name),
    }
}

/// The id of the agent that an address names.
fn id_of(console: &Console, name: &str) -> Result<AgentId, Refusal> {
    console.engine.read(|state| find(state, name).map(|agent| agent.id))
}

/// The address of an agent's page. What is called like a page of ours is reached by its id.
fn address(agent: &Agent) -> String {
    if agent.name == new::NAME { format!("/agents/{}", agent.id) } else { format!("/agents/{}", agent.name) }
}

impl<'a> About<'a> {
    fn new(state: &'a State, viewer: &'a Viewer, name: &str, now: Timestamp) -> Result<Self, Refusal> {
        Ok(Self { state, viewer, agent: find(state, name)?, now })
    }

    /// The address of one of its pages or forms.
    fn address(&self, verb: &str) -> String {
        format!("{}/{verb}", address(self.agent))
    }

    /// Whether the viewer could do `command` now.
    fn can(&self, command: &Command) -> Result<(), Refusal> {
        control::may(self.state, self.viewer, command, self.now)
    }

    /// Whether the viewer may read what the agent did.
    fn may_read(&self) -> Result<(), Refusal> {
        may(self.state, self.viewer.person, Right::ReadAgent(self.agent.id))
    }

    /// One of its pages, with everything that stands on all of them.
    fn page(&self, tab: Tab, body: &Markup) -> Markup {
        let waiting = answers::waiting_count(self.state, &self.viewer.actor(), self.now);
        let name = &self.agent.name;
        let title = tab.words().map_or_else(|| name.clone(), |words| format!("{name}: {}", words.to_lowercase()));
        let frame = Frame { title: &title, place: Place::Agents, viewer: self.viewer, waiting, refreshes: false };
        layout::page(
            &frame,
            &html! {
                p .crumb {
                    a href="/agents" { "Agents" } " / "
                    @if tab == Tab::Access { (id::short(self.agent.id)) } @else { a href=(address(self.agent)) { (shown(name)) } }
                }
                div .page-head {
                    div {
                        h1 {
                            (shown(name))
                            @if let Some(words) = tab.words() { span .quiet { ": " (words.to_lowercase()) } }
                            " " (pill::agent(self.agent.status))
                        }
                        @if !self.agent.profile.purpose.is_empty() { p { (shown(&self.agent.profile.purpose)) } }
                    }
                    (actions::bar(self))
                }
                @if tab != Tab::RECEIPT { (actions::next_step(self)) }
                (self.tabs(tab))
                (body)
            },
        )
    }

    fn tabs(&self, current: Tab) -> Markup {
        let may_read = self.may_read();
        let of_it = |finding: &&Arc<remit_domain::Finding>| finding.agent == self.agent.id && finding.closed.is_none();
        let findings = if may_read.is_ok() { self.state.findings.values().filter(of_it).count() } else { 0 };
        html! {
            div {
                nav .tabs aria-label={ "About " (self.agent.name) } {
                    @for (tab, path, words) in Tab::EACH {
                        @if tab.is_for_readers() && may_read.is_err() {
                            span .off aria-describedby="read-why" { (words) }
                        } @else {
                            a href={ (address(self.agent)) (path) } aria-current=[(tab == current).then_some("page")] {
                                (words)
                                @if tab == Tab::Findings && findings > 0 { " " (pill(Tone::Bad, &findings.to_string())) }
                            }
                        }
                    }
                }
                (control::why("read-why", &may_read))
            }
        }
    }
}
