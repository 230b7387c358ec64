//! Sign-in at the organisation's identity provider: a relying party of our own (OpenID Connect Core 1.0 section 3.1, OAuth 2.0
//! Security Best Current Practice, RFC 9700).
//!
//! INVARIANT: an answer counts only in the browser that began the sign-in, once, and only with what was begun there: `state`
//! binds the browser, `nonce` the identity, PKCE (RFC 7636) the code. Whom the provider vouches for is somebody here only if an
//! administrator has said so.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use remit_domain::{Actor, Command, Digest, OpenForeignSession};
use remit_engine::{Engine, SubmitError};
use remit_identity::code::OneTimeCode;
use remit_identity::{Kek, RandomnessError, base64url, digest};
use tokio::sync::Semaphore;
use url::Url;
use zeroize::Zeroizing;

mod begun;
mod error;
mod exchange;
mod http;
mod id_token;
pub mod limits;
mod provider;
#[cfg(test)]
mod tests;
mod used;

pub use error::OidcError;

use crate::People;
use begun::Begun;
use provider::Provider;
use used::Used;

/// Where a sign-in elsewhere begins, on the console.
pub const START_PATH: &str = "/sign-in/oidc";
/// Where the provider sends people back to, on the console.
pub const CALLBACK_PATH: &str = "/sign-in/oidc/callback";

/// The provider at which people sign in, and who Remit is there.
#[derive(Clone, PartialEq, Eq)]
pub struct OidcSettings {
    /// Its issuer, exactly as its tokens say it.
    pub issuer: String,
    pub client_id: String,
    /// The secret of a confidential client; a public one has none, and PKCE alone binds its codes.
    pub client_secret: Option<Zeroizing<String>>,
    /// What the button says.
    pub name: String,
    /// Further authorities (PEM) that the provider's own address may be certified by; often none.
    pub roots: Vec<u8>,
}

impl fmt::Debug for OidcSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OidcSettings").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// A sign-in that leads to the provider.
#[derive(Debug)]
pub struct Leading {
    /// Where the browser goes.
    pub address: Url,
    /// What the browser keeps meanwhile, in a cookie that only the callback sees. It is sealed.
    pub binding: String,
}

/// What came back in the address of the callback (RFC 6749 section 4.1.2, RFC 9207).
#[derive(Clone, Default)]
pub struct Answer {
    pub code: Option<String>,
    pub state: Option<String>,
    pub issuer: Option<String>,
    pub error: Option<String>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Answer").field("error", &self.error).finish_non_exhaustive()
    }
}

/// A session that has begun.
#[derive(Debug)]
pub struct SignedIn {
    /// What the browser shows from now on.
    pub token: OneTimeCode,
    /// Where the person wanted to go, as it was said when the sign-in began.
    pub next: String,
}

/// The relying party.
pub(crate) struct Oidc {
    engine: Engine,
    settings: OidcSettings,
    callback: String,
    provider: Provider,
    /// Seals what the browser keeps. Lives as long as the process: a sign-in over a restart is begun again.
    key: Kek,
    used: Mutex<Used>,
    under_way: Semaphore,
}

