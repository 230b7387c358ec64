//! Greets an upstream: in the newest generation first, and in an older one if it does not know that.

use std::sync::Arc;
use std::time::Duration;

use remit_domain::ConnectorSpec;
use serde_json::{Map, Value, json};
use url::Url;

use super::connection::{Connection, Wire};
use super::exchange::{Ask, Reply};
use super::fault::UpstreamFault;
use super::http::HttpWire;
use super::message::CLIENT;
use super::news::Reporter;
use super::offer::{Askable, Offer};
use super::resources::Resources;
use super::signals::{Dialect, Signals};
use super::stderr::Stderr;
use super::stdio::StdioWire;
use crate::mcp::{HANDSHAKE, MODERN};
use crate::{limits, refuse};

/// Versions with a handshake in which an upstream may answer: what the gateway asks of one is the same in all of them.
const ANSWERED: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// What a connection is opened with.
#[derive(Debug)]
pub(super) struct Opening<'a> {
    pub spec: &'a ConnectorSpec,
    pub http: &'a reqwest::Client,
    /// The generation in which the server was greeted before.
    pub known: Option<Dialect>,
    pub askable: Askable,
    pub reporter: Reporter,
    pub resources: Arc<Resources>,
    pub stderr: Arc<Stderr>,
}

impl Opening<'_> {
    /// Opens a connection and greets the server.
    pub async fn open(&self) -> Result<Connection, UpstreamFault> {
        if self.known != Some(Dialect::Handshake)
            && let Some(connection) = self.discover().await?
        {
            return Ok(connection);
        }
        self.initialize().await
    }

    fn connect(&self, dialect: Dialect) -> Result<Connection, UpstreamFault> {
        let signals = Arc::new(Signals::new(dialect, self.reporter.clone()));
        let wire = match self.spec {
            ConnectorSpec::Stdio { command, arguments, environment } => {
                let (signals, stderr) = (Arc::clone(&signals), Arc::clone(&self.stderr));
                Wire::Stdio(StdioWire::start(command, arguments, environment, signals, stderr)?)
            }
            ConnectorSpec::Http { url } => {
                let url = Url::parse(url)
                    .map_err(|error| UpstreamFault::not_sent("the connector's address cannot be read").detail(error))?;
                Wire::Http(HttpWire::new(self.http.clone(), url, Arc::clone(&signals)))
            }
            ConnectorSpec::Elsewhere { .. } => {
                return Err(UpstreamFault::not_sent(
                    "nothing is called through this connector: somebody else enforces it",
                ));
            }
        };
        Ok(Connection::new(wire, signals, self.askable, Arc::clone(&self.resources)))
    }

    /// Tries 2026-07-28; nothing if the server does not know it, or does not say anything.
    async fn discover(&self) -> Result<Option<Connection>, UpstreamFault> {
        let connection = self.connect(Dialect::Modern)?;
        let limit = Duration::from_secs(limits::DISCOVER_SECONDS_MAX);
        let asked = async {
            let nothing = Map::new();
            match connection.ask(Ask::Discover, &nothing).await {
                // Refused, and yet it names the version: servers that restart into it do.
                Ok(Reply::Error(error)) if error.code == refuse::UNSUPPORTED_VERSION && names_modern(&error.data) => {
                    connection.ask(Ask::Discover, &nothing).await
                }
                said => said,
            }
        };
        match tokio::time::timeout(limit, asked).await {
            Ok(Ok(Reply::Result(discovered))) if supports_modern(discovered.get("supportedVersions")) => {
                connection.greeted(Offer::read(&discovered));
                Ok(Some(connection))
            }
            // Any error at all: servers before 2026-07-28 say all kinds of things to a question that they do not know, and
            // some end. If the server is not there at all, the handshake finds that out.
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// The handshake of the generations before, on a connection of its own: the question before may have confused the server.
    async fn initialize(&self) -> Result<Connection, UpstreamFault> {
        let connection = self.connect(Dialect::Handshake)?;
        let mut params = Map::new();
        params.insert("protocolVersion".to_owned(), HANDSHAKE[0].into());
        params.insert("capabilities".to_owned(), self.askable.capabilities());
        params.insert("clientInfo".to_owned(), json!(CLIENT));
        let greeted = match connection.ask(Ask::Initialize, &params).await? {
            Reply::Result(greeted) => greeted,
            Reply::Error(error) => {
                return Err(UpstreamFault::not_sent("the upstream refused to be greeted").detail(error.message));
            }
        };
        let version = greeted.get("protocolVersion").and_then(Value::as_str).unwrap_or_default();
        if !ANSWERED.contains(&version) {
            return Err(UpstreamFault::not_sent("the upstream speaks no version of the protocol that Remit does"));
        }
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string();
        match connection.wire() {
            Wire::Stdio(wire) => wire.notify(initialized).await,
            Wire::Http(wire) => {
                wire.speak(version);
                wire.notify(initialized).await;
            }
        }
        connection.greeted(Offer::read(&greeted));
        Ok(connection)
    }
}

fn names_modern(data: &Option<Value>) -> bool {
    supports_modern(data.as_ref().and_then(|data| data.get("supported")))
}

fn supports_modern(versions: Option<&Value>) -> bool {
    let versions = versions.and_then(Value::as_array);
    versions.is_some_and(|versions| versions.iter().any(|version| version == MODERN))
}
