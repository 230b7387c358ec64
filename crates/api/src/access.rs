//! `/v1/access-requests`: an agent asks, by the token of its task, for what the task lacks, and sees what became of it. People answer at
//! `/v1/grants`.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{
    Access, AccessStatus, Command, GrantId, OperationName, OperationPattern, Refusal, RequestAccess, Task,
    access_answered_by,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::authzen::Worker;
use crate::input::Body;
use crate::{Api, Problem, names};

type Answer = Result<Json<Value>, Problem>;

/// What an agent may know of its request: who can answer by name, and no more of anybody.
fn view(api: &Api, state: &remit_domain::State, task: &Task, access: &Access) -> Value {
    let people = || {
        let able = access_answered_by(state, task).into_iter();
        able.filter_map(|person| state.people.get(&person)).map(|person| person.name.clone()).collect::<Vec<_>>()
    };
    let mut document = json!({
        "id": access.grant,
        "task": task.id,
        "status": access.status.as_str(),
        "operations": access.operations,
        "page": format!("{}/grants/{}", api.settings.console_url, access.grant),
    });
    let further = match &access.status {
        AccessStatus::Waiting => json!({"answered_by": people()}),
        AccessStatus::Given { until, .. } => json!({"until": until.to_string()}),
        AccessStatus::Denied { note, .. } => json!({"note": note}),
        AccessStatus::Ended => json!({}),
    };
    if let (Some(document), Value::Object(further)) = (document.as_object_mut(), further) {
        document.extend(further);
    }
    document
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    operations: Vec<OperationPattern>,
    reason: String,
    #[serde(default)]
    ttl_seconds: Option<u64>,
}

/// Asked again for the same, it is the same request.
pub(crate) async fn request(State(api): State<Api>, by: Worker, Body(request): Body<Request>) -> Answer {
    let exactly = |pattern: &OperationPattern| {
        let (connector, tool) = pattern.as_str().split_once('/').unwrap_or(("", pattern.as_str()));
        OperationName::new(connector, tool)
    };
    let operations: Vec<OperationName> = request.operations.iter().map(exactly).collect();
    let ask = RequestAccess {
        task: by.task,
        operations: operations.clone(),
        reason: request.reason,
        ttl_seconds: request.ttl_seconds,
    };
    let command = Command::RequestAccess(Box::new(ask));
    api.engine.try_out(&by.actor(), &command)?;
    api.submit(by.actor(), command).await?;
    let (state, now) = (api.engine.state(), api.engine.now());
    let task = state.task(by.task)?;
    let standing = task.access_standing(&operations, now).map(|access| view(&api, &state, task, access));
    let standing = standing.ok_or_else(|| {
        Refusal::new("access_ended", "this request has been answered or has ended in this moment").help("ask again")
    })?;
    Ok(Json(standing))
}

/// Only what the task itself asked for; of all else it is not said whether there is any.
pub(crate) async fn show(State(api): State<Api>, by: Worker, Path(request): Path<String>) -> Answer {
    let id: GrantId = names::id("grant", &request)?;
    let state = api.engine.state();
    let task = state.task(by.task)?;
    let access = task.access_asked(id).ok_or_else(|| Refusal::unknown("request", id))?;
    Ok(Json(view(&api, &state, task, access)))
}
