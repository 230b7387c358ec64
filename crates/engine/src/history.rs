//! The history of what is under change control, one artefact at a time.

use std::collections::BTreeSet;
use std::str::FromStr;

use remit_domain::{AgentId, ChangeId, ConnectorId, Event, OperationName, PersonId, Refusal, State};

use crate::engine::Engine;
use crate::error::SubmitError;
use crate::record::Committed;
use crate::store::index::Filter;

/// How much of what nobody knows is repeated in a refusal, in characters.
const ECHO_CHARACTERS_MAX: usize = 128;

/// A page of an artefact's history.
#[derive(Debug, Clone)]
pub struct History {
    /// Records about it, and those about the changes that edited it, newest first.
    pub records: Vec<Committed>,
    /// Where the next page begins, if there may be one.
    pub next: Option<u64>,
}

impl Engine {
    /// What happened to `artefact` (`policy:NAME`, `operation:CONNECTOR/TOOL`, `connector:NAME`, `person:NAME`, `agent:NAME`), with
    /// what was answered to the changes that edited it; `limit` records about it before `before_seq`.
    ///
    /// # Errors
    /// If it names nothing that is under change control, or the ledger cannot be read.
    pub async fn history(&self, artefact: &str, limit: usize, before_seq: Option<u64>) -> Result<History, SubmitError> {
        let artefacts = artefact_terms(&self.state(), artefact)?;
        let filter = Filter { artefacts, limit, before_seq, ..Filter::default() };
        let mut records = self.query(filter).await?;
        let next = records.iter().map(|committed| committed.seq).min().filter(|_| records.len() == limit);
        let changes: BTreeSet<ChangeId> = records.iter().filter_map(|one| change_of(&one.record.event)).collect();
        let mut seen: BTreeSet<u64> = records.iter().map(|committed| committed.seq).collect();
        for change in changes {
            let about = self.change_records(change).await?;
            let answers = about.into_iter().filter(|one| !is_about_artefact(&one.record.event));
            records.extend(answers.filter(|one| seen.insert(one.seq)));
        }
        records.sort_by_key(|committed| std::cmp::Reverse(committed.seq));
        Ok(History { records, next })
    }
}

/// By what the search index finds records about `artefact`.
///
/// # Errors
/// If it names nothing that is under change control.
pub fn artefact_terms(state: &State, artefact: &str) -> Result<Vec<String>, Refusal> {
    let bad = || {
        let shown: String = artefact.chars().take(ECHO_CHARACTERS_MAX).collect();
        Refusal::new("bad_artefact", format!("`{shown}` is nothing that is under change control"))
            .help("write `policy:NAME`, `operation:CONNECTOR/TOOL`, `connector:NAME`, `person:NAME` or `agent:NAME`")
    };
    let (kind, name) = artefact.split_once(':').ok_or_else(bad)?;
    Ok(match kind {
        "policy" | "change" => vec![artefact.to_owned()],
        "operation" => {
            let (connector, tool) = name.split_once('/').ok_or_else(bad)?;
            let name = OperationName::new(connector, tool);
            // While it is only proposed, it is known by its connector's id.
            let proposed = state.connectors_by_name.get(name.connector()).map(|id| format!("operation:{id}/{tool}"));
            proposed.into_iter().chain([artefact.to_owned()]).collect()
        }
        "connector" => {
            let by_id = ConnectorId::from_str(name).ok().and_then(|id| state.connectors.get(&id));
            let known = by_id.or_else(|| state.connector_named(name).ok());
            let both = known.map(|known| vec![format!("connector:{}", known.name), format!("connector:{}", known.id)]);
            both.unwrap_or_else(|| vec![artefact.to_owned()])
        }
        // Who has left is still found in the ledger, by id.
        "person" => {
            let id = PersonId::from_str(name).or_else(|_| state.person_named(name).map(|person| person.id))?;
            vec![format!("person:{id}")]
        }
        "agent" => {
            let id = AgentId::from_str(name).or_else(|_| state.agent_named(name).map(|agent| agent.id))?;
            vec![format!("agent:{id}")]
        }
        _ => return Err(bad()),
    })
}

/// The change that an event belongs to, as far as it says so.
pub fn change_of(event: &Event) -> Option<ChangeId> {
    match event {
        Event::ChangeProposed(proposed) => Some(proposed.change),
        Event::EditProposed(proposed) => Some(proposed.change),
        Event::PolicyProposed(proposed) => Some(proposed.change),
        Event::PolicyActivated { change, .. } => *change,
        Event::ChangeApproved { change, .. }
        | Event::ChangeRejected { change, .. }
        | Event::ChangeReviewed { change, .. }
        | Event::ChangeChecked { change, .. }
        | Event::PolicyRejected { change, .. } => Some(*change),
        _ => None,
    }
}

/// Whether it is about an artefact itself: then another artefact of the same change has no part in this history.
fn is_about_artefact(event: &Event) -> bool {
    matches!(event, Event::EditProposed(_) | Event::PolicyActivated { .. } | Event::PolicyProposed(_))
}
