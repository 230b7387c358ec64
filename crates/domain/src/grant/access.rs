//! Access that a task asks for while it runs: what it lacks, why, and until when.
//!
//! INVARIANT: what is given so counts for the calls of this one task, not for those of its sub-tasks or of other tasks of its agent; it ends
//! with the task, and covers nothing that whoever started the task, or passed it on, left out.

use std::sync::Arc;

use remit_policy::{GrantFacts, Reach, reach};
use serde::{Deserialize, Serialize};

use super::{Grant, GrantRequest};
use crate::facts::{self, Leg};
use crate::person::check_text;
use crate::{
    Actor, Event, GrantId, Moment, Operation, OperationName, OperationPattern, PersonId, Refusal, State, Task, TaskId,
    Timestamp, authority, configuration, limits, sandbox, task,
};

#[cfg(test)]
mod tests;

/// Why a grant of a task ends with it, in the words of the record that says so.
pub(crate) const TASK_ENDED: &str = "its task ended";

/// Asks, under a task, for operations that its agent was not granted.
#[derive(Debug, Clone)]
pub struct RequestAccess {
    pub task: TaskId,
    /// Each by its own name, never all of a connector.
    pub operations: Vec<OperationName>,
    /// Why the task needs them, for whoever answers.
    pub reason: String,
    /// For how long from the answer on; nothing: until the task ends, which is the most in any case.
    pub ttl_seconds: Option<u64>,
}

/// What a task has asked for, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The id of the request, and of the grant if it is given.
    pub grant: GrantId,
    pub operations: Vec<OperationPattern>,
    pub status: AccessStatus,
}

/// What was asked for in a piece of work, kept with its first task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccessBelow {
    /// How often it asked, sub-tasks and those that have ended included.
    asked: usize,
    /// What somebody said no to, with their note, oldest first.
    denied: Vec<(OperationPattern, String)>,
}

/// Where a request for access stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum AccessStatus {
    /// A person has to answer.
    Waiting,
    /// The calls of the task that it covers have a grant, until then.
    Given { by: PersonId, until: Timestamp },
    /// Somebody said no.
    Denied { by: PersonId, note: String },
    /// It was taken back, its time is over, or its task has ended.
    Ended,
}

impl AccessStatus {
    /// Its name, as documents say it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Given { .. } => "given",
            Self::Denied { .. } => "denied",
            Self::Ended => "ended",
        }
    }
}

impl Access {
    fn names(&self, operation: &OperationName) -> bool {
        self.operations.iter().any(|own| own.as_str() == operation.as_str())
    }

    fn is_waiting(&self) -> bool {
        self.status == AccessStatus::Waiting
    }
}

impl Task {
    /// What it asked for with this id.
    pub fn access_asked(&self, id: GrantId) -> Option<&Access> {
        self.access.iter().find(|access| access.grant == id)
    }

    /// The newest request that names all of `operations` and still waits, or was given and has not ended at `now`.
    pub fn access_standing(&self, operations: &[OperationName], now: Timestamp) -> Option<&Access> {
        let stands = |access: &&Access| match access.status {
            AccessStatus::Waiting => true,
            AccessStatus::Given { until, .. } => now < until,
            AccessStatus::Denied { .. } | AccessStatus::Ended => false,
        };
        let whole = |access: &&Access| operations.iter().all(|operation| access.names(operation));
        self.access.iter().rev().filter(stands).find(whole)
    }

    /// The refusal if somebody has denied `operation` to the work of which this is the first task: an agent does not ask until it gets a yes.
    fn must_not_have_denied(&self, operation: &OperationName) -> Result<(), Refusal> {
        let denied = self.access_below.denied.iter().rev().find(|(name, _)| name.as_str() == operation.as_str());
        let Some((_, note)) = denied else { return Ok(()) };
        let said = if note.is_empty() { "without a note".to_owned() } else { format!("saying: {note}") };
        Err(Refusal::new("access_denied", format!("a person denied this task `{operation}`, {said}"))
            .help("do not ask for it again in this task or one below it; choose another way or stop"))
    }
}

