//! Who approved an action, a grant, a change or what was asked: read from the records, so that it is answered after all of them have ended.

use axum::Json;
use axum::extract::State;
use remit_domain::{
    ActionId, AgentId, ApprovalId, ChangeId, ChangeKind, Event, Grant, GrantId, Id, Kind, Refusal, Right, Timestamp,
};
use remit_engine::{Committed, Filter};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Answer;
use crate::auth::SignedIn;
use crate::input::Ask;
use crate::{Api, Problem, limits, names};

/// How long after it was asked for a grant can be given, in seconds: requests that nobody answers are forgotten by then.
const GRANT_REQUEST_SECONDS: u64 = 9 * 24 * 3600;

#[derive(Debug, Deserialize)]
pub(crate) struct ApprovedQuery {
    /// Id of an action, an approval, a grant or a change.
    of: String,
}

pub(crate) async fn who_approved(
    State(api): State<Api>,
    by: SignedIn,
    Ask(ApprovedQuery { of }): Ask<ApprovedQuery>,
) -> Answer {
    if let Ok(action) = of.parse::<ActionId>() {
        let about = Filter { action: Some(action.to_string()), limit: 1, ..Filter::default() };
        must_read(&api, by, agent_of(&api, about).await?)?;
        return of_action(&api, action).await;
    }
    if let Ok(approval) = of.parse::<ApprovalId>() {
        let about = Filter { approval: Some(approval.to_string()), limit: 1, ..Filter::default() };
        must_read(&api, by, agent_of(&api, about).await?)?;
        return Ok(Json(of_approval(&api, approval).await?.ok_or_else(|| Refusal::unknown("approval", approval))?));
    }
    if let Ok(grant) = of.parse::<GrantId>() {
        must_read(&api, by, api.engine.read(|state| state.grants.get(&grant).map(|grant| grant.agent)))?;
        return Ok(Json(of_grant(&api, grant).await?.ok_or_else(|| Refusal::unknown("grant", grant))?));
    }
    // Who answered a change stands on the change itself, which everybody in the realm may read.
    if let Ok(change) = of.parse::<ChangeId>() {
        return of_change(&api, change).await;
    }
    let refusal = Refusal::new("bad_id", "that is not the id of an action, an approval, a grant or a change");
    Err(refusal.help("ids look like `act_…`, `apr_…`, `grt_…` and `chg_…`; `remit ledger query` shows them").into())
}

/// The agent of the records that `about` finds.
async fn agent_of(api: &Api, about: Filter) -> Result<Option<AgentId>, Problem> {
    let found = api.engine.query(about).await?;
    Ok(found.first().and_then(|committed| committed.record.event.agent()))
}

/// Refuses whoever may not read of `agent`; of what is no agent's, or unknown, whoever does not read all records.
fn must_read(api: &Api, by: SignedIn, agent: Option<AgentId>) -> Result<(), Refusal> {
    api.engine.read(|state| by.must(state, agent.map_or(Right::ReadRecords, Right::ReadAgent)))
}

/// Somebody who said yes or no, and where that stands.
fn said(api: &Api, committed: &Committed, person: remit_domain::PersonId, says: &str) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("person".to_owned(), api.engine.read(|state| names::of_person(state, person)));
    row.insert("says".to_owned(), says.into());
    row.insert("at".to_owned(), committed.at.to_string().into());
    row.insert("seq".to_owned(), committed.seq.into());
    row
}

