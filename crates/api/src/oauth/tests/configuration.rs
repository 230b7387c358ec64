//! Agents that are approved with a configuration: whoever begins a task of theirs presents its digest.

use http::StatusCode;
use remit_domain::{Command, Configuration, Delegate, Delegation, Digest, Edit, PolicyEdit, TaskId};
use serde_json::{Value, json};

use super::consent::{BACK, authorize, client, consent, opened, question, redeem, with};
use super::{House, both, task_of};

const OWN: (&str, &str) = ("grant_type", "client_credentials");
const EXCHANGE: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
const KIND: (&str, &str) = ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token");

/// Has `agent` approved with a configuration, and gives the digest of that.
async fn approved(house: &House, agent: &str) -> String {
    let configuration = Configuration { model: Some(format!("model of {agent}")), ..Configuration::default() };
    let digest = configuration.digest().to_string();
    // The administrator owns these agents, and so cannot be given grants by themselves: reading is permitted without one.
    let text = format!(
        "@id(\"{agent}-reads\")\n@reason(\"a test\")\npermit (principal == Agent::\"{agent}\", action, resource);\n"
    );
    let reads = Edit::Policy(PolicyEdit { name: format!("{agent}-reads"), text: Some(text) });
    let agent = house.world.agent_named(agent);
    let edits = vec![reads, Edit::Configuration { agent, configuration: Some(configuration) }];
    let propose = Command::ProposeChange { edits, reason: "looked at".to_owned(), revert_of: None };
    house.world.agreed(&house.world.root(), propose).await;
    digest
}

fn of_task(house: &House, task: TaskId) -> Option<String> {
    house.world.engine.read(|state| state.task(task).unwrap().configuration.map(|digest| digest.to_string()))
}

/// What is said to who presents none, or another one.
fn must_be_refused(answer: &Value) {
    assert_eq!((&answer["error"], &answer["code"]), (&json!("access_denied"), &json!("configuration_not_approved")));
    assert!(answer["error_description"].as_str().unwrap().contains("present the digest"), "{answer}");
}

/// What is said to who presents something else than a digest.
fn must_be_malformed(answer: &Value) {
    assert_eq!(
        (&answer["error"], &answer["code"]),
        (&json!("invalid_request"), &json!("bad_configuration")),
        "{answer}"
    );
    assert!(answer["error_description"].as_str().unwrap().contains("64 hexadecimal digits"), "{answer}");
}

#[tokio::test]
async fn an_agent_begins_and_narrows_its_own_tasks_with_its_configuration() {
    let house = House::build().await;
    let key = house.key("triage").await;
    let digest = approved(&house, "triage").await;
    let own = |more: &[(&'static str, &str)]| both(both(house.by("triage", &key), &[OWN]), more);
    must_be_refused(&house.token(own(&[]), Some(&key)).await.1);
    must_be_refused(
        &house.token(own(&[("configuration", &Digest::of_bytes(b"other").to_string())]), Some(&key)).await.1,
    );
    for malformed in ["sha256", &digest[1..], &format!("+{}", &digest[1..])] {
        must_be_malformed(&house.token(own(&[("configuration", malformed)]), Some(&key)).await.1);
    }
    let (status, answer) = house.token(own(&[("configuration", &digest)]), Some(&key)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(of_task(&house, task_of(&answer)).as_ref(), Some(&digest));
    house.world.call(task_of(&answer), "helpdesk/read.one", json!({})).await.allowed();
    // A part of it is of the same run, and says nothing about its configuration again.
    let subject = answer["access_token"].as_str().unwrap();
    let part = |more: &[(&'static str, &str)]| {
        let narrower = [EXCHANGE, KIND, ("subject_token", subject), ("scope", "helpdesk/read.one")];
        both(both(house.by("triage", &key), &narrower), more)
    };
    let (status, answer) = house.token(part(&[]), Some(&key)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    house.world.call(task_of(&answer), "helpdesk/read.one", json!({})).await.allowed();
    let other = Digest::of_bytes(b"other").to_string();
    must_be_refused(&house.token(part(&[("configuration", &other)]), Some(&key)).await.1);
}

#[tokio::test]
async fn a_delegate_presents_its_own() {
    let house = House::build().await;
    let (key, own) = (house.key("triage").await, house.key("helper").await);
    let (of_triage, of_helper) = (approved(&house, "triage").await, approved(&house, "helper").await);
    let delegates = vec![Delegate::Agent("helper".to_owned())];
    let task = house.world.task_with("triage", |start| {
        start.configuration = Some(of_triage.parse().unwrap());
        start.delegation = Some(Delegation { depth_max: 1, delegates });
        start.key = Some(key.kid().to_owned());
    });
    let subject = house.world.token(task.await).await;
    let exchange = |more: &[(&'static str, &str)]| {
        both(both(house.by("helper", &own), &[EXCHANGE, KIND, ("subject_token", &subject)]), more)
    };
    must_be_refused(&house.token(exchange(&[]), Some(&own)).await.1);
    must_be_refused(&house.token(exchange(&[("configuration", &of_triage)]), Some(&own)).await.1);
    must_be_malformed(&house.token(exchange(&[("configuration", "mine")]), Some(&own)).await.1);
    let (status, answer) = house.token(exchange(&[("configuration", &of_helper)]), Some(&own)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(of_task(&house, task_of(&answer)), Some(of_helper));
    house.world.call(task_of(&answer), "helpdesk/read.one", json!({})).await.allowed();
}

#[tokio::test]
async fn an_application_says_which_one_and_its_tokens_keep_it() {
    let house = House::build().await;
    let client = client(&house).await;
    let digest = approved(&house, "triage").await;
    let malformed = authorize(&house, &with(question(&client, BACK), "configuration", "mine")).await;
    let location = malformed.1.unwrap();
    assert!(location.contains("error=invalid_request") && location.contains("hexadecimal"), "{location}");
    let (_, location, _) = authorize(&house, &with(question(&client, BACK), "configuration", &digest)).await;
    let request = opened(&house, &location.unwrap());
    assert_eq!(request.configuration.as_ref(), Some(&digest));
    consent(&house, &request, "code-1").await;
    let (status, first) = house.token(redeem(&client, "code-1", BACK), None).await;
    assert_eq!(status, StatusCode::OK, "{first}");
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", client.as_str()),
        ("refresh_token", first["refresh_token"].as_str().unwrap()),
    ];
    let (status, next) = house.token(super::form(&refresh), None).await;
    assert_eq!((status, task_of(&next)), (StatusCode::OK, task_of(&first)), "{next}");
    assert_eq!(of_task(&house, task_of(&next)), Some(digest));
    house.world.call(task_of(&next), "helpdesk/read.one", json!({})).await.allowed();
}
