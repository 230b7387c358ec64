//! The wire to a server over Streamable HTTP: one POST for each question, answered by a document or a stream of events.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use reqwest::Response;
use serde_json::Value;
use url::Url;

use super::exchange::{Ask, Governed, Outgoing, Reply};
use super::fault::UpstreamFault;
use super::message::{self, Incoming};
use super::mirror::header_value;
use super::signals::{Dialect, Signals};
use super::underway::{Followed, Waiting};
use crate::limits;
use crate::mcp::{METHOD_HEADER, MODERN, NAME_HEADER, SESSION_HEADER, VERSION_HEADER};

mod events;
mod listening;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const JSON_OR_EVENTS: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// A server to which questions can be put. Its session ends when this is dropped.
#[derive(Debug)]
pub(super) struct HttpWire {
    server: Arc<Server>,
}

/// What the wire and the tasks that listen to its server share.
#[derive(Debug)]
pub(super) struct Server {
    client: reqwest::Client,
    url: Url,
    next: AtomicU64,
    greeted: Mutex<Greeted>,
    signals: Arc<Signals>,
}

/// What the server wants to see again in later requests.
#[derive(Debug, Clone, Default)]
struct Greeted {
    version: Option<HeaderValue>,
    session: Option<HeaderValue>,
}

/// Why a question over HTTP has no answer.
#[derive(Debug)]
pub(super) enum HttpFault {
    /// The server does not know our session any more, and so has done nothing with the question.
    SessionEnded,
    Fault(UpstreamFault),
}

impl From<UpstreamFault> for HttpFault {
    fn from(fault: UpstreamFault) -> Self {
        Self::Fault(fault)
    }
}

impl Drop for HttpWire {
    fn drop(&mut self) {
        self.server.signals.ended.cancel();
        if let (Some(ending), Ok(runtime)) = (self.server.end_session(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(ending);
        }
    }
}

impl HttpWire {
    pub fn new(client: reqwest::Client, url: Url, signals: Arc<Signals>) -> Self {
        let version = (signals.dialect == Dialect::Modern).then_some(HeaderValue::from_static(MODERN));
        let greeted = Mutex::new(Greeted { version, session: None });
        Self { server: Arc::new(Server { client, url, next: AtomicU64::new(1), greeted, signals }) }
    }

    pub fn server(&self) -> Arc<Server> {
        Arc::clone(&self.server)
    }

    /// From now on the server is spoken to in `version`.
    pub fn speak(&self, version: &str) {
        let version = HeaderValue::from_str(version).ok();
        self.server.greeted.lock().unwrap_or_else(PoisonError::into_inner).version = version;
    }

    /// Tells the server something. Whether it listened does not matter.
    pub async fn notify(&self, body: String) {
        self.server.notify(body).await;
    }

    /// Tells the server that the session is over, if there is one.
    pub async fn end_session(&self) {
        if let Some(ending) = self.server.end_session() {
            ending.await;
        }
    }

    /// Puts one question and waits for its answer.
    pub async fn exchange(&self, mut outgoing: Outgoing<'_>) -> Result<Reply, HttpFault> {
        let server = &self.server;
        let id = server.next.fetch_add(1, Ordering::Relaxed);
        outgoing.meta.progress_token = outgoing.watch.notices.is_some().then_some(id);
        let body = message::request(id, &outgoing)?;
        let followed = Followed::by(&outgoing.watch);
        let is_call = matches!(outgoing.ask, Ask::Governed(..));
        let waiting = Waiting { followed: Arc::clone(&followed), is_call, reply: None, given_up: None };
        let _entered = server.signals.underway.enter(id, waiting);
        let cut = outgoing.watch.cut.clone();
        if cut.is_cancelled() {
            return Err(UpstreamFault::not_sent("it was given up before it was sent").into());
        }
        tokio::select! {
            reply = server.ask(id, body, outgoing, &followed) => reply,
            () = cut.cancelled() => {
                // Dropping the request closes its stream, which is how 2026-07-28 cancels; before, it has to be said.
                if server.signals.dialect == Dialect::Handshake {
                    server.notify(message::cancelled(id)).await;
                }
                Err(UpstreamFault::unknown("it was given up before there was an answer").into())
            }
        }
    }
}

impl Server {
    fn greeted(&self) -> Greeted {
        self.greeted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts the headers that every request has into `headers`.
    fn describe(&self, headers: &mut HeaderMap, greeted: &Greeted) {
        if let Some(version) = &greeted.version {
            headers.insert(HeaderName::from_static(VERSION_HEADER), version.clone());
        }
        if let Some(session) = &greeted.session {
            headers.insert(HeaderName::from_static(SESSION_HEADER), session.clone());
        }
    }

    /// POSTs one message.
    async fn post(&self, body: String, mut headers: HeaderMap, greeted: &Greeted) -> Result<Response, reqwest::Error> {
        headers.insert(header::CONTENT_TYPE, JSON);
        headers.insert(header::ACCEPT, JSON_OR_EVENTS);
        self.describe(&mut headers, greeted);
        self.client.post(self.url.clone()).headers(headers).body(body).send().await
    }

    async fn notify(&self, body: String) {
        let greeted = self.greeted();
        let sent = self.post(body, HeaderMap::new(), &greeted);
        match tokio::time::timeout(Duration::from_secs(limits::CANCEL_SECONDS_MAX), sent).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a notification did not reach the upstream"),
            Err(_) => tracing::debug!("a notification did not reach the upstream in time"),
        }
    }

