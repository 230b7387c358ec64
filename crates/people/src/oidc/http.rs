//! Asks the provider: no proxy, no redirect, bounded in time and length.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};

use super::{OidcError, limits};

/// What the provider answered.
pub(super) struct Answered {
    pub status: StatusCode,
    pub body: Vec<u8>,
}

/// A client for the provider, made when it is first needed.
pub(super) struct Http {
    client: OnceLock<Client>,
    roots: Vec<u8>,
}

impl Http {
    /// One that also believes the authorities in `roots` (PEM).
    pub(super) fn new(roots: &[u8]) -> Self {
        Self { client: OnceLock::new(), roots: roots.to_owned() }
    }

    pub(super) fn client(&self) -> Result<Client, OidcError> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let unusable = |error: reqwest::Error| OidcError::Unusable(cause(&error));
        let roots = reqwest::Certificate::from_pem_bundle(&self.roots).map_err(unusable)?;
        let client = Client::builder()
            // What a variable of the environment names must not stand between us and who is asked.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(limits::ANSWER_SECONDS_MAX))
            .tls_certs_merge(roots)
            .user_agent(concat!("remit/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(unusable)?;
        // Of two that were made at once, either will do.
        Ok(self.client.get_or_init(|| client).clone())
    }
}

/// Sends a request and reads the whole answer.
pub(super) async fn answered(request: RequestBuilder) -> Result<Answered, OidcError> {
    let unreachable = |error: reqwest::Error| OidcError::Unreachable(cause(&error));
    let mut response = request.header("accept", "application/json").send().await.map_err(unreachable)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > limits::DOCUMENT_BYTES_MAX {
            return Err(OidcError::Unusable(format!("an answer is longer than {} bytes", limits::DOCUMENT_BYTES_MAX)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answered { status, body })
}

/// The innermost cause, without the address that everybody knows.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
