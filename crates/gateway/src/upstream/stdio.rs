//! The wire to a process: JSON-RPC messages, one a line.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::connection::Signals;
use super::exchange::{self, Outgoing, Reply};
use super::fault::UpstreamFault;
use super::process::{self, Pending, Shared};
use crate::limits;

/// A process to which questions can be put. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct StdioWire {
    outgoing: mpsc::Sender<String>,
    shared: Arc<Shared>,
    next: AtomicU64,
}

/// Forgets a question whose asker has gone.
struct Asked<'a> {
    wire: &'a StdioWire,
    id: u64,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.wire.shared.pending.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Drop for StdioWire {
    fn drop(&mut self) {
        self.shared.signals.ended.cancel();
    }
}

impl StdioWire {
    /// Starts the process.
    pub fn start(
        command: &str,
        arguments: &[String],
        environment: &[String],
        signals: Arc<Signals>,
    ) -> Result<Self, UpstreamFault> {
        let (outgoing, shared) = process::start(command, arguments, environment, signals)?;
        Ok(Self { outgoing, shared, next: AtomicU64::new(1) })
    }

    /// Puts one question and waits for its answer.
    pub async fn exchange(&self, mut outgoing: Outgoing<'_>) -> Result<Reply, UpstreamFault> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        outgoing.ask_for_progress(id);
        let (reply, answer) = oneshot::channel();
        let pending = Pending { reply, progress: outgoing.watch.progress.clone() };
        self.shared.pending.lock().unwrap_or_else(PoisonError::into_inner).insert(id, pending);
        let _asked = Asked { wire: self, id };
        let line = exchange::request(id, outgoing.ask.method(), &outgoing.params);
        let ended = &self.shared.signals.ended;
        let room = tokio::select! {
            biased;
            () = outgoing.watch.cut.cancelled() => return Err(UpstreamFault::not_sent("it was given up before it was sent")),
            () = ended.cancelled() => return Err(self.gone(UpstreamFault::not_sent("the connector's process has ended"))),
            room = self.outgoing.reserve() => room,
        };
        match room {
            Ok(room) => room.send(line),
            Err(_) => return Err(self.gone(UpstreamFault::not_sent("the connector's process has ended"))),
        }
        tokio::select! {
            biased;
            Ok(reply) = answer => Ok(reply),
            () = outgoing.watch.cut.cancelled() => {
                self.notify(exchange::cancelled(id)).await;
                Err(UpstreamFault::unknown("it was given up before there was an answer"))
            }
            () = ended.cancelled() => Err(self.gone(UpstreamFault::unknown("the connector's process ended before it answered"))),
        }
    }

    /// Tells the process something, if it takes it in time.
    pub async fn notify(&self, line: String) {
        let limit = Duration::from_secs(limits::CANCEL_SECONDS_MAX);
        let _ = self.outgoing.send_timeout(line, limit).await;
    }

    fn gone(&self, fault: UpstreamFault) -> UpstreamFault {
        let words = self.shared.last_words();
        if words.is_empty() { fault } else { fault.detail(words) }
    }
}
