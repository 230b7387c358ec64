use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, RsaKeySize, SanType, SerialNumber,
};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

use super::certificate::Certificate;
use super::*;
use crate::ring::RingError;
use crate::spiffe_id::SpiffeIdError;
use crate::{Bundle, KeyRing, Purpose, SigningKey, SpiffeId, base64url, digest, limits};

const NOW: i64 = 1_800_000_000;
const AGENT: &str = "spiffe://example.org/agent/triage/production";

fn id(text: &str) -> SpiffeId {
    SpiffeId::parse(text).unwrap()
}

fn ring() -> KeyRing {
    let mut ring = KeyRing::new(NOW).unwrap();
    ring.ensure_ca("example.org", NOW).unwrap();
    ring
}

fn svid(ring: &KeyRing, now: i64) -> X509Svid {
    issue(ring, &SvidRequest::new(id(AGENT), 3_600), now).unwrap()
}

#[test]
fn what_is_issued_verifies() {
    let ring = ring();
    let svid = svid(&ring, NOW);
    let peer = verify(&svid.chain, &ring.bundle(NOW).unwrap(), NOW).unwrap();
    assert_eq!(peer.id.as_str(), AGENT);
    assert_eq!(peer.certificate_sha256, base64url::encode(digest::sha256(&svid.chain[0])));
    assert_eq!((peer.serial, peer.not_after), (svid.serial, NOW + 3_600));
    assert_eq!(svid.authority, ring.active(Purpose::Ca).unwrap().kid());
}

