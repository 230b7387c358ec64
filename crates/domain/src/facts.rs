//! From the state to the policies: the facts of one decision, and what it comes to.

use std::sync::Arc;

use remit_policy::{
    AgentFacts, ApprovalFacts, Facts, GrantFacts, OperationFacts, Outcome, PersonFacts, Request, TaskFacts,
};
use serde_json::Value;

use crate::approval::with_somebody_else;
use crate::{
    Agent, AgentId, Approval, Ask, Attribution, DataClass, Grant, Operation, OperationName, Person, PersonId, Refusal,
    State, Task, Timestamp, authority, sandbox, task,
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

/// One call as the policies see it.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) task: &'a Task,
    pub(crate) operation: &'a Operation,
    pub(crate) arguments: &'a Value,
    pub(crate) approval: Option<&'a Arc<Approval>>,
    /// The person in whose name it is done: the task's, unless an enforcer names another.
    pub(crate) acting_for: Option<PersonId>,
    /// The agent that an enforcer says acts.
    pub(crate) named: Option<AgentId>,
    pub(crate) credential_age_seconds: i64,
    pub(crate) now: Timestamp,
}

impl<'a> Call<'a> {
    /// A call under `task` that brings nothing with it but its arguments, by a credential that has just been issued.
    pub(crate) fn plain(task: &'a Task, operation: &'a Operation, arguments: &'a Value, now: Timestamp) -> Self {
        let acting_for = task.acting_for;
        Self { task, operation, arguments, approval: None, acting_for, named: None, credential_age_seconds: 0, now }
    }
}

/// One agent of those that must all be allowed: whose record and grants count, and the task that it passed on or acts under.
#[derive(Clone, Copy)]
pub(crate) struct Leg<'a> {
    pub(crate) agent: AgentId,
    pub(crate) task: &'a Task,
    part: Part,
}

/// What an agent has to do with a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It acts. Only for it counts what was granted to the task alone.
    Acts,
    /// It is only said to act: then nothing of the task's proves who it is, and nothing was approved for it.
    Named,
    /// It passed the task on.
    PassedOn,
}

impl<'a> Leg<'a> {
    /// The agent that acts under `task`.
    pub(crate) fn own(task: &'a Task) -> Self {
        Self { agent: task.agent, task, part: Part::Acts }
    }

    pub(crate) fn is_own(self) -> bool {
        self.part == Part::Acts
    }
}

/// The one decision: listing, calling and explaining all go through the facts made here.
///
/// Delegation is an intersection: the acting agent, the agent that an enforcer names, and every agent that passed the task on must each
/// be allowed, each by its own record and its own grants. What one leg asks people for is asked for the action as a whole.
pub(crate) fn evaluate(state: &State, call: &Call<'_>) -> Decision {
    whole(state, call.task, call.named, &call.operation.name, |leg| evaluate_leg(state, call, leg))
}

/// The decision that the decisions about all agents concerned come to, each made by `decide`.
pub(crate) fn whole(
    state: &State,
    task: &Task,
    named: Option<AgentId>,
    operation: &OperationName,
    mut decide: impl FnMut(Leg<'_>) -> Decision,
) -> Decision {
    let mut whole = decide(Leg::own(task));
    for above in further_legs(state, task, named) {
        if matches!(whole, Decision::Deny { .. }) {
            break;
        }
        let why = if named == Some(above.agent) { "which is said to act" } else { "which passed this task on" };
        whole = whole.and(decide(above), why, || name_of(state, above.agent));
    }
    match whole {
        Decision::Ask { ask, reasons } => {
            Decision::Ask { ask: with_somebody_else(state, task, named, operation, ask), reasons }
        }
        other => other,
    }
}

/// The agents besides the task's own: the one that is named, and one for each that passed the task on, by the nearest of its tasks.
pub(crate) fn further_legs<'a>(
    state: &'a State,
    task: &'a Task,
    named: Option<AgentId>,
) -> impl Iterator<Item = Leg<'a>> {
    let mut last = task.agent;
    let delegators =
        task::lineage(state, task).filter(move |above| std::mem::replace(&mut last, above.agent) != above.agent);
    let named = named.filter(|named| *named != task.agent).map(|agent| Leg { agent, task, part: Part::Named });
    named.into_iter().chain(delegators.map(|task| Leg { agent: task.agent, task, part: Part::PassedOn }))
}

