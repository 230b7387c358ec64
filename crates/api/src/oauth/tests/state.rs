//! Tokens follow the state at once.

use http::StatusCode;
use remit_domain::Command;
use serde_json::json;

use super::{House, both};

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
}