#[test]
fn the_leaf_is_to_the_profile() {
    let ring = ring();
    let request = SvidRequest {
        dns_names: vec!["gate.example.org".to_owned()],
        ip_addresses: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
        ..SvidRequest::new(id(AGENT), 60)
    };
    let svid = issue(&ring, &request, NOW).unwrap();
    assert_eq!(svid.chain.len(), 1);
    let (rest, leaf) = X509Certificate::from_der(&svid.chain[0]).unwrap();
    assert!(rest.is_empty());
    let names = leaf.subject_alternative_name().unwrap().unwrap();
    let names: Vec<String> = names
        .value
        .general_names
        .iter()
        .map(|name| match name {
            GeneralName::URI(uri) => format!("uri {uri}"),
            GeneralName::DNSName(name) => format!("dns {name}"),
            GeneralName::IPAddress(bytes) => format!("ip {}", bytes.len()),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(names, [&format!("uri {AGENT}"), "dns gate.example.org", "ip 4", "ip 16"]);
    assert!(!leaf.basic_constraints().unwrap().unwrap().value.ca);
    let usage = leaf.key_usage().unwrap().unwrap();
    assert!(usage.critical && usage.value.flags == 1, "digital signatures and nothing else");
    let extended = leaf.extended_key_usage().unwrap().unwrap();
    assert!(extended.value.server_auth && extended.value.client_auth && !extended.value.any);
    assert_eq!(leaf.validity().not_before.timestamp(), NOW - 10);
    assert_eq!(leaf.validity().not_after.timestamp(), NOW + 60);
    assert_eq!(leaf.raw_serial().len(), limits::SERIAL_BYTES);
    let key = SigningKey::from_pkcs8(svid.key_pkcs8.as_bytes()).unwrap();
    assert_eq!(leaf.public_key().subject_public_key.data.as_ref(), key.public().point());
    assert_ne!(svid.serial, super::tests::svid(&ring, NOW).serial);
}

#[test]
fn the_authority_is_to_the_profile() {
    let ring = ring();
    let der = ring.active(Purpose::Ca).unwrap().authority().unwrap().der().to_vec();
    let (_, authority) = X509Certificate::from_der(&der).unwrap();
    let names = authority.subject_alternative_name().unwrap().unwrap();
    assert_eq!(names.value.general_names, [GeneralName::URI("spiffe://example.org")]);
    let constraints = authority.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && constraints.value.ca && constraints.value.path_len_constraint == Some(0));
    let usage = authority.key_usage().unwrap().unwrap();
    assert!(usage.critical && usage.value.key_cert_sign() && usage.value.crl_sign());
    assert!(!usage.value.digital_signature());
    assert_eq!(authority.validity().not_after.timestamp(), NOW + 365 * 86_400);
    let own = Certificate::read(&der).unwrap();
    assert_eq!(own.is_signed_by(own.key()), Ok(true));
    assert_eq!(verify(&[der], &ring.bundle(NOW).unwrap(), NOW), Err(X509Error::IsAuthority));
}

#[test]
fn an_svid_never_outlives_its_authority() {
    let ring = ring();
    let late = NOW + limits::CA_SECONDS - 100;
    assert_eq!(svid(&ring, late).not_after, NOW + limits::CA_SECONDS);
    let after = NOW + limits::CA_SECONDS + 1;
    let refused = issue(&ring, &SvidRequest::new(id(AGENT), 60), after).unwrap_err();
    assert_eq!(refused, IssueError::Ring(RingError::NoActiveKey(Purpose::Ca)));
    assert!(ring.bundle(after).unwrap().x509_authorities().is_empty());
}

#[test]
fn what_cannot_be_an_svid_of_this_realm_is_not_issued() {
    let ring = ring();
    let refused = |request: &SvidRequest| issue(&ring, request, NOW).unwrap_err();
    for ttl_seconds in [0, -1, limits::X509_SVID_SECONDS_MAX + 1] {
        assert!(matches!(refused(&SvidRequest::new(id(AGENT), ttl_seconds)), IssueError::Lifetime(_)));
    }
    for other in ["spiffe://example.org", "spiffe://example.com/agent/a/b"] {
        assert_eq!(refused(&SvidRequest::new(id(other), 60)), IssueError::Id(id(other)));
    }
    for name in ["", "*.example.org", "a..b", "-a", "a-", "A.example", "a b", "spiffe://x"] {
        let request = SvidRequest { dns_names: vec![name.to_owned()], ..SvidRequest::new(id(AGENT), 60) };
        assert_eq!(refused(&request), IssueError::DnsName(name.to_owned()), "{name}");
    }
    let many = SvidRequest { dns_names: vec!["a".to_owned(); 17], ..SvidRequest::new(id(AGENT), 60) };
    assert_eq!(refused(&many), IssueError::TooManyNames);
    let bare = KeyRing::new(NOW).unwrap();
    assert!(matches!(issue(&bare, &SvidRequest::new(id(AGENT), 60), NOW), Err(IssueError::Ring(_))));
}

#[test]
fn an_svid_outlives_the_rotation_of_its_authority() {
    let mut ring = ring();
    let long = issue(&ring, &SvidRequest::new(id(AGENT), limits::X509_SVID_SECONDS_MAX), NOW).unwrap();
    let next = ring.prepare(Purpose::Ca, NOW).unwrap();
    assert_eq!(ring.bundle(NOW).unwrap().x509_authorities().len(), 2, "a prepared authority is published");
    assert_eq!(ring.activate(Purpose::Ca, NOW).unwrap(), next);
    let newer = svid(&ring, NOW);
    assert_eq!(newer.authority, next);
    let end = long.not_after;
    assert!(verify(&newer.chain, &ring.bundle(NOW).unwrap(), NOW).is_ok());
    assert!(verify(&long.chain, &ring.bundle(end).unwrap(), end).is_ok());
    assert_eq!(verify(&long.chain, &ring.bundle(end).unwrap(), end + 1), Err(X509Error::Expired));
    let over = NOW + limits::RETIRED_CA_SECONDS;
    assert_eq!(ring.bundle(over).unwrap().x509_authorities().len(), 1);
}

/// An authority as another trust domain might run one, with everything about it for a test to spoil.
struct Foreign {
    params: CertificateParams,
    key: KeyPair,
}

impl Foreign {
    fn new() -> Self {
        Self::with_key(KeyPair::generate().unwrap())
    }

    fn with_key(key: KeyPair) -> Self {
        Self { params: authority_params("root", "spiffe://foreign.test"), key }
    }

    fn der(&self) -> Vec<u8> {
        self.params.self_signed(&self.key).unwrap().der().to_vec()
    }

    fn bundle(&self) -> Bundle {
        Bundle::own("foreign.test".to_owned(), vec![Authority::read(&self.der()).unwrap()], vec![], 1)
    }

    fn sign(&self, params: &CertificateParams) -> Vec<u8> {
        self.sign_key(params, &KeyPair::generate().unwrap())
    }

    fn sign_key(&self, params: &CertificateParams, key: &KeyPair) -> Vec<u8> {
        params.signed_by(key, &Issuer::from_params(&self.params, &self.key)).unwrap().der().to_vec()
    }

    /// What comes of a leaf that is good but for what `spoil` does to it.
    fn verdict(&self, spoil: impl FnOnce(&mut CertificateParams)) -> Result<PeerSvid, X509Error> {
        let mut params = leaf_params();
        spoil(&mut params);
        verify(&[self.sign(&params)], &self.bundle(), NOW)
    }
}

fn authority_params(name: &str, uri: &str) -> CertificateParams {
    let mut params = base_params(uri, NOW + 86_400);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn leaf_params() -> CertificateParams {
    let mut params = base_params("spiffe://foreign.test/ns/web", NOW + 600);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.is_ca = IsCa::ExplicitNoCa;
    params
}

fn base_params(uri: &str, not_after: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = ASN1Time::from_timestamp(NOW - 600).unwrap().to_datetime();
    params.not_after = ASN1Time::from_timestamp(not_after).unwrap().to_datetime();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.serial_number = Some(SerialNumber::from(7_u64));
    params.subject_alt_names = vec![uri_name(uri)];
    params
}

fn uri_name(uri: &str) -> SanType {
    SanType::URI(uri.try_into().unwrap())
}

#[test]
fn foreign_svids_of_every_kind_of_key_verify() {
    let rsa = |algorithm| KeyPair::generate_rsa_for(algorithm, RsaKeySize::_2048).unwrap();
    let keys = [
        KeyPair::generate().unwrap(),
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap(),
        rsa(&rcgen::PKCS_RSA_SHA256),
        rsa(&rcgen::PKCS_RSA_SHA512),
    ];
    for key in keys {
        let foreign = Foreign::with_key(key);
        let peer = foreign.verdict(|_| {}).unwrap();
        assert_eq!((peer.id.as_str(), peer.serial.as_str()), ("spiffe://foreign.test/ns/web", "07"));
    }
    let edwards = || KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    assert_eq!(Authority::read(&Foreign::with_key(edwards()).der()), Err(X509Error::Algorithm));
    let foreign = Foreign::new();
    let leaf = foreign.sign_key(&leaf_params(), &edwards());
    assert_eq!(verify(&[leaf], &foreign.bundle(), NOW), Err(X509Error::Algorithm));
}

#[test]
fn a_leaf_that_breaks_the_profile_is_refused() {
    let foreign = Foreign::new();
    let refused = |spoil: &dyn Fn(&mut CertificateParams)| foreign.verdict(spoil).unwrap_err();
    assert_eq!(refused(&|leaf| leaf.subject_alt_names.push(uri_name("spiffe://foreign.test/b"))), X509Error::Uri);
    assert_eq!(refused(&|leaf| leaf.subject_alt_names.push(uri_name("https://foreign.test/"))), X509Error::Uri);
    assert_eq!(
        refused(&|leaf| leaf.subject_alt_names = vec![SanType::DnsName("foreign.test".try_into().unwrap())]),
        X509Error::Uri
    );
    assert_eq!(refused(&|leaf| leaf.subject_alt_names.clear()), X509Error::Uri);
    let named = |name: &'static str| refused(&move |leaf| leaf.subject_alt_names = vec![uri_name(name)]);
    assert_eq!(named("spiffe://foreign.test"), X509Error::NoPath);
    assert_eq!(named("spiffe://Foreign.test/a"), X509Error::Id(SpiffeIdError::TrustDomain));
    assert_eq!(named("spiffe://foreign.test/a/../b"), X509Error::Id(SpiffeIdError::Path));
    assert_eq!(named("https://foreign.test/a"), X509Error::Id(SpiffeIdError::Scheme));
    assert_eq!(named("spiffe://example.org/agent/a/b"), X509Error::TrustDomain);
    assert_eq!(refused(&|leaf| leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)), X509Error::IsAuthority);
    for usage in [KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign] {
        assert_eq!(refused(&|leaf| leaf.key_usages.push(usage)), X509Error::IsAuthority);
    }
    assert_eq!(refused(&|leaf| leaf.key_usages.clear()), X509Error::KeyUsage);
    assert_eq!(refused(&|leaf| leaf.key_usages = vec![KeyUsagePurpose::KeyAgreement]), X509Error::KeyUsage);
    assert_eq!(
        refused(&|leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
        X509Error::ExtendedKeyUsage
    );
    assert!(foreign.verdict(|leaf| leaf.extended_key_usages.clear()).is_ok(), "it need not be there");
    assert!(foreign.verdict(|leaf| leaf.is_ca = IsCa::NoCa).is_ok(), "constraints need not be there");
}

#[test]
fn unknown_critical_and_damaged_extensions_are_refused() {
    let foreign = Foreign::new();
    let with = |oid: &[u64], content: &[u8], critical: bool| {
        let mut extension = CustomExtension::from_oid_content(oid, content.to_vec());
        extension.set_criticality(critical);
        foreign.verdict(|leaf| leaf.custom_extensions.push(extension))
    };
    assert!(with(&[1, 3, 6, 1, 4, 1, 99_999], &[5, 0], false).is_ok());
    assert_eq!(with(&[1, 3, 6, 1, 4, 1, 99_999], &[5, 0], true), Err(X509Error::Extension));
    assert_eq!(with(&[2, 5, 29, 15], &[3, 2, 7, 128], true), Err(X509Error::Malformed), "key usage twice");
    let damaged = foreign.verdict(|leaf| {
        leaf.is_ca = IsCa::NoCa;
        leaf.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 19], vec![0x30, 9, 1, 1, 0xff]));
    });
    assert_eq!(damaged, Err(X509Error::Malformed), "a damaged constraint is not a missing one");
}

