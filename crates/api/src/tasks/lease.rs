//! `/v1/tasks/{task}/lease`: a task that ends with the process that runs it, however that process ends.
//!
//! Whoever runs a task keeps this answer open. When the connection goes, for whatever reason, the task ends; when the task
//! ends first, the stream says so and ends.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, future, stream};
use remit_domain::{Actor, Command, Event, Refusal, TaskId};
use remit_engine::Engine;
use serde_json::json;

use crate::auth::SignedIn;
use crate::{Api, Problem, limits, names};

/// Ends its task when it is dropped.
struct Lease {
    engine: Engine,
    actor: Actor,
    task: TaskId,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let live = self.engine.read(|state| state.task(self.task).is_ok_and(|task| task.is_live()));
        let (true, Ok(runtime)) = (live, tokio::runtime::Handle::try_current()) else { return };
        let (engine, actor, task) = (self.engine.clone(), self.actor.clone(), self.task);
        runtime.spawn(async move {
            let note = "whoever ran it is gone".to_owned();
            if let Err(error) = engine.submit(actor, Command::EndTask { task, note }).await {
                tracing::warn!(%task, error = %error.refusal(), "a task whose lease ended could not be ended; it ends by its time");
            }
        });
    }
}

pub(crate) async fn lease(
    State(api): State<Api>,
    by: SignedIn,
    Path(task): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Sent, Infallible>>>, Problem> {
    let id: TaskId = names::id("task", &task)?;
    // Watched before it is looked at, so that its end cannot fall between.
    let records = api.engine.watch(api.engine.head());
    let now = api.engine.now();
    api.engine.read(|state| {
        let task = state.task(id)?;
        if task.started_by != Some(by.person) {
            return Err(Refusal::new("not_permitted", "only whoever started a task holds its lease"));
        }
        task.must_be_alive(now)
    })?;
    let lease = Lease { engine: api.engine.clone(), actor: by.actor(), task: id };
    let ended = records.filter_map(move |committed| {
        future::ready(match &committed.record.event {
            Event::TaskEnded { task, reason, .. } if *task == id => Some(json!({"task": id, "reason": reason})),
            _ => None,
        })
    });
    let begun = stream::once(future::ready(("lease", json!({"task": id}))));
    let events = begun.chain(ended.take(1).map(|end| ("ended", end))).map(move |(name, data)| {
        // The lease lives as long as the stream.
        let _held = &lease;
        Ok(Sent::default().event(name).data(data.to_string()))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(limits::LEASE_QUIET_SECONDS))))
}
