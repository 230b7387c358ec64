//! `/v1/evidence`: a self-contained pack that anyone verifies offline.

use axum::Json;
use axum::extract::State;
use remit_domain::Refusal;
use remit_engine::PackSelect;
use serde::Deserialize;
use serde_json::Value;

use crate::auth::SignedIn;
use crate::input::Body;
use crate::{Api, Problem, names, time};

/// The group whose members take evidence away.
const AUDITORS: &str = "auditors";

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
}

pub(crate) async fn export(
    State(api): State<Api>,
    by: SignedIn,
    Body(export): Body<Export>,
) -> Result<Json<Value>, Problem> {
    let state = api.engine.state();
    let agent = export.agent.as_deref().map(|agent| names::agent(&state, agent)).transpose()?;
    let person = state.person(by.person)?;
    let by_office = person.is_administrator() || person.in_group(AUDITORS);
    let owns = agent.is_some_and(|agent| agent.profile.owner == Some(by.person));
    // What was said and done is more than that it was: owning an agent gives the records, an office also the contents.
    if !by_office && (!owns || export.contents) {
        return Err(Refusal::new(
            "not_permitted",
            "evidence is for administrators, auditors and the agent's own owner",
        )
        .help("ask an administrator for the group `auditors`")
        .into());
    }
    let select = PackSelect {
        agent: agent.map(|agent| agent.id),
        since: time::parse_optional(export.since.as_deref())?,
        until: time::parse_optional(export.until.as_deref())?,
        contents: export.contents,
    };
    Ok(Json(api.engine.pack(select).await?))
}