    /// What tells the server that the session is over, if there is one that was not ended yet.
    fn end_session(&self) -> Option<impl Future<Output = ()> + Send + 'static> {
        let mut greeted = self.greeted.lock().unwrap_or_else(PoisonError::into_inner);
        let session = greeted.session.take()?;
        let (client, url) = (self.client.clone(), self.url.clone());
        let mut headers = HeaderMap::new();
        self.describe(&mut headers, &Greeted { version: greeted.version.clone(), session: Some(session) });
        Some(async move {
            let limit = Duration::from_secs(limits::SESSION_END_SECONDS_MAX);
            let ended = client.delete(url).headers(headers).timeout(limit).send().await;
            if let Err(error) = ended {
                tracing::debug!(%error, "the upstream was not told that our session is over");
            }
        })
    }

    /// The headers of a request of 2026-07-28 that repeat what it is about.
    fn repeat(&self, headers: &mut HeaderMap, outgoing: &Outgoing<'_>) {
        if self.signals.dialect != Dialect::Modern {
            return;
        }
        let method = HeaderValue::from_static(outgoing.ask.method());
        headers.insert(HeaderName::from_static(METHOD_HEADER), method);
        let Ask::Governed(permit, governed) = outgoing.ask else { return };
        let name = match governed {
            Governed::CallTool => Some(permit.operation().tool()),
            _ => governed.named_by().and_then(|member| outgoing.params.get(member)).and_then(Value::as_str),
        };
        if let Some(name) = name {
            headers.insert(HeaderName::from_static(NAME_HEADER), header_value(name));
        }
    }

    async fn ask(
        self: &Arc<Self>,
        id: u64,
        body: String,
        mut outgoing: Outgoing<'_>,
        followed: &Arc<Followed>,
    ) -> Result<Reply, HttpFault> {
        let greeted = self.greeted();
        let mut headers = std::mem::take(&mut outgoing.headers);
        self.repeat(&mut headers, &outgoing);
        let response = self.post(body, headers, &greeted).await.map_err(|error| {
            let fault = if error.is_connect() {
                UpstreamFault::not_sent("the upstream cannot be reached")
            } else {
                UpstreamFault::unknown("the connection to the upstream broke before it answered")
            };
            fault.detail(chain(&error))
        })?;
        let status = response.status();
        if status == StatusCode::NOT_FOUND && greeted.session.is_some() {
            self.greeted.lock().unwrap_or_else(PoisonError::into_inner).session = None;
            return Err(HttpFault::SessionEnded);
        }
        if let (Ask::Initialize, Some(session)) = (&outgoing.ask, response.headers().get(SESSION_HEADER)) {
            self.greeted.lock().unwrap_or_else(PoisonError::into_inner).session = Some(session.clone());
        }
        if is_stream(&response) {
            return self.read_answer(id, response, followed).await.map_err(HttpFault::Fault);
        }
        let body = read_document(response).await?;
        match Incoming::parse(&body) {
            Some(Incoming::Answer(Some(answered), reply)) if answered == id => Ok(reply),
            // An error may come without an id: then the server could not read ours.
            Some(Incoming::Answer(None, reply @ Reply::Error(_))) => Ok(reply),
            _ => Err(unanswered(status).into()),
        }
    }

    /// Takes what is no answer, and has the server answered what it asks. 2026-07-28 has no such answers.
    fn heed(self: &Arc<Self>, message: Incoming, own: Option<(u64, &Arc<Followed>)>) {
        if let Some(asked) = self.signals.heed(message, own)
            && self.signals.dialect == Dialect::Handshake
        {
            let server = Arc::clone(self);
            self.signals.answer(asked, move |line| async move { server.notify(line).await });
        }
    }
}

/// Whether the body is a stream of events.
fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    response.status().is_success() && kind.eq_ignore_ascii_case("text/event-stream")
}

/// What a status without a readable answer means for the effect of the question.
fn unanswered(status: StatusCode) -> UpstreamFault {
    let reason = format!("the upstream answered with status {} and no result", status.as_u16());
    match status {
        // Somebody between gave up waiting: the server itself may have gone on.
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => UpstreamFault::unknown(reason),
        status if status.is_success() => UpstreamFault::unknown(reason),
        _ => UpstreamFault::failed(reason),
    }
}

async fn read_document(mut response: Response) -> Result<Vec<u8>, UpstreamFault> {
    let broke = |error: &reqwest::Error| UpstreamFault::unknown("the upstream's answer broke off").detail(chain(error));
    let announced = response.content_length().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
    let mut body = Vec::with_capacity(announced.min(limits::UPSTREAM_MESSAGE_BYTES_MAX));
    while let Some(piece) = response.chunk().await.map_err(|error| broke(&error))? {
        if body.len() + piece.len() > limits::UPSTREAM_MESSAGE_BYTES_MAX {
            return Err(UpstreamFault::unknown("the upstream's answer is larger than it may be"));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// An error and all its causes, without the address: it is known, and its query could be secret.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = String::from("request failed");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
