//! Approvals: a person's answer about one exact action, used at most once.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::ActionFacts;
use crate::person::check_note;
use crate::state::{Deadline, Ended};
use crate::{
    ActionId, Actor, AgentId, ApprovalId, ContentRef, Digest, Event, GrantId, Moment, PersonId, Refusal, SignInMethod,
    State, TaskId, Timestamp, limits,
};

mod answer;
mod roles;
mod shown;
#[cfg(test)]
mod tests;

pub use answer::{Signed, answer_challenge};
use roles::{are_enough, must_be_independent, roles_for};
pub(crate) use roles::{roles_of, somebody_can_answer, with_somebody_else};
pub use shown::shown;

/// What a rule asks of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ask {
    /// The rules that ask, by id.
    pub policies: Vec<String>,
    /// Groups, or the roles `owner` and `approver` that the agent's own record gives. Each inner list must be satisfied by
    /// somebody in any one of its roles.
    pub approvers: Vec<Vec<String>>,
    /// How many people each of these lists needs, in the same order; one where nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quorums: Vec<u32>,
    /// How many people must say yes in all.
    pub quorum: u32,
    /// How long the question stays open.
    pub within_seconds: u64,
}

impl Ask {
    /// What the policies ask. Quorums are said only where a list needs more than one person.
    pub(crate) fn of(asked: remit_policy::Ask) -> Self {
        let remit_policy::Ask { policies, approvers, quorums, quorum, within_seconds } = asked;
        let quorums = if quorums.iter().all(|quorum| *quorum <= 1) { Vec::new() } else { quorums };
        Self { policies, approvers, quorums, quorum, within_seconds }
    }

    /// Both, as one question about one action.
    pub(crate) fn and(self, other: Self) -> Self {
        let mut lists: BTreeMap<Vec<String>, u32> = BTreeMap::new();
        for (roles, quorum) in self.lists().chain(other.lists()) {
            let known = lists.entry(roles.to_vec()).or_default();
            *known = quorum.max(*known);
        }
        let (approvers, quorums) = lists.into_iter().unzip();
        let mut policies = self.policies;
        policies.extend(other.policies);
        policies.sort();
        policies.dedup();
        let (quorum, within_seconds) = (self.quorum.max(other.quorum), self.within_seconds.min(other.within_seconds));
        Self::of(remit_policy::Ask { policies, approvers, quorums, quorum, within_seconds })
    }

    /// Each list of roles, with how many people it needs.
    fn lists(&self) -> impl Iterator<Item = (&[String], u32)> {
        let quorum = |nth: usize| self.quorums.get(nth).copied().unwrap_or(1).max(1);
        self.approvers.iter().enumerate().map(move |(nth, roles)| (roles.as_slice(), quorum(nth)))
    }

    /// Whether people with these roles are as many as each list needs, and as many as are needed in all.
    fn is_met_by<'a>(&self, people: impl Iterator<Item = &'a Vec<String>> + Clone) -> bool {
        let of_list =
            |list: &[String]| people.clone().filter(|roles| roles.iter().any(|role| list.contains(role))).count();
        self.lists().all(|(list, quorum)| of_list(list) >= quorum as usize)
            && people.clone().count() >= self.quorum.max(1) as usize
    }

    /// Whether somebody in `roles` is among those asked.
    fn is_of(&self, roles: &[String]) -> bool {
        self.approvers.iter().any(|any_of| roles.iter().any(|role| any_of.contains(role)))
    }

    /// The roles in words, for sentences.
    pub fn in_words(&self) -> String {
        let each = self.approvers.iter().map(|any_of| format!("`{}`", any_of.join("` or `")));
        each.collect::<Vec<_>>().join(" and ")
    }
}

/// A person has to be asked about one exact action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalRequested {
    pub approval: ApprovalId,
    pub action: ActionId,
    #[serde(flatten)]
    pub facts: ActionFacts,
    /// What an answer is bound to.
    pub digest: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    pub ask: Ask,
    pub reasons: Vec<String>,
    pub expires_at: Timestamp,
}