async fn of_action(api: &Api, id: ActionId) -> Answer {
    let filter = Filter { action: Some(id.to_string()), limit: limits::PAGE_ROWS_MAX, ..Filter::default() };
    let records = api.engine.query(filter).await?;
    let verdict = records.iter().find_map(|committed| match &committed.record.event {
        Event::ActionAllowed(it) if it.action == id => {
            Some((committed, "allowed", &it.facts, &it.determining, it.grant, it.approval))
        }
        Event::ActionDenied(it) if it.action == id => {
            Some((committed, "denied", &it.facts, &it.determining, it.grant, it.approval))
        }
        Event::ApprovalRequested(it) if it.action == id => {
            Some((committed, "asked", &it.facts, &it.ask.policies, it.grant, Some(it.approval)))
        }
        _ => None,
    });
    let (committed, verdict, facts, policies, grant, approval) =
        verdict.ok_or_else(|| Refusal::unknown("action", id))?;
    let approval = match approval {
        Some(approval) => of_approval(api, approval).await?,
        None => None,
    };
    let grant = match grant {
        Some(grant) => of_grant(api, grant).await?,
        None => None,
    };
    let people = approval.as_ref().and_then(|approval| approval.get("items")).cloned().unwrap_or_else(|| json!([]));
    let note = match people.as_array().is_none_or(Vec::is_empty) {
        true => "nobody approved this action by itself; the policies decided",
        false => "",
    };
    Ok(Json(json!({
        "id": id,
        "kind": "action",
        "verdict": verdict,
        "at": committed.at.to_string(),
        "seq": committed.seq,
        "agent": api.engine.read(|state| names::of_agent(state, facts.agent)),
        "acting_for": api.engine.read(|state| names::of_somebody(state, facts.acting_for)),
        "operation": facts.operation,
        "policies": policies,
        "version": facts.policies,
        "grant": grant,
        "approval": approval,
        "items": people,
        "note": note,
    })))
}

async fn of_approval(api: &Api, id: ApprovalId) -> Result<Option<Value>, Problem> {
    let filter = Filter { approval: Some(id.to_string()), limit: limits::PAGE_ROWS_MAX, ..Filter::default() };
    let mut records = api.engine.query(filter).await?;
    records.reverse();
    let (mut asked, mut rows, mut status) = (None, Vec::new(), "pending");
    for committed in &records {
        match &committed.record.event {
            Event::ApprovalRequested(it) if it.approval == id => {
                asked = Some(json!({
                    "action": it.action,
                    "operation": it.facts.operation,
                    "reasons": it.reasons,
                    "policies": it.ask.policies,
                    "at": committed.at.to_string(),
                    "seq": committed.seq,
                }));
            }
            Event::ApprovalVoted { approval, vote, .. } if *approval == id => {
                let mut row = said(api, committed, vote.person, "yes");
                row.insert("roles".to_owned(), json!(vote.roles));
                row.insert("method".to_owned(), json!(vote.method));
                row.insert("note".to_owned(), vote.note.as_str().into());
                rows.push(Value::Object(row));
            }
            Event::ApprovalDenied { approval, by, note, .. } if *approval == id => {
                let mut row = said(api, committed, *by, "no");
                row.insert("note".to_owned(), note.as_str().into());
                rows.push(Value::Object(row));
                status = "denied";
            }
            Event::ApprovalGranted { approval, .. } if *approval == id => status = "granted",
            Event::ApprovalExpired { approval, .. } if *approval == id => status = "expired",
            Event::ActionAllowed(it) if it.approval == Some(id) => status = "used",
            _ => {}
        }
    }
    Ok(asked.map(|asked| json!({"id": id, "kind": "approval", "status": status, "asked": asked, "items": rows})))
}

async fn of_grant(api: &Api, id: GrantId) -> Result<Option<Value>, Problem> {
    let live = api.engine.read(|state| state.grants.get(&id).cloned());
    let given = given(api, id, live.as_ref().map(|grant| grant.agent.to_string())).await?;
    let view = |grant: &Grant, committed: Option<&Committed>| {
        api.engine.read(|state| {
            json!({
                "id": id,
                "kind": "grant",
                "status": if live.is_some() { "live" } else { "ended" },
                "agent": names::of_agent(state, grant.agent),
                "operations": grant.operations,
                "reason": grant.reason,
                "task": grant.task,
                "requested_by": names::of_somebody(state, grant.requested_by),
                "expires_at": grant.expires_at.to_string(),
                "items": [{
                    "person": names::of_person(state, grant.approved_by),
                    "says": "yes",
                    "at": committed.map(|committed| committed.at.to_string()),
                    "seq": committed.map(|committed| committed.seq),
                }],
            })
        })
    };
    Ok(match (&given, &live) {
        (Some((committed, grant)), _) => Some(view(grant, Some(committed))),
        (None, Some(grant)) => Some(view(grant, None)),
        (None, None) => None,
    })
}

