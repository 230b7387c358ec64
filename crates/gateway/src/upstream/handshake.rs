//! Greets an upstream: in the newest generation first, and in an older one if it does not know that.

use std::sync::Arc;
use std::time::Duration;

use remit_domain::ConnectorSpec;
use serde_json::{Map, Value, json};
use url::Url;

use super::connection::{Connection, Dialect, Signals, Wire, client};
use super::exchange::{Ask, Reply};
use super::fault::UpstreamFault;
use super::http::HttpWire;
use super::stdio::StdioWire;
use crate::limits;
use crate::mcp::{HANDSHAKE, MODERN};

/// Versions with a handshake in which an upstream may answer: what the gateway asks of one is the same in all of them.
const ANSWERED: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// Opens a connection and greets the server. `known` is the generation in which it was greeted before.
pub(super) async fn open(
    spec: &ConnectorSpec,
    http: &reqwest::Client,
    known: Option<Dialect>,
) -> Result<Connection, UpstreamFault> {
    if known != Some(Dialect::Handshake)
        && let Some(connection) = discover(spec, http).await?
    {
        return Ok(connection);
    }
    initialize(spec, http).await
}

fn connect(spec: &ConnectorSpec, http: &reqwest::Client, dialect: Dialect) -> Result<Connection, UpstreamFault> {
    let signals = Arc::new(Signals::default());
    let wire = match spec {
        ConnectorSpec::Stdio { command, arguments, environment } => {
            Wire::Stdio(StdioWire::start(command, arguments, environment, Arc::clone(&signals))?)
        }
        ConnectorSpec::Http { url } => {
            let url = Url::parse(url)
                .map_err(|error| UpstreamFault::not_sent("the connector's address cannot be read").detail(error))?;
            Wire::Http(HttpWire::new(http.clone(), url, Arc::clone(&signals)))
        }
    };
    Ok(Connection::new(wire, dialect, signals))
}

/// Tries 2026-07-28; nothing if the server does not know it, or does not say anything.
async fn discover(spec: &ConnectorSpec, http: &reqwest::Client) -> Result<Option<Connection>, UpstreamFault> {
    let connection = connect(spec, http, Dialect::Modern)?;
    let limit = Duration::from_secs(limits::DISCOVER_SECONDS_MAX);
    let modern = match tokio::time::timeout(limit, connection.ask(Ask::Discover, Map::new())).await {
        Ok(Ok(Reply::Result(discovered))) => {
            let versions = discovered.get("supportedVersions").and_then(Value::as_array);
            versions.is_some_and(|versions| versions.iter().any(|version| version == MODERN))
        }
        // Any error at all: servers before 2026-07-28 say all kinds of things to a question that they do not know, and some
        // end. If the server is not there at all, the handshake finds that out.
        Ok(Ok(Reply::Error(_)) | Err(_)) | Err(_) => false,
    };
    if modern {
        connection.speak(MODERN);
    }
    Ok(modern.then_some(connection))
}

/// The handshake of the generations before, on a connection of its own: the question before may have confused the server.
async fn initialize(spec: &ConnectorSpec, http: &reqwest::Client) -> Result<Connection, UpstreamFault> {
    let connection = connect(spec, http, Dialect::Handshake)?;
    let Value::Object(params) = json!({"protocolVersion": HANDSHAKE[0], "capabilities": {}, "clientInfo": client()})
    else {
        return Err(UpstreamFault::not_sent("the greeting cannot be written"));
    };
    let greeted = match connection.ask(Ask::Initialize, params).await? {
        Reply::Result(greeted) => greeted,
        Reply::Error(error) => {
            return Err(UpstreamFault::not_sent("the upstream refused to be greeted").detail(error.message));
        }
    };
    let version = greeted.get("protocolVersion").and_then(Value::as_str).unwrap_or_default();
    if !ANSWERED.contains(&version) {
        return Err(UpstreamFault::not_sent("the upstream speaks no version of the protocol that Remit does"));
    }
    connection.speak(version);
    connection.notify(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string()).await;
    Ok(connection)
}

impl Connection {
    fn speak(&self, version: &str) {
        if let Wire::Http(wire) = self.wire() {
            wire.speak(version);
        }
    }

    async fn notify(&self, message: String) {
        match self.wire() {
            Wire::Stdio(wire) => wire.notify(message).await,
            Wire::Http(wire) => wire.notify(message).await,
        }
    }
}
