//! One request to its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use serde_json::json;

use super::endpoint::{SESSION_HEADER, presenting, root_cause};
use super::envelope::{self, Request};
use super::events::Events;
use super::problem::{addressed, one_line};
use super::{Problem, Proxy, limits};

impl Proxy {
    /// Sends `line` and gives the client what comes back.
    pub(super) async fn carry(self: &Arc<Self>, line: &Bytes, request: &Request) {
        let passed = match self.send(line, || self.session.headers_of(request)).await {
            Ok(response) => self.pass(response, line, request).await,
            Err(problem) => Err(problem),
        };
        match passed {
            Ok(()) => self.is_reached(),
            Err(problem) => {
                self.tell(&problem);
                self.answer(&request.id, self.excuse(request, &problem)).await;
            }
        }
    }

    /// Sends a message that gets no answer.
    pub(super) async fn notify(self: &Arc<Self>, line: &Bytes, method: Option<&str>) -> Result<(), Problem> {
        let response = self.send(line, || self.session.headers(method)).await?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(Problem::Foreign(status)),
        }
    }

    /// Sends `line`; once more if the gateway did not take it for a reason that has passed: a token that was renewed
    /// meanwhile, or a session that it no longer knows.
    async fn send(self: &Arc<Self>, line: &Bytes, headers: impl Fn() -> HeaderMap + Send) -> Result<Response, Problem> {
        let credential = self.endpoint.credential().await?;
        let given = headers();
        let session = given.get(SESSION_HEADER).cloned();
        let response = self.endpoint.post(merged(given, credential.as_ref()), line.clone()).await?;
        let again = match (response.status(), &session) {
            (StatusCode::UNAUTHORIZED, _) => self.endpoint.credential().await? != credential,
            (StatusCode::NOT_FOUND, Some(lost)) => self.renew(lost).await,
            _ => false,
        };
        if !again {
            return Ok(response);
        }
        let credential = self.endpoint.credential().await?;
        self.endpoint.post(merged(headers(), credential.as_ref()), line.clone()).await
    }

    async fn pass(self: &Arc<Self>, response: Response, line: &Bytes, request: &Request) -> Result<(), Problem> {
        let status = response.status();
        let session = response.headers().get(SESSION_HEADER).cloned();
        if is_stream(&response) {
            return self.pass_answer_stream(response, line, request, session).await;
        }
        let body = if is_json(&response) { whole(response).await? } else { Vec::new() };
        let Some(said) = envelope::said(&body) else { return Err(Problem::Foreign(status)) };
        let message = match (said.answers, said.stray_error) {
            (Some(id), _) if id == request.id => {
                self.note(line, request, session, said.version.as_deref());
                Bytes::from(one_line(body))
            }
            (None, Some(error)) => addressed(&request.id, error),
            _ => return Err(Problem::Foreign(status)),
        };
        self.answer(&request.id, message).await;
        Ok(())
    }

    async fn pass_answer_stream(
        &self,
        mut response: Response,
        line: &Bytes,
        request: &Request,
        session: Option<HeaderValue>,
    ) -> Result<(), Problem> {
        let mut events = Events::new(limits::MESSAGE_BYTES_MAX);
        while let Some(piece) = response.chunk().await.map_err(|error| Problem::Broken(root_cause(&error)))? {
            for message in events.feed(&piece).map_err(|_| Problem::TooLarge)? {
                let Some(said) = envelope::said(&message) else { continue };
                if said.answers.as_ref() != Some(&request.id) {
                    self.say(Bytes::from(message)).await;
                    continue;
                }
                self.note(line, request, session, said.version.as_deref());
                self.answer(&request.id, Bytes::from(message)).await;
                let rest = async { while let Ok(Some(_)) = response.chunk().await {} };
                let _open = tokio::time::timeout(Duration::from_secs(limits::TRAILING_SECONDS_MAX), rest).await;
                return Ok(());
            }
        }
        Err(Problem::Ended)
    }

    /// Passes everything that comes on a stream without an answer.
    pub(super) async fn pass_stream(&self, mut response: Response) -> Result<(), Problem> {
        let mut events = Events::new(limits::MESSAGE_BYTES_MAX);
        while let Some(piece) = response.chunk().await.map_err(|error| Problem::Broken(root_cause(&error)))? {
            for message in events.feed(&piece).map_err(|_| Problem::TooLarge)? {
                if envelope::said(&message).is_some() {
                    self.say(Bytes::from(message)).await;
                }
            }
        }
        Ok(())
    }

    /// Notes what the handshake settled on, before the client knows and goes on.
    fn note(&self, line: &Bytes, request: &Request, session: Option<HeaderValue>, version: Option<&str>) {
        if let ("initialize", Some(version)) = (request.method.as_str(), version) {
            self.session.close();
            self.session.settle(line, session, version);
        }
    }

    /// What the client is told of a request that failed on the way. A subscription that was cut off is cancelled by the
    /// server: over standard output there is no stream whose end could say so (MCP 2026-07-28, "Cancellation").
    fn excuse(&self, request: &Request, problem: &Problem) -> Bytes {
        let cut_off = matches!(problem, Problem::Broken(_) | Problem::Ended);
        if request.method != "subscriptions/listen" || !cut_off {
            return problem.answer(Some(&request.id));
        }
        let reason = json!(problem.to_string());
        let id = request.id.as_json();
        Bytes::from(format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id},"reason":{reason}}}}}"#
        ))
    }
}

fn merged(mut headers: HeaderMap, credential: Option<&HeaderValue>) -> HeaderMap {
    headers.extend(presenting(credential));
    headers
}

fn is_json(response: &Response) -> bool {
    has_type(response, "application/json")
}

/// Whether the answer is a stream of events.
pub fn is_stream(response: &Response) -> bool {
    response.status().is_success() && has_type(response, "text/event-stream")
}

fn has_type(response: &Response, kind: &str) -> bool {
    let said = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind)
}

async fn whole(mut response: Response) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| Problem::Broken(root_cause(&error)))? {
        if body.len() + piece.len() > limits::MESSAGE_BYTES_MAX {
            return Err(Problem::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// The answer in `response`, whether it is a document or the first answer on a stream; nothing if it is neither.
///
/// # Errors
/// If the connection breaks, or the answer is too large.
pub async fn whole_answer(mut response: Response) -> Result<Option<Vec<u8>>, Problem> {
    if !is_stream(&response) {
        return if is_json(&response) { whole(response).await.map(Some) } else { Ok(None) };
    }
    let mut events = Events::new(limits::MESSAGE_BYTES_MAX);
    while let Some(piece) = response.chunk().await.map_err(|error| Problem::Broken(root_cause(&error)))? {
        let mut messages = events.feed(&piece).map_err(|_| Problem::TooLarge)?.into_iter();
        let answer = messages.find(|message| envelope::said(message).is_some_and(|said| said.answers.is_some()));
        if answer.is_some() {
            return Ok(answer);
        }
    }
    Ok(None)
}
