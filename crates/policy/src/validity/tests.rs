use serde_json::json;

use super::*;

#[test]
fn what_policies_cannot_see_is_checked_too() {
    let schema = json!({"type": "object", "properties": {
        "color": {"enum": ["red", "green"]},
        "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "amount": {"type": "integer", "minimum": 1},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}},
    }});
    let validity = Validity::of(schema);
    validity.check(&json!({"color": "red", "code": "ABC", "amount": 1, "tags": ["a"]})).unwrap();
    for (arguments, path, keyword) in [
        (json!({"color": "blue"}), "color", "enum"),
        (json!({"code": "secret-word"}), "code", "pattern"),
        (json!({"amount": 0}), "amount", "minimum"),
        (json!({"tags": ["abcd"]}), "tags.0", "maxLength"),
    ] {
        let error = validity.check(&arguments).unwrap_err();
        assert_eq!(error, ArgumentError::NotAllowed { path: path.to_owned(), keyword: keyword.to_owned() });
        assert!(!error.to_string().contains("secret-word"));
    }
}

#[test]
fn a_schema_that_refers_elsewhere_is_not_fetched_and_fits_nothing() {
    let validity = Validity::of(json!({"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/a.json"}}}));
    assert_eq!(validity.check(&json!({"a": 1})), Err(ArgumentError::SchemaUnreadable));
}
