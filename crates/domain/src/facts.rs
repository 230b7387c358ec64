//! From the state to the policies: the facts of one decision, and what it comes to.

use std::sync::Arc;

use remit_policy::{
    AgentFacts, ApprovalFacts, Facts, GrantFacts, OperationFacts, Outcome, PersonFacts, Reach, Request, TaskFacts,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Approval, Ask, Attribution, Operation, Person, PersonId, Refusal, State, Task, Timestamp, authority, sandbox, task,
};

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
///
/// Delegation is an intersection: the acting agent and every agent that passed the task on must each be allowed, each by its own
/// record and its own grants. What one leg asks people for is asked for the action as a whole.
pub(crate) fn evaluate(
    state: &State,
    task: &Task,
    operation: &Operation,
    arguments: &Value,
    approval: Option<&Arc<Approval>>,
    now: Timestamp,
) -> Decision {
    let mut whole = evaluate_leg(state, task, operation, arguments, approval, now);
    for above in delegators(state, task) {
        if matches!(whole, Decision::Deny { .. }) {
            break;
        }
        whole = whole.and(evaluate_leg(state, above, operation, arguments, approval, now), || name_of(state, above));
    }
    whole
}

/// The tasks of other agents above `task`: one for each agent that passed it on, the nearest of its tasks.
fn delegators<'a>(state: &'a State, task: &'a Task) -> impl Iterator<Item = &'a Task> {
    let mut last = task.agent;
    task::lineage(state, task).filter(move |above| std::mem::replace(&mut last, above.agent) != above.agent)
}

fn name_of(state: &State, task: &Task) -> String {
    state.agent(task.agent).map(|agent| agent.name.clone()).unwrap_or_default()
}

impl Decision {
    /// Both, where `other` is the decision about an agent further up.
    fn and(self, other: Self, delegator: impl FnOnce() -> String) -> Self {
        match (self, other) {
            (denied @ Self::Deny { .. }, _) => denied,
            (_, Self::Deny { determining, mut refusal }) => {
                let name = delegator();
                refusal.sentence = format!("`{name}`, which passed this task on, may not do it: {}", refusal.sentence);
                Self::Deny { determining, refusal }
            }
            (Self::Allow { determining }, Self::Allow { .. }) => Self::Allow { determining },
            (asks @ Self::Ask { .. }, Self::Allow { .. }) | (Self::Allow { .. }, asks @ Self::Ask { .. }) => asks,
            (Self::Ask { ask, reasons }, Self::Ask { ask: other, reasons: others }) => {
                let union = |mut all: Vec<String>, more: Vec<String>| {
                    all.extend(more);
                    all.sort();
                    all.dedup();
                    all
                };
                let mut approvers = ask.approvers;
                approvers.extend(other.approvers);
                approvers.sort();
                approvers.dedup();
                let ask = Ask {
                    policies: union(ask.policies, other.policies),
                    approvers,
                    quorum: ask.quorum.max(other.quorum),
                    within_seconds: ask.within_seconds.min(other.within_seconds),
                };
                Self::Ask { ask, reasons: union(reasons, others) }
            }
        }
    }
}

/// The decision about one agent of the chain.
fn evaluate_leg(
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
    let bounded = match task.authority.iter().find(|authority| authority.covers(&operation.name)) {
        Some(authority) => !authority.constraints.is_empty(),
        None if task.authority.is_empty() => false,
        None => return Reachable::Never,
    };
    let compiled = state.compiled();
    let (Some(set), Some(schema)) = (&compiled.set, &compiled.schema) else { return Reachable::Never };
    let mut whole = if bounded { Reachable::Depends } else { Reachable::Always };
    for leg in std::iter::once(task).chain(delegators(state, task)) {
        match remit_policy::reach(set, schema, &facts_of(state, leg, operation, now)) {
            Reach::Never => return Reachable::Never,
            Reach::Always => {}
            Reach::Depends => whole = Reachable::Depends,
        }
    }
    whole
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
    if !task.in_scope(&operation.name) {
        return ("deny", vec![authority::out_of_scope(&operation.name).sentence]);
    }
    let projected = state.projected(&operation.name, arguments);
    if let Err(refusal) = authority::must_permit(&task.authority, &operation.name, arguments, &projected) {
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
            attribution: match task.attribution() {
                Attribution::Proven => remit_policy::Attribution::Proven,
                Attribution::Asserted => remit_policy::Attribution::Asserted,
                Attribution::Shared => remit_policy::Attribution::Shared,
                Attribution::Unknown => remit_policy::Attribution::Unknown,
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
