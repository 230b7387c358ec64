//! OAuth clients that say who they are at an address of their own (draft-ietf-oauth-client-id-metadata-document-02).
//!
//! Fetching is for others; here is what may be fetched, from where, and what the answer must say. The document is the
//! client's own word about itself: it tells where to send people back to, and gives no right.

use serde_json::Value;

use crate::foreign::{KeySet, KeySetError};
use crate::json::{JsonError, Members};
use crate::limits;

mod address;
mod network;
mod redirect;
#[cfg(test)]
mod tests;

pub use address::ClientAddress;
pub use network::private_address;
pub use redirect::{RedirectUri, redirect_allowed};

/// Why a client's address or document was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    #[error("the `client_id` is not an https address with a path, in one spelling and without fragment, user or dots")]
    Address,
    #[error("the client's document is longer than {} bytes", limits::CLIENT_DOCUMENT_BYTES_MAX)]
    TooLong,
    #[error("the client's document cannot be read: {0}")]
    Malformed(#[from] JsonError),
    #[error("the `client_id` in the client's document is not the address of the document")]
    Mismatch,
    #[error("the client's document speaks of a secret, which a public document cannot keep")]
    Secret,
    #[error("the client authenticates in another way than `none` or `private_key_jwt`")]
    Method,
    #[error("a client with `private_key_jwt` has either `jwks` or `jwks_uri`, and not both")]
    Keys,
    #[error("the keys of the client cannot be used: {0}")]
    KeySet(#[from] KeySetError),
    #[error("the redirect address `{0}` is neither https nor http on this machine, or has a fragment or user in it")]
    Redirect(String),
    #[error("the name of the client is too long, or has characters that cannot be seen")]
    Name,
}

impl ClientError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Address => "use an address such as `https://client.example/oauth/client.json`",
            Self::Mismatch => "set `client_id` in the document to its own address, letter for letter",
            Self::Secret | Self::Method => "set `token_endpoint_auth_method` to `none` or `private_key_jwt`",
            Self::Redirect(_) => "list https addresses, or `http://127.0.0.1/…` for an application on the machine",
            _ => "correct the client's document",
        }
    }
}

/// How a client proves itself at the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientProof {
    /// Not at all: a public client, held by PKCE alone.
    None,
    /// With one of these keys.
    Keys(KeySet),
    /// With one of the keys at this address, to be fetched under the same guard.
    KeysAt(ClientAddress),
}

/// A client as its document describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientDocument {
    pub client_id: String,
    /// What it calls itself, for people. The host of its address where it says nothing.
    pub client_name: String,
    pub redirect_uris: Vec<RedirectUri>,
    pub proof: ClientProof,
}

impl ClientDocument {
    /// Reads the document that was found at `address`. Members that do not matter here are ignored, as RFC 7591 section 2
    /// asks.
    pub fn parse(bytes: &[u8], address: &ClientAddress) -> Result<Self, ClientError> {
        if bytes.len() > limits::CLIENT_DOCUMENT_BYTES_MAX {
            return Err(ClientError::TooLong);
        }
        let members = Members::parse(bytes)?;
        // Compared as text: two spellings of one address are two clients.
        if members.text("client_id")? != address.as_str() {
            return Err(ClientError::Mismatch);
        }
        if ["client_secret", "client_secret_expires_at"].iter().any(|name| members.value(name).is_some()) {
            return Err(ClientError::Secret);
        }
        let redirects = members.optional_texts("redirect_uris", limits::REDIRECTS_MAX)?;
        let redirects = redirects.ok_or(JsonError::Missing("redirect_uris"))?;
        Ok(Self {
            client_id: address.as_str().to_owned(),
            client_name: read_name(&members)?.unwrap_or_else(|| address.host().to_owned()),
            redirect_uris: redirects.iter().map(|text| RedirectUri::parse(text)).collect::<Result<_, _>>()?,
            proof: read_proof(&members)?,
        })
    }

    /// Whether people may be sent back to `asked`.
    pub fn allows_redirect(&self, asked: &str) -> bool {
        self.redirect_uris.iter().any(|registered| registered.allows(asked))
    }
}

fn read_name(members: &Members) -> Result<Option<String>, ClientError> {
    let Some(name) = members.optional_text("client_name")? else { return Ok(None) };
    if is_showable(name) { Ok(Some(name.to_owned())) } else { Err(ClientError::Name) }
}

/// Whether a name can stand on a page without pretending to be something else: no control characters, none that change the
/// direction of writing, none without width.
pub fn is_showable(name: &str) -> bool {
    let hidden = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    !name.trim().is_empty() && name.len() <= limits::CLIENT_NAME_BYTES_MAX && !name.chars().any(hidden)
}

fn read_proof(members: &Members) -> Result<ClientProof, ClientError> {
    let keys: (Option<&Value>, Option<&str>) = (members.value("jwks"), members.optional_text("jwks_uri")?);
    match (members.optional_text("token_endpoint_auth_method")?, keys) {
        (_, (Some(_), Some(_))) => Err(ClientError::Keys),
        // The default of RFC 7591 is a shared secret, which is not to be had here: what is left is none.
        (None | Some("none"), _) => Ok(ClientProof::None),
        (Some("private_key_jwt"), (Some(keys), None)) => Ok(ClientProof::Keys(KeySet::of(keys)?)),
        (Some("private_key_jwt"), (None, Some(address))) => ClientAddress::parse(address).map(ClientProof::KeysAt),
        (Some("private_key_jwt"), (None, None)) => Err(ClientError::Keys),
        (Some(_), _) => Err(ClientError::Method),
    }
}
