//! `remit proxy`: an MCP server on standard input and output, in front of a gateway that is reached over HTTP.
//!
//! For clients that only start processes. Messages pass byte for byte, apart from line breaks between their members; what is
//! read of them is only what the way needs. Nothing is decided here: whoever speaks to the gateway directly gets the same.

mod carry;
mod endpoint;
mod envelope;
mod events;
mod in_flight;
mod limits;
mod line;
mod pipes;
mod problem;
mod session;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::command::Failure;
use endpoint::Endpoint;
use envelope::{Kind, Message, Request};
use in_flight::InFlight;
use line::Line;
use problem::Problem;
use session::Session;
pub use token::Token;

/// Serves standard input and output until its end, or until it is asked to stop.
///
/// # Errors
/// If the address cannot be meant, or if the program cannot wait for signals.
pub async fn proxy(address: Url, token: Token) -> Result<(), Failure> {
    let faulty = |error| Failure::fault(format!("cannot wait for signals: {error}"), "this is a fault of the machine");
    let mut terminate = signal(SignalKind::terminate()).map_err(faulty)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(faulty)?;
    let endpoint = Endpoint::new(address, token)?;
    let mut input = pipes::read(std::io::stdin());
    let (output, written) = pipes::write(std::io::stdout());
    let proxy = Arc::new(Proxy::new(endpoint, output));
    let end = loop {
        tokio::select! {
            line = input.recv() => match line {
                Some(line) => proxy.take(line).await,
                None => break End::OfInput,
            },
            // Nobody reads what is said any more.
            () = proxy.stopping.cancelled() => break End::Asked,
            _ = terminate.recv() => break End::Asked,
            _ = interrupt.recv() => break End::Asked,
        }
    };
    tokio::select! {
        () = proxy.close(end) => {}
        _ = terminate.recv() => {}
    }
    proxy.stopping.cancel();
    drop(proxy);
    // What waits is written, unless nobody takes it.
    let _late = tokio::time::timeout(Duration::from_secs(limits::WRITE_SECONDS_MAX), written).await;
    Ok(())
}

/// Why it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client has said everything: what it asked for is still answered.
    OfInput,
    /// It is to stop now.
    Asked,
}

/// One client on one side, one gateway on the other.
#[derive(Debug)]
struct Proxy {
    endpoint: Endpoint,
    session: Session,
    in_flight: InFlight,
    output: mpsc::Sender<Bytes>,
    stopping: CancellationToken,
    working: TaskTracker,
    /// Whether the person has been told that the gateway is not reached.
    told: AtomicBool,
}

impl Proxy {
    fn new(endpoint: Endpoint, output: mpsc::Sender<Bytes>) -> Self {
        Self {
            endpoint,
            session: Session::default(),
            in_flight: InFlight::default(),
            output,
            stopping: CancellationToken::new(),
            working: TaskTracker::new(),
            told: AtomicBool::new(false),
        }
    }

    /// Takes the client's next line. Messages that get no answer are sent before the next line is read, so that they arrive
    /// in their order; requests are under way side by side.
    async fn take(self: &Arc<Self>, line: Line) {
        let line = match line {
            Line::Whole(line) if line.trim_ascii().is_empty() => return,
            Line::Whole(line) => Bytes::from(line),
            Line::TooLong => return self.refuse(None, &Problem::LineTooLong).await,
        };
        let message = match envelope::read(&line) {
            Ok(message) => message,
            Err(unreadable) => {
                let id = unreadable.id.clone();
                return self.refuse(id.as_ref(), &Problem::Unreadable(unreadable)).await;
            }
        };
        let Message { kind, version, name } = message;
        match kind {
            Kind::Request { id, method } => self.begin(line, Request { id, method, version, name }).await,
            Kind::Notification { cancels: Some(id), .. } => self.cancel(line, &id).await,
            Kind::Notification { method, .. } => {
                self.send_notice(&line, Some(&method)).await;
                if method == "notifications/initialized" {
                    self.listen();
                }
            }
            Kind::Response => self.send_notice(&line, None).await,
        }
    }

    async fn begin(self: &Arc<Self>, line: Bytes, request: Request) {
        let abandoned = self.stopping.child_token();
        if let Err(problem) = self.in_flight.begin(&request, abandoned.clone()) {
            return self.refuse(Some(&request.id), &problem).await;
        }
        let proxy = Arc::clone(self);
        self.working.spawn(async move {
            tokio::select! {
                () = proxy.carry(&line, &request) => {}
                // The connection is dropped with it, which is how a request over HTTP is cancelled at 2026-07-28.
                () = abandoned.cancelled() => {}
            }
        });
    }

    /// The client no longer wants an answer, so it gets none. Over HTTP it is the connection that says so since 2026-07-28;
    /// before, it is this message.
    async fn cancel(self: &Arc<Self>, line: Bytes, id: &envelope::Id) {
        match self.in_flight.finish(id) {
            Some(request) if request.is_modern => request.abandoned.cancel(),
            Some(request) => {
                self.send_notice(&line, None).await;
                request.abandoned.cancel();
            }
            None if self.session.is_open() => self.send_notice(&line, None).await,
            None => {}
        }
    }

    /// Sends a message that has no answer. Nobody waits for it, so only the person hears that it was lost.
    async fn send_notice(self: &Arc<Self>, line: &Bytes, method: Option<&str>) {
        let sent = tokio::time::timeout(Duration::from_secs(limits::NOTICE_SECONDS_MAX), self.notify(line, method));
        match sent.await {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => self.tell(&problem),
            Err(_) => eprintln!("remit: a message was not taken by the gateway in time"),
        }
    }

    /// Writes one message for the client. If nobody reads it, there is nothing left to do.
    async fn say(&self, message: Bytes) {
        if self.output.send(message).await.is_err() {
            self.stopping.cancel();
        }
    }

    /// Answers request `id`, unless it was cancelled.
    async fn answer(&self, id: &envelope::Id, message: Bytes) {
        // Before it is said: the client may use the id again at once.
        if self.in_flight.finish(id).is_some() {
            self.say(message).await;
        }
    }

    /// Says that request `id` cannot be answered, or that a message without a readable id was refused.
    async fn refuse(&self, id: Option<&envelope::Id>, problem: &Problem) {
        self.say(problem.answer(id)).await;
    }

    /// Tells the person, once until it is mended.
    fn tell(&self, problem: &Problem) {
        if !self.told.swap(true, Ordering::Relaxed) {
            eprintln!("remit: {problem}\nhelp: {}", problem.help());
        }
    }

    fn is_reached(&self) {
        self.told.store(false, Ordering::Relaxed);
    }

    /// Ends: what was asked is answered if there is time, then the session is ended.
    async fn close(&self, end: End) {
        self.working.close();
        match end {
            End::OfInput => {
                self.in_flight.abandon_endless();
                self.session.close();
                let limit = Duration::from_secs(limits::DRAIN_SECONDS_MAX);
                if tokio::time::timeout(limit, self.working.wait()).await.is_err() {
                    eprintln!("remit: the input ended while requests were under way; they are given up");
                }
            }
            End::Asked => {}
        }
        self.stopping.cancel();
        let limit = Duration::from_secs(limits::SESSION_END_SECONDS_MAX);
        let _late = tokio::time::timeout(limit, self.end_session()).await;
    }
}
