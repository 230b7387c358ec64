use remit_domain::{Command, ConnectorSpec, DataClass, Event, PersonId, Verb};
use remit_testkit::operation;
use serde_json::{Value, json};

use super::{Answered, House};

const IDP: &str = "https://id.example.org";

/// A house before a server of tools, where nobody is in a catalogue.
async fn house() -> House {
    let house = House::of("certification").await;
    let spec = ConnectorSpec::Http { url: "http://127.0.0.1:9/mcp".to_owned() };
    let choice = operation("show_order", Verb::Read, 0, DataClass::D1, &json!({"id": {"type": "string"}}));
    house.world.connector("helpdesk", spec, vec![choice]).await;
    house.world.grant("enforcer", &["helpdesk/*"], 3_600).await;
    house
}

async fn ask(house: &House, subject: &str, properties: Value) -> Answered {
    let question = json!({
        "subject": {"type": "identity", "id": subject, "properties": properties},
        "action": {"name": "tools/call"},
        "resource": {"type": "tool", "id": "helpdesk/show_order", "properties": {"id": "O-1"}},
    });
    house.evaluate(&question).await
}

/// For whom the last thing was allowed.
async fn acted_for(house: &House) -> Option<PersonId> {
    let records = house.world.records().await;
    let last = records.iter().rev().find_map(|committed| match &committed.record.event {
        Event::ActionAllowed(allowed) => Some(allowed.facts.acting_for),
        _ => None,
    });
    last.unwrap()
}

#[tokio::test]
async fn a_name_from_here_is_nobodys_who_was_named_elsewhere() {
    let house = house().await;
    let ben = house.world.person_named("ben");
    let here = house.world.engine.realm().issuer;
    let id = ben.to_string();
    for said in [json!({}), json!({"iss": here}), json!({"iss": null})] {
        for subject in ["ben", id.as_str()] {
            assert!(ask(&house, subject, said.clone()).await.decision(), "{subject} {said}");
            assert_eq!(acted_for(&house).await, Some(ben));
        }
    }
    for said in [json!({"iss": IDP}), json!({"iss": ""}), json!({"iss": [here]}), json!({"iss": format!("{here}/")})] {
        for subject in ["ben", id.as_str()] {
            let answered = ask(&house, subject, said.clone()).await;
            assert_eq!((answered.decision(), answered.reason()), (false, "subject_unknown"), "{subject} {said}");
        }
    }
}

#[tokio::test]
async fn an_account_elsewhere_is_who_it_is_linked_to_and_nobody_of_the_same_name() {
    let house = house().await;
    let (ana, ben) = (house.world.person_named("ana"), house.world.person_named("ben"));
    // What the issuer calls `ben` is Ana.
    let link = Command::LinkPerson { person: ana, issuer: IDP.to_owned(), subject: "ben".to_owned() };
    house.world.submit(&house.world.root(), link).await;
    assert!(ask(&house, "ben", json!({"iss": IDP})).await.decision());
    assert_eq!(acted_for(&house).await, Some(ana));
    assert!(ask(&house, "ben", json!({})).await.decision());
    assert_eq!(acted_for(&house).await, Some(ben));
    let answered = ask(&house, "ben", json!({"iss": "https://other.example.org"})).await;
    assert_eq!((answered.decision(), answered.reason()), (false, "subject_unknown"));
}

#[tokio::test]
async fn somebody_of_a_catalogue_is_no_person_of_the_same_name_from_elsewhere() {
    let house = House::of("certification").await;
    house.world.person("alice", &[]).await;
    let alice = house.world.person_named("alice");
    for (said, person) in [(json!({}), Some(alice)), (json!({"iss": IDP}), None)] {
        let question = json!({
            "subject": {"type": "user", "id": "alice", "properties": said},
            "action": {"name": "read"},
            "resource": {"type": "record", "id": "record-1"},
        });
        let answered = house.evaluate(&question).await;
        assert!(answered.decision(), "{}", answered.body);
        assert_eq!(acted_for(&house).await, person);
    }
}

#[tokio::test]
async fn an_agents_name_is_nobodys_whom_another_issuer_named() {
    let house = house().await;
    let own = "spiffe://remit.test/agent/enforcer/production";
    assert!(ask(&house, own, json!({})).await.decision());
    let answered = ask(&house, own, json!({"iss": IDP})).await;
    assert_eq!((answered.decision(), answered.reason()), (false, "subject_unknown"));
}

#[tokio::test]
async fn an_agent_that_another_issuer_names_is_none_of_this_realm() {
    let house = house().await;
    let here = house.world.engine.realm().issuer;
    let question = |said: Value| {
        json!({
            "subject": {"type": "agent", "id": "enforcer", "properties": said},
            "action": {"name": "tools/call"},
            "resource": {"type": "tool", "id": "helpdesk/show_order", "properties": {"id": "O-1"}},
        })
    };
    assert!(house.evaluate(&question(json!({"iss": here}))).await.decision());
    let answered = house.evaluate(&question(json!({"iss": IDP}))).await;
    assert_eq!((answered.decision(), answered.reason()), (false, "agent_unknown"));
}
