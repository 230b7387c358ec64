//! The client of one call while the call is under way: what it is told, and whether it is still there.

use remit_domain::ActionId;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::answer::Answer;
use crate::limits;

/// What happens during a call, in order.
#[derive(Debug)]
pub(crate) enum Step {
    /// It is decided, and will take an unknown time: a person is asked, or the upstream reports progress.
    Waiting { decision: ActionId },
    /// A notification for the client.
    Notice(Value),
    /// The end.
    Done(Answer),
}

/// The other side of a call.
#[derive(Debug)]
pub(crate) struct Client {
    steps: mpsc::Sender<Step>,
    /// What the client wants progress to be called, if it wants any.
    progress_token: Option<Value>,
    /// Cancelled when the client says that it no longer wants the answer.
    pub cancelled: CancellationToken,
    /// Whether leaving the stream means the same as cancelling (2026-07-28) or nothing at all (before).
    pub leaving_cancels: bool,
}

impl Client {
    /// A client, and the steps that it is to be told.
    pub fn new(
        progress_token: Option<Value>,
        cancelled: CancellationToken,
        leaving_cancels: bool,
    ) -> (Self, mpsc::Receiver<Step>) {
        let (steps, receiver) = mpsc::channel(limits::STEPS_MAX);
        (Self { steps, progress_token, cancelled, leaving_cancels }, receiver)
    }

    /// Whether it asked to be told of progress.
    pub fn wants_progress(&self) -> bool {
        self.progress_token.is_some()
    }

    /// Tells it that the answer may take long.
    pub async fn waiting(&self, decision: ActionId) {
        // Whoever has left is not told; the call goes on or ends by other means.
        let _ = self.steps.send(Step::Waiting { decision }).await;
    }

    /// Passes on progress, under the client's own name for it. Dropped where the client does not keep up.
    pub fn progress(&self, mut params: Map<String, Value>) {
        let Some(token) = &self.progress_token else { return };
        params.insert("progressToken".to_owned(), token.clone());
        let notice = serde_json::json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params});
        let _ = self.steps.try_send(Step::Notice(notice));
    }

    /// Gives it the answer.
    pub async fn done(self, answer: Answer) {
        let _ = self.steps.send(Step::Done(answer)).await;
    }

    /// Resolves when nobody waits for the answer: it said so, or it has left.
    pub async fn gone(&self) {
        tokio::select! {
            () = self.cancelled.cancelled() => {}
            () = self.steps.closed() => {}
        }
    }

    /// Resolves when the call itself should be given up.
    pub async fn gave_up(&self) {
        if self.leaving_cancels {
            self.gone().await;
        } else {
            self.cancelled.cancelled().await;
        }
    }
}
