//! `/v1/simulate`: what would be said to a call, without making it.

use axum::Json;
use axum::extract::State;
use remit_domain::{Reachable, Refusal, TaskId, preview, reach};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::Body;
use crate::{Api, Problem, names};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Simulate {
    task: String,
    /// `connector/tool`
    operation: String,
    #[serde(default)]
    arguments: serde_json::Map<String, Value>,
}

pub(crate) async fn simulate(
    State(api): State<Api>,
    _: SignedIn,
    Body(body): Body<Simulate>,
) -> Result<Json<Value>, Problem> {
    let (state, now) = (api.engine.state(), api.engine.now());
    let id: TaskId = names::id("task", &body.task)?;
    let task = state.task(id)?;
    let name = names::operation(&body.operation)?;
    let answer = |decision: &str, reasons: Vec<String>| {
        Ok(Json(json!({
            "decision": decision,
            "reasons": reasons,
            "task": id,
            "operation": name,
            "policies": state.policies.digest(),
            "as_of": now.to_string(),
        })))
    };
    let denied = |refusal: Refusal| answer("deny", vec![refusal.sentence]);
    // In the order in which a real call is refused.
    if let Err(refusal) = task.must_be_alive(now) {
        return denied(refusal);
    }
    let operation = match state.operation(&name) {
        Ok(operation) => operation,
        Err(refusal) => return denied(refusal),
    };
    if !task.in_scope(&name) {
        return denied(Refusal::new("out_of_scope", format!("`{name}` is outside the scope of this task")));
    }
    let (decision, reasons) = preview(&state, task, operation, &Value::Object(body.arguments), now);
    if decision != "deny" && reach(&state, task, operation, now) == Reachable::Never {
        return denied(Refusal::new("agent_inactive", "the agent is not active"));
    }
    answer(decision, reasons)
}
