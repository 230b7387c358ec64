//! Actions: attempted uses of operations, each decided on its exact arguments.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::approval::{self, ApprovalRequested};
use crate::state::Deadline;
use crate::{
    ActionId, Actor, AgentId, ApprovalId, Ask, ContentRef, DataClass, Digest, Event, GrantId, Moment, Operation,
    OperationName, PersonId, Refusal, RunId, State, Task, TaskId, Timestamp, authority, configuration, facts, launch,
    limits, sandbox, task,
};

mod elsewhere;
#[cfg(test)]
mod tests;

pub(crate) use elsewhere::may_be_named;
use elsewhere::must_be_enforced;

/// How far a record can be attributed to the identity that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// The caller proved possession of the run's key for this very request.
    Proven,
    /// The caller held a bearer token of the run.
    Asserted,
    /// The caller held something that several are known to hold: any of them may have acted.
    Shared,
    /// Nothing tells who acted.
    Unknown,
}

/// One attempt to use an operation, as a door translated it.
#[derive(Debug, Clone)]
pub struct AttemptAction {
    pub task: TaskId,
    pub operation: OperationName,
    pub arguments: Arc<serde_json::Value>,
    /// The salted commitment to the canonical form of `arguments`.
    pub content: ContentRef,
    /// The salted commitment to what the call carries beside its arguments, where it carries anything: members of the
    /// protocol's parameters that Remit does not know, and passes on unchanged.
    pub beside: Option<ContentRef>,
    /// An approval that the caller presents for exactly this action.
    pub approval: Option<ApprovalId>,
    /// Whether the door saw the caller prove its identity with this very request, where the task's tokens alone do not.
    pub proven: bool,
    /// The agent that asks, by its own credential, and will itself enforce the answer; nothing where one of Remit's doors does.
    pub enforcer: Option<AgentId>,
    /// The person in whose name the enforcer says that this is done. Only with `enforcer`.
    pub acting_for: Option<PersonId>,
    /// The agent that the enforcer says acts. Only with `enforcer`, and it must be allowed this as well.
    pub named: Option<AgentId>,
    /// Whether people are asked now, where a rule asks; else the answer says only that they would have to be.
    pub ask: bool,
    /// When the credential of this call was issued, where the door knows it; else it counts as old as the task.
    pub credential_issued_at: Option<Timestamp>,
}

impl AttemptAction {
    /// An attempt under `task` as Remit's own doors make it, by a caller that has proved no more than its token.
    pub fn new(task: TaskId, operation: OperationName, arguments: Arc<serde_json::Value>, content: ContentRef) -> Self {
        Self {
            task,
            operation,
            arguments,
            content,
            beside: None,
            approval: None,
            proven: false,
            enforcer: None,
            acting_for: None,
            named: None,
            ask: true,
            credential_issued_at: None,
        }
    }
}

/// What an action is: everything that its approval is bound to, and under which policies it was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActionFacts {
    pub agent: AgentId,
    pub run: RunId,
    pub task: TaskId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<PersonId>,
    pub operation: OperationName,
    /// Digest of the pinned definition; nothing if the operation is not available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Digest>,
    pub arguments: ContentRef,
    /// What was sent beside the arguments, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<ContentRef>,
    pub attribution: Attribution,
    /// The agent that asked and enforces the answer itself, where that is not Remit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforcer: Option<AgentId>,
    /// The agent that the enforcer said acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<AgentId>,
    /// When the credential of the call was issued, where the door knew it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_issued_at: Option<Timestamp>,
    /// Version of the policies that decided.
    pub policies: Digest,
}

impl ActionFacts {
    /// The digest that an approval is bound to: who, for whom, in which task, what exactly. Policies are left out, since the
    /// decision is made again, under the policies of that moment, when the approval is used.
    pub fn digest(&self) -> Digest {
        Digest::of_sorted(&Bound {
            acting_for: self.acting_for,
            agent: self.agent,
            arguments: self.arguments.commitment,
            beside: self.beside.as_ref().map(|beside| beside.commitment),
            definition: self.definition,
            enforcer: self.enforcer,
            named: self.named,
            operation: &self.operation,
            run: self.run,
            task: self.task,
            v: 1,
        })
    }

