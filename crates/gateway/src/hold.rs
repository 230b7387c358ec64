//! Steps three and four: has an attempt decided, and keeps the call open while a person is asked.

use std::time::Duration;

use futures_util::StreamExt;
use remit_domain::{ActionId, ApprovalId, Event, TaskId, Verdict};
use remit_engine::Receipt;
use serde_json::json;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::attempt::Attempt;
use crate::caller::Caller;
use crate::client::Client;
use crate::{Gateway, limits, refuse};

/// The question that a call waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub approval: ApprovalId,
    /// The decision that asked, or that found the question already asked.
    pub decision: ActionId,
}

/// How waiting for a person ended.
#[derive(Debug, PartialEq, Eq)]
enum Waited {
    /// There is an answer, or the task has ended: the attempt has to be decided again to know what that means.
    Answered,
    Expired,
    TimeUp,
    ClientGone,
    Stopping,
}

/// Has `attempt` decided; where a person has to be asked, again as soon as they have answered.
///
/// The decision after the answer is a new one, under the policies and the state of that moment: it uses up the approval in
/// the same commit, and finds out if the task has ended or the operation was withdrawn meanwhile.
pub(crate) async fn decide(
    gateway: &Gateway,
    caller: &Caller,
    attempt: &mut Attempt,
    client: &Client,
) -> Result<Receipt, Answer> {
    let until = Instant::now() + Duration::from_secs(gateway.settings.hold_seconds);
    let mut told = false;
    loop {
        let receipt = attempt.submit(&gateway.engine, caller).await.map_err(refuse::submit_error)?;
        let Some(question) = question(&receipt) else { return Ok(receipt) };
        if Instant::now() >= until {
            return Err(refuse::still_waiting(&gateway.settings, question));
        }
        if !told {
            client.waiting(question.decision).await;
            told = true;
        }
        match wait(gateway, caller.task, question.approval, receipt.seq, until, client).await {
            Waited::Answered => {}
            Waited::Expired => return Err(refuse::expired(question)),
            Waited::TimeUp | Waited::ClientGone => return Err(refuse::still_waiting(&gateway.settings, question)),
            Waited::Stopping => return Err(refuse::stopping()),
        }
    }
}

/// The open question, if the verdict is one: asked just now, or by an earlier and identical call.
fn question(receipt: &Receipt) -> Option<Question> {
    match Verdict::among(&receipt.events)? {
        Verdict::Asked(requested) => Some(Question { approval: requested.approval, decision: requested.action }),
        Verdict::Denied(denied) if denied.refusal.code == "approval_pending" => {
            denied.approval.map(|approval| Question { approval, decision: denied.action })
        }
        Verdict::Denied(_) | Verdict::Allowed(_) => None,
    }
}

/// Waits for an answer to `approval`. Watching begins at the record that found it open, so no answer is missed.
async fn wait(
    gateway: &Gateway,
    task: TaskId,
    approval: ApprovalId,
    from: u64,
    until: Instant,
    client: &Client,
) -> Waited {
    let mut records = gateway.engine.watch(from);
    let mut beat = tokio::time::interval(Duration::from_secs(limits::KEEPALIVE_SECONDS));
    let mut beats = 0_u64;
    loop {
        tokio::select! {
            record = records.next() => match record {
                Some(committed) => match &committed.record.event {
                    Event::ApprovalGranted { approval: answered, .. } | Event::ApprovalDenied { approval: answered, .. }
                        if *answered == approval => return Waited::Answered,
                    Event::ApprovalExpired { approval: ended, .. } if *ended == approval => return Waited::Expired,
                    Event::TaskEnded { task: ended, .. } if *ended == task => return Waited::Answered,
                    _ => {}
                },
                None => return Waited::Stopping,
            },
            _ = beat.tick() => {
                beats += 1;
                let message = format!("waiting for a person to approve `{approval}`");
                // Small steps, so that what the upstream reports later still goes up.
                let params = json!({"progress": beats as f64 / 1_000.0, "message": message});
                client.progress(params.as_object().cloned().unwrap_or_default());
            }
            () = tokio::time::sleep_until(until) => return Waited::TimeUp,
            () = client.gone() => return Waited::ClientGone,
            () = gateway.stopping.cancelled() => return Waited::Stopping,
        }
    }
}
