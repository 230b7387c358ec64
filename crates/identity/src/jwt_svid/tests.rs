use serde_json::json;

use super::*;
use crate::jws::tests::forge;
use crate::ring::RingError;
use crate::verifying_key::VerifyingKey;
use crate::{Purpose, SigningKey};

const NOW: i64 = 1_800_000_000;
const AGENT: &str = "spiffe://example.org/agent/triage/production";
const AUDIENCE: &str = "https://api.example.org";

fn id() -> SpiffeId {
    SpiffeId::parse(AGENT).unwrap()
}

fn ring() -> KeyRing {
    let mut ring = KeyRing::new(NOW).unwrap();
    ring.ensure_ca("example.org", NOW).unwrap();
    ring
}

/// What comes of a document that is good but for what `spoil` does to its header and claims.
fn verdict(spoil: impl FnOnce(&mut Value, &mut Value)) -> Result<JwtSvid, JwtSvidError> {
    let (key, _) = SigningKey::generate().unwrap();
    let (header, claims) = spoiled(spoil);
    let token = forge(&header.to_string(), &claims.to_string(), &key);
    verify(&token, &bundle(&key), AUDIENCE, NOW)
}

fn spoiled(spoil: impl FnOnce(&mut Value, &mut Value)) -> (Value, Value) {
    let mut header = json!({"alg": "ES256", "kid": "k1", "typ": "JWT"});
    let mut claims = json!({"sub": AGENT, "aud": [AUDIENCE], "exp": NOW + 300, "iat": NOW});
    spoil(&mut header, &mut claims);
    (header, claims)
}

fn bundle(key: &SigningKey) -> Bundle {
    let keys = vec![("k1".to_owned(), VerifyingKey::from(key.public()))];
    Bundle::own("example.org".to_owned(), vec![], keys, 1)
}

#[test]
fn what_is_minted_verifies_and_says_no_more_than_it_must() {
    let ring = ring();
    let minted = mint(&ring, &id(), AUDIENCE, 300, NOW).unwrap();
    let bundle = ring.bundle(NOW).unwrap();
    let svid = verify(&minted.token, &bundle, AUDIENCE, NOW).unwrap();
    assert_eq!((svid.id, svid.expires_at), (id(), NOW + 300));
    assert_eq!(
        Value::Object(svid.claims.as_map().clone()),
        json!({"sub": AGENT, "aud": [AUDIENCE], "exp": NOW + 300, "iat": NOW})
    );
    let header = base64url::decode(minted.token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header, json!({"alg": "ES256", "kid": ring.signing().unwrap().kid(), "typ": "JWT"}));
    assert_eq!(verify(&minted.token, &bundle, AUDIENCE, NOW + 300), Err(JwtSvidError::Expired));
    assert_eq!(verify(&minted.token, &bundle, "https://other.example.org", NOW), Err(JwtSvidError::Audience));
}

#[test]
fn what_cannot_be_a_jwt_svid_of_this_realm_is_not_minted() {
    let ring = ring();
    let refused =
        |id: &str, audience: &str, ttl| mint(&ring, &SpiffeId::parse(id).unwrap(), audience, ttl, NOW).unwrap_err();
    for ttl in [0, limits::JWT_SVID_SECONDS_MAX + 1] {
        assert!(matches!(refused(AGENT, AUDIENCE, ttl), MintError::Issue(IssueError::Lifetime(_))));
    }
    for other in ["spiffe://example.org", "spiffe://example.com/a"] {
        assert!(matches!(refused(other, AUDIENCE, 60), MintError::Issue(IssueError::Id(_))));
    }
    assert_eq!(refused(AGENT, "", 60), MintError::Audience);
    assert_eq!(refused(AGENT, &"a".repeat(2_049), 60), MintError::Audience);
}