    /// How old its credential is at `now`. A run whose process Remit launched and watches has what it was given for as long as the
    /// process is there, and no longer: the watch renews it. Where no door knew the age, it is that of the task.
    pub(crate) fn credential_age_seconds(&self, state: &State, task: &Task, now: Timestamp) -> i64 {
        if launch::is_watched(state, task) {
            return 0;
        }
        let issued_at = self.credential_issued_at.unwrap_or(task.started_at);
        i64::try_from(now.millis_since(issued_at) / 1000).unwrap_or(i64::MAX)
    }

    /// The content that it refers to: what a person is shown, and what an evidence pack holds.
    pub fn contents(&self) -> impl Iterator<Item = &ContentRef> {
        [&self.arguments].into_iter().chain(&self.beside)
    }
}

/// What an approval is bound to, its members in canonical order. What is not there is `null`.
#[derive(Serialize)]
struct Bound<'a> {
    acting_for: Option<PersonId>,
    agent: AgentId,
    arguments: Digest,
    /// Written only where there is something, so that what was approved before there was such a thing is still the same action.
    #[serde(skip_serializing_if = "Option::is_none")]
    beside: Option<Digest>,
    definition: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enforcer: Option<AgentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    named: Option<AgentId>,
    operation: &'a OperationName,
    run: RunId,
    task: TaskId,
    v: u8,
}

/// Whether a person stood behind an action when it ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attendance {
    /// A person approved exactly this action.
    Approved,
    /// A person started the task.
    Attended,
    Unattended,
}

/// An action was allowed. Only the commit of this event makes a permit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActionAllowed {
    pub action: ActionId,
    #[serde(flatten)]
    pub facts: ActionFacts,
    pub digest: Digest,
    /// The policies that determined it, by id.
    pub determining: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The approval that this action used up, in this very commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    pub attendance: Attendance,
    /// What this brings into the task where somebody else enforces it, so that no outcome will say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
}

/// An action was denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActionDenied {
    pub action: ActionId,
    #[serde(flatten)]
    pub facts: ActionFacts,
    pub determining: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The approval that it waits for, or that was presented and does not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    pub refusal: Refusal,
}

/// How an allowed action ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    Succeeded,
    /// The operation ran and reported an error of its own.
    ToolError,
    /// The operation asked for input before it would go on. What follows is an action of its own.
    InputRequired,
    /// It never reached the upstream.
    NotSent {
        reason: String,
    },
    /// It was sent and failed, as far as Remit can tell.
    Failed {
        reason: String,
    },
    /// Nobody knows whether it ran: Remit stopped, or the connection broke, between sending and answering.
    Unknown {
        reason: String,
    },
}

/// Reports how an allowed action ended.
#[derive(Debug, Clone)]
pub struct RecordOutcome {
    pub action: ActionId,
    pub outcome: Outcome,
    pub result: Option<ContentRef>,
    pub latency_ms: u64,
}

/// How an allowed action ended has been recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeRecorded {
    pub agent: AgentId,
    pub task: TaskId,
    pub action: ActionId,
    pub operation: OperationName,
    pub outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ContentRef>,
    pub latency_ms: u64,
    /// What this brought into the task, and into all above it: `sensitive` data, `untrusted` content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

/// The label of a task that an operation on confidential or restricted data has answered.
pub(crate) const SENSITIVE: &str = "sensitive";
/// The label of a task that something outside the organisation has answered, where anybody may have written what the agent reads.
pub(crate) const UNTRUSTED: &str = "untrusted";

/// An action that was allowed and not yet reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    pub id: ActionId,
    pub agent: AgentId,
    pub task: TaskId,
    pub operation: OperationName,
    pub allowed_at: Timestamp,
}

