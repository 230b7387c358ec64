//! A call that breaks an invariant, and the proof that it does: Remit's own evaluator allows it.

use remit_policy::{
    ApprovalFacts, Decision, Facts, OperationShape, Outcome, PolicySet, PolicySource, Problem, Request, Schema,
    evaluate,
};
use serde_json::{Value, json};

use crate::estate::forbid_where;
use crate::{Estate, Invariant, case};

#[cfg(test)]
mod tests;

/// The `@id` of the policy that forbids what the invariant says never happens.
const NEVER: &str = "remit-prove-never";

/// One concrete call, with everything that policies see of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Counterexample {
    /// Who calls what.
    pub facts: Facts,
    /// The operation that is called.
    pub shape: OperationShape,
    /// What it is called with.
    pub arguments: Value,
    /// What people have approved.
    pub approval: Option<ApprovalFacts>,
    /// When, in milliseconds since 1970.
    pub now_ms: i64,
    /// How long ago the credential of the call was issued, in seconds.
    pub credential_age_s: i64,
    /// The `@id`s of the policies that allow it.
    pub determining: Vec<String>,
}

impl Counterexample {
    /// This call, if [`evaluate`] allows it by the policies of `estate`, and if it is one that `invariant` speaks of: it
    /// is, if a policy that forbids those denies it.
    pub(crate) fn confirmed(&self, estate: &Estate, invariant: &Invariant) -> Result<Self, String> {
        let decision = self.decide(estate, None)?;
        if decision.outcome != Outcome::Allow {
            let why = decision.reasons.into_iter().chain(decision.errors).collect::<Vec<_>>().join("; ");
            return Err(format!("Remit itself does not allow it: {why}"));
        }
        let never = PolicySource { name: NEVER.to_owned(), text: forbid_where(NEVER, &invariant.never.clauses()) };
        let forbidden = self.decide(estate, Some(never))?;
        if !forbidden.determining.iter().any(|id| id == NEVER) {
            return Err("the invariant does not speak of it".to_owned());
        }
        Ok(Self { determining: decision.determining, ..self.clone() })
    }

    fn decide(&self, estate: &Estate, more: Option<PolicySource>) -> Result<Decision, String> {
        let mut operations = estate.operations.clone();
        if estate.operation(&self.shape.id).is_none() {
            operations.push(self.shape.clone());
        }
        let schema = Schema::generate(operations.iter()).map_err(|error| error.to_string())?;
        let sources: Vec<PolicySource> = estate.sources.iter().cloned().chain(more).collect();
        let set = PolicySet::compile(&sources, &schema).map_err(|problems| first(&problems))?;
        let request = Request {
            facts: &self.facts,
            shape: &self.shape.arguments,
            arguments: &self.arguments,
            approval: self.approval.as_ref(),
            now_ms: self.now_ms,
            credential_age_s: self.credential_age_s,
        };
        Ok(evaluate(&set, &schema, &request))
    }

    /// The same as a `[[case]]` that expects a deny, and so fails until the hole is closed. Nothing if it depends on something that
    /// cases do not say, such as a grant's reason.
    pub fn case(&self, invariant: &Invariant, estate: &Estate) -> Option<String> {
        case::written(self, invariant, estate)
    }

