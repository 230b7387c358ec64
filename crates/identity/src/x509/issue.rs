//! Certificates of our own: that of the realm's authority, and those of workloads under it.

use std::net::IpAddr;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SignatureAlgorithm,
};
use x509_parser::time::ASN1Time;

use crate::key::KeyError;
use crate::random::random_bytes;
use crate::ring::RingError;
use crate::{KeyRing, Pkcs8, SigningKey, SpiffeId, limits};

/// Why an SVID was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    #[error("an SVID of this kind lives from 1 to {0} seconds")]
    Lifetime(i64),
    #[error("the SPIFFE ID `{0}` names nothing in the trust domain of this realm")]
    Id(SpiffeId),
    #[error("an SVID carries at most {} DNS names and as many addresses", limits::SVID_NAMES_MAX)]
    TooManyNames,
    #[error("`{0}` is not a DNS name")]
    DnsName(String),
    #[error(transparent)]
    Ring(#[from] RingError),
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl IssueError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Lifetime(_) => "ask for a shorter life; SVIDs are renewed long before they end",
            Self::Id(_) => "ask for the name of an agent, a run or a door of this realm",
            Self::TooManyNames | Self::DnsName(_) => "ask for few plain host names, in lower case and without a star",
            Self::Ring(error) => error.help(),
            Self::Key(_) => "try again; if it stays, look at the machine",
        }
    }
}

/// What an X.509-SVID shall say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SvidRequest {
    /// Whose it is.
    pub id: SpiffeId,
    /// How long it lives, in seconds: 1 to [`limits::X509_SVID_SECONDS_MAX`]. It never outlives its authority.
    pub ttl_seconds: i64,
    /// Host names, for servers that others than SPIFFE workloads call.
    pub dns_names: Vec<String>,
    /// Addresses, likewise.
    pub ip_addresses: Vec<IpAddr>,
}

impl SvidRequest {
    /// A request that carries no names but the SPIFFE ID.
    pub fn new(id: SpiffeId, ttl_seconds: i64) -> Self {
        Self { id, ttl_seconds, dns_names: Vec::new(), ip_addresses: Vec::new() }
    }
}

/// A fresh X.509-SVID with its private key.
#[derive(Debug, Clone)]
pub struct X509Svid {
    /// Whose it is.
    pub id: SpiffeId,
    /// The certificates in DER form, leaf first. The authority's own is in the bundle and not here.
    pub chain: Vec<Vec<u8>>,
    /// The private key of the leaf.
    pub key_pkcs8: Pkcs8,
    /// The serial number, in lower-case hexadecimal digits.
    pub serial: String,
    /// The last second in which it is valid, in seconds since 1970.
    pub not_after: i64,
    /// The name of the authority's key that signed it.
    pub authority: String,
}

/// Makes a key pair and its certificate, signed by the realm's active authority.
///
/// # Errors
///
/// See [`IssueError`].
pub fn issue(ring: &KeyRing, request: &SvidRequest, now: i64) -> Result<X509Svid, IssueError> {
    if !(1..=limits::X509_SVID_SECONDS_MAX).contains(&request.ttl_seconds) {
        return Err(IssueError::Lifetime(limits::X509_SVID_SECONDS_MAX));
    }
    let authority = ring.certifying(now)?;
    if !request.id.has_path() || ring.trust_domain() != Some(request.id.trust_domain()) {
        return Err(IssueError::Id(request.id.clone()));
    }
    let not_after = now.saturating_add(request.ttl_seconds).min(authority.not_after);
    let serial = serial()?;
    let mut params = params(&request.id, now, not_after, serial.clone())?;
    params.subject_alt_names.extend(other_names(request)?);
    params.distinguished_name.push(DnType::OrganizationName, ORGANIZATION);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    let (subject, key_pkcs8) = SigningKey::generate()?;
    let mut above = CertificateParams::default();
    above.distinguished_name = authority_name(authority.key);
    let issuer = Issuer::from_params(&above, Pair::of(authority.key));
    let leaf = params.signed_by(&Pair::of(&subject), &issuer).map_err(|_| KeyError::Certificate)?;
    Ok(X509Svid {
        id: request.id.clone(),
        chain: vec![leaf.der().to_vec()],
        key_pkcs8,
        serial: serial.iter().map(|byte| format!("{byte:02x}")).collect(),
        not_after,
        authority: authority.key.kid().to_owned(),
    })
}

/// The certificate of the authority of `trust_domain` whose key is `key` (X509-SVID section 4), valid for
/// [`limits::CA_SECONDS`]. It has no authorities below it.
pub(crate) fn self_signed(key: &SigningKey, trust_domain: &SpiffeId, now: i64) -> Result<Vec<u8>, KeyError> {
    let mut params = params(trust_domain, now, now.saturating_add(limits::CA_SECONDS), serial()?)?;
    params.distinguished_name = authority_name(key);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&Pair::of(key)).map_err(|_| KeyError::Certificate)?;
    Ok(certificate.der().to_vec())
}

const ORGANIZATION: &str = "Remit";

/// Each authority has a name of its own, so that during rotation a certificate points to one of two.
fn authority_name(key: &SigningKey) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, ORGANIZATION);
    name.push(DnType::CommonName, format!("Authority {}", key.kid()));
    name
}

/// What both kinds of certificate share. The SPIFFE ID is the only URI of either.
fn params(id: &SpiffeId, now: i64, not_after: i64, serial: Vec<u8>) -> Result<CertificateParams, KeyError> {
    let moment = |seconds| ASN1Time::from_timestamp(seconds).map(|time| time.to_datetime());
    let mut params = CertificateParams::default();
    params.not_before =
        moment(now.saturating_sub(limits::CERTIFICATE_BACKDATE_SECONDS)).map_err(|_| KeyError::Certificate)?;
    params.not_after = moment(not_after).map_err(|_| KeyError::Certificate)?;
    params.serial_number = Some(SerialNumber::from(serial));
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names = vec![SanType::URI(id.as_str().try_into().map_err(|_| KeyError::Certificate)?)];
    Ok(params)
}

fn other_names(request: &SvidRequest) -> Result<Vec<SanType>, IssueError> {
    if request.dns_names.len() > limits::SVID_NAMES_MAX || request.ip_addresses.len() > limits::SVID_NAMES_MAX {
        return Err(IssueError::TooManyNames);
    }
    let dns = request.dns_names.iter().map(|name| {
        let refused = || IssueError::DnsName(name.clone());
        if !is_dns_name(name) {
            return Err(refused());
        }
        name.as_str().try_into().map(SanType::DnsName).map_err(|_| refused())
    });
    let addresses = request.ip_addresses.iter().map(|address| Ok(SanType::IpAddress(*address)));
    dns.chain(addresses).collect()
}

fn is_dns_name(name: &str) -> bool {
    let label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= limits::DNS_NAME_BYTES_MAX && name.split('.').all(label)
}

/// A random number that is positive and always of the same length.
fn serial() -> Result<Vec<u8>, KeyError> {
    let mut bytes = random_bytes::<{ limits::SERIAL_BYTES }>().map_err(|_| KeyError::Generate)?.to_vec();
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x3f) | 0x40;
    }
    Ok(bytes)
}

/// A key of ours as the certificate writer takes it.
struct Pair<'a> {
    key: &'a SigningKey,
    point: Vec<u8>,
}

impl<'a> Pair<'a> {
    fn of(key: &'a SigningKey) -> Self {
        Self { key, point: key.public().point() }
    }
}

impl PublicKeyData for Pair<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Pair<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.key.sign_der(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}
