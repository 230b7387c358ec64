use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::jws::JwsError;
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
        cnf: Some(Confirmation::Key("thumb".to_owned())),
        ..TaskClaims::default()
    }
}

/// What `ring` signed, as a reader gets it: with the name of the key.
fn signed(ring: &KeyRing, claims: TaskClaims) -> TaskClaims {
    TaskClaims { kid: Some(ring.signing().unwrap().kid().to_owned()), ..claims }
}

const PERSON: &str = "prs_1";

fn actor(name: &str) -> ActorNode {
    ActorNode {
        sub: format!("spiffe://example.org/agent/{name}/production"),
        iss: EXPECTED.issuer.to_owned(),
        sub_profile: Profile::AiAgent,
        act: None,
    }
}

/// A token with everything in it: `triage` acts for a person, through `planner`.
fn full() -> TaskClaims {
    let details = json!([{
        "type": "mission_resource_access", "resource": "https://gate.example.org/mcp/files", "actions": ["files.*"],
        "constraints": {"max_amount": {"amount": "5.00", "currency": "EUR"}},
        "delegation": {"max_depth": 1, "allowed_delegates": [{"sub_profile": "ai_agent"}]},
    }]);
    let entries = crate::mission::entries_of(&details).unwrap();
    TaskClaims {
        sub: PERSON.to_owned(),
        sub_profile: Some(Profile::User),
        act: Some(actor("triage").after(Some(actor("planner"))).unwrap()),
        may_act: Some(MayAct { sub: "spiffe://example.org/agent/reader/production".to_owned() }),
        level: Some(Level::Task),
        budget: Some(Budget { calls_max: 100 }),
        scope: Some("files.read mail.*".to_owned()),
        mission: Some(MissionClaim {
            id: "tsk_0".to_owned(),
            issuer: EXPECTED.issuer.to_owned(),
            authority_hash: crate::mission::authority_hash(EXPECTED.issuer, &entries).unwrap(),
            expires_at: Some(NOW + 600),
        }),
        authorization_details: Some(entries),
        status: Some(Status {
            status_list: StatusPlace { idx: 7, uri: "https://remit.example.org/oauth/status/1".to_owned() },
        }),
        cnf: Some(Confirmation::Certificate("digest".to_owned())),
        ..claims()
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
    assert_eq!(verify(&token, &ring, NOW), Ok(signed(&ring, claims())));
    let plain = TaskClaims { acting_for: None, cnf: None, ..claims() };
    let token = mint(&ring, &plain).unwrap();
    assert_eq!(verify(&token, &ring, NOW), Ok(signed(&ring, plain)));
    let token = mint(&ring, &full()).unwrap();
    assert_eq!(verify(&token, &ring, NOW), Ok(signed(&ring, full())));
    let anybody = UnverifiedTaskToken::parse(&token).unwrap().verify_issued(&ring, EXPECTED.issuer, NOW);
    assert_eq!(anybody, Ok(signed(&ring, full())));
    let stranger = UnverifiedTaskToken::parse(&token).unwrap().verify_issued(&ring, "https://other.example", NOW);
    assert_eq!(stranger, Err(TokenError::Issuer));
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
    assert_eq!(verify(&forge(&header, &value.to_string(), &key), &ring, NOW), Ok(signed(&ring, claims())));
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
    assert_eq!(refused_claims(|claims| claims["cnf"] = json!({"jkt": "a", "x5t#S256": "b"})), "token_malformed");
    assert_eq!(refused_claims(|claims| claims["cnf"] = json!({"jwk": {}})), "token_malformed");
    let missing = refused_claims(|claims| {
        claims.as_object_mut().unwrap().remove("task");
    });
    assert_eq!(missing, "token_malformed");
}

/// The code of the refusal of the token with everything in it, but for what `change` does.
fn refused_full(change: impl FnOnce(&mut Value)) -> &'static str {
    refused_claims(|claims| {
        *claims = serde_json::to_value(full()).unwrap();
        change(claims);
    })
}

#[test]
fn the_further_claims_are_written_as_the_drafts_have_them() {
    let value = serde_json::to_value(full()).unwrap();
    assert_eq!(value["sub_profile"], "user");
    assert_eq!(value["act"]["sub_profile"], "ai_agent");
    assert_eq!(value["act"]["act"]["sub"], "spiffe://example.org/agent/planner/production");
    assert_eq!(value["may_act"], json!({"sub": "spiffe://example.org/agent/reader/production"}));
    assert_eq!(value["level"], "task");
    assert_eq!(value["budget"], json!({"calls_max": 100}));
    assert_eq!(value["mission"]["expires_at"], "2027-01-15T08:10:00Z");
    assert_eq!(value["status"]["status_list"]["idx"], 7);
    assert_eq!(value["cnf"], json!({"x5t#S256": "digest"}));
    assert!(value.get("kid").is_none());
    let plain = serde_json::to_value(claims()).unwrap();
    for name in
        ["sub_profile", "act", "may_act", "level", "budget", "scope", "authorization_details", "mission", "status"]
    {
        assert!(plain.get(name).is_none(), "{name}");
    }
}

#[test]
fn further_claims_are_refused_by_code() {
    assert_eq!(refused_full(|claims| claims["budget"] = json!({"calls_max": -1})), "token_malformed");
    assert_eq!(refused_full(|claims| claims["budget"] = json!({"calls_max": 1, "money": 2})), "token_malformed");
    assert_eq!(refused_full(|claims| claims["level"] = json!("planet")), "token_malformed");
    assert_eq!(refused_full(|claims| claims["scope"] = json!("")), "token_malformed");
    assert_eq!(refused_full(|claims| claims["may_act"] = json!({"sub": "a", "iss": "b"})), "token_malformed");
    assert_eq!(refused_full(|claims| claims["status"] = json!({})), "token_malformed");
    assert_eq!(refused_full(|claims| claims["authorization_details"] = json!([])), "token_authority");
    assert_eq!(refused_full(|claims| claims["authorization_details"][0]["type"] = json!("x")), "token_authority");
    assert_eq!(refused_full(|claims| claims["mission"]["authority_hash"] = json!("sha-512:x")), "token_authority");
    assert_eq!(refused_full(|claims| claims["mission"]["expires_at"] = json!("later")), "token_malformed");
    assert_eq!(refused_full(|claims| claims["sub_profile"] = json!("robot")), "token_actor");
}

