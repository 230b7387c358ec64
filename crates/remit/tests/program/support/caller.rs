//! Calls tools through the gateway as MCP clients of 2026-07-28 do, and keeps many of them at it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Estate, PATIENCE};

const VERSION: &str = "2026-07-28";

/// One connection of an agent.
#[derive(Debug)]
pub struct Caller {
    gateway: SocketAddr,
    token: String,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// What the gateway answered to one call.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    /// The decision that the answer names.
    pub decision: Option<String>,
    pub body: Value,
}

impl Reply {
    /// Whether the tool ran and its result is here.
    pub fn is_result(&self) -> bool {
        let result = self.body.get("result");
        self.status == StatusCode::OK && result.is_some_and(|result| result.get("isError") != Some(&Value::Bool(true)))
    }

    /// The code of the refusal, whichever way it was said.
    pub fn refusal(&self) -> Option<&str> {
        let said =
            self.body.pointer("/error/data/code").or_else(|| self.body.pointer("/result/_meta/remit~1refusal/code"));
        said.and_then(Value::as_str)
    }
}

impl Caller {
    pub fn new(gateway: SocketAddr, token: &str) -> Self {
        Self { gateway, token: token.to_owned(), connection: None }
    }

    /// Opens the connection, if it is not open.
    ///
    /// # Errors
    ///
    /// If nobody listens.
    pub async fn connect(&mut self) -> anyhow::Result<()> {
        if self.connection.as_ref().is_some_and(|connection| !connection.is_closed()) {
            return Ok(());
        }
        let (sender, connection) = http1::handshake(TokioIo::new(TcpStream::connect(self.gateway).await?)).await?;
        // Whoever waits for an answer sees how it ends.
        tokio::spawn(connection);
        self.connection = Some(sender);
        Ok(())
    }

    /// Calls the echo tool with `text`.
    ///
    /// # Errors
    ///
    /// If there was no whole answer: the server may be gone.
    pub async fn call(&mut self, text: &str) -> anyhow::Result<Reply> {
        tokio::time::timeout(PATIENCE, self.exchange(text)).await?
    }

    async fn exchange(&mut self, text: &str) -> anyhow::Result<Reply> {
        self.connect().await?;
        let connection = self.connection.as_mut().ok_or_else(|| anyhow::anyhow!("there is no connection"))?;
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": VERSION,
            "io.modelcontextprotocol/clientInfo": {"name": "program-tests", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({"name": "echo", "arguments": {"text": text}, "_meta": meta});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let request = Request::post("/mcp/echo")
            .header(header::HOST, self.gateway.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header("mcp-protocol-version", VERSION)
            .header("mcp-method", "tools/call")
            .header("mcp-name", "echo");
        connection.ready().await?;
        let response = connection.send_request(request.body(Full::new(Bytes::from(body.to_string())))?).await?;
        let status = response.status();
        let decision =
            response.headers().get("remit-decision").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok(Reply { status, decision, body: serde_json::from_slice(&bytes)? })
    }
}

/// Many callers at a time.
#[derive(Debug)]
pub struct Load {
    stopping: Arc<AtomicBool>,
    replies: Arc<Mutex<Vec<Reply>>>,
    callers: JoinSet<()>,
}

impl Load {
    /// `callers` of `estate` make `calls` calls between them; each ends earlier when its connection does.
    pub fn start(estate: &Estate, callers: usize, calls: u64) -> Self {
        let (stopping, replies, made) = (Arc::new(AtomicBool::new(false)), Arc::default(), Arc::new(AtomicU64::new(0)));
        let mut load = Self { stopping: Arc::clone(&stopping), replies: Arc::clone(&replies), callers: JoinSet::new() };
        for _ in 0..callers {
            let mut caller = estate.caller();
            let (stopping, replies, made) = (Arc::clone(&stopping), Arc::clone(&replies), Arc::clone(&made));
            load.callers.spawn(async move {
                while !stopping.load(Ordering::Relaxed) {
                    let call = made.fetch_add(1, Ordering::Relaxed);
                    if call >= calls {
                        return;
                    }
                    let Ok(reply) = caller.call(&format!("call {call}")).await else { return };
                    replies.lock().expect("another caller panicked").push(reply);
                }
            });
        }
        load
    }

    /// Waits until all calls are made, or could not be. What was answered, in the order of the answers.
    pub async fn finish(self) -> Vec<Reply> {
        self.callers.join_all().await;
        std::mem::take(&mut *self.replies.lock().expect("a caller panicked"))
    }

    /// Makes no further calls, and waits for those that are under way.
    pub async fn stop(self) -> Vec<Reply> {
        self.stopping.store(true, Ordering::Relaxed);
        self.finish().await
    }
}
