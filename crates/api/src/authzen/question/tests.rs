use serde_json::{Map, Value, json};

use super::{BadRequest, Parts};

fn members(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn said(refused: BadRequest) -> String {
    refused.0.sentence
}

#[test]
fn whole_members_are_inherited_and_parts_of_them_are_not() {
    let top = members(&json!({
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "read"},
        "resource": {"type": "record", "id": "record-1", "properties": {"status": "active"}},
        "context": {"ip": "192.0.2.1"},
    }));
    let item = members(&json!({"resource": {"type": "record", "id": "record-2"}}));
    let question = Parts::with_defaults(&item, &top).question().unwrap();
    assert_eq!((question.subject.id.as_str(), question.resource.id.as_str()), ("alice", "record-2"));
    assert!(question.resource.properties.is_empty());
    assert_eq!(question.context, members(&json!({"ip": "192.0.2.1"})));
    let item = members(&json!({"resource": {"id": "record-2"}}));
    let refused = Parts::with_defaults(&item, &top).question().unwrap_err();
    assert_eq!(said(refused), "the member `resource.type` is missing");
}

#[test]
fn what_is_missing_or_of_another_type_is_named() {
    let whole = json!({
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "read"},
        "resource": {"type": "record", "id": "record-1"},
    });
    for (place, value, sentence) in [
        ("/subject", json!("alice"), "the member `subject` is not an object"),
        ("/subject/id", json!(7), "the member `subject.id` is not text"),
        ("/action/name", json!(["read"]), "the member `action.name` is not text"),
        ("/resource", json!(null), "the member `resource` is not an object"),
        ("/resource/id", json!("x".repeat(5_000)), "the member `resource.id` has more than 1024 bytes"),
    ] {
        let mut changed = whole.clone();
        *changed.pointer_mut(place).unwrap() = value;
        assert_eq!(said(Parts::of(&members(&changed)).question().unwrap_err()), sentence);
    }
    let mut changed = whole.clone();
    changed["subject"]["properties"] = json!([]);
    let refused = Parts::of(&members(&changed)).question().unwrap_err();
    assert_eq!(said(refused), "the member `subject.properties` is not an object");
    changed = whole;
    changed["context"] = json!("now");
    assert_eq!(said(Parts::of(&members(&changed)).question().unwrap_err()), "the member `context` is not an object");
}
