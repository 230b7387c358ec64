//! What people may read and do, by their offices.

use crate::person::check_text;
use crate::{
    ADMINISTRATORS, Actor, AgentId, Approval, Digest, Event, Person, PersonId, Refusal, State, Task, TaskId, Timestamp,
};

#[cfg(test)]
mod tests;

/// The group whose members look at everything that happened, and change nothing.
pub const AUDITORS: &str = "auditors";
/// The group whose members look whether what agents may do is still right.
pub const REVIEWERS: &str = "reviewers";
/// The group whose members may read what agents sent and were answered, each time for a reason.
pub const CONTENT_READERS: &str = "content-readers";

/// What somebody is in the realm beyond a member of it, or where one agent is concerned. Groups give some, an agent's own record gives others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// In the group [`ADMINISTRATORS`].
    Administrator,
    /// Answers for the agent in question.
    Owner,
    /// Named by the agent in question as one who may answer too.
    Approver,
    /// In the group [`REVIEWERS`].
    Reviewer,
    /// In the group [`AUDITORS`].
    Auditor,
    /// In the group [`CONTENT_READERS`].
    ContentReader,
}

impl Role {
    /// Whether `person` has this role, where `agent` is concerned if one is named.
    fn is_of(self, state: &State, person: &Person, agent: Option<AgentId>) -> bool {
        let profile = agent.and_then(|agent| state.agents.get(&agent)).map(|agent| &agent.profile);
        match self {
            Self::Administrator => person.in_group(ADMINISTRATORS),
            Self::Reviewer => person.in_group(REVIEWERS),
            Self::Auditor => person.in_group(AUDITORS),
            Self::ContentReader => person.in_group(CONTENT_READERS),
            Self::Owner => profile.is_some_and(|profile| profile.owner == Some(person.id)),
            Self::Approver => profile.is_some_and(|profile| profile.approvers.contains(&person.id)),
        }
    }
}

/// Something that not everybody may read. What is not here, and is no change, everybody in the realm may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// What everybody's agents did, and what happened in the realm; without what was sent and answered.
    ReadRecords,
    /// What one agent did, likewise.
    ReadAgent(AgentId),
    /// What agents sent and were answered.
    ReadContent,
}

impl Right {
    /// The roles that give it.
    const fn roles(self) -> &'static [Role] {
        match self {
            Self::ReadRecords => &[Role::Administrator, Role::Auditor, Role::Reviewer],
            Self::ReadAgent(_) => &[Role::Administrator, Role::Auditor, Role::Reviewer, Role::Owner, Role::Approver],
            // Administering the realm does not open what is said in it.
            Self::ReadContent => &[Role::ContentReader],
        }
    }

    const fn agent(self) -> Option<AgentId> {
        match self {
            Self::ReadAgent(agent) => Some(agent),
            Self::ReadRecords | Self::ReadContent => None,
        }
    }

    fn refusal(self) -> Refusal {
        let refused = |sentence: &str| Refusal::new("not_permitted", sentence);
        match self {
            Self::ReadRecords => {
                refused("you may read the records of agents that you answer or approve for, and no others")
                    .help("name one of your agents, or ask an administrator for the group `auditors`")
            }
            Self::ReadAgent(_) => {
                refused("what an agent did is for those who answer or approve for it, and for auditors")
                    .help("`remit agent card` names its owner; an administrator can propose the group `auditors`")
            }
            Self::ReadContent => refused("what agents send and are answered is for the group `content-readers`")
                .help("an administrator can propose it: `remit person groups NAME --group content-readers`"),
        }
    }
}

/// Whether `person` has `right`.
///
/// # Errors
/// `not_permitted` if none of their roles gives it.
pub fn may(state: &State, person: PersonId, right: Right) -> Result<(), Refusal> {
    let person = state.person(person)?;
    let held = right.roles().iter().any(|role| role.is_of(state, person, right.agent()));
    if held { Ok(()) } else { Err(right.refusal()) }
}