#[test]
fn the_times_of_leaf_and_authority_count() {
    let foreign = Foreign::new();
    let leaf = [foreign.sign(&leaf_params())];
    let at = |now| verify(&leaf, &foreign.bundle(), now).map(|peer| peer.not_after);
    assert_eq!(at(NOW + 600), Ok(NOW + 600));
    assert_eq!(at(NOW + 601), Err(X509Error::Expired));
    assert_eq!(at(NOW - 601), Err(X509Error::NotYetValid));
    let mut old = Foreign::new();
    old.params.not_after = ASN1Time::from_timestamp(NOW - 1).unwrap().to_datetime();
    assert_eq!(old.verdict(|_| {}), Err(X509Error::Expired));
}

#[test]
fn only_the_authorities_of_its_own_trust_domain_vouch_for_an_id() {
    let (foreign, stranger) = (Foreign::new(), Foreign::new());
    let chain = [stranger.sign(&leaf_params())];
    assert_eq!(verify(&chain, &foreign.bundle(), NOW), Err(X509Error::Signature), "same name, another key");
    let mut renamed = Foreign::new();
    renamed.params = authority_params("other", "spiffe://foreign.test");
    assert_eq!(verify(&[renamed.sign(&leaf_params())], &foreign.bundle(), NOW), Err(X509Error::UnknownAuthority));
    // An authority of ours signs a name of theirs.
    let ring = ring();
    let chain = [foreign.sign(&{
        let mut leaf = leaf_params();
        leaf.subject_alt_names = vec![uri_name(AGENT)];
        leaf
    })];
    assert_eq!(verify(&chain, &foreign.bundle(), NOW), Err(X509Error::TrustDomain));
    assert_eq!(verify(&chain, &ring.bundle(NOW).unwrap(), NOW), Err(X509Error::UnknownAuthority));
    let none: [Vec<u8>; 0] = [];
    assert_eq!(verify(&none, &foreign.bundle(), NOW), Err(X509Error::Missing));
}

