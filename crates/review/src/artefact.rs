//! What an edit would make of its artefact: for whoever decides about a change.

use remit_domain::{
    AddConnector, AgentId, Configuration, ConnectorId, ConnectorSpec, Edit, OperationChoice, OperationEdit,
    OperationPattern, PersonId, State,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::difference::{Change, Difference, compare};
use crate::lines::unified;

#[cfg(test)]
mod tests;

/// One artefact as it is, beside what an edit makes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// As people name it: `policy:refunds`.
    pub artefact: String,
    /// Which part of it: `policy`, `connector`, `operation`, `groups`, `approvers`, `entitlements` or `configuration`.
    pub part: String,
    /// Whether the edit adds it, removes it or changes it; nothing if all stays as it is.
    pub change: Option<Change>,
    /// For policies: a unified diff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// For all others: member by member.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

/// What `edit` would make of what is in `before`.
pub fn compare_edit(before: &State, edit: &Edit) -> Comparison {
    let artefact = edit.artefact(before);
    let compared = |part: &str, was: Option<Value>, is: Option<Value>| members(artefact.clone(), part, was, is);
    match edit {
        Edit::Policy(edit) => {
            let was = before.policies.sources.get(&edit.name);
            policy(artefact, was.map(String::as_str), edit.text.as_deref())
        }
        Edit::Connector(add) => {
            let known = before.connector_named(&add.name).ok();
            let was = known.map(|known| connector(before, known.owner, &known.spec, known.sandbox));
            let owner = add.owner.or(known.map(|known| known.owner));
            compared("connector", was, Some(added(before, add, owner)))
        }
        Edit::Operation(edit) => {
            let known = before.operations.get(operation_name(before, edit).as_str());
            operation(artefact, known.map(|known| known.choice()).as_ref(), &edit.choice)
        }
        Edit::Groups { person, groups } => {
            let was = before.people.get(person).map(|person| json!({"groups": person.groups}));
            compared("groups", was, Some(json!({"groups": groups})))
        }
        Edit::Approvers { agent, owner, approvers } => {
            let profile = before.agents.get(agent).map(|agent| &agent.profile);
            let was = profile.map(|profile| approving(before, profile.owner, &profile.approvers));
            compared("approvers", was, Some(approving(before, Some(*owner), approvers)))
        }
        Edit::Entitlements { person, operations } => {
            let was = before.people.get(person).and_then(|person| person.entitlements.as_deref());
            compared("entitlements", was.map(entitled), operations.as_deref().map(entitled))
        }
        Edit::Absence { person, absence } => {
            let was = before.people.get(person).and_then(|person| person.absence.as_ref());
            let said = |absence: &remit_domain::Absence| absent(before, absence);
            compared("absence", was.map(said), absence.as_ref().map(said))
        }
        Edit::Configuration { agent, configuration } => {
            let was = configuration_of(before, *agent);
            compared("configuration", was.map(|was| json!(was)), configuration.as_ref().map(|is| json!(is)))
        }
    }
}

fn absent(state: &State, absence: &remit_domain::Absence) -> Value {
    let deputy = state.people.get(&absence.deputy).map(|person| person.name.clone());
    json!({"deputy": deputy, "from": absence.from.to_string(), "until": absence.until.to_string()})
}

/// What brings the artefacts of a change back to what they were.
#[derive(Debug, Clone, PartialEq)]
pub struct Undoing {
    /// What to propose; empty if all is as it was.
    pub edits: Vec<Edit>,
    /// Artefacts that were not there before, and so have nothing that they could become again: they are removed by hand.
    pub added: Vec<String>,
}

/// What undoes `change`, which became active in the state `before`, as far as it is not undone `now`.
pub fn undo(change: &remit_domain::Change, before: &State, now: &State) -> Undoing {
    let mut undoing = Undoing { edits: Vec::new(), added: Vec::new() };
    for one in &change.edits {
        let edit = one.edit.clone().moved_on(before, now);
        match one.edit.as_it_was(before).map(|back| back.moved_on(before, now)) {
            None => undoing.added.push(edit.artefact(now)),
            Some(back) if edit.as_it_was(now).as_ref() == Some(&back) => {}
            Some(back) => undoing.edits.push(back),
        }
    }
    undoing
}

fn policy(artefact: String, was: Option<&str>, is: Option<&str>) -> Comparison {
    let change = match (was, is) {
        (None, Some(_)) => Some(Change::Added),
        (Some(_), None) => Some(Change::Removed),
        (was, is) => (was != is).then_some(Change::Changed),
    };
    let text = unified(was.unwrap_or_default(), is.unwrap_or_default());
    Comparison { artefact, part: "policy".to_owned(), change, text: Some(text), differences: Vec::new() }
}

/// Two documents member by member. One that is not there has no members.
fn members(artefact: String, part: &str, was: Option<Value>, is: Option<Value>) -> Comparison {
    let differences = compare(was.as_ref().unwrap_or(&json!({})), is.as_ref().unwrap_or(&json!({})));
    let change = match (&was, &is) {
        (None, Some(_)) => Some(Change::Added),
        (Some(_), None) => Some(Change::Removed),
        _ => (!differences.is_empty()).then_some(Change::Changed),
    };
    Comparison { artefact, part: part.to_owned(), change, text: None, differences }
}

/// What a person decides of an operation, and then what its server says of it: what the latter calls itself must not pass for the former.
fn operation(artefact: String, was: Option<&OperationChoice>, is: &OperationChoice) -> Comparison {
    let decided = |choice: &OperationChoice| {
        json!({
            "verb": choice.verb,
            "risk": choice.risk,
            "data": choice.data,
            "external": choice.external,
            "irreversible": choice.irreversible,
            "projections": choice.projections,
        })
    };
    let mut compared = members(artefact, "operation", was.map(decided), Some(decided(is)));
    let before = was.map_or_else(|| json!({}), |was| was.definition.document.clone());
    compared.differences.extend(compare(&before, &is.definition.document));
    if compared.change.is_none() && !compared.differences.is_empty() {
        compared.change = Some(Change::Changed);
    }
    compared
}

fn operation_name(state: &State, edit: &OperationEdit) -> String {
    format!("{}/{}", connector_name(state, edit.connector), edit.choice.tool)
}

fn connector_name(state: &State, connector: ConnectorId) -> String {
    state.connectors.get(&connector).map_or_else(|| connector.to_string(), |connector| connector.name.clone())
}

fn person_name(state: &State, person: PersonId) -> String {
    state.people.get(&person).map_or_else(|| person.to_string(), |person| person.name.clone())
}

fn connector(state: &State, owner: PersonId, spec: &ConnectorSpec, sandbox: bool) -> Value {
    json!({"owner": person_name(state, owner), "reached": spec, "sandbox": sandbox})
}

fn added(state: &State, add: &AddConnector, owner: Option<PersonId>) -> Value {
    let owner = owner.map(|owner| person_name(state, owner));
    json!({"owner": owner, "reached": add.spec, "sandbox": add.sandbox})
}

fn approving(state: &State, owner: Option<PersonId>, approvers: &[PersonId]) -> Value {
    let approvers: Vec<String> = approvers.iter().map(|person| person_name(state, *person)).collect();
    json!({"owner": owner.map(|owner| person_name(state, owner)), "approvers": approvers})
}

fn entitled(operations: &[OperationPattern]) -> Value {
    json!({"operations": operations})
}

fn configuration_of(state: &State, agent: AgentId) -> Option<&Configuration> {
    state.agents.get(&agent).and_then(|agent| agent.configuration.as_ref())
}
