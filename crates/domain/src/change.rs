//! Changes: what decides about agents is itself changed only by a proposal that somebody else approves.
//!
//! Policies, connectors, operations, lists of approvers, entitlements and approved configurations are artefacts under change control.
//!
//! INVARIANT: nobody approves what they proposed. Two ways round the second person exist, both on record: while a realm has never had
//! a second administrator (its founding), there is nobody to ask; and an emergency change is active at once and two other people look
//! at it afterwards.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::person::{check_note, check_text};
use crate::{
    Actor, ChangeId, Command, Digest, Event, Moment, PersonId, PolicyEdit, PolicyProposed, Refusal, State, Timestamp,
    limits, policy,
};

mod edit;
#[cfg(test)]
mod tests;

pub use edit::{Edit, OperationEdit};

/// What kind of change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    Normal,
    /// Active at once; two other people review it afterwards.
    Emergency,
    /// Brings artefacts back to what they were before another change.
    Revert {
        of: ChangeId,
    },
}

/// One edit, and what its artefact was when it was proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposed {
    pub edit: Edit,
    /// Digest of the artefact that it was proposed against; another change of it meanwhile makes this one stale.
    pub base: Digest,
}

/// Where a change stands. What is settled leaves the state; the ledger keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ChangeStatus {
    /// Waits for somebody else's yes.
    Pending,
    /// An emergency change: active, and not yet reviewed by two people.
    Unreviewed { due_at: Timestamp },
}

/// Something that was tried with a proposed change, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeCheck {
    /// What was tried, as in `replay`.
    pub check: String,
    pub passed: bool,
    /// What came of it, in a sentence.
    pub summary: String,
    pub at: Timestamp,
}

/// What a second person says of an emergency change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeReview {
    pub by: PersonId,
    /// Whether it was right to make it.
    pub upheld: bool,
    pub note: String,
    pub at: Timestamp,
}

/// A change that waits for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub id: ChangeId,
    pub author: PersonId,
    pub reason: String,
    pub kind: ChangeKind,
    pub edits: Vec<Proposed>,
    pub proposed_at: Timestamp,
    pub status: ChangeStatus,
    pub checks: Vec<ChangeCheck>,
    pub reviews: Vec<ChangeReview>,
}

impl Change {
    /// Whether an artefact that it edits is no longer what its author saw.
    pub fn is_stale(&self, state: &State) -> bool {
        self.status == ChangeStatus::Pending && self.edits.iter().any(|one| one.edit.base(state) != one.base)
    }

    /// The policy texts that it edits.
    pub fn policy_edits(&self) -> Vec<PolicyEdit> {
        policy_edits(self.edits.iter().map(|one| &one.edit))
    }

    /// Whether `person` may approve it, or review it if it is active already.
    pub fn may_be_approved_by(&self, state: &State, person: PersonId) -> bool {
        self.author != person
            && self.edits.iter().all(|one| one.edit.may_be_approved_by(state, person))
            // Whom somebody made an approver in an emergency answers for nobody until two others have looked at that.
            && !given_in_emergency(state, person)
    }
}

/// A change has been proposed; one [`Event::EditProposed`] for each of its edits follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeProposed {
    pub change: ChangeId,
    pub author: PersonId,
    pub reason: String,
    pub kind: ChangeKind,
    pub edits: u32,
}

/// One edit of a proposed change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EditProposed {
    pub change: ChangeId,
    pub edit: Edit,
    pub base: Digest,
}

impl State {
    /// Whether there has never been a second administrator, so that nobody could approve what the first one changes.
    pub fn is_founding(&self) -> bool {
        !self.founded && self.people.values().filter(|person| person.is_administrator()).count() <= 1
    }

    /// What the state would be if `change` came about now.
    ///
    /// # Errors
    /// If it cannot come about as it is any more.
    pub fn after(&self, change: &Change, at: &Moment) -> Result<Self, Refusal> {
        let edits: Vec<Edit> = change.edits.iter().map(|one| one.edit.clone()).collect();
        let mut after = self.clone();
        for event in deeds(self, &edits, Some(change.id), change.author, at)? {
            after.apply(&event, at.now);
        }
        Ok(after)
    }
}

