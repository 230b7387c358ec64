//! Proof that a certificate is an SVID of a trust domain that we know.

use super::X509Error;
use super::authority::{Authority, check_validity};
use super::certificate::Certificate;
use crate::{Bundle, SpiffeId, base64url, digest, limits};

/// Who presented a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSvid {
    /// Who it is.
    pub id: SpiffeId,
    /// SHA-256 of the certificate that was presented, in base64url: `x5t#S256` (RFC 8705 section 3.1).
    pub certificate_sha256: String,
    /// The serial number, in lower-case hexadecimal digits.
    pub serial: String,
    /// When it was made, as far as its first valid second tells, in seconds since 1970.
    pub issued_at: i64,
    /// The last second in which it is valid, in seconds since 1970.
    pub not_after: i64,
}

/// A certificate chain that nobody has checked yet: the form of its leaf is that of an SVID, and no more is known.
#[derive(Debug, Clone)]
pub struct UnverifiedSvid<'a> {
    der: &'a [u8],
    leaf: Certificate<'a>,
    intermediates: Vec<&'a [u8]>,
    id: SpiffeId,
}

impl<'a> UnverifiedSvid<'a> {
    /// Reads a chain as it was presented, leaf first.
    ///
    /// # Errors
    ///
    /// See [`X509Error`]: what is said about the leaf alone.
    pub fn read<C: AsRef<[u8]>>(chain: &'a [C]) -> Result<Self, X509Error> {
        let (leaf, intermediates) = chain.split_first().ok_or(X509Error::Missing)?;
        if intermediates.len() > limits::INTERMEDIATES_MAX {
            return Err(X509Error::ChainTooLong);
        }
        let der = leaf.as_ref();
        let leaf = Certificate::read(der)?;
        let id = leaf.id()?;
        leaf.check_leaf()?;
        if !id.has_path() {
            return Err(X509Error::NoPath);
        }
        Ok(Self { der, leaf, intermediates: intermediates.iter().map(AsRef::as_ref).collect(), id })
    }

    /// The name that the certificate claims, for finding the bundle of its trust domain and nothing else.
    pub fn claimed_id(&self) -> &SpiffeId {
        &self.id
    }

    /// Who it is, if an authority in `bundle` vouches for it at `now`.
    ///
    /// # Errors
    ///
    /// See [`X509Error`]; among them, that `bundle` is that of another trust domain.
    pub fn verify(self, bundle: &Bundle, now: i64) -> Result<PeerSvid, X509Error> {
        if bundle.trust_domain() != self.id.trust_domain() {
            return Err(X509Error::TrustDomain);
        }
        let validity = self.leaf.validity();
        check_validity(&validity, now)?;
        let (serial, not_after) = (self.leaf.serial(), *validity.end());
        check_chain(self.leaf, &self.intermediates, bundle, &self.id, now)?;
        let issued_at = validity.start().saturating_add(limits::CERTIFICATE_BACKDATE_SECONDS);
        let certificate_sha256 = base64url::encode(digest::sha256(self.der));
        Ok(PeerSvid { id: self.id, certificate_sha256, serial, issued_at, not_after })
    }
}

/// Who presented `chain`, leaf first, if `bundle` is that of the trust domain that it claims and vouches for it at `now`.
///
/// # Errors
///
/// See [`X509Error`].
pub fn verify<C: AsRef<[u8]>>(chain: &[C], bundle: &Bundle, now: i64) -> Result<PeerSvid, X509Error> {
    UnverifiedSvid::read(chain)?.verify(bundle, now)
}

/// Climbs from the leaf until an authority of the bundle has signed. The intermediates must come in order; what stands
/// above the one that an authority has signed is not looked at.
fn check_chain(
    leaf: Certificate<'_>,
    intermediates: &[&[u8]],
    bundle: &Bundle,
    id: &SpiffeId,
    now: i64,
) -> Result<(), X509Error> {
    let mut child = leaf;
    for below in 0..=intermediates.len() {
        if let Some(found) = anchor(&child, bundle.x509_authorities(), id, below, now) {
            return found;
        }
        let Some(next) = intermediates.get(below) else { break };
        let issuer = Authority::read(next)?;
        check_signed(&child, &issuer)?;
        issuer.check(id, below, now)?;
        child = Certificate::read(next)?;
    }
    Err(X509Error::UnknownAuthority)
}

/// Whether an authority of the bundle has signed `child`, or nothing if none bears the name of its issuer. Where several
/// do, one that fits is enough.
fn anchor(
    child: &Certificate<'_>,
    authorities: &[Authority],
    id: &SpiffeId,
    below: usize,
    now: i64,
) -> Option<Result<(), X509Error>> {
    let mut found = None;
    for authority in authorities.iter().filter(|authority| authority.is_named(child.issuer())) {
        let fits = check_signed(child, authority).and_then(|()| authority.check(id, below, now));
        if fits.is_ok() {
            return Some(fits);
        }
        found = Some(fits);
    }
    found
}

fn check_signed(child: &Certificate<'_>, issuer: &Authority) -> Result<(), X509Error> {
    if !issuer.is_named(child.issuer()) {
        return Err(X509Error::UnknownAuthority);
    }
    if child.is_signed_by(issuer.key())? { Ok(()) } else { Err(X509Error::Signature) }
}