pub(crate) fn name_of(state: &State, agent: AgentId) -> String {
    state.agent(agent).map(|agent| agent.name.clone()).unwrap_or_default()
}

impl Decision {
    /// Both, where `other` is the decision about another agent, and `why` says why it counts.
    fn and(self, other: Self, why: &str, agent: impl FnOnce() -> String) -> Self {
        match (self, other) {
            (denied @ Self::Deny { .. }, _) => denied,
            (_, Self::Deny { determining, mut refusal }) => {
                let name = agent();
                refusal.sentence = format!("`{name}`, {why}, may not do it: {}", refusal.sentence);
                Self::Deny { determining, refusal }
            }
            (Self::Allow { determining }, Self::Allow { .. }) => Self::Allow { determining },
            (asks @ Self::Ask { .. }, Self::Allow { .. }) | (Self::Allow { .. }, asks @ Self::Ask { .. }) => asks,
            (Self::Ask { ask, reasons }, Self::Ask { ask: other, reasons: others }) => {
                let mut reasons = reasons;
                reasons.extend(others);
                reasons.sort();
                reasons.dedup();
                Self::Ask { ask: ask.and(other), reasons }
            }
        }
    }
}

/// The decision about one agent of the chain.
fn evaluate_leg(state: &State, call: &Call<'_>, leg: Leg<'_>) -> Decision {
    let Call { operation, arguments, now, .. } = *call;
    let compiled = state.compiled();
    let (Some(set), Some(schema), Some(shape)) =
        (&compiled.set, &compiled.schema, compiled.shapes.get(&operation.name))
    else {
        return Decision::Deny { determining: Vec::new(), refusal: policies_broken(compiled.broken.as_deref()) };
    };
    let facts = facts_of(state, leg, call.acting_for, operation, now);
    let approval = call.approval.map(|approval| approval_facts(approval, now));
    let request = Request {
        facts: &facts,
        shape,
        arguments,
        approval: approval.as_ref(),
        now_ms: now.as_millis(),
        credential_age_s: call.credential_age_seconds,
    };
    in_words(remit_policy::evaluate(set, schema, &request), &facts)
}

