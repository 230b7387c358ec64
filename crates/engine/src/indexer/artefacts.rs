//! What is under change control, and which records are about it.

use remit_domain::{Edit, Event};

use crate::record::Record;

/// The kinds of events that are about something under change control. All others, which are nearly all, are not read for it.
const KINDS: &[&str] = &[
    "AgentDescribed",
    "AgentRegistered",
    "ChangeApproved",
    "ChangeChecked",
    "ChangeProposed",
    "ChangeRejected",
    "ChangeReviewed",
    "ConfigurationApproved",
    "ConnectorAdded",
    "ConnectorRemoved",
    "EditProposed",
    "OperationApproved",
    "OperationWithdrawn",
    "PersonAdded",
    "PersonEntitled",
    "PersonGroupsSet",
    "PersonRemoved",
    "PolicyActivated",
    "PolicyProposed",
    "PolicyRejected",
];

/// What the entry `entry`, of an event of the kind `kind`, is about.
pub(super) fn of_entry(kind: &str, entry: &[u8]) -> Result<Vec<String>, String> {
    if !KINDS.contains(&kind) {
        return Ok(Vec::new());
    }
    let record: Record = serde_json::from_slice(entry).map_err(|error| format!("it is not a record: {error}"))?;
    Ok(of_event(&record.event))
}

/// The terms by which an event is found: `policy:NAME`, `operation:CONNECTOR/TOOL`, `connector:NAME`, and people, agents and changes
/// by their ids, as in `person:per_…`.
pub(super) fn of_event(event: &Event) -> Vec<String> {
    match event {
        Event::PolicyActivated { change, edits, .. } => {
            let policies = edits.iter().map(|edit| format!("policy:{}", edit.name));
            policies.chain(change.map(|change| format!("change:{change}"))).collect()
        }
        Event::PolicyProposed(proposed) => {
            let policies = proposed.edits.iter().map(|edit| format!("policy:{}", edit.name));
            policies.chain([format!("change:{}", proposed.change)]).collect()
        }
        Event::ChangeProposed(proposed) => vec![format!("change:{}", proposed.change)],
        Event::EditProposed(proposed) => {
            let mut terms = of_edit(&proposed.edit);
            terms.push(format!("change:{}", proposed.change));
            terms
        }
        Event::PolicyRejected { change, .. }
        | Event::ChangeApproved { change, .. }
        | Event::ChangeRejected { change, .. }
        | Event::ChangeReviewed { change, .. }
        | Event::ChangeChecked { change, .. } => vec![format!("change:{change}")],
        Event::ConnectorAdded(added) => {
            vec![format!("connector:{}", added.name), format!("connector:{}", added.connector)]
        }
        Event::ConnectorRemoved { connector } => vec![format!("connector:{connector}")],
        Event::OperationApproved(approved) => vec![format!("operation:{}", approved.name)],
        Event::OperationWithdrawn { operation, .. } => vec![format!("operation:{operation}")],
        Event::PersonAdded(added) => vec![format!("person:{}", added.person)],
        Event::PersonGroupsSet { person, .. }
        | Event::PersonEntitled { person, .. }
        | Event::PersonRemoved { person } => vec![format!("person:{person}")],
        Event::AgentRegistered(registered) => vec![format!("agent:{}", registered.agent)],
        Event::AgentDescribed { agent, .. } | Event::ConfigurationApproved { agent, .. } => {
            vec![format!("agent:{agent}")]
        }
        _ => Vec::new(),
    }
}

/// An operation that is only proposed is known by its connector's id, which alone stands in the edit.
fn of_edit(edit: &Edit) -> Vec<String> {
    match edit {
        Edit::Policy(edit) => vec![format!("policy:{}", edit.name)],
        Edit::Connector(add) => vec![format!("connector:{}", add.name)],
        Edit::Operation(edit) => vec![format!("operation:{}/{}", edit.connector, edit.choice.tool)],
        Edit::Groups { person, .. } | Edit::Entitlements { person, .. } | Edit::Absence { person, .. } => {
            vec![format!("person:{person}")]
        }
        Edit::Approvers { agent, .. } | Edit::Configuration { agent, .. } => vec![format!("agent:{agent}")],
    }
}