/// One person's yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Vote {
    pub person: PersonId,
    /// The roles that this person had for this agent when they answered.
    pub roles: Vec<String>,
    pub method: SignInMethod,
    /// The digest that the person was shown.
    pub digest: Digest,
    pub note: String,
    /// The commitment to the document that the person was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Digest>,
    /// The person's signature over this answer, by a passkey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Signed>,
    /// For whom they answered, if somebody absent had named them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deputy_of: Vec<PersonId>,
}

/// A person has been shown a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalShown {
    pub agent: AgentId,
    pub approval: ApprovalId,
    pub person: PersonId,
    /// The document that the page was made from.
    pub shown: ContentRef,
}

/// What a person was shown last, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    pub shown: Digest,
    pub at: Timestamp,
}

/// Where a question stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ApprovalStatus {
    Pending,
    /// Everybody needed said yes; may be used once until `use_until`.
    Granted {
        use_until: Timestamp,
    },
    Denied {
        by: PersonId,
        note: String,
    },
    Used {
        action: ActionId,
    },
    Expired,
    Void {
        reason: String,
    },
}

/// A question to people about one exact action, and their answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub id: ApprovalId,
    pub action: ActionId,
    pub facts: ActionFacts,
    pub digest: Digest,
    pub ask: Ask,
    pub reasons: Vec<String>,
    pub requested_at: Timestamp,
    pub expires_at: Timestamp,
    /// When the last person needed said yes.
    pub granted_at: Option<Timestamp>,
    pub votes: Vec<Vote>,
    /// Who has looked at it, and at what.
    #[serde(default)]
    pub seen: BTreeMap<PersonId, Sight>,
    pub status: ApprovalStatus,
}

impl Approval {
    pub fn is_pending(&self) -> bool {
        self.status == ApprovalStatus::Pending
    }

    /// Whether `person` said yes, or somebody did in their place.
    fn has_answer_of(&self, person: PersonId) -> bool {
        self.votes.iter().any(|vote| vote.person == person || vote.deputy_of.contains(&person))
    }
}

/// Says yes to one exact action.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    pub approval: ApprovalId,
    /// The digest of what the person was shown.
    pub digest: Digest,
    #[serde(default)]
    pub note: String,
    /// The commitment to the document that the person was shown.
    #[serde(default)]
    pub shown: Option<Digest>,
    /// The signature of the person's passkey over this answer, which the door has verified.
    #[serde(default)]
    pub signed: Option<Signed>,
}

impl Approve {
    /// A yes of somebody who has no passkey, or shows none.
    pub const fn unsigned(approval: ApprovalId, digest: Digest, note: String) -> Self {
        Self { approval, digest, note, shown: None, signed: None }
    }
}

/// Records what a person is shown of a question.
#[derive(Debug, Clone)]
pub struct ShowApproval {
    pub approval: ApprovalId,
    pub shown: ContentRef,
}

/// Says no; the note reaches the agent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deny {
    pub approval: ApprovalId,
    #[serde(default)]
    pub note: String,
}

fn open(state: &State, id: ApprovalId, now: Timestamp) -> Result<&Arc<Approval>, Refusal> {
    let approval = state.approval(id)?;
    if !approval.is_pending() {
        return Err(Refusal::new("approval_closed", format!("`{id}` has already been answered or has ended"))
            .help("`remit approval show` says what became of it"));
    }
    if now >= approval.expires_at {
        return Err(Refusal::new("approval_expired", format!("the time to answer `{id}` is over"))
            .help("the agent has to ask again"));
    }
    Ok(approval)
}

