//! Why a certificate was refused.

use crate::limits;
use crate::spiffe_id::SpiffeIdError;

/// Why a certificate, or the chain in which it came, was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum X509Error {
    #[error("no certificate was presented")]
    Missing,
    #[error("more than {} intermediate certificates were presented", limits::INTERMEDIATES_MAX)]
    ChainTooLong,
    #[error("a certificate is longer than {} bytes", limits::CERTIFICATE_BYTES_MAX)]
    TooLong,
    #[error("a certificate cannot be read, or is not an X.509 certificate of version 3")]
    Malformed,
    #[error("a certificate demands an extension that is not supported")]
    Extension,
    #[error("a certificate has a key or a signature of a kind that is not accepted")]
    Algorithm,
    #[error("the certificate does not carry exactly one URI")]
    Uri,
    #[error("the URI of the certificate is not a SPIFFE ID: {0}")]
    Id(SpiffeIdError),
    #[error("the SPIFFE ID of the certificate names a trust domain and nothing in it")]
    NoPath,
    #[error("the certificate is that of an authority, which must not be used to authenticate")]
    IsAuthority,
    #[error("the key usage of the certificate is not critical, is not for digital signatures, or is for more")]
    KeyUsage,
    #[error("the extended key usage of the certificate is not both that of a server and that of a client")]
    ExtendedKeyUsage,
    #[error("an issuer in the chain is not an authority that may sign certificates")]
    NotAnAuthority,
    #[error("an authority in the chain does not allow this SPIFFE ID, or constrains names that are not URIs")]
    Constrained,
    #[error("an authority in the chain allows fewer intermediate authorities than there are")]
    PathLength,
    #[error("no authority of the trust domain has signed the certificate")]
    UnknownAuthority,
    #[error("the signature of a certificate does not match")]
    Signature,
    #[error("a certificate in the chain has expired")]
    Expired,
    #[error("a certificate in the chain is not valid yet")]
    NotYetValid,
    #[error("the certificate belongs to another trust domain than the bundle that it was held against")]
    TrustDomain,
}

impl X509Error {
    /// A short name that never changes, for records and machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "certificate_missing",
            Self::ChainTooLong | Self::TooLong | Self::Malformed | Self::Extension => "certificate_malformed",
            Self::Algorithm => "certificate_algorithm",
            Self::Uri | Self::Id(_) | Self::NoPath => "certificate_name",
            Self::IsAuthority | Self::KeyUsage | Self::ExtendedKeyUsage => "certificate_profile",
            Self::NotAnAuthority | Self::Constrained | Self::PathLength | Self::UnknownAuthority => {
                "certificate_authority"
            }
            Self::Signature => "certificate_signature",
            Self::Expired => "certificate_expired",
            Self::NotYetValid => "certificate_not_yet_valid",
            Self::TrustDomain => "certificate_trust_domain",
        }
    }

    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Expired => "fetch a new X.509-SVID from the Workload API",
            Self::NotYetValid => "set the clocks of both machines right",
            Self::TrustDomain | Self::UnknownAuthority => {
                "present an X.509-SVID of this realm, or have its trust domain configured under `[[identity.federation]]`"
            }
            Self::Missing => "present an X.509-SVID as the client certificate",
            _ => "present an X.509-SVID as the Workload API gave it, followed by its intermediate certificates",
        }
    }
}
