//! Agents: governed non-human identities, from registration to decommissioning.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::person::{check_name, check_note, check_text};
use crate::state::Deadline;
use crate::{
    Actor, AgentId, Configuration, Digest, EndReason, Event, FieldProblem, Moment, PersonId, Refusal, State, Timestamp,
    limits, sandbox, session, workload,
};

mod describe;
#[cfg(test)]
mod tests;

pub(crate) use describe::{approvers_set, decide_describe};

/// What an agent is for, which decides its default access pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Read,
    Transform,
    Act,
    Code,
}

/// How sensitive data is: `D0` public, `D1` internal, `D2` confidential, `D3` restricted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub enum DataClass {
    #[default]
    D0,
    D1,
    D2,
    D3,
}

impl DataClass {
    /// How many classes there are.
    pub(crate) const COUNT: usize = 4;

    pub const fn level(self) -> u8 {
        self as u8
    }
}

/// Where an agent runs. Identities of different environments never mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    Sandbox,
    Development,
    Test,
    Production,
}

impl Class {
    pub(crate) const ALL: [Self; 4] = [Self::Read, Self::Transform, Self::Act, Self::Code];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Transform => "transform",
            Self::Act => "act",
            Self::Code => "code",
        }
    }
}

impl Environment {
    pub(crate) const ALL: [Self; 4] = [Self::Sandbox, Self::Development, Self::Test, Self::Production];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Development => "development",
            Self::Test => "test",
            Self::Production => "production",
        }
    }
}

/// Life of an agent's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// Arrived by itself, well authenticated, and nobody answers for it. It can do nothing.
    Quarantined,
    /// Registered; its record may still be incomplete. It can do nothing.
    Draft,
    Active,
    /// Ended for now, by a person or because its review is overdue.
    Suspended,
    /// Ended for good; the name is never given to another.
    Decommissioned,
}

/// What a person says about an agent. Everything here is needed before it can become active.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AgentProfile {
    /// Answers for the agent.
    pub owner: Option<PersonId>,
    /// May approve its grants, and its actions where a rule asks for the role `approver`.
    pub approvers: Vec<PersonId>,
    pub purpose: String,
    pub class: Option<Class>,
    /// 1 (assist) to 4 (self-starting).
    pub autonomy: Option<u8>,
    /// Classes of data that it may touch.
    pub data_classes: Vec<DataClass>,
    pub environment: Option<Environment>,
    /// When a person has to look at it again; past this moment it is suspended.
    pub review_at: Option<Timestamp>,
    /// Whether it enforces elsewhere what Remit decides: only such an agent may ask about what others do.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub enforcer: bool,
}

/// How finely an identity tells callers apart: the agent alone, the agent in its environment, or one task of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Agent,
    Environment,
    Task,
}

impl Level {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Environment => "environment",
            Self::Task => "task",
        }
    }
}

impl AgentProfile {
    /// How fine an identity has to be for what this agent may do. What was not said counts as the most.
    pub fn level_needed(&self) -> Level {
        match (self.autonomy.unwrap_or(4), self.data_ceiling()) {
            (4.., _) | (_, DataClass::D3) => Level::Task,
            (1, DataClass::D0) => Level::Agent,
            _ => Level::Environment,
        }
    }

    /// The highest class of data that it may touch.
    fn data_ceiling(&self) -> DataClass {
        self.data_classes.iter().copied().max().unwrap_or_default()
    }

    /// Whether an agent described so could do what one described as `other` could not. Policies tell classes and environments
    /// apart in no particular order, so any change of those counts.
    fn reaches_further_than(&self, other: &Self) -> bool {
        self.class != other.class
            || self.environment != other.environment
            || self.autonomy > other.autonomy
            || self.data_ceiling() > other.data_ceiling()
            || self.enforcer && !other.enforcer
    }
}

/// An enrolled public key: what the agent proves itself with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentKey {
    /// RFC 7638 thumbprint.
    pub thumbprint: String,
    /// The public key as a JWK (RFC 7517).
    pub jwk: serde_json::Value,
}

