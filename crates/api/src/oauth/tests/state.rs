//! Tokens follow the state at once.

use http::StatusCode;
use remit_domain::{Command, KeyPurpose, KeyStep, StepKey};
use serde_json::json;

use super::{Ask, House, JWT_SPIFFE, both, claims, form};

const OWN: (&str, &str) = ("grant_type", "client_credentials");

#[tokio::test]
async fn a_suspended_agent_has_no_tokens_and_gets_none() {
    let house = House::build().await;
    let (key, other) = (house.key("helper").await, house.key("triage").await);
    let (_, answer) = house.token(both(house.by("helper", &key), &[OWN]), None).await;
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(house.introspect(token, &other).await["active"], true);
    let suspend = Command::SuspendAgent { agent: house.world.agent_named("helper"), reason: "odd calls".to_owned() };
    house.world.submit(&house.world.root(), suspend).await;
    assert_eq!(house.introspect(token, &other).await, json!({"active": false}));
    let (status, answer) = house.token(both(house.by("helper", &key), &[OWN]), None).await;
    assert_eq!(
        (status, &answer["error"], &answer["code"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_grant"), &json!("agent_suspended"))
    );
    // Nor is it told anything.
    let ask = Ask { form: both(house.by("helper", &key), &[("token", token)]), ..Ask::default() };
    let (_, answer) = house.post("/oauth/introspect", ask).await;
    assert_eq!((&answer["error"], &answer["code"]), (&json!("invalid_client"), &json!("agent_inactive")));
}

#[tokio::test]
async fn what_a_revoked_key_signed_holds_no_longer_from_the_commit_on() {
    let house = House::build().await;
    house.bind("triage").await;
    let own = house.key("triage").await;
    let (_, answer) = house.token(both(house.by("triage", &own), &[OWN]), None).await;
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(house.introspect(token, &own).await["active"], true);
    let key = house.world.engine.keys().signing().unwrap().kid().to_owned();
    let public = house.world.engine.read(|state| state.realm_keys[&key].public.clone());
    let step = StepKey { key: key.clone(), purpose: KeyPurpose::Token, step: KeyStep::Revoked, public };
    house.world.submit(&house.world.root(), Command::StepKey(Box::new(step))).await;
    // The ring still has it: the state alone refuses.
    assert!(house.world.engine.keys().verifying(&key, house.now()).is_some());
    assert_eq!(house.introspect(token, &own).await, json!({"active": false}));
    let svid = house.jwt_svid("triage", None);
    let ask = form(&[OWN, ("client_assertion_type", JWT_SPIFFE), ("client_assertion", &svid)]);
    assert_eq!(house.token(ask, None).await.1["code"], "token_key_revoked");
}

#[tokio::test]
async fn a_run_has_a_say_in_its_own_task_only() {
    let house = House::build().await;
    let key = house.key("triage").await;
    let begin = async || house.token(both(house.by("triage", &key), &[OWN]), None).await.1;
    let (first, second) = (begin().await, begin().await);
    let (own, other) = (first["access_token"].as_str().unwrap(), second["access_token"].as_str().unwrap());
    let svid = house.jwt_svid("triage", claims(&first)["run"].as_str());
    let by_run = [("client_assertion_type", JWT_SPIFFE), ("client_assertion", svid.as_str())];
    let ask = |token| Ask { form: both(form(&by_run), &[("token", token)]), ..Ask::default() };
    assert_eq!(house.post("/oauth/introspect", ask(own)).await.1["active"], true);
    assert_eq!(house.post("/oauth/introspect", ask(other)).await.1, json!({"active": false}));
    assert_eq!(house.post("/oauth/revoke", ask(other)).await.1["error"], "unauthorized_client");
    assert_eq!(house.introspect(other, &key).await["active"], true);
    assert_eq!(house.post("/oauth/revoke", ask(own)).await.0, StatusCode::OK);
    assert_eq!(house.introspect(own, &key).await["active"], false);
}
