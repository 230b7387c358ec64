//! Legacy accounts: workflows behind one shared secret, told apart by what they say they are. A debt, with a date by which it is
//! paid; and the standing tasks of agents that cannot ask for tasks of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::person::{check_name, check_text};
use crate::task::{TaskStarted, check_room, end_tree, end_trees};
use crate::{
    Actor, Agent, AgentId, Digest, EndReason, Event, Level, Moment, PersonId, Refusal, State, Task, TaskId, Timestamp,
    limits, sandbox,
};

#[cfg(test)]
mod tests;

/// What stands in for a task token: the certificate of the agent, shown on the connection.
pub const VIA_X509_SVID: &str = "svid:x509";
/// What stands in for a task token: a JWT-SVID of the agent, which whoever holds it may use.
pub const VIA_JWT_SVID: &str = "svid:jwt";
/// What stands in for a task token: a legacy account, whose name follows.
const LEGACY: &str = "legacy:";

/// How agents that cannot have tokens of their own share one secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegacyAccount {
    pub name: String,
    pub secret: Digest,
    /// The agent behind each workflow.
    pub workflows: BTreeMap<String, AgentId>,
    /// Whether a workflow is named in a signed header; otherwise by the address that is called.
    pub header_key: bool,
    /// When the debt has to be paid: nothing goes through it from then on.
    pub due_at: Timestamp,
    pub reason: String,
    pub opened_by: PersonId,
}

/// Takes up a debt: lets workflows in by one shared secret.
#[derive(Debug, Clone)]
pub struct OpenLegacyAccount {
    pub name: String,
    /// Digest of the secret.
    pub secret: Digest,
    pub workflows: BTreeMap<String, AgentId>,
    pub header_key: bool,
    pub due_at: Timestamp,
    pub reason: String,
}

/// A legacy account was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LegacyAccountOpened {
    pub name: String,
    pub secret: Digest,
    pub workflows: BTreeMap<String, AgentId>,
    pub header_key: bool,
    pub due_at: Timestamp,
    pub reason: String,
    /// Who answers for the debt.
    pub by: PersonId,
}

impl State {
    /// The legacy account that the secret with this digest opens. It may be overdue: see [`LegacyAccount::must_not_be_overdue`].
    pub fn legacy_account_of(&self, secret: &Digest) -> Option<&Arc<LegacyAccount>> {
        self.legacy_accounts.get(self.legacy_by_secret.get(secret)?)
    }

    /// The standing task of `agent` through `via` that is live at `now`.
    pub fn standing_task(&self, agent: AgentId, via: &str, now: Timestamp) -> Option<&Arc<Task>> {
        self.standing(agent, via).filter(|task| task.must_be_alive(now).is_ok())
    }

    /// As [`State::standing_task`], its time may be over.
    fn standing(&self, agent: AgentId, via: &str) -> Option<&Arc<Task>> {
        let task = self.standing_by_agent.get(&agent)?.get(via)?;
        self.tasks.get(task).filter(|task| task.is_live())
    }
}

impl LegacyAccount {
    /// What the tasks of its workflows are started through.
    pub fn via(&self) -> String {
        format!("{LEGACY}{}", self.name)
    }

    /// For what the account's header key is derived from the realm's key, so that who opened the account can be told it and the
    /// gateway has it again. Another account of the same name has another.
    pub fn header_purpose(name: &str, secret: &Digest) -> String {
        format!("legacy header v1 {name} {secret}")
    }

    /// The refusal once its debt is due.
    pub fn must_not_be_overdue(&self, now: Timestamp) -> Result<(), Refusal> {
        if now < self.due_at {
            return Ok(());
        }
        Err(Refusal::new("debt_overdue", format!("the legacy account `{}` was to be gone by now", self.name))
            .help("give each workflow an identity of its own; `remit agent enrol` begins it"))
    }
}

/// Whether a task that was started through `via` can be told from others only by what its caller says.
pub(crate) fn is_shared(via: &str) -> bool {
    via.starts_with(LEGACY)
}

/// What is needed of an agent's identity, as a refusal if `level` is below it.
fn must_reach(agent: &Agent, level: Level) -> Result<(), Refusal> {
    agent.must_be_active()?;
    let needed = agent.profile.level_needed();
    if level >= needed {
        return Ok(());
    }
    let sentence = format!(
        "the agent `{}` needs an identity of the level `{}`, and this one is of the level `{}`",
        agent.name,
        needed.as_str(),
        level.as_str()
    );
    Err(Refusal::new("identity_too_coarse", sentence).help("start a task and use its token: `remit run`"))
}

pub(crate) fn decide_open(
    state: &State,
    actor: &Actor,
    open: &OpenLegacyAccount,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let by = actor.administrator(state)?;
    check_name("legacy account", &open.name)?;
    check_text("reason", &open.reason)?;
    if state.legacy_accounts.contains_key(&open.name) {
        return Err(Refusal::new("name_taken", format!("there is already a legacy account `{}`", open.name)));
    }
    if state.legacy_by_secret.contains_key(&open.secret) {
        return Err(Refusal::new("secret_taken", "this secret already opens a legacy account")
            .help("make a new secret for each"));
    }
    if state.legacy_accounts.len() >= limits::LEGACY_ACCOUNTS_MAX {
        return Err(Refusal::new("too_many_accounts", "this realm has as many legacy accounts as it may have")
            .help("pay a debt before taking up another"));
    }
    if open.due_at <= at.now || open.due_at > at.now.plus_seconds(limits::LEGACY_SECONDS_MAX) {
        return Err(Refusal::new("bad_due_date", "a legacy account is always due, at most 180 days from now")
            .help("choose the day by which each workflow has an identity of its own"));
    }
    if open.workflows.is_empty() || open.workflows.len() > limits::WORKFLOWS_MAX {
        let sentence = format!("a legacy account has between 1 and {} workflows", limits::WORKFLOWS_MAX);
        return Err(Refusal::new("bad_workflows", sentence));
    }
    for (workflow, agent) in &open.workflows {
        check_name("workflow", workflow)?;
        let agent = state.agent(*agent)?;
        sandbox::must_not_be_built_in(agent)?;
        must_reach(agent, Level::Agent)?;
    }
    Ok(vec![Event::LegacyAccountOpened(Box::new(LegacyAccountOpened {
        name: open.name.clone(),
        secret: open.secret,
        workflows: open.workflows.clone(),
        header_key: open.header_key,
        due_at: open.due_at,
        reason: open.reason.clone(),
        by,
    }))])
}

