//! Tasks: bounded pieces of work. When a task ends, so does everything under it.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use crate::cascade::{end_tree, end_trees};
use crate::grant::access::AccessBelow;
use crate::person::check_text;
use crate::state::{Deadline, Ended};
use crate::{
    Access, Actor, Agent, AgentId, ApprovalId, Attribution, Authority, DataClass, Delegation, Digest, Event, Moment,
    OperationName, OperationPattern, PersonId, Refusal, RunId, State, TaskId, Timestamp, authority, configuration,
    limits, narrow, sandbox,
};

#[cfg(test)]
mod tests;

/// How much a task may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Budget {
    /// Calls that may be allowed, those of sub-tasks included.
    pub calls_max: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { calls_max: limits::TASK_CALLS_DEFAULT }
    }
}

/// Why a task ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EndReason {
    /// Its work is done, or whoever runs it said so.
    Ended {
        note: String,
    },
    Expired,
    ParentEnded,
    AgentSuspended,
    AgentDecommissioned,
    KeyRevoked,
    PersonRemoved,
    RunRevoked,
    /// A one-time code or refresh token of it was used twice: somebody else has it too (RFC 9700 section 2.1.1, 4.14).
    CodeReused,
    /// Another system said that a person's access has ended.
    Signal {
        signal: String,
    },
}

/// A bounded piece of work of one run of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub id: TaskId,
    pub run: RunId,
    pub agent: AgentId,
    pub purpose: String,
    /// The person for whom it acts, or nobody.
    pub acting_for: Option<PersonId>,
    /// The person who started it; nobody if the agent did so itself.
    pub started_by: Option<PersonId>,
    /// What it may use of what the agent was granted; empty means all of it.
    pub scope: Vec<OperationPattern>,
    pub parent: Option<TaskId>,
    pub depth: u32,
    pub budget: Budget,
    pub calls: u64,
    /// What has come into it, and into its sub-tasks: see [`OutcomeRecorded`](crate::OutcomeRecorded).
    pub labels: BTreeSet<String>,
    pub started_at: Timestamp,
    pub expires_at: Timestamp,
    /// What its tokens are bound to: the thumbprint of a key, or the SPIFFE ID of an X.509-SVID; nothing for bearer tokens.
    pub key: Option<String>,
    /// What it may use within its scope, with bounds on arguments; empty: all of it, without bounds.
    #[serde(default)]
    pub authority: Vec<Authority>,
    /// Where `authority` is empty: whether all of it may be passed on.
    #[serde(default)]
    pub delegation: Option<Delegation>,
    /// The OAuth client that has its tokens, where a person consented to one.
    #[serde(default)]
    pub client: Option<String>,
    /// Through what it stands in for an agent that has no task tokens of its own: `legacy:ACCOUNT` or `svid:ID`.
    #[serde(default)]
    pub via: Option<String>,
    /// Whether a credential of it is known to be held by several.
    #[serde(default)]
    pub shared: bool,
    /// The highest class of data that it, or a task under it, has had an answer from.
    #[serde(default)]
    pub data: Option<DataClass>,
    /// The highest class of data for which a person approved an action of it.
    #[serde(default)]
    pub approved_data: Option<DataClass>,
    /// Digest of the configuration that it runs with, where its agent's is approved.
    #[serde(default)]
    pub configuration: Option<Digest>,
    /// Its place in the realm's Token Status Lists.
    #[serde(default)]
    pub status_place: u32,
    /// Tokens that were revoked one by one, by name, with the moment at which each would have ended anyway.
    #[serde(default)]
    pub revoked_tokens: Vec<(String, Timestamp)>,
    /// Digest of the refresh token that is good now.
    #[serde(default)]
    pub(crate) refresh: Option<Digest>,
    pub ended: Option<(Timestamp, EndReason)>,
    pub(crate) children: Vec<TaskId>,
    /// Questions to people, and answers not yet used, that end with it.
    pub(crate) open_approvals: Vec<ApprovalId>,
    /// What it has asked for beyond what its agent was granted, oldest first.
    #[serde(default)]
    pub access: Vec<Access>,
    /// The same of all tasks below it, where it is the first.
    #[serde(default)]
    pub(crate) access_below: AccessBelow,
}

impl Task {
    /// Whether no event has ended it. Its time may still be over: see [`Task::must_be_alive`].
    pub fn is_live(&self) -> bool {
        self.ended.is_none()
    }

