use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::foreign::tests::ISSUER;
use crate::jws::tests::forge;

const NOW: i64 = 1_800_000_000;
const CLIENT: &str = "spiffe://example.org/agent/triage/production";
const EXPECT: Expect<'static> = Expect { client: CLIENT, issuer: "https://remit.example.org", now: NOW };

fn key() -> SigningKey {
    SigningKey::generate().unwrap().0
}

fn claims() -> AssertionClaims {
    AssertionClaims {
        client: CLIENT.to_owned(),
        aud: EXPECT.issuer.to_owned(),
        exp: NOW + 60,
        iat: NOW,
        jti: "j1".to_owned(),
    }
}

fn verify(assertion: &str, key: &SigningKey, now: i64) -> Result<AssertionClaims, AssertionError> {
    UnverifiedAssertion::parse(assertion)?.verify(key.public(), &Expect { now, ..EXPECT })
}

fn changed(change: impl FnOnce(&mut Value, &mut Value)) -> Result<AssertionClaims, &'static str> {
    let key = key();
    let mut header = json!({"alg": "ES256", "typ": TYPE});
    let mut claims = json!({
        "iss": CLIENT, "sub": CLIENT, "aud": EXPECT.issuer, "exp": NOW + 60, "iat": NOW, "jti": "j1",
    });
    change(&mut header, &mut claims);
    verify(&forge(&header.to_string(), &claims.to_string(), &key), &key, NOW).map_err(|error| error.code())
}

#[test]
fn what_is_made_verifies() {
    let key = key();
    let assertion = make(&key, &claims()).unwrap();
    let unverified = UnverifiedAssertion::parse(&assertion).unwrap();
    assert_eq!(unverified.claimed_client(), Ok(CLIENT));
    assert_eq!(unverified.verify(key.public(), &EXPECT), Ok(claims()));
    assert_eq!(verify(&assertion, &self::key(), NOW).unwrap_err().code(), "assertion_signature");
}

#[test]
fn older_clients_may_leave_the_type_out() {
    assert!(changed(|header, _| header["typ"] = json!("JWT")).is_ok());
    assert!(changed(|header, _| _ = header.as_object_mut().unwrap().remove("typ")).is_ok());
    for typ in ["at+jwt", "dpop+jwt", "remit-enrolment+jwt", "jwt", "JOSE"] {
        assert_eq!(changed(|header, _| header["typ"] = json!(typ)), Err("assertion_type"), "{typ}");
    }
}

#[test]
fn the_audience_is_the_issuer_alone() {
    for audience in [
        json!("https://remit.example.org/token"),
        json!("https://remit.example.org/"),
        json!([EXPECT.issuer]),
        json!([EXPECT.issuer, "https://evil.example"]),
        json!(null),
    ] {
        assert_eq!(changed(|_, claims| claims["aud"] = audience.clone()), Err("assertion_audience"), "{audience}");
    }
}

#[test]
fn each_refusal_has_its_code() {
    assert_eq!(changed(|header, _| header["alg"] = json!("none")), Err("assertion_malformed"));
    assert_eq!(changed(|_, claims| claims["iss"] = json!("somebody")), Err("assertion_client"));
    assert_eq!(changed(|_, claims| claims["sub"] = json!("somebody")), Err("assertion_client"));
    assert_eq!(changed(|_, claims| claims["exp"] = json!(NOW)), Err("assertion_expired"));
    assert_eq!(changed(|_, claims| claims["exp"] = json!(NOW + 61)), Err("assertion_lifetime"));
    assert_eq!(changed(|_, claims| claims["exp"] = json!(i64::MAX)), Err("assertion_lifetime"));
    assert_eq!(changed(|_, claims| claims["iat"] = json!(NOW + 31)), Err("assertion_not_yet_valid"));
    assert_eq!(changed(|_, claims| claims["nbf"] = json!(NOW + 31)), Err("assertion_not_yet_valid"));
    assert!(changed(|_, claims| claims["nbf"] = json!(NOW)).is_ok());
    assert_eq!(changed(|_, claims| claims["nbf"] = json!("later")), Err("assertion_malformed"));
    for name in ["iss", "sub", "exp", "iat", "jti"] {
        let missing = changed(|_, claims| _ = claims.as_object_mut().unwrap().remove(name));
        assert_eq!(missing, Err("assertion_malformed"), "{name}");
    }
    assert_eq!(AssertionError::Replay.code(), "assertion_replay");
}

