//! Approvals as an enforcer sees them: where a request for one stands, and one that it brings back.

use remit_domain::{Approval, ApprovalId, ApprovalStatus, Refusal, State, Timestamp};
use serde_json::{Value, json};

use super::answer::REQUESTS;
use super::caller::Enforcer;
use super::documents;
use super::question::Question;
use crate::{Api, names};

/// The approval that a question brings with it (`context.approval`), if it brings one.
///
/// # Errors
/// If it is none that was given out here, or what was signed with it is about another one.
pub(super) fn presented(api: &Api, enforcer: &Enforcer, question: &Question) -> Result<Option<ApprovalId>, Refusal> {
    let Some(presented) = question.context.get("approval") else { return Ok(None) };
    let unverifiable = |why: &str| {
        Refusal::new("approval_unverifiable", format!("the approval that was sent cannot be verified: {why}"))
            .help("send the object `approval` of the request's result unchanged, or ask without it")
    };
    let text = presented.get("id").and_then(Value::as_str).ok_or_else(|| unverifiable("it has no `id`"))?;
    let id: ApprovalId = names::id("approval", text).map_err(|_| unverifiable("its `id` is not one of ours"))?;
    match presented.get("state") {
        None => {}
        Some(Value::String(state)) if documents::check_state(api, enforcer, text, state).is_ok() => {}
        Some(_) => return Err(unverifiable("its `state` is not about it, or not of this realm")),
    }
    Ok(Some(id))
}

/// Where a request for access stands, for the enforcer that asked.
pub(super) fn shown(api: &Api, approval: &Approval) -> Value {
    let (status, said) = api.engine.read(|state| standing(state, approval, api.engine.now()));
    let (base, pages) = (&api.settings.console_url, &api.people.settings().console_url);
    let mut body = json!({"task": {
        "id": approval.id,
        "status": status,
        "status_endpoint": format!("{base}{REQUESTS}/{}", approval.id),
        "expires_at": approval.expires_at.to_string(),
        "links": {"review": format!("{pages}/approvals/{}", approval.id)},
        "display": {"title": title(status), "description": said},
    }});
    if let (true, Some(members)) = (status == "approved", body.as_object_mut()) {
        members.insert("result".to_owned(), result(api, approval));
    }
    body
}

/// The profile's word for it, and what there is to say.
fn standing(state: &State, approval: &Approval, now: Timestamp) -> (&'static str, String) {
    match &approval.status {
        ApprovalStatus::Pending | ApprovalStatus::Granted { .. } if now >= approval.expires_at => {
            ("expired", "the time for it is over".to_owned())
        }
        ApprovalStatus::Pending => ("pending", format!("{} can approve it", approval.ask.in_words())),
        ApprovalStatus::Granted { .. } => ("approved", "evaluate again with the approval".to_owned()),
        ApprovalStatus::Used { action } => ("approved", format!("it was used for `{action}`, and is for one action")),
        ApprovalStatus::Denied { by, note } => {
            let by = state.people.get(by).map_or("a person", |person| person.name.as_str());
            let said = if note.is_empty() { "without a note".to_owned() } else { format!("saying: {note}") };
            ("denied", format!("{by} denied it, {said}"))
        }
        ApprovalStatus::Expired => ("expired", "the time for it is over".to_owned()),
        ApprovalStatus::Void { reason } => ("cancelled", reason.clone()),
    }
}

fn title(status: &str) -> &'static str {
    match status {
        "pending" => "A person has been asked",
        "approved" => "A person approved it",
        "denied" => "A person denied it",
        "expired" => "Nobody answered in time",
        _ => "The request has ended",
    }
}

/// What an enforcer evaluates again with.
fn result(api: &Api, approval: &Approval) -> Value {
    let approved_at = approval.granted_at.unwrap_or(approval.requested_at);
    json!({"mode": "reevaluate", "approval": {
        "id": approval.id,
        "approved_at": approved_at.to_string(),
        "approved_until": approval.expires_at.to_string(),
        "state": documents::state_of(api, approval),
    }})
}
