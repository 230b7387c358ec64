//! One agent passes a part of its task on to another.

use http::StatusCode;
use remit_domain::{Authority, Command, Delegate, Delegation};
use remit_identity::SigningKey;
use serde_json::{Value, json};

use super::{House, both, claims, task_of};

const EXCHANGE: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
const KIND: (&str, &str) = ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token");

/// A token of a task that `root` started for `triage`, which may be passed on to `delegates`.
async fn subject(house: &House, key: &SigningKey, delegates: &[&str], operations: &[&str]) -> String {
    let delegates = delegates.iter().map(|name| Delegate::Agent((*name).to_owned())).collect();
    let delegation = Delegation { depth_max: 1, delegates };
    let operations = operations.iter().map(|operation| operation.parse().unwrap()).collect();
    let mut part = Authority::over(operations);
    part.constraints.insert("max_amount".to_owned(), json!(10));
    part.delegation = Some(delegation);
    let task = house.world.task_with("triage", |start| {
        start.authority = vec![part];
        start.key = Some(key.kid().to_owned());
        start.acting_for = Some(house.world.person_named("root"));
    });
    let task = task.await;
    house.world.token(task).await
}

async fn exchange(
    house: &House,
    key: &SigningKey,
    subject: &str,
    more: &[(&str, &str)],
    proof: Option<&SigningKey>,
) -> (StatusCode, Value) {
    let ask = both(house.by("helper", key), &[EXCHANGE, KIND, ("subject_token", subject)]);
    house.token(both(ask, &more.iter().map(|(name, value)| (*name, *value)).collect::<Vec<_>>()), proof).await
}

fn entry(house: &House, actions: &Value, amount: u64) -> String {
    json!([{
        "type": "mission_resource_access", "resource": format!("{}/helpdesk", house.gateway()),
        "actions": actions, "constraints": {"max_amount": amount},
    }])
    .to_string()
}