#[test]
fn a_token_never_outlives_its_mission() {
    assert_eq!(refused_full(|claims| claims["exp"] = json!(NOW + 601)), "token_malformed");
    let claims = TaskClaims { exp: NOW + 601, ..full() };
    assert_eq!(mint(&ring(), &claims), Err(MintError::Disagreement));
}

#[test]
fn a_chain_of_actors_is_never_cut_short() {
    let chain = |length: usize| {
        (1..length).fold(actor("triage"), |chain, _| ActorNode { act: Some(Box::new(chain)), ..actor("triage") })
    };
    let deepest = TaskClaims { act: Some(chain(limits::ACTOR_DEPTH_MAX)), ..full() };
    let ring = ring();
    let token = mint(&ring, &deepest).unwrap();
    assert_eq!(verify(&token, &ring, NOW).unwrap().act.unwrap().depth(), limits::ACTOR_DEPTH_MAX);
    let deeper = TaskClaims { act: Some(chain(limits::ACTOR_DEPTH_MAX + 1)), ..full() };
    assert_eq!(mint(&ring, &deeper), Err(MintError::Actor(ActorError::TooDeep)), "refused on making it");
    let code = refused_full(|claims| claims["act"] = serde_json::to_value(chain(limits::ACTOR_DEPTH_MAX + 1)).unwrap());
    assert_eq!(code, "token_actor_depth", "and on reading it");
    assert_eq!(actor("a").after(Some(chain(limits::ACTOR_DEPTH_MAX))), Err(ActorError::TooDeep));
}

#[test]
fn an_actor_has_the_members_of_the_profile_and_no_proof() {
    for proof in ["cnf", "jwk", "x5t#S256"] {
        assert_eq!(refused_full(|claims| claims["act"][proof] = json!({"jkt": "x"})), "token_actor", "{proof}");
        assert_eq!(refused_full(|claims| claims["act"]["act"][proof] = json!("x")), "token_actor", "{proof} inside");
    }
    for member in ["sub", "iss", "sub_profile"] {
        let code = refused_full(|claims| _ = claims["act"].as_object_mut().unwrap().remove(member));
        assert_eq!(code, "token_actor", "{member}");
    }
    assert_eq!(refused_full(|claims| claims["act"]["extra"] = json!(1)), "token_actor");
    assert_eq!(refused_full(|claims| claims["act"] = json!([])), "token_actor");
    assert_eq!(refused_full(|claims| claims["act"]["sub_profile"] = json!("god")), "token_actor");
}

#[test]
fn the_parties_of_a_token_agree() {
    let ring = ring();
    let disagree = |claims: TaskClaims| mint(&ring, &claims) == Err(MintError::Disagreement);
    // The person that the agent acts for is the subject, and is no agent.
    assert!(disagree(TaskClaims { acting_for: None, ..full() }));
    assert!(disagree(TaskClaims { acting_for: Some("prs_2".into()), ..full() }));
    assert!(disagree(TaskClaims { sub: SUBJECT.into(), acting_for: Some(SUBJECT.into()), ..full() }));
    // Somebody has to act, and it is an agent of this environment.
    assert!(disagree(TaskClaims { act: None, ..full() }));
    assert!(disagree(TaskClaims { environment: "test".into(), ..full() }));
    assert!(disagree(TaskClaims { act: Some(ActorNode { sub_profile: Profile::User, ..actor("triage") }), ..full() }));
    assert!(disagree(TaskClaims { act: Some(ActorNode { sub: PERSON.into(), ..actor("triage") }), ..full() }));
    // The client is who acts, or an application that the person let in, but never another agent.
    assert!(disagree(TaskClaims { client_id: "spiffe://example.org/agent/other/production".into(), ..full() }));
    assert!(!disagree(TaskClaims { client_id: "https://client.example/oauth.json".into(), ..full() }));
    let own = TaskClaims { sub_profile: Some(Profile::AiAgent), acting_for: None, ..claims() };
    assert!(!disagree(own.clone()));
    assert!(disagree(TaskClaims { client_id: "cli_1".into(), ..own.clone() }), "nobody consented");
    // An agent that acts for itself does not also act for a person, and is not its own actor.
    assert!(disagree(TaskClaims { acting_for: Some(PERSON.into()), ..own.clone() }));
    assert!(disagree(TaskClaims { act: Some(actor("triage")), ..own.clone() }));
    // A sub-agent of an agent: the first stays the subject.
    let (reader, name) = (actor("reader"), actor("reader").sub);
    let delegated = TaskClaims { act: Some(reader), client_id: name.clone(), ..own };
    assert_eq!(delegated.current_actor(), name);
    assert!(!disagree(delegated));
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
    ring.prepare(crate::Purpose::Token, NOW).unwrap();
    ring.activate(crate::Purpose::Token, NOW).unwrap();
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
    ring.revoke(&kid, NOW).unwrap();
    assert_eq!(verify(&token, &ring, NOW).unwrap_err().code(), "token_key_unknown");
    assert_eq!(mint(&ring, &claims()), Err(MintError::Ring(RingError::NoActiveKey(crate::Purpose::Token))));
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