pub(crate) fn decide_approve(
    state: &State,
    actor: &Actor,
    approve: &Approve,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let Actor::Person { person, method } = actor else {
        return Err(Refusal::new("person_needed", "only a person approves; an agent never does"));
    };
    check_note("note", &approve.note)?;
    let approval = open(state, approve.approval, at.now)?;
    if approve.digest != approval.digest {
        return Err(Refusal::new("approval_digest", "what you were shown is not what waits for approval")
            .help("look at it again before answering"));
    }
    if !voters_remain(state, approval) {
        return Err(voter_left(approval.id).help("the agent has to ask again"));
    }
    must_be_independent(state, &approval.facts, *person)?;
    let task = state.task(approval.facts.task)?;
    task.must_be_alive(at.now)?;
    state.agent(approval.facts.agent)?.must_be_active()?;
    let (roles, deputy_of) = roles_for(state, state.person(*person)?, task, approval, at.now)?;
    if !approval.ask.is_of(&roles) {
        return Err(Refusal::new(
            "not_an_approver",
            format!("this asks for {}, and you are none of them", approval.ask.in_words()),
        )
        .help("a person with that role has to answer"));
    }
    if approval.has_answer_of(*person) {
        return Err(Refusal::new("already_answered", "you have already said yes to this, or your deputy has")
            .help("another person has to answer"));
    }
    answer::must_not_be_one_of_too_many(state, *person, approval, at.now)?;
    answer::must_be_signed(state, actor, *person, approval, approve)?;
    answer::must_be_considered(state, *person, approval, approve, at.now)?;
    let agent = approval.facts.agent;
    let vote = Vote {
        person: *person,
        roles,
        method: *method,
        digest: approve.digest,
        note: approve.note.clone(),
        shown: approve.shown,
        signed: approve.signed.clone(),
        deputy_of,
    };
    let mut votes = approval.votes.clone();
    votes.push(vote.clone());
    let mut events = vec![Event::ApprovalVoted { agent, approval: approval.id, vote }];
    if are_enough(state, approval, &votes) {
        let use_until = at.now.plus_seconds(limits::APPROVAL_USE_SECONDS);
        events.push(Event::ApprovalGranted { agent, approval: approval.id, use_until });
    }
    Ok(events)
}

/// Records what a person is shown of a question that waits, once for each document.
pub(crate) fn decide_show(
    state: &State,
    actor: &Actor,
    show: &ShowApproval,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let person = actor.person()?;
    let approval = open(state, show.approval, at.now)?;
    let facts = &approval.facts;
    let (roles, _) = roles_for(state, state.person(person)?, state.task(facts.task)?, approval, at.now)?;
    if !approval.ask.is_of(&roles) {
        return Err(Refusal::new("not_an_approver", "only who may answer is shown a question on record"));
    }
    if approval.seen.get(&person).is_some_and(|seen| seen.shown == show.shown.commitment) {
        return Ok(Vec::new());
    }
    let (agent, approval) = (facts.agent, approval.id);
    Ok(vec![Event::ApprovalShown(Box::new(ApprovalShown { agent, approval, person, shown: show.shown.clone() }))])
}

pub(crate) fn decide_deny(state: &State, actor: &Actor, deny: &Deny, at: &Moment) -> Result<Vec<Event>, Refusal> {
    let by = actor.person()?;
    check_note("note", &deny.note)?;
    let approval = open(state, deny.approval, at.now)?;
    let agent = state.agent(approval.facts.agent)?;
    let mut roles = roles_of(state.person(by)?, agent);
    roles.extend(state.absent_for(by, at.now).into_iter().flat_map(|absent| roles_of(absent, agent)));
    // Saying no is never dangerous: whoever is concerned may stop it, also in their own name.
    if !approval.ask.is_of(&roles) && approval.facts.acting_for != Some(by) {
        actor.owner_of(state, agent.id)?;
    }
    Ok(vec![Event::ApprovalDenied { agent: agent.id, approval: approval.id, by, note: deny.note.clone() }])
}

/// The granted approval bound to `digest`, if it can be used now.
pub(crate) fn usable(state: &State, digest: Digest, now: Timestamp) -> Option<&Arc<Approval>> {
    let approval = state.approvals.get(state.approvals_by_digest.get(&digest)?)?;
    let granted = matches!(approval.status, ApprovalStatus::Granted { use_until } if now < use_until);
    (granted && voters_remain(state, approval)).then_some(approval)
}

/// Whether everybody who said yes is still among the realm's people: who has left answers for nothing any more.
fn voters_remain(state: &State, approval: &Approval) -> bool {
    approval.votes.iter().all(|vote| state.people.contains_key(&vote.person))
}