/// Whether deciding `command` compiles policies. That takes time for large ones, so it is worth trying before it is decided in earnest.
pub fn compiles_policies(state: &State, command: &Command) -> bool {
    let counts = |edit: &Edit| matches!(edit, Edit::Policy(_) | Edit::Operation(_));
    match command {
        Command::ProposeChange { edits, .. } | Command::EmergencyChange { edits, .. } => edits.iter().any(counts),
        Command::ApproveOperations { .. } => true,
        Command::ApproveChange { change } => {
            state.changes.get(change).is_some_and(|change| change.edits.iter().any(|one| counts(&one.edit)))
        }
        _ => false,
    }
}

/// What `edits` come to when somebody asks for the deed: the deed itself while the realm is being founded, else a proposal.
pub(crate) fn settle(
    state: &State,
    actor: &Actor,
    edits: Vec<Edit>,
    reason: &str,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    propose(state, actor, edits, reason, ChangeKind::Normal, at)
}

pub(crate) fn decide_propose(
    state: &State,
    actor: &Actor,
    edits: &[Edit],
    reason: &str,
    revert_of: Option<ChangeId>,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let kind = revert_of.map_or(ChangeKind::Normal, |of| ChangeKind::Revert { of });
    propose(state, actor, edits.to_vec(), reason, kind, at)
}

/// Makes a change at once. Two other people have to look at it within [`limits::EMERGENCY_REVIEW_SECONDS`].
pub(crate) fn decide_emergency(
    state: &State,
    actor: &Actor,
    edits: &[Edit],
    reason: &str,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    may_be_emergency(state, actor, edits, at.now)?;
    propose(state, actor, edits.to_vec(), reason, ChangeKind::Emergency, at)
}

/// The emergency change whose review is overdue, because of which nobody makes another.
pub(crate) fn overdue(state: &State, now: Timestamp) -> Option<ChangeId> {
    let overdue = |change: &&Arc<Change>| matches!(change.status, ChangeStatus::Unreviewed { due_at } if due_at <= now);
    state.changes.values().filter(overdue).map(|change| change.id).min()
}

/// Whether an emergency change that nobody has reviewed yet gives `person` something. Where a lone administrator added them, they
/// propose and that administrator approves, until there are others.
fn given_in_emergency(state: &State, person: PersonId) -> bool {
    let names = |edit: &Edit| match edit {
        Edit::Groups { person: given, .. } | Edit::Entitlements { person: given, .. } => *given == person,
        Edit::Approvers { owner, approvers, .. } => *owner == person || approvers.contains(&person),
        Edit::Connector(add) => add.owner == Some(person),
        Edit::Absence { absence, .. } => absence.as_ref().is_some_and(|absence| absence.deputy == person),
        Edit::Policy(_) | Edit::Operation(_) | Edit::Configuration { .. } => false,
    };
    let unreviewed = state.changes.values().filter(|change| matches!(change.status, ChangeStatus::Unreviewed { .. }));
    unreviewed.flat_map(|change| &change.edits).any(|one| names(&one.edit))
}

/// Whoever could review or approve if `author` asked: an administrator who is somebody else.
fn has_other_administrator(state: &State, author: PersonId) -> bool {
    state.people.values().any(|person| person.id != author && person.is_administrator())
}

/// Whether whoever acts may make `edits` without asking anybody first.
pub(crate) fn may_be_emergency(state: &State, actor: &Actor, edits: &[Edit], now: Timestamp) -> Result<(), Refusal> {
    let author = actor.administrator(state)?;
    // Alone, nobody could ever review or approve again: then another administrator is what an emergency may still add.
    let alone = !has_other_administrator(state, author);
    let adds_administrators = edits.iter().any(|edit| {
        matches!(edit, Edit::Groups { person, groups } if groups.iter().any(|group| group == crate::ADMINISTRATORS)
            && !state.people.get(person).is_some_and(|person| person.is_administrator()))
    });
    if adds_administrators && !alone {
        return Err(Refusal::new(
            "self_approval",
            "no emergency makes an administrator while another one could approve it",
        )
        .help("propose it; the other administrator approves it"));
    }
    if let Some(waiting) = overdue(state, now).filter(|_| !(alone && adds_administrators && edits.len() == 1)) {
        return Err(Refusal::new(
            "review_overdue",
            format!("the emergency change `{waiting}` has not been reviewed in time"),
        )
        .help(format!(
            "two other people have to answer `remit change review {waiting}` before anybody makes another"
        )));
    }
    if edits.iter().any(|edit| edit.gives_to(state, author)) {
        return Err(Refusal::new("self_approval", "an emergency is no reason to give something to oneself")
            .help("propose it; somebody else approves it"));
    }
    Ok(())
}

