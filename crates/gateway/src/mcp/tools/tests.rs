use serde_json::json;

use super::*;

#[test]
fn header_marks_leave_schemas_but_not_properties_of_that_name() {
    let mut schema = json!({
        "type": "object",
        "properties": {
            "topic": {"type": "string", "x-mcp-header": "Topic"},
            "x-mcp-header": {"type": "string", "x-mcp-header": "Name"},
            "list": {"type": "array", "items": {"type": "string", "x-mcp-header": "Item"}},
        },
        "anyOf": [{"x-mcp-header": "A"}],
        "default": {"x-mcp-header": "kept"},
    });
    strip_headers(&mut schema);
    assert_eq!(
        schema,
        json!({
            "type": "object",
            "properties": {
                "topic": {"type": "string"},
                "x-mcp-header": {"type": "string"},
                "list": {"type": "array", "items": {"type": "string"}},
            },
            "anyOf": [{}],
            "default": {"x-mcp-header": "kept"},
        })
    );
}

#[test]
fn a_cursor_of_no_list_is_refused() {
    assert_eq!(place(&json!(URL_SAFE_NO_PAD.encode("desk/echo"))), Some("desk/echo".to_owned()));
    for cursor in [json!(7), json!("!!"), json!("_w")] {
        assert_eq!(place(&cursor), None, "{cursor}");
    }
}
