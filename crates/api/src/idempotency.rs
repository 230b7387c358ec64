//! `Idempotency-Key`: a change that is asked for twice, because its first answer was lost, happens once
//! (draft-ietf-httpapi-idempotency-key-header).
//!
//! Answers are remembered in memory, bounded in number, size and time, per person. After a restart they are forgotten: the
//! domain itself refuses most repetitions anyway.

use std::collections::{HashMap, VecDeque};

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use remit_domain::{Digest, PersonId, Refusal, Timestamp};

use crate::auth::SignedIn;
use crate::{Api, Problem, limits};

#[cfg(test)]
mod tests;

const KEY: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Whose key it is, and the key.
type Slot = (PersonId, String);

/// An answer as it was given.
#[derive(Debug, Clone)]
struct Kept {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
}

impl IntoResponse for Kept {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        if let Some(content_type) = self.content_type {
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        }
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }
}

#[derive(Debug)]
struct Entry {
    /// Of the request that the key was first used for.
    request: Digest,
    /// Nothing while it is still being answered.
    answer: Option<Kept>,
}

/// What was answered to requests that carried a key.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    entries: HashMap<Slot, Entry>,
    /// In the order in which they began.
    order: VecDeque<(Timestamp, Slot)>,
}

/// What to do with a request that carries a key.
#[derive(Debug)]
enum Turn {
    /// Nobody has asked this before: do it.
    First,
    Again(Kept),
    Running,
    /// The key was used for another request.
    Misused,
}

impl Answered {
    fn begin(&mut self, slot: &Slot, request: Digest, now: Timestamp) -> Turn {
        while let Some((at, oldest)) = self.order.front() {
            let over = at.plus_seconds(limits::IDEMPOTENCY_SECONDS) <= now;
            if !over && self.order.len() < limits::IDEMPOTENCY_ENTRIES_MAX {
                break;
            }
            self.entries.remove(oldest);
            self.order.pop_front();
        }
        match self.entries.get(slot) {
            Some(entry) if entry.request != request => Turn::Misused,
            Some(Entry { answer: Some(answer), .. }) => Turn::Again(answer.clone()),
            Some(Entry { answer: None, .. }) => Turn::Running,
            None => {
                self.entries.insert(slot.clone(), Entry { request, answer: None });
                self.order.push_back((now, slot.clone()));
                Turn::First
            }
        }
    }

    /// Keeps the answer; without one the key may be used again.
    fn finish(&mut self, slot: &Slot, answer: Option<Kept>) {
        if answer.is_none() {
            self.entries.remove(slot);
            self.order.retain(|(_, kept)| kept != slot);
        } else if let Some(entry) = self.entries.get_mut(slot) {
            entry.answer = answer;
        }
    }
}

/// Lets each keyed request through once.
pub(crate) async fn once(
    State(api): State<Api>,
    by: SignedIn,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return Ok(next.run(request).await);
    }
    let slot = (by.person, key_of(request.headers())?);
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, limits::BODY_BYTES_MAX).await.map_err(|_| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Refusal::new("body_too_large", "the request's body is too large"))
    })?;
    let mut seen = parts.uri.to_string().into_bytes();
    seen.push(0);
    seen.extend_from_slice(&body);
    let request = Request::from_parts(parts, Body::from(body));
    match lock(&api)?.begin(&slot, Digest::of_bytes(&seen), api.engine.now()) {
        Turn::First => {}
        Turn::Again(answer) => return Ok(answer.into_response()),
        Turn::Running => {
            let refusal =
                Refusal::new("request_running", "the first request with this idempotency key is still running");
            return Err(refusal.help("ask again in a moment").into());
        }
        Turn::Misused => {
            let refusal = Refusal::new("bad_idempotency_key", "this idempotency key was used for another request");
            return Err(refusal.help("make a new key for each change").into());
        }
    }
    // In a task of its own: a caller that hangs up must not leave the key without its answer.
    let answering = tokio::spawn(async move {
        let (response, kept) = keep(next.run(request).await).await;
        lock(&api)?.finish(&slot, kept);
        Ok(response)
    });
    answering.await.map_err(|_| Problem::fault("answer"))?
}

fn lock(api: &Api) -> Result<std::sync::MutexGuard<'_, Answered>, Problem> {
    api.answered.lock().map_err(|_| Problem::fault("remember what was answered"))
}

fn key_of(headers: &HeaderMap) -> Result<String, Refusal> {
    let key = headers.get(KEY).and_then(|value| value.to_str().ok()).map(str::trim).unwrap_or_default();
    if (1..=limits::IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len()) {
        return Ok(key.to_owned());
    }
    let sentence =
        format!("an idempotency key has between 1 and {} visible characters", limits::IDEMPOTENCY_KEY_BYTES_MAX);
    Err(Refusal::new("bad_idempotency_key", sentence))
}

/// The response, and a copy to keep if it is small and not a fault of ours.
async fn keep(response: Response) -> (Response, Option<Kept>) {
    let size = response.body().size_hint().exact().and_then(|size| usize::try_from(size).ok());
    let fits = size.is_some_and(|size| size <= limits::IDEMPOTENCY_ANSWER_BYTES_MAX);
    if !fits || response.status().is_server_error() {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, limits::IDEMPOTENCY_ANSWER_BYTES_MAX).await else {
        return (Problem::fault("answer").into_response(), None);
    };
    let content_type = parts.headers.get(header::CONTENT_TYPE).cloned();
    let kept = Kept { status: parts.status, content_type, body: body.clone() };
    (Response::from_parts(parts, Body::from(body)), Some(kept))
}
