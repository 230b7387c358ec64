//! One certificate, read strictly.
//!
//! Everything that is said about a certificate is read from the bytes that its signature covers, and the digest by which
//! it is known is that of the very bytes that were presented.

use std::ops::RangeInclusive;

use aws_lc_rs::signature;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION, OID_PKCS1_SHA256WITHRSA,
    OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384,
    OID_SIG_ECDSA_WITH_SHA512,
};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Version};

use super::X509Error;
use crate::verifying_key::{Curve, Scheme};
use crate::{SpiffeId, VerifyingKey, limits};

/// Longest serial number, in bytes: 20 (RFC 5280 section 4.1.2.2), and a leading zero.
const SERIAL_BYTES_MAX: usize = 21;

/// A certificate whose form is sound. Nothing is known yet about who signed it.
#[derive(Debug, Clone)]
pub(super) struct Certificate<'a> {
    parsed: X509Certificate<'a>,
    key: VerifyingKey,
}

impl<'a> Certificate<'a> {
    pub fn read(der: &'a [u8]) -> Result<Self, X509Error> {
        if der.len() > limits::CERTIFICATE_BYTES_MAX {
            return Err(X509Error::TooLong);
        }
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| X509Error::Malformed)?;
        if !rest.is_empty() || parsed.version() != X509Version::V3 || parsed.raw_serial().len() > SERIAL_BYTES_MAX {
            return Err(X509Error::Malformed);
        }
        // The algorithm stands once inside what is signed and once outside; only agreement keeps it from being changed.
        if parsed.tbs_certificate.signature != parsed.signature_algorithm {
            return Err(X509Error::Malformed);
        }
        check_extensions(&parsed)?;
        let key = public_key(parsed.public_key())?;
        Ok(Self { parsed, key })
    }

    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    pub fn subject(&self) -> &[u8] {
        self.parsed.subject().as_raw()
    }

    pub fn issuer(&self) -> &[u8] {
        self.parsed.issuer().as_raw()
    }

    /// The serial number in lower-case hexadecimal digits, without the zero that only says that it is not negative.
    pub fn serial(&self) -> String {
        let raw = self.parsed.raw_serial();
        let digits = match raw {
            [0, rest @ ..] if !rest.is_empty() => rest,
            _ => raw,
        };
        digits.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// First and last second of validity.
    pub fn validity(&self) -> RangeInclusive<i64> {
        let validity = self.parsed.validity();
        validity.not_before.timestamp()..=validity.not_after.timestamp()
    }

    /// The SPIFFE ID, if there is exactly one URI and it is one (X509-SVID section 2).
    pub fn id(&self) -> Result<SpiffeId, X509Error> {
        let names = self.parsed.subject_alternative_name().map_err(|_| X509Error::Malformed)?;
        let names = names.map(|names| names.value.general_names.as_slice()).unwrap_or_default();
        let mut uris = names.iter().filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
        match (uris.next(), uris.next()) {
            (Some(uri), None) => SpiffeId::parse(uri).map_err(X509Error::Id),
            _ => Err(X509Error::Uri),
        }
    }

    /// What X509-SVID section 5.2 and chapter 4 demand of the certificate of a workload.
    pub fn check_leaf(&self) -> Result<(), X509Error> {
        let malformed = |_| X509Error::Malformed;
        let constraints = self.parsed.basic_constraints().map_err(malformed)?;
        if constraints.is_some_and(|constraints| constraints.value.ca) {
            return Err(X509Error::IsAuthority);
        }
        let usage = self.parsed.key_usage().map_err(malformed)?.ok_or(X509Error::KeyUsage)?;
        if usage.value.key_cert_sign() || usage.value.crl_sign() {
            return Err(X509Error::IsAuthority);
        }
        if !usage.critical || !usage.value.digital_signature() {
            return Err(X509Error::KeyUsage);
        }
        let extended = self.parsed.extended_key_usage().map_err(malformed)?;
        if extended.is_some_and(|usage| !(usage.value.server_auth && usage.value.client_auth)) {
            return Err(X509Error::ExtendedKeyUsage);
        }
        Ok(())
    }

    /// Whether this is the certificate of an authority, and how many others may stand below it, if that is bounded.
    pub fn check_authority(&self) -> Result<Option<u32>, X509Error> {
        let constraints = self.parsed.basic_constraints().map_err(|_| X509Error::Malformed)?;
        let constraints = constraints.filter(|constraints| constraints.value.ca).ok_or(X509Error::NotAnAuthority)?;
        let usage = self.parsed.key_usage().map_err(|_| X509Error::Malformed)?;
        if usage.is_none_or(|usage| !usage.value.key_cert_sign()) {
            return Err(X509Error::NotAnAuthority);
        }
        Ok(constraints.value.path_len_constraint)
    }

    /// The names that an authority permits and excludes below it. Constraints on other names than URIs are refused
    /// rather than overlooked: we could not say that they are met.
    pub fn uri_constraints(&self) -> Result<(Vec<String>, Vec<String>), X509Error> {
        let constraints = self.parsed.name_constraints().map_err(|_| X509Error::Malformed)?;
        let Some(constraints) = constraints.map(|constraints| constraints.value) else {
            return Ok((Vec::new(), Vec::new()));
        };
        let hosts = |trees: &Option<Vec<x509_parser::extensions::GeneralSubtree<'_>>>| {
            let trees = trees.as_deref().unwrap_or_default();
            let host = |tree: &x509_parser::extensions::GeneralSubtree<'_>| match &tree.base {
                GeneralName::URI(host) => Ok((*host).to_owned()),
                _ => Err(X509Error::Constrained),
            };
            trees.iter().map(host).collect::<Result<Vec<_>, _>>()
        };
        Ok((hosts(&constraints.permitted_subtrees)?, hosts(&constraints.excluded_subtrees)?))
    }

    /// Whether `key` signed this certificate.
    pub fn is_signed_by(&self, key: &VerifyingKey) -> Result<bool, X509Error> {
        let scheme = scheme(&self.parsed, key.curve())?;
        let signature = &self.parsed.signature_value;
        if signature.unused_bits != 0 {
            return Err(X509Error::Malformed);
        }
        Ok(key.verifies_by(scheme, self.parsed.tbs_certificate.as_ref(), &signature.data))
    }
}

