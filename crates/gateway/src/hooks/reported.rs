//! One HTTP request as Envoy reports it, strictly read.

use std::net::IpAddr;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use remit_domain::{OperationPattern, Refusal};

use super::denial::Denial;
use super::path;
use super::proto::envoy::config::core::v3 as core;
use super::proto::envoy::config::core::v3::address::Address;
use super::proto::envoy::service::auth::v3::AttributeContext;
use super::proto::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer};
use crate::limits;

#[cfg(test)]
mod tests;

/// What Envoy writes in text in place of a byte that is none.
const NO_TEXT: char = '!';

/// In which Envoy says whether it passes on only the beginning of a body.
const PARTIAL_HEADER: &str = "x-envoy-auth-partial-body";

/// What of a request's body is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    Whole(Vec<u8>),
    /// The request has none.
    None,
    /// There may be more than what came, if anything came.
    Unknown,
}

/// A request that is asked about. What the operator's configuration says of it is kept apart from what its client says.
#[derive(Debug, Clone)]
pub(super) struct Reported {
    pub method: String,
    /// Read alike by every server.
    pub path: String,
    pub query: Option<String>,
    pub host: String,
    pub scheme: String,
    pub headers: HeaderMap,
    pub body: Body,
    /// What it is asked about: the connector that the configuration names. What the client writes as its host does not choose it.
    pub connector: String,
    /// The agent that the configuration names.
    pub agent: Option<String>,
    /// The path at which the configuration says that an MCP server is.
    pub mcp_path: Option<String>,
    /// Whom the client's certificate names.
    pub principal: Option<String>,
    pub from: Option<IpAddr>,
}

/// A request that depends on a body of which nobody knows whether it is all there. `why` is the beginning of the sentence.
pub(super) fn body_unknown(why: &str) -> Refusal {
    let sentence = format!("{why}, and what came of it may not be all of it or not what goes on, or is too large");
    Refusal::new("body_unknown", sentence).help(
        "let the gateway send whole bodies as they are: `with_request_body`, without `allow_partial_message` and with `pack_as_bytes: true`; \
         and say so in its configuration: `context_extensions: {bodies: whole}`",
    )
}

impl Reported {
    /// Reads what Envoy says.
    ///
    /// # Errors
    /// If it cannot be read, or could be read in two ways.
    pub fn read(attributes: Option<AttributeContext>) -> Result<Self, Denial> {
        let AttributeContext { source, request, mut context_extensions } = attributes.unwrap_or_default();
        let http = request.and_then(|request| request.http).ok_or_else(|| {
            Denial::doubt("request_unread", "what is asked about is no HTTP request", "ask in the HTTP filter of Envoy")
        })?;
        let method = method(&http.method)?;
        let (path, query) = path::plain(&http.path)
            .filter(|_| goes_on_so(&http) && http.path.len() <= limits::HOOK_PATH_BYTES_MAX)
            .ok_or_else(|| {
                let help = "let the gateway normalise paths, merge slashes and refuse escaped ones";
                Denial::doubt("path_ambiguous", "the path of this request could be read in two ways", help)
            })?;
        let query = query.map(str::to_owned);
        let headers = headers(&http)?;
        let whole = context_extensions.remove("bodies").is_some_and(|said| said == "whole");
        let body = body(&headers, &http, whole);
        let connector = context_extensions.remove("connector").ok_or_else(|| {
            let help =
                "name the connector there, for the route or virtual host: `context_extensions: {connector: NAME}`";
            Denial::doubt("connector_unnamed", "the gateway's configuration does not say what this request is to", help)
        })?;
        must_be_a_connector(&connector)?;
        let Peer { address, principal } = source.unwrap_or_default();
        let from = address
            .and_then(|address| address.address)
            .and_then(|Address::SocketAddress(socket)| socket.address.parse().ok());
        Ok(Self {
            method,
            path,
            query,
            host: http.host,
            scheme: http.scheme,
            headers,
            body,
            connector,
            agent: context_extensions.remove("agent"),
            mcp_path: context_extensions.remove("mcp_path"),
            principal: Some(principal).filter(|principal| !principal.is_empty()),
            from,
        })
    }

    /// Where its client sent it, without query.
    pub fn address(&self) -> String {
        format!("{}://{}{}", self.scheme, self.host, self.path)
    }