impl Oidc {
    /// A relying party on the console at `origin`.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub(crate) fn new(engine: Engine, settings: OidcSettings, origin: &str) -> Result<Self, RandomnessError> {
        Ok(Self {
            provider: Provider::new(&settings),
            callback: format!("{}{CALLBACK_PATH}", origin.trim_end_matches('/')),
            engine,
            settings,
            key: Kek::generate()?,
            used: Mutex::default(),
            under_way: Semaphore::new(limits::UNDER_WAY_MAX),
        })
    }

    /// Begins a sign-in that is to lead to `next` at its end.
    async fn begin(&self, next: &str) -> Result<Leading, OidcError> {
        // Whoever is one too many is told so: a slow provider must not make a queue of everybody.
        let _one = self.under_way.try_acquire().map_err(|_| OidcError::Busy)?;
        let now = self.engine.now().as_seconds();
        let known = self.provider.known(now).await?;
        let begun = Begun::new(next, now)?;
        let mut address = known.metadata.authorization_endpoint.clone();
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("response_mode", "query")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.callback)
            // Who somebody is, and nothing else about them.
            .append_pair("scope", "openid")
            .append_pair("state", &begun.state)
            .append_pair("nonce", &begun.nonce)
            .append_pair("code_challenge", &base64url::encode(digest::sha256(begun.verifier.as_bytes())))
            .append_pair("code_challenge_method", "S256");
        Ok(Leading { address, binding: begun.seal(&self.key)? })
    }

    /// Ends a sign-in: what came back, and what the browser kept.
    async fn finish(&self, answer: &Answer, binding: Option<&str>) -> Result<SignedIn, OidcError> {
        let now = self.engine.now().as_seconds();
        // Whose answer it is comes first: nobody else learns anything, and nobody else's words are looked at.
        let begun = binding.and_then(|binding| Begun::open(&self.key, binding, now)).ok_or(OidcError::NotBegun)?;
        let state = answer.state.as_deref().unwrap_or_default();
        if !digest::equal(state.as_bytes(), begun.state.as_bytes()) {
            return Err(OidcError::NotBegun);
        }
        let _one = self.under_way.try_acquire().map_err(|_| OidcError::Busy)?;
        let known = self.provider.known(now).await?;
        self.check_issuer(answer, known.metadata.sends_issuer)?;
        if let Some(error) = &answer.error {
            return Err(OidcError::declined(error));
        }
        let code = answer.code.as_deref().filter(|code| !code.is_empty() && code.len() <= limits::CODE_BYTES_MAX);
        let code = code.ok_or(OidcError::NoCode)?;
        // Before the code leaves, so that of two requests with the same answer one alone goes on.
        if !self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(&begun.state) {
            return Err(OidcError::Used);
        }
        let token = self.exchange(&known.metadata, code, &begun).await?;
        let subject = self.subject(&token, known, &begun, now).await?;
        self.open_session(&subject, begun.next).await
    }

    /// The answer is of the provider that was asked (RFC 9207 section 2.4): said, where it says so always; and where it is said,
    /// the right one.
    fn check_issuer(&self, answer: &Answer, sends_issuer: bool) -> Result<(), OidcError> {
        match &answer.issuer {
            Some(issuer) if *issuer == self.settings.issuer => Ok(()),
            None if !sends_issuer => Ok(()),
            _ => Err(OidcError::OtherIssuer),
        }
    }

    /// Where somebody signs out at the provider. It asks them itself: no token of theirs is kept here that could say who they are.
    async fn sign_out(&self) -> Result<Option<Url>, OidcError> {
        let known = self.provider.known(self.engine.now().as_seconds()).await?;
        let address = known.metadata.end_session_endpoint.clone();
        Ok(address.map(|mut address| {
            address.query_pairs_mut().append_pair("client_id", &self.settings.client_id);
            address
        }))
    }

    async fn open_session(&self, subject: &str, next: String) -> Result<SignedIn, OidcError> {
        let token = OneTimeCode::generate("ses_")?;
        let open = OpenForeignSession {
            issuer: self.settings.issuer.clone(),
            subject: subject.to_owned(),
            token: Digest::of_bytes(token.expose().as_bytes()),
        };
        let opened = self.engine.submit(Actor::Remit, Command::OpenForeignSession(Box::new(open))).await;
        opened.map_err(|error| OidcError::submit(error, &self.settings.issuer, subject))?;
        Ok(SignedIn { token, next })
    }
}

impl fmt::Debug for Oidc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Oidc").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl People {
    /// What the identity provider is called, if people can sign in at one.
    pub fn oidc_name(&self) -> Option<&str> {
        self.oidc.as_ref().map(|oidc| oidc.settings.name.as_str())
    }

    /// Begins a sign-in at the identity provider that is to lead to `next` at its end. A `next` longer than
    /// [`limits::NEXT_BYTES_MAX`] leads to `/`: browsers keep no more.
    ///
    /// # Errors
    /// If there is no provider, or it cannot be asked now.
    pub async fn begin_elsewhere(&self, next: &str) -> Result<Leading, SubmitError> {
        Ok(self.elsewhere()?.begin(next).await?)
    }

    /// Ends a sign-in with what came back in the address, and what the browser kept of [`Leading::binding`].
    ///
    /// # Errors
    /// If the answer is not to a sign-in of this browser, the provider does not vouch for anybody, or for nobody here.
    pub async fn finish_elsewhere(&self, answer: &Answer, binding: Option<&str>) -> Result<SignedIn, SubmitError> {
        Ok(self.elsewhere()?.finish(answer, binding).await?)
    }

    /// Where whoever signed in at the identity provider signs out there too. Nothing if it has no such place, or cannot be asked now.
    pub async fn sign_out_elsewhere(&self) -> Option<Url> {
        self.oidc.as_ref()?.sign_out().await.ok().flatten()
    }

    fn elsewhere(&self) -> Result<&Oidc, OidcError> {
        self.oidc.as_deref().ok_or(OidcError::NotConfigured)
    }
}
