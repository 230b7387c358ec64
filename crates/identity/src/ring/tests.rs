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
    let next = ring.prepare(Purpose::Token, NOW).unwrap();
    assert_eq!(ring.prepare(Purpose::Token, NOW).unwrap(), next, "asking twice prepares one key");
    assert_eq!(ring.signing().unwrap().kid(), former);
    assert_eq!(ring.activate(Purpose::Token, NOW).unwrap(), next);
    assert_eq!(ring.signing().unwrap().kid(), next);
    assert_eq!(states(&ring), [KeyState::Retired, KeyState::Active]);
    let until = NOW + limits::RETIRED_KEY_SECONDS;
    assert_eq!(ring.keys()[0].verifies_until(), Some(until));
    assert!(ring.verifying(&former, until - 1).is_some());
    assert!(ring.verifying(&former, until).is_none());
    assert!(ring.keys()[0].private.is_none(), "a key that signs no more has no private part");
    ring.prepare(Purpose::Token, until).unwrap();
    assert_eq!(states(&ring), [KeyState::Active, KeyState::Prepared]);
}

#[test]
fn nothing_becomes_active_unprepared() {
    let mut ring = KeyRing::new(NOW).unwrap();
    assert_eq!(ring.activate(Purpose::Token, NOW), Err(RingError::NothingPrepared(Purpose::Token)));
    assert!(ring.signing().is_ok());
}

#[test]
fn a_revoked_key_stops_at_once() {
    let mut ring = KeyRing::new(NOW).unwrap();
    let kid = ring.signing().unwrap().kid().to_owned();
    ring.revoke(&kid, NOW).unwrap();
    assert!(ring.verifying(&kid, NOW).is_none());
    assert_eq!(ring.signing().unwrap_err(), RingError::NoActiveKey(Purpose::Token));
    assert_eq!(ring.jwks(NOW), json!({"keys": []}));
    assert_eq!(ring.revoke("another", NOW), Err(RingError::UnknownKey("another".to_owned())));
    let next = ring.prepare(Purpose::Token, NOW).unwrap();
    assert_eq!(ring.activate(Purpose::Token, NOW).unwrap(), next);
    assert_eq!(ring.signing().unwrap().kid(), next);
}

#[test]
fn the_ring_is_bounded() {
    let mut ring = KeyRing::new(NOW).unwrap();
    for _ in 1..limits::RING_KEYS_MAX {
        ring.prepare(Purpose::Token, NOW).unwrap();
        ring.activate(Purpose::Token, NOW).unwrap();
    }
    assert_eq!(ring.prepare(Purpose::Token, NOW), Err(RingError::Full));
    assert!(ring.prepare(Purpose::Token, NOW + limits::RETIRED_KEY_SECONDS).is_ok());
}