    /// How far its records can be attributed: a door accepts a key-bound task only with proof of possession of that key.
    /// Nothing proves more than that some holder acted once several have what opens it.
    pub fn attribution(&self) -> Attribution {
        if self.shared || self.via.as_deref().is_some_and(crate::legacy::is_shared) {
            return Attribution::Shared;
        }
        match self.key {
            Some(_) => Attribution::Proven,
            None => Attribution::Asserted,
        }
    }

    /// What its tokens are bound to.
    pub fn binding(&self) -> Binding<'_> {
        match self.key.as_deref() {
            None => Binding::Bearer,
            Some(id) if is_svid(id) => Binding::Svid(id),
            Some(thumbprint) => Binding::Key(thumbprint),
        }
    }

    /// All of it as one part of authority, for a task that has no parts.
    pub(crate) fn whole(&self) -> Authority {
        Authority { delegation: self.delegation.clone(), ..Authority::over(self.scope.clone()) }
    }

    /// Whether the token of this name was revoked.
    pub fn is_revoked(&self, token: &str) -> bool {
        self.revoked_tokens.iter().any(|(revoked, _)| revoked == token)
    }

    /// Whether `operation` lies within its scope.
    pub fn in_scope(&self, operation: &OperationName) -> bool {
        self.scope.is_empty() || self.scope.iter().any(|pattern| pattern.covers(operation))
    }

    /// The refusal for a task that has ended or whose time is over at `now`.
    pub fn must_be_alive(&self, now: Timestamp) -> Result<(), Refusal> {
        if self.is_live() && now < self.expires_at {
            return Ok(());
        }
        Err(Refusal::new("task_ended", format!("the task `{}` has ended", self.id)).help("start a new task"))
    }
}

/// What the tokens of a task are bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding<'a> {
    /// Whoever holds one may use it.
    Bearer,
    /// The key with this thumbprint (RFC 7638), proved with each request (RFC 9449).
    Key(&'a str),
    /// The certificate of this SPIFFE ID, shown on the connection (RFC 8705).
    Svid(&'a str),
}

fn is_svid(key: &str) -> bool {
    key.starts_with("spiffe://")
}

/// Starts a task.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartTask {
    pub agent: AgentId,
    pub purpose: String,
    #[serde(default)]
    pub acting_for: Option<PersonId>,
    #[serde(default)]
    pub scope: Vec<OperationPattern>,
    #[serde(default)]
    pub ttl_seconds: Option<u64>,
    #[serde(default)]
    pub budget: Option<Budget>,
    #[serde(default)]
    pub parent: Option<TaskId>,
    /// What its tokens are to be bound to: the thumbprint of an enrolled key, or the agent's own SPIFFE ID.
    #[serde(default)]
    pub key: Option<String>,
    #[serde(default)]
    pub authority: Vec<Authority>,
    #[serde(default)]
    pub delegation: Option<Delegation>,
    /// Digest of the configuration that the run really uses: see [`Configuration`](crate::Configuration).
    #[serde(default)]
    pub configuration: Option<Digest>,
}

/// A task has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskStarted {
    pub task: TaskId,
    pub run: RunId,
    pub agent: AgentId,
    pub purpose: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<PersonId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<PersonId>,
    pub scope: Vec<OperationPattern>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<TaskId>,
    pub budget: Budget,
    pub expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authority: Vec<Authority>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<Delegation>,
    /// The OAuth client that gets its tokens, where a person consented to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Through what it stands in for an agent that has no task tokens of its own: `legacy:ACCOUNT` or `svid:ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Digest of the configuration that it runs with, where its agent's is approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Digest>,
}

impl TaskStarted {
    /// A task of `agent` that begins now as a run of its own, with nothing said about it yet.
    pub(crate) fn begun(agent: AgentId, purpose: &str, at: &Moment) -> Self {
        Self {
            task: at.fresh_id(),
            run: at.fresh_id(),
            agent,
            purpose: purpose.to_owned(),
            acting_for: None,
            started_by: None,
            scope: Vec::new(),
            parent: None,
            budget: Budget::default(),
            expires_at: at.now.plus_seconds(limits::TASK_SECONDS_DEFAULT),
            key: None,
            authority: Vec::new(),
            delegation: None,
            client: None,
            via: None,
            configuration: None,
        }
    }
}

