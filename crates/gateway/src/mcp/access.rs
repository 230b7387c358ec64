//! The one tool that Remit offers itself: with it an agent asks, in band, for what its task lacks.
//!
//! Nothing of it goes upstream. Asked again for the same, it says where the request stands.

use remit_domain::{
    Access, AccessStatus, Command, OperationName, Refusal, RequestAccess, SANDBOX, State, TaskId, Timestamp, Verdict,
    access_answered_by, limits as bounds, may_request_access,
};
use remit_engine::Receipt;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Body};
use crate::call::Call;
use crate::caller::Caller;
use crate::door::Door;
use crate::upstream::Governed;
use crate::{Gateway, refuse};

/// The name that stands for Remit where those of connectors stand. No connector has it.
const OWN: &str = "remit";
const TOOL: &str = "request_access";
/// How clients know it.
pub(crate) const NAME: &str = "remit__request_access";
/// Longest time that is asked for, in minutes.
pub(crate) const MINUTES_MAX: u64 = bounds::TASK_SECONDS_MAX / 60;
const DESCRIPTION: &str = "Asks a person for access that this task lacks, after a call was refused for want of a grant. \
     Name the fewest tools that the next step needs, and say why in a sentence that a person can decide by. It changes nothing \
     by itself: somebody has to approve, and what they give ends with this task. Call it again with the same operations to \
     see whether somebody has answered; then repeat the call that was refused.";

/// Whether it is listed for `task` at `door`: at the joined door, for a piece of work of its own.
pub(super) fn is_offered(state: &State, door: &Door, task: TaskId, now: Timestamp) -> bool {
    let is_one_piece = |task: &remit_domain::Task| {
        let is_built_in = state.agent(task.agent).is_ok_and(|agent| agent.name == SANDBOX);
        task.must_be_alive(now).is_ok() && task.via.is_none() && !is_built_in
    };
    *door == Door::All && is_free(state) && state.task(task).is_ok_and(|task| is_one_piece(task))
}

/// A realm from before the name was reserved may have a connector of it, whose tools keep their names.
fn is_free(state: &State) -> bool {
    state.connector_named(OWN).is_err()
}

/// Whether `call` is one of this tool.
pub(super) fn is_meant(gateway: &Gateway, call: &Call) -> bool {
    call.joined
        && call.method == Governed::CallTool
        && call.operation.connector() == OWN
        && call.operation.tool() == TOOL
        && gateway.engine.read(is_free)
}

/// It, as `tools/list` shows it.
pub(super) fn definition() -> Value {
    json!({
        "name": NAME,
        "title": "Request access",
        "description": DESCRIPTION,
        "inputSchema": {
            "type": "object",
            "properties": {
                "operations": {
                    "type": "array",
                    "description": "The tools that were refused, as they are named here, or as `connector/tool`.",
                    "items": {"type": "string"},
                    "minItems": 1,
                    "maxItems": bounds::ACCESS_OPERATIONS_MAX,
                },
                "reason": {"type": "string", "description": "Why this task needs them, for the person who decides."},
                "minutes": {
                    "type": "integer",
                    "description": "For how long, if not until the task ends.",
                    "minimum": 1,
                    "maximum": MINUTES_MAX,
                },
            },
            "required": ["operations", "reason"],
            "additionalProperties": false,
        },
        "annotations": {
            "readOnlyHint": false,
            "destructiveHint": false,
            "idempotentHint": true,
            "openWorldHint": false,
        },
    })
}

/// What an agent that was refused is told to do, where only a grant is missing and a person could give it.
pub(crate) fn help(gateway: &Gateway, caller: &Caller, call: &Call, receipt: &Receipt) -> Option<String> {
    let Some(Verdict::Denied(denied)) = Verdict::among(&receipt.events) else { return None };
    let lacks = call.joined && denied.refusal.code == "denied_by_policy" && denied.grant.is_none();
    if !lacks || !denied.determining.is_empty() {
        return None;
    }
    let now = gateway.engine.now();
    let possible = gateway.engine.read(|state| {
        let task = state.task(caller.task).ok()?;
        let offered = is_offered(state, &Door::All, caller.task, now);
        (offered && may_request_access(state, task, &call.operation, now)).then_some(())
    });
    possible.map(|()| {
        let name = Door::All.tool(&call.operation);
        format!("ask for it with the tool `{NAME}`: name `{name}` and say why; a person decides")
    })
}

