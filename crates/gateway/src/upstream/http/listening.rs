//! What a server says outside of any call: on the stand-alone stream of the generations with a handshake, or as the answer to
//! `subscriptions/listen` of 2026-07-28.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::http::{HeaderMap, StatusCode};
use reqwest::Response;

use super::super::exchange::{Ask, Outgoing, Reply, Watch};
use super::super::listen::{Listened, Wanted, is_final};
use super::super::message::{self, Described, Incoming, Meta};
use super::events::{Messages, Next};
use super::{Server, is_stream, read_document};

/// An open stream.
#[derive(Debug)]
pub(in super::super) struct Stream {
    messages: Messages,
    /// The request that it answers, if it answers one.
    id: Option<u64>,
}

impl Stream {
    /// Where it can be taken up again, if it can.
    pub fn last_event_id(&self) -> Option<&str> {
        self.messages.last_event_id()
    }

    /// How long to wait before that.
    pub fn pause(&self) -> Duration {
        self.messages.pause()
    }
}

impl Server {
    /// Opens the stand-alone stream.
    pub(in super::super) async fn open_alone(&self, last_event_id: Option<&str>) -> Result<Stream, Listened> {
        let response = self.get(last_event_id).await.map_err(|_| Listened::Ended)?;
        if is_stream(&response) {
            return Ok(Stream { messages: Messages::of(response), id: None });
        }
        Err(refused(response.status()))
    }

    /// Asks for what is `wanted`.
    pub(in super::super) async fn open_listening(&self, wanted: &Wanted) -> Result<Stream, Listened> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.signals.about_to_listen(id, wanted.version);
        let meta = Meta { described: Some(Described::default()), ..Meta::default() };
        let (headers, watch) = (HeaderMap::new(), Watch::default());
        let outgoing = Outgoing { ask: Ask::Listen, params: &wanted.params, meta, headers, watch };
        let body = message::request(id, &outgoing).map_err(|_| Listened::Never)?;
        let mut headers = HeaderMap::new();
        self.repeat(&mut headers, &outgoing);
        let response = self.post(body, headers, &self.greeted()).await.map_err(|_| Listened::Ended)?;
        if is_stream(&response) {
            return Ok(Stream { messages: Messages::of(response), id: Some(id) });
        }
        Err(unheard(response).await)
    }

    /// Takes what comes on `stream` until it ends.
    pub(in super::super) async fn hear(self: &Arc<Self>, stream: &mut Stream) -> Listened {
        loop {
            match stream.messages.next().await {
                Ok(Next::Message(message)) => match Incoming::parse(&message) {
                    Some(Incoming::Answer(answered, reply)) if answered.is_some() && answered == stream.id => {
                        return if is_final(&reply) { Listened::Never } else { Listened::Ended };
                    }
                    Some(message) => self.heed(message, None),
                    None => {}
                },
                Ok(Next::End(_)) | Err(_) => return Listened::Ended,
            }
        }
    }
}

/// What an answer that is no stream means.
async fn unheard(response: Response) -> Listened {
    let status = response.status();
    match read_document(response).await.map(|body| Incoming::parse(&body)) {
        Ok(Some(Incoming::Answer(_, reply @ Reply::Error(_)))) if is_final(&reply) => Listened::Never,
        _ => refused(status),
    }
}

/// A server that does not take such a request is not asked again; one that cannot just now is.
fn refused(status: StatusCode) -> Listened {
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Listened::Ended,
        status if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED => Listened::Ended,
        _ => Listened::Never,
    }
}
