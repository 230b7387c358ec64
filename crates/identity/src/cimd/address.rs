//! The address of a client's document.

use super::ClientError;
use crate::{htu, limits};

/// An https address with a path, in the one spelling in which it is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientAddress {
    text: String,
    host: String,
    port: u16,
}

impl ClientAddress {
    /// Whether a `client_id` is meant as an address at all, and not as a name that was given out.
    pub fn is_meant(client_id: &str) -> bool {
        client_id.starts_with("https://") || client_id.starts_with("http://")
    }

    /// Reads an address. The draft advises against a query but allows it.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let refused = ClientError::Address;
        if text.len() > limits::CLIENT_ADDRESS_BYTES_MAX || text.contains('#') {
            return Err(refused);
        }
        let plain = text.split('?').next().unwrap_or_default();
        // Whatever normalising would change has two spellings, and a `client_id` is to have one.
        if !plain.starts_with("https://") || htu::normalise(text).ok().as_deref() != Some(plain) {
            return Err(refused);
        }
        let rest = plain.strip_prefix("https://").unwrap_or_default();
        let (authority, path) = rest.split_once('/').ok_or(ClientError::Address)?;
        let dots = |segment: &str| matches!(segment.replace("%2e", ".").replace("%2E", ".").as_str(), "." | "..");
        if path.is_empty() || path.split('/').any(dots) {
            return Err(refused);
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| ClientError::Address)?),
            _ => (authority, 443),
        };
        Ok(Self { text: text.to_owned(), host: host.to_owned(), port })
    }

    /// The address, as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host. An IPv6 address stands in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}