pub(crate) fn decide_start(
    state: &State,
    actor: &Actor,
    start: &StartTask,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let agent = state.agent(start.agent)?;
    agent.must_be_active()?;
    sandbox::must_not_be_built_in(agent)?;
    check_text("purpose", &start.purpose)?;
    let started_by = starter(state, actor, start)?;
    let configuration = start.configuration.or_else(|| narrow::configuration(state, start));
    configuration::must_be_approved(agent, configuration)?;
    start.acting_for.map_or(Ok(()), |person| state.person(person).map(|_| ()))?;
    check_scope(&start.scope)?;
    authority::check(&start.authority)?;
    start.delegation.as_ref().map_or(Ok(()), authority::check_delegation)?;
    if start.budget.is_some_and(|budget| !(1..=limits::TASK_CALLS_MAX).contains(&budget.calls_max)) {
        return Err(Refusal::new(
            "bad_budget",
            format!("a task may make between 1 and {} calls", limits::TASK_CALLS_MAX),
        ));
    }
    start.key.as_deref().map_or(Ok(()), |key| must_hold(state, agent, key))?;
    check_room(state, agent)?;
    let mut started = TaskStarted {
        acting_for: start.acting_for,
        started_by,
        scope: start.scope.clone(),
        parent: start.parent,
        budget: start.budget.unwrap_or_default(),
        expires_at: at.now.plus_seconds(life(start.ttl_seconds)?),
        key: start.key.clone(),
        authority: start.authority.clone(),
        delegation: start.delegation.clone(),
        configuration,
        ..TaskStarted::begun(start.agent, &start.purpose, at)
    };
    if let Some(parent) = start.parent {
        narrow::narrow(state.task(parent)?, start, &mut started, at)?;
    }
    Ok(vec![Event::TaskStarted(Box::new(started))])
}

/// How long a task lives that was asked for with `ttl_seconds`.
pub(crate) fn life(ttl_seconds: Option<u64>) -> Result<u64, Refusal> {
    let seconds = ttl_seconds.unwrap_or(limits::TASK_SECONDS_DEFAULT);
    if (1..=limits::TASK_SECONDS_MAX).contains(&seconds) {
        return Ok(seconds);
    }
    Err(Refusal::new("task_too_long", "a task lives between a second and a day").help("ask for less time"))
}

pub(crate) fn check_scope(scope: &[OperationPattern]) -> Result<(), Refusal> {
    if scope.len() <= limits::PATTERNS_MAX {
        return Ok(());
    }
    let sentence = format!("a task's scope names at most {} operations", limits::PATTERNS_MAX);
    Err(Refusal::new("scope_too_wide", sentence))
}

/// Whether the agent may have one more live task.
pub(crate) fn check_room(state: &State, agent: &Agent) -> Result<(), Refusal> {
    if state.live_by_agent.get(&agent.id).is_none_or(|live| live.len() < limits::AGENT_TASKS_MAX) {
        return Ok(());
    }
    Err(Refusal::new("too_many_tasks", format!("the agent `{}` has too many live tasks", agent.name))
        .help("end those that are done"))
}

/// Refuses to bind a task to what is not the agent's own: an enrolled key, or its SPIFFE ID.
pub(crate) fn must_hold(state: &State, agent: &Agent, key: &str) -> Result<(), Refusal> {
    let domain = state.realm.as_ref().map(|realm| realm.trust_domain.as_str()).unwrap_or_default();
    let own_id = || key == agent.spiffe_id(domain);
    if agent.keys.iter().any(|own| own.thumbprint == key) || is_svid(key) && own_id() {
        return Ok(());
    }
    Err(Refusal::new("key_unknown", "this key is not enrolled for this agent")
        .help("`remit agent enrol` gives a code to enrol it"))
}

/// Whether `task` was passed on to its agent by another: then who started the first of the line did not start this one.
pub(crate) fn is_delegated(state: &State, task: &Task) -> bool {
    lineage(state, task).any(|above| above.agent != task.agent)
}

/// A task and all above it, from the inside out.
pub fn lineage<'a>(state: &'a State, task: &'a Task) -> impl Iterator<Item = &'a Task> {
    let above = |task: &&'a Task| task.parent.and_then(|parent| state.tasks.get(&parent)).map(|parent| &**parent);
    std::iter::successors(Some(task), above)
}