const APPLICATION: &str = "https://client.example/oauth.json";

/// The same for an OAuth client with published keys.
fn foreign(change: impl FnOnce(&mut Value, &mut Value), now: i64) -> Result<AssertionClaims, &'static str> {
    let mut header = json!({"alg": "PS256", "kid": "rsa"});
    let mut claims = json!({
        "iss": APPLICATION, "sub": APPLICATION, "aud": EXPECT.issuer, "exp": NOW + 3_600, "iat": NOW, "jti": "j1",
    });
    change(&mut header, &mut claims);
    let assertion = ISSUER.sign(&header, &claims);
    let unverified = UnverifiedClientAssertion::parse(&assertion).map_err(|error| error.code())?;
    assert_eq!(unverified.claimed_client(), Ok(claims["sub"].as_str().unwrap()));
    let expect = Expect { client: APPLICATION, now, ..EXPECT };
    unverified.verify(&ISSUER.keys(), &expect).map_err(|error| error.code())
}

#[test]
fn an_application_proves_itself_with_its_published_keys() {
    assert_eq!(foreign(|_, _| (), NOW).unwrap().client, APPLICATION);
    assert!(foreign(|header, _| (header["alg"], header["kid"]) = (json!("ES384"), json!("p384")), NOW).is_ok());
    assert!(foreign(|header, _| header["typ"] = json!("client-authentication+jwt"), NOW).is_ok());
    assert_eq!(foreign(|header, _| header["typ"] = json!("at+jwt"), NOW), Err("assertion_type"));
    assert_eq!(foreign(|header, _| header["kid"] = json!("other"), NOW), Err("assertion_malformed"));
    assert_eq!(foreign(|header, _| header["kid"] = json!("p256"), NOW), Err("assertion_malformed"));
}

#[test]
fn an_application_names_the_issuer_and_not_an_endpoint() {
    for audience in [
        json!("https://remit.example.org/oauth/token"),
        json!([EXPECT.issuer]),
        json!([EXPECT.issuer, "https://remit.example.org/oauth/token"]),
        json!("https://remit.example.org/"),
    ] {
        assert_eq!(foreign(|_, claims| claims["aud"] = audience.clone(), NOW), Err("assertion_audience"), "{audience}");
    }
}

#[test]
fn an_application_is_heard_in_the_first_minute_only() {
    assert!(foreign(|_, _| (), NOW + limits::ASSERTION_SECONDS_MAX).is_ok());
    assert_eq!(foreign(|_, _| (), NOW + limits::ASSERTION_SECONDS_MAX + 1), Err("assertion_old"));
    assert_eq!(foreign(|_, claims| claims["exp"] = json!(NOW), NOW), Err("assertion_expired"));
    assert_eq!(foreign(|_, claims| claims["exp"] = json!(NOW + 3_601), NOW), Err("assertion_lifetime"));
    assert_eq!(foreign(|_, claims| claims["iat"] = json!(NOW + 31), NOW), Err("assertion_not_yet_valid"));
    assert_eq!(foreign(|_, claims| claims["nbf"] = json!(NOW + 31), NOW), Err("assertion_not_yet_valid"));
    assert_eq!(foreign(|_, claims| claims["iss"] = json!("https://other.example"), NOW), Err("assertion_client"));
    assert_eq!(foreign(|_, claims| claims["sub"] = json!("https://other.example"), NOW), Err("assertion_client"));
    for name in ["iss", "exp", "iat", "jti"] {
        let missing = foreign(|_, claims| _ = claims.as_object_mut().unwrap().remove(name), NOW);
        assert_eq!(missing, Err("assertion_malformed"), "{name}");
    }
}

proptest! {
    #[test]
    fn reading_never_panics(text in "\\PC{0,200}") {
        prop_assert!(UnverifiedAssertion::parse(&text).is_err());
        prop_assert!(UnverifiedClientAssertion::parse(&text).is_err());
    }
}
