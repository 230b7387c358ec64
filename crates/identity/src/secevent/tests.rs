use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::foreign::tests::ISSUER;

const NOW: i64 = 1_800_000_000;
const EXPECT: Expect<'static> =
    Expect { issuer: "https://idp.example", audience: "https://remit.example.org", now: NOW };

fn event() -> SecurityEvent {
    SecurityEvent {
        iss: EXPECT.issuer.to_owned(),
        aud: EXPECT.audience.to_owned(),
        iat: NOW,
        jti: "e1".to_owned(),
        sub_id: SubjectId::IssSub { iss: EXPECT.issuer.to_owned(), sub: "ada".to_owned() },
        events: [(event_type::SESSION_REVOKED.to_owned(), json!({"event_timestamp": NOW}))].into(),
    }
}

fn changed(change: impl FnOnce(&mut Value, &mut Value)) -> Result<SecurityEvent, EventError> {
    let (mut header, mut claims) =
        (json!({"alg": "RS256", "kid": "rsa", "typ": TYPE}), serde_json::to_value(event()).unwrap());
    change(&mut header, &mut claims);
    UnverifiedEvent::parse(&ISSUER.sign(&header, &claims))?.verify(&ISSUER.keys(), &EXPECT)
}

#[test]
fn what_is_minted_is_read_with_the_realms_keys() {
    let ring = KeyRing::new(NOW).unwrap();
    let token = mint(&ring, &event()).unwrap();
    let unverified = UnverifiedEvent::parse(&token).unwrap();
    assert_eq!(unverified.claimed_issuer(), Ok(EXPECT.issuer));
    let keys = json!({"keys": [with_kid(&ring)]});
    assert_eq!(unverified.verify(&KeySet::of(&keys).unwrap(), &EXPECT), Ok(event()));
    let empty = SecurityEvent { events: BTreeMap::new(), ..event() };
    assert_eq!(mint(&ring, &empty), Err(EventError::Events));
}

fn with_kid(ring: &KeyRing) -> Value {
    let key = ring.signing().unwrap();
    let mut jwk = key.public().to_value();
    jwk["kid"] = json!(key.kid());
    jwk
}

#[test]
fn the_subject_is_written_as_in_rfc_9493() {
    let written = |sub_id: SubjectId| serde_json::to_value(sub_id).unwrap();
    assert_eq!(
        written(SubjectId::IssSub { iss: "i".into(), sub: "s".into() }),
        json!({"format": "iss_sub", "iss": "i", "sub": "s"})
    );
    assert_eq!(written(SubjectId::Email { email: "a@b".into() }), json!({"format": "email", "email": "a@b"}));
    assert_eq!(written(SubjectId::Opaque { id: "x".into() }), json!({"format": "opaque", "id": "x"}));
}

#[test]
fn events_of_a_transmitter_are_read() {
    assert_eq!(changed(|_, _| ()), Ok(event()));
    assert!(changed(|_, claims| claims["aud"] = json!([EXPECT.audience])).is_ok());
    assert!(changed(|_, claims| claims["txn"] = json!("8675309")).is_ok());
    for subject in [json!({"format": "email", "email": "ada@idp.example"}), json!({"format": "opaque", "id": "1"})] {
        assert!(changed(|_, claims| claims["sub_id"] = subject.clone()).is_ok(), "{subject}");
    }
}

#[test]
fn only_events_are_events() {
    for typ in ["JWT", "at+jwt", "logout+jwt"] {
        assert_eq!(changed(|header, _| header["typ"] = json!(typ)), Err(EventError::Type), "{typ}");
    }
    assert_eq!(changed(|header, _| _ = header.as_object_mut().unwrap().remove("typ")), Err(EventError::Type));
    assert_eq!(changed(|_, claims| claims["sub"] = json!("ada")), Err(EventError::Misplaced("sub")));
    assert_eq!(changed(|_, claims| claims["exp"] = json!(NOW + 1)), Err(EventError::Misplaced("exp")));
}

#[test]
fn each_refusal_has_the_code_of_rfc_8935() {
    let code = |change: &dyn Fn(&mut Value, &mut Value)| changed(change).unwrap_err().delivery_code();
    assert_eq!(code(&|_, claims| claims["iss"] = json!("https://other.example")), "invalid_issuer");
    assert_eq!(code(&|_, claims| claims["aud"] = json!("https://other.example")), "invalid_audience");
    assert_eq!(code(&|_, claims| claims["aud"] = json!([EXPECT.audience, "b"])), "invalid_audience");
    assert_eq!(code(&|header, _| header["kid"] = json!("other")), "invalid_key");
    assert_eq!(code(&|header, _| header["kid"] = json!("p256")), "invalid_key");
    assert_eq!(code(&|_, claims| claims["jti"] = json!("")), "invalid_request");
}

#[test]
fn events_are_read_strictly() {
    for events in [
        json!({}),
        json!([]),
        json!({"session-revoked": {}}),
        json!({event_type::SESSION_REVOKED: "x"}),
        json!((0..9).map(|index| (format!("urn:e:{index}"), json!({}))).collect::<BTreeMap<_, _>>()),
    ] {
        assert_eq!(changed(|_, claims| claims["events"] = events.clone()), Err(EventError::Events), "{events}");
    }
    for format in ["phone_number", "complex", "IssSub"] {
        let read = changed(|_, claims| claims["sub_id"] = json!({"format": format}));
        assert_eq!(read, Err(EventError::Subject), "{format}");
    }
    for subject in [json!({}), json!({"format": "iss_sub", "iss": "i"}), json!({"format": "email"}), json!("ada")] {
        assert!(changed(|_, claims| claims["sub_id"] = subject.clone()).is_err(), "{subject}");
    }
    for name in ["iss", "aud", "iat", "jti", "sub_id", "events"] {
        assert!(changed(|_, claims| _ = claims.as_object_mut().unwrap().remove(name)).is_err(), "{name}");
    }
    assert_eq!(changed(|_, claims| claims["iat"] = json!(NOW + 31)), Err(EventError::NotYetValid));
    assert_eq!(changed(|_, claims| claims["iat"] = json!(NOW - limits::EVENT_SECONDS_MAX - 1)), Err(EventError::Old));
    assert_eq!(changed(|_, claims| claims["iat"] = json!(i64::MIN)), Err(EventError::Old));
}

proptest! {
    #[test]
    fn reading_never_panics(text in "\\PC{0,200}") {
        prop_assert!(UnverifiedEvent::parse(&text).is_err());
    }
}
