//! The wire to a process: JSON-RPC messages, one a line.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderMap;
use tokio::sync::{mpsc, oneshot};

use super::exchange::{Ask, Outgoing, Reply, Watch};
use super::fault::UpstreamFault;
use super::listen::Wanted;
use super::message::{self, Described, Meta};
use super::process;
use super::signals::Signals;
use super::stderr::Stderr;
use super::underway::{Followed, Waiting};
use crate::limits;

/// A process to which questions can be put. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct StdioWire {
    outgoing: mpsc::Sender<String>,
    signals: Arc<Signals>,
    stderr: Arc<Stderr>,
    next: AtomicU64,
}

impl Drop for StdioWire {
    fn drop(&mut self) {
        self.signals.ended.cancel();
    }
}

impl StdioWire {
    /// Starts the process.
    pub fn start(
        command: &str,
        arguments: &[String],
        environment: &[String],
        signals: Arc<Signals>,
        stderr: Arc<Stderr>,
    ) -> Result<Self, UpstreamFault> {
        let (own, words) = (Arc::clone(&signals), Arc::clone(&stderr));
        let outgoing = process::start(command, arguments, environment, own, words)?;
        Ok(Self { outgoing, signals, stderr, next: AtomicU64::new(1) })
    }

    /// Puts one question and waits for its answer.
    pub async fn exchange(&self, mut outgoing: Outgoing<'_>) -> Result<Reply, UpstreamFault> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        outgoing.meta.progress_token = outgoing.watch.notices.is_some().then_some(id);
        let line = message::request(id, &outgoing)?;
        let (reply, answer) = oneshot::channel();
        let is_call = matches!(outgoing.ask, Ask::Governed(..));
        let waiting = Waiting { followed: Followed::by(&outgoing.watch), is_call, reply: Some(reply), given_up: None };
        let _entered = self.signals.underway.enter(id, waiting);
        let ended = &self.signals.ended;
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
                self.notify(message::cancelled(id)).await;
                Err(UpstreamFault::unknown("it was given up before there was an answer"))
            }
            () = ended.cancelled() => Err(self.gone(UpstreamFault::unknown(self.unanswered()))),
        }
    }

    /// Asks to be told what is `wanted`. Returns the request's id and its end, which comes when the process has no more to
    /// tell; nothing if the process has ended.
    pub async fn listen(&self, wanted: &Wanted) -> Option<(u64, oneshot::Receiver<Reply>)> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let meta = Meta { described: Some(Described::default()), ..Meta::default() };
        let watch = Watch::default();
        let (reply, answered) = oneshot::channel();
        let waiting = Waiting { followed: Followed::by(&watch), is_call: false, reply: Some(reply), given_up: None };
        let outgoing = Outgoing { ask: Ask::Listen, params: &wanted.params, meta, headers: HeaderMap::new(), watch };
        let line = message::request(id, &outgoing).ok()?;
        self.signals.about_to_listen(id, wanted.version);
        self.signals.underway.keep(id, waiting);
        self.outgoing.send(line).await.ok()?;
        Some((id, answered))
    }

    /// Takes back what [`StdioWire::listen`] asked.
    pub async fn give_up(&self, id: u64) {
        self.signals.underway.take(id);
        self.notify(message::cancelled(id)).await;
    }

    /// Tells the process something, if it takes it in time.
    pub async fn notify(&self, line: String) {
        let limit = Duration::from_secs(limits::CANCEL_SECONDS_MAX);
        let _ = self.outgoing.send_timeout(line, limit).await;
    }

    /// Why there is no answer.
    fn unanswered(&self) -> &'static str {
        match self.signals.too_large.load(Ordering::Acquire) {
            true => "the connector's process sent more than an answer may be, and was ended",
            false => "the connector's process ended before it answered",
        }
    }

    fn gone(&self, fault: UpstreamFault) -> UpstreamFault {
        let words = self.stderr.last_words();
        if words.is_empty() { fault } else { fault.detail(words) }
    }
}