/// A governed non-human identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    pub id: AgentId,
    pub name: String,
    pub profile: AgentProfile,
    pub status: AgentStatus,
    pub keys: Vec<AgentKey>,
    pub registered_at: Timestamp,
    /// Identity documents that were handed out before are worth nothing any more: since it was suspended, or lost a workload.
    #[serde(default)]
    pub identities_from: Option<Timestamp>,
    /// The open enrolment: digest of its one-time code, and its end.
    pub(crate) enrolment: Option<(Digest, Timestamp)>,
    /// The prompt, model and tools that it may run with; nothing if that is not bound.
    #[serde(default)]
    pub configuration: Option<Configuration>,
}

impl Agent {
    /// Whether its identity has ended for good.
    pub fn is_gone(&self) -> bool {
        self.status == AgentStatus::Decommissioned
    }

    /// The highest class of data that it may touch.
    pub fn data_ceiling(&self) -> DataClass {
        self.profile.data_ceiling()
    }

    /// Whether an identity document that was handed out at `issued_at`, in seconds since 1970, has been withdrawn since.
    pub fn has_withdrawn(&self, issued_at: i64) -> bool {
        self.identities_from.is_some_and(|from| issued_at < from.as_seconds())
    }

    /// Whether `person` may approve grants for it.
    pub fn grants_approved_by(&self, person: PersonId) -> bool {
        self.profile.owner == Some(person) || self.profile.approvers.contains(&person)
    }

    /// `spiffe://DOMAIN/agent/NAME/ENVIRONMENT`
    pub fn spiffe_id(&self, trust_domain: &str) -> String {
        let environment = self.profile.environment.map_or("none", Environment::as_str);
        format!("spiffe://{trust_domain}/agent/{}/{environment}", self.name)
    }

    /// Whoever asks in the name of others can put questions to people and learn who may do what: that is said of an agent, never assumed.
    pub fn must_be_enforcer(&self) -> Result<(), Refusal> {
        if self.profile.enforcer {
            return Ok(());
        }
        let sentence = format!("the agent `{}` may not ask about what others do", self.name);
        Err(Refusal::new("not_an_enforcer", sentence).help(format!(
            "an administrator can describe it as one that enforces elsewhere: `remit agent change {} --enforcer`",
            self.name
        )))
    }

    pub(crate) fn must_be_active(&self) -> Result<(), Refusal> {
        match self.status {
            AgentStatus::Active => Ok(()),
            AgentStatus::Quarantined => Err(Refusal::new(
                "agent_quarantined",
                format!("the agent `{}` is in quarantine: nobody answers for it yet", self.name),
            )
            .help("an administrator can describe it with an owner and activate it, or decommission it")),
            AgentStatus::Draft => {
                Err(Refusal::new("agent_draft", format!("the agent `{}` is not active yet", self.name))
                    .help(format!("`remit agent activate {}` says what is missing", self.name)))
            }
            AgentStatus::Suspended => {
                Err(Refusal::new("agent_suspended", format!("the agent `{}` is suspended", self.name))
                    .help(format!("its owner can resume it: `remit agent resume {}`", self.name)))
            }
            AgentStatus::Decommissioned => {
                Err(Refusal::new("agent_decommissioned", format!("the agent `{}` is decommissioned", self.name))
                    .help("register a new agent under another name"))
            }
        }
    }
}

/// Registers an agent; the record may be incomplete until activation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterAgent {
    pub name: String,
    #[serde(default)]
    pub profile: AgentProfile,
}

/// An agent has been registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentRegistered {
    pub agent: AgentId,
    pub name: String,
    pub profile: AgentProfile,
}

pub(crate) fn decide_register(
    state: &State,
    actor: &Actor,
    register: &RegisterAgent,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    actor.person()?;
    check_name("agent", &register.name)?;
    if register.name == sandbox::SANDBOX {
        return Err(Refusal::new(
            "reserved_name",
            format!("the name `{}` is reserved for Remit's own agent", register.name),
        )
        .help("choose another name"));
    }
    check_profile(state, &register.profile)?;
    if state.agents_by_name.contains_key(&register.name) {
        return Err(Refusal::new("name_taken", format!("there is already an agent `{}`", register.name))
            .help("names are never given twice, so that records stay attributable"));
    }
    let (name, profile) = (register.name.clone(), register.profile.clone());
    Ok(vec![Event::AgentRegistered(Box::new(AgentRegistered { agent: at.fresh_id(), name, profile }))])
}

