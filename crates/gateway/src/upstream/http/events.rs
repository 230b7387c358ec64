//! The stream of events that answers one question; taken up again where it breaks off, if its server can do that (2025-11-25,
//! Streamable HTTP, "Resumability and redelivery").

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, header};
use reqwest::Response;

use super::super::exchange::Reply;
use super::super::fault::UpstreamFault;
use super::super::message::Incoming;
use super::super::signals::Dialect;
use super::super::underway::Followed;
use super::{EVENTS, Server, chain, is_stream};
use crate::limits;
use crate::mcp::sse;

const LAST_EVENT_HEADER: HeaderName = HeaderName::from_static("last-event-id");

/// What comes next on a stream.
#[derive(Debug)]
pub(super) enum Next {
    Message(Vec<u8>),
    /// Nothing more; why, where it was not meant to end.
    End(Option<String>),
}

/// The messages of a stream of events.
#[derive(Debug)]
pub(super) struct Messages {
    response: Response,
    reader: sse::Reader,
    read: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Messages {
    pub fn of(response: Response) -> Self {
        let reader = sse::Reader::new(limits::UPSTREAM_MESSAGE_BYTES_MAX);
        Self { response, reader, read: VecDeque::new(), bytes: 0 }
    }

    /// The next message. All of them together may have up to [`limits::UPSTREAM_STREAM_BYTES_MAX`] bytes.
    pub async fn next(&mut self) -> Result<Next, UpstreamFault> {
        loop {
            if let Some(message) = self.read.pop_front() {
                return Ok(Next::Message(message));
            }
            let piece = match self.response.chunk().await {
                Ok(Some(piece)) => piece,
                Ok(None) => return Ok(Next::End(None)),
                Err(error) => return Ok(Next::End(Some(chain(&error)))),
            };
            self.bytes = self.bytes.saturating_add(piece.len());
            if self.bytes > limits::UPSTREAM_STREAM_BYTES_MAX {
                return Err(UpstreamFault::unknown("the upstream's stream is longer than it may be"));
            }
            let read = self.reader.feed(&piece).map_err(|error| UpstreamFault::unknown(error.to_string()))?;
            self.read.extend(read);
        }
    }

    /// Where the stream can be taken up again, if it can.
    pub fn last_event_id(&self) -> Option<&str> {
        self.reader.last_event_id()
    }

    /// How long to wait before that.
    pub fn pause(&self) -> Duration {
        let wanted = self.reader.retry_milliseconds().unwrap_or(limits::RESUME_MILLISECONDS_DEFAULT);
        Duration::from_millis(wanted.clamp(limits::RESUME_MILLISECONDS_MIN, limits::RESUME_MILLISECONDS_MAX))
    }

    fn go_on(&mut self, response: Response) {
        self.response = response;
        self.reader.restart();
    }
}

impl Server {
    /// Reads the stream that answers the request `id` up to the answer.
    pub(super) async fn read_answer(
        self: &Arc<Self>,
        id: u64,
        response: Response,
        call: &Arc<Followed>,
    ) -> Result<Reply, UpstreamFault> {
        let mut messages = Messages::of(response);
        let (mut place, mut tries) = (None, 0);
        loop {
            match messages.next().await? {
                Next::Message(message) => match Incoming::parse(&message) {
                    Some(Incoming::Answer(Some(answered), reply)) if answered == id => return Ok(reply),
                    Some(message) => self.heed(message, Some((id, call))),
                    None => {}
                },
                Next::End(why) => {
                    let broke = UpstreamFault::unknown("the upstream's stream ended before there was an answer");
                    let broke = why.into_iter().fold(broke, UpstreamFault::detail);
                    let last = messages.last_event_id().map(str::to_owned);
                    if place != last {
                        (place, tries) = (last, 0);
                    }
                    self.resume(&mut messages, &mut tries).await.ok_or(broke)?;
                }
            }
        }
    }

    /// Takes up a stream where it broke off. Nothing if that cannot be done; `tries` counts those without anything new. How long
    /// all of it may take is the business of whoever waits for the answer.
    async fn resume(&self, messages: &mut Messages, tries: &mut u32) -> Option<()> {
        if self.signals.dialect != Dialect::Handshake {
            return None;
        }
        let place = messages.last_event_id()?.to_owned();
        HeaderValue::from_str(&place).ok()?;
        while *tries < limits::RESUMES_MAX {
            *tries += 1;
            tokio::time::sleep(messages.pause()).await;
            match self.get(Some(&place)).await {
                Ok(response) if is_stream(&response) => {
                    messages.go_on(response);
                    return Some(());
                }
                Ok(response) if response.status().is_client_error() => return None,
                Ok(_) | Err(_) => {}
            }
        }
        None
    }

    /// GETs the server's stream, from where it was left if that is known.
    pub(super) async fn get(&self, last_event_id: Option<&str>) -> Result<Response, reqwest::Error> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, EVENTS);
        self.describe(&mut headers, &self.greeted());
        if let Some(id) = last_event_id.and_then(|id| HeaderValue::from_str(id).ok()) {
            headers.insert(LAST_EVENT_HEADER, id);
        }
        self.client.get(self.url.clone()).headers(headers).send().await
    }
}
