//! `/v1/tasks/{task}/launch`: the process that asks is the one that was launched for the task, and so is everything below it.
//!
//! INVARIANT: which process that is comes from the operating system, by the connection, and never from the request.

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use http::StatusCode;
use remit_domain::{Command, Process, Refusal, TaskId};
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::receipts::recorded;
use crate::{Api, Peer, Problem, names};

/// What is seen of a process (its number) of a user (its id), or why nothing is. May read files, and block.
pub type Observe = Arc<dyn Fn(i32, u32) -> Result<Process, String> + Send + Sync>;

/// How the processes of this machine get their identity, if they do.
#[derive(Clone)]
pub struct WorkloadApi {
    /// As `SPIFFE_ENDPOINT_SOCKET` says it: `unix:///…`.
    pub endpoint: String,
    pub observe: Observe,
}

impl fmt::Debug for WorkloadApi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WorkloadApi").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Ties the process at the other end of the socket to a task that the same person started.
pub(crate) async fn attest(
    State(api): State<Api>,
    by: SignedIn,
    peer: Option<Extension<Peer>>,
    Path(task): Path<String>,
) -> Result<Json<Value>, Problem> {
    let task: TaskId = names::id("task", &task)?;
    let Some(offered) = api.settings.workload_api.clone() else {
        let refusal = Refusal::new("workload_api_off", "processes get no identity from this server");
        return Err(refusal.help("set `enabled = true` under `[workload]` in `remit.toml`").into());
    };
    let Some(Extension(Peer::Socket { uid, pid: Some(pid) })) = peer else {
        let refusal = Refusal::new("local_only", "a launch is said by the launched process itself, on the machine")
            .help("use the data directory's socket, as `remit run` does");
        return Err(Problem::new(StatusCode::FORBIDDEN, refusal));
    };
    let observe = Arc::clone(&offered.observe);
    let seen = tokio::task::spawn_blocking(move || observe(pid, uid)).await;
    let process = seen.map_err(|_| Problem::fault("look at the process"))?.map_err(|reason| {
        Refusal::new("bad_process", format!("the process {pid} cannot be looked at: {reason}"))
            .help("run it as the user that runs Remit, and not in a container of its own")
    })?;
    let body = json!({"task": task, "process": process, "endpoint": offered.endpoint});
    let receipt = api.submit(by.actor(), Command::AttestLaunch { task, process }).await?;
    Ok(recorded(body, &receipt))
}