fn check_profile(state: &State, profile: &AgentProfile) -> Result<(), Refusal> {
    profile.owner.iter().chain(&profile.approvers).try_for_each(|person| state.person(*person).map(|_| ()))?;
    check_note("purpose", &profile.purpose)?;
    if profile.autonomy.is_some_and(|level| !(1..=4).contains(&level)) {
        return Err(Refusal::new("bad_autonomy", "autonomy is a level from 1 (assist) to 4 (self-starting)"));
    }
    if profile.approvers.len() > limits::AGENT_APPROVERS_MAX {
        let sentence = format!("an agent has at most {} approvers", limits::AGENT_APPROVERS_MAX);
        return Err(Refusal::new("too_many_approvers", sentence).help("name a group in a policy instead"));
    }
    if profile.data_classes.len() > DataClass::COUNT {
        return Err(Refusal::new("bad_data_classes", "a class of data is listed twice")
            .help("list each of `D0` to `D3` at most once"));
    }
    Ok(())
}

/// Everything that a record needs before the agent may act, each missing part named.
fn complete(profile: &AgentProfile, now: Timestamp) -> Result<(), Refusal> {
    let mut fields = Vec::new();
    let mut need = |missing: bool, field: &str, sentence: &str| {
        if missing {
            fields.push(FieldProblem::new(field, sentence));
        }
    };
    need(profile.owner.is_none(), "owner", "name the person who answers for this agent");
    need(profile.purpose.trim().is_empty(), "purpose", "say in a sentence what the agent is for");
    need(profile.class.is_none(), "class", "choose `read`, `transform`, `act` or `code`");
    need(profile.autonomy.is_none(), "autonomy", "choose a level from 1 (assist) to 4 (self-starting)");
    need(profile.data_classes.is_empty(), "data_classes", "list the classes of data it may touch, `D0` to `D3`");
    need(profile.environment.is_none(), "environment", "choose `sandbox`, `development`, `test` or `production`");
    need(profile.review_at.is_none(), "review_at", "set the date by which a person looks at it again");
    need(profile.review_at.is_some_and(|review| review <= now), "review_at", "the review date is in the past");
    if fields.is_empty() {
        return Ok(());
    }
    Err(Refusal::new("agent_incomplete", "the agent's record is not complete").fields(fields))
}

pub(crate) fn decide_activate(state: &State, actor: &Actor, id: AgentId, at: &Moment) -> Result<Vec<Event>, Refusal> {
    actor.owner_of(state, id)?;
    let agent = state.agent(id)?;
    match agent.status {
        AgentStatus::Draft | AgentStatus::Quarantined => {}
        AgentStatus::Active => return Ok(Vec::new()),
        AgentStatus::Suspended | AgentStatus::Decommissioned => agent.must_be_active()?,
    }
    complete(&agent.profile, at.now)?;
    if agent.profile.enforcer {
        // Anybody describes a draft as anything; to be believed in what it says of others is for an administrator to give.
        actor.administrator(state).map_err(|_| {
            Refusal::new("widens_agent", format!("the agent `{}` would ask about what others do", agent.name))
                .help("have an administrator activate it, or describe it without `enforcer`")
        })?;
    }
    Ok(vec![Event::AgentActivated { agent: id }])
}

pub(crate) fn decide_suspend(state: &State, actor: &Actor, id: AgentId, reason: &str) -> Result<Vec<Event>, Refusal> {
    actor.owner_of(state, id)?;
    check_text("reason", reason)?;
    let agent = state.agent(id)?;
    match agent.status {
        AgentStatus::Active | AgentStatus::Draft => Ok(end_everything(
            state,
            id,
            &EndReason::AgentSuspended,
            Event::AgentSuspended { agent: id, reason: reason.to_owned() },
        )),
        AgentStatus::Suspended => Ok(Vec::new()),
        // What is in quarantine can do nothing anyway.
        AgentStatus::Quarantined | AgentStatus::Decommissioned => agent.must_be_active().map(|()| Vec::new()),
    }
}

