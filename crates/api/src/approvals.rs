//! `/v1/approvals`: questions to people about one exact action, and their answers.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{
    AgentId, Approval, ApprovalId, ApprovalStatus, Approve, Command, ContentRef, Deny, Digest, Moment, PersonId,
    TaskId, Timestamp, decide,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::recorded;
use crate::{Api, Problem, names};

type Answer = Result<Json<Value>, Problem>;

fn view(state: &remit_domain::State, approval: &Approval) -> Value {
    let facts = &approval.facts;
    let task = state.tasks.get(&facts.task);
    let votes = approval.votes.iter().map(|vote| {
        json!({"person": names::of_person(state, vote.person), "roles": vote.roles, "method": vote.method, "note": vote.note})
    });
    json!({
        "id": approval.id,
        "status": status(&approval.status),
        "status_detail": approval.status,
        "agent": names::of_agent(state, facts.agent),
        "task": facts.task,
        "run": facts.run,
        "purpose": task.map(|task| &task.purpose),
        "acting_for": names::of_somebody(state, facts.acting_for),
        "started_by": names::of_somebody(state, task.and_then(|task| task.started_by)),
        "action": approval.action,
        "operation": facts.operation,
        "definition": facts.definition,
        "digest": approval.digest,
        "attribution": facts.attribution,
        "asks": {"policies": approval.ask.policies, "approvers": approval.ask.approvers, "quorum": approval.ask.quorum},
        "reasons": approval.reasons,
        "votes": votes.collect::<Vec<_>>(),
        "requested_at": approval.requested_at.to_string(),
        "expires_at": approval.expires_at.to_string(),
    })
}

const fn status(status: &ApprovalStatus) -> &'static str {
    match status {
        ApprovalStatus::Pending => "pending",
        ApprovalStatus::Granted { .. } => "granted",
        ApprovalStatus::Denied { .. } => "denied",
        ApprovalStatus::Used { .. } => "used",
        ApprovalStatus::Expired => "expired",
        ApprovalStatus::Void { .. } => "void",
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    #[serde(flatten)]
    page: PageQuery,
    /// `pending`, `granted`, `denied`, `used`, `expired` or `void`.
    status: Option<String>,
    /// Id or name of an agent.
    agent: Option<String>,
}

/// Approvals, oldest first. Those that ended a day ago are in the ledger alone.
pub(crate) async fn list(State(api): State<Api>, _: SignedIn, Ask(query): Ask<ListQuery>) -> Answer {
    let state = api.engine.state();
    let agent: Option<AgentId> =
        query.agent.as_deref().map(|agent| names::agent(&state, agent).map(|agent| agent.id)).transpose()?;
    let wanted = |approval: &Approval| {
        let by_status = query.status.as_deref().is_none_or(|wanted| wanted == status(&approval.status));
        by_status && agent.is_none_or(|agent| agent == approval.facts.agent)
    };
    let approvals = state.approvals.values().filter(|approval| wanted(approval));
    let rows = approvals.map(|approval| (approval.id.to_string(), approval.clone())).collect();
    page(rows, &query.page, |approval| view(&state, approval))
}

/// Whether `person` has a reason to see exactly what an agent wants to do.
fn is_concerned(state: &remit_domain::State, approval: &Approval, person: PersonId) -> bool {
    let facts = &approval.facts;
    let agent = state.agents.get(&facts.agent);
    let asked = |group: &str| approval.ask.approvers.iter().flatten().any(|role| role == group);
    let by_office = state
        .people
        .get(&person)
        .is_some_and(|known| known.is_administrator() || known.groups.iter().any(|group| asked(group)));
    by_office
        || facts.acting_for == Some(person)
        || state.tasks.get(&facts.task).is_some_and(|task| task.started_by == Some(person))
        || agent.is_some_and(|agent| agent.grants_approved_by(person))
}

/// One approval with the exact arguments, for those whom it concerns.
pub(crate) async fn show(State(api): State<Api>, by: SignedIn, Path(approval): Path<String>) -> Answer {
    let id: ApprovalId = names::id("approval", &approval)?;
    let state = api.engine.state();
    let approval = state.approval(id)?;
    let mut body = view(&state, approval);
    let concerned = is_concerned(&state, approval, by.person);
    let facts = &approval.facts;
    let (arguments, arguments_missing) = kept(&api, Some(&facts.arguments), facts.task, concerned).await?;
    let (beside, beside_missing) = kept(&api, facts.beside.as_ref(), facts.task, concerned).await?;
    let answers = answers(&state, &by, approval, api.engine.now());
    let projected = arguments.as_ref().map(|arguments| state.projected(&facts.operation, arguments));
    if let Some(members) = body.as_object_mut() {
        members.insert("projected".to_owned(), json!(projected.unwrap_or_default()));
        members.insert("arguments".to_owned(), arguments.unwrap_or_default());
        members.insert("arguments_missing".to_owned(), json!(arguments_missing));
        members.insert("beside".to_owned(), beside.unwrap_or_default());
        members.insert("beside_missing".to_owned(), json!(beside_missing));
        members.insert("answers".to_owned(), answers);
    }
    Ok(Json(body))
}

/// What the person who asks could answer now: for yes and no, nothing or the refusal. The function that will decide it says so.
fn answers(state: &remit_domain::State, by: &SignedIn, approval: &Approval, now: Timestamp) -> Value {
    // The ids that this moment makes are thrown away with the events.
    let moment = Moment::new(now, 0);
    let refused = |command: &Command| decide(state, &by.actor(), command, &moment).err();
    let (approval, digest) = (approval.id, approval.digest);
    json!({
        "approve": refused(&Command::Approve(Approve { approval, digest, note: String::new() })),
        "deny": refused(&Command::Deny(Deny { approval, note: String::new() })),
    })
}

/// Content that a yes is bound to, or why it is not shown; neither if there was none.
async fn kept(
    api: &Api,
    content: Option<&ContentRef>,
    task: TaskId,
    concerned: bool,
) -> Result<(Option<Value>, Option<&'static str>), Problem> {
    let Some(content) = content else { return Ok((None, None)) };
    if !concerned {
        return Ok((None, Some("only the people whom this concerns see its arguments")));
    }
    let bytes = api.engine.content(content, task).await?;
    let value = bytes.as_deref().and_then(|bytes| serde_json::from_slice(bytes).ok());
    let missing = value.is_none().then_some("they were erased or never kept");
    Ok((value, missing))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Yes {
    /// The digest of what the person was shown.
    digest: Digest,
    #[serde(default)]
    note: String,
}

pub(crate) async fn approve(
    State(api): State<Api>,
    by: SignedIn,
    Path(approval): Path<String>,
    Body(Yes { digest, note }): Body<Yes>,
) -> Answer {
    let id: ApprovalId = names::id("approval", &approval)?;
    let receipt = api.submit(by.actor(), Command::Approve(Approve { approval: id, digest, note })).await?;
    Ok(recorded(api.engine.read(|state| state.approval(id).map(|approval| view(state, approval)))?, &receipt))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct No {
    #[serde(default)]
    note: String,
}

pub(crate) async fn deny(
    State(api): State<Api>,
    by: SignedIn,
    Path(approval): Path<String>,
    Body(No { note }): Body<No>,
) -> Answer {
    let id: ApprovalId = names::id("approval", &approval)?;
    let receipt = api.submit(by.actor(), Command::Deny(Deny { approval: id, note })).await?;
    Ok(recorded(api.engine.read(|state| state.approval(id).map(|approval| view(state, approval)))?, &receipt))
}
