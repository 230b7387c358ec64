//! `/v1/agents/{agent}/preview`: what would be said to an agent about every operation, and by which rule.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{ASSUMPTION, Foreseen, Foresight, foresee};
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::{Api, Problem, names};

pub(crate) async fn preview(
    State(api): State<Api>,
    _: SignedIn,
    Path(agent): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (state, now) = (api.engine.state(), api.engine.now());
    let agent = names::agent(&state, &agent)?.id;
    let foreseen = tokio::task::spawn_blocking(move || foresee(&state, agent, now)).await;
    let foreseen = foreseen.map_err(|_| Problem::fault("look ahead"))??;
    Ok(Json(json!({"assumption": ASSUMPTION, "operations": foreseen.iter().map(view).collect::<Vec<_>>()})))
}

fn view(one: &Foreseen) -> Value {
    json!({
        "operation": one.operation,
        "answer": match one.foresight {
            Foresight::Allow => "allow",
            Foresight::Ask => "ask",
            Foresight::Deny => "deny",
        },
        "condition": one.condition,
        "asks": one.asks,
        "rules": one.rules,
        "reason": one.reason,
        "grant": one.grant,
    })
}
