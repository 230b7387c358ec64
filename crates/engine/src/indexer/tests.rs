use remit_domain::{Actor, Command, ConnectorSpec, DataClass, Event, Verb, Verdict};
use remit_testkit::{World, operation};
use serde_json::{Value, json};

use super::*;
use crate::record::Committed;

/// The row as it follows from the whole record.
fn from_record(committed: &Committed) -> IndexRow {
    let event = &committed.record.event;
    let value = serde_json::to_value(event).unwrap();
    let text_of = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let person = match &committed.record.actor {
        Actor::Person { person, .. } => Some(person.to_string()),
        Actor::Agent { .. } | Actor::Remit => text_of("acting_for"),
    };
    let outcome = match (Verdict::among(std::slice::from_ref(event)), event) {
        (Some(Verdict::Allowed(_)), _) => Some("allowed".to_owned()),
        (Some(Verdict::Denied(_)), _) => Some("denied".to_owned()),
        (Some(Verdict::Asked(_)), _) => Some("asked".to_owned()),
        (None, Event::OutcomeRecorded(recorded)) => {
            serde_json::to_value(&recorded.outcome).unwrap()["kind"].as_str().map(str::to_owned)
        }
        _ => None,
    };
    let words = ["name", "reason", "purpose", "note"];
    let refusal = value.pointer("/refusal/code").and_then(Value::as_str);
    let text: Vec<String> = words.iter().filter_map(|word| text_of(word)).chain(refusal.map(str::to_owned)).collect();
    IndexRow {
        seq: committed.seq,
        at: committed.at.as_millis(),
        kind: text_of("type").unwrap(),
        agent: event.agent().map(|agent| agent.to_string()),
        task: text_of("task"),
        person,
        operation: text_of("operation"),
        action: text_of("action"),
        approval: text_of("approval"),
        outcome,
        text: text.join(" "),
        artefacts: artefacts::of_event(event),
        grant: match event {
            Event::ActionAllowed(allowed) => allowed.grant.map(|grant| grant.to_string()),
            _ => None,
        },
    }
}

async fn a_day() -> World {
    let world = World::new().await;
    world.person("ana", &["support"]).await;
    world.agent("helper", "ana", |_| {}).await;
    let bob = world.person("bob", &[]).await;
    let choices = vec![
        operation("read", Verb::Read, 0, DataClass::D1, &json!({"id": {"type": "integer"}})),
        operation("pay", Verb::Write, 3, DataClass::D1, &json!({"id": {"type": "integer"}})),
    ];
    let spec = ConnectorSpec::Http { url: "http://127.0.0.1:9/mcp".to_owned() };
    world.connector("desk", spec, choices).await;
    world.grant("helper", &["desk/*"], 600).await;
    let task = world.task_with("helper", |start| start.acting_for = Some(bob)).await;
    world.token(task).await;
    let action = world.call(task, "desk/read", json!({"id": 7})).await.allowed();
    world.succeed(action).await;
    world.call(task, "desk/read", json!({"id": "seven"})).await;
    world.call(task, "desk/none", json!({})).await;
    let approval = world.call(task, "desk/pay", json!({"id": 7})).await.asked();
    world.deny("ana", approval, "not today, \u{e9}").await;
    let root = world.root();
    world.submit(&root, Command::EndTask { task, note: "done".to_owned() }).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_searched_for_is_what_the_record_says() {
    let world = a_day().await;
    let mut kinds = std::collections::BTreeSet::new();
    for record in world.records().await {
        let entry = remit_ledger::canonical::to_canonical(&record).unwrap();
        let committed = Committed::parse(record.seq, &entry).unwrap();
        let row = searched::row_of(record.seq, &entry).unwrap();
        assert_eq!(row, from_record(&committed));
        kinds.insert(row.kind);
    }
    assert!(kinds.len() > 15, "{kinds:?}");
    world.engine.close().await;
}

#[test]
fn an_entry_that_is_no_record_is_refused() {
    let entry =
        |v: u32, seq: u64| json!({"v": v, "seq": seq, "at": 1, "actor": {}, "event": {"type": "X"}}).to_string();
    assert_eq!(searched::row_of(3, entry(1, 3).as_bytes()).unwrap().kind, "X");
    for (index, entry) in [(4, entry(1, 3)), (3, entry(2, 3)), (3, "{}".to_owned()), (3, "\u{0}".to_owned())] {
        assert!(searched::row_of(index, entry.as_bytes()).is_err(), "{entry}");
    }
    let odd = json!({"v": 1, "seq": 0, "at": 1, "actor": {"person": ["x"]},
        "event": {"type": "X", "name": {"a": [1, 2.5, null, true]}, "task": 7, "note": "\n"}});
    let row = searched::row_of(0, odd.to_string().as_bytes()).unwrap();
    assert_eq!((row.task, row.person, row.text), (None, None, "\n".to_owned()));
}
