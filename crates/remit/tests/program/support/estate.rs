//! The smallest estate in which something may be called: a person, an agent, a connector, a grant and a task.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::control::text;
use super::{Caller, Control, Echo, Place};

const DAY_SECONDS: u64 = 24 * 3600;
/// Tokens are not renewed here.
const TOKEN_SECONDS: u64 = 4 * 3600;

/// What an agent needs to call the echo tool. Outlives the server, as the ledger does.
#[derive(Debug, Clone)]
pub struct Estate {
    pub token: String,
    gateway: SocketAddr,
}

impl Estate {
    /// Builds it at a new server: `ana` owns the agent `support` and approves what the operator asks for it.
    ///
    /// The tool discloses confidential data (D2), so that no answer is released before its outcome is durable.
    pub async fn build(place: &Place, echo: &Echo) -> Self {
        let operator = place.control();
        operator.post("/v1/people", json!({"name": "ana"})).await;
        let code = operator.post("/v1/people/ana/sign-in", json!({})).await;
        let ana = operator.signed_in(&text(&code, "code")).await;
        register(&operator).await;
        connect(&operator, &echo.url()).await;
        let asked = json!({"agent": "support", "operations": ["echo/echo"], "reason": "answers tickets", "ttl_seconds": DAY_SECONDS});
        let grant = text(&operator.post("/v1/grants", asked).await, "id");
        ana.post(&format!("/v1/grants/{grant}/approve"), json!({})).await;
        let task = json!({
            "agent": "support", "purpose": "answer tickets", "acting_for": "ana",
            "ttl_seconds": TOKEN_SECONDS, "token_ttl_seconds": TOKEN_SECONDS,
        });
        let started = operator.post("/v1/tasks", task).await;
        Self { token: text(&started, "token"), gateway: place.gateway() }
    }

    /// The same, with another token.
    pub fn with(&self, token: &str) -> Self {
        Self { token: token.to_owned(), gateway: self.gateway }
    }

    /// A new connection of the agent.
    pub fn caller(&self) -> Caller {
        Caller::new(self.gateway, &self.token)
    }
}

async fn register(operator: &Control) {
    let profile = json!({
        "owner": "ana", "approvers": ["ana"], "purpose": "answers support tickets", "class": "act", "autonomy": 3,
        "data_classes": ["D0", "D1", "D2"], "environment": "development", "review_in_seconds": 90 * DAY_SECONDS,
    });
    operator.post("/v1/agents", json!({"name": "support", "profile": profile})).await;
    operator.post("/v1/agents/support/activate", json!({})).await;
}

async fn connect(operator: &Control, url: &str) {
    operator.post("/v1/connectors", json!({"name": "echo", "spec": {"kind": "http", "url": url}})).await;
    let offered = operator.read("/v1/connectors/echo/tools").await;
    let digest = offered.pointer("/items/0/digest").cloned().unwrap_or(Value::Null);
    let choice = json!({"tool": "echo", "verb": "read", "risk": 0, "data": "D2", "external": false, "digest": digest});
    operator.post("/v1/connectors/echo/approve-tools", json!({"choices": [choice]})).await;
}
