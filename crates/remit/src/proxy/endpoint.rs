//! The gateway's address, and how a message is put to it (MCP, Streamable HTTP).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response};
use url::{Host, Url};

use super::limits;
use super::problem::Problem;
use super::token::Token;
use crate::command::Failure;

pub const VERSION_HEADER: HeaderName = HeaderName::from_static("mcp-protocol-version");
pub const METHOD_HEADER: HeaderName = HeaderName::from_static("mcp-method");
pub const NAME_HEADER: HeaderName = HeaderName::from_static("mcp-name");
pub const SESSION_HEADER: HeaderName = HeaderName::from_static("mcp-session-id");
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

/// One address of a gateway, and what proves the caller there.
#[derive(Debug)]
pub struct Endpoint {
    address: Url,
    token: Token,
    http: reqwest::Client,
}

impl Endpoint {
    /// # Errors
    /// If `address` is no HTTP address, or one over which the token could be read on the way.
    pub fn new(address: Url, token: Token) -> Result<Self, Failure> {
        let bare = address.username().is_empty() && address.password().is_none() && address.fragment().is_none();
        if !matches!(address.scheme(), "http" | "https") || !bare {
            return Err(Failure::Usage(format!(
                "`{address}` is not the address of a gateway; write it like `http://127.0.0.1:7480/mcp`"
            )));
        }
        let here = is_loopback(&address);
        if address.scheme() == "http" && !here && token.is_given() {
            return Err(Failure::Usage(format!(
                "`{address}` would carry the token in clear text; use `https`, or an address of this machine"
            )));
        }
        let mut http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(limits::CONNECT_SECONDS_MAX))
            .read_timeout(Duration::from_secs(limits::SILENCE_SECONDS_MAX));
        if here {
            // A proxy for other machines cannot reach this one.
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| {
            Failure::fault(format!("cannot prepare to call the gateway: {error}"), "this is a fault of the machine")
        })?;
        Ok(Self { address, token, http })
    }

    /// The header that presents the token now.
    ///
    /// # Errors
    /// If the token cannot be read.
    pub async fn credential(&self) -> Result<Option<HeaderValue>, Problem> {
        self.token.header().await
    }

    /// Sends one message, with `headers` besides those of every message.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn post(&self, mut headers: HeaderMap, line: Bytes) -> Result<Response, Problem> {
        headers.insert(ACCEPT, BOTH);
        headers.insert(CONTENT_TYPE, JSON);
        let request = self.http.post(self.address.clone()).headers(headers).body(line);
        request.send().await.map_err(|error| self.unreachable(&error))
    }

    /// Asks for the stream of a session, or ends it.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn ask(&self, method: Method, mut headers: HeaderMap) -> Result<Response, Problem> {
        headers.insert(ACCEPT, EVENTS);
        let request = self.http.request(method, self.address.clone()).headers(headers);
        request.send().await.map_err(|error| self.unreachable(&error))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Problem {
        let cause = root_cause(error);
        if error.is_connect() {
            Problem::Unreachable { place: self.address.to_string(), cause }
        } else {
            Problem::Broken(cause)
        }
    }
}

/// The headers that present `credential`.
pub fn presenting(credential: Option<&HeaderValue>) -> HeaderMap {
    credential.map(|value| (AUTHORIZATION, value.clone())).into_iter().collect()
}

/// The innermost cause says what happened; what is around it repeats the address.
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn is_loopback(address: &Url) -> bool {
    match address.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// `text` as a header's value: as it is, or in base64 where a header could not carry it or would be read otherwise
/// (MCP 2026-07-28, Streamable HTTP, "Value Encoding").
pub fn header_value(text: &str) -> Option<HeaderValue> {
    let plain =
        text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text && !text.starts_with("=?base64?");
    if plain {
        return HeaderValue::from_str(text).ok();
    }
    HeaderValue::from_str(&format!("=?base64?{}?=", STANDARD.encode(text))).ok()
}
