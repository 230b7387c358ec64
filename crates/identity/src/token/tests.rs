use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::jws::tests::forge;
use crate::{SigningKey, base64url};

const NOW: i64 = 1_800_000_000;
const SUBJECT: &str = "spiffe://example.org/agent/triage/production";
const EXPECTED: Expected<'static> =
    Expected { issuer: "https://remit.example.org", audience: "https://gate.example.org", environment: None };

fn claims() -> TaskClaims {
    TaskClaims {
        iss: EXPECTED.issuer.to_owned(),
        sub: SUBJECT.to_owned(),
        aud: EXPECTED.audience.to_owned(),
        exp: NOW + 600,
        iat: NOW,
        jti: "j1".to_owned(),
        client_id: SUBJECT.to_owned(),
        task: "tsk_1".to_owned(),
        run: "run_1".to_owned(),
        agent: "agt_1".to_owned(),
        acting_for: Some("prs_1".to_owned()),
        environment: "production".to_owned(),
        cnf: Some(Confirmation { jkt: "thumb".to_owned() }),
    }
}

fn ring() -> KeyRing {
    KeyRing::new(NOW).unwrap()
}

fn verify(token: &str, ring: &KeyRing, now: i64) -> Result<TaskClaims, TokenError> {
    UnverifiedTaskToken::parse(token)?.verify(ring, &EXPECTED, now)
}

/// The code of the refusal of a token that is as good as can be but for what `change` does to its claims.
fn refused_claims(change: impl FnOnce(&mut Value)) -> &'static str {
    // The realm's own key is not to be had from a ring, so the ring is made around a key that the test has.
    let (key, ring) = ring_with_key();
    let mut value = serde_json::to_value(claims()).unwrap();
    change(&mut value);
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": key.kid()}).to_string();
    verify(&forge(&header, &value.to_string(), &key), &ring, NOW).unwrap_err().code()
}

fn ring_with_key() -> (SigningKey, KeyRing) {
    let (key, pkcs8) = SigningKey::generate().unwrap();
    let kek = crate::Kek::generate().unwrap();
    let plain = json!({
        "keys": [{
            "public": key.public(), "state": "active", "created_at": NOW, "verifies_until": null,
            "pkcs8": base64url::encode(pkcs8.as_bytes()),
        }],
        "log_key": "",
    });
    let mut document = vec![1];
    document.extend(kek.seal(b"remit key ring v1", plain.to_string().as_bytes()).unwrap());
    (key, KeyRing::open(&kek, &document).unwrap())
}

fn refused_header(header: &Value) -> &'static str {
    let (key, ring) = ring_with_key();
    let mut header = header.clone();
    if header["kid"] == "own" {
        header["kid"] = json!(key.kid());
    }
    let claims = serde_json::to_string(&claims()).unwrap();
    verify(&forge(&header.to_string(), &claims, &key), &ring, NOW).unwrap_err().code()
}

#[test]
fn what_is_minted_verifies() {
    let ring = ring();
    let token = mint(&ring, &claims()).unwrap();
    assert_eq!(verify(&token, &ring, NOW), Ok(claims()));
    let plain = TaskClaims { acting_for: None, cnf: None, ..claims() };
    let token = mint(&ring, &plain).unwrap();
    assert_eq!(verify(&token, &ring, NOW), Ok(plain));
}

#[test]
fn a_run_of_the_agent_may_be_the_subject() {
    let run = format!("{SUBJECT}/run/r1");
    let ring = ring();
    let token = mint(&ring, &TaskClaims { sub: run.clone(), client_id: run, ..claims() }).unwrap();
    assert!(verify(&token, &ring, NOW).is_ok());
}

#[test]
fn unknown_members_are_ignored() {
    let (key, ring) = ring_with_key();
    let mut value = serde_json::to_value(claims()).unwrap();
    value["future"] = json!({"a": [1]});
    let header = json!({"alg": "ES256", "typ": "application/at+jwt", "kid": key.kid()}).to_string();
    assert_eq!(verify(&forge(&header, &value.to_string(), &key), &ring, NOW), Ok(claims()));
}