#[test]
fn of_two_authorities_with_one_name_either_counts() {
    let (one, other) = (Foreign::new(), Foreign::new());
    let authorities = [&one, &other].map(|foreign| Authority::read(&foreign.der()).unwrap());
    let bundle = Bundle::own("foreign.test".to_owned(), authorities.to_vec(), vec![], 1);
    for foreign in [&one, &other] {
        assert!(verify(&[foreign.sign(&leaf_params())], &bundle, NOW).is_ok());
    }
}

/// A chain of `count` intermediates under `root`, leaf first.
fn chain(root: &Foreign, count: usize, spoil: impl Fn(&mut CertificateParams)) -> Vec<Vec<u8>> {
    let mut chain = Vec::new();
    let mut above = Foreign { params: root.params.clone(), key: KeyPair::try_from(root.key.serialize_der()).unwrap() };
    for depth in 0..count {
        let mut params = authority_params(&format!("intermediate {depth}"), "spiffe://foreign.test");
        spoil(&mut params);
        let key = KeyPair::generate().unwrap();
        chain.insert(0, above.sign_key(&params, &key));
        above = Foreign { params, key };
    }
    chain.insert(0, above.sign(&leaf_params()));
    chain
}

#[test]
fn intermediates_stand_in_order_and_are_few() {
    let root = Foreign::new();
    let verdict = |chain: &[Vec<u8>]| verify(chain, &root.bundle(), NOW).map(|_| ());
    for count in 0..=limits::INTERMEDIATES_MAX {
        assert_eq!(verdict(&chain(&root, count, |_| {})), Ok(()), "{count}");
    }
    assert_eq!(verdict(&chain(&root, 4, |_| {})), Err(X509Error::ChainTooLong));
    let mut missing = chain(&root, 2, |_| {});
    missing.remove(1);
    assert_eq!(verdict(&missing), Err(X509Error::UnknownAuthority));
    assert_eq!(verdict(&missing[..1]), Err(X509Error::UnknownAuthority));
    let mut swapped = chain(&root, 2, |_| {});
    swapped.swap(1, 2);
    assert_eq!(verdict(&swapped), Err(X509Error::UnknownAuthority));
    assert_eq!(verdict(&chain(&root, 1, |ca| ca.is_ca = IsCa::ExplicitNoCa)), Err(X509Error::NotAnAuthority));
    assert_eq!(
        verdict(&chain(&root, 1, |ca| ca.key_usages = vec![KeyUsagePurpose::DigitalSignature])),
        Err(X509Error::NotAnAuthority)
    );
    let expired = ASN1Time::from_timestamp(NOW - 1).unwrap().to_datetime();
    assert_eq!(verdict(&chain(&root, 1, |ca| ca.not_after = expired)), Err(X509Error::Expired));
    let narrow = |ca: &mut CertificateParams| ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    assert_eq!(verdict(&chain(&root, 1, narrow)), Ok(()));
    assert_eq!(verdict(&chain(&root, 2, narrow)), Err(X509Error::PathLength));
    // A leaf is not an authority, however it came by its signature.
    let leaf_key = KeyPair::generate().unwrap();
    let holder = Foreign { params: leaf_params(), key: KeyPair::try_from(leaf_key.serialize_der()).unwrap() };
    let forged = [holder.sign(&leaf_params()), root.sign_key(&leaf_params(), &leaf_key)];
    assert_eq!(verdict(&forged), Err(X509Error::NotAnAuthority));
}

