use serde_json::json;

use super::*;
use crate::world::refund_shape;

fn refused(arguments: Value) -> String {
    refund_shape().check(&arguments).expect_err("the arguments do not fit").to_string()
}

#[test]
fn arguments_that_fit_are_taken() {
    let full = json!({
        "order_id": "o", "amount": 5.0, "share": 0.25, "notify": null, "tags": ["a", "a"],
        "address": { "city": "Turin" }, "lines": [{ "any": ["thing"] }, {}],
    });
    assert_eq!(refund_shape().check(&full), Ok(()));
    assert_eq!(refund_shape().check(&json!({ "order_id": "o", "amount": -3 })), Ok(()));
}

#[test]
fn what_policies_do_not_see_is_held_to_the_schema_all_the_same() {
    let arguments = json!({ "order_id": "o", "amount": 5, "lines": [{}, 3] });
    assert_eq!(refused(arguments), "the argument `lines.1` is not what its schema allows (`type`)");
}

#[test]
fn a_number_that_no_policy_can_look_at_need_not_be_exact() {
    let arguments = json!({ "order_id": "o", "amount": 5, "share": 0.123_456 });
    assert_eq!(refused(arguments.clone()), "the number in the argument `share` cannot be compared exactly");
    refund_shape().typed(&arguments, &Reads::default()).unwrap();
}

#[test]
fn what_does_not_fit_is_refused_with_its_path() {
    assert_eq!(refused(json!({ "order_id": "o" })), "the argument `amount` is missing");
    assert_eq!(
        refused(json!({ "order_id": "o", "amount": "5" })),
        "the argument `amount` must be a whole number, but is a text"
    );
    assert_eq!(
        refused(json!({ "order_id": "o", "amount": 5.5 })),
        "the argument `amount` must be a whole number, but is a number with a fraction"
    );
    assert_eq!(
        refused(json!({ "order_id": null, "amount": 5 })),
        "the argument `order_id` must be a text, but is null"
    );
    assert_eq!(
        refused(json!({ "order_id": "o", "amount": 5, "address": { "city": 1 } })),
        "the argument `address.city` must be a text, but is a number"
    );
    assert_eq!(
        refused(json!({ "order_id": "o", "amount": 5, "tags": ["a", 1] })),
        "the argument `tags` must be a text, but is a number"
    );
    assert_eq!(refused(json!([])), "the argument `arguments` must be an object, but is a list");
}

#[test]
fn an_unknown_argument_is_refused_unless_the_schema_welcomes_it() {
    let error = refund_shape().check(&json!({ "order_id": "o", "ammount": 5 })).expect_err("refused");
    assert_eq!(error.to_string(), "the argument `ammount` is not one that the schema knows");
    assert_eq!(error.help().as_deref(), Some("did you mean `amount`?"));
    assert_eq!(
        refused(json!({ "order_id": "o", "amount": 5, "address": { "city": "x", "zip": 1 } })),
        "the argument `address.zip` is not one that the schema knows"
    );
    for welcome in [
        json!({ "type": "object", "additionalProperties": true }),
        json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        json!({ "type": "object", "patternProperties": { "^x-": {} } }),
    ] {
        let shape = Shape::from_json_schema(&welcome).expect("a shape");
        assert_eq!(shape.check(&json!({ "x-new": "y" })), Ok(()), "{welcome}");
    }
    let closed = Shape::from_json_schema(&json!({ "type": "object", "additionalProperties": false })).expect("a shape");
    assert!(closed.check(&json!({ "new": "y" })).is_err());
}

#[test]
fn numbers_are_exact_or_refused() {
    let decimal_of = |text: &str| decimal(&text.parse().expect("a number"));
    assert_eq!(decimal_of("1"), Some("1.0".to_owned()));
    assert_eq!(decimal_of("-0.5"), Some("-0.5".to_owned()));
    assert_eq!(decimal_of("0.1234"), Some("0.1234".to_owned()));
    assert_eq!(decimal_of("1e3"), Some("1000.0".to_owned()));
    assert_eq!(decimal_of("922337203685477"), Some("922337203685477.0".to_owned()));
    assert_eq!(decimal_of("922337203685478"), None);
    assert_eq!(decimal_of("0.12345"), None);
    assert_eq!(decimal_of("1e300"), None);
    assert_eq!(decimal_of("1e-7"), None);

    let whole_of = |text: &str| whole(&text.parse().expect("a number"));
    assert_eq!(whole_of("9223372036854775807"), Some(i64::MAX));
    assert_eq!(whole_of("9223372036854775808"), None);
    assert_eq!(whole_of("3.0"), Some(3));
    assert_eq!(whole_of("-0.0"), Some(0));
    assert_eq!(whole_of("1e17"), None, "not every whole number of this size is a double");
    assert_eq!(
        refused(json!({ "order_id": "o", "amount": 1, "share": 0.00001 })),
        "the number in the argument `share` cannot be compared exactly"
    );
}

#[test]
fn the_number_of_values_is_bounded() {
    let tags = vec!["a"; limits::ARGUMENT_VALUES_MAX];
    assert_eq!(
        refund_shape().check(&json!({ "order_id": "o", "amount": 1, "tags": tags })),
        Err(ArgumentError::TooMany)
    );
}
