//! `/v1/evidence`: a self-contained pack that anyone verifies offline.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use remit_domain::{AgentId, Digest, Refusal, Right, TaskId};
use remit_engine::PackSelect;
use serde::Deserialize;
use serde_json::Value;

use crate::auth::SignedIn;
use crate::input::Body;
use crate::{Api, Problem, contents, limits, names, time};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Export {
    /// Id or name of an agent; everything if none is named.
    agent: Option<String>,
    /// RFC 3339.
    since: Option<String>,
    /// RFC 3339.
    until: Option<String>,
    /// Whether prompts, arguments and results come with it, where they are kept.
    #[serde(default)]
    contents: bool,
    /// What for, if contents come with it.
    #[serde(default)]
    reason: String,
}

pub(crate) async fn export(
    State(api): State<Api>,
    by: SignedIn,
    Body(export): Body<Export>,
) -> Result<Json<Value>, Problem> {
    let state = api.engine.state();
    let agent = export.agent.as_deref().map(|agent| names::agent(&state, agent)).transpose()?;
    by.must(&state, agent.map_or(Right::ReadRecords, |agent| Right::ReadAgent(agent.id)))?;
    if export.contents {
        // What was said is more than that something was: it has a right of its own.
        by.must(&state, Right::ReadContent)?;
        if export.reason.trim().is_empty() {
            let refusal = Refusal::new("missing_text", "contents are given for a reason, which is recorded");
            return Err(refusal.help("say what they are for").into());
        }
    }
    let select = PackSelect {
        agent: agent.map(|agent| agent.id),
        since: time::parse_optional(export.since.as_deref())?,
        until: time::parse_optional(export.until.as_deref())?,
        contents: export.contents,
    };
    let pack = api.engine.pack(select).await?;
    if export.contents {
        record_reading(&api, by, &pack, &export.reason).await?;
    }
    Ok(Json(pack))
}

/// Records for every content in `pack` that it is read. INVARIANT: no pack leaves before that.
async fn record_reading(api: &Api, by: SignedIn, pack: &Value, reason: &str) -> Result<(), Problem> {
    let contents = pack.get("contents").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if contents.len() > limits::CONTENTS_READ_MAX {
        let sentence = format!("this would give more than {} contents at once", limits::CONTENTS_READ_MAX);
        return Err(Refusal::new("pack_too_large", sentence).help("choose an agent or a shorter time").into());
    }
    let mut agents: HashMap<TaskId, AgentId> = HashMap::new();
    for content in contents {
        let member = |name: &str| content.get(name).and_then(Value::as_str);
        let task = member("task").and_then(|task| task.parse::<TaskId>().ok());
        let commitment = member("commitment").and_then(|commitment| commitment.parse::<Digest>().ok());
        let (Some(task), Some(commitment)) = (task, commitment) else {
            return Err(Problem::fault("tell what is in the pack"));
        };
        let agent = match agents.get(&task) {
            Some(agent) => *agent,
            None => contents::agent_of(api, task).await?,
        };
        agents.insert(task, agent);
        contents::record(api, by, (agent, task), commitment, reason).await?;
    }
    Ok(())
}