fn voter_left(id: ApprovalId) -> Refusal {
    Refusal::new(
        "approval_void",
        format!("the approval `{id}` is void: a person who said yes to it has left the realm"),
    )
}

/// What to say to an identical attempt while its question is open, or after somebody said no.
pub(crate) fn answered_or_waiting(state: &State, digest: Digest, now: Timestamp) -> Option<(ApprovalId, Refusal)> {
    let approval = state.approvals.get(state.approvals_by_digest.get(&digest)?)?;
    let refusal = match &approval.status {
        ApprovalStatus::Pending if now < approval.expires_at && voters_remain(state, approval) => waiting(approval.id),
        ApprovalStatus::Denied { note, .. } => denied(note),
        _ => return None,
    };
    Some((approval.id, refusal))
}

fn waiting(id: ApprovalId) -> Refusal {
    Refusal::new("approval_pending", format!("a person has to approve this action first: `{id}` waits for an answer"))
        .help("repeat the same call to continue once it is approved")
}

fn denied(note: &str) -> Refusal {
    let said = if note.is_empty() { "without a note".to_owned() } else { format!("saying: {note}") };
    Refusal::new("approval_denied", format!("a person denied this action, {said}"))
        .help("do not repeat it; choose another way or stop")
}

/// Holds a presented approval against the attempt: everything that it is bound to must be the same, and it must be unused.
pub(crate) fn must_fit<'a>(
    state: &'a State,
    id: ApprovalId,
    facts: &ActionFacts,
    now: Timestamp,
) -> Result<&'a Arc<Approval>, Refusal> {
    let approval = state.approvals.get(&id).ok_or_else(|| {
        Refusal::new("approval_unknown", format!("there is no approval `{id}`")).help("call without it to ask a person")
    })?;
    let bound = &approval.facts;
    let beside = |facts: &ActionFacts| facts.beside.as_ref().map(|beside| beside.commitment);
    let differs = [
        (bound.agent != facts.agent, "approval_other_agent", "another agent"),
        (bound.task != facts.task, "approval_other_task", "another task"),
        (bound.run != facts.run, "approval_other_run", "another run"),
        (bound.acting_for != facts.acting_for, "approval_other_person", "another person acted for"),
        (bound.enforcer != facts.enforcer, "approval_other_enforcer", "another enforcer"),
        (bound.named != facts.named, "approval_other_agent", "another agent"),
        (bound.operation != facts.operation, "approval_other_operation", "another operation"),
        (bound.definition != facts.definition, "approval_other_definition", "another definition of this operation"),
        (bound.arguments.commitment != facts.arguments.commitment, "approval_other_arguments", "other arguments"),
        (beside(bound) != beside(facts), "approval_other_arguments", "other content beside the arguments"),
    ];
    if let Some((_, code, what)) = differs.iter().find(|(differs, ..)| *differs) {
        return Err(Refusal::new(code, format!("the approval `{id}` is for {what}"))
            .help("call without it to ask a person about this action"));
    }
    match &approval.status {
        ApprovalStatus::Granted { .. } | ApprovalStatus::Pending if !voters_remain(state, approval) => {
            Err(voter_left(id).help("call without it to ask again"))
        }
        ApprovalStatus::Granted { use_until } if now < *use_until => Ok(approval),
        ApprovalStatus::Pending if now < approval.expires_at => Err(waiting(id)),
        ApprovalStatus::Denied { note, .. } => Err(denied(note)),
        ApprovalStatus::Used { action } => {
            Err(Refusal::new("approval_used", format!("the approval `{id}` was used up by `{action}`"))
                .help("an approval is for one action; call without it to ask again"))
        }
        ApprovalStatus::Void { reason } => {
            Err(Refusal::new("approval_void", format!("the approval `{id}` is void: {reason}")))
        }
        ApprovalStatus::Granted { .. } | ApprovalStatus::Pending | ApprovalStatus::Expired => {
            Err(Refusal::new("approval_expired", format!("the approval `{id}` has expired"))
                .help("call without it to ask again"))
        }
    }
}