#[test]
fn what_an_authority_constrains_is_heeded() {
    let mut root = Foreign::new();
    // The writer knows no constraints on URIs, so these are written by hand: one subtree with a URI in it.
    let constrained = |tag: u8, host: &str| {
        let length = u8::try_from(host.len()).unwrap();
        let mut content = vec![0x30, length + 6, tag, length + 4, 0x30, length + 2, 0x86, length];
        content.extend_from_slice(host.as_bytes());
        let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 30], content);
        extension.set_criticality(true);
        vec![extension]
    };
    let (permitted, excluded) = (0xa0, 0xa1);
    for (tag, host, expected) in [
        (permitted, "foreign.test", Ok(())),
        (permitted, ".test", Ok(())),
        (permitted, "example.org", Err(X509Error::Constrained)),
        (permitted, "test", Err(X509Error::Constrained)),
        (excluded, "foreign.test", Err(X509Error::Constrained)),
        (excluded, "example.org", Ok(())),
    ] {
        root.params.custom_extensions = constrained(tag, host);
        assert_eq!(root.verdict(|_| {}).map(|_| ()), expected, "{tag} {host}");
    }
    root.params.custom_extensions.clear();
    root.params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("foreign.test".to_owned())],
        excluded_subtrees: Vec::new(),
    });
    assert_eq!(Authority::read(&root.der()), Err(X509Error::Constrained));
}