impl State {
    /// The grants that were given to `task` alone.
    pub fn grants_of_task(&self, task: &Task) -> impl Iterator<Item = &Arc<Grant>> {
        task.access.iter().filter_map(|access| self.grants.get(&access.grant))
    }

    /// The grants that count for the calls of `task`: those of its agent, then its own.
    pub fn grants_in(&self, task: &Task) -> impl Iterator<Item = &Arc<Grant>> {
        self.grants_of(task.agent).chain(self.grants_of_task(task))
    }
}

pub(crate) fn decide_request(
    state: &State,
    actor: &Actor,
    ask: &RequestAccess,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let task = state.task(ask.task)?;
    if !matches!(actor, Actor::Agent { agent, task: Some(own) } if *agent == task.agent && *own == task.id) {
        return Err(Refusal::new("not_permitted", "only the task's own agent asks for more in it")
            .help("a person asks with `remit grant request`"));
    }
    must_be_one_piece_of_work(state, task, at.now)?;
    check_text("reason", &ask.reason)?;
    let operations = distinct(&ask.operations)?;
    if ask.ttl_seconds.is_some_and(|seconds| !(1..=limits::TASK_SECONDS_MAX).contains(&seconds)) {
        return Err(Refusal::new(
            "grant_too_long",
            "access within a task is asked for a second at least and a day at most",
        )
        .help("leave the time out: it ends with the task"));
    }
    let first = first_of(state, task);
    operations.iter().try_for_each(|operation| first.must_not_have_denied(operation))?;
    if task.access_standing(&operations, at.now).is_some() {
        return Ok(Vec::new());
    }
    // What costs little is asked first, of all of them: policies are put to work only for what could come before people.
    must_have_room(state, task)?;
    somebody_can_answer(state, task)?;
    let missing = operations.iter().map(|operation| must_be_missing(state, task, operation, at.now));
    let missing = missing.collect::<Result<Vec<_>, _>>()?;
    missing.into_iter().try_for_each(|operation| must_lead_somewhere(state, task, operation, at.now))?;
    let left_seconds = task.expires_at.millis_since(at.now) / 1000;
    Ok(vec![Event::GrantRequested(Box::new(GrantRequest {
        id: at.fresh_id(),
        agent: task.agent,
        operations: operations.iter().map(|operation| operation.as_str().parse()).collect::<Result<_, _>>()?,
        reason: ask.reason.clone(),
        requested_by: None,
        requested_at: at.now,
        ttl_seconds: ask.ttl_seconds.unwrap_or(left_seconds).clamp(1, left_seconds.max(1)),
        task: Some(task.id),
    }))])
}

/// Whether an agent could ask, under `task`, for what a call of `operation` lacks: for whoever words its refusal.
pub fn may_request_access(state: &State, task: &Task, operation: &OperationName, now: Timestamp) -> bool {
    let possible = || {
        must_be_one_piece_of_work(state, task, now)?;
        first_of(state, task).must_not_have_denied(operation)?;
        must_have_room(state, task)?;
        somebody_can_answer(state, task)?;
        must_lead_somewhere(state, task, must_be_missing(state, task, operation, now)?, now)
    };
    possible().is_ok()
}

/// Standing tasks are no single piece of work: whoever comes through the same door next would act with what was given for something else.
fn must_be_one_piece_of_work(state: &State, task: &Task, now: Timestamp) -> Result<(), Refusal> {
    task.must_be_alive(now)?;
    let agent = state.agent(task.agent)?;
    agent.must_be_active()?;
    sandbox::must_not_be_built_in(agent)?;
    if task.via.is_none() {
        return Ok(());
    }
    Err(Refusal::new("standing_task", "access is asked for within a task of its own, and this agent acts without one")
        .help(format!("start a task, or ask its owner: `remit grant request {}`", agent.name)))
}

/// The operations, each once, in the order of their names.
fn distinct(operations: &[OperationName]) -> Result<Vec<OperationName>, Refusal> {
    if operations.is_empty() || operations.len() > limits::ACCESS_OPERATIONS_MAX {
        let sentence = format!("a request names between 1 and {} operations", limits::ACCESS_OPERATIONS_MAX);
        return Err(Refusal::new("grant_too_wide", sentence).help("ask for what the next step needs"));
    }
    let mut distinct = operations.to_vec();
    distinct.sort();
    distinct.dedup();
    Ok(distinct)
}

