//! The OpenAPI document (3.1), made from the same table as the router.

use axum::Json;
use serde_json::{Map, Value, json};

use crate::router::{Access, ENDPOINTS, Endpoint};

mod edits;
mod forms;
mod requests;
#[cfg(test)]
mod tests;

pub(crate) async fn serve() -> Json<Value> {
    Json(openapi())
}

/// Every address with its methods, requests and answers.
pub fn openapi() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut schemas = requests::schemas();
    schemas.extend(forms::schemas());
    schemas.extend(edits::schemas());
    for endpoint in ENDPOINTS {
        let path = paths.entry(endpoint.path.replace("{*", "{")).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(endpoint.method.to_owned(), operation(endpoint));
        }
        let answer = || json!({"type": "object", "description": endpoint.summary});
        schemas.entry(endpoint.response).or_insert_with(answer);
        if !endpoint.request.is_empty() {
            // Documents of other standards, which say what is in them.
            schemas.entry(endpoint.request).or_insert_with(answer);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Remit control plane",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {"type": "http", "scheme": "bearer", "description": "the token of a session"},
                "assertion": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "an assertion by the agent's enrolled key, for one use (RFC 7523)",
                },
                "task": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "the token of the task of the agent that asks",
                },
                "certificate": {"type": "mutualTLS", "description": "the agent's own X.509-SVID"},
            },
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let kind = match endpoint.response {
        "ReplayLines" => "application/jsonl",
        "RecordStream" | "TaskLease" => "text/event-stream",
        "Checkpoint" => "text/plain",
        "Tile" => "application/octet-stream",
        "StatusList" => "application/statuslist+jwt",
        _ => "application/json",
    };
    let problem = json!({
        "description": "refused, or a fault (RFC 9457)",
        "content": {"application/problem+json": {"schema": reference("Problem")}},
    });
    let mut operation = json!({
        "summary": endpoint.summary,
        "operationId": operation_id(endpoint),
        "parameters": parameters(endpoint.path),
        "responses": {
            "200": {
                "description": endpoint.summary,
                "content": {kind: {"schema": reference(endpoint.response)}},
            },
            "default": problem,
        },
        "security": match endpoint.access {
            Access::Person => json!([{"session": []}]),
            Access::Agent => json!([{"assertion": []}, {"certificate": []}]),
            Access::Enforcer => json!([{"task": []}, {"certificate": []}]),
            Access::Worker => json!([{"task": []}, {"certificate": []}]),
            Access::Open => json!([]),
        },
    });
    if may_wait(endpoint)
        && let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut)
    {
        let content = json!({"application/json": {"schema": reference("Change")}});
        responses.insert(
            "202".to_owned(),
            json!({"description": "proposed: somebody else approves it", "content": content}),
        );
    }
    if let (false, Some(members)) = (endpoint.request.is_empty(), operation.as_object_mut()) {
        let form = forms::is_form(endpoint.request);
        let kind = if form { "application/x-www-form-urlencoded" } else { "application/json" };
        let content = json!({kind: {"schema": reference(endpoint.request)}});
        members.insert("requestBody".to_owned(), json!({"required": true, "content": content}));
    }
    operation
}

/// Whether it changes what is under change control, and so may come out as a proposal.
fn may_wait(endpoint: &Endpoint) -> bool {
    const MAY_WAIT: &[(&str, &str)] = &[
        ("post", "/v1/people"),
        ("put", "/v1/people/{person}"),
        ("put", "/v1/agents/{agent}"),
        ("post", "/v1/agents/{agent}/describe"),
        ("post", "/v1/connectors"),
        ("post", "/v1/connectors/{connector}/approve-tools"),
        ("post", "/v1/policies"),
        ("post", "/v1/changes"),
        ("post", "/v1/changes/{change}/revert"),
    ];
    MAY_WAIT.contains(&(endpoint.method, endpoint.path))
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// `post_agents_agent_suspend` for `POST /v1/agents/{agent}/suspend`.
fn operation_id(endpoint: &Endpoint) -> String {
    let words = endpoint.path.trim_start_matches("/v1/").split(|character: char| !character.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    std::iter::once(endpoint.method).chain(words).collect::<Vec<_>>().join("_")
}

fn parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            let name = name.trim_start_matches('*');
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
        })
        .collect()
}
