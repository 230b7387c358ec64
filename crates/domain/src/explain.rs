//! A full account of one decision: which facts it was made from, what each agent concerned may do, which rules said so, and what would be
//! needed.

use std::collections::BTreeSet;

use remit_policy::{Effect, Facts, Outlook, Reach, Request, outlook};
use serde::Serialize;
use serde_json::{Value, json};

use crate::facts::{self, Decision};
use crate::replay::Answer;
use crate::{ActionFacts, AgentId, Ask, AttemptAction, Compiled, Refusal, State, Task, Timestamp, action, approval};

#[cfg(test)]
mod tests;

/// What would be said to a call, and why.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    pub decision: Answer,
    /// For a deny or an ask: why, one sentence per cause.
    pub reasons: Vec<String>,
    /// The refusal that a caller would get, if it is denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// Whether the policies decided; if not, something before them refused.
    pub by_policies: bool,
    /// The agents that must all be allowed: the one that acts first, then those that passed the task on.
    pub legs: Vec<Leg>,
    /// The rules that determined it, with their texts.
    pub rules: Vec<Explained>,
    /// What people would have to approve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Ask>,
}

/// What one of the agents may do.
#[derive(Debug, Clone, Serialize)]
pub struct Leg {
    pub agent: String,
    /// Why it is asked about.
    pub why: &'static str,
    pub decision: Answer,
    pub determining: Vec<String>,
    pub reasons: Vec<String>,
    /// What the policies saw.
    pub facts: Value,
    /// Before any argument, approval or time is known: `always`, `never` or `depends`.
    pub reach: &'static str,
    /// Where it depends: the condition under which a call is allowed, in Cedar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// A rule with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    pub id: String,
    pub source: String,
    pub line: Option<usize>,
    pub effect: &'static str,
    pub reason: Option<String>,
    pub text: String,
}

/// Explains what `compiled` would say at `now` to `attempt`, and what all else would.
///
/// # Errors
///
/// If its task is not known.
pub fn explain(
    state: &State,
    compiled: &Compiled,
    attempt: &AttemptAction,
    now: Timestamp,
) -> Result<Explanation, Refusal> {
    let task = state.task(attempt.task)?;
    let facts = action::facts_of(state, attempt, task);
    let open = action::must_be_open(state, attempt, task, &facts, now);
    let (decision, legs) = policies(state, compiled, attempt, task, &facts, now);
    let determining: BTreeSet<&String> = legs.iter().flat_map(|leg| &leg.determining).collect();
    let rules = determining.into_iter().filter_map(|id| explained(compiled, id)).collect();
    let mut explanation = Explanation {
        decision: Answer::Deny,
        reasons: Vec::new(),
        refusal: None,
        by_policies: true,
        legs,
        rules,
        approval: None,
    };
    match (open, decision) {
        (Err(refusal), _) => {
            explanation.by_policies = false;
            explanation.deny(refusal);
        }
        (Ok(_), Decision::Deny { refusal, .. }) => explanation.deny(refusal),
        (Ok(_), Decision::Allow { .. }) => explanation.decision = Answer::Allow,
        (Ok(_), Decision::Ask { ask, reasons }) => {
            match approval::somebody_can_answer(state, task, &facts, &ask) {
                Ok(()) => (explanation.decision, explanation.reasons) = (Answer::Ask, reasons),
                Err(refusal) => explanation.deny(refusal),
            }
            explanation.approval = Some(ask);
        }
    }
    Ok(explanation)
}

impl Explanation {
    fn deny(&mut self, refusal: Refusal) {
        self.reasons = vec![refusal.sentence.clone()];
        self.refusal = Some(refusal);
    }
}