fn propose(
    state: &State,
    actor: &Actor,
    edits: Vec<Edit>,
    reason: &str,
    kind: ChangeKind,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let author = actor.person()?;
    check_text("reason", reason)?;
    let edits: Vec<Edit> = edits.into_iter().map(|edit| edit.with_owner(state, author)).collect();
    check_bounds(state, &edits)?;
    edits.iter().try_for_each(|edit| edit.may_be_proposed(state, actor))?;
    let change: ChangeId = at.fresh_id();
    let is_founding = state.is_founding() && actor.administrator(state).is_ok();
    let is_active = kind == ChangeKind::Emergency && !is_founding;
    if !is_founding {
        // Before anything is compiled: what there is no place for costs nobody time.
        must_have_room(state, author, kind)?;
    }
    let deeds = deeds(state, &edits, is_active.then_some(change), author, at)?;
    if is_founding {
        return Ok(deeds);
    }
    let count = u32::try_from(edits.len()).unwrap_or(u32::MAX);
    let proposed = ChangeProposed { change, author, reason: reason.to_owned(), kind, edits: count };
    let mut events = vec![Event::ChangeProposed(Box::new(proposed))];
    events.extend(edits.into_iter().map(|edit| {
        let base = edit.base(state);
        Event::EditProposed(Box::new(EditProposed { change, edit, base }))
    }));
    if is_active {
        events.extend(deeds);
    }
    Ok(events)
}

/// There is a place for one more, and nobody takes all of them.
fn must_have_room(state: &State, author: PersonId, kind: ChangeKind) -> Result<(), Refusal> {
    let own = state.changes.values().filter(|change| change.author == author);
    let (max, own) = match kind {
        ChangeKind::Emergency => {
            (limits::EMERGENCIES_UNREVIEWED_MAX, own.filter(|change| change.status != ChangeStatus::Pending).count())
        }
        ChangeKind::Normal | ChangeKind::Revert { .. } => {
            (limits::AUTHOR_PROPOSALS_MAX, own.filter(|change| change.status == ChangeStatus::Pending).count())
        }
    };
    if own >= max {
        return Err(Refusal::new("too_many_proposals", format!("{own} changes of yours already wait for others"))
            .help("have them answered, or take back what is no longer needed with `remit change reject`"));
    }
    if kind != ChangeKind::Emergency && state.changes.len() >= limits::PROPOSALS_PENDING_MAX {
        return Err(Refusal::new(
            "too_many_proposals",
            format!("{} proposals already wait for an answer", limits::PROPOSALS_PENDING_MAX),
        )
        .help("take back those of your own that are stale, or ask an administrator to reject some"));
    }
    Ok(())
}

fn check_bounds(state: &State, edits: &[Edit]) -> Result<(), Refusal> {
    let bad = |sentence: String| Err(Refusal::new("bad_proposal", sentence).help("split it into several proposals"));
    if edits.is_empty() || edits.len() > limits::CHANGE_EDITS_MAX {
        return bad(format!("a change has between 1 and {} edits", limits::CHANGE_EDITS_MAX));
    }
    // As written in the ledger, where a line break or a quotation mark takes more than a byte.
    let bytes = |edit: &Edit| serde_json::to_vec(edit).map_or(usize::MAX, |bytes| bytes.len());
    let sizes: Vec<usize> = edits.iter().map(bytes).collect();
    if sizes.iter().any(|size| *size > limits::PROPOSAL_BYTES_MAX) {
        return bad(format!("one edit has at most {} bytes", limits::PROPOSAL_BYTES_MAX));
    }
    if sizes.iter().sum::<usize>() > limits::CHANGE_BYTES_MAX {
        return bad(format!("a change has at most {} bytes", limits::CHANGE_BYTES_MAX));
    }
    let policies = policy_edits(edits.iter());
    if serde_json::to_vec(&policies).map_or(usize::MAX, |bytes| bytes.len()) > limits::PROPOSAL_BYTES_MAX {
        return bad(format!("the policies of one change have at most {} bytes", limits::PROPOSAL_BYTES_MAX));
    }
    policies.iter().try_for_each(|edit| crate::person::check_name("policy", &edit.name))?;
    let mut seen = BTreeSet::new();
    let kind = |edit: &Edit| std::mem::discriminant(edit);
    for edit in edits {
        if !seen.insert(format!("{:?} {}", kind(edit), edit.artefact(state))) {
            return bad(format!("`{}` is edited twice", edit.artefact(state)));
        }
    }
    Ok(())
}

