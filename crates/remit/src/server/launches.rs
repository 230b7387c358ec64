//! What the control plane needs to see of a process that says it was launched for a task.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use remit_api::{Observe, WorkloadApi};
use remit_engine::Engine;

/// The Workload API at `endpoint`, for what `remit run` launches.
pub fn workload_api(engine: &Engine, endpoint: Option<&str>) -> Option<WorkloadApi> {
    let engine = engine.clone();
    let observe: Observe = Arc::new(move |pid, uid| {
        let seen = remit_workload::observe(pid, engine.now()).map_err(|error| error.to_string())?;
        // The number may have passed to a process of somebody else since the connection was made.
        let owner = std::fs::metadata(format!("/proc/{pid}")).map_err(|error| error.to_string())?.uid();
        if owner == uid { Ok(seen) } else { Err("it is another user's by now".to_owned()) }
    });
    endpoint.map(|endpoint| WorkloadApi { endpoint: endpoint.to_owned(), observe })
}
