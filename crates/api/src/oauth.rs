//! The authorization server: who asks for tokens, what for, and what they get (OAuth 2.1 with RFC 8693, 8707, 9126, 9396, 9449).
//!
//! INVARIANT: nothing here is a right by itself. Whoever asks proves who they are, the domain says whether it may be, and a
//! token is shown only after its record is durable.

pub(crate) mod authorize;
mod client;
mod details;
mod documents;
mod error;
mod fetch;
mod form;
pub(crate) mod introspect;
pub(crate) mod metadata;
pub(crate) mod par;
pub(crate) mod presented;
mod proof;
pub(crate) mod register;
mod request;
pub(crate) mod revoke;
mod scope;
mod target;
#[cfg(test)]
mod tests;
pub(crate) mod token;

use std::fmt;
use std::sync::{Arc, Mutex};

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use remit_identity::foreign::{ClaimRules, KeySet};
use remit_identity::x509::PeerSvid;
use remit_identity::{Bundle, ReplayCache};

use self::documents::Documents;
use self::fetch::Fetcher;

pub use self::fetch::Range;

/// What the operator decides about the authorization server.
#[derive(Debug, Clone)]
pub struct OAuthSettings {
    /// Where clients come that show certificates, without a slash at the end (`mtls_endpoint_aliases`, RFC 8705 section 5).
    pub mtls_url: Option<String>,
    /// Whether clients may register themselves (RFC 7591).
    pub dynamic_registration: bool,
    /// Private networks from which a client's document may be fetched all the same.
    pub metadata_networks: Vec<Range>,
    /// Further authorities for the servers of those documents, as PEM.
    pub metadata_roots: Vec<u8>,
    /// Bundles and keys of others.
    pub elsewhere: Arc<dyn Elsewhere>,
    /// Issuers whose tokens name workloads that may come here.
    pub issuers: Vec<OidcIssuer>,
}

impl Default for OAuthSettings {
    /// Nobody elsewhere is believed.
    fn default() -> Self {
        Self {
            mtls_url: None,
            dynamic_registration: false,
            metadata_networks: Vec::new(),
            metadata_roots: Vec::new(),
            elsewhere: Arc::new(Nobody),
            issuers: Vec::new(),
        }
    }
}

/// What others verify their identities with, as the operator configured it and as it is now.
pub trait Elsewhere: fmt::Debug + Send + Sync {
    /// The bundle of a foreign trust domain, if there is one.
    fn bundle(&self, trust_domain: &str) -> Option<Arc<Bundle>>;

    /// The keys of an issuer of OpenID Connect tokens, if they are known.
    fn keys(&self, issuer: &str) -> Option<Arc<KeySet>>;
}

/// Nobody.
#[derive(Debug)]
struct Nobody;

impl Elsewhere for Nobody {
    fn bundle(&self, _: &str) -> Option<Arc<Bundle>> {
        None
    }

    fn keys(&self, _: &str) -> Option<Arc<KeySet>> {
        None
    }
}

/// An issuer of OpenID Connect tokens whose workloads may come here.
#[derive(Debug, Clone)]
pub struct OidcIssuer {
    /// What its tokens say in `iss`, byte for byte.
    pub issuer: String,
    /// What its tokens must say in `aud`.
    pub audience: String,
    /// What else they must say, if anything.
    pub claims: Option<ClaimRules>,
    /// The name of the agent that all of them are for; otherwise whoever the subject is bound to.
    pub agent: Option<String>,
    /// The claim that names the workload.
    pub subject_claim: String,
}

/// What the endpoints remember between requests.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Proofs of possession that were shown by whoever is known: each is good for one request.
    ///
    /// INVARIANT: strangers have no part in this memory, or they could fill it and shut out everybody.
    pub proofs: Mutex<ReplayCache>,
    /// Proofs that came with pushed requests, which anybody may push.
    pub pushed_proofs: Mutex<ReplayCache>,
    /// Assertions of applications: anybody may be one, so agents have their own memory.
    pub assertions: Mutex<ReplayCache>,
    /// Assertions of trusted issuers that have a name of their own.
    pub foreign_assertions: Mutex<ReplayCache>,
    /// Pushed requests that were used.
    pub pushed: Mutex<ReplayCache>,
    pub documents: Documents,
}

impl Memory {
    pub fn new(settings: &OAuthSettings, now: i64) -> Self {
        let fetcher = Fetcher::new(settings.metadata_networks.clone(), &settings.metadata_roots);
        Self {
            proofs: Mutex::new(ReplayCache::new(now)),
            pushed_proofs: Mutex::new(ReplayCache::new(now)),
            assertions: Mutex::new(ReplayCache::new(now)),
            foreign_assertions: Mutex::new(ReplayCache::new(now)),
            pushed: Mutex::new(ReplayCache::new(now)),
            documents: Documents::new(fetcher),
        }
    }
}

/// What comes with a request besides its parameters.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub headers: HeaderMap,
    /// Whose certificate was shown on the connection. The listener has verified it; no header says this.
    pub svid: Option<PeerSvid>,
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self { headers: parts.headers.clone(), svid: parts.extensions.get::<PeerSvid>().cloned() })
    }
}