#[test]
fn the_key_set_publishes_public_parts_of_all_keys_that_verify() {
    let mut ring = KeyRing::new(NOW).unwrap();
    ring.prepare(Purpose::Token, NOW).unwrap();
    ring.activate(Purpose::Token, NOW).unwrap();
    ring.prepare(Purpose::Token, NOW).unwrap();
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
    ring.prepare(Purpose::Token, NOW).unwrap();
    ring.activate(Purpose::Token, NOW + 1).unwrap();
    ring.prepare(Purpose::Token, NOW + 2).unwrap();
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
    while ring.prepare(Purpose::Token, NOW).is_ok() {
        ring.activate(Purpose::Token, NOW).unwrap();
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

fn with_authority() -> KeyRing {
    let mut ring = KeyRing::new(NOW).unwrap();
    assert!(ring.ensure_ca("example.org", NOW).unwrap().is_some());
    ring
}

#[test]
fn a_ring_gets_one_authority_and_keeps_its_trust_domain() {
    let mut ring = with_authority();
    assert_eq!(ring.ensure_ca("example.org", NOW + 5), Ok(None));
    assert_eq!(ring.trust_domain(), Some("example.org"));
    let other = RingError::OtherTrustDomain("example.org".to_owned());
    assert_eq!(ring.ensure_ca("example.com", NOW), Err(other));
    assert!(matches!(ring.ensure_ca("Example.org", NOW), Err(RingError::TrustDomain(_))));
    let authority = ring.active(Purpose::Ca).unwrap();
    assert!(ring.verifying(authority.kid(), NOW).is_none(), "the authority's key verifies no tokens");
    assert_eq!(ring.jwks(NOW)["keys"].as_array().unwrap().len(), 1);
    assert_eq!(authority.to_public_value()["use"], "x509-svid");
    let mut bare = KeyRing::new(NOW).unwrap();
    assert_eq!(bare.prepare(Purpose::Ca, NOW), Err(RingError::NoTrustDomain));
    assert_eq!(bare.bundle(NOW).unwrap_err(), RingError::NoTrustDomain);
}

#[test]
fn an_expired_authority_is_replaced_and_a_revoked_one_is_not() {
    let mut ring = with_authority();
    let former = ring.active(Purpose::Ca).unwrap().kid().to_owned();
    let later = NOW + limits::CA_SECONDS + 1;
    let next = ring.ensure_ca("example.org", later).unwrap().unwrap();
    assert_ne!(next, former);
    assert_eq!(ring.active(Purpose::Ca).unwrap().kid(), next);
    ring.revoke(&next, later).unwrap();
    assert_eq!(ring.ensure_ca("example.org", later), Ok(None));
    assert!(ring.certifying(later).is_err());
}

#[test]
fn each_purpose_rotates_by_itself() {
    let mut ring = with_authority();
    let token = ring.signing().unwrap().kid().to_owned();
    let former = ring.active(Purpose::Ca).unwrap().kid().to_owned();
    let next = ring.prepare(Purpose::Ca, NOW).unwrap();
    assert_eq!(ring.activate(Purpose::Token, NOW), Err(RingError::NothingPrepared(Purpose::Token)));
    ring.activate(Purpose::Ca, NOW).unwrap();
    assert_eq!(ring.signing().unwrap().kid(), token);
    assert_eq!(ring.active(Purpose::Ca).unwrap().kid(), next);
    let former = ring.key(&former).unwrap();
    assert_eq!(former.verifies_until(), Some(NOW + limits::RETIRED_CA_SECONDS));
    assert!(former.private.is_none() && former.authority().is_some());
}

#[test]
fn the_ledger_moves_keys_on_and_never_back() {
    let mut ring = with_authority();
    let first = ring.signing().unwrap().kid().to_owned();
    let second = ring.prepare(Purpose::Token, NOW).unwrap();
    let authority = ring.active(Purpose::Ca).unwrap().kid().to_owned();
    // In any order, with a key that the ring does not know and one that is named for another purpose.
    let steps = [
        ("unknown", Purpose::Token, KeyState::Active, NOW),
        (second.as_str(), Purpose::Token, KeyState::Active, NOW + 9),
        (first.as_str(), Purpose::Token, KeyState::Active, NOW),
        (authority.as_str(), Purpose::Token, KeyState::Revoked, NOW),
    ];
    assert!(ring.apply_steps(steps));
    assert!(!ring.apply_steps(steps), "once is enough");
    assert_eq!(ring.signing().unwrap().kid(), second);
    assert_eq!(ring.active(Purpose::Ca).unwrap().kid(), authority);
    let former = ring.key(&first).unwrap();
    assert_eq!((former.state(), former.since()), (KeyState::Retired, NOW + 9));
    assert_eq!(former.verifies_until(), Some(NOW + 9 + limits::RETIRED_KEY_SECONDS));
    assert!(former.private.is_none());
    assert!(!ring.apply_steps([(first.as_str(), Purpose::Token, KeyState::Active, NOW + 20)]));
    assert!(ring.apply_steps([(second.as_str(), Purpose::Token, KeyState::Revoked, NOW + 20)]));
    assert!(ring.signing().is_err() && ring.verifying(&second, NOW + 20).is_none());
    assert!(ring.apply_steps([(first.as_str(), Purpose::Token, KeyState::Revoked, NOW + 21)]));
    assert_eq!(ring.jwks(NOW + 21), json!({"keys": []}));
}

#[test]
fn what_version_1_sealed_still_opens() {
    let kek = Kek::from_bytes(&[7; 32]);
    let mut ring = KeyRing::open(&kek, include_bytes!("fixtures/version_1.sealed")).unwrap();
    let found: Vec<_> = ring.keys().iter().map(|key| (key.kid(), key.state(), key.since())).collect();
    assert_eq!(
        found,
        [
            ("d0wCIJJMOBmeRIFHaGRZM3LgBnRJMVC7zHCXe1XbXzw", KeyState::Retired, NOW + 1),
            ("p8CEYD59vCAu-J1uarJca6o4BnE_P-dSaxDX_luRUbw", KeyState::Active, NOW),
            ("-iivJZlfWwmBZSopmcABXko7umLx5yo5cK6F0ur16qI", KeyState::Prepared, NOW + 2),
        ]
    );
    assert!(ring.keys().iter().all(|key| key.purpose() == Purpose::Token));
    assert!(ring.signing().is_ok());
    assert!(ring.ensure_ca("example.org", NOW + 3).unwrap().is_some());
    let again = KeyRing::open(&kek, &ring.seal(&kek).unwrap()).unwrap();
    assert_eq!(again.jwks(NOW), ring.jwks(NOW));
    assert_eq!(again.bundle(NOW + 3), ring.bundle(NOW + 3));
    assert_eq!(again.certifying(NOW + 3).unwrap().key.kid(), ring.certifying(NOW + 3).unwrap().key.kid());
}

#[test]
fn a_full_ring_of_the_longest_trust_domain_fits_its_buffer_too() {
    let mut ring = KeyRing::new(NOW).unwrap();
    ring.ensure_ca(&"a".repeat(255), NOW).unwrap();
    for purpose in [Purpose::Token, Purpose::Ca] {
        while ring.prepare(purpose, NOW).is_ok() {
            ring.activate(purpose, NOW).unwrap();
        }
    }
    assert_eq!(ring.keys().len(), 2 * limits::RING_KEYS_MAX);
    let kek = Kek::generate().unwrap();
    let sealed = ring.seal(&kek).unwrap();
    assert!(sealed.len() < 3_072 * (ring.keys().len() + 1));
    assert!(KeyRing::open(&kek, &sealed).is_ok());
}

/// Something that a ring signed, with the name of the key.
enum Signed {
    Token(String, String),
    Svid(String, Vec<Vec<u8>>),
}

impl Signed {
    fn verifies(&self, ring: &KeyRing, now: i64) -> bool {
        let bundle = ring.bundle(now).unwrap();
        match self {
            Self::Token(_, token) => crate::jwt_svid::verify(token, &bundle, "audience", now).is_ok(),
            Self::Svid(_, chain) => crate::x509::verify(chain, &bundle, now).is_ok(),
        }
    }

    fn kid(&self) -> &str {
        match self {
            Self::Token(kid, _) | Self::Svid(kid, _) => kid,
        }
    }
}

fn sign(ring: &KeyRing, now: i64) -> Vec<Signed> {
    let id = SpiffeId::parse("spiffe://example.org/agent/a/test").unwrap();
    let svid = crate::x509::issue(ring, &crate::x509::SvidRequest::new(id.clone(), 86_400), now);
    let token = crate::jwt_svid::mint(ring, &id, "audience", 3_600, now);
    let svid = svid.ok().map(|svid| Signed::Svid(svid.authority, svid.chain));
    let token = token.ok().map(|minted| Signed::Token(ring.signing().unwrap().kid().to_owned(), minted.token));
    svid.into_iter().chain(token).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_happens_to_keys_nothing_verifies_under_a_revoked_one_and_rotation_ends_nothing(
        steps in proptest::collection::vec((0_u8..7, any::<bool>(), any::<proptest::sample::Index>()), 1..14)
    ) {
        let kek = Kek::from_bytes(&[3; 32]);
        let mut ring = with_authority();
        let (mut signed, mut revoked, mut now) = (sign(&ring, NOW), Vec::new(), NOW);
        for (step, of_authority, index) in steps {
            now += 60;
            let purpose = if of_authority { Purpose::Ca } else { Purpose::Token };
            match step {
                0 | 1 => drop(ring.prepare(purpose, now)),
                2 | 3 => drop(ring.activate(purpose, now)),
                4 if !ring.keys().is_empty() => {
                    let kid = index.get(ring.keys()).kid().to_owned();
                    let step = (kid.as_str(), ring.key(&kid).unwrap().purpose(), KeyState::Revoked, now);
                    if of_authority { prop_assert!(ring.apply_steps([step]) || revoked.contains(&kid)) } else { ring.revoke(&kid, now).unwrap() }
                    revoked.push(kid);
                }
                5 => ring = KeyRing::open(&kek, &ring.seal(&kek).unwrap()).unwrap(),
                _ => signed.extend(sign(&ring, now)),
            }
            for purpose in [Purpose::Token, Purpose::Ca] {
                let active = ring.keys().iter().filter(|key| key.purpose() == purpose && key.state() == KeyState::Active);
                prop_assert!(active.count() <= 1);
            }
            for key in ring.keys() {
                prop_assert_eq!(key.private.is_some(), key.state() < KeyState::Retired);
            }
            for signed in &signed {
                prop_assert_eq!(signed.verifies(&ring, now), !revoked.iter().any(|kid| kid == signed.kid()));
            }
        }
    }
}

proptest! {
    #[test]
    fn opening_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(KeyRing::open(&Kek::from_bytes(&[7; 32]), &bytes).is_err());
    }
}
