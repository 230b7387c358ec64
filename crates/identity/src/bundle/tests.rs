use proptest::prelude::*;

use super::*;
use crate::{KeyRing, Purpose, SigningKey};

const NOW: i64 = 1_800_000_000;

fn own() -> Bundle {
    let mut ring = KeyRing::new(NOW).unwrap();
    ring.ensure_ca("example.org", NOW).unwrap();
    ring.bundle(NOW).unwrap()
}

fn parse(document: &Value) -> Result<Bundle, BundleError> {
    Bundle::parse("example.org", document.to_string().as_bytes())
}

/// What comes of our own bundle once `spoil` had its way with the key at `at`: 0 is the authority, 1 signs JWT-SVIDs.
fn spoiled(at: usize, spoil: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Result<Bundle, BundleError> {
    let mut document = own().to_spiffe_jwks();
    spoil(document["keys"][at].as_object_mut().unwrap());
    parse(&document)
}

#[test]
fn what_is_written_reads_the_same() {
    let own = own();
    let document = own.to_spiffe_jwks();
    assert_eq!(parse(&document).unwrap(), own);
    assert_eq!(document["spiffe_refresh_hint"], json!(300));
    assert_eq!(document["spiffe_sequence"], json!(NOW));
    let names = |key: &Value| key.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
    assert!(names(&document["keys"][0]).iter().eq(["crv", "kty", "use", "x", "x5c", "y"]));
    assert!(names(&document["keys"][1]).iter().eq(["crv", "kid", "kty", "use", "x", "y"]));
    assert_eq!(own.to_jwt_jwks(), json!({"keys": [document["keys"][1]]}));
    assert_eq!(own.x509_authorities_der(), [own.x509_authorities()[0].der()]);
}

#[test]
fn the_sequence_grows_with_every_change() {
    let mut ring = KeyRing::new(NOW).unwrap();
    ring.ensure_ca("example.org", NOW).unwrap();
    let sequence = |ring: &KeyRing, now| ring.bundle(now).unwrap().sequence().unwrap();
    let mut seen = vec![sequence(&ring, NOW)];
    ring.prepare(Purpose::Ca, NOW + 1).unwrap();
    seen.push(sequence(&ring, NOW + 1));
    let former = ring.active(Purpose::Ca).unwrap().kid().to_owned();
    ring.activate(Purpose::Ca, NOW + 2).unwrap();
    seen.push(sequence(&ring, NOW + 2));
    let over = NOW + 2 + limits::RETIRED_CA_SECONDS;
    assert_eq!(sequence(&ring, over - 1), seen[2]);
    seen.push(sequence(&ring, over));
    ring.revoke(&former, over + 1).unwrap();
    seen.push(sequence(&ring, over + 1));
    assert!(seen.is_sorted_by(|earlier, later| earlier < later), "{seen:?}");
}

#[test]
fn what_has_no_use_here_is_passed_over() {
    for unknown in [json!("wit-svid"), json!("sig"), json!(null), json!(1)] {
        let bundle = spoiled(1, |key| drop(key.insert("use".to_owned(), unknown))).unwrap();
        assert!(bundle.jwt_authorities().is_empty());
    }
    let edwards = spoiled(1, |key| drop(key.insert("kty".to_owned(), json!("OKP")))).unwrap();
    assert!(edwards.jwt_authorities().is_empty());
    let empty = parse(&json!({"keys": [], "other": 1})).unwrap();
    assert_eq!((empty.sequence(), empty.refresh_hint_seconds()), (None, None));
}

#[test]
fn a_bundle_is_read_strictly() {
    assert_eq!(spoiled(1, |key| drop(key.remove("kid"))), Err(BundleError::Member("kid")));
    assert_eq!(spoiled(1, |key| drop(key.insert("kid".into(), json!("")))), Err(BundleError::Member("kid")));
    assert_eq!(
        spoiled(1, |key| drop(key.insert("d".into(), json!("AA")))),
        Err(BundleError::Key(VerifyingKeyError::Private))
    );
    assert_eq!(
        spoiled(1, |key| drop(key.insert("x".into(), json!("AA")))),
        Err(BundleError::Key(VerifyingKeyError::Point))
    );
    assert_eq!(spoiled(0, |key| drop(key.remove("x5c"))), Err(BundleError::Member("x5c")));
    let twice = |key: &mut serde_json::Map<String, Value>| {
        let certificates = key["x5c"].as_array_mut().unwrap();
        certificates.push(certificates[0].clone());
    };
    assert_eq!(spoiled(0, twice), Err(BundleError::Member("x5c")));
    assert_eq!(spoiled(0, |key| drop(key.insert("x5c".into(), json!(["-"])))), Err(BundleError::Member("x5c")));
    assert_eq!(
        spoiled(0, |key| drop(key.insert("x5c".into(), json!(["AAAA"])))),
        Err(BundleError::Certificate(X509Error::Malformed))
    );
    let other = SigningKey::generate().unwrap().0.public().to_value();
    let renamed = |key: &mut serde_json::Map<String, Value>| {
        for name in ["x", "y"] {
            key.insert(name.to_owned(), other[name].clone());
        }
    };
    assert_eq!(spoiled(0, renamed), Err(BundleError::OtherKey));
    let mut same = own().to_spiffe_jwks();
    let key = same["keys"][1].clone();
    same["keys"].as_array_mut().unwrap().push(key);
    assert!(matches!(parse(&same), Err(BundleError::Twice(_))));
    assert_eq!(parse(&json!({"keys": {}})), Err(BundleError::Keys));
    assert_eq!(parse(&json!({"keys": [1]})), Err(BundleError::NotAnObject));
    assert_eq!(parse(&json!({"keys": vec![json!({}); 257]})), Err(BundleError::Keys));
    assert_eq!(parse(&json!({"keys": [], "spiffe_sequence": -1})), Err(BundleError::Number("spiffe_sequence")));
    let repeated = Bundle::parse("example.org", br#"{"keys":[],"keys":[]}"#);
    assert_eq!(repeated, Err(BundleError::Json(JsonError::NotJson)));
    assert_eq!(Bundle::parse("example.org", &vec![b' '; limits::BUNDLE_BYTES_MAX + 1]), Err(BundleError::TooLong));
    assert!(matches!(Bundle::parse("Example.org", b"{}"), Err(BundleError::TrustDomain(_))));
}

#[test]
fn the_certificate_of_a_workload_is_no_authority() {
    let mut ring = KeyRing::new(NOW).unwrap();
    ring.ensure_ca("example.org", NOW).unwrap();
    let id = crate::SpiffeId::parse("spiffe://example.org/a").unwrap();
    let svid = crate::x509::issue(&ring, &crate::x509::SvidRequest::new(id, 60), NOW).unwrap();
    let leaf = json!([STANDARD.encode(&svid.chain[0])]);
    let refused = spoiled(0, |key| drop(key.insert("x5c".to_owned(), leaf)));
    assert_eq!(refused, Err(BundleError::Certificate(X509Error::NotAnAuthority)));
}

proptest! {
    #[test]
    fn reading_never_panics(text in ".{0,200}") {
        let _ = Bundle::parse("example.org", text.as_bytes());
    }
}