fn policy_edits<'a>(edits: impl Iterator<Item = &'a Edit>) -> Vec<PolicyEdit> {
    let policy = |edit: &'a Edit| match edit {
        Edit::Policy(edit) => Some(edit.clone()),
        _ => None,
    };
    edits.filter_map(policy).collect()
}

/// Everything that happens if `edits` come about, checked as a whole: no policy may name what would not be there.
fn deeds(
    state: &State,
    edits: &[Edit],
    change: Option<ChangeId>,
    by: PersonId,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let mut after = state.clone();
    let mut events = Vec::new();
    for edit in edits {
        for event in edit.deed(&after, by, at)? {
            after.apply(&event, at.now);
            events.push(event);
        }
    }
    let policies = policy_edits(edits.iter());
    if !policies.is_empty() {
        let set = policy::check_edits(&after, &policies)?;
        if set == state.policies.digest() {
            return Err(Refusal::new("nothing_changes", "the proposed policies are the active ones"));
        }
        events.push(Event::PolicyActivated { change, by, edits: policies, set });
    } else if events.iter().any(|event| matches!(event, Event::OperationApproved(_))) {
        policy::check_compiles(&after)?;
    }
    Ok(events)
}

/// Approves a proposal: what it says is active with this very commit, and so felt by the next decision.
pub(crate) fn decide_approve(state: &State, actor: &Actor, id: ChangeId, at: &Moment) -> Result<Vec<Event>, Refusal> {
    let by = actor.person()?;
    let change = pending(state, id)?;
    if change.author == by {
        return Err(Refusal::new("self_approval", "a change cannot be approved by its author")
            .help("somebody else has to: `remit who can-change` lists who may"));
    }
    if !change.may_be_approved_by(state, by) {
        return Err(Refusal::new("not_an_approver", format!("you may not approve the change `{id}`"))
            .help("an administrator whom it gives nothing may; `remit change show` says more"));
    }
    if change.is_stale(state) {
        return Err(Refusal::new("change_stale", "what this edits has changed since it was proposed")
            .help("propose it again, so that its checks are about what would really be active"));
    }
    let edits: Vec<Edit> = change.edits.iter().map(|one| one.edit.clone()).collect();
    let mut events = vec![Event::ChangeApproved { change: id, by }];
    events.extend(deeds(state, &edits, Some(id), by, at)?);
    Ok(events)
}

fn pending(state: &State, id: ChangeId) -> Result<&Arc<Change>, Refusal> {
    let change = state.changes.get(&id).ok_or_else(|| Refusal::unknown("change", id))?;
    match change.status {
        ChangeStatus::Pending => Ok(change),
        ChangeStatus::Unreviewed { .. } => {
            Err(Refusal::new("change_active", format!("the change `{id}` is active already"))
                .help("`remit change review` says whether it was right; `remit change revert` proposes to undo it"))
        }
    }
}

/// Takes a proposal back, or says no to it.
pub(crate) fn decide_reject(state: &State, actor: &Actor, id: ChangeId, note: &str) -> Result<Vec<Event>, Refusal> {
    check_note("note", note)?;
    let change = pending(state, id)?;
    let by = actor.person()?;
    if by != change.author && !change.may_be_approved_by(state, by) {
        actor.administrator(state)?;
    }
    Ok(vec![Event::ChangeRejected { change: id, by, note: note.to_owned() }])
}

