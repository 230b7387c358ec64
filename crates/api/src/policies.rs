//! `/v1/policies`: the rules, and what they would be after a change.

use axum::Json;
use axum::extract::State;
use remit_domain::{Edit, PolicyEdit, Severity};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::as_of::AsOf;
use crate::auth::SignedIn;
use crate::changes::{self, Settled};
use crate::input::Body;
use crate::{Api, Problem};

type Answer = Result<Json<Value>, Problem>;

/// The active texts, their version, and every rule with its place.
pub(crate) async fn list(_: SignedIn, AsOf { state, .. }: AsOf) -> Answer {
    let compiled = state.compiled();
    let sources = state.policies.sources.iter().map(|(name, text)| json!({"name": name, "text": text}));
    let rules = compiled.set.iter().flat_map(|set| set.rules());
    let rules = rules.map(|rule| {
        json!({"id": rule.id, "source": rule.source, "line": rule.line, "reason": rule.reason, "text": rule.text})
    });
    Ok(Json(json!({
        "version": compiled.version,
        "activated_at": state.policies.activated_at.to_string(),
        "broken": compiled.broken,
        "sources": sources.collect::<Vec<_>>(),
        "rules": rules.collect::<Vec<_>>(),
    })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    edits: Vec<PolicyEdit>,
}

/// What the policies would be after `edits`, against the schema of the operations that are approved now. Changes nothing.
pub(crate) async fn check(State(api): State<Api>, _: SignedIn, Body(Check { edits }): Body<Check>) -> Answer {
    let state = api.engine.state();
    // Compiling thousands of policies takes a while, and other requests must not wait for it.
    let checked = tokio::task::spawn_blocking(move || {
        let compiled = state.compile_with(&edits);
        let lints = state.lint(&compiled);
        (compiled, lints)
    });
    let (compiled, lints) = checked.await.map_err(|_| Problem::fault("check the policies"))?;
    let is_wrong = lints.iter().any(|problem| problem.severity == Severity::Error);
    let warnings = compiled.set.iter().flat_map(|set| set.warnings());
    let problems: Vec<Value> =
        compiled.problems.iter().chain(warnings).chain(&lints).map(|problem| json!(problem)).collect();
    Ok(Json(json!({
        "holds": compiled.broken.is_none() && !is_wrong,
        "broken": compiled.broken,
        "version": compiled.version,
        "problems": problems,
        "schema": compiled.schema.as_ref().map(|schema| schema.text()),
    })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Propose {
    edits: Vec<PolicyEdit>,
    reason: String,
}

/// Proposes a change of policies alone. Somebody else approves it; while there is nobody else, it is active.
pub(crate) async fn propose(State(api): State<Api>, by: SignedIn, Body(propose): Body<Propose>) -> Settled {
    let edits = propose.edits.into_iter().map(Edit::Policy).collect();
    changes::propose::submit(&api, by, edits, propose.reason, None).await
}
