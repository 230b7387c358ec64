//! A ring as one sealed document: a version byte, then the sealed JSON.
//!
//! Version 1 knew token keys only. It is still read, and written no more.

use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use super::realm_key::{Private, RealmKey};
use super::{KeyRing, KeyState, OpenError, Purpose};
use crate::seal::{Kek, SealError};
use crate::verifying_key::VerifyingKey;
use crate::x509::Authority;
use crate::{Pkcs8, PublicJwk, SigningKey, SpiffeId, base64url, limits};

const VERSION: u8 = 2;
const LABEL: &[u8] = b"remit key ring v2";
const VERSION_1: u8 = 1;
const LABEL_1: &[u8] = b"remit key ring v1";

/// More than one key takes as JSON, with the certificate of an authority whose trust domain has the longest name. The
/// buffer never grows, so no copy of a secret is left where it stood before.
const KEY_BYTES_MAX: usize = 3_072;

#[derive(Serialize)]
struct RingOut<'a> {
    trust_domain: Option<&'a SpiffeId>,
    keys: Vec<KeyOut<'a>>,
    #[serde(serialize_with = "write_secret")]
    log_key: &'a Pkcs8,
}

#[derive(Serialize)]
struct KeyOut<'a> {
    public: &'a PublicJwk,
    state: KeyState,
    created_at: i64,
    since: i64,
    verifies_until: Option<i64>,
    certificate: Option<String>,
    #[serde(serialize_with = "write_optional_secret")]
    pkcs8: Option<&'a Pkcs8>,
}

fn write_secret<S: Serializer>(secret: &Pkcs8, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&Zeroizing::new(base64url::encode(secret.as_bytes())))
}

fn write_optional_secret<S: Serializer>(secret: &Option<&Pkcs8>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => write_secret(secret, serializer),
        None => serializer.serialize_none(),
    }
}

/// Secrets are borrowed from the opened text, which is wiped, so reading leaves no copy either.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RingIn<'a> {
    #[serde(default)]
    trust_domain: Option<SpiffeId>,
    #[serde(borrow)]
    keys: Vec<KeyIn<'a>>,
    log_key: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyIn<'a> {
    public: PublicJwk,
    state: KeyState,
    created_at: i64,
    /// Missing in version 1.
    since: Option<i64>,
    verifies_until: Option<i64>,
    /// Missing in version 1.
    certificate: Option<String>,
    #[serde(borrow)]
    pkcs8: Option<&'a str>,
}

impl KeyRing {
    /// The whole ring, sealed under `kek`.
    pub fn seal(&self, kek: &Kek) -> Result<Vec<u8>, SealError> {
        let keys = self.keys.iter().map(|key| KeyOut {
            public: &key.public,
            state: key.state,
            created_at: key.created_at,
            since: key.since,
            verifies_until: key.verifies_until,
            certificate: key.authority.as_ref().map(|authority| base64url::encode(authority.der())),
            pkcs8: key.private.as_ref().map(|private| &private.pkcs8),
        });
        let mut plain = Zeroizing::new(Vec::with_capacity(KEY_BYTES_MAX * (self.keys.len() + 1)));
        let ring = RingOut { trust_domain: self.trust_domain.as_ref(), keys: keys.collect(), log_key: &self.log_key };
        serde_json::to_writer(&mut *plain, &ring).map_err(|_| SealError::Unsealable)?;
        let mut document = vec![VERSION];
        document.extend(kek.seal(LABEL, &plain)?);
        Ok(document)
    }

    /// Opens what [`KeyRing::seal`] made, now or in an earlier version.
    pub fn open(kek: &Kek, document: &[u8]) -> Result<Self, OpenError> {
        let (&version, sealed) = document.split_first().ok_or(OpenError::Malformed)?;
        let label = match version {
            VERSION => LABEL,
            VERSION_1 => LABEL_1,
            _ => return Err(OpenError::Version(version)),
        };
        let plain = kek.open(label, sealed)?;
        let ring: RingIn<'_> = serde_json::from_slice(&plain).map_err(|_| OpenError::Malformed)?;
        let keys = ring.keys.into_iter().map(read_key).collect::<Result<Vec<_>, _>>()?;
        for purpose in [Purpose::Token, Purpose::Ca] {
            let of_purpose = || keys.iter().filter(|key| key.purpose() == purpose);
            let active = of_purpose().filter(|key| key.state == KeyState::Active).count();
            if active > 1 || of_purpose().count() > limits::RING_KEYS_MAX {
                return Err(OpenError::Malformed);
            }
        }
        Ok(Self { trust_domain: ring.trust_domain, keys, log_key: read_secret(ring.log_key)? })
    }
}

fn read_key(key: KeyIn<'_>) -> Result<RealmKey, OpenError> {
    let private = key.pkcs8.map(read_private).transpose()?;
    let signs = matches!(key.state, KeyState::Prepared | KeyState::Active);
    let belongs = private.as_ref().is_none_or(|private| private.signing.public() == &key.public);
    let authority = key.certificate.as_deref().map(read_certificate).transpose()?;
    let certified = authority.as_ref().is_none_or(|authority| *authority.key() == VerifyingKey::from(&key.public));
    if signs != private.is_some() || !belongs || !certified {
        return Err(OpenError::Malformed);
    }
    let kid = key.public.thumbprint();
    let KeyIn { public, state, created_at, since, verifies_until, .. } = key;
    let since = since.unwrap_or_else(|| match verifies_until {
        Some(until) => until.saturating_sub(limits::RETIRED_KEY_SECONDS),
        None => created_at,
    });
    Ok(RealmKey { public, kid, state, created_at, since, verifies_until, authority, private })
}

fn read_certificate(text: &str) -> Result<Authority, OpenError> {
    let der = base64url::decode(text).map_err(|_| OpenError::Malformed)?;
    Authority::read(&der).map_err(|_| OpenError::Malformed)
}

fn read_private(text: &str) -> Result<Private, OpenError> {
    let pkcs8 = read_secret(text)?;
    let signing = SigningKey::from_pkcs8(pkcs8.as_bytes()).map_err(|_| OpenError::Malformed)?;
    Ok(Private { signing, pkcs8 })
}

fn read_secret(text: &str) -> Result<Pkcs8, OpenError> {
    base64url::decode(text).map(Pkcs8::from_bytes).map_err(|_| OpenError::Malformed)
}