/// Whether a grant is all that a call of `operation` under `task` lacks: everything else that must be so, is.
fn must_be_missing<'a>(
    state: &'a State,
    task: &Task,
    operation: &OperationName,
    now: Timestamp,
) -> Result<&'a Operation, Refusal> {
    if operation.tool() == "*" {
        return Err(Refusal::new(
            "grant_too_wide",
            "a task asks for operations by their names, never for all of a connector",
        )
        .help("name each operation as `connector/tool`"));
    }
    let operation = state.operation(operation)?;
    sandbox::must_not_cross(state, state.agent(task.agent)?, operation)?;
    for above in task::lineage(state, task) {
        configuration::must_still_hold(state.agent(above.agent)?, above, &operation.name)?;
        let covers = |authority: &authority::Authority| authority.covers(&operation.name);
        if !above.in_scope(&operation.name) || !(above.authority.is_empty() || above.authority.iter().any(covers)) {
            return Err(authority::out_of_scope(&operation.name)
                .help("no request widens what a task was started for; start a task whose scope names it"));
        }
    }
    if let Some(grant) = facts::grant_for(state, Leg::own(task), &operation.name, now) {
        let sentence = format!("`{}` is already granted, by `{}`", operation.name, grant.id);
        return Err(Refusal::new("already_granted", sentence)
            .help("a grant is not what the call lacks; its refusal says what it is"));
    }
    Ok(operation)
}

/// Refuses to ask people for a grant with which the policies would still never permit it: a grant permits nothing alone.
fn must_lead_somewhere(state: &State, task: &Task, operation: &Operation, now: Timestamp) -> Result<(), Refusal> {
    let compiled = state.compiled();
    let (Some(set), Some(schema)) = (&compiled.set, &compiled.schema) else {
        return Err(facts::policies_broken(compiled.broken.as_deref()));
    };
    let own = Leg::own(task);
    for leg in std::iter::once(own).chain(facts::further_legs(state, task, None)) {
        let mut known = facts::facts_of(state, leg, task.acting_for, operation, now);
        if leg.is_own() {
            known.grant = Some(GrantFacts {
                id: task.id.to_string(),
                reason: String::new(),
                expires_at_ms: task.expires_at.as_millis(),
                exact: true,
            });
        }
        if reach(set, schema, &known) == Reach::Never {
            let name = facts::name_of(state, leg.agent);
            let why = if leg.is_own() {
                "the policies never permit it"
            } else {
                "the agent that passed this task on may not"
            };
            let sentence = format!("no grant would let this task call `{}`: {why} (`{name}`)", operation.name);
            return Err(Refusal::new("grant_would_not_help", sentence)
                .help(format!("choose another way; `remit what agent {name}` shows what is within reach")));
        }
    }
    Ok(())
}

/// Bounds how much one run asks of people, and how much of it is remembered.
fn must_have_room(state: &State, task: &Task) -> Result<(), Refusal> {
    let (mut of_run, mut of_agent) = (0, 0);
    for other in state.live_tasks_of(task.agent) {
        let waiting = other.access.iter().filter(|access| access.is_waiting()).count();
        of_agent += waiting;
        of_run += if other.run == task.run { waiting } else { 0 };
    }
    let is_free = of_run < limits::TASK_ACCESS_WAITING_MAX && of_agent < limits::AGENT_ACCESS_WAITING_MAX;
    if is_free && first_of(state, task).access_below.asked < limits::TASK_ACCESS_REQUESTS_MAX {
        return Ok(());
    }
    Err(Refusal::new("too_many_requests", "this task and those it belongs with have asked for enough already")
        .help("wait for an answer before asking again, or do without"))
}