    /// What it is, each fact in words, for people.
    pub fn card(&self) -> Vec<(&'static str, String)> {
        let Facts { agent, owner, task, acting_for, acting_for_entitled, grant, operation } = &self.facts;
        let agent = format!(
            "{}: class {}, autonomy A{}, data up to D{}, environment {}, identity {}",
            agent.name,
            agent.class,
            agent.autonomy,
            agent.data,
            agent.environment,
            agent.attribution.as_str()
        );
        let mut on_whose_behalf =
            acting_for.as_ref().map_or("nobody".to_owned(), |person| in_groups(&person.id, &person.groups));
        if let Some(entitled) = acting_for_entitled {
            on_whose_behalf.push_str(if *entitled { ", who may do it" } else { ", who may not do it" });
        }
        let work = [
            format!("{} calls before", task.calls),
            class_seen("has read", task.data),
            class_seen("approved for", task.approved_data),
            listed("labels", task.labels.iter(), "none"),
            listed("passed on by", task.chain.iter(), "nobody"),
        ];
        let marks = [
            (operation.external, "external"),
            (operation.irreversible, "irreversible"),
            (operation.sandbox, "in the sandbox"),
        ];
        let marks = marks.iter().filter(|(is_so, _)| *is_so).map(|(_, word)| format!(", {word}"));
        let operation = format!(
            "{}: effect {}, data D{}, risk {}{}",
            operation.id,
            operation.verb,
            operation.data,
            operation.risk,
            marks.collect::<String>()
        );
        let grant = grant.as_ref().map_or("none", |grant| match grant.exact {
            true => "a live one for exactly this operation",
            false => "a live one for all of the connector",
        });
        let approval = self.approval.as_ref().map_or("none".to_owned(), |approval| {
            let people: Vec<&str> = approval.approvers.iter().map(String::as_str).collect();
            format!(
                "by {} ({} in all), {}",
                people.join(", "),
                approval.count,
                listed("as", approval.roles.iter(), "nobody in particular")
            )
        });
        vec![
            ("agent", agent),
            ("owner", in_groups(&owner.id, &owner.groups)),
            ("acts for", on_whose_behalf),
            ("task", work.join("; ")),
            ("grant", grant.to_owned()),
            ("operation", operation),
            ("arguments", self.arguments.to_string()),
            ("approval", approval),
            ("credential", format!("{} s old", self.credential_age_s)),
        ]
    }

    /// All of it, for programs.
    pub fn document(&self) -> Value {
        let Facts { agent, owner, task, acting_for, acting_for_entitled, grant, operation } = &self.facts;
        json!({
            "agent": {
                "name": agent.name, "class": agent.class, "environment": agent.environment, "autonomy": agent.autonomy,
                "data": agent.data, "attribution": agent.attribution,
            },
            "owner": { "id": owner.id, "groups": owner.groups },
            "acting_for": acting_for.as_ref().map(|person| json!({ "id": person.id, "groups": person.groups })),
            "acting_for_entitled": acting_for_entitled,
            "task": {
                "id": task.id, "purpose": task.purpose, "labels": task.labels, "calls": task.calls,
                "approved_data": task.approved_data, "data": task.data, "chain": task.chain, "names": task.names,
            },
            "grant": grant.as_ref().map(|grant| json!({
                "id": grant.id, "reason": grant.reason, "expires_at_ms": grant.expires_at_ms, "exact": grant.exact,
            })),
            "operation": {
                "id": operation.id, "connector": operation.connector, "verb": operation.verb, "risk": operation.risk,
                "data": operation.data, "external": operation.external, "sandbox": operation.sandbox,
                "irreversible": operation.irreversible,
            },
            "arguments": self.arguments,
            "approval": self.approval.as_ref().map(|approval| json!({
                "roles": approval.roles, "approvers": approval.approvers, "count": approval.count,
                "approved_at_ms": approval.approved_at_ms,
            })),
            "now_ms": self.now_ms,
            "credential_age": self.credential_age_s,
            "policies": self.determining,
        })
    }
}

fn first(problems: &[Problem]) -> String {
    problems.first().map_or_else(String::new, ToString::to_string)
}

fn in_groups(id: &str, groups: &[String]) -> String {
    if groups.is_empty() { id.to_owned() } else { format!("{id}, in {}", groups.join(", ")) }
}

fn class_seen(what: &str, class: i8) -> String {
    if class < 0 { format!("{what} nothing") } else { format!("{what} data up to D{class}") }
}

fn listed<'a>(what: &str, words: impl Iterator<Item = &'a String>, none: &str) -> String {
    let words: Vec<&str> = words.map(String::as_str).collect();
    if words.is_empty() { format!("{what} {none}") } else { format!("{what} {}", words.join(", ")) }
}
