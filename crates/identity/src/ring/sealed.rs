//! A ring as one sealed document: a version byte, then the sealed JSON.

use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use super::{KeyRing, KeyState, OpenError, Private, RealmKey};
use crate::seal::{Kek, SealError};
use crate::{Pkcs8, PublicJwk, SigningKey, base64url, limits};

const VERSION: u8 = 1;
const PURPOSE: &[u8] = b"remit key ring v1";

/// More than one key takes as JSON. The buffer never grows, so no copy of a secret is left where it stood before.
const KEY_BYTES_MAX: usize = 1_024;

#[derive(Serialize)]
struct RingOut<'a> {
    keys: Vec<KeyOut<'a>>,
    #[serde(serialize_with = "write_secret")]
    log_key: &'a Pkcs8,
}

#[derive(Serialize)]
struct KeyOut<'a> {
    public: &'a PublicJwk,
    state: KeyState,
    created_at: i64,
    verifies_until: Option<i64>,
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
    verifies_until: Option<i64>,
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
            verifies_until: key.verifies_until,
            pkcs8: key.private.as_ref().map(|private| &private.pkcs8),
        });
        let mut plain = Zeroizing::new(Vec::with_capacity(KEY_BYTES_MAX * (self.keys.len() + 1)));
        serde_json::to_writer(&mut *plain, &RingOut { keys: keys.collect(), log_key: &self.log_key })
            .map_err(|_| SealError::Unsealable)?;
        let mut document = vec![VERSION];
        document.extend(kek.seal(PURPOSE, &plain)?);
        Ok(document)
    }

    /// Opens what [`KeyRing::seal`] made.
    pub fn open(kek: &Kek, document: &[u8]) -> Result<Self, OpenError> {
        let (&version, sealed) = document.split_first().ok_or(OpenError::Malformed)?;
        if version != VERSION {
            return Err(OpenError::Version(version));
        }
        let plain = kek.open(PURPOSE, sealed)?;
        let ring: RingIn<'_> = serde_json::from_slice(&plain).map_err(|_| OpenError::Malformed)?;
        let keys = ring.keys.into_iter().map(read_key).collect::<Result<Vec<_>, _>>()?;
        let active = keys.iter().filter(|key| key.state == KeyState::Active).count();
        if active > 1 || keys.len() > limits::RING_KEYS_MAX {
            return Err(OpenError::Malformed);
        }
        Ok(Self { keys, log_key: read_secret(ring.log_key)? })
    }
}

fn read_key(key: KeyIn<'_>) -> Result<RealmKey, OpenError> {
    let private = key.pkcs8.map(read_private).transpose()?;
    let signs = matches!(key.state, KeyState::Prepared | KeyState::Active);
    let belongs = private.as_ref().is_none_or(|private| private.signing.public() == &key.public);
    if signs != private.is_some() || !belongs {
        return Err(OpenError::Malformed);
    }
    let kid = key.public.thumbprint();
    let KeyIn { public, state, created_at, verifies_until, .. } = key;
    Ok(RealmKey { public, kid, state, created_at, verifies_until, private })
}

fn read_private(text: &str) -> Result<Private, OpenError> {
    let pkcs8 = read_secret(text)?;
    let signing = SigningKey::from_pkcs8(pkcs8.as_bytes()).map_err(|_| OpenError::Malformed)?;
    Ok(Private { signing, pkcs8 })
}

fn read_secret(text: &str) -> Result<Pkcs8, OpenError> {
    base64url::decode(text).map(Pkcs8::from_bytes).map_err(|_| OpenError::Malformed)
}
