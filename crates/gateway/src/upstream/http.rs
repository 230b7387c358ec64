//! The wire to a server over Streamable HTTP: one POST for each question, answered by a document or a stream of events.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use url::Url;

use super::connection::Signals;
use super::exchange::{self, Ask, Incoming, Outgoing, Reply};
use super::fault::UpstreamFault;
use super::mirror::header_value;
use crate::limits;
use crate::mcp::{METHOD_HEADER, MODERN, NAME_HEADER, SESSION_HEADER, VERSION_HEADER, sse};

/// A server to which questions can be put.
#[derive(Debug)]
pub(super) struct HttpWire {
    client: reqwest::Client,
    url: Url,
    next: AtomicU64,
    /// What the server wants to see again in later requests.
    greeted: Mutex<Greeted>,
    signals: Arc<Signals>,
}

/// What follows from the greeting.
#[derive(Debug, Clone, Default)]
struct Greeted {
    version: Option<String>,
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

impl HttpWire {
    pub fn new(client: reqwest::Client, url: Url, signals: Arc<Signals>) -> Self {
        Self { client, url, next: AtomicU64::new(1), greeted: Mutex::default(), signals }
    }

    /// From now on the server is spoken to in `version`.
    pub fn speak(&self, version: &str) {
        self.greeted.lock().unwrap_or_else(PoisonError::into_inner).version = Some(version.to_owned());
    }

    fn greeted(&self) -> Greeted {
        self.greeted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts one question and waits for its answer.
    pub async fn exchange(&self, mut outgoing: Outgoing<'_>) -> Result<Reply, HttpFault> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        outgoing.ask_for_progress(id);
        let greeted = self.greeted();
        let mut headers = std::mem::take(&mut outgoing.headers);
        self.describe(&mut headers, &outgoing.ask, &greeted);
        let cut = outgoing.watch.cut.clone();
        let body = exchange::request(id, outgoing.ask.method(), &outgoing.params);
        if cut.is_cancelled() {
            return Err(UpstreamFault::not_sent("it was given up before it was sent").into());
        }
        tokio::select! {
            reply = self.post(id, body, headers, &greeted, &outgoing) => reply,
            () = cut.cancelled() => {
                // Dropping the request closes its stream, which is how 2026-07-28 cancels; before, it has to be said.
                if greeted.version.as_deref() != Some(MODERN) {
                    self.notify(exchange::cancelled(id)).await;
                }
                Err(UpstreamFault::unknown("it was given up before there was an answer").into())
            }
        }
    }

    /// Tells the server something. Whether it listened does not matter.
    pub async fn notify(&self, body: String) {
        let mut headers = HeaderMap::new();
        self.describe(&mut headers, &Ask::Initialize, &self.greeted());
        let request = self.client.post(self.url.clone()).headers(headers).body(body);
        let limit = Duration::from_secs(limits::CANCEL_SECONDS_MAX);
        if let Err(error) = request.timeout(limit).send().await {
            tracing::debug!(%error, "a notification did not reach the upstream");
        }
    }

    /// The headers of the protocol.
    fn describe(&self, headers: &mut HeaderMap, ask: &Ask<'_>, greeted: &Greeted) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        let version = match (&greeted.version, ask) {
            (Some(version), _) => Some(version.as_str()),
            (None, Ask::Discover) => Some(MODERN),
            (None, _) => None,
        };
        if let Some(value) = version.and_then(|version| HeaderValue::from_str(version).ok()) {
            headers.insert(HeaderName::from_static(VERSION_HEADER), value);
        }
        if let Some(session) = &greeted.session {
            headers.insert(HeaderName::from_static(SESSION_HEADER), session.clone());
        }
        if version == Some(MODERN) {
            headers.insert(HeaderName::from_static(METHOD_HEADER), HeaderValue::from_static(ask.method()));
            if let Ask::Call(permit) = ask {
                headers.insert(HeaderName::from_static(NAME_HEADER), header_value(permit.operation().tool()));
            }
        }
    }

    async fn post(
        &self,
        id: u64,
        body: String,
        headers: HeaderMap,
        greeted: &Greeted,
        outgoing: &Outgoing<'_>,
    ) -> Result<Reply, HttpFault> {
        let sent = self.client.post(self.url.clone()).headers(headers).body(body).send().await;
        let response = sent.map_err(|error| {
            let fault = if error.is_connect() {
                UpstreamFault::not_sent("the upstream cannot be reached")
            } else {
                UpstreamFault::unknown("the connection to the upstream broke before it answered")
            };
            fault.detail(chain(&error))
        })?;
        let status = response.status();
        if status == StatusCode::NOT_FOUND && greeted.session.is_some() {
            return Err(HttpFault::SessionEnded);
        }
        if let (Ask::Initialize, Some(session)) = (&outgoing.ask, response.headers().get(SESSION_HEADER)) {
            self.greeted.lock().unwrap_or_else(PoisonError::into_inner).session = Some(session.clone());
        }
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if status.is_success() && kind == "text/event-stream" {
            return self.read_stream(id, response, outgoing).await.map_err(HttpFault::Fault);
        }
        let body = read_document(response).await?;
        match Incoming::parse(&body) {
            // An error may come without an id: then the server could not read ours.
            Some(Incoming::Answer(answered, reply)) if answered == Some(id) || matches!(reply, Reply::Error(_)) => {
                Ok(reply)
            }
            _ => Err(unanswered(status).into()),
        }
    }

    async fn read_stream(
        &self,
        id: u64,
        mut response: reqwest::Response,
        outgoing: &Outgoing<'_>,
    ) -> Result<Reply, UpstreamFault> {
        let broke = || UpstreamFault::unknown("the upstream's stream ended before there was an answer");
        let mut reader = sse::Reader::new(limits::UPSTREAM_MESSAGE_BYTES_MAX);
        let mut read = 0_usize;
        while let Some(piece) = response.chunk().await.map_err(|error| broke().detail(chain(&error)))? {
            read = read.saturating_add(piece.len());
            if read > limits::UPSTREAM_STREAM_BYTES_MAX {
                return Err(UpstreamFault::unknown("the upstream's stream is longer than it may be"));
            }
            for message in reader.feed(&piece).map_err(|error| UpstreamFault::unknown(error.to_string()))? {
                match Incoming::parse(&message) {
                    Some(Incoming::Answer(Some(answered), reply)) if answered == id => return Ok(reply),
                    Some(Incoming::Progress { token, params }) if token == Some(id) => {
                        if let Some(progress) = &outgoing.watch.progress {
                            let _ = progress.try_send(params);
                        }
                    }
                    Some(Incoming::ToolsChanged) => self.signals.tools_changed(),
                    _ => {}
                }
            }
        }
        Err(broke())
    }
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

async fn read_document(mut response: reqwest::Response) -> Result<Vec<u8>, UpstreamFault> {
    let broke = |error: &reqwest::Error| UpstreamFault::unknown("the upstream's answer broke off").detail(chain(error));
    let mut body = Vec::new();
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
