use serde_json::json;

use super::*;

#[test]
fn each_argument_is_told_with_its_type_its_bounds_and_whether_it_is_needed() {
    let schema = json!({
        "type": "object",
        "required": ["to"],
        "properties": {
            "to": {"type": "string", "format": "email", "description": "<b>who\u{202e}</b>"},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
            "kind": {"enum": ["a", "b<"]},
            "odd": true,
        },
    });
    let page = arguments(&schema).into_string();
    for part in [
        "<code>to</code></td><td>string <span class=\"quiet\">email</span></td><td>yes</td>",
        "array of string",
        "items at most </span><code>5</code>",
        "<code>&quot;b&lt;&quot;</code>",
        "&lt;b&gt;who<span class=\"unseen\"",
        "does not say that there are no other arguments",
    ] {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
}

#[test]
fn what_is_no_schema_of_arguments_is_told_as_that() {
    for schema in [json!(null), json!({}), json!({"properties": []}), json!({"properties": {}}), json!("text")] {
        assert!(arguments(&schema).into_string().contains("names no arguments"), "{schema}");
    }
}
