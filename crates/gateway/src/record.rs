//! Step seven, second half: puts on record how a call ended.

use std::time::Duration;

use remit_domain::{ActionId, Actor, Command, DataClass, Outcome, RecordOutcome, TaskId};
use remit_engine::{Engine, SubmitError};

use crate::answer::Answer;
use crate::permit::Permit;
use crate::{Gateway, refuse};

/// What a record of an outcome is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    action: ActionId,
    task: TaskId,
    data: DataClass,
    /// It reaches outside, so what it answers may have to mark the task before the agent can act on it.
    external: bool,
    /// It has to be durable in any case.
    first: bool,
}

impl Report {
    /// The report that will be due for `permit`. An operation that is gone is treated as the most sensitive.
    pub fn about(gateway: &Gateway, permit: &Permit) -> Self {
        let known = gateway.engine.read(|state| {
            state.operations.get(permit.operation()).map(|operation| (operation.data, operation.external))
        });
        let (data, external) = known.unwrap_or((DataClass::D3, true));
        Self { action: permit.action(), task: permit.task(), data, external, first: false }
    }

    pub fn action(&self) -> ActionId {
        self.action
    }

    /// The same, to be durable before anything follows from it.
    pub fn first(self) -> Self {
        Self { first: true, ..self }
    }

    /// Whether the record has to be durable before the answer is released.
    pub fn comes_first(&self) -> bool {
        self.first || self.data >= DataClass::D2 || self.external
    }
}

/// Records the outcome. For data of class D2 and above, and for what reaches outside, this returns when it is durable, and an answer whose record could not
/// be kept is withheld; below that the record may trail, and a crash leaves an unknown outcome.
pub(crate) async fn record_outcome(
    gateway: &Gateway,
    report: &Report,
    outcome: Outcome,
    content: Option<Vec<u8>>,
    latency: Duration,
) -> Result<(), Answer> {
    let latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    let write = write(gateway.engine.clone(), *report, outcome, content, latency_ms);
    if report.comes_first() {
        return write.await.map_err(|error| refuse::not_recorded(&error, report.action));
    }
    let action = report.action;
    gateway.work.spawn(async move {
        if let Err(error) = write.await {
            tracing::error!(%action, %error, "an outcome could not be recorded");
        }
    });
    Ok(())
}

async fn write(
    engine: Engine,
    report: Report,
    outcome: Outcome,
    content: Option<Vec<u8>>,
    latency_ms: u64,
) -> Result<(), SubmitError> {
    let (result, sealed) = match content {
        Some(content) => {
            match engine.commitment(report.task, "result", content).await {
                Ok((reference, sealed)) => (Some(reference), vec![sealed]),
                // The task's content was erased meanwhile: that it ended is recorded, what came back is not kept.
                Err(SubmitError::Refused(refusal)) if refusal.code == "content_erased" => (None, Vec::new()),
                Err(error) => return Err(error),
            }
        }
        None => (None, Vec::new()),
    };
    let outcome = RecordOutcome { action: report.action, outcome, result, latency_ms };
    engine.submit_with(Actor::Remit, Command::RecordOutcome(Box::new(outcome)), sealed).await.map(drop)
}