/// Pays a debt: the secret opens nothing any more, and what it had opened ends.
pub(crate) fn decide_close(state: &State, actor: &Actor, name: &str, reason: &str) -> Result<Vec<Event>, Refusal> {
    let by = actor.administrator(state)?;
    check_text("reason", reason)?;
    let account = state.legacy_accounts.get(name).ok_or_else(|| Refusal::unknown("legacy account", name))?;
    let closed = Event::LegacyAccountClosed { name: name.to_owned(), by, reason: reason.to_owned() };
    let standing = account.workflows.values().filter_map(|agent| state.standing(*agent, &account.via()));
    let note = format!("the legacy account `{name}` was closed");
    let ended = end_trees(state, standing.map(|task| task.id), &EndReason::Ended { note });
    Ok(std::iter::once(closed).chain(ended).collect())
}

/// Makes sure that an agent that cannot have tokens of its own has a task to act under. Nothing happens if it has.
pub(crate) fn decide_stand_in(
    state: &State,
    actor: &Actor,
    id: AgentId,
    via: &str,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    actor.remit("starts standing tasks")?;
    let agent = state.agent(id)?;
    sandbox::must_not_be_built_in(agent)?;
    let (level, until) = match via.strip_prefix(LEGACY) {
        Some(name) => (Level::Agent, behind(state, name, id, at)?.due_at),
        None => (Level::Environment, Timestamp::from_millis(i64::MAX)),
    };
    must_reach(agent, level)?;
    // A document that was handed out before outlives the binding that it was handed out for.
    if level == Level::Environment && state.workloads_of(id).is_empty() {
        return Err(Refusal::new("workload_unbound", format!("no workload is bound to `{}` any more", agent.name))
            .help("bind it again: `remit workload bind`"));
    }
    let key = match via {
        VIA_X509_SVID => Some(agent.spiffe_id(state.realm.as_ref().map_or("", |realm| &realm.trust_domain))),
        VIA_JWT_SVID => None,
        _ if is_shared(via) => None,
        _ => return Err(Refusal::new("bad_via", format!("nothing stands in for a task token as `{via}`"))),
    };
    let mut events = Vec::new();
    if let Some(task) = state.standing(id, via) {
        // With the agent's environment its SPIFFE ID changes, and with it what the task is bound to.
        if task.must_be_alive(at.now).is_ok() && task.key == key {
            return Ok(events);
        }
        events = end_tree(state, task.id, &EndReason::Expired);
    } else {
        check_room(state, agent)?;
    }
    let purpose = format!("standing work of `{}` through `{via}`", agent.name);
    events.push(Event::TaskStarted(Box::new(TaskStarted {
        expires_at: at.now.plus_seconds(limits::TASK_SECONDS_MAX).min(until),
        key,
        via: Some(via.to_owned()),
        ..TaskStarted::begun(id, &purpose, at)
    })));
    Ok(events)
}

/// The account of this name that `agent` is behind, and that is not overdue.
fn behind<'a>(state: &'a State, name: &str, agent: AgentId, at: &Moment) -> Result<&'a LegacyAccount, Refusal> {
    let account = state.legacy_accounts.get(name).ok_or_else(|| Refusal::unknown("legacy account", name))?;
    account.must_not_be_overdue(at.now)?;
    if account.workflows.values().any(|behind| *behind == agent) {
        return Ok(account);
    }
    Err(Refusal::new("not_permitted", format!("no workflow of the legacy account `{name}` is this agent")))
}

pub(crate) fn apply_opened(state: &mut State, opened: &LegacyAccountOpened) {
    let account = LegacyAccount {
        name: opened.name.clone(),
        secret: opened.secret,
        workflows: opened.workflows.clone(),
        header_key: opened.header_key,
        due_at: opened.due_at,
        reason: opened.reason.clone(),
        opened_by: opened.by,
    };
    state.legacy_by_secret.insert(opened.secret, opened.name.clone());
    state.legacy_accounts.insert(opened.name.clone(), Arc::new(account));
}

pub(crate) fn apply_closed(state: &mut State, name: &str) {
    if let Some(account) = state.legacy_accounts.remove(name) {
        state.legacy_by_secret.remove(&account.secret);
    }
}

/// Remembers the standing task of its agent.
pub(crate) fn apply_started(state: &mut State, started: &TaskStarted) {
    if let Some(via) = &started.via {
        state.standing_by_agent.entry(started.agent).or_default().insert(via.clone(), started.task);
    }
}

/// Forgets a standing task that has ended.
pub(crate) fn apply_task_ended(state: &mut State, agent: AgentId, task: TaskId) {
    let Some(standing) = state.standing_by_agent.get_mut(&agent) else { return };
    let via = standing.iter().find(|(_, own)| **own == task).map(|(via, _)| via.clone());
    via.map(|via| standing.remove(&via));
    if standing.is_empty() {
        state.standing_by_agent.remove(&agent);
    }
}