/// A person starts a task for an agent they own (or administer); an agent starts its own, or a sub-task under its own.
fn starter(state: &State, actor: &Actor, start: &StartTask) -> Result<Option<PersonId>, Refusal> {
    match actor {
        Actor::Person { .. } => actor.owner_of(state, start.agent).map(Some),
        // Only the agent's own key starts a task beside others: a task's token starts nothing wider than that task.
        Actor::Agent { agent, task: None }
            if *agent == start.agent && start.parent.is_none() && start.acting_for.is_none() =>
        {
            Ok(None)
        }
        Actor::Agent { agent, task: Some(task) } if *agent == start.agent && start.parent == Some(*task) => {
            Ok(state.task(*task)?.started_by)
        }
        Actor::Agent { .. } => Err(Refusal::new(
            "not_permitted",
            "an agent starts only its own tasks, and acts for a person only where a person or its parent task says so",
        )
        .help("leave out the person, and under a task start it as a sub-task of that task")),
        Actor::Remit => actor.person().map(Some),
    }
}

/// Records that a token was issued for a task; no token without its record.
pub(crate) fn decide_issue_token(
    state: &State,
    actor: &Actor,
    task: TaskId,
    token: &str,
    expires_at: Timestamp,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let task = state.task(task)?;
    match actor {
        Actor::Agent { agent, .. } if *agent == task.agent => {}
        Actor::Person { person, .. } if task.started_by == Some(*person) && !is_delegated(state, task) => {}
        // The token endpoint, to the client that a person consented to.
        Actor::Remit if task.client.is_some() => {}
        _ => return Err(Refusal::new("not_permitted", "only whoever started a task gets its tokens")),
    }
    task.must_be_alive(at.now)?;
    let agent = state.agent(task.agent)?;
    agent.must_be_active()?;
    sandbox::must_not_be_built_in(agent)?;
    if expires_at > task.expires_at {
        return Err(Refusal::new("token_too_long", "a token never outlives its task"));
    }
    Ok(vec![Event::TokenIssued {
        agent: task.agent,
        task: task.id,
        token: token.to_owned(),
        expires_at,
        bound_to: task.key.clone(),
    }])
}

/// Ends a task and everything under it, in one commit.
pub(crate) fn decide_end(state: &State, actor: &Actor, id: TaskId, note: &str) -> Result<Vec<Event>, Refusal> {
    crate::person::check_note("note", note)?;
    let Some(task) = state.tasks.get(&id) else { return Err(Refusal::unknown("task", id)) };
    crate::revoke::may_end(state, actor, task)?;
    Ok(end_tree(state, id, &EndReason::Ended { note: note.to_owned() }))
}

pub(crate) fn apply_started(state: &mut State, started: &TaskStarted, at: Timestamp) {
    let depth = match started.parent.and_then(|parent| state.tasks.get_mut(&parent)) {
        Some(parent) => {
            let parent = Arc::make_mut(parent);
            parent.children.push(started.task);
            parent.depth + 1
        }
        None => 0,
    };
    let task = Task {
        id: started.task,
        run: started.run,
        agent: started.agent,
        purpose: started.purpose.clone(),
        acting_for: started.acting_for,
        started_by: started.started_by,
        scope: started.scope.clone(),
        parent: started.parent,
        depth,
        budget: started.budget,
        calls: 0,
        labels: BTreeSet::new(),
        started_at: at,
        expires_at: started.expires_at,
        key: started.key.clone(),
        authority: started.authority.clone(),
        delegation: started.delegation.clone(),
        client: started.client.clone(),
        via: started.via.clone(),
        shared: false,
        data: None,
        approved_data: None,
        configuration: started.configuration,
        status_place: crate::status::take_place(state, started.task),
        revoked_tokens: Vec::new(),
        refresh: None,
        ended: None,
        children: Vec::new(),
        open_approvals: Vec::new(),
        access: Vec::new(),
        access_below: AccessBelow::default(),
    };
    state.deadlines.insert((task.expires_at, Deadline::Task(task.id)));
    state.live_by_agent.entry(task.agent).or_default().insert(task.id);
    state.tasks.insert(task.id, Arc::new(task));
    crate::legacy::apply_started(state, started);
}

