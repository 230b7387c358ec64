//! `tools/call`: runs the gate in a task of its own, and answers by one document or by a stream, whichever it takes.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};
use remit_domain::ActionId;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::envelope::RequestId;
use super::sessions::InFlight;
use super::{Generation, reply, sse};
use crate::answer::Answer;
use crate::attempt::{CallError, ToolCall};
use crate::caller::Caller;
use crate::client::{Client, Step};
use crate::{Gateway, gate, limits, refuse};

/// How the client is connected to its call.
#[derive(Debug)]
pub(super) struct Link {
    pub generation: Generation,
    pub id: RequestId,
    pub accepts_stream: bool,
    pub cancelled: CancellationToken,
    pub in_flight: Option<InFlight>,
}

/// Takes the call through the gate and answers it.
pub(super) async fn answer(
    gateway: Arc<Gateway>,
    caller: Caller,
    call: Result<ToolCall, CallError>,
    link: Link,
) -> Response {
    let Link { generation, id, accepts_stream, cancelled, in_flight } = link;
    let call = match call {
        Ok(call) => call,
        Err(CallError::Refused(refusal)) => return reply::answer(generation, &id, refuse::refusal(&refusal)),
        Err(CallError::Malformed(sentence)) => {
            let status = if generation == Generation::Modern { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            return reply::error(status, Some(&id), &refuse::protocol(refuse::INVALID_PARAMS, sentence), None);
        }
    };
    let (client, mut steps) = Client::new(call.progress_token.clone(), cancelled, generation == Generation::Modern);
    // In a task of its own: if the client leaves, what was sent upstream is still waited for and recorded.
    let work = gateway.work.clone();
    work.spawn(async move {
        let answer = gate::pass(&gateway, &caller, call, &client).await;
        drop(in_flight);
        client.done(answer).await;
    });
    loop {
        match steps.recv().await {
            Some(Step::Done(answer)) => return reply::answer(generation, &id, answer),
            Some(Step::Waiting { decision }) if accepts_stream => return stream_of(steps, generation, id, decision),
            Some(Step::Waiting { .. } | Step::Notice(_)) => {}
            None => return reply::answer(generation, &id, broken()),
        }
    }
}

/// The call's task ended without an answer, which only a fault of ours does.
fn broken() -> Answer {
    refuse::refusal(
        &remit_domain::Refusal::new("fault", "Remit failed while it handled this call")
            .help("tell the operator; the log says more"),
    )
}

struct Streaming {
    steps: mpsc::Receiver<Step>,
    generation: Generation,
    id: RequestId,
    done: bool,
}

/// The rest of a call as server-sent events. Comments keep the connection alive, and tell us if it is not.
fn stream_of(steps: mpsc::Receiver<Step>, generation: Generation, id: RequestId, decision: ActionId) -> Response {
    let streaming = Streaming { steps, generation, id, done: false };
    let events = stream::unfold(streaming, |mut streaming| async move {
        if streaming.done {
            return None;
        }
        let event = streaming.next().await;
        Some((Ok::<_, std::convert::Infallible>(event), streaming))
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    // Some reverse proxies hold a stream back otherwise.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    reply::mark(&mut response, Some(decision));
    response
}

impl Streaming {
    async fn next(&mut self) -> Bytes {
        let pause = Duration::from_secs(limits::KEEPALIVE_SECONDS);
        match tokio::time::timeout(pause, self.steps.recv()).await {
            Err(_) | Ok(Some(Step::Waiting { .. })) => sse::comment("waiting"),
            Ok(Some(Step::Notice(notice))) => sse::message(notice.to_string().as_bytes()),
            Ok(Some(Step::Done(answer))) => self.end(answer),
            Ok(None) => self.end(broken()),
        }
    }

    fn end(&mut self, answer: Answer) -> Bytes {
        self.done = true;
        sse::message(&reply::document(self.generation, &self.id, answer).1)
    }
}