/// The record by which a grant was given. An id says when it was asked for, and the answer cannot have come long after.
async fn given(api: &Api, id: GrantId, agent: Option<String>) -> Result<Option<(Committed, Grant)>, Problem> {
    let asked = made_at(id);
    let mut before_seq = None;
    for _ in 0..limits::WHO_PAGES_MAX {
        let filter = Filter {
            kind: Some("GrantGiven".to_owned()),
            agent: agent.clone(),
            since: Some(asked.as_millis()),
            until: Some(asked.plus_seconds(GRANT_REQUEST_SECONDS).as_millis()),
            before_seq,
            limit: limits::PAGE_ROWS_MAX,
            ..Filter::default()
        };
        let records = api.engine.query(filter).await?;
        let found = records.iter().find_map(|committed| match &committed.record.event {
            Event::GrantGiven(grant) if grant.id == id => Some((committed.clone(), Grant::clone(grant))),
            _ => None,
        });
        if found.is_some() || records.len() < limits::PAGE_ROWS_MAX {
            return Ok(found);
        }
        before_seq = records.last().map(|committed| committed.seq);
    }
    Ok(None)
}

/// When an id was made: the first 48 bits of a UUIDv7 are milliseconds since 1970 (RFC 9562 section 5.7).
fn made_at<K: Kind>(id: Id<K>) -> Timestamp {
    Timestamp::from_millis(i64::try_from(id.uuid().as_u128() >> 80).unwrap_or(i64::MAX))
}

async fn of_change(api: &Api, id: ChangeId) -> Answer {
    let mut records = api.engine.change_records(id).await?;
    records.reverse();
    let (mut author, mut reason, mut emergency, mut status, mut rows) = (None, None, false, "pending", Vec::new());
    for committed in &records {
        let (person, says, note) = match &committed.record.event {
            Event::ChangeProposed(it) => {
                (author, reason, emergency) =
                    (Some(it.author), Some(it.reason.clone()), it.kind == ChangeKind::Emergency);
                continue;
            }
            Event::PolicyProposed(it) => {
                (author, reason) = (Some(it.author), Some(it.reason.clone()));
                continue;
            }
            Event::ChangeApproved { by, .. } => (*by, "yes", ""),
            // As it was before approvals had an event of their own.
            Event::PolicyActivated { by, .. } if !emergency && rows.is_empty() => (*by, "yes", ""),
            Event::ChangeRejected { by, note, .. } | Event::PolicyRejected { by, note, .. } => {
                (*by, "no", note.as_str())
            }
            Event::ChangeReviewed { by, upheld, note, .. } => {
                (*by, if *upheld { "it was right" } else { "it was not right" }, note.as_str())
            }
            _ => continue,
        };
        status = match says {
            "yes" => "active",
            "no" => "rejected",
            _ => "reviewed",
        };
        let mut row = said(api, committed, person, says);
        row.insert("note".to_owned(), note.into());
        rows.push(Value::Object(row));
    }
    let author = author.ok_or_else(|| Refusal::unknown("change", id))?;
    let note =
        if emergency { "an emergency change is active at once; two other people review it afterwards" } else { "" };
    Ok(Json(json!({
        "id": id,
        "kind": "change",
        "status": if emergency && status == "pending" { "active" } else { status },
        "emergency": emergency,
        "author": api.engine.read(|state| names::of_person(state, author)),
        "reason": reason,
        "items": rows,
        "note": note,
    })))
}
