//! Tokens whose signatures were checked a moment ago, so that an agent's every call does not cost a signature.
//!
//! Only what a signature says is kept. What is true now (that the task lives, that the agent is active) is read from the state each time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use remit_domain::Digest;
use remit_identity::json::Members;
use remit_identity::jwt_svid::UnverifiedJwtSvid;
use remit_identity::token::Expected;
use remit_identity::{KeyRing, SpiffeId, TaskClaims, TokenError, UnverifiedTaskToken, base64url};

use crate::limits;

#[cfg(test)]
mod tests;

/// The tokens. The digest stands for the token: whoever knows only it could not show it.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    known: Mutex<HashMap<Digest, Known>>,
}

/// What a signed document says that serves as a token.
#[derive(Debug)]
pub(crate) enum Said {
    /// A task token.
    Task(Box<TaskClaims>),
    /// A JWT-SVID of this realm.
    Svid(Document),
}

/// A JWT-SVID of this realm, for this gateway.
#[derive(Debug)]
pub(crate) struct Document {
    pub id: SpiffeId,
    /// The key that signed it.
    pub kid: String,
    /// When it was made; the beginning of time for one that does not say.
    pub issued_at: i64,
    pub expires_at: i64,
}

/// A token that holds now.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub said: Arc<Said>,
    pub digest: Digest,
}

#[derive(Debug)]
struct Known {
    said: Arc<Said>,
    /// The one audience that it is for. INVARIANT: what was checked at one address is no better at another.
    audience: String,
    ends_at: i64,
    /// The keys under which it was checked: under others it is checked again.
    ring: Arc<KeyRing>,
    checked_at: i64,
}

impl Known {
    fn holds(&self, ring: &Arc<KeyRing>, now: i64) -> bool {
        let age = now.saturating_sub(self.checked_at);
        Arc::ptr_eq(&self.ring, ring) && (0..limits::TOKEN_CHECKED_SECONDS_MAX).contains(&age) && now < self.ends_at
    }
}

impl Tokens {
    /// What `token` says, if its signature and its terms hold now and it is for one of `audiences`.
    pub fn verify(
        &self,
        token: &str,
        ring: &Arc<KeyRing>,
        issuer: &str,
        audiences: &[&str],
        now: i64,
    ) -> Result<Checked, TokenError> {
        let digest = Digest::of_bytes(token.as_bytes());
        let known = |known: &Known| {
            let is_for_this = || audiences.contains(&known.audience.as_str());
            (known.holds(ring, now) && is_for_this()).then(|| Arc::clone(&known.said))
        };
        if let Some(said) = self.with(|all| all.get(&digest).and_then(known)) {
            return Ok(Checked { said, digest });
        }
        let (said, audience) = check(token, ring, issuer, audiences, now)?;
        let ends_at = match &said {
            Said::Task(claims) => claims.exp,
            Said::Svid(document) => document.expires_at,
        };
        let said = Arc::new(said);
        self.with(|all| {
            if all.len() >= limits::TOKENS_KEPT_MAX {
                all.retain(|_, known| known.holds(ring, now));
            }
            // Where all of them are in use, this one is checked again next time.
            if all.len() < limits::TOKENS_KEPT_MAX {
                let ring = Arc::clone(ring);
                let known = Known { said: Arc::clone(&said), audience, ends_at, ring, checked_at: now };
                all.insert(digest, known);
            }
        });
        Ok(Checked { said, digest })
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Digest, Known>) -> T) -> T {
        act(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reads and checks a token, and says for which of `audiences` it is.
fn check(
    token: &str,
    ring: &KeyRing,
    issuer: &str,
    audiences: &[&str],
    now: i64,
) -> Result<(Said, String), TokenError> {
    for audience in audiences {
        let expected = Expected { issuer, audience, environment: None };
        match UnverifiedTaskToken::parse(token)?.verify(ring, &expected, now) {
            Ok(claims) => return Ok((Said::Task(Box::new(claims)), (*audience).to_owned())),
            Err(TokenError::Audience) => {}
            Err(TokenError::Type) => {
                let found =
                    audiences.iter().find_map(|audience| Some((document(token, ring, audience, now)?, *audience)));
                let (document, audience) = found.ok_or(TokenError::Type)?;
                return Ok((Said::Svid(document), audience.to_owned()));
            }
            Err(error) => return Err(error),
        }
    }
    Err(TokenError::Audience)
}

/// The JWT-SVID that `token` is, if it is one of this realm for `audience`.
fn document(token: &str, ring: &KeyRing, audience: &str, now: i64) -> Option<Document> {
    let bundle = ring.bundle(now).ok()?;
    let svid = UnverifiedJwtSvid::parse(token).ok()?.verify(&bundle, audience, now).ok()?;
    let header = base64url::decode(token.split('.').next()?).ok()?;
    let kid = Members::parse(&header).ok()?.text("kid").ok()?.to_owned();
    let issued_at = svid.claims.value("iat").and_then(serde_json::Value::as_i64).unwrap_or_default();
    Some(Document { id: svid.id, kid, issued_at, expires_at: svid.expires_at })
}