/// What became of an attempt, read from the events that were committed for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict<'a> {
    Allowed(&'a ActionAllowed),
    Denied(&'a ActionDenied),
    Asked(&'a ApprovalRequested),
}

impl<'a> Verdict<'a> {
    /// The one verdict among `events`; every attempt has exactly one.
    pub fn among(events: &'a [Event]) -> Option<Self> {
        events.iter().find_map(|event| match event {
            Event::ActionAllowed(allowed) => Some(Self::Allowed(allowed)),
            Event::ActionDenied(denied) => Some(Self::Denied(denied)),
            Event::ApprovalRequested(requested) => Some(Self::Asked(requested)),
            _ => None,
        })
    }
}

/// What `judge` came to.
enum Judgement {
    Allow { determining: Vec<String>, approval: Option<ApprovalId> },
    Ask { ask: Ask, reasons: Vec<String> },
    Deny { determining: Vec<String>, refusal: Refusal, approval: Option<ApprovalId> },
}

/// Decides one attempt. Every attempt of a known task's agent, at something that could be an operation, gives exactly one record, whatever the answer.
pub(crate) fn decide_attempt(
    state: &State,
    actor: &Actor,
    attempt: &AttemptAction,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    if attempt.operation.as_str().len() > limits::OPERATION_BYTES_MAX {
        // No operation has such a name, and its record would not fit an entry.
        let sentence = format!("an operation's name has at most {} bytes", limits::OPERATION_BYTES_MAX);
        return Err(Refusal::new("bad_operation", sentence).help("`remit connector tools` shows what there is"));
    }
    let task = state.task(attempt.task)?;
    if !matches!(actor, Actor::Agent { agent, task: Some(own) } if *agent == task.agent && *own == task.id) {
        return Err(Refusal::new("not_permitted", "only the task's own agent acts under it"));
    }
    let facts = facts_of(state, attempt, task);
    let digest = facts.digest();
    let grant_id = facts::grant_for(state, facts::Leg::own(task), &attempt.operation, at.now).map(|grant| grant.id);
    let judgement = judge(state, attempt, task, &facts, digest, at.now).unwrap_or_else(|refusal| Judgement::Deny {
        determining: Vec::new(),
        refusal,
        approval: attempt.approval,
    });
    let action = at.fresh_id();
    Ok(vec![match judgement {
        Judgement::Allow { determining, approval } => {
            let attendance = match (approval, task.started_by) {
                (Some(_), _) => Attendance::Approved,
                (None, Some(_)) => Attendance::Attended,
                (None, None) => Attendance::Unattended,
            };
            // An enforcer's own task stands for many subjects and gathers nothing.
            let is_seen_elsewhere = facts.enforcer.is_some_and(|enforcer| enforcer != facts.agent);
            let operation = state.operations.get(&facts.operation).filter(|_| is_seen_elsewhere);
            let labels = operation.map(|operation| labels_of(operation));
            let grant = grant_id;
            let allowed = ActionAllowed { action, facts, digest, determining, grant, approval, attendance, labels };
            Event::ActionAllowed(Box::new(allowed))
        }
        Judgement::Ask { ask, reasons } => Event::ApprovalRequested(Box::new(ApprovalRequested {
            approval: at.fresh_id(),
            action,
            facts,
            digest,
            grant: grant_id,
            expires_at: at.now.plus_seconds(ask.within_seconds).min(task.expires_at),
            ask,
            reasons,
        })),
        Judgement::Deny { determining, refusal, approval } => Event::ActionDenied(Box::new(ActionDenied {
            action,
            facts,
            determining,
            grant: grant_id,
            approval,
            refusal,
        })),
    }])
}

/// What an attempt under `task` is.
pub(crate) fn facts_of(state: &State, attempt: &AttemptAction, task: &Task) -> ActionFacts {
    ActionFacts {
        agent: task.agent,
        run: task.run,
        task: task.id,
        acting_for: attempt.acting_for.filter(|_| attempt.enforcer.is_some()).or(task.acting_for),
        operation: attempt.operation.clone(),
        definition: state.operation(&attempt.operation).ok().map(|operation| operation.digest),
        arguments: attempt.content.clone(),
        beside: attempt.beside.clone(),
        attribution: match task.attribution() {
            Attribution::Asserted if attempt.proven => Attribution::Proven,
            known => known,
        },
        enforcer: attempt.enforcer,
        named: attempt.named.filter(|_| attempt.enforcer.is_some()),
        credential_issued_at: attempt.credential_issued_at,
        policies: state.compiled().version,
    }
}

/// The order matters: what is certain and cheap first, what a person must be asked about last.
fn judge(
    state: &State,
    attempt: &AttemptAction,
    task: &Task,
    facts: &ActionFacts,
    digest: Digest,
    now: Timestamp,
) -> Result<Judgement, Refusal> {
    let operation = must_be_open(state, attempt, task, facts, now)?;
    let usable = match attempt.approval {
        Some(presented) => Some(approval::must_fit(state, presented, facts, now)?),
        None => approval::usable(state, digest, now),
    };
    let call = facts::Call {
        task,
        operation,
        arguments: &attempt.arguments,
        approval: usable,
        acting_for: facts.acting_for,
        named: facts.named,
        credential_age_seconds: facts.credential_age_seconds(state, task, now),
        now,
    };
    let decision = facts::evaluate(state, &call);
    let approval = usable.map(|approval| approval.id);
    match decision {
        facts::Decision::Allow { determining } => Ok(Judgement::Allow { determining, approval }),
        facts::Decision::Deny { determining, refusal } => {
            Ok(Judgement::Deny { determining, refusal, approval: attempt.approval })
        }
        facts::Decision::Ask { ask, reasons } => {
            if let Some((waiting, refusal)) = approval::answered_or_waiting(state, digest, now) {
                return Ok(Judgement::Deny { determining: ask.policies, refusal, approval: Some(waiting) });
            }
            if !attempt.ask {
                let refusal = Refusal::new("approval_required", reasons.join("; "));
                let help = "have the people asked who may approve it, and try again with their answer";
                return Ok(Judgement::Deny { determining: ask.policies, refusal: refusal.help(help), approval: None });
            }
            if task::open_approvals_of_tree(state, task) >= limits::TASK_APPROVALS_PENDING_MAX {
                let sentence = "too many actions of this task and those it belongs with already wait for a person";
                let refusal =
                    Refusal::new("too_many_approvals", sentence).help("wait for an answer before asking again");
                return Ok(Judgement::Deny { determining: ask.policies, refusal, approval: None });
            }
            approval::somebody_can_answer(state, task, facts, &ask)?;
            Ok(Judgement::Ask { ask, reasons })
        }
    }
}

/// The operation, if an attempt at it comes as far as the policies: whatever they would say, all else lets it pass.
pub(crate) fn must_be_open<'a>(
    state: &'a State,
    attempt: &AttemptAction,
    task: &Task,
    facts: &ActionFacts,
    now: Timestamp,
) -> Result<&'a Arc<Operation>, Refusal> {
    task.must_be_alive(now)?;
    let agent = state.agent(task.agent)?;
    agent.must_be_active()?;
    let operation = state.operation(&attempt.operation)?;
    sandbox::must_not_cross(state, agent, operation)?;
    must_be_enforced(state, facts, operation)?;
    configuration::must_still_hold(agent, task, &operation.name)?;
    for above in task::lineage(state, task).filter(|above| above.agent != task.agent) {
        configuration::must_still_hold(state.agent(above.agent)?, above, &operation.name)?;
    }
    if !task.in_scope(&operation.name) {
        return Err(authority::out_of_scope(&operation.name));
    }
    if !task.authority.is_empty() {
        let projected = state.projected(&operation.name, &attempt.arguments);
        authority::must_permit(&task.authority, &operation.name, &attempt.arguments, &projected)?;
    }
    task::within_budget(state, task)?;
    Ok(operation)
}

