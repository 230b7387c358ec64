//! Token Status Lists: one bit for each token, by which outsiders see that it no longer holds
//! (draft-ietf-oauth-status-list-21). Our own doors do not read them; they know at once.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::Serialize;

use crate::json::{JsonError, Members};
use crate::jws::{self, Header, JwsError, UnverifiedJws};
use crate::ring::RingError;
use crate::{KeyRing, PublicJwk, base64url, limits};

#[cfg(test)]
mod tests;

const TYPE: &str = "statuslist+jwt";

/// The media type of a Status List Token.
pub const MEDIA_TYPE: &str = "application/statuslist+jwt";

/// Why a status list was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatusListError {
    #[error("a status list has between {} and {} entries", limits::STATUS_ENTRIES_MIN, limits::STATUS_ENTRIES_MAX)]
    Size,
    #[error("the status list has no such entry")]
    Index,
    #[error("the status list is not zlib in base64url, or is larger than one may be")]
    Encoding,
    #[error("the entries of the status list do not have one bit each")]
    Bits,
    #[error("this is not a status list but another kind of document")]
    Type,
    #[error("the status list is for another address")]
    Subject,
    #[error("the status list has expired, or lives longer than one may")]
    Expired,
    #[error("the status list was issued in the future")]
    NotYetValid,
    #[error("the status list cannot be read: {0}")]
    Malformed(#[from] JwsError),
    #[error(transparent)]
    Ring(#[from] RingError),
}

impl From<JsonError> for StatusListError {
    fn from(error: JsonError) -> Self {
        Self::Malformed(JwsError::Claims(error))
    }
}

/// A list with one bit for each entry: 0 means valid, 1 invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusList {
    bytes: Vec<u8>,
}

impl StatusList {
    /// A list of at least `entries` entries, all valid, and never a small one.
    pub fn new(entries: u64) -> Result<Self, StatusListError> {
        let entries = entries.max(limits::STATUS_ENTRIES_MIN);
        if entries > limits::STATUS_ENTRIES_MAX {
            return Err(StatusListError::Size);
        }
        let bytes = usize::try_from(entries.div_ceil(8)).map_err(|_| StatusListError::Size)?;
        Ok(Self { bytes: vec![0; bytes] })
    }

    /// How many entries there are.
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64 * 8
    }

    /// Whether there are none, as in a list that somebody else made.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Says whether the token at `index` is invalid.
    pub fn set(&mut self, index: u64, invalid: bool) -> Result<(), StatusListError> {
        let (byte, bit) = place(index);
        let byte = byte.and_then(|byte| self.bytes.get_mut(byte)).ok_or(StatusListError::Index)?;
        *byte = if invalid { *byte | bit } else { *byte & !bit };
        Ok(())
    }

    /// Whether the token at `index` is invalid. An entry beyond the end is an error, which no reader may take for valid.
    pub fn is_invalid(&self, index: u64) -> Result<bool, StatusListError> {
        let (byte, bit) = place(index);
        let byte = byte.and_then(|byte| self.bytes.get(byte)).ok_or(StatusListError::Index)?;
        Ok(byte & bit != 0)
    }

    /// The list as `lst`: zlib, then base64url.
    pub fn encode(&self) -> Result<String, StatusListError> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&self.bytes).map_err(|_| StatusListError::Encoding)?;
        encoder.finish().map(base64url::encode).map_err(|_| StatusListError::Encoding)
    }

    /// Reads `lst`. It is unpacked only up to the size that a list may have, whatever it claims to be.
    pub fn decode(lst: &str) -> Result<Self, StatusListError> {
        if lst.len() > limits::STATUS_TOKEN_BYTES_MAX {
            return Err(StatusListError::Encoding);
        }
        let packed = base64url::decode(lst).map_err(|_| StatusListError::Encoding)?;
        let bytes_max = limits::STATUS_ENTRIES_MAX / 8;
        let mut bytes = Vec::new();
        let mut decoder = ZlibDecoder::new(packed.as_slice()).take(bytes_max + 1);
        decoder.read_to_end(&mut bytes).map_err(|_| StatusListError::Encoding)?;
        let all_read = decoder.into_inner().total_in() == packed.len() as u64;
        if bytes.len() as u64 > bytes_max || !all_read {
            return Err(StatusListError::Encoding);
        }
        Ok(Self { bytes })
    }
}

/// The byte and the bit of an entry: the first entry is the lowest bit of the first byte.
fn place(index: u64) -> (Option<usize>, u8) {
    (usize::try_from(index / 8).ok(), 1 << (index % 8))
}

/// What a Status List Token says besides the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListTerms<'a> {
    /// The address at which the list is found, as in the tokens that point to it.
    pub uri: &'a str,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// How long it may be kept before it is asked for again, in seconds.
    pub ttl: u64,
}

#[derive(Serialize)]
struct Wire<'a> {
    sub: &'a str,
    iat: i64,
    exp: i64,
    ttl: u64,
    status_list: WireList,
}

#[derive(Serialize)]
struct WireList {
    bits: u8,
    lst: String,
}

/// Signs a list with the realm's active key.
pub fn mint(ring: &KeyRing, list: &StatusList, terms: &ListTerms<'_>) -> Result<String, StatusListError> {
    if !(1..=limits::STATUS_TOKEN_SECONDS_MAX).contains(&terms.exp.saturating_sub(terms.iat)) {
        return Err(StatusListError::Expired);
    }
    let key = ring.signing()?;
    let ListTerms { uri, iat, exp, ttl } = *terms;
    let wire = Wire { sub: uri, iat, exp, ttl, status_list: WireList { bits: 1, lst: list.encode()? } };
    let header = Header { typ: TYPE, kid: Some(key.kid()), jwk: None };
    Ok(jws::sign_within(&header, &wire, key, limits::STATUS_TOKEN_BYTES_MAX)?)
}

/// Reads a Status List Token, if `key` signed it, it is the list of the address `uri`, and it holds now.
pub fn verify(token: &str, key: &PublicJwk, uri: &str, now: i64) -> Result<StatusList, StatusListError> {
    let token = UnverifiedJws::parse_within(token, limits::STATUS_TOKEN_BYTES_MAX)?;
    if !token.is_type(TYPE) {
        return Err(StatusListError::Type);
    }
    let claims = token.verify(key)?;
    if claims.text("sub")? != uri {
        return Err(StatusListError::Subject);
    }
    if claims.seconds("iat")? > now.saturating_add(limits::IAT_AHEAD_SECONDS_MAX) {
        return Err(StatusListError::NotYetValid);
    }
    if claims.optional_seconds("exp")?.is_some_and(|exp| exp <= now) {
        return Err(StatusListError::Expired);
    }
    read(&claims.object("status_list")?)
}

fn read(list: &Members) -> Result<StatusList, StatusListError> {
    if list.optional_whole("bits")? != Some(1) {
        return Err(StatusListError::Bits);
    }
    let lst = list.value("lst").and_then(serde_json::Value::as_str).ok_or(JsonError::NotText("lst"))?;
    StatusList::decode(lst)
}
