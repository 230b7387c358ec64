//! `/v1/approvals`: questions to people about one exact action, and their answers.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{
    AgentId, Approval, ApprovalId, ApprovalStatus, Approve, Command, ContentRef, Deny, Digest, Moment, Refusal, TaskId,
    Timestamp, decide, is_concerned, may_read_approval,
};
use remit_engine::SubmitError;
use remit_people::{PeopleError, Question, assertion};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

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
        json!({"person": names::of_person(state, vote.person), "roles": vote.roles, "method": vote.method, "note": vote.note, "signed": vote.signed.is_some()})
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

/// Approvals that concern the caller, or of agents that they may read of, oldest first. Those that ended a day ago are in the ledger alone.
pub(crate) async fn list(State(api): State<Api>, by: SignedIn, Ask(query): Ask<ListQuery>) -> Answer {
    let (state, now) = (api.engine.state(), api.engine.now());
    let agent: Option<AgentId> =
        query.agent.as_deref().map(|agent| names::agent(&state, agent).map(|agent| agent.id)).transpose()?;
    let wanted = |approval: &Approval| {
        let by_status = query.status.as_deref().is_none_or(|wanted| wanted == status(&approval.status));
        let by_agent = agent.is_none_or(|agent| agent == approval.facts.agent);
        by_status && by_agent && may_read_approval(&state, by.person, approval, now).is_ok()
    };
    let approvals = state.approvals.values().filter(|approval| wanted(approval));
    let rows = approvals.map(|approval| (approval.id.to_string(), approval.clone())).collect();
    page(rows, &query.page, |approval| view(&state, approval))
}

/// One approval with the exact arguments, for those whom it concerns.
pub(crate) async fn show(State(api): State<Api>, by: SignedIn, Path(approval): Path<String>) -> Answer {
    let id: ApprovalId = names::id("approval", &approval)?;
    let state = api.engine.state();
    let approval = state.approval(id)?;
    let now = api.engine.now();
    may_read_approval(&state, by.person, approval, now)?;
    let mut body = view(&state, approval);
    let concerned = is_concerned(&state, by.person, approval, now);
    let facts = &approval.facts;
    let (arguments, arguments_missing) = kept(&api, Some(&facts.arguments), facts.task, concerned).await?;
    let (beside, beside_missing) = kept(&api, facts.beside.as_ref(), facts.task, concerned).await?;
    let asked = asked(&api, &by, approval).await?;
    let seen = asked.as_ref().map(|question| question.commitment);
    let answers = api.engine.read(|state| answers(state, &by, approval, seen, api.engine.now()));
    let projected = arguments.as_ref().map(|arguments| state.projected(&facts.operation, arguments));
    if let Some(members) = body.as_object_mut() {
        members.insert("projected".to_owned(), json!(projected.unwrap_or_default()));
        members.insert("arguments".to_owned(), arguments.unwrap_or_default());
        members.insert("arguments_missing".to_owned(), json!(arguments_missing));
        members.insert("beside".to_owned(), beside.unwrap_or_default());
        members.insert("beside_missing".to_owned(), json!(beside_missing));
        members.insert("answers".to_owned(), answers);
        members.extend(asked.map(|question| shown(&api, &by, id, question)).transpose()?.unwrap_or_default());
    }
    Ok(Json(body))
}

/// What the person who asks could answer now: for yes and no, nothing or the refusal. The function that will decide it says so.
fn answers(
    state: &remit_domain::State,
    by: &SignedIn,
    approval: &Approval,
    seen: Option<Digest>,
    now: Timestamp,
) -> Value {
    // The ids that this moment makes are thrown away with the events.
    let moment = Moment::new(now, 0);
    let refused = |command: &Command| decide(state, &by.actor(), command, &moment).err();
    let (approval, digest) = (approval.id, approval.digest);
    json!({
        "approve": refused(&Command::Approve(Approve { shown: seen, ..Approve::unsigned(approval, digest, String::new()) })),
        "deny": refused(&Command::Deny(Deny { approval, note: String::new() })),
    })
}

/// What the person who asks is shown to say yes to, if they could; that they are shown it is recorded.
async fn asked(api: &Api, by: &SignedIn, approval: &Approval) -> Result<Option<Question>, Problem> {
    match api.people.show(by.actor(), approval.id).await {
        Ok(question) => Ok(Some(question)),
        // Who could not answer is not asked.
        Err(PeopleError::Submit(SubmitError::Refused(_))) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// A question as it is shown, and what a passkey signs to say yes to it.
fn shown(api: &Api, by: &SignedIn, approval: ApprovalId, question: Question) -> Result<Map<String, Value>, Problem> {
    let options = api
        .engine
        .read(|state| state.has_passkey(by.person))
        .then(|| api.people.yes_options(by.person, approval, question.digest, question.commitment, ""));
    Ok(Map::from_iter([
        ("shown".to_owned(), question.shown),
        ("shown_commitment".to_owned(), json!(question.commitment)),
        ("answer_options".to_owned(), options.transpose()?.unwrap_or_default()),
    ]))
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
    /// The commitment to the document that they were shown.
    shown: Option<Digest>,
    /// `AuthenticationResponseJSON` over this answer, as it came from the browser.
    signed: Option<Box<RawValue>>,
}

pub(crate) async fn approve(
    State(api): State<Api>,
    by: SignedIn,
    Path(approval): Path<String>,
    Body(yes): Body<Yes>,
) -> Answer {
    let id: ApprovalId = names::id("approval", &approval)?;
    let signed = yes.signed.map(|signed| assertion(signed.get())).transpose()?;
    let answer = api.people.approve(by.actor(), id, yes.digest, yes.shown, &yes.note, signed.as_ref());
    let receipt = answer.await.map_err(|error| with_page(&api, id, error.into()))?;
    Ok(recorded(api.engine.read(|state| state.approval(id).map(|approval| view(state, approval)))?, &receipt))
}

/// Names the page of the question, where a yes has to be signed in a browser, or what shows it, where it has not been looked at.
fn with_page(api: &Api, approval: ApprovalId, problem: Problem) -> Problem {
    let help = match problem.refusal().code.as_str() {
        "signature_needed" => format!("answer at {}/approvals/{approval}", api.people.settings().console_url),
        "approval_shown" => {
            format!("`GET /v1/approvals/{approval}` shows it; send its `shown_commitment` as `shown` with the answer")
        }
        _ => return problem,
    };
    problem.refusal().clone().help(help).into()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Challenge {
    shown: Digest,
    #[serde(default)]
    note: String,
}

/// What one of the caller's passkeys is to sign for a yes with this note: options for `navigator.credentials.get()`.
pub(crate) async fn challenge(
    State(api): State<Api>,
    by: SignedIn,
    Path(approval): Path<String>,
    Body(Challenge { shown, note }): Body<Challenge>,
) -> Answer {
    let id: ApprovalId = names::id("approval", &approval)?;
    let now = api.engine.now();
    let digest = api.engine.read(|state| {
        let approval = state.approval(id)?;
        // To whom it does not concern it is not there at all: nothing tells it from an id that was made up.
        let unknown = |_| Refusal::unknown("approval", id);
        may_read_approval(state, by.person, approval, now).map(|()| approval.digest).map_err(unknown)
    })?;
    Ok(Json(json!({"options": api.people.yes_options(by.person, id, digest, shown, &note)?})))
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
