//! From the state to the policies: the facts of one decision, and what it comes to.

use std::sync::Arc;

use remit_policy::{
    AgentFacts, ApprovalFacts, Facts, GrantFacts, OperationFacts, Outcome, PersonFacts, Reach, Request, TaskFacts,
};
use serde::Serialize;
use serde_json::Value;

use crate::{Approval, Ask, Operation, Person, PersonId, Refusal, State, Task, Timestamp, sandbox, task};

/// The code of a refusal because two ways of deciding came to different results: a fault of this program.
pub const DECISION_FAULT: &str = "decision_fault";

/// What the policies say about one action.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decision {
    Allow { determining: Vec<String> },
    Deny { determining: Vec<String>, refusal: Refusal },
    Ask { ask: Ask, reasons: Vec<String> },
}

/// Whether an operation is worth listing for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reachable {
    /// No arguments and no approval would make it allowed.
    Never,
    Always,
    /// It depends on arguments, an approval or the time.
    Depends,
}

/// The one decision: listing, calling and explaining all go through the facts made here.
pub(crate) fn evaluate(
    state: &State,
    task: &Task,
    operation: &Operation,
    arguments: &Value,
    approval: Option<&Arc<Approval>>,
    now: Timestamp,
) -> Decision {
    let compiled = state.compiled();
    let (Some(set), Some(schema), Some(shape)) =
        (&compiled.set, &compiled.schema, compiled.shapes.get(&operation.name))
    else {
        return Decision::Deny { determining: Vec::new(), refusal: policies_broken(compiled.broken.as_deref()) };
    };
    let facts = facts_of(state, task, operation, now);
    let approval = approval.map(|approval| approval_facts(approval, now));
    let request = Request { facts: &facts, shape, arguments, approval: approval.as_ref(), now_ms: now.as_millis() };
    let decision = remit_policy::evaluate(set, schema, &request);
    match decision.outcome {
        Outcome::Allow => Decision::Allow { determining: decision.determining },
        Outcome::Ask(ask) => Decision::Ask {
            ask: Ask {
                policies: ask.policies,
                approvers: ask.approvers,
                quorum: ask.quorum,
                within_seconds: ask.within_seconds,
            },
            reasons: decision.reasons,
        },
        Outcome::Deny => {
            if decision.is_fault {
                let refusal = Refusal::new(DECISION_FAULT, decision.reasons.join("; "));
                let help = "this is a fault of Remit; an administrator should report it with this record";
                return Decision::Deny { determining: Vec::new(), refusal: refusal.help(help) };
            }
            if let Some(error) = &decision.arguments {
                let refusal = Refusal::new("bad_arguments", error.to_string());
                let help = error.help().unwrap_or_else(|| "call it as its schema in `tools/list` says".to_owned());
                return Decision::Deny { determining: Vec::new(), refusal: refusal.help(help) };
            }
            let help = match (facts.grant.is_some(), decision.determining.first()) {
                (_, Some(policy)) => format!("the policy `{policy}` decided; `remit policy show {policy}` prints it"),
                (false, None) => format!(
                    "ask the agent's owner for a grant: `remit grant request {} {}`",
                    facts.agent.name, facts.operation.id
                ),
                (true, None) => "`remit agent card` shows what it may do".to_owned(),
            };
            let code = if decision.errors.is_empty() { "denied_by_policy" } else { "policy_error" };
            let refusal = Refusal::new(code, decision.reasons.join("; ")).help(help);
            Decision::Deny { determining: decision.determining, refusal }
        }
    }
}

/// What `task` could do with `operation`, whatever the arguments: a tool is listed only if some could be allowed or asked for.
pub fn reach(state: &State, task: &Task, operation: &Operation, now: Timestamp) -> Reachable {
    let alive = task.must_be_alive(now).is_ok()
        && state.agent(task.agent).is_ok_and(|agent| {
            agent.must_be_active().is_ok() && sandbox::must_not_cross(state, agent, operation).is_ok()
        });
    if !alive || operation.withdrawn.is_some() || !task.in_scope(&operation.name) {
        return Reachable::Never;
    }
    let compiled = state.compiled();
    let (Some(set), Some(schema)) = (&compiled.set, &compiled.schema) else { return Reachable::Never };
    match remit_policy::reach(set, schema, &facts_of(state, task, operation, now)) {
        Reach::Never => Reachable::Never,
        Reach::Always => Reachable::Always,
        Reach::Depends => Reachable::Depends,
    }
}