    /// Whether its body is JSON (RFC 8259, RFC 6839 section 3.1) as it is, without any coding that would have to be undone.
    pub fn is_json(&self) -> bool {
        let kind = one(&self.headers, &CONTENT_TYPE).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        self.is_plain() && (kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")))
    }

    /// Whether its body stands there as it is meant.
    pub fn is_plain(&self) -> bool {
        let mut codings = self.headers.get_all(CONTENT_ENCODING).iter();
        codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"))
    }
}

/// The value of a header that is there once.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

fn method(method: &str) -> Result<String, Denial> {
    let plain = |byte: u8| byte.is_ascii_alphabetic() || byte == b'-';
    if method.is_empty() || method.len() > limits::HOOK_METHOD_BYTES_MAX || !method.bytes().all(plain) {
        return Err(Denial::doubt("method_unread", "the method of this request is none", "send a request of HTTP"));
    }
    Ok(method.to_owned())
}

/// A name that could be read as connector and tool at once would be decided as something else than it was asked for.
fn must_be_a_connector(connector: &str) -> Result<(), Denial> {
    let named: Result<OperationPattern, _> = format!("{connector}/*").parse();
    named.map(drop).map_err(|_| {
        let help = "name a connector in the gateway's configuration: `context_extensions`, `connector`";
        Denial::doubt("connector_unknown", format!("`{connector}` can be no connector's name"), help)
    })
}

/// Whether the path is the one that goes on: its text may hold something else in place of what is no text, its raw header does not.
fn goes_on_so(http: &HttpRequest) -> bool {
    let Some(raw) = &http.header_map else { return true };
    let mut paths = raw.headers.iter().filter(|header| header.key == ":path").map(raw_value);
    paths.next() == Some(http.path.as_bytes()) && paths.next().is_none()
}

fn raw_value(header: &core::HeaderValue) -> &[u8] {
    if header.raw_value.is_empty() { header.value.as_bytes() } else { &header.raw_value }
}

/// The headers of the request, without what is said in them of its first line.
fn headers(http: &HttpRequest) -> Result<HeaderMap, Denial> {
    let mut headers = HeaderMap::new();
    let raw = http.header_map.iter().flat_map(|map| &map.headers);
    let raw = raw.map(|header| (header.key.as_str(), raw_value(header)));
    let joined = http.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    // Where a name is said in both ways, it is there twice.
    for (name, value) in raw.chain(joined).filter(|(name, _)| !name.starts_with(':')) {
        let header = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_bytes(value).ok());
        let Some((name, value)) = header.filter(|_| headers.len() < limits::HOOK_HEADERS_MAX) else {
            return Err(Denial::doubt(
                "headers_unread",
                format!("the headers of this request cannot be read, or are more than {}", limits::HOOK_HEADERS_MAX),
                "send fewer headers",
            ));
        };
        headers.append(name, value);
    }
    Ok(headers)
}

/// Whether Envoy waits for the body before it asks, where it is configured to: it does not where a connection becomes another one.
fn is_buffered(headers: &HeaderMap, http: &HttpRequest) -> bool {
    !headers.contains_key(UPGRADE) && http.method != Method::CONNECT.as_str()
}

/// What is known of the body. A client may say what it likes in headers, so it is whole only if nothing says otherwise and something that the
/// client's own server relies on says so, and there is none only if that says so or `all_come`: then the configuration says that bodies
/// are passed on, and Envoy says of each that it did. That nothing says so proves nothing: Envoy removes `transfer-encoding` before it asks.
fn body(headers: &HeaderMap, http: &HttpRequest, all_come: bool) -> Body {
    // Where it does not wait, what Envoy says of the length may be its own.
    if !is_buffered(headers, http) {
        return Body::Unknown;
    }
    let (text, raw) = (http.body.as_bytes(), http.raw_body.as_slice());
    let bytes = if raw.is_empty() { text } else { raw };
    let partial = headers.get_all(PARTIAL_HEADER).iter().collect::<Vec<_>>();
    let said_whole = matches!(partial.as_slice(), [value] if *value == "false");
    let lengths = headers.get_all(CONTENT_LENGTH).iter().collect::<Vec<_>>();
    let length = match lengths.as_slice() {
        [] => None,
        [length] => match length.to_str().ok().and_then(|length| length.parse::<usize>().ok()) {
            Some(length) => Some(length),
            None => return Body::Unknown,
        },
        _ => return Body::Unknown,
    };
    let doubtful =
        (!text.is_empty() && !raw.is_empty()) || http.body.contains(NO_TEXT) || !(partial.is_empty() || said_whole);
    if doubtful || bytes.len() > limits::HOOK_BODY_BYTES_MAX || length.is_some_and(|length| length != bytes.len()) {
        return Body::Unknown;
    }
    match (bytes.is_empty(), length) {
        (true, Some(_)) => Body::None,
        (true, None) if all_come => Body::None,
        (false, Some(_)) => Body::Whole(bytes.to_vec()),
        (false, None) if said_whole => Body::Whole(bytes.to_vec()),
        _ => Body::Unknown,
    }
}