/// What another person says of an emergency change that is active.
pub(crate) fn decide_review(
    state: &State,
    actor: &Actor,
    id: ChangeId,
    upheld: bool,
    note: &str,
) -> Result<Vec<Event>, Refusal> {
    check_note("note", note)?;
    let by = actor.person()?;
    let change = state.changes.get(&id).ok_or_else(|| Refusal::unknown("change", id))?;
    if !matches!(change.status, ChangeStatus::Unreviewed { .. }) {
        return Err(Refusal::new("change_pending", format!("the change `{id}` waits for approval, not for review"))
            .help("`remit change approve` or `remit change reject` answers it"));
    }
    if change.author == by {
        return Err(
            Refusal::new("self_approval", "nobody reviews their own emergency change").help("two other people have to")
        );
    }
    if !change.may_be_approved_by(state, by) {
        return Err(Refusal::new("not_an_approver", format!("you may not review the change `{id}`"))
            .help("whoever could have approved it may"));
    }
    if change.reviews.iter().any(|review| review.by == by) {
        return Err(
            Refusal::new("already_reviewed", "you have reviewed this change").help("a second person has to as well")
        );
    }
    Ok(vec![Event::ChangeReviewed { change: id, by, upheld, note: note.to_owned() }])
}

/// Records what was tried with a proposal, for those who decide on it.
pub(crate) fn decide_check(
    state: &State,
    actor: &Actor,
    id: ChangeId,
    check: &str,
    passed: bool,
    summary: &str,
) -> Result<Vec<Event>, Refusal> {
    actor.remit("records what a check of a change came to")?;
    let change = pending(state, id)?;
    crate::person::check_name("check", check)?;
    check_text("summary", summary)?;
    let is_new = change.checks.iter().all(|known| known.check != check);
    if is_new && change.checks.len() >= limits::CHANGE_CHECKS_MAX {
        return Err(Refusal::new(
            "too_many_checks",
            format!("{} checks of this change are on record", change.checks.len()),
        )
        .help("approve it, or reject it and propose it again"));
    }
    Ok(vec![Event::ChangeChecked { change: id, check: check.to_owned(), passed, summary: summary.to_owned() }])
}

pub(crate) fn apply_proposed(state: &mut State, proposed: &ChangeProposed, at: Timestamp) {
    let status = match proposed.kind {
        ChangeKind::Emergency => ChangeStatus::Unreviewed { due_at: at.plus_seconds(limits::EMERGENCY_REVIEW_SECONDS) },
        ChangeKind::Normal | ChangeKind::Revert { .. } => ChangeStatus::Pending,
    };
    let change = Change {
        id: proposed.change,
        author: proposed.author,
        reason: proposed.reason.clone(),
        kind: proposed.kind,
        edits: Vec::new(),
        proposed_at: at,
        status,
        checks: Vec::new(),
        reviews: Vec::new(),
    };
    state.changes.insert(change.id, Arc::new(change));
}

pub(crate) fn apply_edit(state: &mut State, proposed: &EditProposed) {
    if let Some(change) = state.changes.get_mut(&proposed.change) {
        Arc::make_mut(change).edits.push(Proposed { edit: proposed.edit.clone(), base: proposed.base });
    }
}

/// A proposal of policies as it was written before everything else came under change control.
pub(crate) fn apply_former(state: &mut State, former: &PolicyProposed, at: Timestamp) {
    let (change, author, reason) = (former.change, former.author, former.reason.clone());
    let edits = u32::try_from(former.edits.len()).unwrap_or(u32::MAX);
    apply_proposed(state, &ChangeProposed { change, author, reason, kind: ChangeKind::Normal, edits }, at);
    for edit in &former.edits {
        apply_edit(state, &EditProposed { change, edit: Edit::Policy(edit.clone()), base: former.base });
    }
}

pub(crate) fn apply_settled(state: &mut State, id: ChangeId) {
    state.changes.remove(&id);
}

pub(crate) fn apply_reviewed(state: &mut State, id: ChangeId, by: PersonId, upheld: bool, note: &str, at: Timestamp) {
    let Some(change) = state.changes.get_mut(&id) else { return };
    let change = Arc::make_mut(change);
    change.reviews.push(ChangeReview { by, upheld, note: note.to_owned(), at });
    if change.reviews.len() >= limits::EMERGENCY_REVIEWS {
        state.changes.remove(&id);
    }
}

pub(crate) fn apply_checked(state: &mut State, id: ChangeId, check: &str, passed: bool, summary: &str, at: Timestamp) {
    if let Some(change) = state.changes.get_mut(&id) {
        // The newest of each kind counts, so that no kind pushes another out.
        let checks = &mut Arc::make_mut(change).checks;
        checks.retain(|known| known.check != check);
        let (check, summary) = (check.to_owned(), summary.to_owned());
        checks.push(ChangeCheck { check, passed, summary, at });
    }
}
