//! What a client and the gateway have settled on: a session before 2026-07-28, and the version that is spoken.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use tokio_util::sync::CancellationToken;

use super::endpoint::{METHOD_HEADER, NAME_HEADER, SESSION_HEADER, VERSION_HEADER, header_value, presenting};
use super::envelope::{self, Request};
use super::{Problem, Proxy, limits};

/// What the gateway is told after a handshake that the client does not see.
const INITIALIZED: &[u8] = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// What was settled on.
#[derive(Debug, Clone, Default)]
struct Settled {
    /// The session's id, if the gateway gave one.
    id: Option<HeaderValue>,
    /// The version of the handshake, or the one that the last request without a handshake said.
    version: Option<HeaderValue>,
    /// The client's own `initialize`, to begin a new session when the gateway no longer knows this one.
    opening: Option<Bytes>,
    /// Ends the stream of the session.
    stream: Option<CancellationToken>,
    /// Whether there was a handshake.
    has_handshake: bool,
}

/// The session of the client.
#[derive(Debug, Default)]
pub struct Session {
    settled: Mutex<Settled>,
    /// One at a time begins a new session; the others find it begun.
    renewing: tokio::sync::Mutex<()>,
}

impl Session {
    fn lock(&self) -> MutexGuard<'_, Settled> {
        // Every change is one assignment of values that were made before.
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there was a handshake.
    pub fn is_open(&self) -> bool {
        self.lock().has_handshake
    }

    /// Ends the stream of the session.
    pub fn close(&self) {
        if let Some(stream) = self.lock().stream.take() {
            stream.cancel();
        }
    }

    /// Notes what the answer to `opening` settled on.
    pub fn settle(&self, opening: &Bytes, id: Option<HeaderValue>, version: &str) {
        let version = header_value(version);
        *self.lock() = Settled { id, version, opening: Some(opening.clone()), stream: None, has_handshake: true };
    }

    /// The headers of `request`, besides those that present the caller.
    pub fn headers_of(&self, request: &Request) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut insert = |name, value: Option<HeaderValue>| value.map(|value| headers.insert(name, value));
        if let Some(version) = &request.version {
            let version = header_value(version);
            insert(VERSION_HEADER, version.clone());
            insert(METHOD_HEADER, header_value(&request.method));
            insert(NAME_HEADER, request.name.as_deref().and_then(header_value));
            let mut settled = self.lock();
            if !settled.has_handshake {
                settled.version = version;
            }
        } else if request.method != "initialize" {
            let settled = self.lock();
            insert(VERSION_HEADER, settled.version.clone());
            insert(SESSION_HEADER, settled.id.clone());
        }
        headers
    }

    /// The headers of a message that gets no answer, or of a request about the session itself.
    pub fn headers(&self, method: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let settled = self.lock();
        settled.version.clone().map(|version| headers.insert(VERSION_HEADER, version));
        settled.id.clone().map(|id| headers.insert(SESSION_HEADER, id));
        if !settled.has_handshake {
            method.and_then(header_value).map(|method| headers.insert(METHOD_HEADER, method));
        }
        headers
    }
}

impl Proxy {
    /// Begins a new session in place of `lost`, which the gateway no longer knows: it was not used for long, or the gateway
    /// began anew. The client would have to be started again otherwise. Whether there is a session to go on with.
    pub(super) async fn renew(self: &Arc<Self>, lost: &HeaderValue) -> bool {
        let _alone = self.session.renewing.lock().await;
        let settled = self.session.lock().clone();
        if settled.id.as_ref() != Some(lost) {
            return settled.id.is_some();
        }
        let Some(opening) = settled.opening else { return false };
        let begun = self.open_again(&opening).await;
        if begun {
            self.listen();
        }
        begun
    }

    async fn open_again(&self, opening: &Bytes) -> bool {
        let Ok(credential) = self.endpoint.credential().await else { return false };
        let headers = presenting(credential.as_ref());
        let Ok(response) = self.endpoint.post(headers.clone(), opening.clone()).await else { return false };
        let id = response.headers().get(SESSION_HEADER).cloned();
        let Ok(Some(body)) = super::carry::whole_answer(response).await else { return false };
        let Some(version) = envelope::said(&body).and_then(|said| said.version) else { return false };
        self.session.close();
        self.session.settle(opening, id, &version);
        let mut headers = headers;
        headers.extend(self.session.headers(None));
        self.endpoint.post(headers, Bytes::from_static(INITIALIZED)).await.is_ok()
    }

    /// Opens the stream on which the gateway asks and tells on its own, and keeps it open as long as the session lasts. A
    /// gateway that serves none says so once.
    pub(super) fn listen(self: &Arc<Self>) {
        let closed = self.stopping.child_token();
        {
            let mut settled = self.session.lock();
            if settled.id.is_none() || settled.stream.is_some() {
                return;
            }
            settled.stream = Some(closed.clone());
        }
        let proxy = Arc::clone(self);
        // Not one of those that are waited for: it ends when it is closed.
        tokio::spawn(async move {
            tokio::select! {
                () = proxy.hear() => {}
                () = closed.cancelled() => {}
            }
        });
    }

    async fn hear(&self) {
        let mut pause = limits::REOPEN_SECONDS_MIN;
        loop {
            match self.open_stream().await {
                Ok(Some(response)) => {
                    pause = limits::REOPEN_SECONDS_MIN;
                    if let Err(problem) = self.pass_stream(response).await {
                        tracing::debug!(%problem, "the stream of the session broke");
                    }
                }
                Ok(None) => return,
                Err(problem) => tracing::debug!(%problem, "the stream of the session cannot be opened"),
            }
            tokio::time::sleep(Duration::from_secs(pause)).await;
            pause = (pause * 2).min(limits::REOPEN_SECONDS_MAX);
        }
    }

    /// The stream of the session; nothing if there is none to be had.
    async fn open_stream(&self) -> Result<Option<reqwest::Response>, Problem> {
        let mut headers = self.session.headers(None);
        headers.extend(presenting(self.endpoint.credential().await?.as_ref()));
        let response = self.endpoint.ask(Method::GET, headers).await?;
        match response.status() {
            StatusCode::OK if super::carry::is_stream(&response) => Ok(Some(response)),
            // It is served later, or a token that is valid comes later.
            status if status.is_server_error() || status == StatusCode::UNAUTHORIZED => Err(Problem::Foreign(status)),
            _ => Ok(None),
        }
    }

    /// Tells the gateway that the session is over, if there is one.
    pub(super) async fn end_session(&self) {
        let mut headers = self.session.headers(None);
        if !headers.contains_key(SESSION_HEADER) {
            return;
        }
        let Ok(credential) = self.endpoint.credential().await else { return };
        headers.extend(presenting(credential.as_ref()));
        if let Err(problem) = self.endpoint.ask(Method::DELETE, headers).await {
            tracing::debug!(%problem, "the session could not be ended; it ends when it is not used");
        }
    }
}
