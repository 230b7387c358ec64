//! Proof of possession at our own endpoints (RFC 9449 section 5): the key that what is issued will be bound to.

use remit_domain::Refusal;
use remit_identity::dpop::{self, DpopError, Expect};

use super::Asked;
use super::error::OAuthError;
use crate::Api;

const DPOP: &str = "dpop";

/// The thumbprint of the key that the request proves; nothing where it carries no proof.
pub(crate) fn proved_key(api: &Api, asked: &Asked, path: &str) -> Result<Option<String>, OAuthError> {
    let mut proofs = asked.headers.get_all(DPOP).iter();
    let refused = |code: &str, sentence: String, help: &str| {
        OAuthError::new("invalid_dpop_proof", Refusal::new(code, sentence).help(help))
    };
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
    let proof = outcome.map_err(|error| refused(error.code(), error.to_string(), error.help()))?;
    // A poisoned lock means that an insertion was cut short; refusing is the answer that cannot be wrong.
    let fresh = api.memory.proofs.lock().is_ok_and(|mut seen| seen.insert(&proof.jkt, &proof.jti, proof.iat, now));
    if fresh {
        return Ok(Some(proof.jkt));
    }
    let error = DpopError::Replay;
    Err(refused(error.code(), error.to_string(), error.help()))
}