#[test]
fn the_header_says_three_things_at_most() {
    assert!(verdict(|_, _| {}).is_ok());
    assert!(verdict(|header, _| header["typ"] = json!("JOSE")).is_ok());
    assert!(verdict(|header, _| drop(header.as_object_mut().unwrap().remove("typ"))).is_ok());
    for (name, value) in [
        ("jku", json!("https://evil.test/keys")),
        ("jwk", json!({})),
        ("crit", json!(["exp"])),
        ("x5c", json!([])),
        ("cty", json!("JWT")),
    ] {
        assert_eq!(verdict(|header, _| header[name] = value), Err(JwtSvidError::ExtraHeader), "{name}");
    }
    for algorithm in ["none", "HS256", "EdDSA", "ES256K"] {
        assert_eq!(verdict(|header, _| header["alg"] = json!(algorithm)), Err(JwtSvidError::Algorithm));
    }
    assert_eq!(verdict(|header, _| header["alg"] = json!("RS256")), Err(JwtSvidError::Signature));
    for typ in ["at+jwt", "dpop+jwt", "remit-receipt+jwt", "jwt"] {
        assert_eq!(verdict(|header, _| header["typ"] = json!(typ)), Err(JwtSvidError::Type));
    }
    assert_eq!(verdict(|header, _| header["kid"] = json!("k2")), Err(JwtSvidError::KeyUnknown));
    let nameless = verdict(|header, _| drop(header.as_object_mut().unwrap().remove("kid")));
    assert_eq!(nameless, Err(JwtSvidError::Header(JsonError::Missing("kid"))));
}

#[test]
fn the_claims_are_read_strictly() {
    let with = |name: &'static str, value: Value| verdict(|_, claims| claims[name] = value).map(|_| ());
    assert_eq!(with("aud", json!(AUDIENCE)), Ok(()));
    for audience in [json!([AUDIENCE, "https://other.test"]), json!([]), json!(["x"]), json!(1), json!(null)] {
        assert_eq!(with("aud", audience), Err(JwtSvidError::Audience));
    }
    assert_eq!(with("sub", json!("spiffe://example.org")), Err(JwtSvidError::NoPath));
    assert_eq!(with("sub", json!("agent")), Err(JwtSvidError::Subject(SpiffeIdError::Scheme)));
    assert_eq!(with("sub", json!("spiffe://example.com/a")), Err(JwtSvidError::TrustDomain));
    assert_eq!(with("exp", json!(NOW)), Err(JwtSvidError::Expired));
    assert_eq!(with("exp", json!("never")), Err(JwtSvidError::Claims(JsonError::NotSeconds("exp"))));
    assert_eq!(with("exp", json!(null)), Err(JwtSvidError::Claims(JsonError::NotSeconds("exp"))));
    assert_eq!(with("iat", json!(NOW + 31)), Err(JwtSvidError::NotYetValid));
    assert_eq!(with("nbf", json!(NOW + 31)), Err(JwtSvidError::NotYetValid));
    assert_eq!(with("nbf", json!(NOW + 30)), Ok(()));
    let endless = verdict(|_, claims| drop(claims.as_object_mut().unwrap().remove("exp")));
    assert_eq!(endless, Err(JwtSvidError::Claims(JsonError::Missing("exp"))));
}

#[test]
fn forgery_and_confusion_do_not_pass() {
    let (key, _) = SigningKey::generate().unwrap();
    let (stranger, _) = SigningKey::generate().unwrap();
    let (header, claims) = spoiled(|_, _| {});
    let forged = forge(&header.to_string(), &claims.to_string(), &stranger);
    assert_eq!(verify(&forged, &bundle(&key), AUDIENCE, NOW), Err(JwtSvidError::Signature));
    let twice = claims.to_string().replacen('{', r#"{"sub":"spiffe://example.org/admin","#, 1);
    let doubled = forge(&header.to_string(), &twice, &key);
    assert_eq!(verify(&doubled, &bundle(&key), AUDIENCE, NOW), Err(JwtSvidError::Claims(JsonError::NotJson)));
    for text in ["", "a.b", "a.b.c.d", "é.é.é"] {
        assert!(verify(text, &bundle(&key), AUDIENCE, NOW).is_err());
    }
    assert_eq!(verify(&"a".repeat(9_000), &bundle(&key), AUDIENCE, NOW), Err(JwtSvidError::TooLong));
    // The key of the authority signs no documents, even if the ring that it is in signs both.
    let ring = ring();
    assert!(ring.bundle(NOW).unwrap().jwt_authority(ring.active(Purpose::Ca).unwrap().kid()).is_none());
}

#[test]
fn after_the_token_key_is_revoked_nothing_of_it_verifies() {
    let mut ring = ring();
    let minted = mint(&ring, &id(), AUDIENCE, 300, NOW).unwrap();
    let kid = ring.signing().unwrap().kid().to_owned();
    ring.revoke(&kid, NOW).unwrap();
    assert_eq!(verify(&minted.token, &ring.bundle(NOW).unwrap(), AUDIENCE, NOW), Err(JwtSvidError::KeyUnknown));
    let refused = mint(&ring, &id(), AUDIENCE, 300, NOW).unwrap_err();
    assert_eq!(refused, MintError::Issue(IssueError::Ring(RingError::NoActiveKey(Purpose::Token))));
}