/// Records how an action ended, once.
pub(crate) fn decide_outcome(state: &State, actor: &Actor, record: &RecordOutcome) -> Result<Vec<Event>, Refusal> {
    let Some(action) = state.actions.get(&record.action) else {
        return Err(Refusal::new("outcome_known", format!("the outcome of `{}` is already recorded", record.action)));
    };
    match actor {
        Actor::Remit => {}
        Actor::Agent { agent, .. } if *agent == action.agent => {}
        _ => return Err(Refusal::new("not_permitted", "only the door that let an action out reports how it ended")),
    }
    Ok(vec![outcome_of(state, action, record.outcome.clone(), record.result.clone(), record.latency_ms)])
}

/// After a restart: whatever was allowed and not reported has an unknown outcome. Never silence.
pub(crate) fn decide_recover(state: &State, at: &Moment) -> Vec<Event> {
    let unknown = || Outcome::Unknown { reason: "Remit stopped before the outcome was recorded".to_owned() };
    let mut orphans: Vec<_> = state.actions.values().collect();
    orphans.sort_by_key(|action| action.id);
    let mut events: Vec<Event> = orphans
        .iter()
        .map(|action| outcome_of(state, action, unknown(), None, at.now.millis_since(action.allowed_at)))
        .collect();
    if !events.is_empty() {
        events.push(Event::Recovered { actions_unknown: events.len() as u64 });
    }
    events
}

