//! Changes as answers show them.

use remit_domain::{Change, ChangeKind, ChangeStatus, State, Timestamp};
use remit_engine::ChangeEnd;
use serde_json::{Value, json};

use crate::{limits, names};

/// A change as lists show it: without what its edits would put there.
pub(super) fn row(state: &State, change: &Change, now: Timestamp) -> Value {
    let artefacts: Vec<String> = change.edits.iter().map(|one| one.edit.artefact(state)).collect();
    let (kind, reverts) = match change.kind {
        ChangeKind::Normal => ("normal", None),
        ChangeKind::Emergency => ("emergency", None),
        ChangeKind::Revert { of } => ("revert", Some(of)),
    };
    let (status, due_at) = match change.status {
        ChangeStatus::Pending => ("pending", None),
        ChangeStatus::Unreviewed { due_at } => ("unreviewed", Some(due_at)),
    };
    json!({
        "id": change.id,
        "kind": kind,
        "reverts": reverts,
        "author": names::of_person(state, change.author),
        "reason": change.reason,
        "artefacts": artefacts,
        "proposed_at": change.proposed_at.to_string(),
        "status": status,
        "due_at": due_at.map(|at| at.to_string()),
        "overdue": due_at.is_some_and(|due_at| due_at <= now),
        "stale": change.is_stale(state),
    })
}

/// A change with all that is known of it.
pub(super) fn whole(state: &State, change: &Change, now: Timestamp) -> Value {
    let mut view = row(state, change, now);
    let edits = change
        .edits
        .iter()
        .map(|one| json!({"artefact": one.edit.artefact(state), "edit": one.edit, "base": one.base}));
    let checks = change.checks.iter().map(|check| {
        json!({"check": check.check, "passed": check.passed, "summary": check.summary, "at": check.at.to_string()})
    });
    let reviews = change.reviews.iter().map(|review| {
        let by = names::of_person(state, review.by);
        json!({"by": by, "upheld": review.upheld, "note": review.note, "at": review.at.to_string()})
    });
    if let Some(members) = view.as_object_mut() {
        members.insert("edits".to_owned(), edits.collect());
        members.insert("checks".to_owned(), checks.collect());
        members.insert("reviews".to_owned(), reviews.collect());
        members.insert("approvers".to_owned(), json!(approvers(state, change)));
    }
    view
}

/// What became of it: nobody is asked any more, and nothing of it can be overtaken.
pub(super) fn end(state: &State, view: &mut Value, end: &ChangeEnd) {
    let Some(members) = view.as_object_mut() else { return };
    let ended = json!({
        "status": end.how.as_str(),
        "settled_by": names::of_person(state, end.by),
        "settled_at": end.at.to_string(),
        "note": end.note,
        "approvers": [],
        "stale": false,
        "due_at": null,
        "overdue": false,
    });
    members.extend(ended.as_object().cloned().unwrap_or_default());
}

/// People who may answer it, some of them if they are many.
fn approvers(state: &State, change: &Change) -> Vec<String> {
    let may = state.people.values().filter(|person| change.may_be_approved_by(state, person.id));
    let mut names: Vec<String> = may.map(|person| person.name.clone()).collect();
    names.sort();
    names.truncate(limits::APPROVERS_SHOWN_MAX);
    names
}
