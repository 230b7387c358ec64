use serde_json::{Value, json};

use super::{Change, compare};
use crate::limits;

fn tool() -> Value {
    json!({
        "name": "send_note", "description": "Sends a note to a colleague.",
        "inputSchema": {"type": "object", "required": ["to"], "properties": {
            "to": {"type": "string", "description": "who gets it"},
            "kind": {"enum": ["short", "long"]},
            "place": {"type": "object", "properties": {"city": {"type": "string"}}},
        }},
        "annotations": {"readOnlyHint": false},
    })
}

fn sentences(after: &Value) -> Vec<String> {
    compare(&tool(), after).into_iter().map(|found| format!("{} @{}", found.sentence, found.place)).collect()
}

#[test]
fn nothing_changed_is_no_difference_whatever_the_order_of_members() {
    assert_eq!(compare(&tool(), &serde_json::from_str(&tool().to_string()).unwrap()), []);
}

#[test]
fn a_text_is_compared_word_by_word() {
    let mut after = tool();
    after["description"] = json!("Sends a note to a colleague and to us.");
    let found = compare(&tool(), &after);
    assert_eq!((found.len(), found[0].change, found[0].place.as_str()), (1, Change::Changed, "/description"));
    assert_eq!(found[0].sentence, "the tool's description changed");
    assert_eq!(found[0].wording[1].text, " and to us");
}

#[test]
fn arguments_are_named() {
    let mut after = tool();
    let schema = &mut after["inputSchema"];
    schema["properties"]["bcc"] = json!({"type": "string"});
    schema["properties"]["to"]["type"] = json!("array");
    schema["properties"]["kind"]["enum"] = json!(["short", "secret"]);
    schema["properties"]["place"]["properties"] = json!({"city": {"type": "string", "maxLength": 9}});
    schema["required"] = json!(["to", "bcc"]);
    after["annotations"] = json!({"readOnlyHint": true});
    assert_eq!(
        sentences(&after),
        [
            "the hint `readOnlyHint` changed @/annotations/readOnlyHint",
            "the argument `bcc` is new @/inputSchema/properties/bcc",
            "the enum of the argument `kind` no longer has `long` @/inputSchema/properties/kind/enum",
            "the enum of the argument `kind` now has `secret` @/inputSchema/properties/kind/enum",
            "`maxLength` of the argument `place.city` is new @/inputSchema/properties/place/properties/city/maxLength",
            "the type of the argument `to` changed @/inputSchema/properties/to/type",
            "the argument `bcc` is now required @/inputSchema/required",
        ]
    );
}

#[test]
fn required_may_come_go_and_be_a_propertys_name() {
    let mut after = tool();
    after["inputSchema"].as_object_mut().unwrap().remove("required");
    assert_eq!(sentences(&after), ["the argument `to` is no longer required @/inputSchema/required"]);
    let mut after = tool();
    after["inputSchema"]["properties"]["required"] = json!(["x"]);
    assert_eq!(sentences(&after), ["the argument `required` is new @/inputSchema/properties/required"]);
    let mut after = tool();
    after["inputSchema"]["properties"]["a/b"] = json!({"description": "slashed"});
    assert_eq!(sentences(&after), ["the argument `a/b` is new @/inputSchema/properties/a~1b"]);
}

#[test]
fn an_order_that_changed_is_a_difference_too() {
    let mut after = tool();
    after["inputSchema"]["properties"]["kind"]["enum"] = json!(["long", "short"]);
    assert_eq!(compare(&tool(), &after).len(), 1);
    assert_eq!(compare(&json!([]), &json!({})).len(), 1);
    assert_eq!(compare(&json!([{"a": 1}]), &json!([{"a": 1}, {"a": 2}])).len(), 1);
}

#[test]
fn more_differences_than_anybody_reads_are_counted() {
    let many: serde_json::Map<String, Value> = (0..1_000).map(|number| (number.to_string(), json!(number))).collect();
    let found = compare(&json!({}), &Value::Object(many));
    assert_eq!(found.len(), limits::DIFFERENCES_MAX + 1);
    assert!(found.last().unwrap().sentence.starts_with("744 more"), "{:?}", found.last());
}