pub(crate) fn outcome_of(
    state: &State,
    action: &Action,
    outcome: Outcome,
    result: Option<ContentRef>,
    latency_ms: u64,
) -> Event {
    let answered = has_answered(&outcome, result.is_some());
    let operation = state.operations.get(&action.operation).filter(|_| answered);
    Event::OutcomeRecorded(Box::new(OutcomeRecorded {
        agent: action.agent,
        task: action.task,
        action: action.id,
        operation: action.operation.clone(),
        outcome,
        result,
        latency_ms,
        labels: operation.map(|operation| labels_of(operation)).unwrap_or_default(),
    }))
}

/// Whether something may have come back. A failure may carry words of the upstream too, and of an unknown outcome nobody knows what
/// the agent has seen.
fn has_answered(outcome: &Outcome, has_result: bool) -> bool {
    has_result
        || matches!(outcome, Outcome::Succeeded | Outcome::ToolError | Outcome::InputRequired | Outcome::Unknown { .. })
}

/// What an answer of `operation` brings into the task that asked.
fn labels_of(operation: &Operation) -> Vec<String> {
    // Whatever the verb: the answer to a change, a message or an execution outside is written there too, as is what a server asks of the
    // client.
    let labels = [(operation.data >= DataClass::D2, SENSITIVE), (operation.external, UNTRUSTED)];
    labels.iter().filter(|(applies, _)| *applies).map(|(_, label)| (*label).to_owned()).collect()
}

pub(crate) fn apply_allowed(state: &mut State, allowed: &ActionAllowed, at: Timestamp) {
    let facts = &allowed.facts;
    if let Some(approval) = allowed.approval {
        approval::apply_used(state, approval, allowed.action, at);
    }
    task::count_call(state, facts.task);
    let operation = state.operations.get(&facts.operation).map(Arc::clone);
    // What somebody approved for one subject of an enforcer is not approved for its others.
    let own =
        facts.named.is_none() && state.tasks.get(&facts.task).is_some_and(|task| task.acting_for == facts.acting_for);
    if let (Some(operation), Some(_), true) = (&operation, allowed.approval, own) {
        task::note_approved(state, facts.task, operation.data);
    }
    if let Some(enforcer) = facts.enforcer {
        // Whoever enforces it sees what comes of it; here nothing is awaited, so whatever may come back counts.
        if let Some(operation) = operation.filter(|_| enforcer != facts.agent) {
            // The first records of this kind did not say which labels.
            let labels = allowed.labels.clone().unwrap_or_else(|| labels_of(&operation));
            task::add_labels(state, facts.task, &labels);
            task::add_data(state, facts.task, operation.data);
        }
        return;
    }
    let action = Action {
        id: allowed.action,
        agent: facts.agent,
        task: facts.task,
        operation: facts.operation.clone(),
        allowed_at: at,
    };
    state.deadlines.insert((at.plus_seconds(limits::OUTCOME_SECONDS_MAX), Deadline::Outcome(action.id)));
    state.actions.insert(action.id, Arc::new(action));
}

pub(crate) fn apply_outcome(state: &mut State, recorded: &OutcomeRecorded) {
    task::add_labels(state, recorded.task, &recorded.labels);
    let data = state.operations.get(&recorded.operation).map(|operation| operation.data);
    if let Some(data) = data.filter(|_| has_answered(&recorded.outcome, recorded.result.is_some())) {
        task::add_data(state, recorded.task, data);
    }
    if let Some(action) = state.actions.remove(&recorded.action) {
        state
            .deadlines
            .remove(&(action.allowed_at.plus_seconds(limits::OUTCOME_SECONDS_MAX), Deadline::Outcome(action.id)));
    }
}
