//! Tokens whose signatures were checked a moment ago, so that an agent's every call does not cost a signature.
//!
//! Only what a signature says is kept. What is true now (that the task lives, that the agent is active) is read from the state each time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use remit_domain::Digest;
use remit_identity::token::Expected;
use remit_identity::{KeyRing, TaskClaims, TokenError, UnverifiedTaskToken};

use crate::limits;

#[cfg(test)]
mod tests;

/// The tokens. The digest stands for the token: whoever knows only it could not show it.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
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

impl Tokens {
    /// What `token` says, if its signature and its terms hold now.
    pub fn verify(
        &self,
        token: &str,
        ring: &Arc<KeyRing>,
        expected: &Expected<'_>,
        now: i64,
    ) -> Result<Arc<TaskClaims>, TokenError> {
        let digest = Digest::of_bytes(token.as_bytes());
        let known = |known: &Known| known.holds(ring, now).then(|| Arc::clone(&known.claims));
        if let Some(claims) = self.with(|all| all.get(&digest).and_then(known)) {
            return Ok(claims);
        }
        let claims = UnverifiedTaskToken::parse(token).and_then(|token| token.verify(ring, expected, now))?;
        let claims = Arc::new(claims);
        self.with(|all| {
            if all.len() >= limits::TOKENS_KEPT_MAX {
                all.retain(|_, known| known.holds(ring, now));
            }
            // Where all of them are in use, this one is checked again next time.
            if all.len() < limits::TOKENS_KEPT_MAX {
                let known = Known { claims: Arc::clone(&claims), ring: Arc::clone(ring), checked_at: now };
                all.insert(digest, known);
            }
        });
        Ok(claims)
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Digest, Known>) -> T) -> T {
        act(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
