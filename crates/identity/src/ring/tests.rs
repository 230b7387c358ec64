use proptest::prelude::*;

use super::*;
use crate::{Kek, base64url};

const NOW: i64 = 1_800_000_000;

fn states(ring: &KeyRing) -> Vec<KeyState> {
    ring.keys().iter().map(RealmKey::state).collect()
}

#[test]
fn a_new_ring_signs() {
    let ring = KeyRing::new(NOW).unwrap();
    let key = ring.signing().unwrap();
    assert_eq!(ring.verifying(key.kid(), NOW), Some(key.public()));
    assert_eq!(ring.verifying("another", NOW), None);
    assert_eq!(ring.keys()[0].created_at(), NOW);
}

#[test]
fn the_former_key_verifies_for_the_overlap_and_then_stops() {
    let mut ring = KeyRing::new(NOW).unwrap();
    let former = ring.signing().unwrap().kid().to_owned();
    let next = ring.prepare(NOW).unwrap();
    assert_eq!(ring.prepare(NOW).unwrap(), next, "asking twice prepares one key");
    assert_eq!(ring.signing().unwrap().kid(), former);
    assert_eq!(ring.activate(NOW).unwrap(), next);
    assert_eq!(ring.signing().unwrap().kid(), next);
    assert_eq!(states(&ring), [KeyState::Retired, KeyState::Active]);
    let until = NOW + limits::RETIRED_KEY_SECONDS;
    assert_eq!(ring.keys()[0].verifies_until(), Some(until));
    assert!(ring.verifying(&former, until - 1).is_some());
    assert!(ring.verifying(&former, until).is_none());
    assert!(ring.keys()[0].private.is_none(), "a key that signs no more has no private part");
    ring.prepare(until).unwrap();
    assert_eq!(states(&ring), [KeyState::Active, KeyState::Prepared]);
}

#[test]
fn nothing_becomes_active_unprepared() {
    let mut ring = KeyRing::new(NOW).unwrap();
    assert_eq!(ring.activate(NOW), Err(RingError::NothingPrepared));
    assert!(ring.signing().is_ok());
}

#[test]
fn a_revoked_key_stops_at_once() {
    let mut ring = KeyRing::new(NOW).unwrap();
    let kid = ring.signing().unwrap().kid().to_owned();
    ring.revoke(&kid).unwrap();
    assert!(ring.verifying(&kid, NOW).is_none());
    assert_eq!(ring.signing().unwrap_err(), RingError::NoActiveKey);
    assert_eq!(ring.jwks(NOW), json!({"keys": []}));
    assert_eq!(ring.revoke("another"), Err(RingError::UnknownKey("another".to_owned())));
    let next = ring.prepare(NOW).unwrap();
    assert_eq!(ring.activate(NOW).unwrap(), next);
    assert_eq!(ring.signing().unwrap().kid(), next);
}

#[test]
fn the_ring_is_bounded() {
    let mut ring = KeyRing::new(NOW).unwrap();
    for _ in 1..limits::RING_KEYS_MAX {
        ring.prepare(NOW).unwrap();
        ring.activate(NOW).unwrap();
    }
    assert_eq!(ring.prepare(NOW), Err(RingError::Full));
    assert!(ring.prepare(NOW + limits::RETIRED_KEY_SECONDS).is_ok());
}

#[test]
fn the_key_set_publishes_public_parts_of_all_keys_that_verify() {
    let mut ring = KeyRing::new(NOW).unwrap();
    ring.prepare(NOW).unwrap();
    ring.activate(NOW).unwrap();
    ring.prepare(NOW).unwrap();
    let set = ring.jwks(NOW);
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 3);
    for key in keys {
        let public = PublicJwk::parse(key).unwrap();
        assert_eq!(key["kid"], public.thumbprint());
        let mut names: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    }
    assert_eq!(ring.jwks(NOW + limits::RETIRED_KEY_SECONDS)["keys"].as_array().unwrap().len(), 2);
}

