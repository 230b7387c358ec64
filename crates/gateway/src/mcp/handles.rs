//! Long-running calls of clients that ask for the answer later: the tasks extension of 2026-07-28 (SEP-2663).
//!
//! What the protocol calls a task is called a handle here: a task is a run of an agent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use remit_domain::{ApprovalId, Refusal, TaskId, Timestamp};
use remit_identity::code::OneTimeCode;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::carry::INPUT_REQUEST;
use super::reply;
use crate::answer::{Answer, Body, RpcError};
use crate::caller::Caller;
use crate::client::{Question, Step};
use crate::{Gateway, limits, refuse};

/// All handles. A handle of them: clones share everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Handles {
    kept: Arc<Mutex<HashMap<String, Handle>>>,
}

#[derive(Debug)]
struct Handle {
    task: TaskId,
    created_at: Timestamp,
    updated_at: Timestamp,
    status: Status,
    /// How often the client was asked: each question has a name of its own, so that a late answer to one is none to the next.
    asked: u64,
    /// Gives the call up when it is cancelled.
    cancelled: CancellationToken,
}

#[derive(Debug)]
enum Status {
    /// A person is asked, at this address.
    Held {
        address: String,
    },
    Working,
    /// The upstream asks the client.
    Asking(Question),
    Done(Answer),
    Cancelled,
}

impl Handles {
    /// Whether a call of `task` could be kept.
    pub fn has_room(&self, task: TaskId) -> bool {
        has_room(&self.kept.lock().unwrap_or_else(PoisonError::into_inner), task)
    }

    /// Keeps the call behind `steps`, which waits for `approval`, and returns what the client is told. Nothing if no more can be kept.
    pub fn keep(
        gateway: &Arc<Gateway>,
        caller: &Caller,
        approval: ApprovalId,
        steps: mpsc::Receiver<Step>,
    ) -> Option<Map<String, Value>> {
        let id = OneTimeCode::generate("").ok()?.expose().to_owned();
        let now = gateway.engine.now();
        let address = format!("{}/approvals/{approval}", gateway.settings.console_url);
        let cancelled = CancellationToken::new();
        let handle = Handle {
            task: caller.task,
            created_at: now,
            updated_at: now,
            status: Status::Held { address },
            asked: 0,
            cancelled: cancelled.clone(),
        };
        let told = handle.document(&id);
        let handles = gateway.handles.clone();
        {
            let mut kept = handles.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if !has_room(&kept, caller.task) {
                return None;
            }
            kept.insert(id.clone(), handle);
        }
        let gateway = Arc::clone(gateway);
        tokio::spawn(async move {
            let known = Duration::from_secs(limits::HANDLE_SECONDS_KEPT);
            let _ = tokio::time::timeout(known, collect(&gateway, &id, steps, cancelled)).await;
            gateway.handles.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        });
        Some(told)
    }

    /// Answers `tasks/get`: what became of the call so far.
    pub fn show(&self, caller: &Caller, params: &Map<String, Value>) -> Result<Map<String, Value>, RpcError> {
        self.with(caller, params, |id, handle| handle.document(id))
    }

    /// Answers `tasks/update`: the client's answers to what was asked.
    pub fn update(&self, caller: &Caller, params: &Map<String, Value>) -> Result<Map<String, Value>, RpcError> {
        let responses = params.get("inputResponses");
        self.with(caller, params, |_, handle| {
            let said = responses.and_then(|responses| responses.get(handle.question_name())).cloned();
            if let (Some(said), Status::Asking(_)) = (said, &handle.status)
                && let Status::Asking(question) = std::mem::replace(&mut handle.status, Status::Working)
            {
                let _ = question.answer.send(Ok(said));
            }
            Map::new()
        })
    }

    /// Answers `tasks/cancel`: the call is given up, if it still runs.
    pub fn cancel(&self, caller: &Caller, params: &Map<String, Value>) -> Result<Map<String, Value>, RpcError> {
        self.with(caller, params, |_, handle| {
            if !matches!(handle.status, Status::Done(_) | Status::Cancelled) {
                handle.status = Status::Cancelled;
                handle.cancelled.cancel();
            }
            Map::new()
        })
    }