#[test]
fn headers_are_refused_by_code() {
    let header = |alg: &str, typ: &str| json!({"alg": alg, "typ": typ, "kid": "own"});
    assert_eq!(refused_header(&header("none", "at+jwt")), "token_algorithm");
    assert_eq!(refused_header(&header("HS256", "at+jwt")), "token_algorithm");
    assert_eq!(refused_header(&header("ES256", "JWT")), "token_type");
    assert_eq!(refused_header(&header("ES256", "dpop+jwt")), "token_type");
    assert_eq!(refused_header(&json!({"alg": "ES256", "kid": "own"})), "token_type");
    assert_eq!(refused_header(&json!({"alg": "ES256", "typ": "at+jwt"})), "token_key_unknown");
    assert_eq!(refused_header(&json!({"alg": "ES256", "typ": "at+jwt", "kid": "another"})), "token_key_unknown");
    let critical = json!({"alg": "ES256", "typ": "at+jwt", "kid": "own", "crit": ["exp"]});
    assert_eq!(refused_header(&critical), "token_malformed");
}

#[test]
fn claims_are_refused_by_code() {
    assert_eq!(refused_claims(|claims| claims["aud"] = json!("https://other.example.org")), "token_audience");
    assert_eq!(refused_claims(|claims| claims["aud"] = json!([EXPECTED.audience])), "token_audience");
    assert_eq!(refused_claims(|claims| claims["aud"] = json!([EXPECTED.audience, "b"])), "token_audience");
    assert_eq!(refused_claims(|claims| claims["aud"] = json!(null)), "token_audience");
    assert_eq!(refused_claims(|claims| claims["iss"] = json!("https://remit.example.org/")), "token_issuer");
    assert_eq!(refused_claims(|claims| claims["exp"] = json!(NOW)), "token_expired");
    assert_eq!(refused_claims(|claims| claims["exp"] = json!("soon")), "token_malformed");
    assert_eq!(refused_claims(|claims| claims["exp"] = json!(1e300)), "token_malformed");
    assert_eq!(refused_claims(|claims| claims["iat"] = json!(NOW + 31)), "token_not_yet_valid");
    assert_eq!(refused_claims(|claims| claims["jti"] = json!("")), "token_malformed");
    assert_eq!(refused_claims(|claims| claims["client_id"] = json!("somebody")), "token_malformed");
    assert_eq!(refused_claims(|claims| claims["environment"] = json!("test")), "token_malformed");
    assert_eq!(refused_claims(|claims| claims["cnf"] = json!({})), "token_malformed");
    assert_eq!(refused_claims(|claims| claims["cnf"] = json!("thumb")), "token_malformed");
    let missing = refused_claims(|claims| {
        claims.as_object_mut().unwrap().remove("task");
    });
    assert_eq!(missing, "token_malformed");
}

#[test]
fn time_is_kept_to_the_second() {
    let ring = ring();
    let token = mint(&ring, &claims()).unwrap();
    assert!(verify(&token, &ring, NOW + 599).is_ok());
    assert_eq!(verify(&token, &ring, NOW + 600), Err(TokenError::Expired));
    assert!(verify(&token, &ring, NOW - 30).is_ok());
    assert_eq!(verify(&token, &ring, NOW - 31), Err(TokenError::NotYetValid));
}

#[test]
fn another_environment_is_refused() {
    let ring = ring();
    let token = mint(&ring, &claims()).unwrap();
    let expected = Expected { environment: Some("test"), ..EXPECTED };
    let refusal = UnverifiedTaskToken::parse(&token).unwrap().verify(&ring, &expected, NOW).unwrap_err();
    assert_eq!(refusal.code(), "token_environment");
    let expected = Expected { environment: Some("production"), ..EXPECTED };
    assert!(UnverifiedTaskToken::parse(&token).unwrap().verify(&ring, &expected, NOW).is_ok());
}

