use remit_domain::{DataClass, Definition, Moment, OperationName, Timestamp, Verb};
use serde_json::json;

use super::*;

fn operation(definition: Value) -> Operation {
    let definition = Definition { document: definition };
    Operation {
        name: OperationName::new("desk", "look"),
        verb: Verb::Read,
        risk: 0,
        data: DataClass::D0,
        external: false,
        irreversible: false,
        digest: definition.digest(),
        definition,
        projections: Vec::new(),
        approved_by: Moment::new(Timestamp::from_millis(1), 1).fresh_id(),
        approved_at: Timestamp::default(),
        withdrawn: None,
    }
}

fn members(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn a_result_is_held_against_the_approved_definition() {
    let outputs = Outputs::default();
    let schema = json!({"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]});
    let promised = operation(json!({"name": "look", "outputSchema": schema}));
    outputs.must_fit(&promised, &members(json!({"structuredContent": {"id": 1}}))).unwrap();
    outputs.must_fit(&promised, &members(json!({"structuredContent": {"id": "1"}}))).unwrap_err();
    outputs.must_fit(&promised, &members(json!({"content": []}))).unwrap_err();
    outputs.must_fit(&operation(json!({"name": "look"})), &members(json!({"structuredContent": 1}))).unwrap();
}

#[test]
fn a_schema_that_cannot_be_read_fits_nothing_and_is_never_fetched() {
    let outputs = Outputs::default();
    for schema in [json!({"type": 7}), json!({"$ref": "http://127.0.0.1:9/schema.json"})] {
        let broken = operation(json!({"name": "look", "outputSchema": schema}));
        outputs.must_fit(&broken, &members(json!({"structuredContent": {}}))).unwrap_err();
    }
}
