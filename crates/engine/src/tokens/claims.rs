//! What a token of a task says, from what the state knows.

use remit_domain::{Agent, Binding, Delegate, Realm, Refusal, STATUS_PLACES, State, Task, TaskId, Timestamp, lineage};
use remit_identity::TaskClaims;
use remit_identity::mission::{self, Entry};
use remit_identity::token::{
    ActorNode, Budget, Confirmation, Level, MayAct, MissionClaim, Profile, Status, StatusPlace,
};
use serde_json::Value;

use super::authority::Entries;

/// A token that is being made.
pub(super) struct Wanted {
    pub jti: String,
    pub audience: Option<String>,
    pub certificate: Option<String>,
    pub now: Timestamp,
    pub expires_at: Timestamp,
}

impl Wanted {
    /// The claims of a token for `task`; `gateway` is the audience where no other is wanted.
    pub fn claims(&self, state: &State, realm: &Realm, gateway: &str, id: TaskId) -> Result<TaskClaims, Refusal> {
        let task = state.task(id)?;
        let agent = state.agent(task.agent)?;
        let entries = Entries { state, audience: gateway };
        let (sub, act) = parties(state, realm, task)?;
        let own = agent.spiffe_id(&realm.trust_domain);
        let details = entries.of_parts(&task.authority);
        let scope: Vec<&str> = task.scope.iter().map(remit_domain::OperationPattern::as_str).collect();
        Ok(TaskClaims {
            iss: realm.issuer.clone(),
            sub_profile: Some(if task.acting_for.is_some() { Profile::User } else { Profile::AiAgent }),
            sub,
            aud: self.audience.clone().unwrap_or_else(|| gateway.to_owned()),
            exp: self.expires_at.as_seconds(),
            iat: self.now.as_seconds(),
            jti: self.jti.clone(),
            client_id: task.client.clone().unwrap_or(own),
            act,
            may_act: may_act(&entries, task),
            task: task.id.to_string(),
            run: task.run.to_string(),
            agent: agent.id.to_string(),
            acting_for: task.acting_for.map(|person| person.to_string()),
            environment: agent.profile.environment.map_or("none", remit_domain::Environment::as_str).to_owned(),
            level: Some(Level::Task),
            budget: Some(Budget { calls_max: task.budget.calls_max }),
            scope: (!scope.is_empty()).then(|| scope.join(" ")),
            authorization_details: if details.is_empty() { None } else { Some(read(&details)?) },
            mission: Some(mission_of(&entries, realm, task)?),
            status: Some(place_of(realm, task)),
            cnf: self.confirmation(task),
            ..TaskClaims::default()
        })
    }

    fn confirmation(&self, task: &Task) -> Option<Confirmation> {
        match task.binding() {
            Binding::Bearer => None,
            Binding::Key(thumbprint) => Some(Confirmation::Key(thumbprint.to_owned())),
            Binding::Svid(_) => self.certificate.clone().map(Confirmation::Certificate),
        }
    }
}

fn unwritable(error: impl std::fmt::Display) -> Refusal {
    Refusal::new("bad_authority", format!("the authority of this task cannot be written into a token: {error}"))
}

fn read(entries: &[Value]) -> Result<Vec<Entry>, Refusal> {
    entries.iter().map(|entry| Entry::parse(entry).map_err(unwritable)).collect()
}

/// Whose the task is, and through whose hands it came. Adjacent tasks of one agent are one actor.
fn parties(state: &State, realm: &Realm, task: &Task) -> Result<(String, Option<ActorNode>), Refusal> {
    let mut agents: Vec<&Agent> = Vec::new();
    for task in lineage(state, task) {
        let agent = state.agent(task.agent)?;
        if agents.last().is_none_or(|last| last.id != agent.id) {
            agents.push(agent);
        }
    }
    let sub = match (task.acting_for, agents.last()) {
        (Some(person), _) => person.to_string(),
        (None, Some(_)) => agents.pop().map(|root| root.spiffe_id(&realm.trust_domain)).unwrap_or_default(),
        (None, None) => return Err(Refusal::unknown("task", task.id)),
    };
    let mut act = None;
    // From the inside out: the one that acts now is added last.
    for agent in agents.iter().rev() {
        let node = ActorNode {
            sub: agent.spiffe_id(&realm.trust_domain),
            iss: realm.issuer.clone(),
            sub_profile: Profile::AiAgent,
            act: None,
        };
        act = Some(node.after(act).map_err(|error| Refusal::new("too_deep", error.to_string()))?);
    }
    Ok((sub, act))
}

/// The only agent to which any of it may be passed on, if there is only one.
fn may_act(entries: &Entries<'_>, task: &Task) -> Option<MayAct> {
    let of_parts = task.authority.iter().filter_map(|part| part.delegation.as_ref());
    let whole = task.delegation.as_ref().filter(|_| task.authority.is_empty());
    let mut only: Option<String> = None;
    for delegate in of_parts.chain(whole).filter(|delegation| delegation.depth_max > 0).flat_map(|one| &one.delegates) {
        let Delegate::Agent(name) = delegate else { return None };
        let id = entries.id_of(name);
        if only.as_ref().is_some_and(|only| *only != id) {
            return None;
        }
        only = Some(id);
    }
    only.map(|sub| MayAct { sub })
}

/// The task with which it began, and the anchor over everything that was approved for that.
fn mission_of(entries: &Entries<'_>, realm: &Realm, task: &Task) -> Result<MissionClaim, Refusal> {
    let root = lineage(entries.state, task).last().unwrap_or(task);
    let approved = entries.of_task(root);
    Ok(MissionClaim {
        id: root.id.to_string(),
        issuer: realm.issuer.clone(),
        authority_hash: mission::authority_hash(&realm.issuer, &approved).map_err(unwritable)?,
        expires_at: Some(root.expires_at.as_seconds()),
    })
}

fn place_of(realm: &Realm, task: &Task) -> Status {
    let list = task.status_place / STATUS_PLACES;
    let uri = format!("{}/oauth/status/{list}", realm.issuer);
    Status { status_list: StatusPlace { idx: u64::from(task.status_place % STATUS_PLACES), uri } }
}
