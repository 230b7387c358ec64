//! Who the provider says that somebody is (OpenID Connect Core 1.0 section 3.1.3.7).

use std::sync::Arc;

use remit_identity::digest;
use remit_identity::foreign::{Expect, ForeignError, ForeignJwt, KeySet};
use remit_identity::json::{JsonError, Members};
use remit_identity::limits::FOREIGN_SKEW_SECONDS;

use super::begun::Begun;
use super::provider::Known;
use super::{Oidc, OidcError, limits};

impl Oidc {
    /// The subject of a token that the provider signed for us, for this sign-in, since it began.
    pub(super) async fn subject(
        &self,
        token: &str,
        known: Arc<Known>,
        begun: &Begun,
        now: i64,
    ) -> Result<String, OidcError> {
        let claims = match self.verified(token, &known.keys, now) {
            // Providers change their keys without a word.
            Err(ForeignError::KeyUnknown) => self.verified(token, &self.provider.known_anew(now).await?.keys, now)?,
            other => other?,
        };
        // `aud` is us and nobody else, so there is little for `azp` to say; where it does, it has to be true (step 4).
        if claims.value("azp").is_some_and(|party| party.as_str() != Some(&self.settings.client_id)) {
            return Err(OidcError::OtherParty);
        }
        let nonce = claims.optional_text("nonce").map_err(ForeignError::from)?.unwrap_or_default();
        if !digest::equal(nonce.as_bytes(), begun.nonce.as_bytes()) {
            return Err(OidcError::Nonce);
        }
        let issued_at = claims.seconds("iat").map_err(ForeignError::from)?;
        if issued_at.saturating_add(FOREIGN_SKEW_SECONDS) < begun.begun_at {
            return Err(OidcError::Old);
        }
        subject(&claims).map_err(|_| OidcError::Subject)
    }

    fn verified(&self, token: &str, keys: &KeySet, now: i64) -> Result<Members, ForeignError> {
        let token = ForeignJwt::parse(token)?;
        // An access token is signed with the same keys, and is no word about who signed in (RFC 9068 section 2.1).
        if !matches!(token.typ(), None | Some("JWT" | "jwt")) {
            return Err(ForeignError::Type);
        }
        token.verify(keys, &Expect { issuer: &self.settings.issuer, audience: &self.settings.client_id, now })
    }
}

fn subject(claims: &Members) -> Result<String, JsonError> {
    let subject = claims.text("sub")?;
    if subject.len() > limits::SUBJECT_BYTES_MAX { Err(JsonError::Length("sub")) } else { Ok(subject.to_owned()) }
}
