use serde_json::{Map, Value, json};

use super::divide;

fn members(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn what_a_schema_does_not_name_is_left_over_at_any_depth() {
    let schema = json!({
        "type": "object",
        "properties": {
            "subject": {"type": "object", "properties": {"id": {"type": "string"}}},
            "action": {"type": "object", "properties": {"soft": {"type": "boolean"}}},
            "context": {"type": "object"},
        },
    });
    let whole = members(json!({
        "subject": {"id": "alice", "type": "user"},
        "action": {"soft": null},
        "resource": {"id": "record-1"},
        "context": {"time": "2025-06-27T18:03-07:00"},
    }));
    let (named, rest) = divide(&schema, whole);
    assert_eq!(
        Value::from(named),
        json!({"subject": {"id": "alice"}, "action": {}, "context": {"time": "2025-06-27T18:03-07:00"}})
    );
    assert_eq!(Value::from(rest), json!({"subject": {"type": "user"}, "resource": {"id": "record-1"}}));
}

#[test]
fn a_schema_that_welcomes_more_gets_more() {
    let open = json!({"type": "object", "properties": {}, "additionalProperties": true});
    let (named, rest) = divide(&open, members(json!({"anything": 7})));
    assert_eq!((Value::from(named), rest.is_empty()), (json!({"anything": 7}), true));
}