#[test]
fn the_certificate_that_was_presented_is_the_one_that_is_checked() {
    let foreign = Foreign::new();
    let good = foreign.sign(&leaf_params());
    let verdict = |der: Vec<u8>| verify(&[der], &foreign.bundle(), NOW).unwrap_err();
    // A good certificate beside a forged one proves nothing about the forged one.
    let forged = Foreign::new().sign(&leaf_params());
    assert_eq!(verify(&[forged, good.clone()], &foreign.bundle(), NOW), Err(X509Error::Signature));
    let at = good.windows(3).position(|window| window == b"web").unwrap();
    let mut renamed = good.clone();
    renamed[at] = b'd';
    assert_eq!(verdict(renamed), X509Error::Signature);
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(verdict(longer), X509Error::Malformed);
    let mut shorter = good.clone();
    shorter.pop();
    assert_eq!(verdict(shorter), X509Error::Malformed);
    assert_eq!(verdict(vec![0x30; limits::CERTIFICATE_BYTES_MAX + 1]), X509Error::TooLong);
    // The algorithm outside the signed part is changed: ECDSA with SHA-256 to SHA-384.
    let oid = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    let outer = good.windows(8).rposition(|window| window == oid).unwrap();
    let mut other = good;
    other[outer + 7] = 3;
    assert_eq!(verdict(other), X509Error::Malformed);
}

#[test]
fn every_refusal_has_a_code_and_a_next_step() {
    for error in
        [X509Error::Missing, X509Error::Malformed, X509Error::NoPath, X509Error::Expired, X509Error::TrustDomain]
    {
        assert!(error.code().starts_with("certificate_") && !error.help().is_empty());
    }
}

proptest! {
    #[test]
    fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..400, byte in any::<u8>()) {
        let _ = Authority::read(&bytes);
        let ring = ring();
        let mut der = svid(&ring, NOW).chain.remove(0);
        let at = at % der.len();
        if der[at] != byte {
            der[at] = byte;
            prop_assert!(verify(&[der], &ring.bundle(NOW).unwrap(), NOW).is_err());
        }
    }
}