#[test]
fn sealed_and_opened_it_is_the_same_ring() {
    let kek = Kek::generate().unwrap();
    let mut ring = KeyRing::new(NOW).unwrap();
    ring.prepare(NOW).unwrap();
    ring.activate(NOW + 1).unwrap();
    ring.prepare(NOW + 2).unwrap();
    let sealed = ring.seal(&kek).unwrap();
    let again = KeyRing::open(&kek, &sealed).unwrap();
    assert_eq!(again.jwks(NOW), ring.jwks(NOW));
    assert_eq!(states(&again), states(&ring));
    assert_eq!(again.keys()[0].verifies_until(), ring.keys()[0].verifies_until());
    assert_eq!(again.log_key().as_bytes(), ring.log_key().as_bytes());
    assert_eq!(again.signing().unwrap().kid(), ring.signing().unwrap().kid());
}

#[test]
fn a_full_ring_fits_the_buffer_that_never_grows() {
    let mut ring = KeyRing::new(NOW).unwrap();
    while ring.prepare(NOW).is_ok() {
        ring.activate(NOW).unwrap();
    }
    let kek = Kek::generate().unwrap();
    assert!(ring.seal(&kek).unwrap().len() < 1_024 * (ring.keys().len() + 1));
}

#[test]
fn another_key_version_or_content_does_not_open() {
    let kek = Kek::generate().unwrap();
    let sealed = KeyRing::new(NOW).unwrap().seal(&kek).unwrap();
    assert_eq!(KeyRing::open(&Kek::generate().unwrap(), &sealed).unwrap_err(), OpenError::Seal(SealError::Unopenable));
    let mut newer = sealed.clone();
    newer[0] = 9;
    assert_eq!(KeyRing::open(&kek, &newer).unwrap_err(), OpenError::Version(9));
    assert_eq!(KeyRing::open(&kek, &[]).unwrap_err(), OpenError::Malformed);
    let mut damaged = vec![1];
    damaged.extend(kek.seal(b"remit key ring v1", b"{\"keys\":[]}").unwrap());
    assert_eq!(KeyRing::open(&kek, &damaged).unwrap_err(), OpenError::Malformed);
}

#[test]
fn a_key_with_the_private_part_of_another_does_not_open() {
    let kek = Kek::generate().unwrap();
    let (one, _) = SigningKey::generate().unwrap();
    let (_, other) = SigningKey::generate().unwrap();
    let key = |state: &str, pkcs8: Value| {
        let key = json!({
            "public": one.public(), "state": state, "created_at": 1, "verifies_until": null, "pkcs8": pkcs8,
        });
        let plain = json!({"keys": [key], "log_key": ""}).to_string();
        let mut document = vec![1];
        document.extend(kek.seal(b"remit key ring v1", plain.as_bytes()).unwrap());
        KeyRing::open(&kek, &document).map(|_| ())
    };
    let other = base64url::encode(other.as_bytes());
    assert_eq!(key("active", json!(other)), Err(OpenError::Malformed));
    assert_eq!(key("active", json!(null)), Err(OpenError::Malformed));
    assert_eq!(key("retired", json!(other)), Err(OpenError::Malformed));
    assert_eq!(key("revoked", json!(null)), Ok(()));
}

#[test]
fn nothing_private_is_shown() {
    let ring = KeyRing::new(NOW).unwrap();
    let private = ring.keys()[0].private.as_ref().unwrap().pkcs8.as_bytes();
    let shown = format!("{ring:?}");
    for secret in [private, ring.log_key().as_bytes()] {
        assert!(!shown.contains(&format!("{:?}", &secret[..8]).replace(['[', ']'], "")));
        assert!(!shown.contains(&base64url::encode(secret)));
    }
    assert!(shown.contains("Pkcs8(secret)"));
}

proptest! {
    #[test]
    fn opening_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(KeyRing::open(&Kek::from_bytes(&[7; 32]), &bytes).is_err());
    }
}