/// What the policies decided about `facts`, with what whoever is refused is told.
pub(crate) fn in_words(decision: remit_policy::Decision, facts: &Facts) -> Decision {
    match decision.outcome {
        Outcome::Allow => Decision::Allow { determining: decision.determining },
        Outcome::Ask(ask) => Decision::Ask { ask: Ask::of(ask), reasons: decision.reasons },
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
    match evaluate(state, &Call::plain(task, operation, arguments, now)) {
        Decision::Allow { determining } => ("allow", determining),
        Decision::Deny { refusal, .. } => ("deny", vec![refusal.sentence]),
        Decision::Ask { reasons, .. } => ("ask", reasons),
    }
}

pub(crate) fn policies_broken(why: Option<&str>) -> Refusal {
    let why = why.unwrap_or("the operation's schema is missing");
    Refusal::new("policies_broken", format!("nothing can be decided: {why}"))
        .help("an administrator has to look at `remit policy check`; until then everything is refused")
}

pub(crate) fn facts_of(
    state: &State,
    leg: Leg<'_>,
    acting_for: Option<PersonId>,
    operation: &Operation,
    now: Timestamp,
) -> Facts {
    let Leg { agent, task, part } = leg;
    let is_named = part == Part::Named;
    // What one person approved in a task is not approved for another whom an enforcer names in it.
    let approved = task.approved_data.filter(|_| !is_named && acting_for == task.acting_for);
    let attribution = if is_named { Attribution::Asserted } else { task.attribution() };
    let agent = state.agents.get(&agent).map(|agent| &**agent);
    let grant = grant_for(state, leg, &operation.name, now);
    Facts {
        agent: agent_facts(agent, attribution),
        owner: person_facts(state, agent.and_then(|agent| agent.profile.owner)),
        task: TaskFacts {
            id: task.id.to_string(),
            purpose: task.purpose.clone(),
            labels: task::labels_of(state, task),
            calls: task.calls,
            approved_data: level_or_none(approved),
            data: level_or_none(task::data_of(state, task)),
            chain: further_legs(state, task, None).map(|above| name_of(state, above.agent)).collect(),
            names: names_exactly(state, task, &operation.name),
        },
        acting_for: acting_for.map(|person| person_facts(state, Some(person))),
        acting_for_entitled: acting_for
            .and_then(|person| state.people.get(&person))
            .and_then(|person| person.is_entitled(&operation.name)),
        grant: grant.map(|grant| grant_facts(&grant, &operation.name)),
        operation: operation_facts(state, operation),
    }
}

/// An agent's own facts. What was not said of it counts as what is bound most.
pub(crate) fn agent_facts(agent: Option<&Agent>, attribution: Attribution) -> AgentFacts {
    let profile = agent.map(|agent| &agent.profile);
    AgentFacts {
        name: agent.map(|agent| agent.name.clone()).unwrap_or_default(),
        class: profile.and_then(|profile| profile.class).map_or("act", crate::Class::as_str).to_owned(),
        environment: profile
            .and_then(|profile| profile.environment)
            .map_or("sandbox", crate::Environment::as_str)
            .to_owned(),
        autonomy: profile.and_then(|profile| profile.autonomy).unwrap_or(4),
        data: agent.map_or(0, |agent| agent.data_ceiling().level()),
        attribution: match attribution {
            Attribution::Proven => remit_policy::Attribution::Proven,
            Attribution::Asserted => remit_policy::Attribution::Asserted,
            Attribution::Shared => remit_policy::Attribution::Shared,
            Attribution::Unknown => remit_policy::Attribution::Unknown,
        },
    }
}

/// What is known of the grant that covers `operation`.
pub(crate) fn grant_facts(grant: &Grant, operation: &OperationName) -> GrantFacts {
    GrantFacts {
        id: grant.id.to_string(),
        reason: grant.reason.clone(),
        expires_at_ms: grant.expires_at.as_millis(),
        exact: grant.names_exactly(operation),
    }
}

pub(crate) fn operation_facts(state: &State, operation: &Operation) -> OperationFacts {
    OperationFacts {
        id: operation.name.as_str().to_owned(),
        connector: operation.name.connector().to_owned(),
        verb: operation.verb,
        risk: operation.risk,
        data: operation.data.level(),
        external: operation.external,
        irreversible: operation.irreversible,
        sandbox: state.is_sandbox(operation.name.connector()),
    }
}

/// The live grant that covers `operation`: one that names it, if there is one, before one over all of its connector. What was granted to a
/// task alone counts for whoever acts under that task, and for nobody who passed it on.
pub(crate) fn grant_for(state: &State, leg: Leg<'_>, operation: &OperationName, now: Timestamp) -> Option<Arc<Grant>> {
    let of_task = leg.is_own().then(|| state.grants_of_task(leg.task)).into_iter().flatten();
    let mut covering = state.grants_of(leg.agent).chain(of_task).filter(|grant| grant.covers(operation, now));
    let first = covering.next()?;
    if first.names_exactly(operation) {
        return Some(Arc::clone(first));
    }
    Some(Arc::clone(covering.find(|grant| grant.names_exactly(operation)).unwrap_or(first)))
}

/// Whether a person who started this work named exactly this operation for it. An agent cannot name it for itself, nor for a part of
/// its work.
fn names_exactly(state: &State, task: &Task, operation: &OperationName) -> bool {
    let root = task::lineage(state, task).last().unwrap_or(task);
    let of_authority = root.authority.iter().flat_map(|authority| &authority.operations);
    let mut named = root.scope.iter().chain(of_authority);
    root.started_by.is_some() && named.any(|pattern| pattern.as_str() == operation.as_str())
}

fn level_or_none(data: Option<DataClass>) -> i8 {
    data.map_or(-1, |data| i8::try_from(data.level()).unwrap_or(i8::MAX))
}

pub(crate) fn person_facts(state: &State, person: Option<PersonId>) -> PersonFacts {
    let known: Option<&Arc<Person>> = person.and_then(|person| state.people.get(&person));
    PersonFacts {
        id: person.map(|person| person.to_string()).unwrap_or_default(),
        groups: known.map(|person| person.groups.clone()).unwrap_or_default(),
    }
}

pub(crate) fn approval_facts(approval: &Approval, now: Timestamp) -> ApprovalFacts {
    ApprovalFacts {
        roles: approval.votes.iter().flat_map(|vote| vote.roles.iter().cloned()).collect(),
        approvers: approval.votes.iter().map(|vote| vote.person.to_string()).collect(),
        count: u32::try_from(approval.votes.len()).unwrap_or(u32::MAX),
        approved_at_ms: approval.granted_at.unwrap_or(now).as_millis(),
    }
}
