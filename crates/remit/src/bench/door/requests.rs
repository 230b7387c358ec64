//! What is asked: requests as bytes, written once and numbered anew for each call.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use url::Url;

use super::wire::{Answer, Wire};
use crate::command::bench::Generation;

#[cfg(test)]
mod tests;

/// Where each request's own number stands: an id that no other request has, and a text that no cache has seen.
const MARK: &str = "9876543210";
const MARK_NUMBER: u64 = 9_876_543_210;

/// The first number; all have as many digits as [`MARK`].
pub const FIRST_NUMBER: u64 = 1_000_000_000;

/// An MCP server that is measured.
#[derive(Debug, Clone)]
pub struct Target {
    /// What it is called in tables.
    pub name: String,
    pub generation: Generation,
    pub tool: String,
    /// Processes whose time is its own, and those of the server behind it.
    pub own: Vec<u32>,
    pub behind: Vec<u32>,
    address: SocketAddr,
    host: String,
    path: String,
    token: Option<String>,
    session: Option<String>,
}

impl Target {
    /// The server at `url`, spoken to in `generation`.
    ///
    /// # Errors
    /// If `url` is not an address over plain HTTP, or its name is not known.
    pub async fn at(name: &str, url: &Url, generation: Generation, token: Option<String>) -> anyhow::Result<Self> {
        let host = url.host_str().filter(|_| url.scheme() == "http");
        let host = host.with_context(|| format!("`{url}` is not an address over plain HTTP"))?;
        let port = url.port_or_known_default().unwrap_or(80);
        let address = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await?.next();
        Ok(Self {
            name: name.to_owned(),
            generation,
            tool: "echo".to_owned(),
            own: Vec::new(),
            behind: Vec::new(),
            address: address.with_context(|| format!("`{host}` has no address"))?,
            host: format!("{host}:{port}"),
            path: url.path().to_owned(),
            token,
            session: None,
        })
    }

    /// With the processes whose time is its own, and those of the server behind it.
    #[must_use]
    pub fn of_processes(self, own: &[u32], behind: &[u32]) -> Self {
        Self { own: own.to_vec(), behind: behind.to_vec(), ..self }
    }

    /// Calling `tool`, which takes `text` and says it again.
    #[must_use]
    pub fn calling(self, tool: &str) -> Self {
        Self { tool: tool.to_owned(), ..self }
    }