/// Every extension at most once, none damaged, and none critical that is not heeded (RFC 5280 section 4.2).
fn check_extensions(parsed: &X509Certificate<'_>) -> Result<(), X509Error> {
    parsed.extensions_map().map_err(|_| X509Error::Malformed)?;
    for extension in parsed.extensions() {
        match extension.parsed_extension() {
            // The library reads a damaged one as if it were not there.
            ParsedExtension::ParseError { .. } => return Err(X509Error::Malformed),
            ParsedExtension::SubjectAlternativeName(names)
                if names.general_names.iter().any(|name| matches!(name, GeneralName::Invalid(..))) =>
            {
                return Err(X509Error::Malformed);
            }
            ParsedExtension::SubjectAlternativeName(_)
            | ParsedExtension::BasicConstraints(_)
            | ParsedExtension::KeyUsage(_)
            | ParsedExtension::ExtendedKeyUsage(_)
            | ParsedExtension::NameConstraints(_) => {}
            _ if extension.critical => return Err(X509Error::Extension),
            _ => {}
        }
    }
    Ok(())
}

/// The algorithm with which a certificate is signed, given the curve of its issuer's key: X.509 names the digest only.
fn scheme(parsed: &X509Certificate<'_>, issuer: Option<Curve>) -> Result<Scheme, X509Error> {
    let algorithm = &parsed.signature_algorithm.algorithm;
    let is = |oid| *algorithm == oid;
    if is(OID_PKCS1_SHA256WITHRSA) {
        return Ok(Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256));
    }
    if is(OID_PKCS1_SHA384WITHRSA) {
        return Ok(Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384));
    }
    if is(OID_PKCS1_SHA512WITHRSA) {
        return Ok(Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512));
    }
    let digest_bits = match () {
        () if is(OID_SIG_ECDSA_WITH_SHA256) => 256,
        () if is(OID_SIG_ECDSA_WITH_SHA384) => 384,
        () if is(OID_SIG_ECDSA_WITH_SHA512) => 512,
        () => return Err(X509Error::Algorithm),
    };
    Ok(Scheme::Ecdsa(match (issuer, digest_bits) {
        (Some(Curve::P256), 256) => &signature::ECDSA_P256_SHA256_ASN1,
        (Some(Curve::P256), 384) => &signature::ECDSA_P256_SHA384_ASN1,
        (Some(Curve::P256), _) => &signature::ECDSA_P256_SHA512_ASN1,
        (Some(Curve::P384), 256) => &signature::ECDSA_P384_SHA256_ASN1,
        (Some(Curve::P384), 384) => &signature::ECDSA_P384_SHA384_ASN1,
        (Some(Curve::P384), _) => &signature::ECDSA_P384_SHA512_ASN1,
        (Some(Curve::P521) | None, _) => return Err(X509Error::Algorithm),
    }))
}

fn public_key(info: &SubjectPublicKeyInfo<'_>) -> Result<VerifyingKey, X509Error> {
    let algorithm = &info.algorithm;
    if algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let curve = algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
        let curve = match curve {
            Some(oid) if oid == OID_EC_P256 => Curve::P256,
            Some(oid) if oid == OID_NIST_EC_P384 => Curve::P384,
            _ => return Err(X509Error::Algorithm),
        };
        let point = info.subject_public_key.data.to_vec();
        return VerifyingKey::from_point(curve, point).map_err(|_| X509Error::Malformed);
    }
    if algorithm.algorithm != OID_PKCS1_RSAENCRYPTION {
        return Err(X509Error::Algorithm);
    }
    let Ok(PublicKey::RSA(key)) = info.parsed() else { return Err(X509Error::Malformed) };
    // A zero in front says that the number is not negative.
    let bare = |number: &[u8]| number.strip_prefix(&[0]).unwrap_or(number).to_vec();
    VerifyingKey::from_rsa(bare(key.modulus), bare(key.exponent)).map_err(|_| X509Error::Algorithm)
}
