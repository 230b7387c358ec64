//! The realm: one trust domain with its own ledger and keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::person::PersonAdded;
use crate::policy::PolicyEdit;
use crate::{Actor, AgentId, Event, Moment, PersonId, RealmId, Refusal, State, TaskId, Timestamp};

#[cfg(test)]
mod tests;

/// One trust domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Realm {
    pub id: RealmId,
    /// SPIFFE trust domain, lower case.
    pub trust_domain: String,
    /// Issuer identifier of its tokens.
    pub issuer: String,
    /// Name of its log in checkpoints.
    pub origin: String,
    /// Public key of its log in signed-note form.
    pub log_key: String,
    pub created_at: Timestamp,
}

/// Begins a realm: its names, its first administrator and the starter policies. The first command of every ledger.
#[derive(Debug, Clone)]
pub struct CreateRealm {
    pub trust_domain: String,
    pub issuer: String,
    pub origin: String,
    pub log_key: String,
    pub administrator: String,
    /// User id of the operating system that is this administrator on the data directory's socket.
    pub administrator_uid: Option<u32>,
    pub policies: Vec<PolicyEdit>,
}

/// The realm has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RealmCreated {
    pub realm: RealmId,
    pub trust_domain: String,
    pub issuer: String,
    pub origin: String,
    pub log_key: String,
    /// Version of Remit that began it.
    pub version: String,
}

pub(crate) fn decide_create(state: &State, create: &CreateRealm, at: &Moment) -> Result<Vec<Event>, Refusal> {
    if state.realm.is_some() {
        return Err(Refusal::new("realm_exists", "this ledger already has its realm"));
    }
    crate::person::check_name("administrator", &create.administrator)?;
    let person: PersonId = at.fresh_id();
    let mut events = vec![
        Event::RealmCreated(Box::new(RealmCreated {
            realm: at.fresh_id(),
            trust_domain: create.trust_domain.clone(),
            issuer: create.issuer.clone(),
            origin: create.origin.clone(),
            log_key: create.log_key.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })),
        Event::PersonAdded(PersonAdded {
            person,
            name: create.administrator.clone(),
            groups: vec![crate::person::ADMINISTRATORS.to_owned()],
            uid: create.administrator_uid,
        }),
    ];
    if !create.policies.is_empty() {
        let set = crate::policy::check_edits(state, &create.policies)?;
        events.push(Event::PolicyActivated { change: None, by: person, edits: create.policies.clone(), set });
    }
    Ok(events)
}

/// Records that a task's content is erased. The ledger's proofs stand; the content and its salt are gone.
///
/// A task that the state no longer knows has ended long ago; that it was this agent's is for the caller to know.
pub(crate) fn decide_erase(
    state: &State,
    actor: &Actor,
    task: TaskId,
    agent: AgentId,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    actor.administrator(state)?;
    crate::person::check_text("reason", reason)?;
    let agent = state.agent(agent)?.id;
    if let Some(known) = state.tasks.get(&task) {
        if known.agent != agent {
            return Err(Refusal::new("other_agent", format!("the task `{task}` is another agent's")));
        }
        if known.is_live() {
            return Err(
                Refusal::new("task_alive", "the content of a live task cannot be erased").help("end the task first")
            );
        }
    }
    // What is under way would be answered, and kept, after the erasure.
    if state.actions.values().any(|action| action.task == task) {
        return Err(
            Refusal::new("task_busy", "a call of this task is still under way").help("try again when it has ended")
        );
    }
    Ok(vec![Event::ContentErased { agent, task, reason: reason.to_owned() }])
}

pub(crate) fn apply_created(state: &mut State, created: &RealmCreated, at: Timestamp) {
    state.realm = Some(Realm {
        id: created.realm,
        trust_domain: created.trust_domain.clone(),
        issuer: created.issuer.clone(),
        origin: created.origin.clone(),
        log_key: created.log_key.clone(),
        created_at: at,
    });
}