/// What the policies say, for each agent; of agents further up also where the first is denied already.
fn policies(
    state: &State,
    compiled: &Compiled,
    attempt: &AttemptAction,
    task: &Task,
    known: &ActionFacts,
    now: Timestamp,
) -> (Decision, Vec<Leg>) {
    let (Some(set), Some(schema)) = (&compiled.set, &compiled.schema) else {
        let refusal = facts::policies_broken(compiled.broken.as_deref());
        return (Decision::Deny { determining: Vec::new(), refusal }, Vec::new());
    };
    let (Some(operation), Some(shape)) =
        (state.operations.get(&attempt.operation), compiled.shapes.get(&attempt.operation))
    else {
        let refusal =
            Refusal::new("operation_unknown", format!("`{}` is not there or not approved", attempt.operation));
        return (Decision::Deny { determining: Vec::new(), refusal }, Vec::new());
    };
    let usable = approval::usable(state, known.digest(), now).map(|approval| facts::approval_facts(approval, now));
    let mut legs = Vec::new();
    let decide = |leg: facts::Leg<'_>| {
        let facts = facts::facts_of(state, leg, known.acting_for, operation, now);
        let request = Request {
            facts: &facts,
            shape,
            arguments: &attempt.arguments,
            approval: usable.as_ref(),
            now_ms: now.as_millis(),
            credential_age_s: known.credential_age_seconds(state, task, now),
        };
        let decided = facts::in_words(remit_policy::evaluate(set, schema, &request), &facts);
        let leg = told(&decided, &facts, why(task, leg.agent, known.named), outlook(set, schema, &facts));
        (decided, leg)
    };
    let decision = facts::whole(state, task, known.named, &known.operation, |leg| {
        let (decided, leg) = decide(leg);
        legs.push(leg);
        decided
    });
    // What was not asked because it could change nothing more is part of the account all the same.
    let asked = legs.len().saturating_sub(1);
    legs.extend(facts::further_legs(state, task, known.named).skip(asked).map(|leg| decide(leg).1));
    (decision, legs)
}

fn why(task: &Task, agent: AgentId, named: Option<AgentId>) -> &'static str {
    if agent == task.agent {
        "acts"
    } else if named == Some(agent) {
        "is said to act"
    } else {
        "passed the task on"
    }
}

fn told(decided: &Decision, facts: &Facts, why: &'static str, outlook: Outlook) -> Leg {
    let (decision, determining, reasons) = match decided {
        Decision::Allow { determining } => (Answer::Allow, determining.clone(), Vec::new()),
        Decision::Deny { determining, refusal } => (Answer::Deny, determining.clone(), vec![refusal.sentence.clone()]),
        Decision::Ask { ask, reasons } => (Answer::Ask, ask.policies.clone(), reasons.clone()),
    };
    let reach = match outlook.reach {
        Reach::Never => "never",
        Reach::Always => "always",
        Reach::Depends => "depends",
    };
    let agent = facts.agent.name.clone();
    Leg { agent, why, decision, determining, reasons, facts: shown(facts), reach, condition: outlook.condition }
}

/// Every active rule with its place, in the order of the texts.
pub fn rules(state: &State) -> Vec<Explained> {
    let compiled = state.compiled();
    let rules = compiled.set.iter().flat_map(|set| set.rules());
    rules.filter_map(|rule| explained(compiled, &rule.id)).collect()
}

pub(crate) fn explained(compiled: &Compiled, id: &str) -> Option<Explained> {
    let rule = compiled.set.as_ref()?.rule(id)?;
    Some(Explained {
        id: rule.id.clone(),
        source: rule.source.clone(),
        line: rule.line,
        effect: match rule.effect {
            Effect::Permit => "permit",
            Effect::Forbid => "forbid",
        },
        reason: rule.reason.clone(),
        text: rule.text.clone(),
    })
}

/// The facts in the words that policies use for them.
fn shown(facts: &Facts) -> Value {
    let Facts { agent, owner, task, acting_for, acting_for_entitled, grant, operation } = facts;
    let person = |person: &remit_policy::PersonFacts| json!({"id": person.id, "groups": person.groups});
    json!({
        "principal": {
            "name": agent.name,
            "class": agent.class,
            "environment": agent.environment,
            "autonomy": agent.autonomy,
            "data": agent.data,
            "attribution": agent.attribution,
            "owner": person(owner),
            "task": {
                "id": task.id,
                "purpose": task.purpose,
                "labels": task.labels,
                "calls": task.calls,
                "approved_data": task.approved_data,
                "data": task.data,
                "chain": task.chain,
                "names": task.names,
                "acting_for": acting_for.as_ref().map(person),
                "acting_for_entitled": acting_for_entitled,
            },
            "grant": grant.as_ref().map(|grant| json!({
                "id": grant.id,
                "reason": grant.reason,
                "expires_at": Timestamp::from_millis(grant.expires_at_ms).to_string(),
                "exact": grant.exact,
            })),
        },
        "resource": {
            "id": operation.id,
            "connector": operation.connector,
            "verb": operation.verb,
            "risk": operation.risk,
            "data": operation.data,
            "external": operation.external,
            "sandbox": operation.sandbox,
            "irreversible": operation.irreversible,
        },
    })
}
