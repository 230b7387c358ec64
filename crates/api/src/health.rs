//! `/healthz` and `/readyz`: for whoever runs Remit.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};

use crate::Api;

/// The process answers.
pub(crate) async fn alive() -> Json<Value> {
    Json(json!({"alive": true}))
}

/// Decisions can be recorded, so calls can be allowed.
pub(crate) async fn ready(State(api): State<Api>) -> (StatusCode, Json<Value>) {
    let health = api.engine.health();
    let status = if health.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!(health)))
}