    /// The same server for another caller.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), session: None, ..self.clone() }
    }

    /// A new connection.
    ///
    /// # Errors
    /// If nobody listens.
    pub async fn connect(&self) -> anyhow::Result<Wire> {
        Wire::open(self.address).await
    }

    /// Greets the server, where the generation wants that. Later requests refer to the session that it gives.
    ///
    /// # Errors
    /// If it does not greet back.
    pub async fn greet(&mut self) -> anyhow::Result<()> {
        if self.generation == Generation::Modern {
            return Ok(());
        }
        self.session = None;
        let mut wire = self.connect().await?;
        let client = json!({"name": "remit-bench", "version": env!("CARGO_PKG_VERSION")});
        let version = self.generation.revision();
        let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": client});
        let greeting = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        // The greeting itself names no version in its head: that is what it is about.
        let request = self.written("POST", &[], &greeting.to_string());
        let answer = wire.ask(&request).await?;
        if answer.status != 200 || !answer.says(b"\"protocolVersion\"") {
            bail!("`{}` does not greet back: {}", self.name, answer.shown());
        }
        self.session = answer.header("mcp-session-id").map(str::to_owned);
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        wire.ask(&self.headed("notifications/initialized", None, &ready.to_string())).await?;
        Ok(())
    }

    /// A call of the tool, to be numbered.
    pub fn call(&self) -> Call {
        let params = json!({"name": self.tool, "arguments": {"text": MARK}});
        Call::of(self.request("tools/call", Some(&self.tool), params))
    }

    /// A request for one page of the tools.
    pub fn list(&self, cursor: Option<&str>) -> Vec<u8> {
        let params = cursor.map_or_else(|| json!({}), |cursor| json!({"cursor": cursor}));
        Call::of(self.request("tools/list", None, params)).bytes
    }

    /// A request for a stream of what changes, which stays open.
    pub fn listen(&self) -> Vec<u8> {
        match self.generation {
            Generation::Modern => {
                let params = json!({"notifications": {"toolsListChanged": true}});
                Call::of(self.request("subscriptions/listen", None, params)).bytes
            }
            Generation::Handshake => {
                let version = format!("mcp-protocol-version: {}", self.generation.revision());
                self.written("GET", &[version], "")
            }
        }
    }

    fn request(&self, method: &str, name: Option<&str>, mut params: Value) -> Vec<u8> {
        if let (Generation::Modern, Some(members)) = (self.generation, params.as_object_mut()) {
            let meta = json!({
                "io.modelcontextprotocol/protocolVersion": self.generation.revision(),
                "io.modelcontextprotocol/clientInfo": {"name": "remit-bench", "version": env!("CARGO_PKG_VERSION")},
                "io.modelcontextprotocol/clientCapabilities": {},
            });
            members.insert("_meta".to_owned(), meta);
        }
        let message = json!({"jsonrpc": "2.0", "id": MARK_NUMBER, "method": method, "params": params});
        self.headed(method, name, &message.to_string())
    }

    fn headed(&self, method: &str, name: Option<&str>, message: &str) -> Vec<u8> {
        let mut headers = vec![format!("mcp-protocol-version: {}", self.generation.revision())];
        if self.generation == Generation::Modern {
            headers.push(format!("mcp-method: {method}"));
            headers.extend(name.map(|name| format!("mcp-name: {name}")));
        }
        self.written("POST", &headers, message)
    }

    fn written(&self, verb: &str, headers: &[String], body: &str) -> Vec<u8> {
        let accept = if verb == "GET" { "text/event-stream" } else { "application/json, text/event-stream" };
        let mut head = format!("{verb} {} HTTP/1.1\r\nhost: {}\r\naccept: {accept}\r\n", self.path, self.host);
        head.push_str("user-agent: remit-bench\r\n");
        if verb == "POST" {
            head.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
        }
        let token = self.token.iter().map(|token| format!("authorization: Bearer {token}"));
        let session = self.session.iter().map(|session| format!("mcp-session-id: {session}"));
        for header in token.chain(session).chain(headers.iter().cloned()) {
            head.push_str(&header);
            head.push_str("\r\n");
        }
        format!("{head}\r\n{body}").into_bytes()
    }
}

/// A request that can be sent again and again, each time with a number of its own.
#[derive(Debug, Clone)]
pub struct Call {
    bytes: Vec<u8>,
    marks: Vec<usize>,
}

impl Call {
    fn of(bytes: Vec<u8>) -> Self {
        let marked = |part: &[u8]| part == MARK.as_bytes();
        let marks = bytes.windows(MARK.len()).enumerate().filter_map(|(at, part)| marked(part).then_some(at)).collect();
        let mut call = Self { bytes, marks };
        call.number(FIRST_NUMBER);
        call
    }

    /// Puts `number` (of ten digits) where the marks were, and returns it as text.
    pub fn number(&mut self, number: u64) -> [u8; MARK.len()] {
        let mut digits = [b'0'; MARK.len()];
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        for mark in &self.marks {
            if let Some(place) = self.bytes.get_mut(*mark..mark + MARK.len()) {
                place.copy_from_slice(&digits);
            }
        }
        digits
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Whether `answer` is the result of the call numbered `digits`: the tool has said the text again.
pub fn is_result(answer: &Answer<'_>, digits: &[u8]) -> bool {
    let mut said = [b'"'; MARK.len() + 2];
    if let Some(text) = said.get_mut(1..=MARK.len()) {
        text.copy_from_slice(digits);
    }
    answer.status == 200 && answer.says(&said)
}
