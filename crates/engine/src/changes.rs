//! Changes, wherever they are: what waits is in the state, and what is settled is read back from the ledger.

use std::sync::Arc;

use remit_domain::{
    Change, ChangeCheck, ChangeId, ChangeKind, ChangeReview, ChangeStatus, Digest, Edit, Event, PersonId, PolicyEdit,
    PolicyProposed, Proposed, State, Timestamp,
};

use crate::as_of::AsOfError;
use crate::engine::Engine;
use crate::error::SubmitError;
use crate::record::Committed;
use crate::store::index::{Filter, QUERY_ROWS_MAX};

/// How a change ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HowEnded {
    /// Somebody else approved it.
    Active,
    Rejected,
    /// It was an emergency change, and two other people have looked at it.
    Reviewed,
}

impl HowEnded {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Rejected => "rejected",
            Self::Reviewed => "reviewed",
        }
    }
}

/// The end of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeEnd {
    /// How it ended.
    pub how: HowEnded,
    /// Who answered it last.
    pub by: PersonId,
    /// What they said.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

/// A change with where it stands.
#[derive(Debug, Clone)]
pub struct KnownChange {
    /// The change itself.
    pub change: Change,
    /// Its end; nothing while it waits for an answer.
    pub end: Option<ChangeEnd>,
    /// The record with which it became active, if it did.
    pub active_seq: Option<u64>,
}

impl Engine {
    /// The change `id`, if there ever was one.
    ///
    /// # Errors
    /// [`SubmitError::Unavailable`] if the ledger cannot be read.
    pub async fn change(&self, id: ChangeId) -> Result<Option<KnownChange>, SubmitError> {
        let waiting = self.read(|state| state.changes.get(&id).cloned());
        let Some(change) = waiting.map(Arc::unwrap_or_clone) else {
            let mut records = self.change_records(id).await?;
            records.reverse();
            return Ok(told(id, &records));
        };
        let active_seq = match change.status {
            ChangeStatus::Pending => None,
            ChangeStatus::Unreviewed { .. } => self.change_records(id).await?.iter().map(|record| record.seq).min(),
        };
        Ok(Some(KnownChange { change, end: None, active_seq }))
    }

    /// The records about the change `id`, newest first.
    ///
    /// # Errors
    /// As [`Engine::change`].
    pub async fn change_records(&self, id: ChangeId) -> Result<Vec<Committed>, SubmitError> {
        let artefacts = vec![format!("change:{id}")];
        self.query(Filter { artefacts, limit: QUERY_ROWS_MAX, ..Filter::default() }).await
    }

    /// The state that a change is about: just before it became active, or as it is now if it is not.
    ///
    /// # Errors
    /// See [`AsOfError`].
    pub async fn before_change(&self, known: &KnownChange) -> Result<Arc<State>, AsOfError> {
        match known.active_seq {
            Some(seq) => self.state_before(seq).await,
            None => Ok(self.state()),
        }
    }
}

/// A settled change out of its records, oldest first.
fn told(id: ChangeId, records: &[Committed]) -> Option<KnownChange> {
    let mut known: Option<KnownChange> = None;
    for committed in records {
        let at = committed.at;
        match &committed.record.event {
            Event::ChangeProposed(proposed) => {
                known = Some(begun(id, proposed.author, &proposed.reason, proposed.kind, committed));
            }
            Event::PolicyProposed(former) => known = Some(begun_formerly(id, former, committed)),
            event => {
                if let Some(known) = known.as_mut() {
                    went_on(known, event, committed.seq, at);
                }
            }
        }
    }
    known
}

fn begun(id: ChangeId, author: PersonId, reason: &str, kind: ChangeKind, committed: &Committed) -> KnownChange {
    let is_emergency = kind == ChangeKind::Emergency;
    let change = Change {
        id,
        author,
        reason: reason.to_owned(),
        kind,
        edits: Vec::new(),
        proposed_at: committed.at,
        status: ChangeStatus::Pending,
        checks: Vec::new(),
        reviews: Vec::new(),
    };
    let active_seq = is_emergency.then_some(committed.seq);
    let end = Some(ChangeEnd { how: HowEnded::Active, by: author, note: String::new(), at: committed.at });
    KnownChange { change, end, active_seq }
}

/// A proposal of policies as it was written before everything else came under change control.
fn begun_formerly(id: ChangeId, former: &PolicyProposed, committed: &Committed) -> KnownChange {
    let mut known = begun(id, former.author, &former.reason, ChangeKind::Normal, committed);
    let edit = |edit: &PolicyEdit| proposed(&Edit::Policy(edit.clone()), former.base);
    known.change.edits = former.edits.iter().map(edit).collect();
    known
}

fn proposed(edit: &Edit, base: Digest) -> Proposed {
    Proposed { edit: edit.clone(), base }
}

fn went_on(known: &mut KnownChange, event: &Event, seq: u64, at: Timestamp) {
    let ended = |how: HowEnded, by: PersonId, note: &str| Some(ChangeEnd { how, by, note: note.to_owned(), at });
    match event {
        Event::EditProposed(one) => known.change.edits.push(proposed(&one.edit, one.base)),
        Event::ChangeApproved { by, .. } => {
            known.end = ended(HowEnded::Active, *by, "");
            known.active_seq = Some(seq);
        }
        // As it was before approvals had an event of their own.
        Event::PolicyActivated { by, .. } if known.active_seq.is_none() => {
            known.end = ended(HowEnded::Active, *by, "");
            known.active_seq = Some(seq);
        }
        Event::ChangeRejected { by, note, .. } | Event::PolicyRejected { by, note, .. } => {
            known.end = ended(HowEnded::Rejected, *by, note);
        }
        Event::ChangeReviewed { by, upheld, note, .. } => {
            known.end = ended(HowEnded::Reviewed, *by, note);
            known.change.reviews.push(ChangeReview { by: *by, upheld: *upheld, note: note.clone(), at });
        }
        Event::ChangeChecked { check, passed, summary, .. } => {
            let (check, summary) = (check.clone(), summary.clone());
            known.change.checks.push(ChangeCheck { check, passed: *passed, summary, at });
        }
        _ => {}
    }
}
