//! What a person is shown before they answer, as one document: the page is made from it, the record commits to it, and a signed answer
//! is bound to it.

use serde_json::{Value, json};

use super::{Approval, ApprovalStatus};
use crate::{AgentId, Digest, Person, PersonId, State, limits};

#[cfg(test)]
mod tests;

/// Denials before it that one document names.
const DENIALS_MAX: usize = 20;

/// The version of this document's form.
const FORM: &str = "remit-shown-1";

/// Everything that a person needs in order to answer about `approval`, in the words of the moment at which it is shown.
///
/// `arguments` and `beside` are exactly what is decided about. Nothing here depends on the time, so that looking again shows the same
/// document for as long as nothing has changed.
pub fn shown(state: &State, approval: &Approval, arguments: &Value, beside: Option<&Value>) -> Value {
    let facts = &approval.facts;
    let task = state.tasks.get(&facts.task);
    let mut document = json!({
        "form": FORM,
        "approval": approval.id,
        "action_digest": approval.digest,
        "agent": agent(state, facts.agent),
        "named_agent": facts.named.map(|named| agent(state, named)),
        "enforcer": facts.enforcer.map(|enforcer| agent(state, enforcer)),
        "acting_for": facts.acting_for.map(|person| name_of(state, person)),
        "run": facts.run,
        "task": {
            "id": facts.task,
            "purpose": task.map(|task| &task.purpose),
            "started_by": task.and_then(|task| task.started_by).map(|person| name_of(state, person)),
            "labels": task.map(|task| &task.labels),
            "data": task.and_then(|task| task.data),
        },
        "attribution": facts.attribution,
        "operation": operation(state, approval),
        "arguments": arguments,
        "projected": state.projected(&facts.operation, arguments),
        "beside": beside,
        "asks": {
            "of": approval.ask.approvers,
            "of_each": approval.ask.lists().map(|(_, quorum)| quorum).collect::<Vec<_>>(),
            "how_many": approval.ask.quorum.max(1),
            "reasons": approval.reasons,
        },
        "rules": rules(state, approval),
        "policies": facts.policies,
        "denied_before": denied_before(state, approval),
        "permits": {
            "times": 1,
            "seconds_after_the_last_yes": limits::APPROVAL_USE_SECONDS,
            "answer_until": approval.expires_at.to_string(),
        },
    });
    if let Value::Object(members) = &mut document {
        members.retain(|_, value| !value.is_null());
    }
    document
}

fn agent(state: &State, id: AgentId) -> Value {
    let known = state.agents.get(&id);
    json!({
        "id": id,
        "name": known.map(|agent| &agent.name),
        "purpose": known.map(|agent| &agent.profile.purpose),
        "class": known.and_then(|agent| agent.profile.class),
        "autonomy": known.and_then(|agent| agent.profile.autonomy),
        "environment": known.and_then(|agent| agent.profile.environment),
        "owner": known.and_then(|agent| agent.profile.owner).map(|owner| name_of(state, owner)),
    })
}

fn name_of(state: &State, id: PersonId) -> String {
    state.people.get(&id).map_or_else(|| id.to_string(), |person: &std::sync::Arc<Person>| person.name.clone())
}

fn operation(state: &State, approval: &Approval) -> Value {
    let name = &approval.facts.operation;
    let known = state.operations.get(name);
    json!({
        "name": name,
        "definition": approval.facts.definition,
        "description": known.and_then(|operation| operation.definition.document.get("description").cloned()),
        "verb": known.map(|operation| operation.verb),
        "risk": known.map(|operation| operation.risk),
        "data": known.map(|operation| operation.data),
        "external": known.map(|operation| operation.external),
        "irreversible": known.map(|operation| operation.irreversible),
    })
}

/// The rules that ask, each with the policy that holds it and the digest of that one's text: the text itself is in the policies' history.
/// Where other policies are active by now than those that asked, only its name is said: what goes by that name today did not ask.
fn rules(state: &State, approval: &Approval) -> Vec<Value> {
    let asked = approval.facts.policies == state.policies.digest();
    let set = if asked { state.compiled().set.as_ref() } else { None };
    let rule = |id: &String| {
        let file = set.and_then(|set| set.rule(id)).map(|rule| &rule.source);
        let text = file.and_then(|file| state.policies.sources.get(file));
        json!({"id": id, "file": file, "sha256": text.map(|text| Digest::of_bytes(text.as_bytes()))})
    };
    approval.ask.policies.iter().map(rule).collect()
}

/// What people already said no to in this task, newest first.
fn denied_before(state: &State, approval: &Approval) -> Vec<Value> {
    let mut denied: Vec<_> = state
        .approvals
        .values()
        .filter(|other| {
            other.facts.task == approval.facts.task
                && other.requested_at <= approval.requested_at
                && other.id != approval.id
                && matches!(other.status, ApprovalStatus::Denied { .. })
        })
        .collect();
    denied.sort_by_key(|other| std::cmp::Reverse((other.requested_at, other.id)));
    denied
        .iter()
        .take(DENIALS_MAX)
        .filter_map(|other| match &other.status {
            ApprovalStatus::Denied { by, note } => Some(json!({
                "approval": other.id, "operation": other.facts.operation, "by": name_of(state, *by), "note": note,
            })),
            _ => None,
        })
        .collect()
}