/// Whether somebody may read what everybody's agents did, without what they sent and were answered.
///
/// # Errors
/// `not_permitted`: see [`may`].
pub fn may_read_records(state: &State, person: PersonId) -> Result<(), Refusal> {
    may(state, person, Right::ReadRecords)
}

/// Whether somebody may read what happens under `task`: it is theirs, or its agent is.
///
/// # Errors
/// `not_permitted`: see [`may`].
pub fn may_read_task(state: &State, person: PersonId, task: &Task) -> Result<(), Refusal> {
    let is_theirs = task.started_by == Some(person) || task.acting_for == Some(person);
    if is_theirs { state.person(person).map(|_| ()) } else { may(state, person, Right::ReadAgent(task.agent)) }
}

/// Whether somebody may read of a grant, or of the request for one, of `agent`. Who is granted what in general, everybody may know; what
/// was asked for within `task`, and why, whoever may read of that task.
///
/// # Errors
/// `not_permitted`: see [`may`].
pub fn may_read_grant(state: &State, person: PersonId, agent: AgentId, task: Option<TaskId>) -> Result<(), Refusal> {
    match task.map(|task| state.tasks.get(&task)) {
        None => Ok(()),
        Some(Some(task)) => may_read_task(state, person, task),
        Some(None) => may(state, person, Right::ReadAgent(agent)),
    }
}

/// Whether somebody has a part in the question `approval` at `now`, and so sees exactly what an agent wants to do: they are asked, answer
/// in the place of one who is, or it is done in their name, at their word, or by an agent of theirs.
pub fn is_concerned(state: &State, person: PersonId, approval: &Approval, now: Timestamp) -> bool {
    let (facts, Ok(known)) = (&approval.facts, state.person(person)) else { return false };
    let Ok(agent) = state.agent(facts.agent) else { return false };
    let is_asked = |person: &Person| {
        let roles = crate::approval::roles_of(person, agent);
        approval.ask.approvers.iter().flatten().any(|role| roles.contains(role))
    };
    is_asked(known)
        || state.absent_for(person, now).into_iter().any(|absent| is_asked(absent))
        || agent.grants_approved_by(person)
        || facts.acting_for == Some(person)
        || state.tasks.get(&facts.task).is_some_and(|task| task.started_by == Some(person))
}

/// Whether somebody may know of the question `approval` at `now`.
///
/// # Errors
/// `not_permitted` if it does not concern them and they do not read all records.
pub fn may_read_approval(state: &State, person: PersonId, approval: &Approval, now: Timestamp) -> Result<(), Refusal> {
    if is_concerned(state, person, approval, now) {
        Ok(())
    } else {
        may(state, person, Right::ReadAgent(approval.facts.agent))
    }
}

/// Whether somebody may read what happened to `artefact`, as in `policy:refunds`: that of an agent whoever may read of it, all
/// others whoever reads all records.
///
/// # Errors
/// `not_permitted`: see [`may`].
pub fn may_read_history(state: &State, person: PersonId, artefact: &str) -> Result<(), Refusal> {
    let agent = artefact.strip_prefix("agent:").and_then(|agent| match agent.parse::<AgentId>() {
        Ok(id) => Some(id),
        Err(_) => state.agents_by_name.get(agent).copied(),
    });
    may(state, person, agent.map_or(Right::ReadRecords, Right::ReadAgent))
}

/// Records that somebody reads what one agent sent or was answered.
pub(crate) fn decide_read(
    state: &State,
    actor: &Actor,
    agent: AgentId,
    task: TaskId,
    content: Digest,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    let by = actor.person()?;
    check_text("reason", reason)?;
    let agent = state.agent(agent)?.id;
    may(state, by, Right::ReadContent)?;
    // It stands on the record of the agent whose content it is, where that one's owner looks for it.
    if state.tasks.get(&task).is_some_and(|known| known.agent != agent) {
        return Err(Refusal::new("other_agent", format!("the task `{task}` is another agent's")));
    }
    Ok(vec![Event::ContentRead { agent, task, content, by, reason: reason.to_owned() }])
}
