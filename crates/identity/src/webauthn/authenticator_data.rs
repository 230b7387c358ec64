//! What the authenticator says of itself and of who is there (section 6.1).

use super::cbor::{self, Cbor};
use super::{Expect, WebauthnError};
use crate::{digest, limits};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;
/// Hash of the relying party's id, flags and count.
const HEAD_BYTES: usize = 37;
const AAGUID_BYTES: usize = 16;

/// Authenticator data, read.
#[derive(Debug)]
pub(super) struct AuthenticatorData {
    pub(super) rp_id_hash: [u8; 32],
    flags: u8,
    pub(super) sign_count: u32,
    /// The id and the key (COSE, RFC 9052) of a new credential.
    pub(super) attested: Option<(Vec<u8>, Cbor)>,
}

impl AuthenticatorData {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, WebauthnError> {
        Self::read(bytes).ok_or(WebauthnError::AuthenticatorData)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (head, mut rest) = bytes.split_at_checked(HEAD_BYTES)?;
        let (rp_id_hash, tail) = head.split_first_chunk::<32>()?;
        let (flags, count) = tail.split_first()?;
        let sign_count = u32::from_be_bytes(count.try_into().ok()?);
        let mut attested = None;
        if flags & ATTESTED != 0 {
            let (_aaguid, after) = rest.split_at_checked(AAGUID_BYTES)?;
            let (length, after) = after.split_first_chunk::<2>()?;
            let length = usize::from(u16::from_be_bytes(*length));
            if length == 0 || length > limits::CREDENTIAL_ID_BYTES_MAX {
                return None;
            }
            let (id, after) = after.split_at_checked(length)?;
            let (key, after) = cbor::parse_first(after)?;
            attested = Some((id.to_vec(), key));
            rest = after;
        }
        if flags & EXTENSIONS != 0 {
            // None was asked for, and whatever is said is not used.
            let (extensions, after) = cbor::parse_first(rest)?;
            rest = matches!(extensions, Cbor::Map(_)).then_some(after)?;
        }
        // What is backed up could be (section 6.1.3).
        let sound = flags & BACKED_UP == 0 || flags & BACKUP_ELIGIBLE != 0;
        (rest.is_empty() && sound).then_some(Self { rp_id_hash: *rp_id_hash, flags: *flags, sign_count, attested })
    }

    /// Whether it was made for this relying party with a person there whom the authenticator knows.
    pub(super) fn must_be_for(&self, expect: &Expect<'_>) -> Result<(), WebauthnError> {
        if self.rp_id_hash != digest::sha256(expect.rp_id.as_bytes()) {
            return Err(WebauthnError::RelyingParty);
        }
        self.must_be_attended()
    }

    pub(super) fn must_be_attended(&self) -> Result<(), WebauthnError> {
        if self.flags & PRESENT == 0 {
            return Err(WebauthnError::NotPresent);
        }
        if self.flags & VERIFIED == 0 { Err(WebauthnError::NotVerified) } else { Ok(()) }
    }

    pub(super) fn is_backed_up(&self) -> bool {
        self.flags & BACKED_UP != 0
    }
}
