//! Tokens whose signatures were checked a moment ago, so that an enforcer's every question does not cost a signature.
//!
//! Only what a signature says is kept. What is true now is read from the state each time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use remit_domain::Digest;
use remit_identity::{KeyRing, TaskClaims, TokenError};

use crate::oauth::presented;
use crate::{Api, limits};

/// The tokens, by their digests: whoever knows only a digest could not show the token.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    known: Mutex<HashMap<Digest, Known>>,
}

#[derive(Debug)]
struct Known {
    claims: Arc<TaskClaims>,
    /// The keys under which it was checked: under others it is checked again.
    ring: Arc<KeyRing>,
    checked_at: i64,
}

impl Known {
    fn holds(&self, ring: &Arc<KeyRing>, now: i64) -> bool {
        let age = now.saturating_sub(self.checked_at);
        Arc::ptr_eq(&self.ring, ring) && (0..limits::TOKEN_CHECKED_SECONDS_MAX).contains(&age) && now < self.claims.exp
    }
}

/// A token whose signature and terms hold now, and what it is called where its text must not be kept.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub claims: Arc<TaskClaims>,
    pub digest: Digest,
}

impl Tokens {
    /// What `token` says, if we signed it for one of our own places and its time is not over.
    pub fn verify(&self, api: &Api, token: &str) -> Result<Checked, TokenError> {
        let digest = Digest::of_bytes(token.as_bytes());
        let (ring, now) = (api.engine.keys(), api.engine.now().as_seconds());
        let known = self.with(|all| {
            let known = all.get(&digest).filter(|known| known.holds(&ring, now));
            known.map(|known| Arc::clone(&known.claims))
        });
        if let Some(claims) = known {
            return Ok(Checked { claims, digest });
        }
        // Checked under keys that are at least as new as `ring`: had they changed in between, `ring` holds for nobody any more.
        let claims = Arc::new(presented::claims(api, token)?);
        self.with(|all| {
            if all.len() >= limits::ENFORCER_TOKENS_KEPT_MAX {
                all.retain(|_, known| known.holds(&ring, now));
            }
            // Where all of them are in use, this one is checked again next time.
            if all.len() < limits::ENFORCER_TOKENS_KEPT_MAX {
                all.insert(digest, Known { claims: Arc::clone(&claims), ring, checked_at: now });
            }
        });
        Ok(Checked { claims, digest })
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Digest, Known>) -> T) -> T {
        act(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many are remembered.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.with(|all| all.len())
    }
}
