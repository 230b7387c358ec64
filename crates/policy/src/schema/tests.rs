use serde_json::json;

use super::*;
use crate::world;

#[test]
fn no_operations_make_a_schema_that_the_starter_policies_fit() {
    let schema = Schema::generate(std::iter::empty()).expect("a schema");
    let set = crate::PolicySet::compile(&crate::starter(), &schema).expect("the starter policies fit");
    assert_eq!(set.warnings(), []);
}

#[test]
fn the_text_does_not_depend_on_order() {
    let mut operations = world::operations();
    let text = Schema::generate(operations.iter()).expect("a schema").text().to_owned();
    operations.reverse();
    assert_eq!(Schema::generate(operations.iter()).expect("a schema").text(), text);
    assert!(text.contains(r#"action "helpdesk/refund_order" in ["write"] appliesTo {"#));
    assert!(text.contains(r#""amount": Long"#));
    assert!(!text.contains("lines"), "what is opaque is not in the schema");
}

#[test]
fn names_that_cedar_could_trip_over_are_quoted() {
    let arguments = Shape::from_json_schema(&json!({ "type": "object", "properties": {
        "in": { "type": "string" }, "has \"quotes\"\n": { "type": "string" }, "": { "type": "string" },
        "日本": { "type": "string" }, "a\u{301}\u{202e}": { "type": "string" }, "\u{0}": { "type": "string" },
        "__cedar": { "type": "string" }, "Long": { "type": "integer" },
    } }))
    .expect("a shape");
    let id = "odd \"one\"/tool's\n名".to_owned();
    let operation = OperationShape { id, connector: "odd \"one\"".to_owned(), verb: Verb::Read, arguments };
    let schema = Schema::generate(std::iter::once(&operation)).expect("a schema");
    let types = operation.arguments.cedar_type();
    assert!(schema.text().contains(&types), "{types}");
    let names = json!({ "in": "", "has \"quotes\"\n": "", "": "", "日本": "", "a\u{301}\u{202e}": "", "\u{0}": "",
        "__cedar": "", "Long": 1 });
    let facts = crate::Facts {
        operation: crate::OperationFacts {
            id: operation.id.clone(),
            connector: operation.connector.clone(),
            verb: Verb::Read,
            risk: 0,
            data: 0,
            external: false,
            sandbox: false,
            irreversible: false,
        },
        ..world::facts()
    };
    let set = crate::PolicySet::compile(&[world::source(world::PERMIT)], &schema).expect("a set");
    let request = crate::Request {
        facts: &facts,
        shape: &operation.arguments,
        arguments: &names,
        approval: None,
        now_ms: 0,
        credential_age_s: 0,
    };
    assert_eq!(crate::evaluate(&set, &schema, &request).outcome, crate::Outcome::Allow);
}

#[test]
fn operations_are_named_after_their_connector_and_are_there_once() {
    let [refund, read] = world::operations().try_into().expect("two operations");
    for id in ["refund_order", "other/refund_order", "helpdesk/", "helpdeskx/refund_order", "any read operation"] {
        let named = OperationShape { id: id.to_owned(), ..refund.clone() };
        let error = Schema::generate(std::iter::once(&named)).expect_err("misnamed");
        assert!(matches!(error, SchemaError::Name { .. }), "{id}: {error}");
    }
    let error = Schema::generate([&refund, &read, &refund].into_iter()).expect_err("twice");
    assert_eq!(error, SchemaError::Twice { id: refund.id.clone() });
}

#[test]
fn what_makes_no_difference_to_policies_is_not_made_again() {
    let operations = crate::world::operations();
    let before = Schema::generate(operations.iter()).expect("a schema");
    let again = before.regenerate(operations.iter()).expect("a schema");
    assert!(Arc::ptr_eq(&before.validator, &again.validator));
    // A description is nothing to policies, and is what arguments are held against all the same.
    let mut described = operations.clone();
    let other = serde_json::json!({"type": "object", "properties": {}, "description": "reads"});
    described[1].arguments = Shape::from_json_schema(&other).expect("a shape");
    let after = before.regenerate(described.iter()).expect("a schema");
    assert!(Arc::ptr_eq(&before.validator, &after.validator));
    assert_eq!(after.operation(&described[1].id).map(|known| &known.arguments), Some(&described[1].arguments));
    let fewer = before.regenerate(operations.iter().take(1)).expect("a schema");
    assert_eq!(fewer.text(), Schema::generate(operations.iter().take(1)).expect("a schema").text());
}