#[test]
fn tampered_repeated_and_oversized_tokens_are_refused() {
    let (key, ring) = ring_with_key();
    let token = mint(&ring, &claims()).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let other = base64url::encode(serde_json::to_string(&TaskClaims { task: "tsk_2".into(), ..claims() }).unwrap());
    let tampered = format!("{}.{other}.{}", parts[0], parts[2]);
    assert_eq!(verify(&tampered, &ring, NOW).unwrap_err().code(), "token_signature");
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": key.kid()}).to_string();
    let twice = serde_json::to_string(&claims()).unwrap().replacen('{', r#"{"sub":"a","#, 1);
    assert_eq!(verify(&forge(&header, &twice, &key), &ring, NOW).unwrap_err().code(), "token_malformed");
    let oversized = format!("{token}{}", "A".repeat(limits::JWS_BYTES_MAX));
    assert_eq!(verify(&oversized, &ring, NOW).unwrap_err(), TokenError::Malformed(JwsError::TooLong));
    let foreign = mint(&self::ring(), &claims()).unwrap();
    assert_eq!(verify(&foreign, &ring, NOW).unwrap_err().code(), "token_key_unknown");
    // Another key that borrows the name of ours.
    let (stranger, _) = SigningKey::generate().unwrap();
    let borrowed = forge(&header, &serde_json::to_string(&claims()).unwrap(), &stranger);
    assert_eq!(verify(&borrowed, &ring, NOW).unwrap_err().code(), "token_signature");
}

#[test]
fn tokens_of_the_former_key_hold_through_the_overlap() {
    let mut ring = ring();
    let late = NOW + limits::TASK_TOKEN_SECONDS_MAX;
    let token = mint(&ring, &TaskClaims { exp: late, ..claims() }).unwrap();
    ring.prepare(NOW).unwrap();
    ring.activate(NOW).unwrap();
    assert!(verify(&token, &ring, late - 1).is_ok());
    assert_eq!(verify(&token, &ring, NOW + limits::RETIRED_KEY_SECONDS).unwrap_err().code(), "token_key_unknown");
    let newer = mint(&ring, &claims()).unwrap();
    assert!(verify(&newer, &ring, NOW).is_ok());
}

#[test]
fn tokens_of_a_revoked_key_stop_at_once() {
    let mut ring = ring();
    let token = mint(&ring, &claims()).unwrap();
    let kid = ring.signing().unwrap().kid().to_owned();
    ring.revoke(&kid).unwrap();
    assert_eq!(verify(&token, &ring, NOW).unwrap_err().code(), "token_key_unknown");
    assert_eq!(mint(&ring, &claims()), Err(MintError::Ring(RingError::NoActiveKey)));
}

#[test]
fn only_consistent_tokens_are_minted() {
    let ring = ring();
    let minted = |claims: TaskClaims| mint(&ring, &claims).unwrap_err();
    assert_eq!(minted(TaskClaims { client_id: "x".into(), ..claims() }), MintError::Disagreement);
    assert_eq!(minted(TaskClaims { environment: "test".into(), ..claims() }), MintError::Disagreement);
    assert_eq!(
        minted(TaskClaims { sub: "triage".into(), client_id: "triage".into(), ..claims() }),
        MintError::Disagreement
    );
    assert_eq!(minted(TaskClaims { exp: NOW, ..claims() }), MintError::Lifetime);
    assert_eq!(minted(TaskClaims { exp: NOW + limits::TASK_TOKEN_SECONDS_MAX + 1, ..claims() }), MintError::Lifetime);
    assert_eq!(minted(TaskClaims { exp: i64::MAX, iat: i64::MIN, ..claims() }), MintError::Lifetime);
    assert!(matches!(minted(TaskClaims { task: String::new(), ..claims() }), MintError::Jws(JwsError::Claims(_))));
    assert!(matches!(minted(TaskClaims { task: "x".repeat(9_000), ..claims() }), MintError::Jws(JwsError::TooLong)));
}

proptest! {
    #[test]
    fn reading_never_panics(text in "\\PC{0,200}") {
        prop_assert!(UnverifiedTaskToken::parse(&text).is_err());
    }

    #[test]
    fn any_times_are_judged_without_panic(exp in any::<i64>(), iat in any::<i64>(), now in any::<i64>()) {
        let (key, ring) = ring_with_key();
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": key.kid()}).to_string();
        let claims = serde_json::to_string(&TaskClaims { exp, iat, ..claims() }).unwrap();
        prop_assert_eq!(verify(&forge(&header, &claims, &key), &ring, now).is_ok(), now < exp && iat <= now.saturating_add(30));
    }
}
