//! Speaks to the control plane over the data directory's socket.

use std::path::PathBuf;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

/// The control plane, for one person.
#[derive(Debug, Clone)]
pub struct Control {
    socket: PathBuf,
    session: Option<String>,
}

/// An answer of the control plane.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl Control {
    /// For the person that this user of the operating system is.
    pub fn on(socket: PathBuf) -> Self {
        Self { socket, session: None }
    }

    /// For the person who signs in with a one-time `code`.
    pub async fn signed_in(&self, code: &str) -> Self {
        let opened = self.post("/v1/sessions", serde_json::json!({"code": code})).await;
        Self { socket: self.socket.clone(), session: Some(text(&opened, "token")) }
    }

    /// # Errors
    ///
    /// If there is no answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// The document at `path`, which must be there.
    pub async fn read(&self, path: &str) -> Value {
        let answer = self.get(path).await.unwrap_or_else(|error| panic!("GET {path}: {error:#}"));
        assert!(answer.status.is_success(), "GET {path}: {}: {}", answer.status, answer.body);
        answer.body
    }

    /// Does something that must succeed.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.send(Method::POST, path, Bytes::from(body.to_string())).await;
        let answer = answer.unwrap_or_else(|error| panic!("POST {path}: {error:#}"));
        assert!(answer.status.is_success(), "POST {path}: {}: {}", answer.status, answer.body);
        answer.body
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Answer> {
        let stream = UnixStream::connect(&self.socket).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the answer; a connection that breaks is seen there.
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        request = request.header(header::CONTENT_TYPE, "application/json");
        if let Some(session) = &self.session {
            request = request.header(header::AUTHORIZATION, format!("Bearer {session}"));
        }
        let response = sender.send_request(request.body(Full::new(body))?).await?;
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or_default() })
    }
}

/// The text that must stand at `member`.
pub fn text(document: &Value, member: &str) -> String {
    let found = document.get(member).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("there is no `{member}` in {document}")).to_owned()
}
