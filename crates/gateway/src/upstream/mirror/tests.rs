use serde_json::json;

use super::*;

fn schema(properties: Value) -> Value {
    json!({"inputSchema": {"type": "object", "properties": properties}})
}

#[test]
fn marked_arguments_are_repeated_in_headers() {
    let definition = schema(json!({
        "topic": {"type": "string", "x-mcp-header": "Topic"},
        "count": {"type": ["integer", "null"], "x-mcp-header": "Count"},
        "plain": {"type": "string", "default": {"x-mcp-header": "a value"}},
        "absent": {"type": "boolean", "x-mcp-header": "Absent"},
        "x-mcp-header": {"type": "string"},
        "inner": {"type": "object", "properties": {"deep": {"type": "boolean", "x-mcp-header": "Deep"}}},
    }));
    let mirrors = marked(&definition).unwrap();
    let mut found = HeaderMap::new();
    let arguments = json!({"topic": "grün", "count": 3, "plain": "x", "absent": null, "inner": {"deep": true}});
    repeat(&mirrors, &arguments, &mut found);
    let mut found: Vec<(&str, &str)> =
        found.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    found.sort_unstable();
    let expected = [("mcp-param-count", "3"), ("mcp-param-deep", "true"), ("mcp-param-topic", "=?base64?Z3LDvG4=?=")];
    assert_eq!(found, expected);
}

#[test]
fn a_tool_with_an_invalid_mark_is_known() {
    let one = |mark: &str, kind: &str| marked(&schema(json!({"a": {"type": kind, "x-mcp-header": mark}}))).unwrap_err();
    for mark in ["", "My Region", "Region:Primary", "Région", "Region\t1", "a\r\nb"] {
        assert_eq!(one(mark, "string"), BadMark::NoToken, "{mark:?}");
    }
    for kind in ["object", "array", "null", "number"] {
        assert_eq!(one("Data", kind), BadMark::NotPrimitive, "{kind}");
    }
    let untyped = marked(&schema(json!({"a": {"x-mcp-header": "Data"}})));
    assert_eq!(untyped, Err(BadMark::NotPrimitive));
    let twice =
        json!({"a": {"type": "string", "x-mcp-header": "Field"}, "b": {"type": "string", "x-mcp-header": "field"}});
    assert_eq!(marked(&schema(twice)), Err(BadMark::Twice));
    for beyond in [
        json!({"inputSchema": {"type": "object", "x-mcp-header": "Root"}}),
        schema(json!({"a": {"type": "array", "items": {"type": "string", "x-mcp-header": "Item"}}})),
        json!({"inputSchema": {"anyOf": [{"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}]}}),
        json!({"inputSchema": {"$defs": {"a": {"type": "string", "x-mcp-header": "A"}}}}),
    ] {
        assert_eq!(marked(&beyond), Err(BadMark::OutOfReach), "{beyond}");
    }
}

#[test]
fn what_a_header_would_change_is_encoded() {
    assert_eq!(header_value("plain text"), "plain text");
    for text in [" padded ", "line\nbreak", "=?base64?x?=", "é"] {
        assert!(header_value(text).to_str().unwrap().starts_with("=?base64?"), "{text}");
    }
}
