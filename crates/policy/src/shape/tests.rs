use serde_json::json;

use super::*;

fn shape(properties: Value) -> Shape {
    Shape::from_json_schema(&json!({ "type": "object", "properties": properties })).expect("a shape")
}

#[test]
fn every_representable_type_has_its_cedar_type() {
    let shape = Shape::from_json_schema(&json!({
        "type": "object",
        "properties": {
            "text": { "type": "string" },
            "whole": { "type": "integer" },
            "truth": { "type": "boolean" },
            "number": { "type": "number" },
            "list": { "type": "array", "items": { "type": "integer" } },
            "inner": { "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] },
            "choice": { "enum": ["a", "b"] },
            "maybe": { "type": ["string", "null"] },
            "perhaps": { "anyOf": [{ "type": "integer" }, { "type": "null" }] },
        },
        "required": ["text", "whole", "truth", "number", "list", "inner", "choice", "maybe", "perhaps"],
    }))
    .expect("a shape");
    assert_eq!(
        shape.cedar_type(),
        r#"{"choice": String, "inner": {"a": String}, "list": Set<Long>, "maybe"?: String, "number": decimal, "perhaps"?: Long, "text": String, "truth": Bool, "whole": Long}"#
    );
    assert!(shape.opaque().is_empty());
}

#[test]
fn what_cedar_cannot_represent_is_opaque_and_listed() {
    let shape = shape(json!({
        "any": {},
        "all": true,
        "either": { "anyOf": [{ "type": "string" }, { "type": "integer" }] },
        "both": { "type": ["string", "integer"] },
        "map": { "type": "object", "additionalProperties": { "type": "string" } },
        "free": { "type": "object" },
        "mixed": { "type": "array", "items": { "anyOf": [{ "type": "string" }] } },
        "tuple": { "type": "array", "prefixItems": [{ "type": "string" }], "items": { "type": "string" } },
        "list": { "type": "array" },
        "objects": { "type": "array", "items": { "type": "object" } },
        "gaps": { "type": "array", "items": { "type": ["string", "null"] } },
        "nothing": { "type": "null" },
        "elsewhere": { "$ref": "#/$defs/x" },
        "inner": { "type": "object", "properties": { "hidden": {}, "seen": { "type": "string" } } },
    }));
    assert_eq!(shape.cedar_type(), r#"{"inner"?: {"seen"?: String}}"#);
    let opaque = [
        "all",
        "any",
        "both",
        "either",
        "elsewhere",
        "free",
        "gaps",
        "inner.hidden",
        "list",
        "map",
        "mixed",
        "nothing",
        "objects",
        "tuple",
    ];
    let mut listed = shape.opaque().to_vec();
    listed.sort();
    assert_eq!(listed, opaque);
}

#[test]
fn a_required_member_that_nobody_describes_is_opaque() {
    let shape = Shape::from_json_schema(&json!({ "type": "object", "required": ["ghost"] })).expect("a shape");
    assert_eq!(shape.opaque(), ["ghost"]);
    assert!(shape.check(&json!({})).is_err());
    assert!(shape.check(&json!({ "ghost": 1 })).is_ok());
}

#[test]
fn schemas_that_describe_no_object_are_refused() {
    for schema in [json!(true), json!({}), json!({ "type": "string" }), json!({ "type": ["object", "null"] })] {
        assert_eq!(Shape::from_json_schema(&schema), Err(ShapeError::NotAnObject), "{schema}");
    }
    let malformed = json!({ "type": "object", "required": "all" });
    assert!(matches!(Shape::from_json_schema(&malformed), Err(ShapeError::Malformed { keyword: "required", .. })));
    let malformed = json!({ "type": "object", "properties": [] });
    assert!(matches!(Shape::from_json_schema(&malformed), Err(ShapeError::Malformed { keyword: "properties", .. })));
}

#[test]
fn depth_and_number_are_bounded() {
    let mut deep = json!({ "type": "string" });
    for _ in 0..200 {
        deep = json!({ "type": "object", "properties": { "in": deep } });
    }
    let shape = Shape::from_json_schema(&deep).expect("a shape");
    assert_eq!(shape.opaque().len(), 1, "what lies too deep is opaque");

    let mut optional = json!({ "type": "string" });
    for _ in 0..200 {
        optional = json!({ "anyOf": [optional, { "type": "null" }] });
    }
    assert_eq!(self::shape(json!({ "maybe": optional })).opaque(), ["maybe"]);

    let many: Map<String, Value> =
        (0..=limits::SHAPE_PROPERTIES_MAX).map(|index| (format!("p{index}"), json!({ "type": "string" }))).collect();
    let many = json!({ "type": "object", "properties": many });
    assert_eq!(Shape::from_json_schema(&many), Err(ShapeError::TooManyProperties));

    let long = "x".repeat(limits::PROPERTY_NAME_BYTES_MAX + 1);
    let long = json!({ "type": "object", "properties": { long: { "type": "string" } } });
    assert!(matches!(Shape::from_json_schema(&long), Err(ShapeError::NameTooLong { .. })));
}
