//! A governed request: runs the gate in a task of its own, and answers by one document or by a stream, whichever it takes.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use futures_util::stream;
use http::{HeaderValue, header};
use remit_domain::{ActionId, Refusal};
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::carry::{Carrier, Next};
use super::envelope::RequestId;
use super::sessions::InFlight;
use super::{Generation, access, reply};
use crate::answer::{Answer, Body as Answered};
use crate::call::{Call, RESPONSES_MEMBER, STATE_MEMBER};
use crate::caller::Caller;
use crate::client::{Client, Manner, Step};
use crate::lives::Kind;
use crate::request_state::Continues;
use crate::upstream::Governed;
use crate::{Gateway, gate, limits, refuse};

/// How the client is connected to its request.
#[derive(Debug)]
pub(super) struct Link {
    pub generation: Generation,
    pub id: RequestId,
    pub accepts_stream: bool,
    pub manner: Manner,
    pub session: Option<String>,
    pub cancelled: CancellationToken,
    pub in_flight: Option<InFlight>,
}

/// Takes the call through the gate and answers it.
pub(super) async fn answer(gateway: Arc<Gateway>, caller: Caller, call: Call, link: Link) -> Response {
    if access::is_meant(&gateway, &call) {
        return reply::answer(link.generation, &link.id, access::answer(&gateway, &caller, &call).await);
    }
    respond(begin(gateway, caller, call, link)).await
}

/// Begins a call: the gate runs in a task of its own, so that what was sent upstream is still waited for and recorded if the client leaves.
pub(super) fn begin(gateway: Arc<Gateway>, caller: Caller, call: Call, link: Link) -> Carrier {
    let Link { generation, id, accepts_stream, manner, session, cancelled, in_flight } = link;
    let mut manner = manner;
    manner.wants_progress = call.progress_token.is_some() && accepts_stream;
    if manner.modern {
        manner.log_level = call.log_level.clone();
    }
    let (progress_token, log_level) = (call.progress_token.clone(), manner.log_level.clone());
    let (client, steps) = Client::new(manner, cancelled);
    let call = Arc::new(call);
    let carried = Arc::clone(&call);
    let work = gateway.work.clone();
    // Before anything is decided: see [`Lives::hold`](crate::lives::Lives::hold).
    let life = gateway.lives.hold(caller.task, Kind::Stream);
    let follows = (call.method == Governed::Subscribe).then(|| gateway.lives.hold(caller.task, Kind::Upstream));
    let (inside, who, its) = (Arc::clone(&gateway), caller.clone(), session.clone());
    work.spawn(async move {
        let answer = run(&inside, &who, &carried, &client).await;
        if answer.succeeded()
            && let (Some(follows), Some(session)) = (follows, its)
        {
            inside.sessions.follow(&session, carried.followed(), client.take_following(), follows);
        }
        drop(in_flight);
        client.done(answer).await;
    });
    let carrier = carrier(gateway, caller, call, generation, id, steps);
    Carrier { life, accepts_stream, session, progress_token, log_level, ..carrier }
}

/// A carrier of `steps`, to a client that wants nothing but the answer.
pub(super) fn carrier(
    gateway: Arc<Gateway>,
    caller: Caller,
    call: Arc<Call>,
    generation: Generation,
    id: RequestId,
    steps: mpsc::Receiver<Step>,
) -> Carrier {
    Carrier {
        life: gateway.lives.hold(caller.task, Kind::Stream),
        gateway,
        caller,
        call,
        generation,
        id,
        accepts_stream: false,
        session: None,
        progress_token: None,
        log_level: None,
        cut_at: None,
        steps: Some(steps),
    }
}

/// Takes a call through the gate, again with each answer that its server asks of a client that cannot repeat requests by itself.
async fn run(gateway: &Gateway, caller: &Caller, call: &Call, client: &Client) -> Answer {
    let mut current = Cow::Borrowed(call);
    for round in 0..=limits::INPUT_ROUNDS_MAX {
        let answer = gate::pass(gateway, caller, &current, client).await;
        let Answered::InputRequired(asks) = &answer.body else { return answer };
        // Only what the upstream asks is answered here.
        if client.repeats() || matches!(asks.continues, Some(Continues::Approval { .. } | Continues::Parked { .. })) {
            return answer;
        }
        let mut responses = Map::new();
        for (name, request) in &asks.requests {
            let method = request.get("method").and_then(Value::as_str).unwrap_or_default();
            let params = request.get("params").and_then(Value::as_object).cloned().unwrap_or_default();
            match client.ask(method, params).await {
                Ok(said) => responses.insert(name.clone(), said),
                Err(error) => {
                    let sentence = format!("the tool asked for input, and the client answered: {}", error.message);
                    return refuse::refused(&Refusal::new("input_refused", sentence), answer.decision);
                }
            };
        }
        if asks.requests.is_empty() {
            // It only wants to be asked again: not in a hurry.
            tokio::time::sleep(limits::RETRY_PAUSE * u32::from(round + 1)).await;
        }
        let mut members = Map::new();
        members.insert(RESPONSES_MEMBER.to_owned(), Value::Object(responses));
        if let Some(Continues::Upstream { state }) = &asks.continues {
            members.insert(STATE_MEMBER.to_owned(), state.clone().into());
        }
        let Ok(next) = call.with(members) else {
            return refuse::refused(&Refusal::new("input_refused", "the answers are too large"), answer.decision);
        };
        current = Cow::Owned(Call { approval: None, ..next });
    }
    refuse::refusal(&Refusal::new("too_many_rounds", "the tool asked for input too often"))
}

/// Answers a request by what is carried to it.
pub(super) async fn respond(mut carrier: Carrier) -> Response {
    loop {
        match carrier.next().await {
            Next::End(end) => return reply::written(end.status, end.body, end.decision, end.wider.as_deref()),
            Next::Opens(decision) if carrier.accepts_stream => return stream_of(carrier, None, Some(decision)),
            Next::Message(message) if carrier.accepts_stream => return stream_of(carrier, Some(message), None),
            Next::Opens(_) | Next::Message(_) | Next::Nothing => {}
        }
    }
}

/// The rest of a call as server-sent events. Comments keep the connection alive, and tell us if it is not.
fn stream_of(carrier: Carrier, first: Option<Vec<u8>>, decision: Option<ActionId>) -> Response {
    let first = first.map(|message| super::sse::message(&message));
    let events = stream::unfold((Some(carrier), first), |(carrier, first)| async move {
        let mut carrier = carrier?;
        if let Some(first) = first {
            return Some((Ok::<_, std::convert::Infallible>(first), (Some(carrier), None)));
        }
        let (event, last) = carrier.event().await;
        Some((Ok(event), ((!last).then_some(carrier), None)))
    });
    let mut response = Response::new(Body::from_stream(events));
    stream_headers(&mut response);
    reply::mark(&mut response, decision);
    response
}

/// The headers of every stream.
pub(super) fn stream_headers(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    // Some reverse proxies hold a stream back otherwise.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
}