pub(crate) fn apply_requested(state: &mut State, requested: &ApprovalRequested, at: Timestamp) {
    let approval = Approval {
        id: requested.approval,
        action: requested.action,
        facts: requested.facts.clone(),
        digest: requested.digest,
        ask: requested.ask.clone(),
        reasons: requested.reasons.clone(),
        requested_at: at,
        expires_at: requested.expires_at,
        granted_at: None,
        votes: Vec::new(),
        seen: BTreeMap::new(),
        status: ApprovalStatus::Pending,
    };
    if let Some(task) = state.tasks.get_mut(&requested.facts.task) {
        Arc::make_mut(task).open_approvals.push(approval.id);
    }
    state.approvals_by_digest.insert(approval.digest, approval.id);
    state.deadlines.insert((approval.expires_at, Deadline::Approval(approval.id)));
    state.approvals.insert(approval.id, Arc::new(approval));
}

pub(crate) fn apply_shown(state: &mut State, shown: &ApprovalShown, at: Timestamp) {
    if let Some(approval) = state.approvals.get_mut(&shown.approval) {
        let sight = Sight { shown: shown.shown.commitment, at };
        Arc::make_mut(approval).seen.insert(shown.person, sight);
    }
}

pub(crate) fn apply_voted(state: &mut State, id: ApprovalId, vote: &Vote, at: Timestamp) {
    if let Some(approval) = state.approvals.get_mut(&id) {
        Arc::make_mut(approval).votes.push(vote.clone());
    }
    if let Some(signed) = &vote.signed {
        crate::passkey::apply_used(state, &signed.shown());
    }
    if !state.approvals.get(&id).is_some_and(|approval| answer::is_weighty(state, approval)) {
        // Light answers may be many, and must not use up what is for the weighty ones.
        return;
    }
    let answers = state.answers.entry(vote.person).or_default();
    answers.push_back(at);
    while answers.len() > limits::ANSWERS_PER_HOUR_MAX {
        answers.pop_front();
    }
}

pub(crate) fn apply_granted(state: &mut State, id: ApprovalId, use_until: Timestamp, at: Timestamp) {
    let Some(approval) = state.approvals.get_mut(&id) else { return };
    let approval = Arc::make_mut(approval);
    let asked_until = approval.expires_at;
    approval.status = ApprovalStatus::Granted { use_until };
    approval.expires_at = use_until;
    approval.granted_at = Some(at);
    state.deadlines.remove(&(asked_until, Deadline::Approval(id)));
    state.deadlines.insert((use_until, Deadline::Approval(id)));
}

pub(crate) fn apply_denied(state: &mut State, id: ApprovalId, by: PersonId, note: &str, at: Timestamp) {
    close(state, id, ApprovalStatus::Denied { by, note: note.to_owned() }, at);
}

pub(crate) fn apply_expired(state: &mut State, id: ApprovalId, at: Timestamp) {
    close(state, id, ApprovalStatus::Expired, at);
}

pub(crate) fn apply_used(state: &mut State, id: ApprovalId, action: ActionId, at: Timestamp) {
    close(state, id, ApprovalStatus::Used { action }, at);
}

/// The question, or the unused answer, ends with its task.
pub(crate) fn apply_task_ended(state: &mut State, task: TaskId, at: Timestamp) {
    let open = state.tasks.get(&task).map(|task| task.open_approvals.clone()).unwrap_or_default();
    for approval in open {
        close(state, approval, ApprovalStatus::Void { reason: "its task ended".to_owned() }, at);
    }
}

fn close(state: &mut State, id: ApprovalId, status: ApprovalStatus, at: Timestamp) {
    let Some(approval) = state.approvals.get_mut(&id) else { return };
    let approval = Arc::make_mut(approval);
    approval.status = status;
    let (task, expires_at) = (approval.facts.task, approval.expires_at);
    state.deadlines.remove(&(expires_at, Deadline::Approval(id)));
    if let Some(task) = state.tasks.get_mut(&task) {
        Arc::make_mut(task).open_approvals.retain(|open| *open != id);
    }
    state.forget_later(Ended::Approval(id), at);
}