#[tokio::test]
async fn a_delegate_gets_a_narrower_task_of_its_own_bound_to_its_own_key() {
    let house = House::build().await;
    let (key, own) = (house.key("triage").await, house.key("helper").await);
    let subject = subject(&house, &key, &["helper"], &["helpdesk/*"]).await;
    let details = entry(&house, &json!(["read.one"]), 5);
    let (status, answer) = exchange(&house, &own, &subject, &[("authorization_details", &details)], Some(&own)).await;
    assert_eq!((status, &answer["token_type"]), (StatusCode::OK, &json!("DPoP")), "{answer}");
    assert_eq!(answer["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    assert_eq!(answer["authorization_details"][0]["constraints"]["max_amount"], 5);
    let said = claims(&answer);
    let person = house.world.person_named("root").to_string();
    assert_eq!((&said["sub"], &said["sub_profile"]), (&json!(person), &json!("user")));
    assert_eq!(
        (&said["act"]["sub"], &said["act"]["act"]["sub"]),
        (&json!(house.id("helper")), &json!(house.id("triage")))
    );
    assert_eq!((&said["client_id"], &said["cnf"]["jkt"]), (&json!(house.id("helper")), &json!(own.kid())));
    assert_ne!(said["mission"]["id"], said["task"]);
    // Introspection says the same, until the task above it ends.
    let state = house.introspect(answer["access_token"].as_str().unwrap(), &key).await;
    assert_eq!((&state["active"], &state["act"], &state["token_type"]), (&json!(true), &said["act"], &json!("DPoP")));
    let root = said["mission"]["id"].as_str().unwrap().parse().unwrap();
    house.world.submit(&house.world.root(), Command::EndTask { task: root, note: String::new() }).await;
    assert_eq!(house.introspect(answer["access_token"].as_str().unwrap(), &key).await, json!({"active": false}));
    let (_, answer) = exchange(&house, &own, &subject, &[], Some(&own)).await;
    assert_eq!((&answer["error"], &answer["code"]), (&json!("invalid_grant"), &json!("task_ended")));
}

#[tokio::test]
async fn the_delegates_own_key_is_proved_and_no_other() {
    let house = House::build().await;
    let (key, own) = (house.key("triage").await, house.key("helper").await);
    let subject = subject(&house, &key, &["helper"], &["helpdesk/*"]).await;
    for (proof, code) in [(None, "key_needed"), (Some(&key), "key_shared")] {
        let (_, answer) = exchange(&house, &own, &subject, &[], proof).await;
        assert_eq!((&answer["error"], &answer["code"]), (&json!("invalid_dpop_proof"), &json!(code)));
    }
}

#[tokio::test]
async fn nobody_takes_over_what_was_not_meant_for_them() {
    let house = House::build().await;
    let (key, own) = (house.key("triage").await, house.key("helper").await);
    house.world.agent("other", "root", |_| {}).await;
    // `may_act` names another; nothing is passed on at all.
    for delegates in [&["other"][..], &["other", "third"]] {
        let subject = subject(&house, &key, delegates, &["helpdesk/*"]).await;
        let (_, answer) = exchange(&house, &own, &subject, &[], Some(&own)).await;
        assert_eq!(answer["error"], "actor_unauthorized", "{answer}");
    }
}

#[tokio::test]
async fn what_comes_out_is_never_wider() {
    let house = House::build().await;
    let (key, own) = (house.key("triage").await, house.key("helper").await);
    let subject = subject(&house, &key, &["helper"], &["helpdesk/read.one", "crm/*"]).await;
    let crm = format!("{}/crm", house.gateway());
    let loose = json!([{"type": "mission_resource_access", "resource": crm, "actions": ["*"]}]).to_string();
    for (name, value, word) in [
        ("authorization_details", entry(&house, &json!(["close"]), 5), "invalid_authorization_details"),
        ("authorization_details", entry(&house, &json!(["*"]), 5), "invalid_authorization_details"),
        ("authorization_details", entry(&house, &json!(["read.one"]), 11), "invalid_authorization_details"),
        // A bound that is left out is as wide as can be.
        ("authorization_details", loose, "invalid_authorization_details"),
        ("authorization_details", "[]".to_owned(), "invalid_authorization_details"),
        ("resource", "https://other.example".to_owned(), "invalid_target"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token".to_owned(), "invalid_request"),
        ("actor_token", "x".to_owned(), "invalid_request"),
    ] {
        let (_, answer) = exchange(&house, &own, &subject, &[(name, &value)], Some(&own)).await;
        assert_eq!(answer["error"], word, "{name} {value}: {answer}");
    }
    // A token for one connector leads to that connector only, also in what it is exchanged for.
    let (_, narrow) = exchange(&house, &own, &subject, &[("resource", &crm)], Some(&own)).await;
    assert_eq!((&claims(&narrow)["aud"], &narrow["scope"]), (&json!(crm), &json!("crm/*")));
    let (_, refused) = exchange(&house, &own, "not.a.token", &[], Some(&own)).await;
    assert_eq!(refused["error"], "invalid_request");
}

#[tokio::test]
async fn an_agent_narrows_its_own_task() {
    let house = House::build().await;
    let key = house.key("triage").await;
    let own = ("grant_type", "client_credentials");
    let (_, first) =
        house.token(both(house.by("triage", &key), &[own, ("scope", "helpdesk/* crm/*")]), Some(&key)).await;
    let token = first["access_token"].as_str().unwrap();
    let ask = |scope| both(house.by("triage", &key), &[EXCHANGE, KIND, ("subject_token", token), ("scope", scope)]);
    let (_, part) = house.token(ask("crm/close"), Some(&key)).await;
    assert_eq!((&part["scope"], claims(&part).get("act")), (&json!("crm/close"), None));
    let parent = house.world.engine.read(|state| state.task(task_of(&part)).unwrap().parent);
    assert_eq!((parent, &claims(&part)["run"]), (Some(task_of(&first)), &claims(&first)["run"]));
    let (_, wider) = house.token(ask("mail/*"), Some(&key)).await;
    assert_eq!(wider["error"], "invalid_scope");
    // Without the key that the task is bound to.
    assert_eq!(house.token(ask("crm/close"), None).await.1["code"], "wider_than_parent");
}

#[tokio::test]
async fn a_revoked_token_is_no_good_although_its_task_lives() {
    let house = House::build().await;
    let (key, own) = (house.key("triage").await, house.key("helper").await);
    let subject = subject(&house, &key, &["helper"], &["helpdesk/*"]).await;
    let ask = |form| super::Ask { form, ..super::Ask::default() };
    let stranger = both(house.by("helper", &own), &[("token", &subject)]);
    assert_eq!(house.post("/oauth/revoke", ask(stranger)).await.1["error"], "unauthorized_client");
    let by_holder = both(house.by("triage", &key), &[("token", &subject)]);
    assert_eq!(house.post("/oauth/revoke", ask(by_holder)).await.0, StatusCode::OK);
    assert_eq!(house.introspect(&subject, &key).await, json!({"active": false}));
    let (_, answer) = exchange(&house, &own, &subject, &[], Some(&own)).await;
    assert_eq!(answer["error"], "invalid_grant");
    let unknown = both(house.by("triage", &key), &[("token", "what?")]);
    assert_eq!(house.post("/oauth/revoke", ask(unknown)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_run_takes_over_nothing_beside_its_own_task() {
    let house = House::build().await;
    let (key, own) = (house.key("triage").await, house.key("helper").await);
    let subject = subject(&house, &key, &["helper"], &["helpdesk/*"]).await;
    let begin = both(house.by("helper", &own), &[("grant_type", "client_credentials")]);
    let (_, first) = house.token(begin, None).await;
    let svid = house.jwt_svid("helper", claims(&first)["run"].as_str());
    let by_run = [("client_assertion_type", super::JWT_SPIFFE), ("client_assertion", svid.as_str())];
    let ask = both(super::form(&by_run), &[EXCHANGE, KIND, ("subject_token", &subject)]);
    let (_, refused) = house.token(ask, Some(&own)).await;
    assert_eq!(refused["error"], "unauthorized_client", "{refused}");
    assert_eq!(exchange(&house, &own, &subject, &[], Some(&own)).await.0, StatusCode::OK);
}