pub(crate) fn decide_resume(state: &State, actor: &Actor, id: AgentId, at: &Moment) -> Result<Vec<Event>, Refusal> {
    actor.owner_of(state, id)?;
    let agent = state.agent(id)?;
    match agent.status {
        AgentStatus::Suspended => {}
        AgentStatus::Active => return Ok(Vec::new()),
        AgentStatus::Quarantined | AgentStatus::Draft | AgentStatus::Decommissioned => agent.must_be_active()?,
    }
    complete(&agent.profile, at.now)?;
    Ok(vec![Event::AgentResumed { agent: id }])
}

/// Ends an agent for good: its tasks, grants, requests and keys end in the same commit.
pub(crate) fn decide_decommission(
    state: &State,
    actor: &Actor,
    id: AgentId,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    actor.owner_of(state, id)?;
    check_text("reason", reason)?;
    let agent = state.agent(id)?;
    if agent.is_gone() {
        return Ok(Vec::new());
    }
    let gone = Event::AgentDecommissioned { agent: id, reason: reason.to_owned() };
    let mut events = end_everything(state, id, &EndReason::AgentDecommissioned, gone);
    let ended = "the agent was decommissioned";
    events.extend(state.grants_of(id).map(|grant| Event::GrantRevoked {
        agent: id,
        grant: grant.id,
        reason: ended.to_owned(),
    }));
    events
        .extend(agent.keys.iter().map(|key| Event::AgentKeyRevoked { agent: id, thumbprint: key.thumbprint.clone() }));
    events.extend(workload::unbind_all(state, id));
    Ok(events)
}

/// The change of status first, so that a reader of the ledger sees the cause before its effects.
pub(crate) fn end_everything(state: &State, id: AgentId, reason: &EndReason, cause: Event) -> Vec<Event> {
    let mut events = vec![cause];
    let roots = state.live_tasks_of(id).filter(|task| {
        // A sub-task whose parent belongs to the same agent ends with the parent's tree.
        !task
            .parent
            .and_then(|parent| state.tasks.get(&parent))
            .is_some_and(|parent| parent.agent == id && parent.is_live())
    });
    // By delegation a tree may come back to the same agent further down, and a task ends once.
    events.extend(crate::task::end_trees(state, roots.map(|task| task.id), reason));
    events
}

pub(crate) fn decide_offer_enrolment(
    state: &State,
    actor: &Actor,
    id: AgentId,
    code: Digest,
    ttl_seconds: u64,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    actor.owner_of(state, id)?;
    session::check_ttl(ttl_seconds)?;
    let agent = state.agent(id)?;
    sandbox::must_not_be_built_in(agent)?;
    if agent.is_gone() {
        agent.must_be_active()?;
    }
    Ok(vec![Event::EnrolmentOffered { agent: id, code, expires_at: at.now.plus_seconds(ttl_seconds) }])
}

/// Enrols `key` for an agent against a one-time code. The caller has verified that the key's holder signed for this code.
pub(crate) fn decide_enrol(
    state: &State,
    name: &str,
    code: Digest,
    key: &AgentKey,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    // One answer for every failure: whoever guesses must not learn which part was wrong.
    let refused = || {
        Refusal::new("enrolment_refused", "this enrolment code is unknown, used or expired for this agent")
            .help("ask the agent's owner for a new one: `remit agent enrol NAME`")
    };
    let agent = state.agent_named(name).map_err(|_| refused())?;
    match agent.enrolment {
        Some((offered, expires_at)) if offered == code && at.now < expires_at => {}
        _ => return Err(refused()),
    }
    if agent.keys.len() >= limits::AGENT_KEYS_MAX {
        return Err(Refusal::new("too_many_keys", "this agent already has as many keys as it may have")
            .help("revoke one that is no longer used"));
    }
    let shared = state.agents.values().find(|other| other.keys.iter().any(|own| own.thumbprint == key.thumbprint));
    if shared.is_some() {
        return Err(Refusal::new("key_shared", "this key is already enrolled; every agent has its own")
            .help("generate a new key for this agent"));
    }
    Ok(vec![Event::AgentKeyEnrolled { agent: agent.id, key: key.clone(), code }])
}

