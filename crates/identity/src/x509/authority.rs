//! An authority of a trust domain: a certificate that may sign those of workloads.

use std::ops::RangeInclusive;

use super::X509Error;
use super::certificate::Certificate;
use crate::{SpiffeId, VerifyingKey};

/// The certificate of an authority, read and found fit to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    der: Vec<u8>,
    subject: Vec<u8>,
    key: VerifyingKey,
    validity: RangeInclusive<i64>,
    intermediates_max: Option<u32>,
    permitted: Vec<String>,
    excluded: Vec<String>,
}

impl Authority {
    /// Reads the certificate of an authority in DER form. Its own signature is not looked at: an authority is trusted
    /// because of where its certificate came from.
    ///
    /// # Errors
    ///
    /// See [`X509Error`]; a certificate that is not that of an authority is one.
    pub fn read(der: &[u8]) -> Result<Self, X509Error> {
        let certificate = Certificate::read(der)?;
        let intermediates_max = certificate.check_authority()?;
        let (permitted, excluded) = certificate.uri_constraints()?;
        Ok(Self {
            der: der.to_vec(),
            subject: certificate.subject().to_vec(),
            key: certificate.key().clone(),
            validity: certificate.validity(),
            intermediates_max,
            permitted,
            excluded,
        })
    }

    /// The certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its public key.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The last second in which it is valid, in seconds since 1970.
    pub fn not_after(&self) -> i64 {
        *self.validity.end()
    }

    pub(crate) fn is_named(&self, subject: &[u8]) -> bool {
        self.subject == subject
    }

    /// Whether it may stand above `below` other authorities in a chain to `id` at `now`.
    pub(super) fn check(&self, id: &SpiffeId, below: usize, now: i64) -> Result<(), X509Error> {
        check_validity(&self.validity, now)?;
        let allowed = self.intermediates_max.and_then(|most| usize::try_from(most).ok());
        if allowed.is_some_and(|most| below > most) {
            return Err(X509Error::PathLength);
        }
        let host = id.trust_domain();
        let permitted = self.permitted.is_empty() || self.permitted.iter().any(|name| covers(name, host));
        if !permitted || self.excluded.iter().any(|name| covers(name, host)) {
            return Err(X509Error::Constrained);
        }
        Ok(())
    }
}

/// A constraint names one host, or with a leading dot all hosts below one (RFC 5280 section 4.2.1.10).
fn covers(constraint: &str, host: &str) -> bool {
    let constraint = constraint.to_ascii_lowercase();
    if constraint.starts_with('.') {
        host.len() > constraint.len() && host.ends_with(&constraint)
    } else {
        host == constraint
    }
}

pub(super) fn check_validity(validity: &RangeInclusive<i64>, now: i64) -> Result<(), X509Error> {
    if now < *validity.start() {
        Err(X509Error::NotYetValid)
    } else if now > *validity.end() {
        Err(X509Error::Expired)
    } else {
        Ok(())
    }
}