fn somebody_can_answer(state: &State, task: &Task) -> Result<(), Refusal> {
    if !access_answered_by(state, task).is_empty() {
        return Ok(());
    }
    let agent = state.agent(task.agent)?;
    Err(Refusal::new(
        "no_approver",
        "nobody is left who may answer: neither who started this task nor whom it acts for may",
    )
    .help(format!("name another approver of the agent `{}`", agent.name)))
}

/// Who may say yes to what `task` asks for, in the order of their ids.
pub fn access_answered_by(state: &State, task: &Task) -> Vec<PersonId> {
    let profile = state.agents.get(&task.agent).map(|agent| &agent.profile);
    let named = profile.into_iter().flat_map(|profile| profile.owner.iter().chain(&profile.approvers)).copied();
    let mut able: Vec<PersonId> = named
        .filter(|person| state.people.contains_key(person) && must_be_able_to_answer(state, task, *person).is_ok())
        .collect();
    able.sort();
    able.dedup();
    able
}

/// Refuses a yes of whoever started the work, or for whom it is done, of the owner where nobody started it, and of whoever does not
/// approve for each agent that passed it on.
pub(super) fn must_be_able_to_answer(state: &State, task: &Task, person: PersonId) -> Result<(), Refusal> {
    for above in task::lineage(state, task) {
        if above.acting_for == Some(person) {
            return Err(Refusal::new(
                "approver_is_acted_for",
                "you cannot give access to what is done in your own name",
            )
            .help("somebody else has to answer"));
        }
        if above.started_by == Some(person) {
            return Err(Refusal::new("self_approval", "you cannot give access to a task that you started")
                .help("somebody else has to answer"));
        }
        // Work that an agent began by itself was begun with a key that its owner could have enrolled for themselves.
        if above.started_by.is_none() && state.agent(above.agent)?.profile.owner == Some(person) {
            return Err(Refusal::new(
                "self_approval",
                "you answer for this agent, which began this work itself: you alone cannot give it access",
            )
            .help("one of its approvers has to answer"));
        }
        super::must_approve_for(state.agent(above.agent)?, person)?;
    }
    Ok(())
}

/// The task with which this piece of work began, however often it was divided and passed on.
fn first_of<'a>(state: &'a State, task: &'a Task) -> &'a Task {
    task::lineage(state, task).last().unwrap_or(task)
}

/// Keeps, with the task, what it asked for.
pub(super) fn apply_requested(state: &mut State, request: &GrantRequest) {
    let asked = Access { grant: request.id, operations: request.operations.clone(), status: AccessStatus::Waiting };
    if let Some(task) = request.task {
        task::change(state, task, |task| {
            task.access.retain(|access| access.grant != request.id);
            task.access.push(asked);
        });
        change_first(state, task, |below| below.asked = below.asked.saturating_add(1));
    }
}

fn change_first(state: &mut State, task: TaskId, change: impl FnOnce(&mut AccessBelow)) {
    let first = state.tasks.get(&task).map(|task| first_of(state, task).id);
    if let Some(first) = first {
        task::change(state, first, |task| change(&mut task.access_below));
    }
}

/// Keeps a no for the whole piece of work.
pub(super) fn apply_denied(state: &mut State, request: &GrantRequest, note: &str) {
    let Some(task) = request.task else { return };
    let denied = request.operations.iter().map(|operation| (operation.clone(), note.to_owned()));
    change_first(state, task, |below| below.denied.extend(denied));
}

/// Says with the task what came of it.
pub(super) fn apply_status(state: &mut State, id: TaskId, grant: GrantId, status: AccessStatus) {
    task::change(state, id, |task| {
        if let Some(access) = task.access.iter_mut().find(|access| access.grant == grant) {
            access.status = status;
        }
    });
}

/// What waits is void with the task. What was given ends by a record of its own in the same commit.
pub(crate) fn apply_task_ended(state: &mut State, id: TaskId) {
    let waiting = state.tasks.get(&id).into_iter().flat_map(|task| &task.access).filter(|access| access.is_waiting());
    let waiting: Vec<GrantId> = waiting.map(|access| access.grant).collect();
    for grant in waiting {
        state.grant_requests.remove(&grant);
        apply_status(state, id, grant, AccessStatus::Ended);
    }
}
