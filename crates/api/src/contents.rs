//! `/v1/tasks/{task}/contents`: what an agent sent or was answered, for who may read it, each time for a reason that is recorded.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{AgentId, Command, ContentRef, Digest, Refusal, Right, TaskId};
use remit_engine::{Filter, Receipt};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::Body;
use crate::receipts::recorded;
use crate::{Api, Problem, names};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Read {
    /// The commitment by which records name it.
    content: Digest,
    reason: String,
}

/// Gives one content. INVARIANT: nothing leaves before it is on record who reads it, and why.
pub(crate) async fn read(
    State(api): State<Api>,
    by: SignedIn,
    Path(task): Path<String>,
    Body(Read { content, reason }): Body<Read>,
) -> Result<Json<Value>, Problem> {
    let task: TaskId = names::id("task", &task)?;
    // Before anything is looked for: nobody else learns what is kept.
    api.engine.read(|state| by.must(state, Right::ReadContent))?;
    let agent = agent_of(&api, task).await?;
    let kept = api.engine.content(&ContentRef { commitment: content, bytes: 0 }, task).await?;
    let kept = kept.ok_or_else(|| {
        Refusal::new("not_found", "this content was erased or never kept").help("`remit ledger query` shows what was")
    })?;
    let receipt = record(&api, by, (agent, task), content, &reason).await?;
    let text = String::from_utf8(kept).map_err(|_| Problem::fault("read the content"))?;
    // It was kept as canonical JSON; whatever else it is, is shown as text.
    let value: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(recorded(json!({"task": task, "content": content, "value": value}), &receipt))
}

/// Records that somebody reads one content of a task of an agent.
pub(crate) async fn record(
    api: &Api,
    by: SignedIn,
    (agent, task): (AgentId, TaskId),
    content: Digest,
    reason: &str,
) -> Result<Receipt, Problem> {
    api.submit(by.actor(), Command::ReadContent { agent, task, content, reason: reason.to_owned() }).await
}

/// Whose task it is, also of one that ended long ago: every record about a task names its agent.
pub(crate) async fn agent_of(api: &Api, task: TaskId) -> Result<AgentId, Problem> {
    if let Some(agent) = api.engine.read(|state| state.tasks.get(&task).map(|task| task.agent)) {
        return Ok(agent);
    }
    let about = Filter { task: Some(task.to_string()), limit: 1, ..Filter::default() };
    let found = api.engine.query(about).await?;
    let agent = found.first().and_then(|committed| committed.record.event.agent());
    agent.ok_or_else(|| Refusal::unknown("task", task).into())
}