/// Asks, or says where it stands.
pub(super) async fn answer(gateway: &Gateway, caller: &Caller, call: &Call) -> Answer {
    let Some(_place) = gateway.room.enter(caller.agent) else { return refuse::no_room() };
    let ask = match parsed(caller.task, &call.arguments) {
        Ok(ask) => ask,
        Err(refusal) => return refuse::refusal(&refusal),
    };
    let operations = ask.operations.clone();
    let command = Command::RequestAccess(Box::new(ask));
    if let Err(refusal) = gateway.engine.try_out(&caller.actor(), &command) {
        return refuse::refusal(&refusal);
    }
    match gateway.engine.submit(caller.actor(), command).await {
        Ok(_) => standing(gateway, caller.task, &operations),
        Err(error) => refuse::submit_error(error),
    }
}

fn bad(sentence: impl Into<String>) -> Refusal {
    Refusal::new("bad_arguments", sentence).help("call it as its schema in `tools/list` says")
}

fn parsed(task: TaskId, arguments: &Value) -> Result<RequestAccess, Refusal> {
    let members = arguments.as_object().ok_or_else(|| bad("the arguments are no object"))?;
    if let Some(other) = members.keys().find(|name| !matches!(name.as_str(), "operations" | "reason" | "minutes")) {
        let other: String = other.chars().take(bounds::NAME_BYTES_MAX).collect();
        return Err(bad(format!("there is no argument `{other}`")));
    }
    let reason = members.get("reason").and_then(Value::as_str).ok_or_else(|| bad("`reason` must be a sentence"))?;
    let named = members.get("operations").and_then(Value::as_array);
    let named = named.ok_or_else(|| bad("`operations` must be a list of tools"))?;
    if named.is_empty() || named.len() > bounds::ACCESS_OPERATIONS_MAX {
        return Err(bad(format!("`operations` names between 1 and {} tools", bounds::ACCESS_OPERATIONS_MAX)));
    }
    let operation = |name: &Value| {
        let name = name.as_str().filter(|name| name.len() <= bounds::OPERATION_BYTES_MAX);
        name.map(meant).ok_or_else(|| bad("`operations` must hold names of tools"))
    };
    let minutes = match members.get("minutes") {
        None | Some(Value::Null) => None,
        Some(minutes) => {
            let minutes = minutes.as_u64().filter(|minutes| (1..=MINUTES_MAX).contains(minutes));
            Some(minutes.ok_or_else(|| bad(format!("`minutes` must be a whole number from 1 to {MINUTES_MAX}")))?)
        }
    };
    Ok(RequestAccess {
        task,
        operations: named.iter().map(operation).collect::<Result<_, _>>()?,
        reason: reason.to_owned(),
        ttl_seconds: minutes.map(|minutes| minutes * 60),
    })
}

/// The operation that a name means: one as it is listed here, or `connector/tool` as refusals and people write it.
fn meant(name: &str) -> OperationName {
    match name.split_once('/') {
        // The names of connectors have no `__`, so that what has one before is named as it is listed.
        Some((connector, tool)) if !connector.contains("__") => OperationName::new(connector, tool),
        _ => Door::All.operation(name),
    }
}

/// Where the request for `operations` stands, now that it is on record.
fn standing(gateway: &Gateway, task: TaskId, operations: &[OperationName]) -> Answer {
    let (state, now) = (gateway.engine.state(), gateway.engine.now());
    let found = state.task(task).ok().and_then(|task| Some((task, task.access_standing(operations, now)?)));
    let Some((task, access)) = found else {
        // It can only have been answered or ended in this very moment.
        let refusal = Refusal::new("access_ended", "this request has been answered or has ended");
        return refuse::refusal(&refusal.help("ask again"));
    };
    let people = access_answered_by(&state, task).into_iter().filter_map(|person| state.people.get(&person));
    let people: Vec<String> = people.map(|person| person.name.clone()).collect();
    let page = format!("{}/grants/{}", gateway.settings.console_url, access.grant);
    let mut document = json!({
        "request": access.grant,
        "status": access.status.as_str(),
        "operations": access.operations,
        "page": page,
    });
    let sentence = said(access, &people, &page);
    if let Some(members) = document.as_object_mut() {
        match &access.status {
            AccessStatus::Given { until, .. } => members.insert("until".to_owned(), until.to_string().into()),
            _ => members.insert("answered_by".to_owned(), people.into()),
        };
    }
    let mut result = Map::new();
    result.insert("content".to_owned(), json!([{"type": "text", "text": sentence}]));
    result.insert("structuredContent".to_owned(), document);
    Answer { body: Body::Result(result), decision: None }
}

fn said(access: &Access, people: &[String], page: &str) -> String {
    match &access.status {
        AccessStatus::Given { until, .. } => {
            format!(
                "`{}` was given, for this task alone, until {until}. Repeat the call that was refused.",
                access.grant
            )
        }
        _ => format!(
            "`{}` waits for a person: {} can answer, at {page}. Nothing is given until somebody says yes. Call this tool again with \
             the same operations to see whether somebody has.",
            access.grant,
            people.join(" or ")
        ),
    }
}
