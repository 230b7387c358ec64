//! `/v1/findings`: credentials that were seen in several hands.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{AgentId, Command, Finding, FindingId, Refusal, Right};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::recorded;
use crate::tasks::Note;
use crate::{Api, Problem, names};

type Answer = Result<Json<Value>, Problem>;

fn view(state: &remit_domain::State, finding: &Finding) -> Value {
    let closed = finding.closed.as_ref();
    json!({
        "id": finding.id,
        "status": if closed.is_some() { "closed" } else { "open" },
        "kind": finding.kind,
        "agent": names::of_agent(state, finding.agent),
        "task": finding.task,
        "credential": finding.credential,
        "parties": finding.parties,
        "opened_at": finding.opened_at.to_string(),
        "closed_by": closed.map(|(by, _)| names::of_person(state, *by)),
        "note": closed.map(|(_, note)| note),
    })
}

fn one(state: &remit_domain::State, id: FindingId) -> Result<Value, Refusal> {
    let finding = state.findings.get(&id).ok_or_else(|| Refusal::unknown("finding", id))?;
    Ok(view(state, finding))
}

/// Which findings a list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    #[default]
    Open,
    Closed,
    All,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    #[serde(flatten)]
    page: PageQuery,
    /// Id or name of an agent.
    agent: Option<String>,
    #[serde(default)]
    status: Status,
}

/// Findings about agents that the caller may read of, oldest first; those that are open if nobody says otherwise.
pub(crate) async fn list(State(api): State<Api>, by: SignedIn, Ask(query): Ask<ListQuery>) -> Answer {
    let state = api.engine.state();
    let agent: Option<AgentId> =
        query.agent.as_deref().map(|agent| names::agent(&state, agent).map(|agent| agent.id)).transpose()?;
    let wanted = |finding: &Finding| {
        let by_status = query.status == Status::All || finding.closed.is_some() == (query.status == Status::Closed);
        let by_agent = agent.is_none_or(|agent| agent == finding.agent);
        by_status && by_agent && by.has(&state, Right::ReadAgent(finding.agent))
    };
    let findings = state.findings.values().filter(|finding| wanted(finding));
    let rows = findings.map(|finding| (finding.id.to_string(), finding.clone())).collect();
    page(rows, &query.page, |finding| view(&state, finding))
}

pub(crate) async fn show(State(api): State<Api>, by: SignedIn, Path(finding): Path<String>) -> Answer {
    let id = names::id("finding", &finding)?;
    let shown = api.engine.read(|state| {
        if let Some(finding) = state.findings.get(&id) {
            by.must(state, Right::ReadAgent(finding.agent))?;
        }
        one(state, id)
    });
    Ok(Json(shown?))
}

/// Says that a finding is dealt with.
pub(crate) async fn close(
    State(api): State<Api>,
    by: SignedIn,
    Path(finding): Path<String>,
    Body(Note { note }): Body<Note>,
) -> Answer {
    let finding = names::id("finding", &finding)?;
    let receipt = api.submit(by.actor(), Command::CloseFinding { finding, note }).await?;
    Ok(recorded(api.engine.read(|state| one(state, finding))?, &receipt))
}
