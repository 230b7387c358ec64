//! Possession: a token that is bound to a key or a certificate is worth nothing without it.

use std::sync::PoisonError;

use http::HeaderMap;
use remit_domain::{Attribution, Timestamp};
use remit_identity::dpop::{self, Expect};
use remit_identity::token::Confirmation;
use remit_identity::x509::PeerSvid;

use super::credential::{Credential, Scheme, Single, single};
use super::{Asked, Challenge, Unknown};
use crate::Gateway;

/// How far the holder of `credential`, which is bound to `bound`, is proved to be the one that it was issued to.
pub(super) fn check(
    gateway: &Gateway,
    headers: &HeaderMap,
    asked: Asked<'_>,
    credential: &Credential<'_>,
    bound: Option<&Confirmation>,
    now: Timestamp,
) -> Result<Attribution, Unknown> {
    // What is bound must not pass for what is not, nor the other way round.
    match (bound, credential.scheme) {
        (None, Scheme::Bearer) => Ok(Attribution::Asserted),
        (Some(Confirmation::Key(thumbprint)), Scheme::Dpop) => {
            prove(gateway, headers, asked, credential.secret, thumbprint, now)?;
            Ok(Attribution::Proven)
        }
        (Some(Confirmation::Certificate(digest)), Scheme::Bearer) => {
            match_certificate(asked.peer, digest)?;
            Ok(Attribution::Proven)
        }
        (Some(Confirmation::Key(_)), Scheme::Bearer) => Err(needed()),
        (None | Some(Confirmation::Certificate(_)), Scheme::Dpop) => Err(Unknown::new(
            Challenge::OtherToken,
            "token_not_bound",
            "this task token is not bound to any key",
            "send it as `Authorization: Bearer`",
        )),
    }
}

fn needed() -> Unknown {
    Unknown::new(
        Challenge::Proof,
        "proof_needed",
        "this task token is bound to a key and came without a proof of it",
        "send it as `Authorization: DPoP` with a `DPoP` proof made for this request",
    )
}

/// The connection must show the very certificate that the token was issued for (RFC 8705 section 3).
fn match_certificate(peer: Option<&PeerSvid>, digest: &str) -> Result<(), Unknown> {
    let refused =
        |code: &str, sentence: &str, help: &str| Err(Unknown::new(Challenge::OtherToken, code, sentence, help));
    match peer {
        Some(peer) if peer.certificate_sha256 == digest => Ok(()),
        Some(_) => refused(
            "certificate_mismatch",
            "this task token is bound to another certificate than the connection shows",
            "renew the task token together with the certificate",
        ),
        None => refused(
            "certificate_needed",
            "this task token is bound to a certificate, and this connection shows none",
            "use it on the gateway's address for connections with certificates",
        ),
    }
}

/// Checks the proof that came with the token: made by the right key, for this very request, and never shown before.
fn prove(
    gateway: &Gateway,
    headers: &HeaderMap,
    asked: Asked<'_>,
    token: &str,
    key: &str,
    now: Timestamp,
) -> Result<(), Unknown> {
    let refused = |code: &str, sentence: String| {
        Unknown::new(
            Challenge::Proof,
            code,
            sentence,
            "make a new proof for this very request with the key of the token",
        )
    };
    let proof = match single(headers, "dpop") {
        Single::One(proof) => proof,
        Single::Missing => return Err(needed()),
        Single::Unreadable => {
            return Err(refused(
                "proof_malformed",
                "this request does not carry exactly one readable proof".to_owned(),
            ));
        }
    };
    // Where a certificate was shown, the listener is the one for that, which has an address of its own.
    let settings = &gateway.settings;
    let base = settings.mtls_url.as_ref().filter(|_| asked.peer.is_some()).unwrap_or(&settings.public_url);
    let address = asked.address.map_or_else(|| format!("{base}{}", asked.path), str::to_owned);
    let expect =
        Expect { htm: asked.method, htu: &address, access_token: Some(token), jkt: Some(key), now: now.as_seconds() };
    let proof = dpop::verify_proof(proof, &expect).map_err(|error| refused("proof_refused", error.to_string()))?;
    let mut shown = gateway.proofs.lock().unwrap_or_else(PoisonError::into_inner);
    if shown.insert(&proof.jkt, &proof.jti, proof.iat, now.as_seconds()) {
        return Ok(());
    }
    Err(refused("proof_replayed", "this proof was shown before, or is too old to tell".to_owned()))
}
