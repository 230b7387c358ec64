//! What is under change control, with the last change of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use maud::{Markup, html};
use remit_domain::{Agent, AgentId, ConnectorId, PersonId, Right, State, Timestamp, may, may_read_records};
use remit_engine::Committed;
use serde::Deserialize;

use crate::errors::PageError;
use crate::names::Names;
use crate::parts::filters;
use crate::parts::sentence::sentence;
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::{Console, limits};

/// A kind of artefact, by the word before the colon of its name.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    #[default]
    Policy,
    Connector,
    Operation,
    Agent,
    Person,
}

impl Kind {
    const EACH: [Self; 5] = [Self::Policy, Self::Connector, Self::Operation, Self::Agent, Self::Person];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Connector => "connector",
            Self::Operation => "operation",
            Self::Agent => "agent",
            Self::Person => "person",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Policy => "Policies",
            Self::Connector => "Connectors",
            Self::Operation => "Operations",
            Self::Agent => "Agents",
            Self::Person => "People",
        }
    }

    /// What of them is under change control.
    const fn means(self) -> &'static str {
        match self {
            Self::Policy => "The texts of the policies, those that were removed too.",
            Self::Connector => "Which connectors there are, and where they lead.",
            Self::Operation => "Which operations are approved, as what, and what was withdrawn.",
            Self::Agent => {
                "What agents are registered as: owners, lists of approvers, and the configurations that they may run with."
            }
            Self::Person => "Groups, what people may use themselves, and who answers in their absence.",
        }
    }
}

/// An artefact with the newest record about it.
struct Row {
    artefact: String,
    last: Committed,
}

/// # Errors
/// If the ledger cannot be read.
pub(super) async fn render(
    console: &Console,
    state: &State,
    person: PersonId,
    kind: Kind,
    after: Option<String>,
    now: Timestamp,
) -> Result<Markup, PageError> {
    let is_reader = may_read_records(state, person).is_ok();
    let (found, next) = match (is_reader, kind) {
        (true, _) => of_kind(console, state, kind, after).await?,
        (false, Kind::Agent) => (own_agents(console, state, person).await?, None),
        (false, _) => (Vec::new(), None),
    };
    let mut rows = Vec::new();
    for (artefact, seq) in found {
        rows.extend(console.engine.record(seq).await?.map(|last| Row { artefact, last }));
    }
    Ok(html! {
        p .crumb { a href="/changes" { "Changes" } " / history" }
        div .page-head { div { h1 { "History" } p { "What decides about agents, and what happened to it last. Each has a page with all that happened to it." } } }
        nav .tabs aria-label="Of what" {
            @for each in Kind::EACH {
                a href={ "/history?kind=" (each.as_str()) } aria-current=[(each == kind).then_some("page")] { (each.label()) }
            }
        }
        p .quiet { (kind.means()) }
        @if rows.is_empty() { (empty(is_reader, kind)) } @else { (table(state, &rows, now)) }
        @if let Some(next) = next {
            (filters::next(&filters::address("/history", &[("kind", kind.as_str()), ("after", &next)]), "More of them"))
        }
    })
}

/// All of a kind that the index has, as far as a page holds, and where the next page begins.
async fn of_kind(
    console: &Console,
    state: &State,
    kind: Kind,
    after: Option<String>,
) -> Result<(Vec<(String, u64)>, Option<String>), PageError> {
    let found = console.engine.artefacts(kind.as_str(), after, limits::HISTORY_ROWS_MAX).await?;
    let next = found.last().filter(|_| found.len() == limits::HISTORY_ROWS_MAX).map(|(artefact, _)| artefact.clone());
    // One thing may be known by its name and, while it was only proposed, by an id.
    let mut newest: BTreeMap<String, u64> = BTreeMap::new();
    for (artefact, seq) in found {
        let place = newest.entry(by_name(state, &artefact)).or_default();
        *place = seq.max(*place);
    }
    Ok((newest.into_iter().collect(), next))
}

/// Of agents that somebody answers or approves for.
async fn own_agents(console: &Console, state: &State, person: PersonId) -> Result<Vec<(String, u64)>, PageError> {
    let may_read = |agent: &&Arc<Agent>| may(state, person, Right::ReadAgent(agent.id)).is_ok();
    let mut own: Vec<&Arc<Agent>> = state.agents.values().filter(may_read).collect();
    own.sort_by(|one, other| one.name.cmp(&other.name));
    own.truncate(limits::HISTORY_ROWS_MAX);
    Ok(console.engine.newest_about(own.iter().map(|agent| format!("agent:{}", agent.id)).collect()).await?)
}

/// `artefact` with the connector's name in place of its id, where it has one.
fn by_name(state: &State, artefact: &str) -> String {
    let Some((kind @ ("connector" | "operation"), name)) = artefact.split_once(':') else { return artefact.to_owned() };
    let (id, tool) = name.split_once('/').map_or((name, None), |(id, tool)| (id, Some(tool)));
    let known = id.parse::<ConnectorId>().ok().and_then(|id| state.connectors.get(&id));
    match (known, tool) {
        (Some(connector), None) => format!("{kind}:{}", connector.name),
        (Some(connector), Some(tool)) => format!("{kind}:{}/{tool}", connector.name),
        (None, _) => artefact.to_owned(),
    }
}

/// `artefact` as people call it: agents and people by their names as long as they are there.
pub(super) fn named(state: &State, artefact: &str) -> String {
    let name = match artefact.split_once(':') {
        Some(("agent", id)) => id.parse().ok().and_then(|id: AgentId| state.agents.get(&id)).map(|agent| &agent.name),
        Some(("person", id)) => {
            id.parse().ok().and_then(|id: PersonId| state.people.get(&id)).map(|person| &person.name)
        }
        _ => None,
    };
    match (artefact.split_once(':'), name) {
        (Some((kind, _)), Some(name)) => format!("{kind}:{name}"),
        _ => by_name(state, artefact),
    }
}

fn table(state: &State, rows: &[Row], now: Timestamp) -> Markup {
    html! {
        div .scroll {
            table .rows {
                thead { tr { th { "What" } th { "Last change" } th { "When" } th { "Record" } } }
                tbody {
                    @for Row { artefact, last } in rows {
                        tr {
                            td { a href=(filters::address("/history", &[("artefact", artefact)])) { code { (shown(&named(state, artefact))) } } }
                            td { (sentence(&last.record.actor, &last.record.event, Names(state))) }
                            td { (moment(last.at, now)) }
                            td { a href={ "/records/" (last.seq) } { "#" (last.seq) } }
                        }
                    }
                }
            }
        }
    }
}

fn empty(is_reader: bool, kind: Kind) -> Markup {
    html! {
        div .empty {
            @if is_reader {
                p { "Nothing of this kind was ever changed." }
                p { "It appears here with its first change. Changes that wait for an answer are on " a href="/changes" { "their own page" } "." }
            } @else if kind == Kind::Agent {
                p { "You answer or approve for no agent." }
                p { "The history of an agent is for those who do, and for auditors." }
            } @else {
                p { "This history is for administrators, auditors and reviewers." }
                p { "Of agents that you answer or approve for you find it under " a href="/history?kind=agent" { "agents" } "." }
            }
        }
    }
}