    fn with<T>(
        &self,
        caller: &Caller,
        params: &Map<String, Value>,
        act: impl FnOnce(&str, &mut Handle) -> T,
    ) -> Result<T, RpcError> {
        let id = params.get("taskId").and_then(Value::as_str).unwrap_or_default();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // One of another task is as good as none: knowing its name proves nothing.
        match kept.get_mut(id).filter(|handle| handle.task == caller.task) {
            Some(handle) => Ok(act(id, handle)),
            None => Err(refuse::error(
                refuse::INVALID_PARAMS,
                &Refusal::new("task_unknown", "there is no such task here").help("make the call again"),
            )),
        }
    }

    /// Gives up the calls of a task that has ended.
    pub fn end(&self, task: TaskId) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for handle in kept.values_mut().filter(|handle| handle.task == task) {
            if !matches!(handle.status, Status::Done(_) | Status::Cancelled) {
                handle.status = Status::Cancelled;
                handle.cancelled.cancel();
            }
        }
    }

    fn set(&self, id: &str, status: Status, now: Timestamp) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = kept.get_mut(id).filter(|handle| !matches!(handle.status, Status::Cancelled)) {
            handle.asked += u64::from(matches!(status, Status::Asking(_)));
            handle.status = status;
            handle.updated_at = now;
        }
    }
}

/// Follows a call to its end, then waits to be forgotten.
async fn collect(gateway: &Arc<Gateway>, id: &str, mut steps: mpsc::Receiver<Step>, cancelled: CancellationToken) {
    loop {
        let step = tokio::select! {
            step = steps.recv() => step,
            // Dropping the steps says to the call that nobody waits for it.
            () = cancelled.cancelled() => break,
        };
        let status = match step {
            None => break,
            Some(Step::Done(answer)) => Status::Done(*answer),
            Some(Step::Ask(question)) => Status::Asking(*question),
            Some(Step::Held { approval, .. }) => {
                Status::Held { address: format!("{}/approvals/{approval}", gateway.settings.console_url) }
            }
            Some(Step::Waiting { .. }) => Status::Working,
            Some(Step::Progress(_) | Step::Log(_) | Step::Notice(_)) => continue,
        };
        let done = matches!(status, Status::Done(_));
        gateway.handles.set(id, status, gateway.engine.now());
        if done {
            break;
        }
    }
    drop(steps);
    tokio::time::sleep(Duration::from_secs(limits::HANDLE_DONE_SECONDS_KEPT)).await;
}

fn has_room(kept: &HashMap<String, Handle>, task: TaskId) -> bool {
    let own = kept.values().filter(|handle| handle.task == task).count();
    kept.len() < limits::HANDLES_MAX && own < limits::HANDLES_PER_TASK_MAX
}

impl Handle {
    /// Under what name the question that is open is answered.
    fn question_name(&self) -> String {
        format!("{INPUT_REQUEST}-{}", self.asked)
    }

    /// What the client is told (SEP-2663, `DetailedTask`).
    fn document(&self, id: &str) -> Map<String, Value> {
        let mut document = Map::new();
        let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
        put("taskId", id.into());
        put("createdAt", self.created_at.to_string().into());
        put("lastUpdatedAt", self.updated_at.to_string().into());
        put("ttlMs", (limits::HANDLE_SECONDS_KEPT * 1_000).into());
        put("pollIntervalMs", limits::HANDLE_POLL_MILLISECONDS.into());
        let status = match &self.status {
            Status::Held { address } => {
                put("statusMessage", format!("a person has to approve this action first, at {address}").into());
                "working"
            }
            Status::Working => "working",
            Status::Asking(question) => {
                let request = json!({"method": question.method, "params": question.params});
                put("inputRequests", json!({self.question_name(): request}));
                "input_required"
            }
            Status::Cancelled => "cancelled",
            Status::Done(answer) => match &answer.body {
                Body::Result(result) | Body::StepUp { result, .. } => {
                    let mut result = result.clone();
                    result.insert("resultType".to_owned(), "complete".into());
                    reply::name_decision(&mut result, answer.decision);
                    put("result", Value::Object(result));
                    "completed"
                }
                Body::Error(error) => {
                    put("error", json!(error));
                    "failed"
                }
                Body::Unavailable(refusal) => {
                    put("error", json!(refuse::unavailable(refusal)));
                    "failed"
                }
                Body::InputRequired(_) => {
                    let refused = "the tool asks for input that cannot be carried here";
                    put("error", json!(refuse::protocol(refuse::INTERNAL_ERROR, refused)));
                    "failed"
                }
            },
        };
        put("status", status.into());
        document
    }
}
