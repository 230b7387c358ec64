//! Proof of possession at our own endpoints (RFC 9449 section 5): the key that what is issued will be bound to.

use std::sync::Mutex;

use remit_domain::Refusal;
use remit_identity::ReplayCache;
use remit_identity::dpop::{self, DpopError, Expect, ProofId};

use super::Asked;
use super::error::OAuthError;
use crate::Api;

const DPOP: &str = "dpop";

fn refused(code: &str, sentence: String, help: &str) -> OAuthError {
    OAuthError::new("invalid_dpop_proof", Refusal::new(code, sentence).help(help))
}

fn failed(error: &DpopError) -> OAuthError {
    refused(error.code(), error.to_string(), error.help())
}

/// A proof that holds, and may have been shown before.
#[derive(Debug)]
pub(crate) struct Held {
    proof: ProofId,
    now: i64,
}

impl Held {
    /// The thumbprint of the key.
    pub fn key(&self) -> &str {
        &self.proof.jkt
    }

    /// Uses the proof up, as `seen` remembers.
    pub fn shown_once(self, seen: &Mutex<ReplayCache>) -> Result<String, OAuthError> {
        let Self { proof, now } = self;
        // A poisoned lock means that an insertion was cut short; refusing is the answer that cannot be wrong.
        let fresh = seen.lock().is_ok_and(|mut seen| seen.insert(&proof.jkt, &proof.jti, proof.iat, now));
        if fresh { Ok(proof.jkt) } else { Err(failed(&DpopError::Replay)) }
    }
}

/// The thumbprint of the key that the request proves, whose proof is used up by that; nothing where it carries none. For
/// requests of whoever is known already.
pub(crate) fn proved_key(api: &Api, asked: &Asked, path: &str) -> Result<Option<String>, OAuthError> {
    held(api, asked, path)?.map(|held| held.shown_once(&api.memory.proofs)).transpose()
}

/// The proof that the request carries, if it carries one and it holds.
pub(crate) fn held(api: &Api, asked: &Asked, path: &str) -> Result<Option<Held>, OAuthError> {
    let mut proofs = asked.headers.get_all(DPOP).iter();
    let proof = match (proofs.next(), proofs.next()) {
        (None, _) => return Ok(None),
        (Some(proof), None) => proof.to_str().unwrap_or_default(),
        (Some(_), Some(_)) => {
            return Err(refused("proof_malformed", "there is more than one `DPoP` header".to_owned(), "send one"));
        }
    };
    let now = api.engine.now().as_seconds();
    let mtls = api.settings.oauth.mtls_url.as_deref();
    let mut outcome = Err(DpopError::Address);
    for base in [Some(api.settings.console_url.as_str()), mtls].into_iter().flatten() {
        let htu = format!("{base}{path}");
        outcome = dpop::verify_proof(proof, &Expect { htm: "POST", htu: &htu, access_token: None, jkt: None, now });
        if !matches!(outcome, Err(DpopError::Address)) {
            break;
        }
    }
    outcome.map(|proof| Some(Held { proof, now })).map_err(|error| failed(&error))
}