pub(crate) fn apply_ended(state: &mut State, id: TaskId, reason: &EndReason, at: Timestamp) {
    let Some(task) = state.tasks.get_mut(&id) else { return };
    let task = Arc::make_mut(task);
    task.ended = Some((at, reason.clone()));
    let (agent, expires_at) = (task.agent, task.expires_at);
    state.voided += 1;
    state.deadlines.remove(&(expires_at, Deadline::Task(id)));
    if let Some(live) = state.live_by_agent.get_mut(&agent) {
        live.remove(&id);
        if live.is_empty() {
            state.live_by_agent.remove(&agent);
        }
    }
    crate::approval::apply_task_ended(state, id, at);
    crate::grant::access::apply_task_ended(state, id);
    crate::legacy::apply_task_ended(state, agent, id);
    state.forget_later(Ended::Task(id), at);
}

/// Changes one task, if it is there.
pub(crate) fn change(state: &mut State, id: TaskId, change: impl FnOnce(&mut Task)) {
    if let Some(task) = state.tasks.get_mut(&id) {
        change(Arc::make_mut(task));
    }
}

/// Counts an allowed call against the task and all above it.
pub(crate) fn count_call(state: &mut State, id: TaskId) {
    let mut next = Some(id);
    while let Some(id) = next {
        let Some(task) = state.tasks.get_mut(&id) else { return };
        let task = Arc::make_mut(task);
        task.calls += 1;
        next = task.parent;
    }
}

/// The refusal if the task, or one above it, has used up its budget.
pub(crate) fn within_budget(state: &State, task: &Task) -> Result<(), Refusal> {
    let mut next = Some(task);
    while let Some(task) = next {
        if task.calls >= task.budget.calls_max {
            return Err(Refusal::new(
                "budget_spent",
                format!("the task `{}` has used its {} calls", task.id, task.budget.calls_max),
            )
            .help("end it and start a new task with a larger budget"));
        }
        next = task.parent.and_then(|parent| state.tasks.get(&parent)).map(|parent| &**parent);
    }
    Ok(())
}

/// Marks a task, and all above it, with what an outcome brought: content flows upward, to whoever the work is done for.
pub(crate) fn add_labels(state: &mut State, id: TaskId, labels: &[String]) {
    let mut next = Some(id).filter(|_| !labels.is_empty());
    while let Some(id) = next {
        let Some(task) = state.tasks.get_mut(&id) else { return };
        let task = Arc::make_mut(task);
        task.labels.extend(labels.iter().cloned());
        next = task.parent;
    }
}

/// Notes that an answer of class `data` came into a task, and so into all above it.
pub(crate) fn add_data(state: &mut State, id: TaskId, data: DataClass) {
    let mut next = Some(id);
    while let Some(id) = next {
        let Some(task) = state.tasks.get_mut(&id).filter(|task| task.data < Some(data)) else { return };
        let task = Arc::make_mut(task);
        task.data = Some(data);
        next = task.parent;
    }
}

/// The highest class of data that a task may have come in touch with, in itself or through a task above it that told it what to do.
pub(crate) fn data_of(state: &State, task: &Task) -> Option<DataClass> {
    let mut highest = task.data;
    let mut next = task.parent;
    while let Some(above) = next.and_then(|id| state.tasks.get(&id)) {
        highest = highest.max(above.data);
        next = above.parent;
    }
    highest
}

/// Notes that a person approved an action of the task on data of this class.
pub(crate) fn note_approved(state: &mut State, id: TaskId, data: DataClass) {
    if let Some(task) = state.tasks.get_mut(&id).filter(|task| task.approved_data < Some(data)) {
        Arc::make_mut(task).approved_data = Some(data);
    }
}

/// What a task may have come in touch with: what came into it, or into a task above it that told it what to do.
pub(crate) fn labels_of(state: &State, task: &Task) -> BTreeSet<String> {
    let mut labels = task.labels.clone();
    let mut next = task.parent;
    while let Some(above) = next.and_then(|id| state.tasks.get(&id)) {
        labels.extend(above.labels.iter().cloned());
        next = above.parent;
    }
    labels
}

/// Questions and unused answers of a task's whole tree: all of a run's tasks belong to one tree, and only live ones have any.
pub(crate) fn open_approvals_of_tree(state: &State, task: &Task) -> usize {
    let tree = state.live_tasks_of(task.agent).filter(|other| other.run == task.run);
    tree.map(|other| other.open_approvals.len()).sum()
}
