//! Workloads that others vouch for.

use std::sync::Arc;

use http::StatusCode;
use remit_domain::{AgentStatus, Command, WorkloadIdentity};
use remit_identity::foreign::{ClaimRules, KeySet};
use remit_identity::jws::{self, Header};
use remit_identity::{Bundle, SigningKey};
use serde_json::{Value, json};

use super::{House, ISSUER, claims, form};
use crate::oauth::{Elsewhere, OidcIssuer};

const IDP: &str = "https://idp.example";
const GRANT: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");

#[derive(Debug)]
struct Idp(Arc<KeySet>);

impl Elsewhere for Idp {
    fn bundle(&self, _: &str) -> Option<Arc<Bundle>> {
        None
    }

    fn keys(&self, issuer: &str) -> Option<Arc<KeySet>> {
        (issuer == IDP).then(|| Arc::clone(&self.0))
    }
}

async fn house(key: &SigningKey) -> House {
    let mut jwk = key.public().to_value();
    jwk["kid"] = json!(key.kid());
    let keys = Arc::new(KeySet::of(&json!({"keys": [jwk]})).unwrap());
    let rules =
        ClaimRules::new(&[("repository".to_owned(), vec!["our-org/*".to_owned()])].into_iter().collect()).unwrap();
    House::with(|settings| {
        settings.elsewhere = Arc::new(Idp(keys));
        settings.issuers = vec![OidcIssuer {
            issuer: IDP.to_owned(),
            audience: ISSUER.to_owned(),
            claims: Some(rules),
            agent: None,
            subject_claim: "sub".to_owned(),
        }];
    })
    .await
}

fn assertion(house: &House, key: &SigningKey, change: impl FnOnce(&mut Value)) -> String {
    let now = house.now();
    let mut claims = json!({
        "iss": IDP, "sub": "build-7", "aud": ISSUER, "iat": now, "exp": now + 60, "repository": "our-org/app",
    });
    change(&mut claims);
    jws::sign(&Header { typ: "JWT", kid: Some(key.kid()), jwk: None }, &claims, key).unwrap()
}

#[tokio::test]
async fn a_workload_that_nobody_knows_waits_in_quarantine_and_a_bound_one_works() {
    let (key, _) = SigningKey::generate().unwrap();
    let house = house(&key).await;
    for _ in 0..2 {
        let ask = form(&[GRANT, ("assertion", &assertion(&house, &key, |_| {}))]);
        let (status, answer) = house.token(ask, None).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!((&answer["error"], &answer["code"]), (&json!("access_denied"), &json!("agent_quarantined")));
    }
    let arrived = house.world.engine.read(|state| state.workload_of(IDP, "build-7").unwrap().status);
    assert_eq!(arrived, AgentStatus::Quarantined);
    let workload = WorkloadIdentity::Foreign { issuer: IDP.to_owned(), subject: "build-8".to_owned() };
    let bind = Command::BindWorkload { agent: house.world.agent_named("triage"), workload };
    house.world.submit(&house.world.root(), bind).await;
    let known = assertion(&house, &key, |claims| claims["sub"] = json!("build-8"));
    let (status, answer) = house.token(form(&[GRANT, ("assertion", &known)]), None).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(claims(&answer)["sub"], house.id("triage"));
}

#[tokio::test]
async fn what_the_issuer_did_not_say_is_not_believed() {
    let (key, _) = SigningKey::generate().unwrap();
    let (stranger, _) = SigningKey::generate().unwrap();
    let house = house(&key).await;
    let now = house.now();
    let wrong = [
        assertion(&house, &stranger, |_| {}),
        assertion(&house, &key, |claims| claims["iss"] = json!("https://other.example")),
        assertion(&house, &key, |claims| claims["aud"] = json!("https://other.example")),
        assertion(&house, &key, |claims| claims["aud"] = json!([ISSUER, "https://other.example"])),
        assertion(&house, &key, |claims| claims["exp"] = json!(now - 60)),
        assertion(&house, &key, |claims| claims["repository"] = json!("other-org/app")),
        "not a token".to_owned(),
    ];
    for assertion in wrong {
        let (_, answer) = house.token(form(&[GRANT, ("assertion", &assertion)]), None).await;
        assert_eq!(answer["error"], "invalid_grant", "{answer}");
    }
    assert!(house.world.engine.read(|state| state.workload_of(IDP, "build-7").is_none()));
}

#[tokio::test]
async fn an_assertion_with_a_name_is_good_once_and_none_lives_long() {
    let (key, _) = SigningKey::generate().unwrap();
    let house = house(&key).await;
    let workload = WorkloadIdentity::Foreign { issuer: IDP.to_owned(), subject: "build-7".to_owned() };
    let bind = Command::BindWorkload { agent: house.world.agent_named("triage"), workload };
    house.world.submit(&house.world.root(), bind).await;
    let ask = async |assertion: &str| house.token(form(&[GRANT, ("assertion", assertion)]), None).await;
    let named = assertion(&house, &key, |claims| claims["jti"] = json!("a-1"));
    assert_eq!(ask(&named).await.0, StatusCode::OK);
    let (_, again) = ask(&named).await;
    assert_eq!((&again["error"], &again["code"]), (&json!("invalid_grant"), &json!("assertion_replay")));
    let now = house.now();
    for change in [
        |claims: &mut Value, now: i64| claims["exp"] = json!(now + 3_700),
        |claims: &mut Value, now: i64| {
            claims["exp"] = json!(now + 3_700);
            claims.as_object_mut().unwrap().remove("iat");
        },
    ] {
        let long = assertion(&house, &key, |claims| change(claims, now));
        assert_eq!(ask(&long).await.1["code"], "assertion_too_long_lived");
    }
}