/// What the policies would say to a call, without making it: `allow`, `deny` or `ask`, and why.
pub fn preview(
    state: &State,
    task: &Task,
    operation: &Operation,
    arguments: &Value,
    now: Timestamp,
) -> (&'static str, Vec<String>) {
    if let Err(refusal) = state.agent(task.agent).and_then(|agent| sandbox::must_not_cross(state, agent, operation)) {
        return ("deny", vec![refusal.sentence]);
    }
    match evaluate(state, task, operation, arguments, None, now) {
        Decision::Allow { determining } => ("allow", determining),
        Decision::Deny { refusal, .. } => ("deny", vec![refusal.sentence]),
        Decision::Ask { reasons, .. } => ("ask", reasons),
    }
}

fn policies_broken(why: Option<&str>) -> Refusal {
    let why = why.unwrap_or("the operation's schema is missing");
    Refusal::new("policies_broken", format!("nothing can be decided: {why}"))
        .help("an administrator has to look at `remit policy check`; until then everything is refused")
}

fn facts_of(state: &State, task: &Task, operation: &Operation, now: Timestamp) -> Facts {
    let agent = state.agents.get(&task.agent);
    let profile = agent.map(|agent| &agent.profile);
    let grant = state.grants_of(task.agent).find(|grant| grant.covers(&operation.name, now));
    Facts {
        agent: AgentFacts {
            name: agent.map(|agent| agent.name.clone()).unwrap_or_default(),
            class: profile.and_then(|profile| profile.class).map_or("act", crate::Class::as_str).to_owned(),
            environment: profile
                .and_then(|profile| profile.environment)
                .map_or("sandbox", crate::Environment::as_str)
                .to_owned(),
            autonomy: profile.and_then(|profile| profile.autonomy).unwrap_or(4),
            data: agent.map_or(0, |agent| agent.data_ceiling().level()),
            attribution: match task.key {
                Some(_) => remit_policy::Attribution::Proven,
                None => remit_policy::Attribution::Asserted,
            },
        },
        owner: person_facts(state, profile.and_then(|profile| profile.owner)),
        task: TaskFacts {
            id: task.id.to_string(),
            purpose: task.purpose.clone(),
            labels: task::labels_of(state, task),
            calls: task.calls,
        },
        acting_for: task.acting_for.map(|person| person_facts(state, Some(person))),
        grant: grant.map(|grant| GrantFacts {
            id: grant.id.to_string(),
            reason: grant.reason.clone(),
            expires_at_ms: grant.expires_at.as_millis(),
        }),
        operation: OperationFacts {
            id: operation.name.as_str().to_owned(),
            connector: operation.name.connector().to_owned(),
            verb: operation.verb,
            risk: operation.risk,
            data: operation.data.level(),
            external: operation.external,
            sandbox: state.is_sandbox(operation.name.connector()),
        },
    }
}

fn person_facts(state: &State, person: Option<PersonId>) -> PersonFacts {
    let known: Option<&Arc<Person>> = person.and_then(|person| state.people.get(&person));
    PersonFacts {
        id: person.map(|person| person.to_string()).unwrap_or_default(),
        groups: known.map(|person| person.groups.clone()).unwrap_or_default(),
    }
}

fn approval_facts(approval: &Approval, now: Timestamp) -> ApprovalFacts {
    ApprovalFacts {
        roles: approval.votes.iter().flat_map(|vote| vote.roles.iter().cloned()).collect(),
        approvers: approval.votes.iter().map(|vote| vote.person.to_string()).collect(),
        count: u32::try_from(approval.votes.len()).unwrap_or(u32::MAX),
        approved_at_ms: approval.granted_at.unwrap_or(now).as_millis(),
    }
}
