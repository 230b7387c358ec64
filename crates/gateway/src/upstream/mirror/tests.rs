use serde_json::json;

use super::*;

#[test]
fn marked_arguments_are_repeated_in_headers() {
    let definition = json!({"inputSchema": {"properties": {
        "topic": {"type": "string", "x-mcp-header": "Topic"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "plain": {"type": "string"},
        "odd": {"type": "string", "x-mcp-header": "no header\n"},
    }}});
    let mirrors = marked(&definition);
    let found = headers(&mirrors, &json!({"topic": "grün", "count": 3, "plain": "x", "odd": "y"}));
    let mut found: Vec<(String, &str)> =
        found.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap())).collect();
    found.sort();
    assert_eq!(found, [("mcp-param-count".to_owned(), "3"), ("mcp-param-topic".to_owned(), "=?base64?Z3LDvG4=?=")]);
}

#[test]
fn what_a_header_would_change_is_encoded() {
    assert_eq!(header_value("plain text"), "plain text");
    for text in [" padded ", "line\nbreak", "=?base64?x?=", "é"] {
        assert!(header_value(text).to_str().unwrap().starts_with("=?base64?"), "{text}");
    }
}