pub(crate) fn decide_revoke_key(
    state: &State,
    actor: &Actor,
    id: AgentId,
    thumbprint: &str,
) -> Result<Vec<Event>, Refusal> {
    actor.owner_of(state, id)?;
    let agent = state.agent(id)?;
    if !agent.keys.iter().any(|key| key.thumbprint == thumbprint) {
        return Ok(Vec::new());
    }
    let mut events = vec![Event::AgentKeyRevoked { agent: id, thumbprint: thumbprint.to_owned() }];
    let bound = state.live_tasks_of(id).filter(|task| task.key.as_deref() == Some(thumbprint)).map(|task| task.id);
    events.extend(crate::task::end_trees(state, bound, &EndReason::KeyRevoked));
    Ok(events)
}

pub(crate) fn apply_registered(state: &mut State, registered: &AgentRegistered, at: Timestamp) {
    let agent = Agent {
        id: registered.agent,
        name: registered.name.clone(),
        profile: registered.profile.clone(),
        status: AgentStatus::Draft,
        keys: Vec::new(),
        registered_at: at,
        identities_from: None,
        enrolment: None,
        configuration: None,
    };
    state.agents_by_name.insert(registered.name.clone(), registered.agent);
    state.agents.insert(registered.agent, Arc::new(agent));
}

pub(crate) fn apply_described(state: &mut State, id: AgentId, profile: &AgentProfile) {
    set_review(state, id, false);
    if let Some(agent) = state.agents.get_mut(&id) {
        Arc::make_mut(agent).profile = profile.clone();
    }
    set_review(state, id, true);
}

/// From now on only documents that are handed out from now on are worth anything.
pub(crate) fn withdraw_identities(state: &mut State, id: AgentId, at: Timestamp) {
    if let Some(agent) = state.agents.get_mut(&id) {
        Arc::make_mut(agent).identities_from = Some(at);
    }
}

pub(crate) fn apply_status(state: &mut State, id: AgentId, status: AgentStatus) {
    state.voided += 1;
    set_review(state, id, false);
    if let Some(agent) = state.agents.get_mut(&id) {
        let agent = Arc::make_mut(agent);
        agent.status = status;
        if agent.is_gone() {
            agent.enrolment = None;
        }
    }
    if status != AgentStatus::Quarantined {
        state.quarantined.remove(&id);
    }
    set_review(state, id, true);
    if status == AgentStatus::Decommissioned {
        let requests: Vec<_> =
            state.grant_requests.values().filter(|request| request.agent == id).map(|request| request.id).collect();
        for request in requests {
            state.grant_requests.remove(&request);
        }
    }
}

/// Only an active agent has a review to be overdue.
fn set_review(state: &mut State, id: AgentId, on: bool) {
    let Some(agent) = state.agents.get(&id) else { return };
    let Some(review_at) = agent.profile.review_at else { return };
    let deadline = (review_at, Deadline::Review(id));
    if on && agent.status == AgentStatus::Active {
        state.deadlines.insert(deadline);
    } else {
        state.deadlines.remove(&deadline);
    }
}

pub(crate) fn apply_enrolment_offered(state: &mut State, id: AgentId, code: Digest, expires_at: Timestamp) {
    if let Some(agent) = state.agents.get_mut(&id) {
        Arc::make_mut(agent).enrolment = Some((code, expires_at));
    }
}

pub(crate) fn apply_key_enrolled(state: &mut State, id: AgentId, key: &AgentKey, code: &Digest) {
    if let Some(agent) = state.agents.get_mut(&id) {
        let agent = Arc::make_mut(agent);
        agent.keys.push(key.clone());
        if agent.enrolment.as_ref().is_some_and(|(offered, _)| offered == code) {
            agent.enrolment = None;
        }
    }
}

pub(crate) fn apply_key_revoked(state: &mut State, id: AgentId, thumbprint: &str) {
    if let Some(agent) = state.agents.get_mut(&id) {
        Arc::make_mut(agent).keys.retain(|key| key.thumbprint != thumbprint);
    }
}
